"""A plan of a variant near the plan of its base.

Where the linear program with cuts is known, it says whether another strategy than the base's is worth having. With the
base's its placement is tried as it is; with another, or where that does not hold, all is placed again. Then each period
is decided once more among the placement on which plan and linear program disagree, its strategy included.

Where it is not known, the whole numbers of the base are tried as they are. Where they cannot be kept, its strategy is,
improved with placement continuous, and all is placed again. Placement has only the columns that the base plan or its
strategy uses, a third of all, and each period is decided once more among these.

No step has a clock of its own, so that a plan depends on the variant and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from optimizer.engine.improve import by_period
from optimizer.engine.linear import Guide, relax
from optimizer.engine.messages import Incumbent, Tick
from optimizer.engine.parts import search_near
from optimizer.engine.program import Floats, Program
from optimizer.engine.search import solve_held
from optimizer.engine.solver import TOLERANCE, Control, Highs
from optimizer.engine.start import dived, moving_with, placed

if TYPE_CHECKING:
    from optimizer.engine.tight import Tight

USED = 1e-6
DOUBT = 1e-3  # of plan and linear program, from which on a replica is decided again
ROUGH = 3e-3  # of a placement that is decided again at once
DEAR = (1e-6, 1e-5, 3e-5)  # of the objective: what placement may cost at most to be decided again
FINE = 2e-5  # of the whole, for one period of it
NODES = 200  # of the strategy


@dataclass(frozen=True, slots=True)
class Unhurried(Control):
    """Steps end by their work, or with the gap; the clock ends only the whole."""

    enough: Callable[[], float | None] = lambda: None

    @property
    def goal(self) -> float | None:
        """As far as the whole is bounded by now."""
        return self.enough()

    def until(self, seconds: float) -> Control:
        """The same: no step has a clock of its own."""
        return self

    def quietly(self, seconds: float, gap: float = 0.0) -> Control:
        """For a step whose own plans and bounds say nothing about the whole."""
        return replace(self, tell=lambda _: None, gap=gap)


def near_tight(program: Program, control: Control, base: Floats, tight: Tight) -> Floats | None:
    """A plan near the base as far as the linear program with cuts agrees with it, None if neither its strategy nor the
    base's can be placed; plans are told on the way, each better than the last."""
    plans = _first(program, control, base, tight)
    x = next((x for x in plans if x is not None and program.violation(x) <= TOLERANCE), None)
    if x is None:
        return None
    control.tell(Incumbent(x))
    return periods_again(program, control, x, tight.guide)


def _first(program: Program, control: Control, base: Floats, tight: Tight) -> Iterator[Floats | None]:
    """Plans to begin with, the best first: of a better strategy than the base's, the base's whole numbers as they are,
    its strategy with all placed again."""
    for strategy in tight.strategies(control, base):
        yield placed(program, control, strategy, ROUGH, base)
    yield solve_held(program, control.quietly(control.left), ~program.integer, base)
    kept = tight.with_strategy(control, base)
    yield None if kept is None else placed(program, control, kept, ROUGH, base)


def periods_again(program: Program, control: Control, x: Floats, guide: Guide, dear: float = 0.0) -> Floats:
    """x with one period after the other decided again: its strategy, and the placement that the guide has elsewhere or
    that would cost no more than `dear` there."""
    cost = -guide.reduced if program.maximise else guide.reduced
    for t in np.unique(program.period[program.integer & (program.period >= 0)]):
        if control.over:
            break
        doubt = ~program.integer | program.strategy | (np.abs(guide.x - x) > DOUBT) | (cost < dear)
        period = program.period == t
        free = doubt & (period | moving_with(program, period))
        y = search_near(program, control.quietly(control.left, FINE), free, x).x
        if y is not None and program.gain(y, over=x) > 0 and program.violation(y) <= TOLERANCE:
            x = y
            control.tell(Incumbent(x))
    return x


def among_more(program: Program, control: Control, x: Floats, guide: Guide) -> Floats:
    """The same again and again, among more and more placement."""
    for dear in DEAR:
        x = periods_again(program, control, x, guide, dear * abs(program.objective(x)))
    return x


def near(program: Program, control: Control, base: Floats) -> Floats | None:
    """A plan that uses what the base uses, base being nearly a plan; None if none was found."""
    kept = solve_held(program, control.quietly(control.left), ~program.integer, base)
    if kept is None or program.violation(kept) > TOLERANCE:  # rows of whole numbers alone may no longer hold
        return _placed_anew(program, control, base)
    return _by_period(_with_used(program, base, _strategy_of(program, control, base)), control, kept)


def _placed_anew(program: Program, control: Control, base: Floats) -> Floats | None:
    """A plan whose strategy is looked for around that of the base, and all of whose placement is decided again."""
    strategy = _decided(program, control, base)
    if strategy is None:
        return None
    part = _with_used(program, base, strategy)
    placing = np.clip(strategy, part.col_lower, part.col_upper)
    found = placed(part, control, placing, control.gap, base)
    return placed(program, control, strategy, control.gap, base) if found is None else _by_period(part, control, found)


def _strategy_of(program: Program, control: Control, base: Floats) -> Floats:
    """What placement would be, whole replicas aside, with the strategy of the base; the base where that cannot be."""
    strategy = program.strategy & program.integer
    y = solve_held(replace(program, integer=strategy), control.quietly(control.left), ~strategy, base)
    return base if y is None else y


def _decided(program: Program, control: Control, x: Floats) -> Floats | None:
    """The strategy of x, or where it cannot hold another, improved; the bound that this proves is told."""
    strategy = program.strategy & program.integer
    relaxed = replace(program, integer=strategy)
    y = solve_held(relaxed, control.quietly(control.left), ~strategy, x)
    if y is None and (anew := relax(program, control)) is not None:
        y = dived(anew)
    if y is None:
        return None
    highs = Highs(relaxed, control.quietly(control.left, control.gap), mip_max_nodes=NODES)
    highs.begin_from(np.arange(y.size, dtype=np.int32), y)
    highs.run()
    control.tell(Tick(None, highs.bound()))
    better = highs.plan()
    return y if better is None else better


def _with_used(program: Program, x: Floats, y: Floats) -> Program:
    """The program in which placement that neither x nor y uses stays where x has it."""
    shut = program.integer & ~program.strategy & (x < 0.5) & (y < USED)
    lower, upper = np.where(shut, x, program.col_lower), np.where(shut, x, program.col_upper)
    return replace(program, col_lower=lower, col_upper=upper)


def _by_period(program: Program, control: Control, x: Floats) -> Floats:
    """x with one period after the other decided again, and what is continuous over all of them."""
    *_, x = x, *by_period(program, control, x)
    return _better(program, x, solve_held(program, control.quietly(control.left), ~program.integer, program.rounded(x)))


def _better(program: Program, x: Floats, y: Floats | None) -> Floats:
    return x if y is None or program.gain(y, over=x) <= 0 else y
