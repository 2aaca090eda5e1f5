"""A whole sweep: the base once, then every member that is not kept yet, then refinement where the portfolio changes.

Every member starts from the base, with one thread and a limit on nodes: its row is the same whatever the number of
workers, wherever it is solved, and however often the sweep was interrupted. Members that the clock stopped are marked
and outside that promise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from optimizer.engine.progress import Listener
from optimizer.engine.watch import Cancel
from optimizer.formulation.family import Family
from optimizer.instance.arguments import whole, words
from optimizer.instance.faults import BadInput
from optimizer.instance.schema import Instance
from optimizer.plan.plan import Document
from optimizer.solving import answered, pose, refuse_unknown_changes
from optimizer.sweeping import design as designs
from optimizer.sweeping.course import Advance, Course, spec
from optimizer.sweeping.design import Axis, Point
from optimizer.sweeping.member import sendable, told
from optimizer.sweeping.parallel import Open, cluster, processes
from optimizer.sweeping.store import Store, held, key
from optimizer.sweeping.sweep import Sweep

ON_CLUSTER = 16  # members in flight, in multiples of what is sent ahead


def sweep(
    instance: Instance,
    vary: Sequence[str],
    *,
    design: str = "grid",
    samples: int = 0,
    refine: int = 0,
    scenario: str | None = None,
    set: Sequence[str] | Mapping[str, Any] = (),
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

    `design` is `grid`, `list` (first with first), `tornado` (one at a time), `random` or `sobol`, the last two with
    so many `samples` drawn by `seed`. `refine` halves that many times the steps between which the funded portfolio
    changes. `scenario`, `set`, `drop` and `extra` are of all members, as of `solve`; `extra` has to be defined at the
    top of a module that the other processes can import.

    `gap`, `time_limit` (seconds of wall clock) and `nodes` (of the search) are per member, and the first two of the
    base. `workers` is how many processes solve, by default one per core; `address` is a Dask scheduler's instead, and
    `executor` opens any other executor of so many workers. From a script, call it under `if __name__ == "__main__":`,
    as every process pool asks.

    `store` is a directory in which finished members are kept, and from which the same sweep goes on. `told_of` hears of
    every member that finishes, `progress` of the base while it is solved; `cancel` ends with the members that are
    finished. Raises BadInput for an axis, a change, a name, a number or a store that is wrong, SolverError if the base
    cannot be solved; a member that fails carries its reason in its row.
    """
    axes = [designs.axis(text) for text in words("vary", vary)]
    points = designs.points(design, axes, whole("samples", samples), whole("seed", seed))
    rounds, most, many = whole("refine", refine), whole("nodes", nodes), _many(workers, address)
    _refuse_unknown(instance, axes)
    sendable(extra)
    limits = {"gap": gap, "time_limit": time_limit, "threads": 1, "seed": seed}
    posed = pose(instance, limits, scenario=scenario, set=set, drop=drop, extra=extra)
    opened = _opened(executor, address)
    directory = Path(store) if store else None
    with held(directory):
        kept = Store(directory, spec(posed, most))
        course = Course(posed, axes, kept, most, opened, many, told_of or (lambda _: None), cancel)
        base = course.base(progress)
        asked = points if base.outcome.status == "interrupted" else course.run(base, points, rounds)
    return _swept(instance, [a.path for a in axes], design, asked, kept, answered(posed, base.outcome))


def _many(workers: int | None, address: str | None) -> int:
    """How many members are solved at once."""
    asked = os.cpu_count() or 1 if workers is None else whole("workers", workers, 1)
    return ON_CLUSTER if address else asked


def _opened(executor: Callable[[int], Executor] | None, address: str | None) -> Open:
    """How the executor is opened; where it cannot be, that is said before the base is solved."""
    opened = executor or (cluster(address) if address else processes)
    if executor is None:
        with opened(1):
            pass
    return opened


def _swept(
    instance: Instance, axes: Sequence[str], design: str, points: Sequence[Point], kept: Store, base: Document
) -> Sweep:
    done = [point for point in points if key(point) in kept.rows]
    left = [point for point in points if key(point) not in kept.rows]
    rows = tuple(kept.rows[key(point)] for point in done)
    first = told({**base, "stopped": "", "begun": "base"})
    return Sweep(instance.name, instance.currency, tuple(axes), design, (*done, *left), rows, first)


def _refuse_unknown(instance: Instance, axes: Sequence[Axis]) -> None:
    """An axis none of whose values can be asked for is a mistake of the whole sweep, not of its members."""
    for each in axes:
        wrong: list[BadInput] = []
        for value in each.values:
            try:
                refuse_unknown_changes(instance, *designs.changed({each.path: value}))
            except BadInput as error:
                wrong.append(error)
            else:
                break
        if len(wrong) == len(each.values):
            raise wrong[0]
