"""How building grows with size: `python -m benchmarks.growth [S M L XL XXL] [--seed 1]`, a line of the table for each.

Every instance is generated, then resolved, stated and compiled in a process of its own. Seconds are those of the
processor, so that a busy machine says little else than an idle one.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.generate import instance, write
from benchmarks.generator.sizes import SIZES
from benchmarks.solve import built

STAGES = ("parse", "resolve", "state", "compile")


def main() -> None:
    """Print the table, line by line as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=list(SIZES), help=f"of {', '.join(SIZES)}")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    heads = ["", "columns", "rows", "nonzeros", "whole numbers", *STAGES, "all", "us per nonzero", "peak"]
    print(f"| {' | '.join(heads)} |\n" + "|---" * len(heads) + "|")
    for size in args.sizes:
        with TemporaryDirectory() as folder:
            file = Path(folder) / f"{size}.json"
            with file.open("w") as out:
                write(instance(size, args.seed), out, as_json=True)
            print(f"| {size} | {' | '.join(_cells(built(file)))} |", flush=True)


def _cells(found: Mapping[str, Any]) -> list[str]:
    seconds = [found["stages"][name]["cpu_seconds"] for name in STAGES]
    sizes = [f"{found[what]:,}" for what in ("columns", "rows", "nonzeros", "integers")]
    peak = max(each["peak_gib"] for each in found["stages"].values())
    each_us = 1e6 * sum(seconds) / found["nonzeros"]
    return [*sizes, *(f"{s:.2f}" for s in seconds), f"{sum(seconds):.1f}", f"{each_us:.1f}", f"{peak:.2f} GiB"]


if __name__ == "__main__":
    main()
