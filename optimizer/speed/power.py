"""What one replica draws, idle and at its concurrency."""

from __future__ import annotations

from itertools import pairwise
from math import log2

from optimizer.catalogue.types import GpuModel, Slice

LOAD_W = ((1, 304.0), (4, 330.0), (16, 435.0), (32, 507.0), (64, 557.0), (128, 583.0))
"""W of one H100 SXM (700 W TDP) by batch: vllm-sr-sim's fitted curve; ML.ENERGY measured 300 and 600 at the ends."""

IDLE_W = 0.43 * 700


def load_share(concurrency: float) -> float:
    """Share of the way from idle to full operating power at a batch, 0 without work and 1 from batch 128 on."""
    if concurrency <= 0:
        return 0.0
    last_batch, full = LOAD_W[-1]
    at = min(max(log2(concurrency), 0.0), log2(last_batch))
    for (left, low), (right, high) in pairwise(LOAD_W):
        if at <= log2(right):
            watts = low + (high - low) * (at - log2(left)) / (log2(right) - log2(left))
            return (watts - IDLE_W) / (full - IDLE_W)
    return 1.0


def replica_kw(gpu: GpuModel, gpus: int, concurrency: float, part: Slice | None = None) -> tuple[float, float]:
    """Kilowatts at the wall of one replica without work and at its concurrency; a slice counts by its share of compute.

    The batch counts whole: under tensor parallelism every GPU works on every sequence.
    """
    size = gpus * (part.compute_share if part else 1.0)
    idle = size * gpu.idle_kw
    return idle, idle + size * (gpu.op_kw - gpu.idle_kw) * load_share(concurrency)
