"""What an instance says beyond fleet and work: offers, shared limits, people, tools, discipline, losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ByPeriod = Mapping[str, float]
Groups = Mapping[tuple[str, ...], float]  # group of periods -> amount


@dataclass(frozen=True, slots=True)
class Flow:
    """Cash of one lot in a period; `factor` of present value."""

    period: str
    cash: float
    factor: float


@dataclass(frozen=True, slots=True)
class Offer:
    """Something ordered in whole lots: what a lot brings (or takes) while it is there, and what it costs."""

    kind: Literal["purchase", "lease", "retire", "release", "upgrade"]
    lots: ByPeriod  # most lots by period of order; none where absent
    max_lots: float | None
    brings: Mapping[tuple[str, str], float]  # ("gpus", pool), ("power_kw", site), ("racks", "site/class"), ...
    there: Mapping[str, frozenset[str]]  # period of order -> periods in which it counts
    flows: Mapping[str, tuple[Flow, ...]]  # by period of order
    quotas: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Footprint:
    """An allowance of energy (MWh), carbon (t CO2e) or water (m3) for some sites over groups of periods."""

    name: str
    kind: str
    sites: frozenset[str]
    amount: Groups


@dataclass(frozen=True, slots=True)
class Concentration:
    """The share of the output tokens of some workflows (None: all) that some sources may carry."""

    sites: frozenset[str]
    apis: frozenset[str]
    workflows: frozenset[str] | None
    share: ByPeriod


@dataclass(frozen=True, slots=True)
class Loss:
    """Sites and APIs that fail together, and the share of each workflow that is served all the same."""

    sites: frozenset[str]
    apis: frozenset[str]
    shares: Mapping[str, float]
    recourse: bool


@dataclass(frozen=True, slots=True)
class Skill:
    """People's hours by period (None: no limit), and what one costs."""

    hours: ByPeriod | None
    usd_per_hour: ByPeriod


@dataclass(frozen=True, slots=True)
class Tool:
    """What a tool costs and takes while it is adopted."""

    usd: ByPeriod
    adopt_usd: float
    gpus: Mapping[str, float]
    hbm_gb: Mapping[str, float]
    storage_tb: Mapping[str, float]
    hours: Mapping[str, float]
    resources: Mapping[str, float]
    group: str | None
    running: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one handled task: attempts made, share of good output, expected liability, review."""

    attempts: float
    good: float
    liability_usd: float
    review_hours: float


@dataclass(frozen=True, slots=True)
class Pilot:
    """At most `share` of demand until funded in `periods` earlier periods."""

    share: float
    periods: int


@dataclass(frozen=True, slots=True)
class Retraining:
    """GPU-hours at speed 1 and cash while funded; `speed` by pool where it may run."""

    gpu_hours: ByPeriod
    speed: Mapping[str, float]
    usd: ByPeriod


@dataclass(frozen=True, slots=True)
class Bundle:
    """One indivisible way to do a workflow."""

    usd: ByPeriod
    resources: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a workflow takes beside GPUs and tokens, and the rules of its growth."""

    skill: str | None = None
    launch_hours: Mapping[str, float] = field(default_factory=dict)
    retraining: Retraining | None = None
    storage_tb: Mapping[str, float] = field(default_factory=dict)  # by site, while funded
    resources: Mapping[str, float] = field(default_factory=dict)  # while funded
    task_resources: Mapping[str, float] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    pilot: Pilot | None = None  # None once proven
    bundles: Mapping[str, Bundle] = field(default_factory=dict)
    exactly_one: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """The plan before, what a move costs, how many there may be, and what is held by decree."""

    before: Mapping[str, float] | None  # replicas by endpoint; None: there was no plan
    usd_per_replica: float
    ramp: float | None
    funded: Mapping[tuple[str, str], float]  # workflow, period -> 1 pinned, 0 banned
    replicas: Mapping[tuple[str, str], float]  # endpoint, period -> pinned number
