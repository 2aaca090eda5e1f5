"""Khan's multiple-choice multi-resource knapsacks: a class is a workflow, an option a bundle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "khan"
OPTIMA = {"I01": 173.0, "I02": 364.0, "I03": 1602.0, "I05": 3905.7, "I06": 4799.3}  # coin-or/Dip, mmkp.opt


def instance(name: str, choose: str = "exactly_one") -> dict[str, Any]:
    """One knapsack as an instance document: one period, a named resource for each constraint."""
    numbers = _numbers(HERE / name)
    classes, options, resources = (int(next(numbers)) for _ in range(3))
    capacity = {f"r{k + 1}": next(numbers) for k in range(resources)}
    return {
        "schema": "solvency/1",
        "name": f"Khan {name}",
        "horizon": {"periods": [{"id": "T1", "hours": 1}], "discount_rate": 0},
        "sites": {},
        "pools": {},
        "catalogue": "none",
        "resources": {r: {"unit": "unit", "amount": amount} for r, amount in capacity.items()},
        "workflows": dict(_class(numbers, options, list(capacity), choose) for _ in range(classes)),
    }


def _class(numbers: Iterator[float], options: int, resources: list[str], choose: str) -> tuple[str, dict[str, Any]]:
    name = f"class{int(next(numbers))}"
    bundles = {
        f"option{k + 1}": {"value_usd": next(numbers), "resources": {r: next(numbers) for r in resources}}
        for k in range(options)
    }
    return name, {"unit": "choice", "bundles": {"choose": choose, "options": bundles}}


def _numbers(path: Path) -> Iterator[float]:
    """The numbers of the problem; they end at the first letter."""
    body = re.split(r"[A-Za-z]", path.read_text(), maxsplit=1)[0]
    return (float(word) for word in body.split())
