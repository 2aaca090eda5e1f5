"""How far a solve has come, told to whoever asks while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a solve; None where nothing is known yet."""

    seconds: float
    best: float | None
    bound: float | None
    gap: float | None  # see relative_gap


Listener = Callable[[Progress], None]


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """|bound - objective| / max(|objective|, 1), so that it means something near zero too."""
    if objective is None or bound is None:
        return None
    return abs(bound - objective) / max(abs(objective), 1.0)
