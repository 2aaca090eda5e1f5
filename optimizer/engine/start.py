"""A first plan by construction: strategy with placement continuous, then one period at a time.

Funding first and replicas after costs little, the reverse lets funding collapse, because minimum service breaks
when replicas were rounded down. With the strategy fixed the periods are nearly separate, and each is a small
program with all other columns held where the linear program has them, and those replicas that it does not use at none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.linear import Relaxed, whole
from optimizer.engine.messages import Tick
from optimizer.engine.periods import moving
from optimizer.engine.program import Flags, Floats, Ints, Program
from optimizer.engine.root import LITTLE, NO_HEURISTICS
from optimizer.engine.search import solve_held
from optimizer.engine.solver import Control, Highs

SHARE = 0.5  # of the time left may go into the start
NEAR = 0.05  # a strategy column this near to whole is fixed at once
SOON = 1e-3  # all periods together, of a plan that is soon bettered
SOON_SECONDS = 20.0  # that placing such a plan may take, or as long as all that came before it
STRATEGY, STRATEGY_SECONDS = 0.2, 8.0  # of the time left that its strategy may take, and what it has at most
LOSSY = 0.02  # of the linear program's value: a dive loses 0.1 to 1.5 % of it as a rule
STRATEGY_GAP = 1e-3  # beside what rounding up replicas will cost
USED = 1e-6  # replicas: the linear program's plan uses a third of the places, and little is lost without the others
GIVING = 1e-6  # that rows give way to a plan of the linear program, its noise where columns add up
NODES = 200  # per period, so that the start depends on the program and not on the machine


def built(program: Program, control: Control, relaxed: Relaxed, near: Sequence[float] = (SOON,)) -> Iterator[Floats]:
    """Plans by construction: of the linear program's strategy, each within one of `near` of the best for it; then of a
    better strategy, if that is found at once. A strategy that loses much is bettered first: placing it would take long
    and come to little."""
    strategy = _begun(program, control, relaxed)
    if strategy is None:
        return
    if _lossy(program, relaxed, strategy):
        yield from _of_first(program, control, (_hasty(program, control, strategy)[0], strategy), near)
        return
    yield from _of(program, control, strategy, near)
    better = decided(program, control, strategy)
    if better is not strategy:
        yield from _of(program, control, better, (SOON,))


def _of_first(
    program: Program, control: Control, strategies: Iterable[Floats | None], near: Sequence[float]
) -> Iterator[Floats]:
    """Plans of the first of some strategies that can be placed: what the clock cut short often cannot."""
    for strategy in strategies:
        if strategy is not None and (x := _soon(program, control, strategy, near[0])) is not None:
            yield x
            yield from _of(program, control, strategy, near[1:])
            return


def _of(program: Program, control: Control, strategy: Floats, near: Sequence[float]) -> Iterator[Floats]:
    for within in near:
        if (x := _soon(program, control, strategy, within)) is not None:
            yield x


def _begun(program: Program, control: Control, relaxed: Relaxed) -> Floats | None:
    """A whole strategy to begin with, with placement continuous."""
    strategy = dived(relaxed)
    if strategy is None and not relaxed.part.cols.all() and (all_of_it := whole(program, control)) is not None:
        strategy = dived(all_of_it)  # among the columns that pay there may be none to keep a promise with
    if strategy is None:  # the dive ended where no strategy is possible any more: a search may find one
        strategy, _ = _strategy(program, control.until(STRATEGY * control.left), None)
    return strategy


def _lossy(program: Program, relaxed: Relaxed, strategy: Floats) -> bool:
    """Whether a strategy is worth much less than the linear program's plan."""
    best = program.objective(relaxed.guide.x)
    return abs(best - program.objective(strategy)) > LOSSY * abs(best)


def placed(program: Program, control: Control, x: Floats, near: float, hint: Floats | None = None) -> Floats | None:
    """x with the placement of every period whole and within `near` of the best, all periods together."""
    periods = np.unique(program.period[program.integer & ~program.strategy])
    for done, t in enumerate(periods):
        if control.over:
            return None
        step = control.quietly(control.left / (periods.size - done), near / periods.size)
        better = _whole_period(program, step, program.period == t, x, hint)
        if better is None:
            return None
        x = better
    return _settled(program, control.quietly(control.left), x)


def _soon(program: Program, control: Control, strategy: Floats, near: float) -> Floats | None:
    seconds = min(max(SOON_SECONDS, control.spent), SHARE * control.left)
    return placed(program, control.quietly(seconds), strategy, near)


def dived(relaxed: Relaxed, patience: float = math.inf) -> Floats | None:
    """The linear program's plan with every strategy column whole: nearest first, a smaller step when infeasible. None
    where that ends without one, or after so many smaller steps."""
    lp, part, plan = relaxed.lp, relaxed.part.program, relaxed.guide.x[relaxed.part.cols]
    free = np.flatnonzero(part.strategy & part.integer & (part.col_lower < part.col_upper)).astype(np.int32)
    while free.size:
        distance = np.abs(plan[free] - np.round(plan[free]))
        nearest = free[np.argsort(distance, kind="stable")]
        many = max(int((distance <= NEAR).sum()), -(-free.size // 4))
        held, better = _hold_nearest(lp, plan, nearest, many)
        patience -= held.size < many
        if better is None or patience < 0:
            return None
        plan = better
        free = np.setdiff1d(free, held).astype(np.int32)
    return relaxed.part.whole(plan)


def decided(program: Program, control: Control, x: Floats) -> Floats:
    """The strategy improved from x with placement continuous, unless the clock cut that short: then what it has is
    placed worse than x."""
    better, cut_short = _hasty(program, control, x)
    return x if better is None or cut_short else better


def _hasty(program: Program, control: Control, x: Floats) -> tuple[Floats | None, bool]:
    return _strategy(program, control.until(min(STRATEGY * control.left, STRATEGY_SECONDS)), x)


def _strategy(program: Program, control: Control, x: Floats | None) -> tuple[Floats | None, bool]:
    """A plan with its strategy whole, if one is found, and whether the clock cut the search short. The bound that it
    proves for the whole is told. From a plan, branching alone ends as well in half the time; at M it does not end."""
    part = replace(program, integer=program.integer & program.strategy)
    branching = NO_HEURISTICS if x is not None and program.value.size <= LITTLE else {}
    highs = Highs(part, control.quietly(control.left, STRATEGY_GAP), mip_max_nodes=NODES, **branching)
    if x is not None:
        highs.begin_from(np.arange(x.size, dtype=np.int32), x)
    status = highs.run()
    control.tell(Tick(None, highs.bound()))
    return highs.plan(), status in (Model.kTimeLimit, Model.kInterrupt)


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


def _whole_period(program: Program, control: Control, period: Flags, x: Floats, hint: Floats | None) -> Floats | None:
    """x with this period's placement whole: of what it uses; where that cannot be, of all; then its strategy too."""
    hasty = control.quietly(control.left / 3, control.gap)
    program = _giving_way(program, x)
    period = period | moving_with(program, period)
    placement = period & ~program.strategy
    used = placement & (~program.integer | (x > USED))
    for step, free in ((hasty, used), (hasty, placement), (control, period | program.strategy)):
        better = solve_held(program, step, free, x, hint, mip_max_nodes=NODES)
        if better is not None:
            return better
    return None


def _giving_way(program: Program, x: Floats) -> Program:
    """The program with rows that give way to x where it breaks them by less than a solver minds: with nearly all of
    their columns held at x, HiGHS would call what is left infeasible, by 7e-8."""
    done = program.activity(x)
    lower, upper = program.row_lower, program.row_upper
    lower = np.where((lower - done > 0) & (lower - done <= GIVING), done, lower)
    upper = np.where((done - upper > 0) & (done - upper <= GIVING), done, upper)
    return replace(program, row_lower=lower, row_upper=upper)


def moving_with(program: Program, cols: Flags) -> Flags:
    """Continuous columns of other periods that move with these, as what moves in or out of the next one."""
    rows = np.zeros(program.row_lower.size, bool)
    rows[program.row_of[(cols & ~program.strategy)[program.index]]] = True
    rows &= moving(program)
    touched = np.zeros(program.cost.size, bool)
    touched[program.index[rows[program.row_of]]] = True
    return touched & ~program.integer


def _settled(program: Program, control: Control, x: Floats) -> Floats | None:
    """The continuous part chosen over all periods at once."""
    if program.integer.all():
        return program.rounded(x)
    return solve_held(program, control, ~program.integer, program.rounded(x))
