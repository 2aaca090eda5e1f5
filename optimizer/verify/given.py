"""What every reader of an instance needs: figures that must be stated, numbers by period, places and laws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from optimizer.instance.by_period import ByPeriod
from optimizer.instance.calendar import Calendar
from optimizer.verify.facts import Time

T = TypeVar("T")


class Unresolved(ValueError):
    """A figure that a resolved instance states and this one does not."""


def stated(value: T | None, where: str, name: str) -> T:
    """A figure that must be there."""
    if value is None:
        raise Unresolved(f"{where} states no {name}; the resolved instance of a plan states every figure")
    return value


def laid(given: ByPeriod, time: Calendar | Time, times: float = 1.0) -> dict[str, float]:
    """A number for each period, in another unit."""
    return {t: times * n for t, n in zip(time.periods, given.resolve(time.periods), strict=True)}


def lies_in(place: str, law: str) -> bool:
    """Whether a law holds at a place: US-VA counts as within US."""
    return place == law or place.startswith(f"{law}-")


def among(names: Iterable[str] | None, everything: Iterable[str]) -> tuple[str, ...]:
    """The names given, or all."""
    return tuple(everything if names is None else names)
