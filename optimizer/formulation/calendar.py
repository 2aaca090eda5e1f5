"""Time: periods with their hours, day parts with theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

Period = NewType("Period", str)
Part = NewType("Part", str)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods with their hours, day parts with theirs, and the discount factor of mid-period cash."""

    periods: tuple[Period, ...]
    hours: Mapping[Period, float]
    parts: tuple[Part, ...]
    part_hours: Mapping[tuple[Period, Part], float]
    discount: Mapping[Period, float]
