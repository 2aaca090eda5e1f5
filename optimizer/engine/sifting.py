"""The linear program of a large program, among the columns that pay.

Few replicas of a large program are ever worth running. The linear program is solved with the placement that its periods
use, then whatever would pay at its prices is let in, until nothing would: then its optimum is that of the whole. A row
of which no column was let in has no price yet. It is given the least one at which none of its continuous columns pays,
so that a replica is let in exactly if it pays together with the work that would run on it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.basis import Basis
from optimizer.engine.messages import Paying
from optimizer.engine.narrow import Narrow, narrowed
from optimizer.engine.nested import LARGE, nested
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.solver import Control, Highs

PAYS = 1e-7  # what one more of a column must add, as HiGHS has it
DUAL, PRIMAL = {"simplex_strategy": 1}, {"simplex_strategy": 4}


class Sifted(NamedTuple):
    """An optimum of the whole, in the part of it that was let in; what one more of each column would add; the basis."""

    part: Narrow
    lp: Highs
    gain: Floats
    basis: Basis

    def paying(self) -> Paying:
        """The columns that were let in, and what the optimum says of all of them."""
        plan = self.lp.plan()
        assert plan is not None
        return Paying(self.part.cols, self.part.whole(plan), self.gain)

    def without_rows(self, kept: Flags) -> Sifted:
        """The same of a program that has only the rows that are kept."""
        return self._replace(basis=Basis(self.basis.cols, self.basis.rows[kept]))


def sifted(program: Program, control: Control) -> Sifted | None:
    """From the placement in use; None for a program that is not large, or that cannot hold with it, or not in time."""
    part = narrowed(program, control) if program.value.size >= LARGE else None
    if part is None or not _holds_outside(program, part):
        return None
    return sifted_from(program, control, part, nested(part.program, control))


def sifted_or_whole(program: Program, control: Control) -> Sifted | None:
    """From the placement in use, or of a program that is not large from all of it; None as `sifted_from`."""
    everything = np.ones(program.cost.size, bool)
    return sifted(program, control) or sifted_from(
        program, control, Narrow.to(program, everything, np.clip(0.0, program.col_lower, program.col_upper)), None
    )


def sifted_from(program: Program, control: Control, part: Narrow, basis: Basis | None) -> Sifted | None:
    """From a part of the program, and from a basis of it if there is one."""
    lp = linear(part.program, control)
    if basis is not None:
        lp.begin_at(basis)
    return _widened(program, control, part, lp, Basis.of_slacks(program)) if _solved(lp) else None


def _holds_outside(program: Program, part: Narrow) -> bool:
    """Whether rows without any column that was let in hold as they are."""
    activity = program.activity(part.rest)
    holds = (activity >= program.row_lower) & (activity <= program.row_upper)
    return bool(holds[~part.rows].all())


def sifted_again(program: Program, control: Control, last: Sifted) -> Sifted | None:
    """From the optimum of the same program with fewer rows, of which the first are the same."""
    basis = last.basis.with_rows(program.row_lower.size)
    part = Narrow.to(program, last.part.cols, last.part.rest)
    lp = linear(part.program, control)
    lp.begin_at(basis.of(part.cols, part.rows))
    return _widened(program, control, part, lp, basis) if _solved(lp) else None


def sifted_at(program: Program, control: Control, cols: Flags, basis: Basis) -> Sifted | None:
    """From the columns that were let in for a program like this one, and its basis; None if it cannot hold with these,
    or not in time."""
    part = Narrow.to(program, cols, np.clip(0.0, program.col_lower, program.col_upper))
    if not _holds_outside(program, part):
        return None
    lp = linear(part.program, control)
    lp.begin_at(basis.of(part.cols, part.rows))
    return _widened(program, control, part, lp, basis) if _solved(lp) else None


def linear(program: Program, control: Control) -> Highs:
    """With whole numbers continuous."""
    return Highs(replace(program, integer=np.zeros_like(program.integer)), control.quietly(control.left))


def _solved(lp: Highs) -> bool:
    return lp.run() == Model.kOptimal


def _widened(program: Program, control: Control, part: Narrow, lp: Highs, basis: Basis) -> Sifted | None:
    """What pays let in until nothing does; None where the clock ended that."""
    while True:
        basis, gain = basis.with_part(part.cols, part.rows, lp.basis()), _gain(program, part, lp)
        pays = _paying(program, part, gain)
        if not pays.any():
            lp.set(**DUAL)
            gain[part.cols] = lp.reduced_costs()
            return Sifted(part, lp, gain, basis)
        part = Narrow.to(program, part.cols | _let_in(program, part, pays), part.rest)
        lp.free()
        lp = linear(part.program, control)
        lp.set(**PRIMAL)
        lp.begin_at(basis.of(part.cols, part.rows))
        if not _solved(lp):
            return None


def _gain(program: Program, part: Narrow, lp: Highs) -> Floats:
    """What one more of each column would add at prices that hold for the columns that were let in."""
    sign = 1.0 if program.maximise else -1.0
    prices, row_of = np.zeros(part.rows.size), program.row_of
    prices[part.rows] = sign * lp.prices()
    gain = sign * program.cost - _by_column(program, prices)
    fresh = ~part.rows & (program.activity(part.rest) >= program.row_upper)  # of others the least price is none
    work = (fresh[row_of] & ~program.integer[program.index] & (program.value > 0)).nonzero()[0]
    np.maximum.at(prices, row_of[work], gain[program.index[work]] / program.value[work])
    return sign * (sign * program.cost - _by_column(program, prices))


def _by_column(program: Program, prices: Floats) -> Floats:
    terms = program.value * prices[program.row_of]
    return np.bincount(program.index, terms, program.cost.size).astype(np.float64, copy=False)


def _paying(program: Program, part: Narrow, gain: Floats) -> Flags:
    """Columns that were not let in and would pay."""
    better = gain if program.maximise else -gain
    more, less = (better > PAYS) & (program.col_upper > part.rest), (better < -PAYS) & (program.col_lower < part.rest)
    return ~part.cols & (more | less)


def _let_in(program: Program, part: Narrow, pays: Flags) -> Flags:
    """What pays, and the continuous columns of the rows that come with it."""
    row_of = program.row_of
    fresh = np.zeros(part.rows.size, bool)
    fresh[row_of[pays[program.index]]] = True
    fresh &= ~part.rows
    beside = np.zeros(pays.size, bool)
    beside[program.index[fresh[row_of]]] = True
    return pays | (beside & ~program.integer & (program.col_lower < program.col_upper))
