"""Money that is known to lie between two ends, and how it was found out."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any, NamedTuple

POINT = 1e-6  # relative width below which an interval is a point


class Interval(NamedTuple):
    """The truth lies in [low, high]; either end may be infinite."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """How much is not known."""
        return self.high - self.low if isfinite(self.low) and isfinite(self.high) else inf

    @property
    def middle(self) -> float:
        """A single figure to rank by."""
        return (self.low + self.high) / 2 if self.width < inf else self.low if isfinite(self.low) else self.high

    @property
    def positive(self) -> bool:
        """Certainly more than nothing."""
        return self.low > 0.0

    def at_least(self, least: float) -> Interval:
        """Cut off below by what is known otherwise."""
        return Interval(max(self.low, least), max(self.high, least))

    def times(self, factor: float) -> Interval:
        """Scaled by a number; a negative one turns it round."""
        ends = (self.low * factor, self.high * factor)
        return Interval(min(ends) + 0.0, max(ends) + 0.0)  # no minus zero

    def beyond(self, noise: float) -> Interval:
        """Ends that are rounding of nothing are nothing."""
        return Interval(*(0.0 if abs(end) <= noise else end for end in self))

    def json(self) -> list[float | None]:
        """Ends for a document; null where nothing is known."""
        return [end if isfinite(end) else None for end in self]


class Evidence(NamedTuple):
    """How a figure was found: the method, the solves behind it and the seconds they took."""

    method: str
    solves: int
    seconds: float

    def json(self) -> dict[str, Any]:
        """For a document."""
        return {"method": self.method, "solves": self.solves, "seconds": round(self.seconds, 3)}


def difference(more: Interval, less: Interval) -> Interval:
    """What separates two optima of which each is only known to lie in its interval."""
    return Interval(_minus(more.low, less.high), _minus(more.high, less.low))


def _minus(a: float, b: float) -> float:
    return a if a in (inf, -inf) else a - b
