"""Cuts that a plan of a linear program violates: rows that hold it are added together and rounded.

A row that has no room left is one equation. If it has continuous columns that lie inside their bounds, the largest of
them is eliminated by adding another such row, up to `ADDED` times; every sum is tried in both directions, and the cuts
furthest beyond the plan are kept, as long as they are not nearly parallel.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimizer.engine.narrow import Narrow
from optimizer.engine.program import Flags, Floats, Ints, Program
from optimizer.engine.rounding import INSIDE, Cuts, Equations, Matrix, Sums, best_divisors, combined, cuts, in_distances

ADDED = 5  # rows to one row
LONG = 1000  # columns and slacks of a sum, beyond which it is left
ROWS = 4  # shortest rows of a column that may eliminate it
ENOUGH = 1e-4  # violation over length of a cut that is worth a row
MANY, PARALLEL = 600, 0.7  # cuts at a time, and the cosine between two of them

Making = Callable[[Equations, Sums], Cuts]


def separated(
    program: Program, part: Narrow, x: Floats, more: Iterable[Matrix] = (), making: Making = cuts
) -> tuple[Sums, Cuts] | None:
    """Cuts of the whole program that its plan x violates, and what they were made of; None if there are none.

    They are looked for in the part of it that is in use, among sums of its rows and among `more` such sums; `making`
    says what becomes of a sum.
    """
    within, whole = Equations.of(part.program), Equations.of(program)
    found = list(_violated(within, within.at(x[part.cols]), more))
    if not found:
        return None
    weights = _in_whole(part, sparse.vstack([weights for weights, _ in found]).tocsr())
    divisor = np.concatenate([divisor for _, divisor in found])
    sums = Sums(weights, _nearer_above(whole, whole.at(x)), divisor)
    return _best(sums, making(whole, sums), x)


def _in_whole(part: Narrow, weights: Matrix) -> Matrix:
    rows = np.flatnonzero(part.rows)
    return sparse.csr_array((weights.data, rows[weights.indices], weights.indptr), (weights.shape[0], part.rows.size))


def _nearer_above(equations: Equations, at: Floats) -> Flags:
    """Whether a column is nearer to its upper bound."""
    with np.errstate(invalid="ignore"):  # slacks of rows without a limit
        return equations.upper - at < at - equations.lower


def _violated(equations: Equations, at: Floats, more: Iterable[Matrix]) -> Iterator[tuple[Matrix, Floats]]:
    """Sums of rows, and the divisors, whose cuts x violates."""
    from_upper = _nearer_above(equations, at)
    for weights in itertools.chain(_sums_of_rows(equations, at), (_short(equations, each) for each in more)):
        divisor, beyond = best_divisors(equations, in_distances(equations, weights, from_upper), at)
        good = np.flatnonzero(beyond > ENOUGH)
        if good.size:
            yield weights[good], divisor[good]


def _short(equations: Equations, weights: Matrix) -> Matrix:
    return weights[np.flatnonzero(np.diff(combined(equations.matrix, weights).indptr) <= LONG)]


def _sums_of_rows(equations: Equations, at: Floats) -> Iterator[Matrix]:
    """Single rows that hold, in both directions, then sums of more and more of them."""
    holding = _Holding.at(equations, at)
    rows = np.flatnonzero(holding.rows)
    single = sparse.csr_array((np.ones(rows.size), (np.arange(rows.size), rows)), (rows.size, holding.rows.size))
    weights = sparse.vstack([single, -single]).tocsr()
    for _ in range(ADDED + 1):
        weights = _short(equations, weights)
        if not weights.shape[0]:
            return
        yield weights
        weights = holding.one_less(equations, weights)


@dataclass(frozen=True, eq=False)
class _Holding:
    """Rows without room, how far continuous columns are inside their bounds, and the rows that may eliminate each."""

    rows: Flags
    inside: Floats
    start: Ints  # of the rows of each column in `row`, shortest first
    row: Ints
    value: Floats

    @classmethod
    def at(cls, equations: Equations, at: Floats) -> _Holding:
        a, n = equations.matrix[:, : equations.cols], equations.cols
        length = np.diff(a.indptr)
        rows = np.isfinite(equations.rhs) & (at[n:] < INSIDE) & (length > 0) & (length <= LONG)
        inside = np.minimum(at[:n] - equations.lower[:n], equations.upper[:n] - at[:n])
        inside[equations.integer[:n] | (inside < INSIDE)] = 0.0
        by_col = a[np.flatnonzero(rows)].tocsc()
        row, of = np.flatnonzero(rows)[by_col.indices], np.repeat(np.arange(n), np.diff(by_col.indptr))
        order = np.lexsort((length[row], of))
        return cls(rows, inside, by_col.indptr, row[order], by_col.data[order])

    def one_less(self, equations: Equations, weights: Matrix) -> Matrix:
        """Each sum with its largest continuous column eliminated by a row that is not in it yet; those without drop."""
        total = combined(equations.matrix[:, : equations.cols], weights)
        of = np.repeat(np.arange(total.shape[0]), np.diff(total.indptr))
        entries = np.flatnonzero(self.inside[total.indices] > 0)
        entries = entries[np.lexsort((-self.inside[total.indices[entries]], of[entries]))]
        chosen, row, times = self._eliminating(weights, of[entries], total.indices[entries], total.data[entries])
        more = sparse.csr_array((times, (chosen, row)), weights.shape)
        return (weights + more).tocsr()[chosen]

    def _eliminating(self, weights: Matrix, of: Ints, col: Ints, value: Floats) -> tuple[Ints, Ints, Floats]:
        """For each sum that can go on: the row to add and how often; the first column that has such a row counts."""
        rows = self.rows.size
        in_use = np.sort(np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr)) * rows + weights.indices)
        open_, found = np.ones(weights.shape[0], bool), []
        for n in range(ROWS):
            there = np.flatnonzero((self.start[col] + n < self.start[col + 1]) & open_[of])
            row = self.row[self.start[col[there]] + n]
            fresh = ~np.isin(of[there] * rows + row, in_use)
            there, row = there[fresh], row[fresh]
            chosen, first = np.unique(of[there], return_index=True)
            times = -value[there[first]] / self.value[self.start[col[there[first]]] + n]
            found.append((chosen, row[first], times))
            open_[chosen] = False
        chosen, row, times = (np.concatenate(each) for each in zip(*found, strict=True))
        return chosen, row, times


def _best(sums: Sums, found: Cuts, x: Floats) -> tuple[Sums, Cuts] | None:
    """The cuts furthest beyond x, no two nearly parallel."""
    matrix, rhs = found
    length = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    beyond = (matrix @ x - rhs) / np.maximum(length, INSIDE)
    good = np.flatnonzero(beyond > ENOUGH)
    directions = sparse.diags_array(1 / length[good]) @ matrix[good]
    cosine = (directions @ directions.T).tocsr()
    kept: list[int] = []
    open_ = np.ones(good.size, bool)
    for n in np.argsort(-beyond[good], kind="stable"):
        if open_[n] and len(kept) < MANY:
            kept.append(good[n])
            beside = slice(cosine.indptr[n], cosine.indptr[n + 1])
            open_[cosine.indices[beside][cosine.data[beside] > PARALLEL]] = False
    if not kept:
        return None
    return Sums(sums.weights[kept], sums.from_upper, sums.divisor[kept]), Cuts(matrix[kept], rhs[kept])
