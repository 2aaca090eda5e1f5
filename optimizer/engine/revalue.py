"""What a changed program is worth, as an interval: a plan that was checked below, a proved bound above.

Small programs are solved to the end. Large ones are bounded period by period, and their plan is the base plan with
the changed periods decided again, or a new one by construction where the base plan no longer holds.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from optimizer.engine.periods import Parts, bound_by_period, improved, relaxed_prices
from optimizer.engine.prices_by_period import priced
from optimizer.engine.program import Floats, Program
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.solver import Control
from optimizer.engine.start import construct

FEW = 200  # whole numbers up to which a program is simply solved
FEASIBLE = 1e-6
CLOSED = 1e-5  # relative: the base is not tightened beyond
ROUNDS = 2  # of improving prices
EXACT = 1e-9

SWEEPS = 3  # of improving the base plan

Method = Literal["solved again", "bounded by its relaxation", "bounded by period"]
SOLVED: Method = "solved again"
RELAXED: Method = "bounded by its relaxation"
BY_PERIOD: Method = "bounded by period"


@dataclass(frozen=True, eq=False)
class Worth:
    """The optimum lies in [low, high]; `x` attains low. An infeasible program is worth -inf."""

    low: float
    high: float
    x: Floats | None
    method: Method
    seconds: float

    @property
    def infeasible(self) -> bool:
        """Proved that no plan exists."""
        return self.high == -np.inf

    @property
    def unknown(self) -> bool:
        """Neither a plan nor a proof that there is none."""
        return self.x is None and not self.infeasible


@dataclass(frozen=True, eq=False)
class Base:
    """The program that changes are measured against, and what was proved of it; `prices` only of a large one."""

    program: Program
    worth: Worth
    parts: Parts
    prices: Floats | None


def settle(program: Program, x: Floats | None, control: Control, pool: Executor) -> Base:
    """The base, tightened to 1e-5 or as far as the control's time goes."""
    began, parts = time.monotonic(), Parts(control)
    relaxed = None if _small(program) else relaxed_prices(program, control)
    if relaxed is None or x is None:
        return Base(program, _solved(program, x, control), parts, None)
    for _ in range(SWEEPS):
        before, x = program.objective(x), improved(program, x, parts)
        if program.objective(x) - before <= CLOSED * abs(before):
            break
    low = program.objective(x)
    found = priced(program, relaxed[1], low, parts, pool, ROUNDS)
    high = max(low, min(relaxed[0], found.bound))
    return Base(program, Worth(low, high, x, BY_PERIOD, time.monotonic() - began), parts, found.prices)


def revalue(base: Base, program: Program, control: Control, periods: Collection[int] = ()) -> Worth:
    """What the program is worth, that has the base's columns, with other rows, bounds or costs.

    Where the base plan still holds it is improved (in the `periods` named, or all) and the bound is that of the
    relaxation; `tightened` has a better one. Where it does not, both come from the periods solved apart.
    """
    if base.prices is None:
        return _solved(program, base.worth.x, control)
    began, parts, x = time.monotonic(), replace(base.parts, control=control), base.worth.x
    relaxed = relaxed_prices(program, control)
    if relaxed is None:
        return _without_relaxation(program, control)
    high, method = relaxed[0], RELAXED
    if x is not None and program.violation(x) <= FEASIBLE:
        x = improved(program, x, parts, periods)
    else:
        high = min(high, bound_by_period(program, _prices_for(base, program), parts).bound)
        method, x = BY_PERIOD, None if high == -np.inf else _constructed(program, control)
    low = -np.inf if x is None else program.objective(x)
    return Worth(low, max(high, low), x, method, time.monotonic() - began)


def _without_relaxation(program: Program, control: Control) -> Worth:
    """Of a program whose relaxation did not solve: it cannot hold, or the time is over."""
    if control.over:
        return Worth(-np.inf, np.inf, None, RELAXED, 0.0)
    return _solved(program, None, control)


def tightened(base: Base, program: Program, worth: Worth, control: Control) -> Worth:
    """The same with a bound proved period by period."""
    if base.prices is None or worth.infeasible:
        return worth
    began, parts = time.monotonic(), replace(base.parts, control=control)
    high = bound_by_period(program, _prices_for(base, program), parts).bound
    seconds = worth.seconds + time.monotonic() - began
    return replace(worth, high=max(worth.low, min(worth.high, high)), method=BY_PERIOD, seconds=seconds)


def _small(program: Program) -> bool:
    periods = np.unique(program.period[program.col_lower < program.col_upper])
    return int(program.integer.sum()) <= FEW or periods.size <= 1


def _solved(program: Program, x: Floats | None, control: Control) -> Worth:
    began, scaled = time.monotonic(), scale(program)
    start = None if x is None else (np.arange(x.size, dtype=np.int32), x / scaled.unit)
    verdict = search(scaled.program, replace(control, gap=EXACT, floor=1 / scaled.money), start)
    seconds = time.monotonic() - began
    if verdict.ending == "infeasible":
        return Worth(-np.inf, -np.inf, None, SOLVED, seconds)
    found = None if verdict.x is None else program.rounded(verdict.x * scaled.unit)
    if found is None or program.violation(found) > FEASIBLE:
        found = x if x is not None and program.violation(x) <= FEASIBLE else None
    low = -np.inf if found is None else program.objective(found)
    high = np.inf if verdict.bound is None else verdict.bound * scaled.money
    return Worth(low, max(high, low), found, SOLVED, seconds)


def _constructed(program: Program, control: Control) -> Floats | None:
    scaled = scale(program)
    found = construct(scaled.program, control)
    if found is None:
        return None
    x = program.rounded(found[1] * scaled.unit)
    return x if program.violation(x) <= FEASIBLE else None


def _prices_for(base: Base, program: Program) -> Floats:
    """Base prices by the name of the row, nothing for a row that is new."""
    assert base.prices is not None
    if program.row_lower.size == base.prices.size:
        return base.prices
    price = dict(zip(base.program.rows, base.prices.tolist(), strict=True))
    return np.array([price.get(row, 0.0) for row in program.rows])
