"""What a changed program is worth, as an interval: a plan that was checked below, a proved bound above.

Small programs are solved to the end. Large ones are bounded period by period, and their plan is the base plan with
the changed periods decided again, or a new one by construction where the base plan no longer holds.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from optimizer.engine.cover import Cover, divided, priced
from optimizer.engine.periods import Parts, improved, relaxed_prices
from optimizer.engine.program import Floats, Program
from optimizer.engine.scale import scale
from optimizer.engine.search import Control, search
from optimizer.engine.start import construct

FEW = 200  # whole numbers up to which a program is simply solved
FEASIBLE = 1e-6
CLOSED = 1e-5  # relative: the base is not tightened beyond
ROUNDS = 5  # of improving prices
EXACT = 1e-9

Method = Literal["solved again", "bounded by period"]


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
    """The program that changes are measured against, with what was proved of it; `cover` only of a large one."""

    program: Program
    worth: Worth
    parts: Parts
    cover: Cover | None


def settle(program: Program, x: Floats | None, control: Control, pool: Executor) -> Base:
    """The base, tightened to 1e-5 or as far as the control's time goes."""
    began, parts = time.monotonic(), Parts(control)
    if _small(program):
        return Base(program, _solved(program, x, control), parts, None)
    x = _plan(program, x, control, parts)
    relaxed = relaxed_prices(program, control)
    if relaxed is None:
        return Base(program, _solved(program, x, control), parts, None)
    low, cover = -np.inf if x is None else program.objective(x), Cover(relaxed[1])
    if x is not None:
        cover = priced(program, cover.prices, low, parts, pool, ROUNDS)
        cover = divided(program, cover, low, parts, pool, CLOSED * max(1.0, abs(low)))
    high = min(relaxed[0], cover.bound(program, replace(parts, control=control), pool))
    return Base(program, Worth(low, high, x, "bounded by period", time.monotonic() - began), parts, cover)


def revalue(base: Base, program: Program, control: Control) -> Worth:
    """What the program is worth, that has the base's columns, with other rows, bounds or costs."""
    if base.cover is None:
        return _solved(program, base.worth.x, control)
    began, parts = time.monotonic(), replace(base.parts, control=control)
    same_rows = program.row_lower.size == base.program.row_lower.size
    cover = base.cover if same_rows else replace(base.cover, prices=_prices_for(base, program))
    high = cover.bound(program, parts)
    x = None if high == -np.inf else _plan(program, base.worth.x, control, parts)
    low = -np.inf if x is None else program.objective(x)
    return Worth(low, max(high, low), x, "bounded by period", time.monotonic() - began)


def _small(program: Program) -> bool:
    periods = np.unique(program.period[program.col_lower < program.col_upper])
    return int(program.integer.sum()) <= FEW or periods.size <= 1


def _solved(program: Program, x: Floats | None, control: Control) -> Worth:
    began, scaled = time.monotonic(), scale(program)
    start = None if x is None else (np.arange(x.size, dtype=np.int32), x / scaled.unit)
    verdict = search(scaled.program, replace(control, gap=EXACT, floor=1 / scaled.money), start)
    seconds = time.monotonic() - began
    if verdict.ending == "infeasible":
        return Worth(-np.inf, -np.inf, None, "solved again", seconds)
    found = None if verdict.x is None else program.rounded(verdict.x * scaled.unit)
    if found is None or program.violation(found) > FEASIBLE:
        found = x if x is not None and program.violation(x) <= FEASIBLE else None
    low = -np.inf if found is None else program.objective(found)
    high = np.inf if verdict.bound is None else verdict.bound * scaled.money
    return Worth(low, max(high, low), found, "solved again", seconds)


def _plan(program: Program, x: Floats | None, control: Control, parts: Parts) -> Floats | None:
    """The plan x made better, or a new one where x does not hold."""
    if x is None or program.violation(x) > FEASIBLE:
        x = _constructed(program, control)
    return x if x is None else improved(program, x, control, parts)


def _constructed(program: Program, control: Control) -> Floats | None:
    scaled = scale(program)
    found = construct(scaled.program, control)
    if found is None:
        return None
    x = program.rounded(found[1] * scaled.unit)
    return x if program.violation(x) <= FEASIBLE else None


def _prices_for(base: Base, program: Program) -> Floats:
    """Base prices by the name of the row, nothing for a row that is new."""
    price = dict(zip(base.program.rows, base.cover.prices if base.cover else (), strict=True))
    return np.array([price.get(row, 0.0) for row in program.rows])
