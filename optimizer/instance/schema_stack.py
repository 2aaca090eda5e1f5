"""What stands beside fleet and work: tools, people, further resources, losses, and what was decided before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from optimizer.instance.base import (
    Amounts,
    Gigabytes,
    Id,
    Model,
    Money,
    MoneyByPeriod,
    Names,
    Number,
    Positive,
    Share,
    Whole,
)
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.faults import Path
from optimizer.instance.quantity import Unit
from optimizer.instance.schema_fleet import Relief

Hours = Annotated[float, Unit("h")]
Terabytes = Annotated[float, Unit("TB")]


class Skill(Model):
    """People of one skill: reviewers, engineers."""

    hours: Annotated[ByPeriod, Unit("h")] | None = Field(
        default=None, description="Hours that can be had, by period; absent: no limit"
    )
    usd_per_hour: Annotated[ByPeriod, Unit("USD/h")] = Field(description="Money per hour, by period")
    relief: Relief | None = Field(default=None, description="One more lot of hours")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


class Resource(Model):
    """Anything else that is scarce: network, licences, slots."""

    unit: str = Field(description="What it is counted in: Gbps, seat")
    amount: Annotated[ByPeriod, Unit()] = Field(description="Amount there is, by period")
    relief: Relief | None = Field(default=None, description="One more lot, in its unit")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


class Effect(Model):
    """What a tool changes where it is used; nothing named: on all workflows and all that serves them.

    Of several effects of one tool the first that fits a workflow and what serves it counts.
    """

    workflows: Names | None = Field(default=None, description="Workflows that may use it; default all")
    models: Names | None = Field(default=None, description="AI models it works with; default all, or none beside apis")
    apis: Names | None = Field(default=None, description="APIs it works with; default all, or none beside models")
    tokens_in_factor: Positive = Field(default=1.0, description="Factor on input tokens")
    tokens_out_factor: Positive = Field(default=1.0, description="Factor on output tokens")
    cached_in: Share | None = Field(default=None, description="Share of input tokens that then come from a cache")
    throughput_factor: Positive = Field(default=1.0, description="Factor on tasks per replica-hour")
    hbm_factor: Positive = Field(default=1.0, description="Factor on the GB resident per replica")


class Tool(Model):
    """A part of the stack: what it costs and takes while adopted, and what it changes."""

    usd_per_period: MoneyByPeriod = Field(default=ByPeriod(0.0), description="Licence and other cost, by period")
    adopt_usd: Money = Field(default=0.0, description="Money to adopt it, once")
    staff: dict[str, Hours] = Field(default={}, description="Skill -> hours per period")
    gpus: dict[str, Number] = Field(default={}, description="Pool -> GPUs it takes")
    hbm_gb: dict[str, Gigabytes] = Field(default={}, description="Pool -> GB it takes beside the replicas")
    storage_tb: dict[str, Terabytes] = Field(default={}, description="Site -> TB it takes")
    resources: Amounts = Field(default={}, description="Further resource -> amount it takes")
    group: str | None = Field(default=None, description="Redundant tools share a group: at most one is adopted")
    running: bool = Field(default=False, description="Adopted before the first period: pays no adopt_usd")
    effects: tuple[Effect, ...] = Field(default=(), description="What it changes where it is used")
    licence: str | None = Field(default=None, description="Licence")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


class ToolSet(Model):
    """Tools used together, with what they change together; effects are never multiplied silently."""

    tools: Names = Field(description="Tools of the set, at least two")
    effects: tuple[Effect, ...] = Field(description="What they change where they are used together")
    source: str | None = Field(default=None, description="Where the figures are from")


class Loss(Model):
    """One thing that may fail with all that it carries, or each one of a kind in turn."""

    each: Literal["site", "vendor", "api"] | None = Field(default=None, description="Every one of a kind, in turn")
    id: Id | None = Field(default=None, description="Name of the loss; default what fails")
    sites: Names = Field(default=(), description="Sites that fail together")
    vendors: Names = Field(default=(), description="Vendors whose APIs fail together")
    apis: Names = Field(default=(), description="APIs that fail together")


class Resilience(Model):
    """What must still be served after any one of the losses."""

    losses: tuple[Loss, ...] = Field(default=(), description="What may fail, one at a time")
    shares: dict[str, Share] = Field(default={}, description="Workflow -> share still served after each loss")
    recourse: Literal["full", "none"] = Field(
        default="full", description="Whether survivors may take work over within their limits"
    )


class Previous(Model):
    """The plan in force: moves are counted from it."""

    plan: str | None = Field(default=None, description="Plan document (JSON), its path as seen from this file")
    replicas: dict[str, Whole] = Field(default={}, description="Endpoint -> replicas in its last period")
    funded: Names = Field(default=(), description="Workflows funded in its last period")


class Moves(Model):
    """What it takes to change replicas from period to period."""

    usd_per_replica: Money = Field(default=0.0, description="Money per replica more or less than before")
    ramp: Whole | None = Field(default=None, description="Replicas that one endpoint may change by, per period")


class Pin(Model):
    """A workflow that stays funded, or an endpoint whose replicas are held."""

    workflow: str | None = Field(default=None, description="Workflow that stays funded")
    endpoint: str | None = Field(default=None, description="Endpoint (pool/deployment) whose replicas are held")
    replicas: Whole | None = Field(default=None, description="Replicas of the endpoint")
    periods: Names | None = Field(default=None, description="Periods; default all")


class Ban(Model):
    """A workflow that is not funded, or an endpoint without replicas."""

    workflow: str | None = Field(default=None, description="Workflow that is not funded")
    endpoint: str | None = Field(default=None, description="Endpoint (pool/deployment) that has no replicas")
    periods: Names | None = Field(default=None, description="Periods; default all")


class Hold(Model):
    """What is decided already, for or against."""

    pinned: tuple[Pin, ...] = Field(default=(), description="What stays")
    banned: tuple[Ban, ...] = Field(default=(), description="What must not be")

    @property
    def each(self) -> Iterator[tuple[Path, Pin | Ban]]:
        """Every pin and ban, with where it stands."""
        yield from ((("hold", "pinned", n), pin) for n, pin in enumerate(self.pinned))
        yield from ((("hold", "banned", n), ban) for n, ban in enumerate(self.banned))
