"""How cuts were made, to make them again for another program of the same structure.

A cut is a sum of rows, rounded. The sum that was worth rounding in one program mostly is in another whose prices,
demands or capacities differ; what it comes to there is worked out anew from that program's own figures, so that it is
a cut of that program whatever the sum was found for. No linear program has to be solved for it, and nothing looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optimizer.engine.program import Flags, Floats, Ints, Program
from optimizer.engine.rounding import Cuts, Equations, Matrix, Sums, cuts, matrix_of


@dataclass(frozen=True, eq=False)
class Recipe:
    """The sums of each round, over the rows of the program and then all cuts of earlier rounds; the cuts to keep."""

    rows: int
    rounds: tuple[Sums, ...]
    kept: Ints

    @classmethod
    def of_none(cls, program: Program) -> Recipe:
        """No cuts yet."""
        return cls(program.row_lower.size, (), np.zeros(0, np.int32))

    @property
    def made(self) -> int:
        """Cuts of all rounds."""
        return sum(each.divisor.size for each in self.rounds)

    def after(self, sums: Sums, still: Flags) -> Recipe:
        """With a further round, of sums over the rows and the kept cuts, of which these are kept `still`."""
        at, made = np.concatenate([np.arange(self.rows), self.rows + self.kept]), self.made
        cols = sums.from_upper.size - at.size
        from_upper = np.zeros(cols + self.rows + made, bool)
        from_upper[np.concatenate([np.arange(cols), cols + at])] = sums.from_upper
        weights = _moved(sums.weights, at, self.rows + made)
        kept = np.concatenate([self.kept[still], made + np.arange(sums.divisor.size, dtype=np.int32)])
        return Recipe(self.rows, (*self.rounds, Sums(weights, from_upper, sums.divisor)), kept)

    def with_all(self) -> Recipe:
        """With every cut kept: one that holds nothing at this program's plan may hold that of another."""
        return replace(self, kept=np.arange(self.made, dtype=np.int32))

    def pruned(self) -> Recipe:
        """Without cuts that are neither kept nor made use of in one that is."""
        needed, end = np.zeros(self.made, bool), self.made
        needed[self.kept] = True
        for sums in reversed(self.rounds):
            mine = np.flatnonzero(needed[end - sums.divisor.size : end])
            rows = sums.weights[mine].indices
            needed[rows[rows >= self.rows] - self.rows] = True
            end -= sums.divisor.size
        return self._with_only(needed)

    def on(self, program: Program) -> tuple[Program, Flags]:
        """A program of the same columns, which has these rows first, with those cuts of its own that the same sums
        give; which of the kept ones these are."""
        own = np.arange(program.row_lower.size) < self.rows
        cut = without_rows(program, own)
        for sums in self.rounds:
            cut = with_cuts(cut, cuts(Equations.of(cut), sums))
        kept = np.isfinite(cut.row_upper[self.rows + self.kept])
        more = without_rows(cut, np.isin(np.arange(cut.row_lower.size), self.rows + self.kept[kept]))
        return with_cuts(program, Cuts(matrix_of(more), more.row_upper)), kept

    def _with_only(self, needed: Flags) -> Recipe:
        """The same with some of its cuts, which are counted anew."""
        number = np.cumsum(needed) - 1
        at, rounds, end = np.concatenate([np.arange(self.rows), self.rows + number]), [], 0
        for sums in self.rounds:
            mine = np.flatnonzero(needed[end : end + sums.divisor.size])
            before = np.concatenate([np.ones(sums.from_upper.size - end, bool), needed[:end]])
            weights = _moved(sums.weights[mine], at, self.rows + int(needed[:end].sum()))
            rounds.append(Sums(weights, sums.from_upper[before], sums.divisor[mine]))
            end += sums.divisor.size
        return Recipe(self.rows, tuple(rounds), number[self.kept].astype(np.int32))


def with_cuts(program: Program, found: Cuts) -> Program:
    """The program with cuts as further rows."""
    return _rows(program, sparse.vstack([matrix_of(program), found.matrix]).tocsr(),
                 np.concatenate([program.row_lower, np.full(found.rhs.size, -np.inf)]),
                 np.concatenate([program.row_upper, found.rhs]))  # fmt: skip


def without_rows(program: Program, kept: Flags) -> Program:
    """The program with only the rows that are kept."""
    return _rows(program, matrix_of(program)[np.flatnonzero(kept)], program.row_lower[kept], program.row_upper[kept])


def rows_after(program: Program, own: int) -> Cuts:
    """The cuts of a program that has so many rows of its own."""
    return Cuts(matrix_of(program)[own:], program.row_upper[own:])


def _moved(weights: Matrix, at: Ints, rows: int) -> Matrix:
    return sparse.csr_array((weights.data, at[weights.indices], weights.indptr), (weights.shape[0], rows))


def _rows(program: Program, matrix: Matrix, lower: Floats, upper: Floats) -> Program:
    return replace(
        program, start=matrix.indptr.astype(np.int32), index=matrix.indices.astype(np.int32), value=matrix.data,
        row_lower=lower, row_upper=upper, rows=(),
    )  # fmt: skip
