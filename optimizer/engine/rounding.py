"""Cuts by complemented mixed-integer rounding (Marchand and Wolsey, Operations Research 49, 2001).

An equation  sum a_j x_j = b  is written in distances from bounds, x_j = l_j + d_j or u_j - d_j, and divided by a
delta > 0. With f the fraction of the new right side and F(a) = floor(a) + max(0, frac(a) - f) / (1 - f) every plan
satisfies

    sum over whole d_j of F(a_j) d_j  +  sum over other d_j of min(a_j, 0) / (1 - f) d_j  <=  floor(b).

Many equations are looked at together, as rows of one sparse matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy import sparse

from optimizer.engine.program import Flags, Floats, Ints, Program

Matrix: TypeAlias = sparse.csr_array
NOTHING = 1e-11  # a coefficient that cancelled
ROUNDING = 1e-9  # below which a coefficient lies short of whole
INSIDE = 1e-6  # of its bounds: a whole number whose coefficient is tried as a divisor
FRACTION = 0.02  # of a right side, at least and at most this far from whole
TRIED = 8  # divisors of an equation: the coefficients of its most fractional whole numbers,
HALVED = 3  # and the best of them halved so often
SMALL = 1e-6  # of a coefficient, beside the largest of its cut
SLACK = 1e-7  # that a cut is given for what was rounded on the way to it


@dataclass(frozen=True, eq=False)
class Equations:
    """The rows of a program with slacks: `matrix` has a column for each of both, `rhs` is not finite for a free row."""

    matrix: Matrix
    rhs: Floats
    lower: Floats
    upper: Floats
    integer: Flags
    cols: int

    @classmethod
    def of(cls, program: Program) -> Equations:
        """a x + s = upper, or -a x + s = -lower where there is no upper limit; s from 0 to the width of the row."""
        rows, cols = program.row_lower.size, program.cost.size
        capped = np.isfinite(program.row_upper)
        a = matrix_of(program).multiply(np.where(capped, 1.0, -1.0)[:, None])
        return cls(
            matrix=sparse.hstack([a, sparse.eye_array(rows)]).tocsr(),
            rhs=np.where(capped, program.row_upper, -program.row_lower),
            lower=np.concatenate([program.col_lower, np.zeros(rows)]),
            upper=np.concatenate([program.col_upper, program.row_upper - program.row_lower]),
            integer=np.concatenate([program.integer, np.zeros(rows, bool)]),
            cols=cols,
        )

    def at(self, x: Floats) -> Floats:
        """Columns and slacks of a plan, inside their bounds."""
        slack: Floats = self.rhs - self.matrix[:, : self.cols] @ x
        at: Floats = np.clip(np.concatenate([x, slack]), self.lower, self.upper)
        return at


class Terms(NamedTuple):
    """The nonzeros of equations in distances from bounds: equation, column, coefficient, whole, distance; right sides,
    not a number where a column of the equation has no bound."""

    of: Ints
    col: Ints
    value: Floats
    integer: Flags
    from_upper: Flags
    rhs: Floats


class Sums(NamedTuple):
    """What cuts are made of: rows added together, the bound that each column is measured from, and the divisors."""

    weights: Matrix
    from_upper: Flags
    divisor: Floats


class Cuts(NamedTuple):
    """matrix x <= rhs, each of length 1 by its largest coefficient; an infinite rhs where a sum gives no cut."""

    matrix: Matrix
    rhs: Floats


def matrix_of(program: Program) -> Matrix:
    """A of a program."""
    shape = (program.row_lower.size, program.cost.size)
    return sparse.csr_array((program.value, program.index, program.start), shape=shape)


def combined(matrix: Matrix, weights: Matrix) -> Matrix:
    """Rows of a matrix added together, each row of `weights` to one, without what cancelled."""
    total = (weights @ matrix).tocsr()
    total.data[np.abs(total.data) < NOTHING] = 0.0
    total.eliminate_zeros()
    return total


def in_distances(equations: Equations, weights: Matrix, from_upper: Flags) -> Terms:
    """Rows added together, with the columns that have both bounds measured from the one that `from_upper` names."""
    total = combined(equations.matrix, weights)
    of = _row_of(total)
    lower, upper = equations.lower[total.indices], equations.upper[total.indices]
    above = (from_upper[total.indices] & np.isfinite(upper)) | ~np.isfinite(lower)
    at = np.where(above, upper, lower)
    rhs = weights @ equations.rhs - _sums(of, total.data * np.where(np.isfinite(at), at, np.nan), total.shape[0])
    value = np.where(above, -total.data, total.data)
    return Terms(of, total.indices, value, equations.integer[total.indices], above, rhs)


def best_divisors(equations: Equations, terms: Terms, x: Floats) -> tuple[Floats, Floats]:
    """The divisor of each equation whose cut lies furthest beyond x, and how far: violation over length."""
    low, high = x[terms.col] - equations.lower[terms.col], equations.upper[terms.col] - x[terms.col]
    distance = np.where(terms.from_upper, high, low)
    best, divisor = np.full(terms.rhs.size, -np.inf), np.zeros(terms.rhs.size)

    def attempt(delta: Floats) -> None:
        far = _beyond(terms, distance, delta)
        better = far > best
        best[better], divisor[better] = far[better], delta[better]

    for delta in _coefficients(terms, np.where(terms.integer, np.minimum(low, high), 0.0)):
        attempt(delta)
    chosen = divisor.copy()
    for n in range(HALVED):
        attempt(chosen / 2.0 ** (n + 1))
    return divisor, best


def cuts(equations: Equations, sums: Sums) -> Cuts:
    """The cuts of combined rows in the columns of the program; none that would have small coefficients."""
    found = _cuts(equations, sums)
    small = _sums(_row_of(found.matrix), _small(found.matrix).astype(float), found.rhs.size)
    return found._replace(rhs=np.where(small > 0, np.inf, found.rhs))


def flattened(equations: Equations, sums: Sums) -> Cuts:
    """All of them, small coefficients left out, each with the most that its column can give; no cut where that has no
    end. Most rows of the tableau have some; such cuts are long, and pay where nothing but cuts proves anything."""
    matrix, rhs = _cuts(equations, sums)
    small = _small(matrix)
    of, col, value = _row_of(matrix)[small], matrix.indices[small], matrix.data[small]
    least = value * np.where(value > 0, equations.lower[col], equations.upper[col])
    matrix.data[small] = 0.0
    matrix.eliminate_zeros()
    return Cuts(matrix, rhs - _sums(of, least, rhs.size))


def _cuts(equations: Equations, sums: Sums) -> Cuts:
    with np.errstate(invalid="ignore"):  # of sums with a column or a row that has no limit
        terms = in_distances(equations, sums.weights, sums.from_upper)
        value, whole, good = _rounded(terms, sums.divisor)
        value = np.where(terms.from_upper, -value, value)
        at = np.where(terms.from_upper, equations.upper[terms.col], equations.lower[terms.col])
        rhs = whole + _sums(terms.of, value * np.where(value == 0, 0.0, at), whole.size)
        found = _in_columns(equations, terms, np.where(np.isfinite(value), value, 0.0), rhs)
    return found._replace(rhs=np.where(good & np.isfinite(rhs), found.rhs + SLACK, np.inf))


def _in_columns(equations: Equations, terms: Terms, value: Floats, rhs: Floats) -> Cuts:
    """Slacks replaced by what they are, and the largest coefficient brought to 1."""
    every = sparse.csr_array((value, (terms.of, terms.col)), shape=(rhs.size, equations.lower.size))
    slack = every[:, equations.cols :].tocsr()
    slack.eliminate_zeros()
    matrix = (every[:, : equations.cols] - slack @ equations.matrix[:, : equations.cols]).tocsr()
    largest = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), NOTHING)
    return Cuts((sparse.diags_array(1 / largest) @ matrix).tocsr(), (rhs - slack @ equations.rhs) / largest)


def _small(matrix: Matrix) -> Flags:
    """Which nonzeros are small; the largest of a cut is 1."""
    size: Floats = np.abs(matrix.data)
    return (size > 0) & (size < SMALL)


def _row_of(matrix: Matrix) -> Ints:
    """The row of every nonzero."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))


def _coefficients(terms: Terms, inside: Floats) -> Iterator[Floats]:
    """For each equation the coefficient of its most fractional whole number, of the next, and so on; 0 for none."""
    entries = np.flatnonzero(inside > INSIDE)
    entries = entries[np.lexsort((-inside[entries], terms.of[entries]))]
    of = terms.of[entries]
    rank = np.arange(of.size) - np.searchsorted(of, of)
    for n in range(min(TRIED, int(rank.max(initial=-1)) + 1)):
        delta = np.zeros(terms.rhs.size)
        delta[of[rank == n]] = np.abs(terms.value[entries[rank == n]])
        yield delta


def _rounded(terms: Terms, divisor: Floats) -> tuple[Floats, Floats, Flags]:
    """Coefficients and right sides after rounding, in distances, and whether the fraction is one worth rounding."""
    rhs = terms.rhs / np.where(divisor > 0, divisor, np.nan)
    whole = np.floor(rhs)
    fraction = rhs - whole
    good = (fraction >= FRACTION) & (fraction <= 1 - FRACTION)
    share = terms.value / np.where(divisor > 0, divisor, np.nan)[terms.of]
    rest = np.where(good, 1 - fraction, np.nan)[terms.of]
    floor = np.floor(share + ROUNDING)
    up = np.maximum(np.maximum(share - floor, 0.0) - fraction[terms.of], 0.0)
    return np.where(terms.integer, floor + up / rest, np.minimum(share, 0.0) / rest), whole, good


def _beyond(terms: Terms, distance: Floats, divisor: Floats) -> Floats:
    """How far each cut is violated, over its length; minus infinity where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value, whole, good = _rounded(terms, divisor)
        left = _sums(terms.of, value * np.where(value == 0, 0.0, distance), whole.size) - whole
        length = np.sqrt(_sums(terms.of, value * value, whole.size))
        return np.where(good & (length > 0), left / length, -np.inf)


def _sums(of: Ints, terms: Floats, groups: int) -> Floats:
    return np.bincount(of, terms, groups).astype(np.float64, copy=False)
