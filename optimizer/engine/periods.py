"""Which periods a row spans: without the rows that span several a program falls apart into its periods."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optimizer.engine.program import Flags, Ints, Program


class Span(NamedTuple):
    """First and last period of every row; last before first where it has none."""

    first: Ints
    last: Ints

    def within(self, first: int, last: int) -> Flags:
        """Rows that lie in these periods."""
        return (self.first >= first) & (self.last <= last) & (self.first <= self.last)


def spanning(program: Program) -> Flags:
    """Rows whose free columns lie in more than one period."""
    return _several(span_of(program, (program.col_lower < program.col_upper)[program.index]))


def moving(program: Program) -> Flags:
    """Rows in which what is placed or done in one period meets that of another, whatever is decided beside it: not
    those of a later period that have room for what is bought in this one."""
    free = (program.col_lower < program.col_upper) & ~program.strategy
    return _several(span_of(program, free[program.index]))


def _several(span: Span) -> Flags:
    return (span.first < span.last) & (span.last >= 0)


def span_of(program: Program, entries: Flags) -> Span:
    """The periods of every row, by some of the nonzeros only."""
    of, period = program.row_of[entries], program.period[program.index][entries]
    first = np.full(program.row_lower.size, np.iinfo(np.int32).max, np.int32)
    last = np.full(program.row_lower.size, -1, np.int32)
    np.minimum.at(first, of, period)
    np.maximum.at(last, of, period)
    return Span(first, last)
