"""Who solves sub-problems: this process one after the other, or the workers of a cluster many at once.

A sub-problem is what is left for some columns when all others stay at a plan, small and complete in itself. Its
answer may come when the plan has moved on: then it is laid over what is known by now, if that satisfies every row.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import NamedTuple, Protocol

from optimizer.engine.parts import Found
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.solver import TOLERANCE, Control

LOOK_SECONDS = 0.2

Task = Callable[[Program, Control, Floats], Found]
"""Solves a sub-problem from a plan of it. At the top of a module, so that another process finds it."""


class Asked(NamedTuple):
    """Columns to be decided again while all others stay at x, by what, and for what it is called."""

    name: str
    free: Flags
    x: Floats
    task: Task
    control: Control


class Crew(Protocol):
    """Solves as many sub-problems at once as it has hands."""

    @property
    def hands(self) -> int:
        """How many are solved at once, from one on."""

    def submit(self, task: Task, part: Program, control: Control, x: Floats) -> Future[Found]:
        """The answer, perhaps later; nothing found where it was lost."""


class Here:
    """This process, which is done with a sub-problem before it takes the next."""

    hands = 1

    def submit(self, task: Task, part: Program, control: Control, x: Floats) -> Future[Found]:
        """The answer, at once."""
        future = Future[Found]()
        future.set_result(task(part, control, x))
        return future


def apart(task: Task, part: Program, x: Floats, seconds: float, settings: tuple[float, float, int]) -> Found:
    """A sub-problem in whatever process it was sent to; `settings` are gap, floor and seed."""
    gap, floor, seed = settings
    control = Control(time.monotonic() + seconds, threading.Event(), lambda _: None, gap, floor, seed=seed)
    return task(part, control, x)


def spread(program: Program, control: Control, draw: Callable[[], Asked | None]) -> Iterator[tuple[Asked, Found]]:
    """Answers as they come. The next sub-problem is drawn only when there is a hand for it, so that it begins from
    the best plan known by then; all ends when none is drawn and none is out, or by the clock."""
    crew, out = control.crew or Here(), dict[Future[Found], Asked]()
    while not control.over:
        while len(out) < crew.hands and (asked := draw()) is not None:
            part = program.held(asked.free, asked.x)
            out[crew.submit(asked.task, part, asked.control, asked.x[asked.free])] = asked
        if not out:
            return
        done, _ = wait(out, LOOK_SECONDS, FIRST_COMPLETED)
        for future in done:
            yield out.pop(future), future.result()
    for future in out:
        future.cancel()


def joined(program: Program, asked: Asked, found: Found, x: Floats) -> Floats | None:
    """A plan better than x, by what was found: laid over x where that satisfies every row, else as it was found."""
    if found.x is None:
        return None
    for under in (x,) if asked.x is x else (x, asked.x):
        y = under.copy()
        y[asked.free] = found.x
        if program.gain(y, over=x) > 0 and program.violation(y) <= TOLERANCE:
            return y
    return None
