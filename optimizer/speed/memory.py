"""What one replica keeps resident in HBM."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.catalogue.types import AiModel, GpuModel, Slice

WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.03, "int8": 1.03, "fp4": 0.60, "int4": 0.58}
"""Bytes a parameter, scales and the unquantised layers included, as published checkpoints weigh: Llama-70B-FP8 72.7 GB
of 70.6 B parameters, DeepSeek-R1-NVFP4 about 0.6. Derived."""

CACHE_BYTES = 2.0
"""Engines keep the cache in bf16 unless told otherwise: fp8 weights do not imply an fp8 cache."""

RUNTIME_GB = 3.5
NCCL_GB = 0.35
SLICE_RUNTIME_GB = 1.5
"""Context, activations and graphs of a whole GPU, and buffers of collectives (NVIDIA aiconfigurator system files:
3.5 GB other, 342-392 MB NCCL); a partition slice captures smaller batches (assumed)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """HBM of a whole replica, and what its fullest GPU must hold, in 10^9 bytes."""

    weights_gb: float
    overhead_gb: float
    kv_gb: float
    total_gb: float
    per_gpu_gb: float


def cache_shards(model: AiModel, gpus: int) -> int:
    """Parts into which tensor parallelism cuts the cache: by KV heads under GQA, not at all under MLA."""
    return 1 if model.attention == "mla" else min(gpus, model.kv_heads)


def resident_gb(
    model: AiModel, precision: str, gpus: int, concurrency: int, context: float, *, sliced: bool = False
) -> Memory:
    """Weights, runtime and the cache of `concurrency` sequences that all stand at the context ceiling.

    Where the cache cannot be cut over all GPUs its parts are held several times, and are counted so.
    """
    weights = model.params_b * WEIGHT_BYTES[precision]
    overhead = gpus * ((SLICE_RUNTIME_GB if sliced else RUNTIME_GB) + (NCCL_GB if gpus > 1 else 0.0))
    copies = gpus / cache_shards(model, gpus)
    kv = concurrency * context * model.kv_values_per_token * CACHE_BYTES * copies / 1e9
    total = weights + overhead + kv
    return Memory(weights, overhead, kv, total, total / gpus)


def fits(memory: Memory, gpu: GpuModel, part: Slice | None = None) -> bool:
    """Every GPU (or slice) of the replica holds its share."""
    usable = gpu.usable_hbm_gb if part is None else part.hbm_gb
    return memory.per_gpu_gb <= usable
