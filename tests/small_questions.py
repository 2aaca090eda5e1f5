"""The two worked cases of an explanation: a knapsack of three workflows, and two caps that bind jointly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tiny import calendar, data, flat, workflow

from optimizer.formulation.data import Bundle, Data, Resource

VALUES, SIZES = {"a": 10.0, "b": 14.0, "c": 6.0}, {"a": 4.0, "b": 6.0, "c": 3.0}


def knapsack(gpus: float = 9.0) -> Data:
    """max 10a + 14b + 6c, 4a + 6b + 3c <= 9: fund b and c for 20."""
    cal = calendar()
    flows = {w: _taken_whole(cal, w, VALUES[w], {"gpu": SIZES[w]}) for w in VALUES}
    return _fleetless(cal, flows, {"gpu": gpus})


def two_caps(gpus: float = 5.0, kw: float = 10.0) -> Data:
    """max 3a with a <= 5 GPUs and 2a <= 10 kW, a whole: five workflows of one GPU and 2 kW each, and five waiting."""
    cal = calendar()
    flows = {f"w{i}": _taken_whole(cal, f"w{i}", 3.0, {"gpu": 1.0, "kw": 2.0}) for i in range(8)}
    return _fleetless(cal, flows, {"gpu": gpus, "kw": kw})


def _taken_whole(cal: Any, name: str, usd: float, takes: dict[str, float]) -> Any:
    plain = workflow(cal, name, demand=1)
    return replace(plain, tranches=(), bundles=(Bundle("all", flat(cal, usd), takes),))


def _fleetless(cal: Any, flows: Any, there: dict[str, float]) -> Data:
    resources = {r: Resource(r, r.upper(), flat(cal, amount)) for r, amount in there.items()}
    return data(cal, workflows=flows, pools={}, sites={}, endpoints={}, pairs={}, resources=resources)
