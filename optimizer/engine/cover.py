"""A tighter bound for a whole family of programs: better prices, then the strategy space cut into cases.

Prices follow the subgradient. What they cannot close, funding that one period wants and its neighbour does not, is
closed by cases: such a column at each of its two values. The cases cover every plan, so they serve any program with
the same columns.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from optimizer.engine.periods import Bounded, Parts, bound_by_period, proper, spanning
from optimizer.engine.program import Floats, Program

SHRINK = 0.5  # of the step, after one that did not help
SMALLEST = 0.05
MOST_CASES = 40

Case = tuple[tuple[int, float], ...]  # columns held at a value


@dataclass(frozen=True, eq=False)
class Cover:
    """Prices of rows and cases of the strategy: what every later bound is made from."""

    prices: Floats
    cases: tuple[Case, ...] = ((),)

    def bound(self, program: Program, parts: Parts, pool: Executor | None = None) -> float:
        """No plan of the program is worth more."""
        return max((self.of_case(case, program, parts, pool).bound for case in self.cases), default=-np.inf)

    def of_case(self, case: Case, program: Program, parts: Parts, pool: Executor | None = None) -> Bounded:
        """The bound within one case; -inf if the program rules the case out."""
        narrowed = held_at(program, case)
        if narrowed is None:
            return Bounded(-np.inf, program.col_lower)
        return bound_by_period(narrowed, self.prices, parts, pool)


def held_at(program: Program, case: Case) -> Program | None:
    """The program within a case, None if its bounds rule the case out."""
    lower, upper = program.col_lower.copy(), program.col_upper.copy()
    for column, value in case:
        if not lower[column] <= value <= upper[column]:
            return None
        lower[column] = upper[column] = value
    return replace(program, col_lower=lower, col_upper=upper)


def priced(program: Program, prices: Floats, worth: float, parts: Parts, pool: Executor, rounds: int) -> Cover:
    """Prices improved by the subgradient towards `worth`, the value of a plan that is known."""
    best, step = bound_by_period(program, prices, parts, pool), 1.0
    for _ in range(rounds):
        slope = _slope(program, best.x, prices)
        length = float(slope @ slope)
        if parts.control.over or step < SMALLEST or length == 0.0 or best.bound <= worth:
            break
        trial = proper(program, prices - step * (best.bound - worth) / length * slope)
        found = bound_by_period(program, trial, parts, pool)
        if found.bound < best.bound:
            best, prices = found, trial
        else:
            step *= SHRINK
    return Cover(prices)


def divided(program: Program, cover: Cover, worth: float, parts: Parts, pool: Executor, close: float) -> Cover:
    """The case with the weakest bound cut in two, again and again, until it is within `close` of a known plan."""
    bounds = {case: cover.of_case(case, program, parts, pool) for case in cover.cases}
    while len(bounds) < MOST_CASES and not parts.control.over:
        weakest = max(bounds, key=lambda case: bounds[case].bound)
        column = _torn(program, bounds[weakest].x, cover.prices, weakest)
        if bounds[weakest].bound <= worth + close or column is None:
            break
        halves = [(*weakest, (column, value)) for value in (0.0, 1.0)]
        found = {case: cover.of_case(case, program, parts, pool) for case in halves}
        if parts.control.over:
            break
        del bounds[weakest]
        bounds |= found
    return replace(cover, cases=tuple(bounds))


def _slope(program: Program, x: Floats, prices: Floats) -> Floats:
    """How the bound changes with each price: what is left of the row's limit."""
    free = program.col_lower < program.col_upper
    link, _ = spanning(program, free)
    up = np.isfinite(program.row_upper)
    limit = np.where(up, program.row_upper, np.where(np.isfinite(program.row_lower), program.row_lower, 0.0))
    slope = np.where(link, limit - program.activity(x), 0.0)
    one_sided = program.row_lower != program.row_upper
    blocked = one_sided & (prices == 0.0) & np.where(up, slope > 0, slope < 0)
    return np.where(blocked, 0.0, slope)


def _torn(program: Program, x: Floats, prices: Floats, case: Case) -> int | None:
    """The whole-number column of the strategy about which neighbouring periods disagree at the highest price."""
    link, _ = spanning(program, program.col_lower < program.col_upper)
    used = program.activity(x)
    broken = np.maximum(np.maximum(program.row_lower - used, used - program.row_upper), 0.0)
    cost = np.where(link & (broken > 1e-6), np.abs(prices) * broken, 0.0)
    held = {column for column, _ in case}
    binary = program.integer & program.strategy & (program.col_lower == 0.0) & (program.col_upper == 1.0)
    for row in np.argsort(-cost, kind="stable"):
        if cost[row] <= 0.0:
            return None
        for column in program.index[program.start[row] : program.start[row + 1]]:
            if binary[column] and int(column) not in held:
                return int(column)
    return None
