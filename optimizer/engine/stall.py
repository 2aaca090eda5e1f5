"""When a bound has nearly stopped moving, and there is time for another way of proving."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

WINDOW, AT_LEAST = 1 / 3, 5.0  # the last third of the time since the first bound, in seconds at least this
SLOW = 0.03  # of all progress since the first bound, made in that window
BEGINNING = 20.0  # times what came before the first bound, which another solver needs to overtake


@dataclass
class Stall:
    """The bounds of one search that has until a deadline, as they are told."""

    deadline: float  # on the monotonic clock
    began: float = field(default_factory=time.monotonic)
    _told: list[tuple[float, float]] = field(default_factory=list)

    def stalled(self, bound: float | None, now: float | None = None) -> bool:
        """Take in a bound; whether little of all progress was made lately, and enough time is left."""
        if bound is None:
            return False
        now = time.monotonic() if now is None else now
        self._told.append((now, bound))
        begun, first = self._told[0]
        since = now - max(WINDOW * (now - begun), AT_LEAST)
        before = [told for at, told in self._told if at <= since]
        pays = self.deadline - now >= BEGINNING * (begun - self.began)
        return pays and bool(before) and abs(bound - before[-1]) <= SLOW * abs(bound - first)
