"""Prices of the linear program, and a bound from prices alone: whatever the rows and the columns could earn at them,
no plan earns more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.program import Floats, Program, dot
from optimizer.engine.scale import scale
from optimizer.engine.solver import Control, Highs

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


def relaxed_prices(program: Program, control: Control) -> tuple[float, Floats] | None:
    """Optimum and row prices with whole numbers continuous; None if that did not solve."""
    scaled = scale(program)
    highs = Highs(replace(scaled.program, integer=np.zeros_like(program.integer)), control)
    if highs.run() != Model.kOptimal:
        return None
    bound = highs.bound()
    assert bound is not None
    return bound * scaled.money, highs.prices() * scaled.row * scaled.money


def _held(program: Program, prices: Floats) -> Floats:
    """No price for what is not limited on that side."""
    above = np.where(np.isfinite(program.row_upper), prices, np.minimum(prices, 0.0))
    return np.where(np.isfinite(program.row_lower), above, np.maximum(above, 0.0))


def _most(price: Floats, lower: Floats, upper: Floats) -> float:
    """What amounts between their bounds come to at most; those without a price to nothing, even without a bound."""
    priced = price != 0.0
    at = np.where(price > 0.0, upper, lower)[priced]
    return dot(price[priced], at)
