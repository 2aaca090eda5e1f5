"""The numbers of one instance, resolved: what the families read and nothing else.

Canonical units: GPU, GB (10^9 bytes), kW, kWh, hour, task, token, money of the instance. Everything by
period is a dict keyed by period id; sparse pairs exist only if eligible. `resolve` builds it; families
only look things up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NewType

Period = NewType("Period", str)
Part = NewType("Part", str)

Serving = Literal["interactive", "best_effort", "batch"]
Sharing = Literal["whole", "partitioned", "shared"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods with their hours, day parts with theirs, and the discount factor of mid-period cash."""

    periods: tuple[Period, ...]
    hours: Mapping[Period, float]
    parts: tuple[Part, ...]
    part_hours: Mapping[tuple[Period, Part], float]
    discount: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Site:
    """Where power is bought: kW at the meter, PUE, tariff in money per kWh."""

    id: str
    power_kw: Mapping[Period, float] | None  # None: the instance states no limit
    pue: float
    usd_per_kwh: Mapping[Period, float]
    nameplate: bool  # power counted at op_kw x replicas, whatever the load


@dataclass(frozen=True, slots=True)
class Pool:
    """Identical GPUs at one site. `layouts`: how one GPU (or scale-up domain) may be cut, slots by kind."""

    id: str
    site: str
    gpu: str
    count: Mapping[Period, float]  # GPUs
    node: int  # GPUs powered together
    idle_kw: float  # per powered GPU, before PUE
    usable_gb: float  # per GPU
    bandwidth_gb_s: float  # per GPU, usable share applied
    tflops: float  # per GPU, usable share applied; the precision of the pool's shared work
    sharing: Sharing
    layout_gpus: int  # GPUs that one layout takes: 1, or a scale-up domain
    layouts: Mapping[str, Mapping[str, int]]  # layout -> kind of slot -> slots
    usd_per_gpu_hour: Mapping[Period, float]
    lease_usd_per_gpu_hour: Mapping[Period, float]
    paid_when_powered: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A deployment placed on a pool; replicas are whole numbers."""

    id: str
    deployment: str
    pool: str
    site: str
    model: str
    gpu: str
    precision: str
    gpus: float  # GPUs per replica; a fraction on partitioned and shared pools
    slot: str | None  # kind of slot it occupies where the pool has layouts
    concurrency: int
    context_tokens: int
    hbm_gb: float  # resident per replica
    idle_kw: float  # per replica, before PUE
    op_kw: float  # per replica at its concurrency, before PUE
    availability: float
    owner: str | None  # the only workflow it may serve, if isolated
    keep: bool  # exempt from every drop and reduction
    bound_by: str
    grade: str
    max_replicas: Mapping[Period, int] | None  # beyond which no demand is left; None: unbounded (kept)


@dataclass(frozen=True, slots=True)
class Pair:
    """Workflow w on endpoint e: tasks per replica-hour, and what one task moves and computes."""

    tasks_per_hour: float
    bytes_gb: float  # HBM gigabytes moved per task
    tflop: float  # 10^12 operations per task
    good_mtok: float  # million output tokens per task
    ttft_ms: float | None
    tpot_ms: float | None
    grade: str
    bound_by: str


@dataclass(frozen=True, slots=True)
class ApiPair:
    """Workflow w on API a: money and tokens per task."""

    usd_per_task: Mapping[Period, float]
    tokens_in: float
    tokens_out: float


@dataclass(frozen=True, slots=True)
class Tranche:
    """A slice of demand (share of it, from the most valuable down) and what a task in it is worth."""

    width: float
    usd: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A stream of AI work. A job (`deadline`) states demand over the whole window instead of by period."""

    id: str
    unit: str
    demand: Mapping[Period, float]  # tasks in the period; for a job the total, in each period of its window
    share: Mapping[tuple[Period, Part], float]  # of the period's demand, interactive work only
    serving: Serving
    tranches: tuple[Tranche, ...]
    peak_factor: float
    headroom: float
    min_service: float
    must_fund: bool
    keep: bool  # once launched, kept
    job: bool
    launch_usd: Mapping[Period, float]
    running: bool  # before the first period
    min_replicas: int

    @property
    def periods(self) -> tuple[Period, ...]:
        """Periods in which there is demand."""
        return tuple(t for t, tasks in self.demand.items() if tasks > 0)


@dataclass(frozen=True, slots=True)
class ApiLimit:
    """A quota or rate limit of an API, as a total per period and day part or per period."""

    tokens: Mapping[Period, float] | None
    requests: Mapping[Period, float] | None
    tokens_per_hour: float | None  # rate limits hold in every day part, at the workflows' peaks
    requests_per_hour: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """Cash that the named terms may spend, per period or over a group of periods."""

    id: str
    terms: tuple[str, ...]
    amount: Mapping[tuple[Period, ...], float]  # group of periods -> money


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deployment or API that was dropped before the program, and why."""

    workflow: str
    pool: str
    deployment: str
    stage: str
    reason: str
    value: float | str | None
    limit: float | str | None


@dataclass(frozen=True)
class Data:
    """One instance, ready to be stated."""

    name: str
    currency: str
    calendar: Calendar
    sites: Mapping[str, Site]
    pools: Mapping[str, Pool]
    endpoints: Mapping[str, Endpoint]
    workflows: Mapping[str, Workflow]
    pairs: Mapping[tuple[str, str], Pair]  # (workflow, endpoint)
    api_pairs: Mapping[tuple[str, str], ApiPair]  # (workflow, api)
    api_limits: Mapping[str, ApiLimit]
    budgets: tuple[Budget, ...]
    launch_limit: Mapping[Period, float]  # absent period: no limit
    portfolio_limit: Mapping[Period, float]
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = field(default=())  # assumptions a reader must know (defaults used, reductions made)

    @cached_property
    def endpoints_of(self) -> dict[str, tuple[str, ...]]:
        """Endpoints that may serve each workflow."""
        return _group(self.workflows, ((w, e) for w, e in self.pairs))

    @cached_property
    def workflows_on(self) -> dict[str, tuple[str, ...]]:
        """Workflows that may be served by each endpoint."""
        return _group(self.endpoints, ((e, w) for w, e in self.pairs))

    @cached_property
    def apis_of(self) -> dict[str, tuple[str, ...]]:
        """APIs that may serve each workflow."""
        return _group(self.workflows, self.api_pairs)

    @cached_property
    def workflows_by_api(self) -> dict[str, tuple[str, ...]]:
        """Workflows that each API may serve."""
        return _group(dict.fromkeys(a for _, a in self.api_pairs), ((a, w) for w, a in self.api_pairs))

    @cached_property
    def endpoints_at(self) -> dict[str, tuple[str, ...]]:
        """Endpoints of each pool."""
        return _group(self.pools, ((e.pool, i) for i, e in self.endpoints.items()))

    @cached_property
    def pools_at(self) -> dict[str, tuple[str, ...]]:
        """Pools of each site."""
        return _group(self.sites, ((p.site, i) for i, p in self.pools.items()))


def _group(keys: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {k: [] for k in keys}
    for k, member in pairs:
        groups[k].append(member)
    return {k: tuple(v) for k, v in groups.items()}
