"""Chance that repeats: the same seed gives the same figures on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")
DIGITS = 6


class Chance(Random):
    """A stream of random figures, rounded so that the last bits of a logarithm do not matter."""

    def spread(self, middle: float, sigma: float) -> float:
        """Around a median, log-normal."""
        return rounded(middle * self.lognormvariate(0.0, sigma))

    def between(self, low: float, high: float) -> float:
        """Anywhere between two figures."""
        return rounded(self.uniform(low, high))

    def odds(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random() < share

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """So many of them, in their own order; all, if there are no more."""
        picked = sorted(self.sample(range(len(things)), min(count, len(things))))
        return [things[i] for i in picked]


def rounded(value: float) -> float:
    """Six significant digits."""
    return float(f"{value:.{DIGITS}g}")
