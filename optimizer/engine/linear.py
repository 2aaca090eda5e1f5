"""The linear program of a program: its plan and its bound, and what plans are made from.

A large one is sifted; where that does not go it begins at the basis that its periods lead to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optimizer.engine.messages import Tick
from optimizer.engine.narrow import Narrow
from optimizer.engine.nested import nested
from optimizer.engine.program import Floats, Program
from optimizer.engine.sifting import linear, sifted
from optimizer.engine.solver import Control, Highs


class Guide(NamedTuple):
    """The linear program's plan, and what one more of each column would add or lose there."""

    x: Floats
    reduced: Floats


class Relaxed(NamedTuple):
    """The linear program, solved, in the solver that will dive from it, which may have but a part of all columns."""

    lp: Highs
    guide: Guide
    part: Narrow


def relax(program: Program, control: Control) -> Relaxed | None:
    """The linear program's plan and bound; None if it has none, or not in time."""
    relaxed = _by_sifting(program, control) or whole(program, control)
    if relaxed is not None:
        control.tell(Tick(None, relaxed.lp.bound()))
    return relaxed


def whole(program: Program, control: Control) -> Relaxed | None:
    """The same with all columns at once, and no bound told."""
    basis, lp = nested(program, control), linear(program, control)
    if basis is not None:
        lp.begin_at(basis)
    if control.over or not lp.ended() or (x := lp.plan()) is None:
        return None
    return Relaxed(lp, Guide(x, lp.reduced_costs()), Narrow.to(program, np.ones(x.size, bool), x))


def _by_sifting(program: Program, control: Control) -> Relaxed | None:
    found = sifted(program, control)
    if found is None or (x := found.lp.plan()) is None:
        return None
    return Relaxed(found.lp, Guide(found.part.whole(x), found.gain), found.part)
