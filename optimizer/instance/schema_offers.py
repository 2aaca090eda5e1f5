"""What can serve: deployments that the planner states, and APIs bought by the token or the task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from optimizer.instance.base import (
    Amounts,
    AtLeastOne,
    Gigabytes,
    Kilowatts,
    Milliseconds,
    Model,
    MoneyByPeriod,
    Names,
    Number,
    PerMtok,
    Positive,
    PositiveShare,
    Scores,
    Share,
    Tokens,
)
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.quantity import Unit
from optimizer.instance.schema_fleet import Relief

LISTED = "genai-prices:"


class SpeedSpec(Model):
    """How fast one replica is and what it draws; a rate, or the two times of a token."""

    ttft_ms: Milliseconds | None = Field(default=None, description="Time to first token in ms")
    tpot_ms: Milliseconds | None = Field(default=None, description="Time per output token in ms")
    tasks_per_s: Positive | None = Field(default=None, description="Tasks per second of one replica")
    tasks_per_hour: Positive | None = Field(default=None, description="Tasks per hour of one replica")
    bytes_gb_per_task: Gigabytes | None = Field(default=None, description="HBM traffic of one task in GB")
    tflop_per_task: Number | None = Field(default=None, description="10^12 operations of one task")
    kw: Kilowatts | None = Field(default=None, description="kW of one replica, loaded or not")
    idle_kw: Kilowatts | None = Field(default=None, description="kW of one replica without load")
    op_kw: Kilowatts | None = Field(default=None, description="kW of one replica at full load")
    bound_by: Literal["bandwidth", "hbm", "compute", "latency"] | None = Field(
        default=None, description="What limits its speed"
    )
    grade: Literal["user", "measured", "calibrated", "modelled"] = Field(
        default="user", description="How well the speed is known"
    )
    interval_low: Positive | None = Field(default=None, description="Times may be as low as this factor")
    interval_high: Positive | None = Field(default=None, description="Times may be as high as this factor")
    ttft_high: Positive | None = Field(default=None, description="The same for TTFT alone; default interval_high")
    tpot_high: Positive | None = Field(default=None, description="The same for TPOT alone; default interval_high")
    basis: str | None = Field(default=None, description="What the figures rest on")


class WorkSpec(SpeedSpec):
    """One workflow on a deployment; also with tools in use, where their declared effects are not what counts."""

    tools: dict[str, SpeedSpec] = Field(
        default={}, description="Tools in use, several joined by +, -> figures with them, latencies included"
    )


class Constant(Model):
    """Replicas that do not change."""

    constant: tuple[tuple[str, ...], ...] = Field(description="Groups of periods, each with the same replicas")


def _replicas_kind(value: object) -> str:
    return "groups" if isinstance(value, dict | Constant) else "always"


class Deployment(SpeedSpec):
    """A deployment the planner states; it wins over the catalogue's for the same models and precision."""

    model: str = Field(description="AI model, any name")
    gpu: Names = Field(description="GPU models it runs on")
    pools: Names | None = Field(default=None, description="Only on these pools")
    workflows: Names | None = Field(default=None, description="Only for these workflows")
    precision: str = Field(default="user", description="Precision of the weights")
    gpus: Positive | None = Field(default=None, description="GPUs of one replica; a fraction on shared pools")
    slice: str | None = Field(default=None, description="Kind of slice one replica takes on partitioned pools")
    hbm_gb: Annotated[float, Unit("GB", above=0.0)] = Field(
        description="GB resident per replica: weights, overhead, KV cache"
    )
    concurrency: AtLeastOne = Field(default=1, description="Tasks in flight per replica")
    context_tokens: Tokens | None = Field(default=None, description="Longest task in tokens; absent: no ceiling")
    work: dict[str, WorkSpec] = Field(default={}, description="Speed and power where a workflow's differ")
    quality: Scores = Field(default={}, description="Benchmark -> score, a share")
    keep: bool = Field(default=False, description="Never dropped as dominated")
    replicas: (
        Annotated[
            Annotated[Literal["constant"], Tag("always")] | Annotated[Constant, Tag("groups")],
            Discriminator(_replicas_kind),
        ]
        | None
    ) = Field(default=None, description="The same in all periods (constant), or in groups of them")
    resources: Amounts = Field(default={}, description="Further resource -> amount per replica")
    availability: PositiveShare | None = Field(default=None, description="Share of hours a replica is up")
    source: str | None = Field(default=None, description="Where the figures are from")
    note: str | None = Field(default=None, description="Remark")


class ApiPrice(Model):
    """Token prices of an API, by period."""

    usd_per_mtok_in: PerMtok | None = Field(default=None, description="Money per 10^6 input tokens")
    usd_per_mtok_out: PerMtok | None = Field(default=None, description="Money per 10^6 output tokens")
    usd_per_mtok_cached_in: PerMtok | None = Field(default=None, description="Money per 10^6 cached input tokens")
    usd_per_task: Annotated[ByPeriod, Unit("USD/task")] | None = Field(default=None, description="Money per task")


class ToolPrice(ApiPrice):
    """Price and tokens of a call with tools in use."""

    tokens_in: Annotated[float, Unit("token")] | None = Field(default=None, description="Input tokens of one task")
    tokens_out: Annotated[float, Unit("token")] | None = Field(default=None, description="Output tokens of one task")


class WorkPrice(ApiPrice):
    """Price for one workflow; also with tools in use, where their declared effects are not what counts."""

    tools: dict[str, ToolPrice] = Field(default={}, description="Tools in use, several joined by +, -> price with them")


class Api(ApiPrice):
    """A model bought by the token or the task."""

    model: str | None = Field(default=None, description="List price to use, as genai-prices:provider/model")
    jurisdiction: str = Field(description="Law that holds where it runs")
    vendor: str | None = Field(default=None, description="Who sells it; default the provider that `model` names")
    prices: dict[str, WorkPrice] = Field(default={}, description="Prices where a workflow's differ")
    price_factor: Annotated[ByPeriod, Unit()] = Field(
        default=ByPeriod(1.0), description="Price path: factor on the price, by period"
    )
    batch_discount: Share = Field(default=0.0, description="Discount on the price for batch work")
    commitment_usd: MoneyByPeriod | None = Field(
        default=None, description="Spend committed to by period, paid whether used or not"
    )
    quality: Scores = Field(default={}, description="Benchmark -> score, a share")
    ttft_ms: Milliseconds | None = Field(default=None, description="Time to first token in ms")
    tpot_ms: Milliseconds | None = Field(default=None, description="Time per output token in ms")
    tokens_per_minute: Annotated[float, Unit("token")] | None = Field(default=None, description="Rate limit in tokens")
    requests_per_minute: Annotated[float, Unit("request")] | None = Field(
        default=None, description="Rate limit in requests"
    )
    tokens_per_period: Annotated[ByPeriod, Unit("token")] | None = Field(default=None, description="Quota of tokens")
    requests_per_period: Annotated[ByPeriod, Unit("request")] | None = Field(
        default=None, description="Quota of requests"
    )
    relief: Relief | None = Field(
        default=None, description="One more lot of tokens or requests: of the quota, else of the rate a minute"
    )
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")

    @property
    def seller(self) -> str | None:
        """Its vendor: as stated, else the provider that its list price names."""
        listed = self.model is not None and self.model.startswith(LISTED)
        return self.vendor or (str(self.model).removeprefix(LISTED).split("/")[0] if listed else None)
