"""One checked row, and what a check of many of them amounts to.

A row is violated when it is off by more than 1e-6 of its own scale, and never less than 1e-6 of its unit. The
solver works to 1e-7 on columns of mixed size and the plan is then cleaned, so that true plans stay two digits
inside; a millionth of a task, a GPU, a gigabyte, a kilowatt or a dollar is less than anything a planner can
act on, and less than the rounding of sums of a million terms never reaches it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf, isfinite
from typing import Literal

TOLERANCE = 1e-6
FLOOR = 1.0  # of the scale, in the row's unit

Sense = Literal["<=", ">=", "=="]


@dataclass(frozen=True, slots=True)
class Row:
    """`value sense limit`, recomputed from the instance; `key` as in `family[key]`, the period among its parts."""

    family: str
    key: tuple[str, ...]
    period: str
    value: float
    sense: Sense
    limit: float
    scale: float = 0.0  # what the row is about where both sides may be zero: demand, gross cash
    text: str = ""

    @property
    def excess(self) -> float:
        """By how much the row is broken, relative to its scale; 0 when it holds."""
        if not (isfinite(self.value) and isfinite(self.limit)):
            return inf
        over = self.value - self.limit
        broken = {"<=": over, ">=": -over, "==": abs(over)}[self.sense]
        return max(0.0, broken) / max(abs(self.value), abs(self.limit), self.scale, FLOOR)


@dataclass(frozen=True, slots=True)
class Violation:
    """A row that does not hold, in words."""

    family: str
    row: str
    period: str
    value: float
    limit: float
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What the check of a plan found. `skipped`: rows that the plan says were dropped."""

    checked_rows: int
    worst_violation: float  # relative to the scale of its row
    passed: bool
    violations: tuple[Violation, ...]
    rows_by_family: dict[str, int]
    skipped_by_family: dict[str, int]


def judge(rows: Iterable[Row], drop: Sequence[str]) -> Verification:
    """Hold every row to the tolerance, but for those dropped by name."""
    checked, skipped = Counter[str](), Counter[str]()
    worst, violations = 0.0, []
    for row in rows:
        if is_dropped(row.family, row.key, drop):
            skipped[row.family] += 1
            continue
        checked[row.family] += 1
        excess = row.excess
        worst = max(worst, excess)
        if excess > TOLERANCE:
            violations.append(_violation(row))
    return Verification(checked.total(), worst, not violations, tuple(violations), dict(checked), dict(skipped))


def is_dropped(family: str, key: Sequence[str], drop: Iterable[str]) -> bool:
    """Whether a pattern, `family` or `family[a,*]`, names this row or one that it sums up."""
    for pattern in drop:
        head, _, inside = pattern.partition("[")
        wanted = [part.strip() for part in inside.removesuffix("]").split(",")] if inside else []
        if head == family and all(fnmatchcase(part, want) for part, want in zip(key, wanted, strict=False)):
            return True
    return False


def _violation(row: Row) -> Violation:
    name = ",".join(row.key)
    text = f"{row.family}[{name}]: {row.value:.9g}, must be {row.sense} {row.limit:.9g}"
    return Violation(row.family, name, row.period, row.value, row.limit, f"{text} ({row.text})" if row.text else text)
