"""Dates of the horizon in years from its start, and the present value of cash at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

from optimizer.formulation.data import Period
from optimizer.instance.calendar import HOURS_PER_YEAR, Calendar


@dataclass(frozen=True, slots=True)
class Clock:
    """Where each period begins and ends, in years of 8,760 h; `middle` is the factor of cash during a period."""

    periods: tuple[Period, ...]
    span: Mapping[Period, tuple[float, float]]
    middle: Mapping[Period, float]
    rate: float  # discount rate per year

    @classmethod
    def of(cls, calendar: Calendar, rate: float) -> Clock:
        """The clock of a calendar."""
        periods = tuple(Period(t) for t in calendar.periods)
        dates = accumulate((calendar.hours[t] / HOURS_PER_YEAR for t in periods), initial=0.0)
        spans = dict(zip(periods, pairwise(dates), strict=True))
        return cls(periods, spans, {t: calendar.discount[t] for t in periods}, rate)

    @property
    def end(self) -> float:
        """Length of the horizon in years."""
        return self.span[self.periods[-1]][1]

    def start(self, t: Period) -> float:
        """Years from the start of the horizon to that of a period."""
        return self.span[t][0]

    def present_value(self, years: float) -> float:
        """Factor of cash at a date."""
        return float((1 + self.rate) ** -years)

    def later(self, t: Period, by: int) -> Period | None:
        """The period so many later; None beyond the horizon."""
        at = self.periods.index(t) + by
        return self.periods[at] if at < len(self.periods) else None

    def since(self, t: Period, most: int | None = None) -> tuple[Period, ...]:
        """That period and those after it, at most so many in all."""
        rest = self.periods[self.periods.index(t) :]
        return rest if most is None else rest[:most]
