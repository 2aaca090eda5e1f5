"""Programs of the generated sizes, through the file that each of them is."""

from __future__ import annotations

from pathlib import Path

from benchmarks.generate import instance, write
from optimizer import load
from optimizer.engine.program import Program
from optimizer.solving import pose

OPTIONS = {"gap": 1e-3, "time_limit": 60.0, "threads": 1, "seed": 0}


def sized(name: str, seed: int, folder: Path) -> Program:
    """The program of a size and a seed, as it is stated."""
    file = folder / f"{name}-{seed}.json"
    with file.open("w") as out:
        write(instance(name, seed), out, as_json=True)
    return pose(load(file), OPTIONS).program
