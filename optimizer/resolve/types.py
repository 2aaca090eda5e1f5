"""What resolving passes from step to step: deployments before they are placed, and their speed for each workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from optimizer.catalogue.types import Slice
from optimizer.formulation.data import Data
from optimizer.instance.calendar import Calendar
from optimizer.instance.schema import Effect, Instance, Pool, RackClass, Site
from optimizer.resolve.clock import Clock
from optimizer.resolve.defaults import Settings
from optimizer.resolve.gpus import Gpu
from optimizer.resolve.models import Models

Tools = tuple[str, ...]


class Use(NamedTuple):
    """A workflow on a source, plain or with tools in use."""

    workflow: str
    tools: Tools = ()

    @property
    def suffix(self) -> str:
        """What the tools add to the name of the source."""
        return "".join(f"+{tool}" for tool in self.tools)


class Drop(NamedTuple):
    """Why a candidate cannot serve: the stage at which it fell, in words, its value and the limit it missed."""

    stage: str
    reason: str
    value: float | str | None = None
    limit: float | str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One workflow's tasks on one replica, per attempt; factors say how far the times may lie from those stated."""

    tasks_per_hour: float
    bytes_gb: float
    tflop: float
    ttft_ms: float | None
    tpot_ms: float | None
    ttft_range: tuple[float, float]
    tpot_range: tuple[float, float]
    grade: str
    bound_by: str
    basis: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A way to run an AI model on a GPU model, and what it would do for each workflow that it may serve."""

    id: str
    name: str  # the id without the GPU model
    model: str
    gpu: str
    precision: str
    gpus: float
    slice: str | None
    concurrency: int
    context_tokens: int  # 0: no ceiling stated
    hbm_gb: float
    idle_kw: float
    op_kw: float
    availability: float
    keep: bool
    quality: Mapping[str, float]  # scores stated with the deployment, beside the AI model's own
    work: Mapping[Use, Work]
    constant: tuple[tuple[str, ...], ...] = ()  # groups of periods with the same replicas
    resources: Mapping[str, float] = field(default_factory=dict)  # of further resources, per replica


@dataclass(frozen=True)
class Place:
    """A pool with everything that decides what may stand on it."""

    id: str
    pool: Pool
    site: Site
    gpu: Gpu
    slices: Mapping[str, Slice]
    layouts: Mapping[str, Mapping[str, int]]
    rack: RackClass | None = None

    @property
    def node(self) -> int:
        """GPUs powered together."""
        return self.pool.node or self.gpu.model.gpus_per_node

    @property
    def domain(self) -> int:
        """GPUs that one replica may span; a node smaller than the model's usual one also cuts its domain."""
        usual = self.gpu.model
        if usual.scale_up_domain > usual.gpus_per_node:
            return usual.scale_up_domain
        return min(usual.scale_up_domain, self.node)


@dataclass(frozen=True)
class Ground:
    """What every step of resolving reads."""

    instance: Instance
    calendar: Calendar
    settings: Settings
    places: Mapping[str, Place]
    models: Models

    @cached_property
    def clock(self) -> Clock:
        """Dates of the horizon and what money at them is worth."""
        return Clock.of(self.calendar, self.instance.horizon.discount_rate)

    @cached_property
    def effects(self) -> tuple[tuple[Tools, tuple[Effect, ...]], ...]:
        """Tools, alone or as a declared set, with what they change where they are used, if anything."""
        alone = (((name,), spec.effects) for name, spec in self.instance.tools.items())
        together = ((tuple(sorted(each.tools)), each.effects) for each in self.instance.tool_sets)
        return tuple((tools, effects) for tools, effects in (*alone, *together) if effects)

    @property
    def catalogued(self) -> bool:
        """Whether deployments are generated, or only those stated are used."""
        return self.instance.catalogue == "builtin"


@dataclass(frozen=True)
class Resolution:
    """The numbers of the program, and the instance in which every one of them is stated."""

    data: Data
    document: Mapping[str, Any] = field(repr=False)
