"""When a bound has nearly stopped moving, so that another way of proving is worth its beginning."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

WINDOW, AT_LEAST = 1 / 3, 5.0  # the last third of the time since the first bound, in seconds at least this
SLOW = 0.03  # of all progress since the first bound, made in that window


@dataclass
class Stall:
    """The bounds of one search as they are told."""

    _told: list[tuple[float, float]] = field(default_factory=list)

    def stalled(self, bound: float | None, now: float | None = None) -> bool:
        """Take in a bound; whether little of all progress was made lately."""
        if bound is None:
            return False
        now = time.monotonic() if now is None else now
        self._told.append((now, bound))
        began, first = self._told[0]
        since = now - max(WINDOW * (now - began), AT_LEAST)
        before = [told for at, told in self._told if at <= since]
        return bool(before) and abs(bound - before[-1]) <= SLOW * abs(bound - first)
