"""How building grows: `python -m benchmarks.growth [--along size] [--seed 1] [--plot growth.svg]`, a line for each.

Along `size` from S to XXL; along `periods`, `pools` or `deployments` from half of M to four times of it. Every
instance is generated, then resolved, stated and compiled in a process of its own. Seconds are those of the processor,
so that a busy machine says little else than an idle one. `--plot` draws what was measured: `solvency[charts]`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.generate import sized, write
from benchmarks.generator.sizes import SIZES, Size
from benchmarks.solve import built

STAGES = ("parse", "resolve", "state", "compile")
FACTORS = (0.5, 1.0, 2.0, 4.0)
M = SIZES["M"]
ALONG = ("size", "periods", "pools", "deployments")
HEADS = ("", "columns", "rows", "nonzeros", "whole numbers", *STAGES, "all", "us per nonzero", "peak")

Found = Mapping[str, Any]


def main() -> None:
    """Print the tables, line by line as they are measured, and draw them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--along", nargs="+", choices=ALONG, default=["size"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="a picture of what was measured, by the ending of its name")
    args = parser.parse_args()
    if args.plot and find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install 'solvency[charts]'")
    found = {along: _measured(along, args.seed) for along in args.along}
    if args.plot:
        _drawn(found, args.plot)


def _measured(along: str, seed: int) -> list[Found]:
    print(f"\nAlong {along}\n\n| {' | '.join(HEADS)} |\n" + "|---" * len(HEADS) + "|")
    return [_printed(name, _built(size, name, seed)) for name, size in _sizes(along)]


def _sizes(along: str) -> Iterator[tuple[str, Size]]:
    if along == "size":
        yield from SIZES.items()
        return
    for factor in FACTORS:
        yield f"M, {along} x {factor:g}", _times(along, factor)


def _times(along: str, factor: float) -> Size:
    if along == "periods":
        return replace(M, periods=round(factor * M.periods))
    if along == "pools":
        return replace(M, sites=round(factor * M.sites), gpus=round(factor * M.gpus))
    return replace(M, endpoints=round(factor * M.endpoints), pairs=round(factor * M.pairs))


def _built(size: Size, name: str, seed: int) -> Found:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "instance.json"
        with file.open("w") as out:
            write(sized(size, name, seed), out, as_json=True)
        return built(file)


def _printed(name: str, found: Found) -> Found:
    seconds, nonzeros = _seconds(found), int(found["nonzeros"])
    sizes = [f"{found[what]:,}" for what in ("columns", "rows", "nonzeros", "integers")]
    stages = [f"{found['stages'][each]['cpu_seconds']:.2f}" for each in STAGES]
    print(f"| {name} | {' | '.join([*sizes, *stages])} | {seconds:.1f} | {1e6 * seconds / nonzeros:.1f} | "
          f"{_peak(found):.2f} GiB |", flush=True)  # fmt: skip
    return found


def _seconds(found: Found) -> float:
    return sum(float(found["stages"][each]["cpu_seconds"]) for each in STAGES)


def _peak(found: Found) -> float:
    return max(float(each["peak_gib"]) for each in found["stages"].values())


def _drawn(found: Mapping[str, list[Found]], path: Path) -> None:
    """Seconds and memory against nonzeros, a line for each direction of growth."""
    from matplotlib.figure import Figure  # noqa: PLC0415  an extra

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, what, of in zip(figure.subplots(1, 2), ("CPU seconds", "peak GiB"), (_seconds, _peak), strict=True):
        for along, points in found.items():
            axes.loglog([p["nonzeros"] for p in points], [of(p) for p in points], marker="o", label=f"along {along}")
        axes.set(xlabel="nonzeros", title=f"From file to arrays: {what}")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
