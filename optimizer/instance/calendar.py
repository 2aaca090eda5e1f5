"""Periods with their hours, day parts with theirs, and what money at mid-period is worth today."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.instance.schema import Horizon, Instance

MONTHS = {"month": 1, "quarter": 3, "year": 12}
STARTS = {"month": "2027-01", "quarter": "2027Q1", "year": "2027"}
_ID = {"month": r"(\d{4})-(0[1-9]|1[0-2])", "quarter": r"(\d{4})Q([1-4])", "year": r"(\d{4})()"}
FIRST_YEAR, LAST_YEAR = 1000, 9999
WHOLE_DAY = "day"
HOURS_PER_YEAR = 8760.0


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods in order; hours of each; hours of each day part; discount factor of mid-period cash."""

    periods: tuple[str, ...]
    hours: dict[str, float]
    parts: tuple[str, ...]
    part_hours: dict[tuple[str, str], float]
    discount: dict[str, float]

    def shift(self, period: str, by: int) -> str | None:
        """The period so many later (earlier if negative), or None beyond the horizon."""
        at = self.periods.index(period) + by
        return self.periods[at] if 0 <= at < len(self.periods) else None


def calendar(instance: Instance) -> Calendar:
    """The calendar of an instance that has been checked."""
    horizon = instance.horizon
    hours = dict(spans(horizon))
    day = instance.day_parts or {WHOLE_DAY: 24.0}
    part_hours = {(t, b): hours[t] * length / 24 for t in hours for b, length in day.items()}
    return Calendar(tuple(hours), hours, tuple(day), part_hours, _discount(hours, horizon.discount_rate))


def spans(horizon: Horizon) -> Iterator[tuple[str, float]]:
    """Each period's id and hours; quarters, months and years by the calendar, leap days counted."""
    if not isinstance(horizon.periods, int):
        for period in horizon.periods:
            yield period.id, period.hours if period.hours is not None else (period.seconds or 0.0) / 3600
        return
    first = month_of(horizon.start or "", horizon.unit)
    if first is None:
        raise ValueError(f"horizon starts at {horizon.start!r}, which is no {horizon.unit}")
    step = MONTHS[horizon.unit]
    for month in range(first, first + step * horizon.periods, step):
        yield _name(month, horizon.unit), (_day(month + step) - _day(month)).days * 24.0


def month_of(period: str, unit: str) -> int | None:
    """Months since year 0 at which a period begins; None where the id is not of this unit."""
    found = re.fullmatch(_ID[unit], period)
    return int(found[1]) * 12 + (int(found[2] or 1) - 1) * MONTHS[unit] if found else None


def _name(month: int, unit: str) -> str:
    year, rest = divmod(month, 12)
    return {"month": f"{year}-{rest + 1:02}", "quarter": f"{year}Q{rest // 3 + 1}", "year": f"{year}"}[unit]


def _day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _discount(hours: dict[str, float], rate: float) -> dict[str, float]:
    """(1 + rate) to the power of minus the years from the start to mid-period, of 8,760 h each."""
    factors, elapsed = {}, 0.0
    for period, length in hours.items():
        factors[period] = (1 + rate) ** -((elapsed + length / 2) / HOURS_PER_YEAR)
        elapsed += length
    return factors
