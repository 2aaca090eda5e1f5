"""The physics of a decode step and of a first token, as named terms in milliseconds.

Each term is what ideal hardware (or a round number of overhead) would need, so a fitted multiplier says how far an
engine is from it. TPOT is the sum of `TPOT_TERMS`, TTFT of `TTFT_TERMS`; no term falls with concurrency or context, or
rises with bandwidth or peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, sqrt

from optimizer.catalogue.types import AiModel, GpuModel, Slice
from optimizer.speed.memory import CACHE_BYTES, WEIGHT_BYTES, cache_shards

TPOT_TERMS = ("weights", "cache", "compute", "launch", "prefill", "sync", "network", "batch", "chunk")
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
    cached_in: float = 0.0  # input tokens whose cache is there: read at every step, never computed


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
    return float(gpu.tflops[precision])


def weights_read_b(model: AiModel, tokens: float) -> float:
    """Parameters (10^9) that a batch of tokens touches: shared layers, and the experts at least one token chose."""
    experts, chosen = model.experts, model.experts_per_token
    if experts <= chosen:
        return model.params_b
    expert = (model.params_b - model.active_params_b) / (experts - chosen)
    shared = model.active_params_b - chosen * expert
    touched: float = 1.0 - (1.0 - chosen / experts) ** tokens
    return shared + experts * expert * touched


def terms(p: Point) -> Terms:
    """All terms of one point; the context is its mean over the generation."""
    m, g, n = p.model, p.gpus, p.concurrency
    bandwidth = g * p.gpu.bandwidth_tb_s * (p.part.bandwidth_share if p.part else 1.0)  # GB a ms
    peak = g * peak_tflops(p.gpu, p.precision) * (p.part.compute_share if p.part else 1.0)  # GFLOP a ms
    width = hidden_width(m)
    byte, context = WEIGHT_BYTES[p.precision], p.tokens_in + p.tokens_out / 2
    copies = g / max(cache_shards(m, g), min(p.data_parallel, g))
    cache_gb = n * context * m.kv_values_per_token * CACHE_BYTES * copies / 1e9
    weights_gb, prefill_gb = weights_read_b(m, n) * byte, weights_read_b(m, p.tokens_in - p.cached_in) * byte
    attention = 4 * width * m.layers / 1e9  # GFLOP for one token and one that it attends to
    step_gflop = n * (2 * m.active_params_b + attention * context)
    fresh, seen = p.tokens_in - p.cached_in, (p.tokens_in + p.cached_in) / 2  # tokens to compute, and context of each
    prefill_gflop = fresh * (2 * m.active_params_b + attention * seen)
    weights, cache, launch, sync = (
        weights_gb / bandwidth,
        cache_gb / bandwidth,
        0.05 * m.layers,
        0.01 * m.layers * log2(g),
    )
    prefill, reread, joins = prefill_gflop / peak, prefill_gb / bandwidth, n / p.tokens_out
    network = n * m.layers * width * 4 * (g - 1) / g / (LINK_GB_S * 1e6)
    step = weights + cache + launch + sync
    duty = n * prefill / (prefill + p.tokens_out * step)
    return Terms(
        (weights, cache, step_gflop / peak, launch, joins * prefill, sync, network, 0.01 * n, joins * reread),
        (prefill, reread, launch, (n - 1) * prefill, duty * prefill, step, 10.0, 1.0 * n),
        weights_gb + cache_gb,
        prefill_gb,
        prefill_gflop,
        step_gflop,
    )


def hidden_width(model: AiModel) -> float:
    """Hidden size from 12 x layers x width^2 active parameters: within a fifth for the catalogue's models."""
    return sqrt(model.active_params_b * 1e9 / (12 * model.layers))
