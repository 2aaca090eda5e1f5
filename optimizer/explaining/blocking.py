"""Which rows keep a workflow from being served more while everyone else is served as planned.

A linear program: all that belongs to other workflows and all that is bought stay where the plan has them, and of the
rest (replicas, layouts, nodes, tools) as much goes to this workflow as fits. What then has a price blocks it. Where
nothing does, it does not pay or would need another whole replica.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from optimizer.asking.changes import asked, earning, freed
from optimizer.engine.prices import held_prices
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.solver import Control
from optimizer.explaining.study import Used
from optimizer.formulation.data import Workflow

Row = dict[str, Any]
OF_WORKFLOWS = (
    "fund", "launch", "proven", "choose", "serve", "api", "tranche", "rescue", "retrain", "exploring",
)  # fmt: skip
BOUGHT = ("buy",)
LEAST = 1e-6  # of its demand for one per cent more of a row, below which the row does not block
TURNS = 2  # in which rows are looked for, each without those of the turns before


def blocking(program: Program, rows: Mapping[int, Used], x: Floats, w: Workflow, control: Control) -> Row:
    """The share of demand that could be served at most, and the rows that stop it there, the tightest first.

    Where two rows stop it together only one has a price; so those that do are taken away and it is looked again.
    """
    most = replace(program, cost=earning(program, w.id).astype(float), offset=0.0, maximise=True)
    free, wanted = _free(program, w), asked(w)
    share, found = None, list[Row]()
    for turn in range(1, TURNS + 1):
        solved = held_prices(most, free, x, control) if wanted else None
        if solved is None:
            break
        tasks, prices = solved
        share = float(np.clip(tasks / wanted, 0.0, 1.0)) + 0.0 if share is None else share  # + 0.0: no minus zero
        stopping = _stopping(rows, prices, LEAST * wanted)
        found += [_row(rows[at], float(prices[at]), turn) for at in stopping]
        most = freed(most, stopping)
        if not stopping:
            break
    return {"could_share": share, "blocked_by": None if share is None else found}


def _free(program: Program, w: Workflow) -> Flags:
    """Columns of this workflow and of nobody, but nothing bought."""
    return np.array([key[0] == w.id if of in OF_WORKFLOWS else of not in BOUGHT for of, key in _named(program)], bool)


def _named(program: Program) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, key in program.cols:
        yield name, key if isinstance(key, tuple) else (key,)


def _stopping(rows: Mapping[int, Used], prices: Floats, least: float) -> list[int]:
    """Rows of which one per cent more would let in that many tasks, the most first."""
    gain = {at: _per_percent(row, float(prices[at])) for at, row in rows.items()}
    return sorted((at for at in gain if gain[at] > least), key=lambda at: -gain[at])


def _row(row: Used, price: float, turn: int) -> Row:
    return {
        "family": row.family.name,
        "row": row.family.label(row.key),
        "period": row.period,
        "unit": row.family.unit,
        "tasks_per_unit": abs(price),
        "tasks_per_percent": _per_percent(row, price),
        "turn": turn,
    }


def _per_percent(row: Used, price: float) -> float:
    return abs(price) * abs(row.capacity) / 100
