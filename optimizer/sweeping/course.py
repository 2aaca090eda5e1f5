"""A sweep under way: its base, the members that are missing, and those that refinement adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Any

from optimizer.catalogue.load import digest
from optimizer.engine.installed import release, solvers
from optimizer.engine.progress import Listener
from optimizer.engine.watch import Cancel
from optimizer.solving import Posed
from optimizer.sweeping import design as designs
from optimizer.sweeping.design import Axis, Point
from optimizer.sweeping.frontier import between, steps
from optimizer.sweeping.member import change_at, packed, sendable, sources
from optimizer.sweeping.parallel import Open, solve_all
from optimizer.sweeping.store import Store, key
from optimizer.variants import Base

MANY = 24  # members, from which on it pays to look at some first for the cuts that they want
FINEST = 1 / 64  # of the span of an axis; refinement halves no further


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a sweep has come; `left` is the expected time to its end, None before the first member."""

    done: int
    members: int
    seconds: float
    left: float | None


@dataclass(frozen=True)
class Course:
    """What all members of a sweep share: the question, where they are kept and by whom they are solved."""

    posed: Posed
    axes: Sequence[Axis]
    kept: Store
    nodes: int
    opened: Open
    workers: int
    told_of: Callable[[Advance], None]
    cancel: Cancel | None

    @property
    def cancelled(self) -> bool:
        """Whether it is to end with what is finished."""
        return self.cancel is not None and self.cancel.is_set()

    def base(self, progress: Listener | None) -> Base:
        """The base, solved unless it is kept; one that was interrupted is not kept."""
        outcome = self.kept.base()
        if outcome is not None:
            return Base(self.posed, outcome)
        base = Base.of(self.posed, progress, self.cancel)
        if base.outcome.status != "interrupted":
            self.kept.keep_base(base.outcome)
        return base

    def run(self, base: Base, points: Sequence[Point], refine: int) -> Sequence[Point]:
        """Solve what is missing, then what each round of refinement adds; all members that were asked for."""
        examples = designs.examples(self.axes) if len(points) >= MANY else []
        study = cache(lambda: packed(base.prepared([change_at(each) for each in examples], self.cancel)))
        self._solve(study, points)
        for _ in range(refine):
            new = self._refined(points)
            if not new or self.cancelled:
                break
            points = [*points, *new]
            self._solve(study, points)
        return points

    def _solve(self, study: Callable[[], bytes], points: Sequence[Point]) -> None:
        """Every member that is not kept yet, kept as it finishes."""
        missing, began = [point for point in points if key(point) not in self.kept.rows], monotonic()
        self.told_of(Advance(len(points) - len(missing), len(points), 0.0, None))
        if not missing or self.cancelled:
            return
        members = solve_all(study(), missing, self.nodes, self.opened, self.workers, self.cancel)
        for done, (point, row) in enumerate(members, 1):
            self.kept.keep(point, row)
            seconds = monotonic() - began
            left = seconds / done * (len(missing) - done)
            self.told_of(Advance(len(points) - len(missing) + done, len(points), seconds, left))

    def _refined(self, points: Sequence[Point]) -> list[Point]:
        """Members halfway between neighbours whose portfolios differ, in the order of the axes."""
        rows = [self.kept.rows.get(key(point), {}) for point in points]
        new: dict[str, Point] = {}
        for each in self.axes:
            if each.low is not None and each.high is not None:
                closest = abs(each.high - each.low) * FINEST
                new |= {key(p): p for p in between(steps(points, rows, each.path), each, closest)}
        return [point for name, point in new.items() if name not in {key(p) for p in points}]


def spec(posed: Posed, nodes: int) -> dict[str, Any]:
    """What the rows of a sweep depend on beside their points; members may name what the base does not use."""
    versions = {name: release(name) for name in ("solvency", "pyomo", "numpy", "genai-prices")} | solvers()
    return {
        "instance": posed.instance.dump(),
        "resolved": posed.sha256,
        "catalogue": digest(),
        "extra": [sendable(posed.extra), sources(posed.extra)],
        "options": {**posed.options, "scenario": posed.scenario, "nodes": nodes},
        "versions": versions,
    }
