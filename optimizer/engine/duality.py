"""A bound from prices alone: whatever the rows and the columns could earn at them, no plan earns more."""

from __future__ import annotations

import numpy as np

from optimizer.engine.program import Floats, Program, dot

ROUNDING = 1e-12  # of what a column's terms add up to: what is less is nothing


def bound_at(program: Program, prices: Floats) -> float:
    """What no plan is better than, at any prices of the rows (money for one more of a limit); infinite where they say
    nothing. At the prices of the linear program's optimum it is that optimum, whole numbers or not."""
    sign = 1.0 if program.maximise else -1.0
    held = _held(program, sign * prices)
    terms = program.value * held[program.row_of]
    spent, size = (np.bincount(program.index, each, program.cost.size) for each in (terms, np.abs(terms)))
    gain = sign * program.cost - spent
    gain[np.abs(gain) <= ROUNDING * (np.abs(program.cost) + size)] = 0.0
    rows = _most(held, program.row_lower, program.row_upper)
    return sign * (sign * program.offset + rows + _most(gain, program.col_lower, program.col_upper))


def _held(program: Program, prices: Floats) -> Floats:
    """No price for what is not limited on that side."""
    above = np.where(np.isfinite(program.row_upper), prices, np.minimum(prices, 0.0))
    return np.where(np.isfinite(program.row_lower), above, np.maximum(above, 0.0))


def _most(price: Floats, lower: Floats, upper: Floats) -> float:
    """What amounts between their bounds come to at most; those without a price to nothing, even without a bound."""
    priced = price != 0.0
    at = np.where(price > 0.0, upper, lower)[priced]
    return dot(price[priced], at)
