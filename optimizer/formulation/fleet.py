"""What the fleet is, in canonical units: sites, pools, endpoints, what can be bought for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from optimizer.formulation.calendar import Part, Period

Sharing = Literal["whole", "partitioned", "shared"]
Effect = Literal["gpus", "power_kw", "racks", "storage_tb", "resource"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where power is bought: kW at the meter, PUE, tariff in money per kWh."""

    id: str
    power_kw: Mapping[Period, float] | None  # None: the instance states no limit
    pue: float
    usd_per_kwh: Mapping[Period, float]
    nameplate: bool  # power counted at op_kw x replicas, whatever the load
    curtailed_kw: Mapping[tuple[Period, Part], float] = field(default_factory=dict)  # taken off the limit
    t_co2_per_mwh: Mapping[Period, float] = field(default_factory=dict)
    m3_per_mwh: Mapping[Period, float] = field(default_factory=dict)
    usd_per_t_co2: Mapping[Period, float] = field(default_factory=dict)
    racks: Mapping[str, Mapping[Period, float]] = field(default_factory=dict)  # rack class -> racks
    storage_tb: Mapping[Period, float] | None = None
    usd_per_tb_month: Mapping[Period, float] = field(default_factory=dict)
    jurisdiction: str = ""


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
    rack_class: str | None = None
    nodes_per_rack: float = 1.0
    op_kw: float = 0.0  # per GPU at full load, before PUE; what tools and retraining draw


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
    resources: Mapping[str, float] = field(default_factory=dict)  # of further resources, per replica
    constant: tuple[tuple[Period, ...], ...] = ()  # groups of periods with the same replicas
    before: int | None = None  # replicas in the previous plan; None: it did not have this endpoint
    usd_per_move: float = 0.0  # for each replica more or less than in the period before
    ramp: int | None = None  # most replicas more or less than in the period before
    pinned: Mapping[Period, int] = field(default_factory=dict)  # replicas held by decree


@dataclass(frozen=True, slots=True)
class Brings:
    """What one lot adds to one limit: amounts by (period of order, period of effect)."""

    effect: Effect
    owner: str  # pool, site, "site/rack class", or resource
    amount: Mapping[tuple[Period, Period], float]


@dataclass(frozen=True, slots=True)
class Flow:
    """Cash of one lot ordered in `order`: paid (negative) or received in `period`, at `factor` of present value."""

    order: Period
    period: Period
    cash: float
    factor: float


@dataclass(frozen=True, slots=True)
class Book:
    """One lot ordered in `order` on the books: what it loses in `period` and its worth at the end; None: not stated."""

    order: Period
    period: Period
    depreciation: float | None
    worth: float | None


@dataclass(frozen=True, slots=True)
class Books:
    """How an offer depreciates, in words, and by period; reported, in no row and no term."""

    method: str
    lines: tuple[Book, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A purchase, lease, retirement, release or upgrade, decided in whole lots by period of order."""

    id: str
    kind: str  # purchase | lease | retire | release | upgrade
    term: str  # ledger term that carries its cash
    lots: Mapping[Period, int]  # most lots per order period; an absent period cannot be ordered in
    max_lots: int | None  # over the horizon
    brings: tuple[Brings, ...]
    flows: tuple[Flow, ...]
    quotas: Mapping[str, float] = field(default_factory=dict)  # what one lot takes of shared supply
    books: Books | None = None  # of purchases and upgrades


@dataclass(frozen=True, slots=True)
class Quota:
    """What the market delivers of something several offers need (HBM GB, packaging), by period of order."""

    id: str
    unit: str
    amount: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Footprint:
    """A limit on energy (MWh), carbon (t CO2e) or water (m3) of some sites over groups of periods."""

    id: str
    kind: Literal["energy", "carbon", "water"]
    sites: tuple[str, ...]
    amount: Mapping[tuple[Period, ...], float]


@dataclass(frozen=True, slots=True)
class Resource:
    """Anything else that is scarce and that the planner names: licences, Gbps, slots."""

    id: str
    unit: str
    amount: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that may fail, and all that fails with it; `recourse`: may the rest take over within its limits?"""

    id: str
    endpoints: frozenset[str]
    apis: frozenset[str]
    shares: Mapping[str, float]  # workflow -> share still served
    recourse: bool = True
