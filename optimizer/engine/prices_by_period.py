"""Better prices for the rows that span periods, found by the subgradient."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from optimizer.engine.periods import Parts, bound_by_period, proper, spanning
from optimizer.engine.program import Floats, Program

SHRINK = 0.5  # of the step, after one that did not help
SMALLEST = 0.05


class Priced(NamedTuple):
    """Prices of all rows, and the bound of the objective that they prove."""

    prices: Floats
    bound: float


def priced(program: Program, prices: Floats, worth: float, parts: Parts, pool: Executor, rounds: int) -> Priced:
    """Prices improved towards `worth`, the value of a plan that is known, and the bound that they prove."""
    best, step = bound_by_period(program, prices, parts, pool), 1.0
    for _ in range(rounds):
        slope = _slope(program, best.x, prices)
        length = float(slope @ slope)
        if parts.control.over or step < SMALLEST or length == 0.0 or best.bound <= worth:
            break
        trial = proper(program, prices - step * (best.bound - worth) / length * slope)
        found = bound_by_period(program, trial, parts, pool)
        if found.bound < best.bound:
            best, prices = found, trial
        else:
            step *= SHRINK
    return Priced(prices, best.bound)


def _slope(program: Program, x: Floats, prices: Floats) -> Floats:
    """How the bound changes with each price: what is left of the row's limit."""
    free = program.col_lower < program.col_upper
    link, _ = spanning(program, free)
    up = np.isfinite(program.row_upper)
    limit = np.where(up, program.row_upper, np.where(np.isfinite(program.row_lower), program.row_lower, 0.0))
    slope = np.where(link, limit - program.activity(x), 0.0)
    one_sided = program.row_lower != program.row_upper
    blocked = one_sided & (prices == 0.0) & np.where(up, slope > 0, slope < 0)
    return np.where(blocked, 0.0, slope)
