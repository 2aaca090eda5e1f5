"""The program of a plan solved again with one thing forbidden or asked for: what that thing is worth, by difference.

Both values carry their proof: a difference is an interval, from the plan of one against the bound of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from math import isfinite
from time import monotonic
from typing import Any, Literal

import numpy as np

from optimizer.asking.asker import BOUND_SECONDS, Asker, Question
from optimizer.asking.changes import at_least_once, freed, held, rows_of
from optimizer.engine.outcome import Outcome, Values
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.progress import relative_gap
from optimizer.engine.revalue import based
from optimizer.engine.solver import Control
from optimizer.engine.watch import Cancel, Stop
from optimizer.engine.worth import Worth

PATIENCE_SECONDS = 10.0  # for one question of a small program
LEAST_SECONDS = 0.1  # with less time than this nothing is started
FAR = 1e-2  # from its bound: what such a plan lacks is what was not found in time, not what a thing is worth
SAME = "the plan itself"
SOLVED = "solved again"
PARTIAL = "solved again, time ran out"
FORBIDDEN = "no plan holds"
LATE = "not decided in time"


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A plan with every decision `variable[name, ...]` at zero, with one of them taken, or without a family's rows."""

    how: Literal["without", "with", "lifted"]
    of: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Value of the best plan found, None where it lies far from its bound; the optimum is known to lie between `least`
    and `bound`, None where nothing is known."""

    value: float | None
    least: float | None
    bound: float | None
    values: Values
    method: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Gain:
    """What something is worth: the interval that both proofs leave, and plan against plan where both are near their
    bounds."""

    usd: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, having: Found, lacking: Found) -> Gain:
        """The value with it less the value without it."""
        near = PARTIAL not in (having.method, lacking.method)
        return cls(
            _less(having.value, lacking.value) if near else None,
            _less(having.least, lacking.bound),
            _less(having.bound, lacking.least),
        )


@dataclass(frozen=True, eq=False)
class Again:
    """A solved program, and the clock by which all that is asked of it must be answered."""

    program: Program
    outcome: Outcome
    until: float  # on the monotonic clock
    cancel: Cancel | None = None

    def ask(self, asked: Iterable[Otherwise]) -> None:
        """Answers all at once, on as many threads as the plan had; then better, where that would tell more. Ctrl-C ends
        that, and the plan is kept."""
        new = {str(each): self._question(each) for each in asked if not self._holds(each)}
        asker = self._asker if new and self._left >= LEAST_SECONDS else None
        if asker is None:
            return
        with asker.pool:
            try:
                asker.ask(new.values(), self._left)
                asker.better(new, self._left)
            except KeyboardInterrupt:
                asker.control.stop.set()

    def of(self, otherwise: Otherwise) -> Found:
        """What was found out by then."""
        if self._holds(otherwise):
            return self.plan
        worth = None if self._asker is None else self._asker.answers.get(str(otherwise))
        if worth is None:
            return Found(None, None, None if otherwise.how == "lifted" else self.plan.bound, {}, self._why(otherwise))
        return Found(None, None, None, {}, FORBIDDEN, worth.seconds) if worth.infeasible else self._found(worth)

    @cached_property
    def plan(self) -> Found:
        """The plan as it is."""
        best, bound = self.outcome.objective, self.outcome.bound
        bound = bound if bound is None or best is None else max(best, bound)
        return Found(best, best, bound, self.outcome.values, SAME)

    def _why(self, otherwise: Otherwise) -> str:
        """Why there is no answer."""
        error = None if self._asker is None else self._asker.failed.get(str(otherwise))
        return LATE if error is None else f"failed: {error}"

    def _found(self, worth: Worth) -> Found:
        least, bound = (end if isfinite(end) else None for end in (worth.low, worth.high))
        gap = relative_gap(least, bound)
        if gap is None or gap > FAR or worth.x is None:
            return Found(None, least, bound, {}, PARTIAL, worth.seconds)
        method = SOLVED if gap <= self.outcome.options["gap"] else PARTIAL
        return Found(least, least, bound, self.program.named(worth.x), method, worth.seconds)

    def _holds(self, otherwise: Otherwise) -> bool:
        """Whether it is so in the plan."""
        most = float(self._x[self._columns(otherwise)].max(initial=0.0))
        return {"without": most == 0.0, "with": most >= 1.0, "lifted": False}[otherwise.how]

    def _question(self, otherwise: Otherwise) -> Question:
        name, program, least = str(otherwise), self.program, BOUND_SECONDS
        if otherwise.how == "lifted":
            lifted_from = partial(freed, program, rows_of(program, otherwise.of))
            return Question(name, lifted_from, loosens=True, least=least)
        cols = self._columns(otherwise)
        if otherwise.how == "without":  # what is in the plan first
            return Question(name, partial(held, program, cols, upper=0.0), tightens=True, rank=1.0, least=least)
        return Question(name, partial(at_least_once, program, otherwise.names, cols), tightens=True, least=least)

    def _columns(self, otherwise: Otherwise) -> Flags:
        cols = np.zeros(self.program.cost.size, bool)
        for name in otherwise.names:
            cols[self._decisions[otherwise.of, name]] = True
        return cols

    @cached_property
    def _decisions(self) -> Mapping[tuple[str, Any], list[int]]:
        """Columns of the strategy by decision and what it is about, looked up once for all questions."""
        found: dict[tuple[str, Any], list[int]] = defaultdict(list)
        for j in np.flatnonzero(self.program.strategy):
            name, key = self.program.cols[j]
            found[name, key[0] if isinstance(key, tuple) else key].append(int(j))
        return found

    @cached_property
    def _asker(self) -> Asker | None:
        """None where there is no time, or where no question could be answered in it: cutting a huge program alone takes
        half a minute."""
        control = Control(self.until, Stop(self.cancel), lambda _: None, seed=int(self.outcome.options["seed"]))
        if self._left < LEAST_SECONDS or control.over or self.program.worth_narrowing:
            return None
        base = based(self.program, self._x, control, self.plan.bound, self.outcome.seconds)
        if not base.exact and base.cuts is None:
            return None
        threads = int(self.outcome.options["threads"])
        return Asker(base, control, ThreadPoolExecutor(threads), threads, patience=PATIENCE_SECONDS)

    @property
    def _left(self) -> float:
        return self.until - monotonic()

    @cached_property
    def _x(self) -> Floats:
        return self.program.vector(self.outcome.values)


def without(variable: str, *names: str) -> Otherwise:
    """Every decision `variable[name, ...]` at zero."""
    return Otherwise("without", variable, names)


def with_one(variable: str, name: str) -> Otherwise:
    """At least one of the decisions `variable[name, ...]` taken."""
    return Otherwise("with", variable, (name,))


def lifted(family: str) -> Otherwise:
    """Without the rows of a family: never less than the plan, which still holds."""
    return Otherwise("lifted", family)


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
