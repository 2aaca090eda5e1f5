"""A large program with the placement that its periods use, and no other.

Of the replicas of a large program each period by itself uses a tenth. With these alone the linear program loses 0.025 %
at L and is solved in a tenth of the time, and what is searched for better plans is a third of the program. Plans of the
narrow program are plans of the whole; its bounds say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.engine.forcing import choice
from optimizer.engine.nested import singles
from optimizer.engine.periods import spanning
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.solver import Control

ROUGH = 3e-2  # of a first plan: at L it takes a second, where one within 0.1 % takes twenty
USED = 1e-6
SHORT_ROW = 8  # columns of a row that ties a replica to the same one of the next period


@dataclass(frozen=True, eq=False)
class Narrow:
    """A program with some columns of the whole and the rows that these touch; all other columns stay at `rest`."""

    program: Program
    cols: Flags
    rows: Flags
    rest: Floats

    @classmethod
    def to(cls, whole: Program, cols: Flags, rest: Floats) -> Narrow:
        """The whole narrowed to some columns."""
        rows = np.zeros(whole.row_lower.size, bool)
        rows[whole.row_of[cols[whole.index]]] = True
        return cls(whole.held(cols, rest), cols, rows, rest)

    def whole(self, x: Floats) -> Floats:
        """A plan of the narrow program as one of the whole."""
        y = self.rest.copy()
        y[self.cols] = x
        return y


def narrowed(program: Program, control: Control) -> Narrow | None:
    """The program with the placement in use; None where the clock ended that, or nothing is used."""
    used = _used(program, control)
    if used is None:
        return None
    return with_placement(program, used)


def with_placement(program: Program, used: Flags) -> Narrow:
    """The program with no other placement than this, in all periods, and without what then has to stay at nothing."""
    rest = np.clip(0.0, program.col_lower, program.col_upper)
    placement = program.integer & ~program.strategy
    cols = (program.col_lower < program.col_upper) & ~(placement & ~_tied(program, used & placement))
    free, settled = choice(program.held(cols, rest))
    cols[cols] = free | (settled != rest[cols])  # what has to be there may not have to among more placement
    return Narrow.to(program, cols, rest)


def _used(program: Program, control: Control) -> Flags | None:
    """What the periods use, each by itself."""
    used = np.zeros(program.cost.size, bool)
    for step in singles(program, control):
        if step.x is not None:
            used[np.flatnonzero(step.cols)[step.x > USED]] = True
    return used if used.any() and not control.over else None


def _tied(program: Program, used: Flags) -> Flags:
    """These placements, and the same in all other periods: whatever short rows between periods tie to them."""
    between = spanning(program) & (np.diff(program.start) < SHORT_ROW)
    placement, row_of = program.integer & ~program.strategy, program.row_of
    while True:
        rows = np.zeros(between.size, bool)
        rows[row_of[used[program.index]]] = True
        tied = used.copy()
        tied[program.index[(rows & between)[row_of]]] = True
        tied &= placement
        if tied.sum() == used.sum():
            return tied
        used = tied
