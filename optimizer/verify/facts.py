"""What an instance says, as the check needs it: read once more from the file, apart from what the program used.

Canonical units: GPU, GB, kW, kWh, hour, task, token, money of the instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ByPeriod = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Time:
    """Periods and day parts with their hours; `discount` of cash at mid-period."""

    periods: tuple[str, ...]
    hours: ByPeriod
    parts: tuple[str, ...]
    part_hours: Mapping[tuple[str, str], float]
    discount: ByPeriod


@dataclass(frozen=True, slots=True)
class Site:
    """Where power is bought: kW at the meter (None: no limit), PUE, money per kWh."""

    jurisdiction: str
    cooling: tuple[str, ...]
    power_kw: ByPeriod | None
    pue: float
    usd_per_kwh: ByPeriod
    nameplate: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """Identical GPUs at a site; rates are per GPU with the usable share applied."""

    site: str
    gpu_names: frozenset[str]  # what a deployment or a workflow may call its GPU
    count: ByPeriod
    node: int
    domain: int  # GPUs that one replica may span
    idle_kw: float
    cooling: str
    usable_gb: float
    gb_per_s: float
    tflop_per_s: float
    sharing: str
    max_residents: int | None
    layouts: Mapping[str, Mapping[str, int]]
    slot_gb: Mapping[str, float]
    slot_gpus: Mapping[str, float]  # part of a GPU that a slot is
    running: ByPeriod  # money per GPU-hour
    lease: ByPeriod
    paid_when_powered: bool


@dataclass(frozen=True, slots=True)
class Speed:
    """One workflow on one deployment; times at the pessimistic end of their interval."""

    tasks_per_hour: float
    ttft_ms: float | None
    tpot_ms: float | None
    gb_per_task: float
    tflop_per_task: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one replica takes, and how fast it runs each workflow that it may serve."""

    model: str
    precision: str
    gpu_names: frozenset[str]
    pools: frozenset[str] | None
    gpus: float
    slot: str | None
    spans: bool  # training, which crosses scale-up domains over the network
    hbm_gb: float
    context_tokens: float | None
    idle_kw: float
    op_kw: float
    availability: float
    quality: Mapping[str, float]
    commercial: bool
    work: Mapping[str, Speed]


@dataclass(frozen=True, slots=True)
class Api:
    """Tokens for sale: money per task of each workflow, quotas and rates."""

    jurisdiction: str
    quality: Mapping[str, float]
    ttft_ms: float | None
    tpot_ms: float | None
    usd_per_task: Mapping[str, ByPeriod]
    tokens_per_hour: float | None
    requests_per_hour: float | None
    tokens: ByPeriod | None
    requests: ByPeriod | None


@dataclass(frozen=True, slots=True)
class Tranche:
    """A share of demand and what a task in it is worth."""

    width: float
    usd: ByPeriod


@dataclass(frozen=True, slots=True)
class Workflow:
    """A stream of work and its promises. `demand` of a job is its total, in each period of its window."""

    demand: ByPeriod
    job: bool
    share: Mapping[str, float]  # of the period's demand, by day part
    serving: str
    tokens_in: Mapping[str, float]  # by model or API, "default" for the others
    tokens_out: Mapping[str, float]
    tranches: tuple[Tranche, ...]
    accepts: Mapping[str, frozenset[str]]
    quality: Mapping[str, float]  # floors
    ttft_ms: float | None
    tpot_ms: float | None
    peak_factor: float
    headroom: float
    residency: tuple[str, ...]
    launch_usd: ByPeriod
    min_service: float
    must_fund: bool
    keep: bool
    isolation: bool
    min_replicas: int
    running: bool
    commercial: bool

    @property
    def periods(self) -> tuple[str, ...]:
        """Periods in which there is demand."""
        return tuple(t for t, tasks in self.demand.items() if tasks > 0)

    def tokens(self, name: str) -> tuple[float, float]:
        """Tokens in and out of one task on a model or an API."""
        return (
            self.tokens_in.get(name, self.tokens_in.get("default", 0.0)),
            self.tokens_out.get(name, self.tokens_out.get("default", 0.0)),
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """Cash that the named terms may spend over each group of periods."""

    terms: tuple[str, ...]
    amount: Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Facts:
    """The whole instance."""

    time: Time
    sites: Mapping[str, Site]
    pools: Mapping[str, Pool]
    deployments: Mapping[str, Deployment]
    apis: Mapping[str, Api]
    workflows: Mapping[str, Workflow]
    budgets: Mapping[str, Budget]
    launches: ByPeriod  # absent: no limit
    portfolio: ByPeriod
