"""The program of a plan solved again with one thing forbidden or asked for: what that thing is worth, by difference.

Both values carry their proof: a difference is an interval, from the plan of one against the bound of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import numpy as np

from optimizer.engine.highs import solve_program
from optimizer.engine.outcome import Outcome, Values
from optimizer.engine.program import Flags, Ints, Program
from optimizer.engine.progress import relative_gap
from optimizer.engine.watch import Cancel

PATIENCE_SECONDS = 10.0  # for one question
LEAST_SECONDS = 0.1  # with less time than this nothing is started
FAR = 1e-2  # from its bound: what such a plan lacks is what was not found in time, not what a thing is worth
WIDE = 0.1  # of all columns; a row of more, such as a budget, says nothing of what is near
SAME = "the plan itself"
SOLVED = "solved again"
PARTIAL = "solved again, time ran out"
FORBIDDEN = "no plan holds"
LATE = "not decided in time"


@dataclass(frozen=True, slots=True)
class Found:
    """Value of the best plan found and no plan's more than `bound`; None where there is none or none was found."""

    value: float | None
    bound: float | None
    values: Values
    method: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Gain:
    """What something is worth: plan against plan, and the interval that both proofs leave."""

    usd: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, having: Found, lacking: Found) -> Gain:
        """The value with it less the value without it."""
        return cls(
            _less(having.value, lacking.value), _less(having.value, lacking.bound), _less(having.bound, lacking.value)
        )


@dataclass
class Again:
    """A solved program, and the clock by which all the questions that will be asked of it must be answered."""

    program: Program
    outcome: Outcome
    until: float  # on the monotonic clock
    questions: int = 1  # still to come; each has its part of the time left
    cancel: Cancel | None = None

    @property
    def plan(self) -> Found:
        """The plan as it is."""
        best, bound = self.outcome.objective, self.outcome.bound
        return Found(best, bound if bound is None or best is None else max(best, bound), self.outcome.values, SAME)

    def without(self, variable: str, names: Collection[str]) -> Found:
        """Best with every decision `variable[name, ...]` at zero."""
        held = self._columns(variable, names)
        if self._most(held) == 0.0:
            return self.plan
        upper = np.where(held, 0.0, self.program.col_upper)
        return self._solved(replace(self.program, col_upper=upper), held)

    def with_one(self, variable: str, name: str) -> Found:
        """Best with at least one of the decisions `variable[name, ...]` taken."""
        asked = self._columns(variable, [name])
        if self._most(asked) >= 1.0:
            return self.plan
        return self._solved(_with_row(self.program, np.flatnonzero(asked).astype(np.int32), 1.0), asked)

    def lifted(self, family: str) -> Found:
        """Best without the rows of a family: never less than the plan, which still holds."""
        rows = np.array([name == family for name, _ in self.program.rows], bool)
        lower, upper = (np.where(rows, end, at) for end, at in ((-np.inf, self.program.row_lower),
                                                                (np.inf, self.program.row_upper)))  # fmt: skip
        found = self._solved(replace(self.program, row_lower=lower, row_upper=upper), None)
        least = None if found.value is None or self.plan.value is None else max(found.value, self.plan.value)
        return replace(found, value=least)

    def _columns(self, variable: str, names: Collection[str]) -> Flags:
        keys: Sequence[tuple[str, Any]] = self.program.cols
        return np.array([name == variable and key[0] in names for name, key in keys], bool)

    def _most(self, cols: Flags) -> float:
        """The largest of these decisions in the plan."""
        keys = (self.program.cols[int(j)] for j in np.flatnonzero(cols))
        return max((self.outcome.values[name][key] for name, key in keys), default=0.0)

    def _solved(self, program: Program, changed: Flags | None) -> Found:
        """What was changed is restricted; None: rows were taken away, and no bound of the plan holds."""
        seconds = min(PATIENCE_SECONDS, (self.until - monotonic()) / max(self.questions, 1))
        self.questions -= 1
        ceiling = self.outcome.bound if changed is not None else None  # of what is restricted
        if seconds < LEAST_SECONDS or (self.cancel is not None and self.cancel.is_set()):
            return Found(None, ceiling, {}, LATE)
        options = {name: self.outcome.options[name] for name in ("gap", "threads", "seed")}
        asked: dict[str, Any] = {**options, "time_limit": seconds, "cancel": self.cancel}
        start = self.outcome.values if changed is None else self._elsewhere(changed)
        found = solve_program(program, start=start, **asked)
        method = {"optimal": SOLVED, "infeasible": FORBIDDEN}.get(found.status, PARTIAL)
        known = [bound for bound in (found.bound, ceiling) if bound is not None]
        bound = None if method == FORBIDDEN else min(known, default=None)
        if method == PARTIAL and (relative_gap(found.objective, bound) or 0.0) > FAR:
            return Found(None, bound, {}, method, found.seconds)
        return Found(found.objective, bound, found.values, method, found.seconds)

    def _elsewhere(self, changed: Flags) -> Values:
        """The whole numbers of the plan but those that share a narrow row with what is changed: where to start."""
        p = self.program
        inside, lengths = np.zeros(p.row_lower.size, bool), np.diff(p.start)
        inside[p.row_of[changed[p.index]]] = True
        near = changed.copy()
        near[p.index[(inside & (lengths <= WIDE * p.cost.size))[p.row_of]]] = True
        start: dict[str, dict[Any, float]] = {}
        for j in np.flatnonzero(p.integer & ~near):
            name, key = p.cols[int(j)]
            start.setdefault(name, {})[key] = self.outcome.values[name][key]
        return start


def _with_row(program: Program, cols: Ints, least: float) -> Program:
    """The program with one more row: the columns add up to at least that."""
    return replace(
        program,
        start=np.append(program.start, program.start[-1] + cols.size).astype(np.int32),
        index=np.append(program.index, cols).astype(np.int32),
        value=np.append(program.value, np.ones(cols.size)),
        row_lower=np.append(program.row_lower, least),
        row_upper=np.append(program.row_upper, np.inf),
        rows=(*program.rows, ("asked", ())),
    )


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
