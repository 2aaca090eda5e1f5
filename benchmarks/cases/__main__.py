"""Solve every published case by the whole path and hold it against its answer: `python -m benchmarks.cases`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.cases import freesh, khan
from optimizer import parse, solve


def results() -> Iterator[tuple[str, float | None, float | None, float]]:
    """(case, answer published, answer found, seconds); None where infeasible."""
    for name, published in khan.OPTIMA.items():
        plan = _solved(khan.instance(name))
        yield f"Khan {name}", published, plan["objective_usd"], plan["seconds"]
    for problem, answer in freesh.answers().items():
        plan = _solved(freesh.instance(problem))
        net = plan["objective_usd"]
        yield f"FREESH {problem}", answer, None if net is None else -net * freesh.UNIT, plan["seconds"]


def main() -> int:
    """Print a line a case; 1 if any answer differs by more than 1e-6 of it."""
    missed = 0
    for case, published, found, seconds in results():
        same = _same(published, found)
        missed += not same
        print(f"{case:10}  {_shown(published)}  {_shown(found)}  {seconds:6.2f} s  {'ok' if same else 'DIFFERS'}")
    return min(missed, 1)


def _solved(document: dict[str, Any]) -> dict[str, Any]:
    return dict(solve(parse(document), gap=0.0).document)


def _same(published: float | None, found: float | None) -> bool:
    if published is None or found is None:
        return published is found
    return abs(published - found) <= 1e-6 * abs(published)


def _shown(value: float | None) -> str:
    return f"{'infeasible' if value is None else f'{value:,.1f}':>20}"


if __name__ == "__main__":
    sys.exit(main())
