"""Where and on what: horizon, sites, pools, GPU models and AI models stated in an instance."""

from __future__ import annotations

from math import inf
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from optimizer.instance.base import (
    AtLeastOne,
    Gigabytes,
    Id,
    Kilowatts,
    Model,
    Money,
    Names,
    Number,
    PerGpuHour,
    Positive,
    Scores,
    Share,
    Whole,
)
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.quantity import Unit


class PeriodSpec(Model):
    """One period of an explicit calendar; either hours or seconds."""

    id: Id = Field(description="Name of the period")
    hours: Annotated[float, Unit("h", above=0.0)] | None = Field(default=None, description="Length in hours")
    seconds: Annotated[float, Unit("s", above=0.0)] | None = Field(default=None, description="Length in seconds")


def _periods_kind(value: object) -> str:
    return "listed" if isinstance(value, list | tuple) else "counted"


Periods = Annotated[
    Annotated[AtLeastOne, Tag("counted")] | Annotated[tuple[PeriodSpec, ...], Tag("listed")],
    Discriminator(_periods_kind),
]


class Horizon(Model):
    """The periods decided about, and what later money is worth."""

    start: str | None = Field(default=None, description="First period: 2027Q1, 2027-01 or 2027, as `unit` says")
    periods: Periods = Field(description="How many periods, or a list of {id, hours}")
    unit: Literal["quarter", "month", "year"] = Field(default="quarter", description="Length of a counted period")
    discount_rate: Share = Field(default=0.0, description="Discount rate per year, a share")


class Relief(Model):
    """What one more lot of a limit would be and cost, for the explanation; counted in the unit of the limit."""

    lot: str = Field(description='One lot, such as "1 node", "100 kW", "1 rack", "50k USD", "20 h", "2M tokens", "1%"')
    usd_per_lot: Money = Field(description="Money per lot")
    max_lots: Whole = Field(description="Lots that can be had")
    owner: str | None = Field(default=None, description="Who decides about it")


class RackClass(Model):
    """Racks of one kind: a circuit and a cooling loop."""

    kw: Annotated[float, Unit("kW", above=0.0)] = Field(description="kW of IT load that one rack carries")
    cooling: Literal["air", "liquid"] = Field(default="air", description="Cooling it gives")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


class Permit(Model):
    """Power that a dated permit adds to the site's own; the date may slip."""

    power_mw: Annotated[float, Unit("MW")] = Field(description="Power it adds at the meter in MW")
    from_: str = Field(alias="from", description="First period in which it is energised")
    late: Whole = Field(default=0, description="Periods by which it is late")


class Site(Model):
    """A place where power is bought and limited."""

    jurisdiction: str = Field(description="Law that holds there; US-VA counts as within US")
    power_mw: Annotated[ByPeriod, Unit("MW")] | None = Field(
        default=None, description="Energised power at the site's meter in MW, by period; absent: no limit"
    )
    pue: Annotated[float, Unit(low=1.0)] = Field(description="Power usage effectiveness: meter over IT load")
    power_permits: dict[Id, Permit] = Field(default={}, description="Dated permits that add to power_mw")
    curtailment: dict[str, Annotated[ByPeriod, Unit("MW")]] = Field(
        default={}, description="Day part -> MW taken off the limit, by period"
    )
    usd_per_mwh: Annotated[ByPeriod, Unit("USD/MWh", low=-inf)] = Field(
        description="Tariff per MWh at the meter, by period"
    )
    g_co2_per_kwh: Annotated[ByPeriod, Unit("g/kWh", low=-inf)] | None = Field(
        default=None, description="Carbon intensity in g CO2e per kWh, by period"
    )
    usd_per_t_co2: Annotated[ByPeriod, Unit("USD/t", low=-inf)] | None = Field(
        default=None, description="Price of carbon per t CO2e, by period"
    )
    allow_negative: bool = Field(default=False, description="Tariff, carbon intensity and price may be negative")
    water_l_per_kwh: Annotated[ByPeriod, Unit("l/kWh")] | None = Field(
        default=None, description="Water in litres per kWh at the meter, by period"
    )
    racks: dict[Id, Annotated[ByPeriod, Unit("rack", whole=True)]] = Field(
        default={}, description="Rack class -> racks, by period"
    )
    storage_tb: Annotated[ByPeriod, Unit("TB")] | None = Field(
        default=None, description="Storage in TB (10^12 bytes), by period; absent: no limit"
    )
    usd_per_tb_month: Annotated[ByPeriod, Unit("USD/TB/month")] | None = Field(
        default=None, description="Money per TB stored for a month of 730 h, by period"
    )
    cooling: tuple[Literal["air", "liquid"], ...] = Field(
        default=("air", "liquid"), description="Cooling the site can give"
    )
    power_basis: Literal["operating", "nameplate"] = Field(
        default="operating", description="Draw by load, or every replica at full load"
    )
    relief: Relief | None = Field(default=None, description="One more lot of power")
    rack_relief: dict[Id, Relief] = Field(default={}, description="Rack class -> one more lot of racks")
    storage_relief: Relief | None = Field(default=None, description="One more lot of storage")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


class SliceSpec(Model):
    """One kind of slice of a partitioned GPU: its share of the whole."""

    hbm_gb: Gigabytes = Field(description="Memory of the slice in GB")
    compute_share: Share = Field(description="Share of the GPU's compute")
    bandwidth_share: Share = Field(description="Share of the GPU's HBM bandwidth")


class GpuSpec(Model):
    """A GPU model: changes to `base`, or complete without one; kW at the wall with the node's share."""

    base: str | None = Field(default=None, description="GPU model of the catalogue that this one changes")
    name: str | None = Field(default=None, description="Name as sold")
    vendor: str | None = Field(default=None, description="Vendor")
    hbm_gb: Gigabytes | None = Field(default=None, description="Nominal HBM in GB (10^9 bytes)")
    usable_hbm_gb: Gigabytes | None = Field(default=None, description="HBM in GB less the device's own reserve")
    bandwidth_tb_s: Annotated[float, Unit("TB/s", above=0.0)] | None = Field(
        default=None, description="HBM bandwidth in TB/s"
    )
    tflops: dict[str, Positive] | None = Field(default=None, description="Dense TFLOP/s by precision")
    tdp_w: Annotated[float, Unit("W")] | None = Field(default=None, description="Thermal design power in W")
    idle_kw: Kilowatts | None = Field(default=None, description="kW per GPU at the wall, powered and idle")
    op_kw: Kilowatts | None = Field(default=None, description="kW per GPU at the wall, at full load")
    gpus_per_node: AtLeastOne | None = Field(default=None, description="GPUs powered together")
    scale_up_domain: AtLeastOne | None = Field(default=None, description="GPUs that one replica may span")
    cooling: Literal["air", "liquid"] | None = Field(default=None, description="Cooling it needs")
    slices: dict[str, SliceSpec] | None = Field(default=None, description="Kinds of slice it can be cut into")
    layouts: dict[str, dict[str, AtLeastOne]] | None = Field(
        default=None, description="Layouts of one GPU: layout -> kind of slice -> slices"
    )
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


class ModelSpec(Model):
    """An AI model: changes to `base`, or complete without one."""

    base: str | None = Field(default=None, description="AI model of the catalogue that this one changes")
    name: str | None = Field(default=None, description="Name as published")
    params_b: Positive | None = Field(default=None, description="Parameters in 10^9")
    active_params_b: Positive | None = Field(default=None, description="Parameters active per token in 10^9")
    layers: AtLeastOne | None = Field(default=None, description="Layers")
    experts: AtLeastOne | None = Field(default=None, description="Experts per layer; 1 when dense")
    experts_per_token: AtLeastOne | None = Field(default=None, description="Experts per token; 1 when dense")
    attention: Literal["gqa", "mla"] | None = Field(default=None, description="Kind of attention")
    kv_values_per_token: Number | None = Field(default=None, description="Cached values per token, any precision")
    kv_heads: AtLeastOne | None = Field(default=None, description="KV heads; caches are split at most this far")
    context_tokens: AtLeastOne | None = Field(default=None, description="Longest context in tokens")
    precisions: Names | None = Field(default=None, description="Weight precisions it is served in")
    licence: str | None = Field(default=None, description="Licence")
    commercial_use: bool | None = Field(default=None, description="Whether the licence allows commercial use")
    quality: Scores | None = Field(default=None, description="Benchmark -> score, a share")
    output_multiplier: Positive | None = Field(
        default=None, description="Output tokens against a plain model on the same task"
    )
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


def _named_or_spelt(value: object) -> str:
    return "spelt" if isinstance(value, dict | GpuSpec) else "named"


def _list_or_cut(value: object) -> str:
    return "cut" if isinstance(value, dict) else "named"


GpuChoice = Annotated[Annotated[str, Tag("named")] | Annotated[GpuSpec, Tag("spelt")], Discriminator(_named_or_spelt)]
Layouts = Annotated[
    Annotated[Names, Tag("named")] | Annotated[dict[str, dict[str, AtLeastOne]], Tag("cut")],
    Discriminator(_list_or_cut),
]


class Pool(Model):
    """Identical GPUs at one site."""

    site: str = Field(description="Site it stands at")
    rack: str | None = Field(default=None, description="Rack class its nodes stand in; absent: racks are not counted")
    gpu: GpuChoice = Field(description="GPU model: a name, or {base: name, figures that differ}")
    count: Annotated[ByPeriod, Unit("GPU", whole=True)] = Field(description="GPUs there, by period")
    node: AtLeastOne | None = Field(default=None, description="GPUs powered together; default the GPU model's")
    usd_per_gpu_hour: PerGpuHour = Field(description="Running cost per GPU-hour, by period")
    lease_usd_per_gpu_hour: PerGpuHour = Field(
        default=ByPeriod(0.0), description="Lease per GPU-hour, paid for every GPU there, by period"
    )
    paid: Literal["owned", "powered"] = Field(default="owned", description="GPUs whose running cost is paid")
    sharing: Literal["whole", "partitioned", "shared"] = Field(
        default="whole", description="GPUs whole, cut into slices (MIG), or shared in time (MPS)"
    )
    layouts: Layouts | None = Field(
        default=None, description="Partition layouts allowed, by name or {name: {slice: number}}; default all"
    )
    max_residents: AtLeastOne | None = Field(default=None, description="Replicas per GPU on a shared pool")
    bandwidth_share: Share = Field(default=0.8, description="Usable share of HBM bandwidth on a shared pool")
    compute_share: Share | None = Field(default=None, description="Usable share of compute on a shared pool")
    relief: Relief | None = Field(default=None, description="One more lot of GPUs")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")
