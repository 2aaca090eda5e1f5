"""Illustrative GPU types and AI models, and how fast one runs on the other: a step-time model in four terms.

The figures have the magnitudes of products on the market but are none of them; the catalogue is not used, so that an
instance stays the same when a figure in the catalogue is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from benchmarks.generator.chance import Chance, rounded

BYTES = {"fp8": 1.0, "bf16": 2.0}
CONCURRENCY = (8, 32, 128, 512)
CEILING = 8192  # tokens of the longest task a replica is laid out for
OVERHEAD_GB = 1.5  # per GPU or slice
SLICES = {"full": 1.0, "half": 0.5, "quarter": 0.25}
LAYOUTS = {
    "full": {"full": 1},
    "halves": {"half": 2},
    "mixed": {"half": 1, "quarter": 2},
    "quarters": {"quarter": 4},
}


class GpuType(NamedTuple):
    """A GPU; `cut` into slices or taken whole. kW at the wall, TFLOP/s in bf16."""

    hbm_gb: float
    tb_s: float
    tflops: float
    idle_kw: float
    op_kw: float
    usd_per_hour: float  # all in: what a planner would compare an API with
    cut: bool = False

    @property
    def usable_gb(self) -> float:
        """Less the device's own reserve."""
        return rounded(0.95 * self.hbm_gb)

    @property
    def parallel(self) -> tuple[float, ...]:
        """GPUs that a replica may take."""
        return (0.25, 0.5, 1.0) if self.cut else (1.0, 2.0, 4.0, 8.0)


GPUS = {
    "g48": GpuType(48, 0.86, 360, 0.10, 0.45, 0.9),
    "g80a": GpuType(80, 2.0, 310, 0.14, 0.62, 1.4, cut=True),
    "g80h": GpuType(80, 3.35, 990, 0.25, 1.10, 2.4),
    "g96": GpuType(96, 1.6, 500, 0.15, 0.75, 1.3, cut=True),
    "g141": GpuType(141, 4.8, 990, 0.27, 1.15, 3.0),
    "g180": GpuType(180, 8.0, 2250, 0.35, 1.60, 4.6),
    "g192": GpuType(192, 5.3, 1300, 0.30, 1.20, 2.7),
    "g288": GpuType(288, 8.0, 2300, 0.40, 1.80, 5.4),
}


class AiModel(NamedTuple):
    """A network: parameters in 10^9, in all and active per token; bytes of KV cache per token."""

    params_b: float
    active_b: float
    kv_kb: float


CLASSES = (
    AiModel(3, 3, 57), AiModel(8, 8, 66), AiModel(14, 14, 82), AiModel(30, 3, 49), AiModel(32, 32, 131),
    AiModel(120, 5, 37), AiModel(70, 70, 164), AiModel(106, 12, 94), AiModel(235, 22, 94), AiModel(671, 37, 35),
)  # fmt: skip  # from the least able to the most


def ai_models(count: int, chance: Chance) -> dict[str, AiModel]:
    """AI models spread evenly over the classes, from the least able to the most."""
    found: dict[str, AiModel] = {}
    for i in range(count):
        like = CLASSES[i * len(CLASSES) // count if count > len(CLASSES) else round(i * 9 / max(count - 1, 1))]
        size = chance.between(0.85, 1.15)
        found[f"model-{i + 1:02d}"] = AiModel(*(rounded(size * figure) for figure in like))
    return found


@dataclass(frozen=True, slots=True, order=True)
class Config:
    """One way to run an AI model on a GPU type."""

    model: str
    gpu: str
    precision: str
    gpus: float
    concurrency: int

    @property
    def slot(self) -> str | None:
        """Kind of slice it takes where GPUs are cut."""
        return next(s for s, share in SLICES.items() if share == self.gpus) if GPUS[self.gpu].cut else None

    @property
    def name(self) -> str:
        """As a planner would call it."""
        size = self.slot or f"{self.gpus:g}g"
        return f"{self.gpu}/{self.model}/{self.precision}x{size}/c{self.concurrency}"

    def hbm_gb(self, model: AiModel) -> float:
        """Weights, overhead, and the KV cache of every sequence at the ceiling."""
        cache = self.concurrency * CEILING * model.kv_kb / 1e6
        return rounded(model.params_b * BYTES[self.precision] + max(self.gpus, 1.0) * OVERHEAD_GB + cache)

    def fits(self, model: AiModel) -> bool:
        """Whether its GPUs or its slice hold it."""
        return self.hbm_gb(model) <= 0.99 * self.gpus * GPUS[self.gpu].usable_gb

    def step_ms(self, model: AiModel, context: float) -> float:
        """Time between two tokens: weights and caches read, arithmetic done, and what talking to each other takes."""
        gpu = GPUS[self.gpu]
        share = model.active_b / model.params_b
        touched = model.params_b * (1 - (1 - share) ** self.concurrency) * BYTES[self.precision]
        read = (touched + self.concurrency * context * model.kv_kb / 1e6) / (0.7 * gpu.tb_s * self.gpus)
        work = 2 * model.active_b * self.concurrency / (0.5 * gpu.tflops * self.gpus)
        return read + work + 3.0 + 1.5 * sqrt(max(self.gpus - 1, 0))

    def tasks_per_hour(self, model: AiModel, tokens_in: float, tokens_out: float) -> float:
        """Of one replica: prompts read at half the peak, then steps shared by all sequences in flight."""
        gpu = GPUS[self.gpu]
        prompt_ms = 2 * model.active_b * tokens_in / (0.5 * gpu.tflops * self.gpus)
        step = self.step_ms(model, tokens_in + tokens_out / 2)
        return rounded(3.6e6 / (prompt_ms + tokens_out * step / self.concurrency))


def configs(name: str, model: AiModel, gpu: str) -> list[Config]:
    """Every way to run an AI model on a GPU type that fits."""
    every = (
        Config(name, gpu, precision, gpus, concurrency)
        for precision in BYTES
        for gpus in GPUS[gpu].parallel
        for concurrency in CONCURRENCY
    )
    return [c for c in every if c.fits(model)]
