"""Ways to run an AI model on a pool: what a replica occupies, holds and draws, and what a task takes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from optimizer.catalogue.types import AiModel, Slice
from optimizer.resolve.tokens import PLAIN, Tokens, tokens
from optimizer.resolve.tools import on_model
from optimizer.resolve.types import Ground, Place, Tools, Use
from optimizer.speed.memory import Memory, resident_gb
from optimizer.speed.power import load_share, replica_kw


@dataclass(frozen=True, slots=True)
class Size:
    """What one replica occupies: whole GPUs, a slice of one, or a share of one that others reside on too."""

    name: str
    gpus: int
    share: float  # of a GPU, for counting
    part: Slice | None = None
    residents: int = 1


class Need(NamedTuple):
    """What a task takes, and what tools in use make of rate and memory."""

    tokens: Tokens
    throughput: float = 1.0
    hbm: float = 1.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run an AI model on a pool, before concurrency and context are chosen."""

    place: Place
    model: AiModel
    precision: str
    size: Size
    tools: Tools = ()  # without which it does not fit so: they change its memory
    hbm: float = 1.0  # by this factor

    @property
    def stem(self) -> str:
        """Start of the names of its deployments."""
        return f"{self.model.id}/{self.precision}x{self.size.name}"

    @property
    def ending(self) -> str:
        """End of the names of its deployments."""
        return with_tools(self.tools, self.hbm)

    @property
    def room_gb(self) -> float:
        """HBM that each of its GPUs, or its slice, has for it."""
        return self.size.part.hbm_gb if self.size.part else self.place.gpu.model.usable_hbm_gb

    def memory(self, concurrency: int, ceiling: int) -> Memory:
        """What a replica holds when every sequence stands at its ceiling."""
        sliced = self.size.part is not None
        plain = resident_gb(self.model, self.precision, self.size.gpus, concurrency, ceiling, sliced=sliced)
        if self.hbm == 1:
            return plain
        return replace(plain, total_gb=self.hbm * plain.total_gb, per_gpu_gb=self.hbm * plain.per_gpu_gb)


def needs_of(ground: Ground, w: str, model: AiModel) -> Iterator[tuple[Use, Need]]:
    """What a task takes on an AI model, plain and with tools, where the model's context holds it."""
    workflow, seen = ground.instance.workflows[w], set[Need]()
    for tools, effect in (((), PLAIN), *on_model(ground, w, model.id)):
        found = tokens(workflow, model.id, model.output_multiplier, effect)
        if found is not None and found.context <= model.context_tokens:
            need = Need(found, effect.throughput_factor, effect.hbm_factor)
            if not tools or need not in seen:
                yield Use(w, tools), need
            seen |= set() if tools else {need}


def with_tools(tools: Tools, hbm: float) -> str:
    """End of the name of a deployment whose memory is what tools make of it."""
    return f"/with-{'-'.join(tools)}-{hbm:g}" if tools else ""


def sizes(place: Place, grid: Iterable[int]) -> list[Size]:
    """What a replica may occupy on this pool."""
    if place.pool.sharing == "partitioned":
        return [Size(s.name, 1, s.compute_share, part=s) for s in place.slices.values()]
    if place.pool.sharing == "shared":
        most = place.pool.max_residents or 1
        return [Size(f"1of{most}", 1, 1 / most, residents=most)]
    return [Size(f"{g}g", g, float(g)) for g in sorted(grid)]


def power_kw(place: Place, size: Size, concurrency: float) -> tuple[float, float]:
    """kW of a replica without load and at its concurrency; on a shared GPU all of the GPU works while it does."""
    gpu = place.gpu.model
    if size.residents == 1:
        return replica_kw(gpu, size.gpus, concurrency, size.part)
    idle = gpu.idle_kw * size.share
    return idle, idle + (gpu.op_kw - gpu.idle_kw) * load_share(concurrency)
