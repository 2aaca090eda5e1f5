"""Solve a program within a wall-clock limit that holds, from any thread, and believe nothing unchecked."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import numpy as np

from optimizer.engine.installed import solvers
from optimizer.engine.messages import Request
from optimizer.engine.outcome import Outcome, Status, Values
from optimizer.engine.process import Worker
from optimizer.engine.program import Floats, Ints, Program
from optimizer.engine.progress import Listener
from optimizer.engine.scale import Scaled, scale
from optimizer.engine.watch import Cancel, Watch


def solve_program(
    program: Program,
    *,
    start: Values | None = None,
    gap: float = 1e-3,
    time_limit: float = 300.0,
    threads: int = 1,
    seed: int = 0,
    cluster: str | None = None,
    progress: Listener | None = None,
    cancel: Cancel | None = None,
) -> Outcome:
    """Best plan found and bound proved within `time_limit` seconds of wall clock (plus a grace of 1 s and 5 %).

    `start` may lack columns and may name unknown ones, as an older plan does. Ctrl-C and `cancel` end the solve
    with the best plan so far. On a `cluster`, by the address of its scheduler, better plans are searched for.
    Raises SolverError when the solver fails or contradicts itself.
    """
    began = time.monotonic()
    scaled = scale(program)
    watch = Watch(program, scaled, time_limit, progress, cancel, began)
    given = None if start is None else _columns(start, program, scaled)
    asked = partial(
        Request, gap=gap, floor=1.0 / scaled.money, threads=threads, seed=seed, start=given, cluster=cluster
    )
    with ExitStack() as stack:  # a request has no name here: it would keep its program in memory to the end
        requests = _requests(asked(scaled.program.arrays(), seconds=time_limit - watch.seconds))
        workers = [stack.enter_context(Worker(each)) for each in requests]
        status = watch.status(watch.follow(workers, gap), gap)
    return reported(watch, status, {"gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed})


def _requests(request: Request) -> Iterator[Request]:
    """One worker for everything, or one that proves and others that improve, each on one thread; the first of these
    has the cluster."""
    improvers = max(request.threads - 1, int(request.cluster is not None))
    if not improvers or not request.program.worth_constructing:
        yield replace(request, cluster=None)
        return
    yield replace(request, role="prove", threads=1, cluster=None)
    for i in range(improvers):
        yield replace(request, role="improve", threads=1, seed=request.seed + i, cluster=None if i else request.cluster)


def reported(watch: Watch, status: Status, options: Mapping[str, float]) -> Outcome:
    """What a watched solve came to."""
    return Outcome(
        status=status,
        objective=watch.objective,
        bound=watch.bound,
        gap=watch.gap,
        seconds=watch.seconds,
        values={} if watch.best is None else watch.program.named(watch.best),
        versions=solvers() | {"python": platform.python_version()},
        options=options,
        notes=() if watch.note is None else (watch.note,),
    )


def _columns(start: Values, program: Program, scaled: Scaled) -> tuple[Ints, Floats]:
    """Columns of the start that the program knows, in the solver's units."""
    known = [(j, start[name][key]) for j, (name, key) in enumerate(program.cols) if key in start.get(name, ())]
    cols = np.array([j for j, _ in known], np.int32)
    return cols, np.array([x for _, x in known], float) / scaled.unit[cols]
