"""The instance: one file, strictly shaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr

from optimizer.instance.arguments import scenarios
from optimizer.instance.base import AtLeastOne, DeploymentId, Id, Model, Names, PositiveShare, Share, outermost
from optimizer.instance.calendar import Calendar, calendar
from optimizer.instance.document import Document
from optimizer.instance.quantity import Unit
from optimizer.instance.schema_fleet import (
    GpuSpec,
    Horizon,
    ModelSpec,
    PeriodSpec,
    Permit,
    Pool,
    RackClass,
    Relief,
    Site,
    SliceSpec,
)
from optimizer.instance.schema_limits import (
    Budget,
    CarbonLimit,
    Concentration,
    EnergyLimit,
    Footprint,
    Limits,
    Quota,
    WaterLimit,
)
from optimizer.instance.schema_market import Lease, Offer, Order, Purchase, Release, Retire, Upgrade
from optimizer.instance.schema_offers import (
    Api,
    ApiPrice,
    Constant,
    Deployment,
    SpeedSpec,
    ToolPrice,
    WorkPrice,
    WorkSpec,
)
from optimizer.instance.schema_stack import (
    Ban,
    Effect,
    Hold,
    Loss,
    Moves,
    Pin,
    Previous,
    Resilience,
    Resource,
    Skill,
    Tool,
    ToolSet,
)
from optimizer.instance.schema_work import (
    Accepts,
    Bundle,
    Bundles,
    GpuHours,
    Latency,
    LossShares,
    Pilot,
    Retraining,
    Review,
    State,
    Tranche,
    Workflow,
)

__all__ = [
    "Accepts", "Api", "ApiPrice", "Ban", "Budget", "Bundle", "Bundles", "CarbonLimit", "Concentration", "Constant",
    "Deployment", "Effect", "EnergyLimit", "Footprint", "GpuHours", "GpuSpec", "Hold", "Horizon", "Instance",
    "Latency", "Lease", "Limits", "Loss", "LossShares", "ModelSpec", "Moves", "Offer", "Options", "Order",
    "PeriodSpec", "Permit", "Pilot", "Pin", "Pool", "Previous", "Purchase", "Quota", "RackClass", "Release", "Relief",
    "Resilience", "Resource", "Retire", "Retraining", "Review", "Scenario", "Site", "Skill", "SliceSpec", "SpeedSpec",
    "State", "Tool", "ToolPrice", "ToolSet", "Tranche", "Upgrade", "WaterLimit", "WorkPrice", "WorkSpec", "Workflow",
]  # fmt: skip

SECTIONS = (
    "sites", "rack_classes", "pools", "gpus", "models", "deployments", "apis", "offers", "workflows", "tools",
    "skills", "resources",
)  # fmt: skip


class Options(Model):
    """How deployments are generated and loaded; what is absent is taken from the catalogue's defaults."""

    headroom: PositiveShare | None = Field(default=None, description="Share of a replica's rate that is planned with")
    availability: PositiveShare | None = Field(default=None, description="Share of hours a replica is up")
    compute_share: Share | None = Field(default=None, description="Usable share of compute on shared pools")
    concurrency: tuple[AtLeastOne, ...] | None = Field(default=None, description="Tasks in flight to try")
    gpus: tuple[AtLeastOne, ...] | None = Field(default=None, description="GPUs per replica to try")
    precisions: Names | None = Field(default=None, description="Precisions to try")
    context_tokens: tuple[AtLeastOne, ...] | None = Field(default=None, description="Context ceilings to try")
    speed: Literal["expected", "pessimistic"] = Field(default="expected", description="End of its interval")


class Scenario(Model):
    """Named changes to an instance."""

    changes: dict[str, Any] = Field(default={}, alias="set", description='Path -> change: "=v", "+v", "*v", ">>2"')
    drop: Names = Field(default=(), description="Families to drop: family or family[key,*]")
    probability: Share | None = Field(default=None, description="How likely it is, a share")
    note: str | None = Field(default=None, description="Remark")


class Instance(Model):
    """What there is and what is wanted, over a horizon."""

    schema_: Literal["solvency/1"] = Field(default="solvency/1", alias="schema", description="Version of this shape")
    name: str = Field(description="Title of the instance")
    note: str | None = Field(default=None, description="Remark")
    currency: str = Field(default="USD", description="Money of every usd key")
    horizon: Horizon = Field(description="The periods decided about")
    day_parts: dict[Id, Annotated[float, Unit("h", above=0.0)]] = Field(
        default={}, description="Day part -> hours of a day, 24 in all; default one"
    )
    sites: dict[Id, Site] = Field(description="Places where power is bought and limited")
    rack_classes: dict[Id, RackClass] = Field(default={}, description="Kinds of rack, by kW and cooling")
    pools: dict[Id, Pool] = Field(description="Identical GPUs at one site")
    gpus: dict[Id, GpuSpec] = Field(default={}, description="GPU models changed or added")
    models: dict[Id, ModelSpec] = Field(default={}, description="AI models changed or added")
    deployments: dict[DeploymentId, Deployment] = Field(default={}, description="Deployments the planner states")
    apis: dict[Id, Api] = Field(default={}, description="Models bought by the token or the task")
    offers: dict[Id, Offer] = Field(default={}, description="What may be bought, leased, given back or built")
    workflows: dict[Id, Workflow] = Field(description="Streams of AI work that compete")
    tools: dict[Id, Tool] = Field(default={}, description="Parts of the stack that may be adopted")
    tool_sets: tuple[ToolSet, ...] = Field(default=(), description="What tools change together")
    skills: dict[Id, Skill] = Field(default={}, description="People, by skill")
    resources: dict[Id, Resource] = Field(default={}, description="Further resources that are scarce")
    resilience: Resilience = Field(default=Resilience(), description="What must still be served after a loss")
    limits: Limits = Field(default=Limits(), description="Budgets and ceilings")
    previous: Previous = Field(default=Previous(), description="The plan in force")
    change: Moves = Field(default=Moves(), description="What it takes to change replicas")
    hold: Hold = Field(default=Hold(), description="What is decided already")
    options: Options = Field(default=Options(), description="How deployments are generated")
    scenarios: dict[Id, Scenario] = Field(default={}, description="Named changes")
    catalogue: Literal["builtin", "none"] = Field(default="builtin", description="Whether it adds its models")
    resolved_from: str | None = Field(default=None, description="Instance that this one was resolved from")

    _document: Document | None = PrivateAttr(default=None)
    _varied: tuple[str, ...] = PrivateAttr(default=())

    @outermost
    def __init__(self, /, **data: Any) -> None:
        from optimizer.instance.load import checked  # noqa: PLC0415  loading builds instances

        super().__init__(**checked(data))

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instance) and self.__dict__ == other.__dict__

    @property
    def source(self) -> str | None:
        """The file it was loaded from."""
        return self._document.path if self._document else None

    @property
    def sha256(self) -> str | None:
        """Digest of that file's bytes; what was changed since is in `varied`."""
        return self._document.sha256 if self._document else None

    @property
    def varied(self) -> tuple[str, ...]:
        """The changes, as `path=value`, that made it of what was loaded or stated."""
        return self._varied

    def locate(self, *path: str | int) -> tuple[int, int] | None:
        """Line and column of a value, or of what encloses it; None without a file."""
        return self._document.locate(path) if self._document else None

    def calendar(self) -> Calendar:
        """Periods, hours, day parts and discount factors."""
        return calendar(self)

    def vary(self, *sets: str | Mapping[str, Any], scenario: str | None = None) -> Instance:
        """The instance after a scenario (`a+b`, in order) and changes, each `path=value` or a mapping from path to
        value; BadInput if one matches nothing.

        Families that a scenario leaves out are no part of an instance: pass its name to `solve` instead.
        """
        from optimizer.instance.changes import apply  # noqa: PLC0415  changing builds instances

        return apply(self, [*sets], scenarios(scenario))[0]

    def dump(self) -> dict[str, Any]:
        """What was stated, as plain data in the units of the keys; parses back to an equal instance."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)

    def with_document(self, document: Document) -> Self:
        """The same instance, which knows where each value stands."""
        self._document = document
        return self

    def moved_to(self, origin: Instance, changes: Iterable[str]) -> Self:
        """The same instance, located in the file of the one it was changed from, which knows the changes."""
        self._document, self._varied = origin._document, (*origin._varied, *changes)
        return self
