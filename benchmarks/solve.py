"""Ours beside raw HiGHS and raw SCIP: `python -m benchmarks.solve [S M ...] [--seeds 101 102 103] [--limit 60]`.

Every instance is generated, built once, and written as one MPS that both raw solvers read. The solvers run one after
the other, each alone, on the same number of threads. The clock starts when ours has parsed the instance, so that it
builds on the clock, and when theirs begin to read the MPS.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.generate import instance, write
from benchmarks.generator.sizes import SIZES
from benchmarks.solving import table
from benchmarks.solving.race import Run, run

LIMITS = {"S": 60.0, "M": 120.0, "L": 300.0, "XL": 600.0, "XXL": 1800.0}
REPORTED = (101, 102, 103)
"""Seeds whose results are published. The engine is tuned on others (1, 2, ...), never on these."""

SOLVERS = {"ours": "benchmarks.solving.ours", "HiGHS": "benchmarks.solving.raw_highs"}
if find_spec("pyscipopt"):
    SOLVERS["SCIP"] = "benchmarks.solving.raw_scip"


def main() -> None:
    """Print the page, section by section as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=["S", "M"], help=f"of {', '.join(SIZES)}, or instance files")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(REPORTED))
    parser.add_argument("--limit", type=float, help="seconds for each solver; default by size")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--solvers", nargs="+", choices=SOLVERS, default=list(SOLVERS))
    args = parser.parse_args()
    print(table.machine() + f" {args.threads} threads each; SCIP's wheel has one.\n")
    for name in args.sizes:
        limit = args.limit or LIMITS.get(name, 60.0)
        for title, file in instances(name, args.seeds):
            for line in _section(title, file, limit, args.threads, args.solvers):
                print(line, flush=True)


def instances(name: str, seeds: list[int]) -> Iterator[tuple[str, Path]]:
    """Each seed of a size in a file of its own, or the file named."""
    if name not in SIZES:
        yield name, Path(name)
        return
    for seed in seeds:
        with TemporaryDirectory() as folder:
            file = Path(folder) / f"{name}-{seed}.json"
            with file.open("w") as out:
                write(instance(name, seed), out, as_json=True)
            yield f"{name}, seed {seed}", file


def _section(title: str, file: Path, limit: float, threads: int, solvers: list[str]) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        mps = Path(folder) / "program.mps"
        found = built(file, mps)
        yield from table.program(title, found)
        runs: dict[str, Run] = {}
        for name in solvers:
            source, money = (file, 1.0) if name == "ours" else (mps, found["money"])
            arguments = [str(source), str(limit), str(threads), "0"]
            runs[name] = run(SOLVERS[name], arguments, limit, money=money, idle_usd=found["idle_usd"])
        yield from table.race(runs, limit)


def built(file: Path, mps: Path | None = None) -> dict[str, Any]:
    """Sizes of the program of an instance file, and what each stage of building it takes; written out if asked."""
    command = [sys.executable, "-m", "benchmarks.solving.build", str(file)] + (["--mps", str(mps)] if mps else [])
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return result


if __name__ == "__main__":
    main()
