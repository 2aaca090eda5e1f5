"""A basis of a linear program, whole or of some of its columns and rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.engine.program import Flags, Program

LOWER, BASIC, UPPER, ZERO = 0, 1, 2, 3  # as HiGHS counts them

Kinds = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Basis:
    """What every column and every row is: basic, at its lower or upper bound, or free at zero."""

    cols: Kinds
    rows: Kinds

    @classmethod
    def of_slacks(cls, program: Program) -> Basis:
        """Every row basic, every column at a bound."""
        above = np.where(np.isfinite(program.col_upper), UPPER, ZERO)
        cols = np.where(np.isfinite(program.col_lower), LOWER, above).astype(np.int8)
        return cls(cols, np.full(program.row_lower.size, BASIC, np.int8))

    def of(self, cols: Flags, rows: Flags) -> Basis:
        """The part for some columns and rows."""
        return Basis(self.cols[cols], self.rows[rows])

    def with_part(self, cols: Flags, rows: Flags, part: Basis) -> Basis:
        """The same with the part for some columns and rows replaced."""
        whole = Basis(self.cols.copy(), self.rows.copy())
        whole.cols[cols], whole.rows[rows] = part.cols, part.rows
        return whole

    def with_rows(self, rows: int) -> Basis:
        """The same for a program of so many rows, of which those beyond its own are basic."""
        return Basis(self.cols, np.concatenate([self.rows, np.full(rows - self.rows.size, BASIC, np.int8)]))
