"""What is known of how fast one replica runs one workflow's tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SpeedGrade = Literal["user", "measured", "calibrated", "modelled"]
BoundBy = Literal["bandwidth", "hbm", "compute", "latency"]


@dataclass(frozen=True, slots=True)
class Speed:
    """Times of one replica at its concurrency, for tasks of given lengths.

    `low` and `high` are factors on TPOT and TTFT: nine times in ten the truth lies within
    [value x low, value x high]. `basis` says in words what the figure rests on.
    """

    ttft_ms: float
    tpot_ms: float
    ttft_low: float
    ttft_high: float
    tpot_low: float
    tpot_high: float
    bound_by: BoundBy
    grade: SpeedGrade
    basis: str
    bytes_per_task: float  # HBM bytes moved for one task (all GPUs of the replica together)
    flops_per_task: float

    def tasks_per_hour(self, concurrency: int, tokens_out: float) -> float:
        """Tasks one always-full replica completes in an hour."""
        seconds = (self.ttft_ms + max(tokens_out - 1, 0) * self.tpot_ms) / 1000
        return concurrency * 3600 / seconds
