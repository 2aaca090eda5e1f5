"""A plan of a variant near the plan of its base.

The whole numbers of the base are tried as they are. Where they cannot be kept, its strategy is, improved with placement
continuous, and all is placed again. Placement has only the columns that the base plan or its strategy uses, a third
of all, and each period is decided once more among these, its strategy included. No step has a clock of its own, so that
a plan depends on the variant and on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.engine.improve import by_period
from optimizer.engine.linear import relax
from optimizer.engine.messages import Tick
from optimizer.engine.program import Floats, Program
from optimizer.engine.search import solve_held
from optimizer.engine.solver import TOLERANCE, Control, Highs
from optimizer.engine.start import dived, placed

USED = 1e-6
NODES = 200  # of the strategy


@dataclass(frozen=True, slots=True)
class Unhurried(Control):
    """Steps end by their work; the clock ends only the whole."""

    def until(self, seconds: float) -> Control:
        """The same: no step has a clock of its own."""
        return self

    def quietly(self, seconds: float, gap: float = 0.0) -> Control:
        """For a step whose own plans and bounds say nothing about the whole."""
        return replace(self, tell=lambda _: None, gap=gap)


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
