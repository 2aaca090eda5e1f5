"""The linear program of a variant with the cuts of its base made anew: a bound, a strategy and a guide in a second.

With cuts few strategy columns stay fractional: a dive ends within some 1e-4 of the bound, mostly at the strategy of the
base. Where it does not and leaves much open, branch and cut on the strategy alone takes one to five seconds, for a
better one and a better bound; of a large program it would take a minute, and the dive has to do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optimizer.engine.basis import BASIC, Basis
from optimizer.engine.cutting import cut_at_once, cut_down
from optimizer.engine.linear import Guide, Relaxed
from optimizer.engine.messages import Tick
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.recutting import Recipe, rows_after
from optimizer.engine.root import LITTLE, NO_HEURISTICS
from optimizer.engine.rounding import Cuts
from optimizer.engine.sifting import Sifted, sifted_again, sifted_at, sifted_or_whole
from optimizer.engine.solver import Control, Highs
from optimizer.engine.start import dived
from optimizer.engine.tighten import tightened

MORE = 4  # rounds for a variant: together about 1e-4 of its bound
MUCH = 1_000_000  # nonzeros, up to which six rounds take less than half a minute: beyond L
NEAR, NODES = 5e-5, 200  # of a search for a strategy
SEARCHING = 0.4  # of the time left, that it may take where steps have a clock
PATIENCE = 3  # steps of a dive that were too large: where many are, a search finds more
SEARCHED = 0.25  # of the gap, that strategies at hand leave open at least where one is searched for
BETTER = 0.05  # of the gap, by which a strategy has to be better than the base's
WHOLE = 1e-6


class Footing(NamedTuple):
    """What the variants of a base stand on: how its cuts were made, the columns that its linear program let in, and
    where that ended, by columns, rows and the cuts that were kept."""

    recipe: Recipe
    cols: Flags
    basis: Basis

    def basis_of(self, cut: Program, made: Flags) -> Basis:
        """The basis for a variant with the cuts that were `made` of those; rows that the base has not are basic."""
        own, kept = np.split(self.basis.rows, [self.recipe.rows])
        further = cut.row_lower.size - own.size - int(made.sum())
        return Basis(self.basis.cols, np.concatenate([own, np.full(further, BASIC, np.int8), kept[made]]))

    def learnt(self, program: Program, control: Control) -> Footing:
        """With the cuts that a variant of the base wants beside those there are; the same where it cannot hold."""
        cut, made = self.recipe.on(tightened(program))
        found = sifted_at(cut, control, self.cols, self.basis_of(cut, made))
        if found is None:
            return self
        recipe = replace(self.recipe, kept=self.recipe.kept[made])
        more = cut_down(cut, control.quietly(control.left), found, MORE, recipe)
        recipe = replace(more.recipe, kept=np.union1d(more.recipe.kept, self.recipe.kept)).pruned()
        basis = self.basis.with_rows(recipe.rows + recipe.kept.size)
        return Footing(recipe, self.cols | more.found.part.cols, basis)


class Tight(NamedTuple):
    """A program with cuts as further rows, its linear program solved, and what that says of every column."""

    program: Program
    found: Sifted
    guide: Guide

    def cuts(self, program: Program) -> Cuts:
        """What the program does not have itself."""
        return rows_after(self.program, program.row_lower.size)

    def strategies(self, control: Control, base: Floats) -> list[Floats]:
        """Plans of the linear program with a strategy that is whole and better than the base's, the best one first."""
        found = self._again(control.until(SEARCHING * control.left))
        other = None if found is None else dived(Relaxed(found.lp, self.guide, found.part), PATIENCE)
        if other is not None and self._strategy_gap(other, base) < WHOLE:
            return []
        theirs = self.with_strategy(control, base)
        others = [] if other is None else [other]
        if self.program.value.size <= LITTLE and self._worth_searching(control, other, theirs):
            better = self._searched(control, other)  # at M the root alone takes a minute
            others = others if better is None else [better, *others]
        enough = BETTER * control.gap * abs(self.program.objective(base))
        return [x for x in others if theirs is None or self.program.gain(x, over=theirs) > enough]

    def cut_further(self, control: Control) -> None:
        """Tells the bounds of some more rounds of cuts."""
        found = self._again(control)
        if found is not None:
            cut_down(self.program, control, found, MORE)

    def _strategy_gap(self, x: Floats, y: Floats) -> float:
        """The largest difference between two strategies."""
        return float(np.abs(x - y)[self.program.strategy & self.program.integer].max(initial=0.0))

    def _worth_searching(self, control: Control, *known: Floats | None) -> bool:
        """Whether the strategies that are known leave much open below the linear program."""
        most = self.program.objective(self.guide.x)
        short = [abs(most - self.program.objective(x)) for x in known if x is not None]
        return min(short, default=np.inf) > SEARCHED * control.gap * max(abs(most), control.floor)

    def _searched(self, control: Control, x: Floats | None) -> Floats | None:
        """The strategy of x improved by branch and cut, placement continuous; the bound that this proves is told."""
        part = replace(self.program, integer=self.program.integer & self.program.strategy)
        step = control.until(SEARCHING * control.left).quietly(control.left, NEAR)
        highs = Highs(part, step, mip_max_nodes=NODES, **NO_HEURISTICS)
        if x is not None:
            highs.begin_from(np.arange(x.size, dtype=np.int32), x)
        highs.run()
        control.tell(Tick(None, highs.bound()))
        better = highs.plan()
        exact = None if better is None else self.with_strategy(control, np.round(better))
        return x if exact is None else exact

    def with_strategy(self, control: Control, base: Floats) -> Floats | None:
        """The linear program's plan with the strategy of another plan, None where there is none among its columns."""
        found = self._again(control)
        if found is None:
            return None
        own = self.program.strategy & self.program.integer
        if (np.abs(base - found.part.rest)[own & ~found.part.cols] > WHOLE).any():
            return None
        held = np.flatnonzero(own[found.part.cols]).astype(np.int32)
        at = base[found.part.cols][held]
        found.lp.hold(held, at, at)
        plan = found.lp.plan() if found.lp.ended() else None
        return None if plan is None else found.part.whole(plan)

    def _again(self, control: Control) -> Sifted | None:
        """The linear program in a solver of its own, at its optimum."""
        return sifted_again(self.program, control, self.found)


def footing_of(program: Program, control: Control) -> Footing | None:
    """What variants of a base stand on; None where it is too small to need that, so large that it would take minutes,
    or cannot hold."""
    if not program.worth_constructing or program.value.size > MUCH:
        return None
    cut = cut_at_once(program, control.quietly(control.left))
    if cut is None:
        return None
    recipe, ended = cut.recipe.pruned(), cut.found.basis
    rows = np.full(recipe.rows + recipe.made, BASIC, np.int8)
    rows[np.concatenate([np.arange(recipe.rows), recipe.rows + recipe.kept])] = ended.rows
    return Footing(recipe.with_all(), cut.found.part.cols, Basis(ended.cols, rows))


def tight(program: Program, control: Control, footing: Footing) -> Tight | None:
    """The linear program of a variant with cuts; its bound is told. None where it cannot hold, or not in time."""
    cut, made = footing.recipe.on(tightened(program))
    found = sifted_at(cut, control, footing.cols, footing.basis_of(cut, made)) or sifted_or_whole(cut, control)
    plan = None if found is None else found.lp.plan()
    if found is None or plan is None:
        return None
    control.tell(Tick(None, found.lp.bound()))
    return Tight(cut, found, Guide(found.part.whole(plan), found.gain))
