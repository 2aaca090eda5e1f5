"""The physics of a decode step and of a first token, as named terms in milliseconds.

Each term is what perfect hardware would need, so a fitted multiplier says how far an engine is from it. TPOT is the sum of
`TPOT_TERMS`, TTFT of `TTFT_TERMS`; all terms grow with concurrency and context and none grows with bandwidth or peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, sqrt

from optimizer.catalogue.types import AiModel, GpuModel, Slice
from optimizer.speed.memory import CACHE_BYTES, WEIGHT_BYTES, cache_shards

TPOT_TERMS = ("weights", "cache", "compute", "launch", "prefill", "sync", "network")
TTFT_TERMS = ("prefill", "weights", "launch", "burst", "queue", "step", "request", "requests")

LINK_GB_S = 450.0  # one way between GPUs of a scale-up domain, NVLink 4; newer links are a fitted multiplier


@dataclass(frozen=True, slots=True)
class Point:
    """One replica at one load: what runs, on what, with which parallelism, concurrency and lengths."""

    model: AiModel
    gpu: GpuModel
    precision: str
    gpus: int
    concurrency: int
    tokens_in: float
    tokens_out: float
    data_parallel: int = 1  # attention replicas: then the cache is cut by request instead of by head
    part: Slice | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of both times in ms, and the HBM bytes (GB) and operations (GFLOP) behind them."""

    tpot: tuple[float, ...]
    ttft: tuple[float, ...]
    step_gb: float
    prefill_gb: float
    prefill_gflop: float
    step_gflop: float


def peak_tflops(gpu: GpuModel, precision: str) -> float:
    """Dense peak the matrix units reach; weights narrower than the hardware's own formats are multiplied in bf16."""
    if precision == "int4" or precision not in gpu.tflops:
        return gpu.tflops["bf16"]
    return gpu.tflops[precision]


def weights_read_b(model: AiModel, tokens: float) -> float:
    """Parameters (10^9) that a batch of tokens touches: shared layers, and the experts at least one token chose."""
    experts, chosen = model.experts, model.experts_per_token
    if experts <= chosen:
        return model.params_b
    expert = (model.params_b - model.active_params_b) / (experts - chosen)
    shared = model.active_params_b - chosen * expert
    return shared + experts * expert * (1.0 - (1.0 - chosen / experts) ** tokens)


def terms(p: Point) -> Terms:
    """All terms of one point; the context is its mean over the generation."""
    m, g = p.model, p.gpus
    bandwidth = g * p.gpu.bandwidth_tb_s * (p.part.bandwidth_share if p.part else 1.0)  # GB a ms
    peak = g * peak_tflops(p.gpu, p.precision) * (p.part.compute_share if p.part else 1.0)  # GFLOP a ms
    width = 1e4 * sqrt(m.active_params_b * 10 / (12 * m.layers))  # hidden size, near enough for every catalogue model
    byte = WEIGHT_BYTES[p.precision]
    n, context = p.concurrency, p.tokens_in + p.tokens_out / 2
    copies = g / max(cache_shards(m, g), min(p.data_parallel, g))
    cache_gb = n * context * m.kv_values_per_token * CACHE_BYTES * copies / 1e9
    weights_gb = weights_read_b(m, n) * byte
    attention = 4 * width * m.layers / 1e9  # GFLOP for a token and a token it attends to
    step_gflop = n * (2 * m.active_params_b + attention * context)
    prefill_gflop = p.tokens_in * (2 * m.active_params_b + attention * p.tokens_in / 2)
    prefill_gb = weights_read_b(m, p.tokens_in) * byte
    prefill = prefill_gflop / peak
    split = 1 if g > 1 else 0
    sync = m.layers * log2(g) * 0.01
    network = split * n * m.layers * width * 4 * (g - 1) / g / (LINK_GB_S * 1e6)
    weights, cache, compute, launch = weights_gb / bandwidth, cache_gb / bandwidth, step_gflop / peak, m.layers * 0.05
    tpot = (weights, cache, compute, launch, n * prefill / p.tokens_out, sync, network)
    step = weights + cache + launch + sync
    duty = n * prefill / (prefill + p.tokens_out * step)
    ttft = (prefill, prefill_gb / bandwidth, launch, (n - 1) * prefill, duty * prefill, step, 10.0, n * 1.0)
    return Terms(tpot, ttft, weights_gb + cache_gb, prefill_gb, prefill_gflop, step_gflop)
