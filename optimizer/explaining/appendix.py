"""Prices of linear programs, apart from everything else: rates at a point, with the range in which they hold.

A program with whole numbers has no prices. Those of its relaxation are a planner's habit and a first guess; of a
degenerate row they are one of many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from optimizer.engine.duality import relaxed_prices
from optimizer.engine.program import Floats, Program
from optimizer.engine.solver import Control
from optimizer.explaining.study import Used

Row = dict[str, Any]
STEP = 1e-4  # of a capacity, each way
SAME = 1e-3  # relative: left and right price are one


def appendix(program: Program, rows: Sequence[Used], prices: Floats, optimum: float, control: Control
             ) -> Iterator[Row]:  # fmt: skip
    """One line per full row: price of the relaxation, and one-sided prices by a small step each way."""
    for row in rows:
        price = _outward(program, row, float(prices[row.at]))
        if control.over or not (row.full or price):
            continue
        step = STEP * max(1.0, abs(row.capacity))
        right, left = (_slope(program, row.at, way, optimum, control) for way in (step, -step))
        apart = right is not None and left is not None and abs(left - right) > SAME * max(abs(left), abs(right), 1e-12)
        yield {
            "row": row.name,
            "unit": row.family.price,
            "final_value": row.used,
            "right_hand_side": row.capacity,
            "relaxation_price": price,
            "one_more_price": right,
            "one_fewer_price": left,
            "degenerate": apart or right is None or left is None,
        }


def _outward(program: Program, row: Used, price: float) -> float:
    """Positive when loosening helps, whatever the sense of the row."""
    return price if np.isfinite(program.row_upper[row.at]) else -price


def _slope(program: Program, at: int, step: float, optimum: float, control: Control) -> float | None:
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    if np.isfinite(upper[at]):
        upper[at] += step
    else:
        lower[at] -= step
    found = relaxed_prices(replace(program, row_lower=lower, row_upper=upper), control)
    return None if found is None else (found[0] - optimum) / step
