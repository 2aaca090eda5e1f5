"""A whole sweep: the base once, then every member that is not kept yet, then refinement where the portfolio changes.

Every member starts from the base, with one thread and a limit on nodes: its row is the same whatever the number of
workers, wherever it is solved, and however often the sweep was interrupted. Members that the clock stopped are marked
and outside that promise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

from optimizer.engine.installed import solvers
from optimizer.engine.progress import Listener
from optimizer.formulation.family import Family
from optimizer.instance.changes import apply
from optimizer.instance.faults import BadInput
from optimizer.instance.schema import Instance
from optimizer.plan.plan import Document
from optimizer.solving import answered, pose, refuse_unknown_families
from optimizer.sweeping import design as designs
from optimizer.sweeping.design import Axis, Point
from optimizer.sweeping.frontier import between, steps
from optimizer.sweeping.member import change_at, packed, sendable, told
from optimizer.sweeping.parallel import Cancel, cluster, processes, solve_all
from optimizer.sweeping.store import Store, key
from optimizer.sweeping.sweep import Sweep
from optimizer.variants import Base

ON_CLUSTER = 16  # members in flight, in multiples of what is sent ahead
MANY = 24  # members, from which on it pays to look at some first for the cuts that they want
FINEST = 1 / 64  # of the span of an axis; refinement halves no further


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a sweep has come; `left` is the expected time to its end, None before the first member."""

    done: int
    members: int
    seconds: float
    left: float | None


def sweep(
    instance: Instance,
    vary: Sequence[str],
    *,
    design: str = "grid",
    samples: int = 0,
    refine: int = 0,
    scenario: str | None = None,
    set: Sequence[str] = (),
    drop: Sequence[str] = (),
    extra: Sequence[Family] = (),
    gap: float = 1e-3,
    time_limit: float = 300.0,
    nodes: int = 2000,
    seed: int = 0,
    workers: int | None = None,
    address: str | None = None,
    executor: Callable[[int], Executor] | None = None,
    store: str | Path | None = None,
    told_of: Callable[[Advance], None] | None = None,
    progress: Listener | None = None,
    cancel: Cancel | None = None,
) -> Sweep:
    """Solve every member of a design over the axes `vary` (`PATH=a:b:n`, `PATH=v1,v2`), in parallel.

    `time_limit` (seconds) and `nodes` are per member. `store` is a directory in which finished members are kept.
    `extra` are families of your own, defined at the top of a module that the other processes can import.
    `address` is a Dask scheduler's; `executor` opens any other executor of so many workers. From a script, call it
    under `if __name__ == "__main__":`, as every process pool asks.
    """
    axes = [designs.axis(text) for text in vary]
    points = designs.points(design, axes, samples, seed)
    _refuse_unknown(instance, axes)
    limits = {"gap": gap, "time_limit": time_limit, "threads": 1, "seed": seed}
    posed = pose(instance, limits, scenario=scenario, set=set, drop=drop, extra=extra)
    named = {"extra": sendable(extra)} if extra else {}
    opened = executor or (cluster(address) if address else processes)
    if address:
        with opened(1):  # a wrong address is said before the base is solved
            pass
    asked = {"options": posed.options, "scenario": scenario, "nodes": nodes, **named}
    spec = {"instance": instance.dump(), **asked} | _versions()
    kept = Store(Path(store) if store else None, spec)
    outcome = kept.base()
    base = Base(posed, outcome) if outcome else Base.of(posed, progress)
    if outcome is None:
        kept.keep_base(base.outcome)
    examples = [change_at(point) for point in designs.examples(axes)] if len(points) >= MANY else []
    many = workers or os.cpu_count() or 1
    study = cache(lambda: packed(base.prepared(examples)))
    solved = partial(_solve, kept, study, nodes, opened, ON_CLUSTER if address else many, told_of, cancel)
    solved(points)
    for _ in range(refine):
        new = _refined(kept, points, axes)
        if not new or (cancel is not None and cancel.is_set()):
            break
        points = [*points, *new]
        solved(points)
    return _swept(instance, [a.path for a in axes], design, points, kept, answered(posed, base.outcome))


def _solve(
    kept: Store,
    study: Callable[[], bytes],
    nodes: int,
    opened: Callable[[int], Executor],
    workers: int,
    told_of: Callable[[Advance], None] | None,
    cancel: Cancel | None,
    points: Sequence[Point],
) -> None:
    """Every member that is not kept yet, kept as it finishes."""
    missing, began = [point for point in points if key(point) not in kept.rows], monotonic()
    tell = told_of or (lambda _: None)
    tell(Advance(len(points) - len(missing), len(points), 0.0, None))
    if not missing:
        return
    for done, (point, row) in enumerate(solve_all(study(), missing, nodes, opened, workers, cancel), 1):
        kept.keep(point, row)
        seconds = monotonic() - began
        left = seconds / done * (len(missing) - done)
        tell(Advance(len(points) - len(missing) + done, len(points), seconds, left))


def _refined(kept: Store, points: Sequence[Point], axes: Sequence[Axis]) -> list[Point]:
    """Members halfway between neighbours whose portfolios differ, in the order of the axes."""
    rows = [kept.rows.get(key(point), {}) for point in points]
    new: dict[str, Point] = {}
    for each in axes:
        if each.low is not None and each.high is not None:
            closest = abs(each.high - each.low) * FINEST
            new |= {key(p): p for p in between(steps(points, rows, each.path), each, closest)}
    return [point for name, point in new.items() if name not in {key(p) for p in points}]


def _swept(
    instance: Instance, axes: Sequence[str], design: str, points: Sequence[Point], kept: Store, base: Document
) -> Sweep:
    done = [point for point in points if key(point) in kept.rows]
    left = [point for point in points if key(point) not in kept.rows]
    rows = tuple(kept.rows[key(point)] for point in done)
    first = told({**base, "stopped": "", "begun": "base"})
    return Sweep(instance.name, instance.currency, tuple(axes), design, (*done, *left), rows, first)


def _versions() -> dict[str, Any]:
    return {"versions": {name: version(name) for name in ("solvency", "pyomo", "numpy")} | solvers()}


def _refuse_unknown(instance: Instance, axes: Sequence[Axis]) -> None:
    """An axis none of whose values can be asked for is a mistake of the whole sweep, not of its members."""
    for each in axes:
        wrong: list[BadInput] = []
        for value in each.values:
            scenario, sets, drop = designs.changed({each.path: value})
            try:
                apply(instance, sets, scenario.split("+") if scenario else ())
                refuse_unknown_families(drop)
            except BadInput as error:
                wrong.append(error)
            else:
                break
        if len(wrong) == len(each.values):
            raise wrong[0]
