"""What becomes of one handled task: attempts made, share of good output, expected liability, human review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from optimizer.instance.schema import Workflow
from optimizer.resolve.tokens import DEFAULT

MINUTES_PER_HOUR = 60.0


class Outcome(NamedTuple):
    """Per handled task; figures of one attempt times `attempts` are those of the task."""

    attempts: float
    good: float
    liability_usd: float
    review_hours: float


def outcome(w: Workflow, source: str) -> Outcome:
    """Bad output is tried again as often as the workflow says, each time with the yield of this AI model or API."""
    share = _of(w.yield_, source, 1.0)
    good = 1 - (1 - share) ** (w.retries + 1)
    seen = _of(w.review.share, source, 0.0) * w.review.minutes / MINUTES_PER_HOUR if w.review else 0.0
    return Outcome(good / share, good, w.bad_usd * (1 - good), seen)


def _of(shares: Mapping[str, float] | None, source: str, otherwise: float) -> float:
    return (shares or {}).get(source, (shares or {}).get(DEFAULT, otherwise))
