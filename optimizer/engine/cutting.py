"""A bound below that of the linear program, without branch and cut: cuts of our own, round after round.

Every round looks for cuts that the last plan violates, in the part of the program that is in use, adds them as rows of
the whole, and sifts again from the last basis. Cuts that no longer hold the plan are dropped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optimizer.engine.messages import Tick
from optimizer.engine.program import Program
from optimizer.engine.recutting import Recipe, rows_after, with_cuts, without_rows
from optimizer.engine.rounding import Cuts, cuts
from optimizer.engine.separation import Making, separated
from optimizer.engine.sifting import Sifted, sifted_again, sifted_or_whole
from optimizer.engine.solver import Control
from optimizer.engine.tableau import tableau
from optimizer.engine.tighten import tightened

ROOM = 1e-6  # of a cut that no longer holds the plan
ROUNDS = 6  # of a whole program at once: what six more find is less than 2e-5 of the bound
LITTLE = 1e-6  # of the bound: less in a round, and the cuts are at their end


class Cut(NamedTuple):
    """A program with cuts as further rows, its linear program solved, and how the cuts were made."""

    program: Program
    found: Sifted
    recipe: Recipe

    @property
    def cuts(self) -> Cuts:
        """What was added to the rows that are the program's own."""
        return rows_after(self.program, self.recipe.rows)


def cut_at_once(program: Program, control: Control) -> Cut | None:
    """The program tightened, its linear program solved, and some rounds of cuts; None where it cannot hold, or not in
    time."""
    program = tightened(program)
    found = sifted_or_whole(program, control)
    return None if found is None else cut_down(program, control, found, ROUNDS)


def cut_down(
    program: Program,
    control: Control,
    found: Sifted,
    rounds: float = np.inf,
    recipe: Recipe | None = None,
    making: Making = cuts,
) -> Cut:
    """Tells a tighter bound after every round, until the clock, or until rounds come to little; where that ended.
    `found` is used up; `recipe` is how the cuts were made that the program has as rows already."""
    cut, last = Cut(program, found, recipe or Recipe.of_none(program)), found.lp.bound()
    while rounds > 0 and not control.over and (better := _cut_again(cut, control, making)) is not None:
        control.tell(Tick(None, bound := better.found.lp.bound()))
        assert last is not None
        assert bound is not None
        little, cut, last = abs(last - bound) <= LITTLE * abs(bound), better, bound
        rounds = 0 if little else rounds - 1
    cut.found.lp.free()
    return cut


def _cut_again(cut: Cut, control: Control, making: Making) -> Cut | None:
    """With the cuts that the plan violates, and without those that have room; None where there are none, or no time."""
    program, found, recipe = cut
    plan = found.lp.plan()
    if plan is None:
        return None
    x = found.part.whole(plan)
    more = separated(program, found.part, x, [tableau(found.part.program, found.lp, plan)], making)
    if more is None:
        return None
    sums, new = more
    kept = np.arange(program.row_lower.size) < recipe.rows
    kept |= program.row_upper - program.activity(x) <= ROOM
    program = with_cuts(without_rows(program, kept), new)
    found.lp.free()
    again = sifted_again(program, control, found.without_rows(kept))
    return None if again is None else Cut(program, again, recipe.after(sums, kept[recipe.rows :]))
