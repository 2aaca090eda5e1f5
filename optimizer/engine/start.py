"""A first plan by construction: strategy from a dive on the linear program, then one period at a time.

Funding first and replicas after costs little, the reverse lets funding collapse, because minimum service breaks
when replicas were rounded down. With the strategy fixed the periods are nearly separate, and each is a small
program with all other columns held where the linear program has them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.program import Flags, Floats, Ints, Program
from optimizer.engine.search import Control, Highs, solve_held

FEW = 200  # whole numbers below which a start is not worth its time
SHARE = 0.25  # of the time left may go into the start
NEAR = 0.05  # a strategy column this near to whole is fixed at once
PERIOD_GAP = 1e-3


def construct(program: Program, control: Control) -> tuple[Ints, Floats] | None:
    """All columns and their values in a feasible plan, or None: no strategy tagged, too small, or not found."""
    if not program.strategy.any() or int(program.integer.sum()) < FEW:
        return None
    brief = control.quietly(control.left * SHARE)
    x = _dive(program, brief)
    for t in np.unique(program.period[program.integer & ~program.strategy]):
        if x is None or brief.over:
            return None
        x = _whole_period(program, brief, program.period == t, x)
    if x is None or (x := _settled(program, brief, x)) is None:
        return None
    return np.arange(x.size, dtype=np.int32), x


def _relaxed(program: Program) -> Program:
    return replace(program, integer=np.zeros_like(program.integer))


def _dive(program: Program, control: Control) -> Floats | None:
    """The linear program's plan with every strategy column whole: nearest first, a smaller step when infeasible."""
    lp = Highs(_relaxed(program), control)
    x = _solved(lp)
    free = np.flatnonzero(program.strategy & program.integer).astype(np.int32)
    while free.size and x is not None:
        distance = np.abs(x[free] - np.round(x[free]))
        nearest = free[np.argsort(distance, kind="stable")]
        many = max(int((distance <= NEAR).sum()), -(-free.size // 4))
        held, x = _hold_nearest(lp, x, nearest, many)
        free = np.setdiff1d(free, held).astype(np.int32)
    return x


def _hold_nearest(lp: Highs, x: Floats, nearest: Ints, many: int) -> tuple[Ints, Floats | None]:
    """Hold `many` columns at their nearest whole value, else one, else that one at its other side."""
    one = nearest[:1]
    other = np.where(np.round(x[one]) > x[one], np.floor(x[one]), np.floor(x[one]) + 1.0)
    for cols, values in ((nearest[:many], np.round(x[nearest[:many]])), (one, np.round(x[one])), (one, other)):
        lp.hold(cols, values, values)
        better = _solved(lp)
        if better is not None or lp.control.over:
            return cols, better
        lp.hold(cols, lp.program.col_lower[cols], lp.program.col_upper[cols])
    return one, None


def _solved(lp: Highs) -> Floats | None:
    return lp.plan() if lp.run() == Model.kOptimal else None


def _whole_period(program: Program, control: Control, period: Flags, x: Floats) -> Floats | None:
    """x with this period's placement whole; where that cannot be, with its strategy decided again."""
    for free in (period & ~program.strategy, period | program.strategy):
        better = solve_held(program, control.quietly(control.left / 4, PERIOD_GAP), free, x)
        if better is not None:
            return better
    return None


def _settled(program: Program, control: Control, x: Floats) -> Floats | None:
    """The continuous part chosen over all periods at once."""
    if program.integer.all():
        return program.rounded(x)
    return solve_held(program, control, ~program.integer, program.rounded(x))
