"""A bound below that of the linear program, where the whole is too large for branch and cut: cuts, round after round.

Every round looks for cuts that the last plan violates, in the part of the program that is in use, adds them as rows of
the whole, and sifts again from the last basis. Cuts that no longer hold the plan are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy import sparse

from optimizer.engine.messages import Tick
from optimizer.engine.program import Flags, Program
from optimizer.engine.rounding import Cuts, matrix_of
from optimizer.engine.separation import separated
from optimizer.engine.sifting import Sifted, sifted_again
from optimizer.engine.solver import Control

ROOM = 1e-6  # of a cut that no longer holds the plan
LITTLE = 1e-6  # of the bound: less in a round, and the cuts are at their end


def cut_down(program: Program, control: Control, found: Sifted) -> None:
    """Tells a tighter bound after every round, until the clock or until rounds come to little; `found` is used up."""
    last = found.lp.bound()
    for better in _rounds(program, control, found):
        control.tell(Tick(None, bound := better.lp.bound()))
        assert last is not None
        assert bound is not None
        if abs(last - bound) <= LITTLE * abs(bound):
            return
        last = bound


def _rounds(program: Program, control: Control, found: Sifted) -> Iterator[Sifted]:
    own, with_cuts = program.row_lower.size, program
    while not control.over:
        x = found.part.whole(plan) if (plan := found.lp.plan()) is not None else None
        cuts = None if x is None else separated(with_cuts, found.part, x)
        if x is None or cuts is None:
            return
        kept = np.arange(with_cuts.row_lower.size) < own
        kept |= with_cuts.row_upper - with_cuts.activity(x) <= ROOM
        with_cuts = _with(_without(with_cuts, kept), cuts)
        found.lp.free()
        again = sifted_again(with_cuts, control, found.without_rows(kept))
        if again is None:
            return
        yield (found := again)


def _with(program: Program, cuts: Cuts) -> Program:
    """The program with cuts as further rows."""
    return _rows(program, sparse.vstack([matrix_of(program), cuts.matrix]).tocsr(),
                 np.concatenate([program.row_lower, np.full(cuts.rhs.size, -np.inf)]),
                 np.concatenate([program.row_upper, cuts.rhs]))  # fmt: skip


def _without(program: Program, kept: Flags) -> Program:
    return _rows(program, matrix_of(program)[np.flatnonzero(kept)], program.row_lower[kept], program.row_upper[kept])


def _rows(program: Program, matrix: sparse.csr_array, lower: np.ndarray, upper: np.ndarray) -> Program:
    return replace(
        program, start=matrix.indptr.astype(np.int32), index=matrix.indices.astype(np.int32), value=matrix.data,
        row_lower=lower, row_upper=upper, rows=(),
    )  # fmt: skip
