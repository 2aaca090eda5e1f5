"""What the catalogue in `models/` says, as plain frozen data.

Units stand in the names. Every number also has a `Figure` in `figures`, with its source and grade, so
that whatever a plan shows can be traced to the line it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Precision = Literal["bf16", "fp8", "fp4", "int8", "int4"]
Grade = Literal["measured", "vendor", "analyst", "press", "assumed"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One published (or assumed) number: value in `unit`, where it is from, how good that source is."""

    value: float | str
    unit: str
    grade: Grade
    source: str
    as_of: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """One profile of a partitioned GPU (MIG, CPX): its own share of memory, bandwidth and compute."""

    name: str
    hbm_gb: float
    compute_share: float
    bandwidth_share: float


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A GPU as a planner buys it; dense TFLOP/s; kW at the wall including the node's share."""

    id: str
    name: str
    vendor: str
    hbm_gb: float  # nominal, 10^9 bytes
    usable_hbm_gb: float  # after the device's own reserve; runtime overhead is counted in the replica
    bandwidth_tb_s: float
    tflops: Mapping[str, float]  # by precision, dense
    tdp_w: float | None
    idle_kw: float  # per GPU at the wall, powered, nothing running
    op_kw: float  # per GPU at the wall, at full operating load
    gpus_per_node: int
    scale_up_domain: int  # GPUs that one replica may span
    cooling: Literal["air", "liquid"]
    slices: Mapping[str, Slice] = field(default_factory=dict)
    layouts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # layout -> slice name -> count
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AiModel:
    """A network to be served. Parameters in 10^9; KV in values per token, so that any cache precision applies."""

    id: str
    name: str
    params_b: float
    active_params_b: float
    layers: int
    experts: int  # 1 when dense
    experts_per_token: int  # 1 when dense
    attention: Literal["gqa", "mla"]
    kv_values_per_token: float  # GQA: 2 x kv_heads x head_dim x cached layers; MLA: (d_c + d_rope) x layers
    kv_heads: int  # tensor parallelism splits GQA caches at most this far; MLA not at all
    context_tokens: int
    precisions: tuple[str, ...]  # weight precisions it is served in, per published checkpoints or engines
    licence: str
    commercial_use: bool
    quality: Mapping[str, float]  # benchmark -> score in 0..1
    output_multiplier: float  # output tokens against the same task on a plain (not reasoning) model
    figures: Mapping[str, Figure] = field(default_factory=dict)
    kv_values_per_sequence: float = 0.0  # kept whatever the context: sliding windows, linear-attention states
    weights_gb: Mapping[str, float] = field(default_factory=dict)  # of published checkpoints, where not params x bytes


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured point of a serving engine: what ran, and the two times."""

    id: str
    model: str  # catalogue id of the AI model
    gpu: str  # catalogue id of the GPU model
    precision: str
    engine: str
    version: str
    tokens_in: int
    tokens_out: int
    concurrency: int
    gpus: int
    tensor_parallel: int
    expert_parallel: int
    data_parallel: int
    ttft_ms: float
    tpot_ms: float
    date: str
    source: str
    flag: str = ""  # remarks of the table, such as `ttft_over_10s`


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of `models/`, by id; the mappings read a file when it is first asked for."""

    gpus: Mapping[str, GpuModel]
    models: Mapping[str, AiModel]
    measurements: tuple[Measurement, ...]
