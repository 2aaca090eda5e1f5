"""A linear program with whole numbers as plain arrays, and what can be read off them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
Key = tuple[str, Hashable]  # component name and index
Tag = Literal["strategy", "placement"]
FEW = 200  # whole numbers below which branch and cut needs no help
HUGE = 400_000  # nonzeros, from which on plans are looked for in the narrow program


@dataclass(frozen=True, eq=False)
class Program:
    """Rows `row_lower <= A x <= row_upper` by row (start, index, value), columns, cost and the way back to names."""

    start: Ints
    index: Ints
    value: Floats
    row_lower: Floats
    row_upper: Floats
    col_lower: Floats
    col_upper: Floats
    cost: Floats
    offset: float
    maximise: bool
    integer: Flags
    strategy: Flags  # decided before the rest when a plan is constructed: funding, launches, purchases
    period: Ints  # position of the column's period in the horizon, -1 if it has none
    rows: tuple[Key, ...] = ()
    cols: tuple[Key, ...] = ()
    tags: Mapping[str, Tag] = field(default_factory=dict)

    @property
    def row_of(self) -> Ints:
        """The row of every nonzero."""
        return np.repeat(np.arange(self.row_lower.size, dtype=np.int32), np.diff(self.start))

    @property
    def worth_constructing(self) -> bool:
        """Whether there is strategy to decide before the rest, and enough whole numbers for a start to pay."""
        return bool(self.strategy.any()) and int(self.integer.sum()) >= FEW

    @property
    def worth_narrowing(self) -> bool:
        """Whether it is huge; of smaller programs the narrow one loses more than it wins."""
        return self.value.size >= HUGE

    def named(self, x: Floats) -> dict[str, dict[Any, float]]:
        """x by decision and key."""
        values: dict[str, dict[Any, float]] = {name: {} for name, _ in self.cols}
        for (name, key), amount in zip(self.cols, (x + 0.0).tolist(), strict=True):  # + 0.0: no minus zero
            values[name][key] = amount
        return values

    def vector(self, values: Mapping[str, Mapping[Any, float]]) -> Floats:
        """Such values, of every decision there is, in the order of columns."""
        return np.array([values[name][key] for name, key in self.cols], float)

    def arrays(self) -> Program:
        """The same program without names, cheap to send to another process."""
        return replace(self, rows=(), cols=(), tags={})

    def objective(self, x: Floats) -> float:
        """Objective at x, offset included."""
        return dot(self.cost, x) + self.offset

    def gain(self, x: Floats, over: Floats) -> float:
        """How much better x is than another plan, in the sense of the objective."""
        change = self.objective(x) - self.objective(over)
        return change if self.maximise else -change

    def activity(self, x: Floats) -> Floats:
        """A x."""
        return _sums(self.row_of, self.value * x[self.index], self.row_lower.size)

    def rounded(self, x: Floats) -> Floats:
        """x with whole numbers exactly whole and every column inside its bounds."""
        return np.clip(np.where(self.integer, np.round(x), x), self.col_lower, self.col_upper)

    def violation(self, x: Floats) -> float:
        """The worst broken row, bound or whole number at x, each relative to the size of what it adds up."""
        terms = self.value * x[self.index]
        size = np.ones(self.row_lower.size)
        np.maximum.at(size, self.row_of, np.abs(terms))
        rows = _outside(_sums(self.row_of, terms, size.size), self.row_lower, self.row_upper) / size
        cols = _outside(x, self.col_lower, self.col_upper) / np.maximum(1.0, np.abs(x))
        whole = np.abs(x - np.round(x))[self.integer]
        return float(max(part.max(initial=0.0) for part in (rows, cols, whole)))

    def held(self, free: Flags, x: Floats) -> Program:
        """The program left for the `free` columns when every other one stays at x."""
        inside = free[self.index]
        row_of = self.row_of
        touched = np.zeros(self.row_lower.size, bool)
        touched[row_of[inside]] = True
        spent = _sums(row_of, np.where(inside, 0.0, self.value * x[self.index]), touched.size)
        counts = np.bincount(row_of[inside], minlength=touched.size)[touched]
        return Program(
            start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            index=(np.cumsum(free) - 1)[self.index[inside]].astype(np.int32),
            value=self.value[inside],
            row_lower=(self.row_lower - spent)[touched],
            row_upper=(self.row_upper - spent)[touched],
            col_lower=self.col_lower[free],
            col_upper=self.col_upper[free],
            cost=self.cost[free],
            offset=self.offset + dot(self.cost[~free], x[~free]),
            maximise=self.maximise,
            integer=self.integer[free],
            strategy=self.strategy[free],
            period=self.period[free],
        )


def dot(a: Floats, b: Floats) -> float:
    """The product of two vectors, without BLAS: from 10,000 elements on its threads wait in a loop for more, on cores
    that were not asked for, and how many there are shows in the last digits."""
    return float((a * b).sum())


def _sums(group: Ints, terms: Floats, groups: int) -> Floats:
    return np.bincount(group, terms, groups).astype(np.float64, copy=False)


def _outside(x: Floats, lower: Floats, upper: Floats) -> Floats:
    return np.maximum(np.maximum(lower - x, x - upper), 0.0)
