"""Sums of rows as the simplex method makes them: the row of the tableau of a whole number that came out fractional.

In such a row every other column is at a bound, so that its rounding cuts the plan off (Gomory 1960): the sums of
`separation` see a few rows at a time, these all of them.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from optimizer.engine.program import Floats, Ints, Program
from optimizer.engine.rounding import Matrix
from optimizer.engine.solver import Highs

MOST = 400  # rows of the tableau, the most fractional first
FRACTIONAL = 1e-3
NOTHING = 1e-9  # weight of a row


def tableau(program: Program, lp: Highs, x: Floats) -> Matrix:
    """Weights of the rows (as `Equations` has them), in both directions, of a linear program solved to the plan x."""
    sign = np.where(np.isfinite(program.row_upper), 1.0, -1.0)
    away = np.where(program.integer, np.abs(x - np.round(x)), 0.0)
    found = [sparse.csr_array(np.empty((0, sign.size)))]
    if (away > FRACTIONAL).any():  # HiGHS 1.15 must not be asked for the basis of a program without nonzeros
        found += [_sum(sign * lp.inverse_row(row)) for row in _most_fractional(lp.basic(), away)]
    return sparse.vstack([*found, *(-each for each in found)]).tocsr()


def _most_fractional(basic: Ints, away: Floats) -> list[int]:
    """Rows whose basic column is furthest from whole."""
    far = np.where(basic >= 0, away[np.maximum(basic, 0)], 0.0)
    rows: list[int] = np.argsort(-far, kind="stable")[: min(MOST, int((far > FRACTIONAL).sum()))].tolist()
    return rows


def _sum(weights: Floats) -> Matrix:
    return sparse.csr_array(np.where(np.abs(weights) > NOTHING, weights, 0.0)[None, :])
