"""Where to begin the linear program of a large program: at the basis that its periods lead to.

Each period is solved by itself, then every two that follow each other, every four, and so on, each from the bases of
its halves. A row belongs to the smallest of these groups that holds all its periods of placement; before that it is
left out, so that its slack is basic and its price nothing. What a group adds are only the rows between its halves, and
most iterations are spent in small programs, where they cost little: at L half of the time of the whole from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optimizer.engine.basis import Basis
from optimizer.engine.periods import Span, span_of
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.solver import Control, Highs

LARGE = 100_000  # nonzeros, below which the whole linear program takes a second or two


class Step(NamedTuple):
    """A group of periods solved: how many, its columns, what they are there if it came to its end, the basis so far."""

    periods: int
    cols: Flags
    x: Floats | None
    basis: Basis


def nested(program: Program, control: Control) -> Basis | None:
    """A basis for the linear program, None where it is small or has a single period."""
    if program.value.size < LARGE:
        return None
    basis = None
    for step in steps(program, control):
        basis = step.basis
    return None if control.over else basis


def singles(program: Program, control: Control) -> Iterator[Step]:
    """Each period by itself, if there are several, until the clock."""
    for step in steps(program, control):
        if step.periods > 1:
            return
        yield step


def steps(program: Program, control: Control) -> Iterator[Step]:
    """Single periods, then neighbours together, and so on, short of the whole, until the clock."""
    periods = np.unique(program.period[program.col_lower < program.col_upper])
    if periods.size < 2:
        return
    nothing, span, basis = np.clip(0.0, program.col_lower, program.col_upper), _home(program), Basis.of_slacks(program)
    for first, last in _groups(int(periods[0]), int(periods[-1])):
        if control.over:
            return
        step = _solved(program, control, nothing, span, basis, first, last)
        basis = step.basis
        yield step


def _groups(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Single periods, then neighbours together, and so on, short of the whole."""
    groups = [(t, t) for t in range(first, last + 1)]
    while len(groups) > 1:
        yield from groups
        groups = [(groups[n][0], groups[min(n + 1, len(groups) - 1)][1]) for n in range(0, len(groups), 2)]


def _solved(program: Program, control: Control, x: Floats, span: Span, basis: Basis, first: int, last: int) -> Step:
    """The columns of some periods chosen best under the rows among them."""
    free = program.col_lower < program.col_upper
    cols, rows = free & (program.period >= first) & (program.period <= last), span.within(first, last)
    part = _among(program, rows).held(cols, x)
    lp = Highs(replace(part, integer=np.zeros_like(part.integer)), control.quietly(control.left))
    if last > first:  # a single period is better presolved
        lp.begin_at(basis.of(cols, rows))
    if not lp.ended():
        return Step(last - first + 1, cols, None, basis)
    return Step(last - first + 1, cols, lp.plan(), basis.with_part(cols, rows, lp.basis()))


def _among(program: Program, rows: Flags) -> Program:
    """The program with some of its rows only."""
    kept = rows[program.row_of]
    start = np.concatenate([[0], np.cumsum(np.diff(program.start)[rows])]).astype(np.int32)
    return replace(
        program, start=start, index=program.index[kept], value=program.value[kept], rows=(),
        row_lower=program.row_lower[rows], row_upper=program.row_upper[rows],
    )  # fmt: skip


def _home(program: Program) -> Span:
    """Where a row belongs: to the periods of its placement, or if it has none to those of its strategy."""
    free = (program.col_lower < program.col_upper)[program.index]
    placing = span_of(program, free & ~program.strategy[program.index])
    deciding = span_of(program, free)
    none = placing.last < placing.first
    return Span(np.where(none, deciding.first, placing.first), np.where(none, deciding.last, placing.last))
