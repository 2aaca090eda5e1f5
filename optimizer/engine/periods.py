"""A bound proved period by period: rows that span periods are priced, and what is left falls apart.

Whatever the prices, the parts together are worth no less than the whole (Lagrange). A part is a small program that
is solved in a second where the whole keeps a solver busy for hours, and a change in one period leaves all other
parts as they were: they are looked up, not solved again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.program import Flags, Floats, Ints, Program
from optimizer.engine.scale import scale
from optimizer.engine.solver import Control, Highs

PART_GAP = 3e-6  # of a part's own objective
PART_SECONDS = 6.0
HASTY_GAP, HASTY_SECONDS, HASTY_NODES = 3e-5, 2.0, 50  # of a part whose plan is wanted and whose bound is not


class Solved(NamedTuple):
    """A part: its proved bound (inf if none, -inf if it cannot hold) and a plan of its free columns."""

    bound: float
    x: Floats | None


class Bounded(NamedTuple):
    """The whole from its parts: a bound of the objective and the parts' plans side by side."""

    bound: float
    x: Floats


@dataclass
class Parts:
    """Solves parts and remembers them by their numbers; shared by all programs of one explanation."""

    control: Control
    known: dict[bytes, Solved] = field(default_factory=dict)
    starts: dict[tuple[int, ...], Floats] = field(default_factory=dict)

    def solve(self, part: Program, shape: tuple[int, ...], *, hasty: bool = False) -> Solved:
        """The bound and plan of a part; `shape` says of which, so that its last plan can be the start."""
        key = _fingerprint(part)
        if key not in self.known:
            found, settled = self._solved(part, shape, hasty=hasty)
            if not settled:  # out of time: the next question may have more
                return found
            self.known[key] = found
        return self.known[key]

    def _solved(self, part: Program, shape: tuple[int, ...], *, hasty: bool) -> tuple[Solved, bool]:
        scaled = scale(part)
        gap, seconds = PART_GAP, PART_SECONDS
        options: dict[str, Any] = {}
        if hasty:
            gap, seconds, options = HASTY_GAP, HASTY_SECONDS, {"mip_max_nodes": HASTY_NODES}
        highs = Highs(scaled.program, self.control.quietly(seconds, gap), **options)
        start = self.starts.get(shape)
        if start is not None and start.size == part.cost.size:
            highs.begin_from(np.arange(start.size, dtype=np.int32), start / scaled.unit)
        status = highs.run()
        if status == Model.kInfeasible:
            return Solved(-np.inf, None), True
        x, bound = highs.plan(), highs.bound()
        if x is not None:
            x = self.starts[shape] = part.rounded(x * scaled.unit)
        settled = status == Model.kOptimal or not self.control.over
        return Solved(np.inf if bound is None else bound * scaled.money, x), settled


def bound_by_period(program: Program, prices: Floats, parts: Parts, pool: Executor | None = None) -> Bounded:
    """A bound of a maximisation from the prices of its rows; only those of rows that span periods count."""
    free = program.col_lower < program.col_upper
    x = np.where(free, 0.0, program.col_lower)
    link, _ = spanning(program, free)
    price = np.where(link, proper(program, prices), 0.0)
    priced = _without(replace(program, cost=program.cost - _by_column(program, price), offset=0.0), link)
    total = program.offset + float(price @ limit_of(program, price)) + float(priced.cost @ x)
    inside = [free & (program.period == t) for t in np.unique(program.period[free])]
    todo = [(replace(priced.held(cols, x), offset=0.0), (i, int(cols.sum()))) for i, cols in enumerate(inside)]
    found = pool.map(parts.solve, *zip(*todo, strict=True)) if pool and todo else (parts.solve(*each) for each in todo)
    for cols, solved in zip(inside, found, strict=True):
        total += solved.bound
        if solved.x is None:
            break
        x[cols] = solved.x
    return Bounded(total, x)


def spanning(program: Program, free: Flags) -> tuple[Flags, Ints]:
    """Rows whose free columns lie in more than one period, and the first period of every row's."""
    of, period = program.row_of[free[program.index]], program.period[program.index][free[program.index]]
    first = np.full(program.row_lower.size, np.iinfo(np.int32).max, np.int32)
    last = np.full(program.row_lower.size, -1, np.int32)
    np.minimum.at(first, of, period)
    np.maximum.at(last, of, period)
    return (first < last) & (last >= 0), first


def proper(program: Program, prices: Floats) -> Floats:
    """Prices with the sign that their rows allow: a ceiling never costs more than nothing, a floor never earns."""
    up, down = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    return np.where(up, np.where(down, prices, np.maximum(prices, 0.0)), np.where(down, np.minimum(prices, 0.0), 0.0))


def limit_of(program: Program, price: Floats) -> Floats:
    """The side of each row that its price is about."""
    side = np.where(price > 0, program.row_upper, program.row_lower)
    return np.where(price == 0, 0.0, side)


def relaxed_prices(program: Program, control: Control) -> tuple[float, Floats] | None:
    """Optimum and row prices with whole numbers continuous; None if that did not solve."""
    scaled = scale(program)
    highs = Highs(replace(scaled.program, integer=np.zeros_like(program.integer)), control)
    if highs.run() != Model.kOptimal:
        return None
    bound = highs.bound()
    assert bound is not None
    return bound * scaled.money, highs.prices() * scaled.row * scaled.money


def improved(program: Program, x: Floats, parts: Parts, periods: Collection[int] = ()) -> Floats:
    """x with one period after the other decided again, its strategy included, while all others stay."""
    for cols in _neighbourhoods(program, periods):
        if parts.control.over:
            break
        part = program.held(cols, x)
        solved = parts.solve(part, (-2, int(np.flatnonzero(cols)[0]), int(cols.sum())), hasty=True)
        if solved.x is not None:
            better = x.copy()
            better[cols] = solved.x
            if program.objective(better) > program.objective(x) and program.violation(better) <= 1e-6:
                x = better
    return x


def _neighbourhoods(program: Program, periods: Collection[int]) -> Iterator[Flags]:
    free = program.col_lower < program.col_upper
    for t in sorted(periods) or np.unique(program.period[free]):
        yield free & (program.period == t)


def _without(program: Program, rows: Flags) -> Program:
    keep = ~rows[program.row_of]
    counts = np.bincount(program.row_of[keep], minlength=rows.size)[~rows]
    return replace(
        program,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        index=program.index[keep],
        value=program.value[keep],
        row_lower=program.row_lower[~rows],
        row_upper=program.row_upper[~rows],
        rows=(),
    )


def _by_column(program: Program, price: Floats) -> Floats:
    terms = program.value * price[program.row_of]
    return np.bincount(program.index, terms, program.cost.size).astype(np.float64, copy=False)


def _fingerprint(part: Program) -> bytes:
    """The numbers of a part, told apart by far more than a solver's tolerance."""
    digest = hashlib.blake2b(digest_size=16)
    whole = (part.start, part.index, part.integer, part.col_lower, part.col_upper)
    for numbers in (*whole, part.value, part.row_lower, part.row_upper, part.cost):
        digest.update(np.ascontiguousarray(numbers).tobytes())
    return digest.digest()
