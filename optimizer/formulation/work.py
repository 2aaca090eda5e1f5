"""The work that competes for the fleet, in canonical units: workflows, their pairs, APIs, tools, budgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from optimizer.formulation.calendar import Part, Period

Serving = Literal["interactive", "best_effort", "batch"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Workflow w on endpoint e: tasks per replica-hour, and what one task moves and computes."""

    tasks_per_hour: float
    bytes_gb: float  # HBM gigabytes moved per task
    tflop: float  # 10^12 operations per task
    good_mtok: float  # million good output tokens per task, as the owner counts them whatever serves
    ttft_ms: float | None
    tpot_ms: float | None
    grade: str
    bound_by: str
    good: float = 1.0  # share of handled tasks whose output is good; the rest earns nothing
    liability_usd: float = 0.0  # expected cost of bad output per handled task
    review_hours: float = 0.0  # human review per handled task


@dataclass(frozen=True, slots=True)
class ApiPair:
    """Workflow w on API a: money and tokens per task, all attempts together."""

    usd_per_task: Mapping[Period, float]
    tokens_in: float
    tokens_out: float
    good_mtok: float  # million good output tokens, as the owner counts them whatever serves
    requests: float = 1.0
    good: float = 1.0
    liability_usd: float = 0.0
    review_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Tranche:
    """A slice of demand (share of it, from the most valuable down) and what a task in it is worth."""

    width: float
    usd: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Band:
    """A tranche served at one yield: what the `tranche` decision is about. Named by tranche, and yield if several."""

    key: str
    tranche: int
    width: float
    usd: Mapping[Period, float]  # per good task
    good: float


@dataclass(frozen=True, slots=True)
class Pilot:
    """At most `share` of demand until the workflow was funded in `periods` earlier periods."""

    share: float
    periods: int
    proven: bool  # before the first period


@dataclass(frozen=True, slots=True)
class Retraining:
    """GPU-hours that a funded workflow needs in a period, where it may run, and cash per period."""

    gpu_hours: Mapping[Period, float]  # of a reference GPU
    speed: Mapping[str, float]  # pool -> reference GPU-hours done by one GPU in an hour
    usd: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Bundle:
    """One indivisible way to do a workflow: a value and a fixed vector of resources, each period it is chosen."""

    id: str
    usd: Mapping[Period, float]
    resources: Mapping[str, float]


@dataclass(frozen=True)
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
    skill: str | None = None  # of its reviewers
    launch_hours: Mapping[str, float] = field(default_factory=dict)  # skill -> hours
    pilot: Pilot | None = None
    retraining: Retraining | None = None
    storage_tb: Mapping[str, float] = field(default_factory=dict)  # site -> TB while funded
    resources: Mapping[str, float] = field(default_factory=dict)  # while funded
    task_resources: Mapping[str, float] = field(default_factory=dict)  # resource-periods per task
    requires: tuple[str, ...] = ()  # tools
    bundles: tuple[Bundle, ...] = ()
    choose: Literal["exactly_one", "at_most_one"] = "at_most_one"
    banned: tuple[Period, ...] = ()  # periods in which it may not be funded
    pinned: tuple[Period, ...] = ()  # periods in which it must stay funded

    @property
    def in_bundles(self) -> bool:
        """Whether it is done in bundles and nothing else, one a period."""
        return bool(self.bundles) and not self.tranches

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """Periods in which there is demand."""
        return tuple(t for t, tasks in self.demand.items() if tasks > 0)


@dataclass(frozen=True, slots=True)
class Skill:
    """Human hours that can be had in a period (None: no limit) and what one costs."""

    id: str
    hours: Mapping[Period, float] | None
    usd_per_hour: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Tool:
    """A part of the stack: what it costs and takes while adopted."""

    id: str
    usd: Mapping[Period, float]  # licence and staff per period
    adopt_usd: float  # once, with the first adoption
    gpus: Mapping[str, float] = field(default_factory=dict)  # pool -> GPUs
    hbm_gb: Mapping[str, float] = field(default_factory=dict)  # pool -> GB beside the replicas
    storage_tb: Mapping[str, float] = field(default_factory=dict)  # site -> TB
    hours: Mapping[str, float] = field(default_factory=dict)  # skill -> hours per period
    resources: Mapping[str, float] = field(default_factory=dict)
    group: str | None = None  # of redundant tools: at most one is adopted
    running: bool = False  # adopted before the first period


@dataclass(frozen=True, slots=True)
class Variant:
    """A source with tools in use: the plain endpoint or API behind it, and the tools that must be adopted."""

    source: str
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concentration:
    """Share of the output tokens of some workflows (all, if none are named) that some sources may carry."""

    id: str
    sources: frozenset[str]
    workflows: frozenset[str]
    share: Mapping[Period, float]


@dataclass(frozen=True, slots=True)
class Commitment:
    """Spend on an API that is paid for whether it is used or not."""

    api: str
    usd: Mapping[Period, float]


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
