"""What may be bought, leased, given back or built, in whole lots."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from optimizer.instance.base import (
    Amounts,
    AtLeastOne,
    Id,
    Lots,
    Model,
    Money,
    PerGpuHour,
    Positive,
    Share,
    Whole,
)
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.quantity import Unit

PerGpu = Annotated[ByPeriod, Unit("USD/GPU")]
PerLot = Annotated[ByPeriod, Unit("USD/lot")]
Gpus = Annotated[int, Unit("GPU", whole=True, low=1)]


class Order(Model):
    """What all offers say: how many lots can be ordered, and when they take effect."""

    lead: Whole = Field(default=0, description="Periods from order to effect")
    lots: Lots | None = Field(default=None, description="Lots that can be ordered, by period of order")
    max_lots: Whole | None = Field(default=None, description="Lots over the horizon")
    needs: Amounts = Field(default={}, description="Quota of limits.supply -> amount per lot")
    note: str | None = Field(default=None, description="Remark")
    source: str | None = Field(default=None, description="Where the figures are from")


class Capital(Order):
    """What is paid for once: cash when ordered with a residual value at the end, or as an annuity."""

    usd_per_lot: PerLot | None = Field(default=None, description="Price per lot, by period of order")
    charge: Literal["cash", "annuity"] = Field(
        default="cash", description="Paid at the start of the order's period, or as an annuity over its life"
    )
    life_years: Positive | None = Field(default=None, description="Life in years, of annuity and depreciation")
    residual_usd_per_lot: Money | None = Field(
        default=None, description="Money that a lot is worth at the end of the horizon"
    )
    depreciation_per_year: Share | None = Field(
        default=None, description="Share of its worth that a lot loses per year since it took effect, instead"
    )


class Purchase(Capital):
    """GPUs to buy for a pool; its running cost is paid for them, its lease rate is not."""

    kind: Literal["purchase"] = Field(description="What kind of offer")
    pool: str = Field(description="Pool they join")
    lot: Gpus | None = Field(default=None, description="GPUs per lot; default one node of the pool")
    usd_per_gpu: PerGpu | None = Field(default=None, description="Price per GPU, instead of usd_per_lot")


class Lease(Order):
    """GPUs to lease for a pool, paid for every hour they are held."""

    kind: Literal["lease"] = Field(description="What kind of offer")
    pool: str = Field(description="Pool they join")
    lot: Gpus | None = Field(default=None, description="GPUs per lot; default one node of the pool")
    usd_per_gpu_hour: PerGpuHour = Field(description="Lease per GPU-hour by period of order, fixed for the term")
    term: AtLeastOne | None = Field(default=None, description="Periods held; default to the end of the horizon")


class Retire(Order):
    """Owned GPUs of a pool that may be sold; their running cost ends."""

    kind: Literal["retire"] = Field(description="What kind of offer")
    pool: str = Field(description="Pool they leave")
    lot: Gpus | None = Field(default=None, description="GPUs per lot; default one node of the pool")
    resale_usd_per_lot: Annotated[ByPeriod, Unit("USD/lot", low=float("-inf"))] = Field(
        default=ByPeriod(0.0), description="Money a lot fetches, by period in which it leaves; negative: costs"
    )


class Release(Order):
    """Leased GPUs of a pool that may be given back early; lease and running cost end."""

    kind: Literal["release"] = Field(description="What kind of offer")
    pool: str = Field(description="Pool they leave")
    lot: Gpus | None = Field(default=None, description="GPUs per lot; default one node of the pool")
    penalty_usd_per_lot: PerLot = Field(
        default=ByPeriod(0.0), description="Money paid per lot, by period in which it leaves"
    )


class Upgrade(Capital):
    """Power, racks, storage or another resource that can be built; one lot unless it says more."""

    kind: Literal["upgrade"] = Field(description="What kind of offer")
    site: str | None = Field(default=None, description="Site it is built at; left out if it brings only resources")
    power_mw: Annotated[float, Unit("MW")] = Field(default=0.0, description="MW at the meter per lot")
    racks: dict[Id, Whole] = Field(default={}, description="Rack class -> racks per lot")
    storage_tb: Annotated[float, Unit("TB")] = Field(default=0.0, description="TB per lot")
    resources: Amounts = Field(default={}, description="Further resource -> amount per lot")


Offer = Annotated[Purchase | Lease | Retire | Release | Upgrade, Field(discriminator="kind")]
