"""What competes for the fleet: workflows, with their demand, value and floors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from optimizer.instance.base import (
    Amounts,
    AtLeastOne,
    Id,
    Milliseconds,
    Model,
    Money,
    MoneyByPeriod,
    Names,
    Positive,
    PositiveShare,
    Share,
    Whole,
)
from optimizer.instance.by_period import ByPeriod, Demand
from optimizer.instance.quantity import Unit


def _default(value: object) -> object:
    return value if isinstance(value, Mapping) else {"default": value}


def _tranches(value: object) -> object:
    listed = isinstance(value, list | tuple) and any(isinstance(v, Mapping | Tranche) for v in value)
    return value if listed else ({"upto": 1.0, "usd": value},)


def _floor(value: object) -> Any:
    return re.sub(r"^\s*>=\s*", "", value) if isinstance(value, str) else value


TokenCount = Annotated[float, Unit("token")]
TokensBySource = Annotated[
    dict[str, TokenCount], BeforeValidator(_default, json_schema_input_type=TokenCount | dict[str, TokenCount])
]
SharesBySource = Annotated[dict[str, Share], BeforeValidator(_default, json_schema_input_type=Share | dict[str, Share])]
YieldBySource = Annotated[
    dict[str, PositiveShare], BeforeValidator(_default, json_schema_input_type=PositiveShare | dict[str, PositiveShare])
]
Floor = Annotated[Share, BeforeValidator(_floor, json_schema_input_type=float | str)]


class Tranche(Model):
    """Tasks up to a share of demand, and what one of them is worth."""

    upto: PositiveShare = Field(description="Upper end, a share of demand")
    usd: MoneyByPeriod = Field(description="Value per task, by period")


class Accepts(Model):
    """The models, APIs, GPUs and precisions that may serve a workflow; absent: any that qualifies.

    Who lists only models or only APIs and states no `quality` accepts nothing of the other kind.
    """

    models: Names | None = Field(
        default=None, description="AI models accepted; default any, or none beside apis without quality"
    )
    apis: Names | None = Field(
        default=None, description="APIs accepted; default any, or none beside models without quality"
    )
    gpus: Names | None = Field(default=None, description="GPU models accepted")
    precisions: Names | None = Field(default=None, description="Weight precisions accepted")


class Latency(Model):
    """The slowest that a workflow bears."""

    ttft_ms: Milliseconds | None = Field(default=None, description="Time to first token at most, in ms")
    tpot_ms: Milliseconds | None = Field(default=None, description="Time per output token at most, in ms")


class State(Model):
    """Where a workflow stands before the first period."""

    running: bool = Field(default=False, description="Already launched: pays no launch")
    proven: bool = Field(default=False, description="Has passed its pilot, and is no exploration")
    replicas: dict[str, Whole] = Field(default={}, description="Endpoint (pool/deployment) -> replicas running")


class GpuHours(Model):
    """Work stated in GPU-hours, such as training."""

    per_task: Annotated[float, Unit("h", above=0.0)] = Field(default=1.0, description="GPU-hours of a task at speed 1")
    gpus: AtLeastOne = Field(description="GPUs of one replica")
    speed: dict[str, Positive] = Field(default={}, description="GPU model -> speed; 1 is the speed per_task means")


class Review(Model):
    """People who look at a sample of the output."""

    skill: str = Field(description="Skill of the reviewers")
    share: SharesBySource = Field(description="Share of tasks reviewed, or {default: share, model or API: share}")
    minutes: Annotated[float, Unit("min")] = Field(description="Minutes per task reviewed")


class Retraining(Model):
    """Training that keeps a funded workflow good, on GPUs of pools that its residency admits."""

    gpu_hours: Annotated[ByPeriod, Unit("h")] = Field(description="GPU-hours at speed 1, by period of `per`")
    per: Literal["period", "year"] = Field(default="period", description="What one amount is for")
    speed: dict[str, Positive] = Field(description="GPU model -> speed; 1 is the speed gpu_hours means")
    usd: MoneyByPeriod = Field(default=ByPeriod(0.0), description="Money beside the GPU-hours, by period of `per`")


class Pilot(Model):
    """A workflow that starts small until it is proven."""

    share: Share = Field(description="Share of demand served at most until then")
    periods: AtLeastOne = Field(description="Periods funded as a pilot until it is proven")


class Bundle(Model):
    """One indivisible way to do a workflow."""

    value_usd: MoneyByPeriod = Field(description="Value in each period it is chosen, by period")
    resources: Amounts = Field(default={}, description="Further resource -> amount it takes while chosen")


class Bundles(Model):
    """Ways to do a workflow of which one is chosen in each period."""

    choose: Literal["exactly_one", "at_most_one"] = Field(
        default="at_most_one", description="Whether one of them must be chosen"
    )
    options: dict[Id, Bundle] = Field(description="The ways, by name")


class LossShares(Model):
    """What is still served after the loss of any one of a kind."""

    site: Share | None = Field(default=None, description="Share still served after the loss of any one site")
    vendor: Share | None = Field(default=None, description="Share still served after the loss of any one vendor")
    api: Share | None = Field(default=None, description="Share still served after the loss of any one API")


class Workflow(Model):
    """A stream of AI work that competes for the fleet; a job if its demand is per horizon."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["demand", "value_usd"]}, {"required": ["bundles"]}]}
    )

    unit: str = Field(default="task", description="What one task is: ticket, page, call")
    demand: Demand = Field(
        default_factory=lambda: Demand(ByPeriod(0.0)),
        description='Tasks: "900k per period", "20k per day", by period, or "40k per horizon"',
    )
    deadline: str | None = Field(default=None, description="Period by whose end a job is done")
    start: str | None = Field(default=None, description="First period with demand")
    tokens_in: TokensBySource | None = Field(
        default=None, description="Input tokens per task, or {default: n, model or API: n}"
    )
    tokens_out: TokensBySource | None = Field(
        default=None, description="Output tokens per task, or {default: n, model or API: n}"
    )
    value_usd: Annotated[
        tuple[Tranche, ...], BeforeValidator(_tranches, json_schema_input_type=MoneyByPeriod | tuple[Tranche, ...])
    ] = Field(
        default=(), description="Value per task: a number, by period, or falling tranches [{upto: 50%, usd: 0.99}, ...]"
    )
    bundles: Bundles | None = Field(default=None, description="Indivisible ways to do it, of which one is chosen")
    cached_in: SharesBySource | None = Field(
        default=None,
        description="Share of input tokens that come from a cache, or {default: share, model or API: share}",
    )
    yield_: YieldBySource | None = Field(
        default=None, alias="yield", description="Share of good output, or {default: share, model or API: share}"
    )
    retries: Whole = Field(default=0, description="Times that bad output is tried again")
    bad_usd: Money = Field(default=0.0, description="Expected liability per bad task that reaches somebody")
    review: Review | None = Field(default=None, description="People who look at a sample")
    retraining: Retraining | None = Field(default=None, description="Training while funded")
    storage_tb: dict[str, Annotated[float, Unit("TB")]] = Field(
        default={}, description="Site -> TB of indexes and training sets while funded"
    )
    resources: Amounts = Field(default={}, description="Further resource -> amount it takes while funded")
    task_resources: Amounts = Field(default={}, description="Further resource -> amount per task in a period")
    requires: Names = Field(default=(), description="Tools it needs")
    pilot: Pilot | None = Field(default=None, description="Starts small until proven")
    resilience: LossShares = Field(default=LossShares(), description="What is still served after a loss")
    accepts: Accepts = Field(default=Accepts(), description="What may serve it")
    quality: dict[str, Floor] = Field(default={}, description='Benchmark -> floor, such as ">= 0.70"')
    latency: Latency = Field(default=Latency(), description="The slowest it bears")
    peak_factor: Annotated[float, Unit(low=1.0)] = Field(
        default=1.0, description="Peak over mean load within a day part, at least 1"
    )
    demand_share: dict[str, Share] | None = Field(
        default=None, description="Day part -> share of demand; default by hours"
    )
    serving: Literal["interactive", "best_effort", "batch"] | None = Field(
        default=None,
        description="Served as it comes (default), as far as possible, or any time in the period (default of a job)",
    )
    residency: Names | None = Field(default=None, description="Jurisdictions of the sites and APIs that may serve it")
    launch_usd: MoneyByPeriod = Field(default=ByPeriod(0.0), description="Money to launch it, once")
    launch_hours: dict[str, Annotated[float, Unit("h")]] = Field(
        default={}, description="Skill -> hours that its launch takes"
    )
    min_service: Share = Field(default=0.0, description="If funded, at least this share of demand is served")
    must_fund: bool = Field(default=False, description="Funded in every period with demand, a job in one")
    keep_once_launched: bool = Field(
        default=False,
        description="Once funded in the plan, never stopped; what runs may be stopped at once, unless hold pins it",
    )
    isolation: bool = Field(default=False, description="Shares its replicas with no other workflow")
    min_replicas: Whole = Field(default=0, description="Replicas while funded, at least")
    headroom: PositiveShare | None = Field(default=None, description="Share of a replica's rate that is planned with")
    state: State = Field(default=State(), description="Where it stands before the first period")
    gpu_hours: GpuHours | None = Field(default=None, description="Work in GPU-hours instead of tokens")
    commercial: bool = Field(default=True, description="Needs a licence that allows commercial use")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")

    @property
    def served_as(self) -> Literal["interactive", "best_effort", "batch"]:
        """As stated; a job that does not say is done any time in the period."""
        return self.serving or ("batch" if self.demand.job else "interactive")
