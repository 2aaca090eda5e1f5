"""What an instance says, as the check needs it: read once more from the file, apart from what the program used.

Canonical units: GPU, GB, kW, kWh, hour, task, token, money of the instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optimizer.verify.facts_more import (
    ByPeriod,
    Change,
    Concentration,
    Footprint,
    Groups,
    Loss,
    Needs,
    Offer,
    Outcome,
    Skill,
    Tool,
)


@dataclass(frozen=True, slots=True)
class Time:
    """Periods and day parts with their hours; `discount` of cash at mid-period, `order` at the start of one."""

    periods: tuple[str, ...]
    hours: ByPeriod
    parts: tuple[str, ...]
    part_hours: Mapping[tuple[str, str], float]
    discount: ByPeriod
    order: ByPeriod
    starts: ByPeriod  # years from the start of the horizon
    years: float  # of the whole horizon
    rate: float  # discount rate per year

    def at(self, years: float) -> float:
        """Present value of money that far after the start."""
        return float((1 + self.rate) ** -years)


@dataclass(frozen=True, slots=True)
class Site:
    """Where power is bought: kW at the meter (None: no limit), PUE, money per kWh; racks, storage, carbon, water."""

    jurisdiction: str
    cooling: tuple[str, ...]
    power_kw: ByPeriod | None
    pue: float
    usd_per_kwh: ByPeriod
    nameplate: bool
    curtailed_kw: Mapping[tuple[str, str], float]  # by period and day part, taken off the limit
    t_co2_per_mwh: ByPeriod
    m3_per_mwh: ByPeriod
    usd_per_t_co2: ByPeriod
    racks: Mapping[str, ByPeriod]  # by class
    storage_tb: ByPeriod | None
    usd_per_tb_month: ByPeriod


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
    op_kw: float  # what a GPU draws that a tool or retraining takes
    rack: str | None
    nodes_per_rack: float
    rack_cooling: str | None


@dataclass(frozen=True, slots=True)
class Speed:
    """One workflow on one deployment, for each task attempted; times at the pessimistic end of their interval."""

    tasks_per_hour: float
    ttft_ms: float | None
    tpot_ms: float | None
    gb_per_task: float
    tflop_per_task: float

    def times(self, attempts: float) -> Speed:
        """The same for a task that takes so many attempts; each has the latency of one."""
        return Speed(
            self.tasks_per_hour / attempts,
            self.ttft_ms,
            self.tpot_ms,
            self.gb_per_task * attempts,
            self.tflop_per_task * attempts,
        )


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
    work: Mapping[str, Speed]  # by workflow, or by workflow with tools in use (`chat+cache`)
    resources: Mapping[str, float]  # per replica
    constant: tuple[tuple[str, ...], ...]  # groups of periods with the same replicas

    def serves(self, workflow: str) -> bool:
        """Whether it may serve a workflow, with tools or without."""
        return any(use.partition("+")[0] == workflow for use in self.work)


@dataclass(frozen=True, slots=True)
class Api:
    """Tokens for sale: money per task of each workflow, quotas, rates, committed spend."""

    jurisdiction: str
    committed: ByPeriod
    quality: Mapping[str, float]
    ttft_ms: float | None
    tpot_ms: float | None
    usd_per_task: Mapping[str, ByPeriod]  # by workflow, or by workflow with tools in use (`chat+cache`)
    tokens_with: Mapping[str, tuple[float, float]]  # in and out, where tools in use change them
    tokens_per_hour: float | None
    requests_per_hour: float | None
    tokens: ByPeriod | None
    requests: ByPeriod | None

    def price(self, w: str, tools: str) -> ByPeriod | None:
        """Money per attempt at a task, with tools in use; None where none is stated."""
        return self.usd_per_task.get(f"{w}+{tools}" if tools else w)


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
    outcomes: Mapping[str, Outcome]  # by model or API, "default" for the others
    needs: Needs

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

    def outcome(self, name: str) -> Outcome:
        """What becomes of a task handled by a model or an API."""
        return self.outcomes.get(name, self.outcomes["default"])


@dataclass(frozen=True, slots=True)
class Budget:
    """Cash that the named terms may spend over each group of periods."""

    terms: tuple[str, ...]
    amount: Groups


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
    exploration: ByPeriod
    offers: Mapping[str, Offer]
    quotas: Mapping[str, ByPeriod]  # shared supply
    footprints: tuple[Footprint, ...]
    concentrations: Mapping[str, Concentration]
    losses: Mapping[str, Loss]
    skills: Mapping[str, Skill]
    resources: Mapping[str, ByPeriod]
    tools: Mapping[str, Tool]
    model_tb: Mapping[str, float]  # AI model -> TB of weights, where storage counts
    change: Change
