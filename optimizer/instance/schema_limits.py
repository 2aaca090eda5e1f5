"""Ceilings that were agreed rather than built: budgets, footprints, supply, concentration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from optimizer.instance.base import Id, Model, MoneyByPeriod, Names
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.quantity import Unit
from optimizer.instance.schema_fleet import Relief

TERMS = (
    "value", "api_tokens", "commitments", "energy", "carbon_price", "gpu_running", "gpu_lease", "leases", "purchases",
    "upgrades", "resale", "launches", "review", "retraining", "storage", "tools", "liability", "moves",
)  # fmt: skip
"""Of the ledger, which a budget may name; a test holds them to those that the formulation states."""
ShareByPeriod = Annotated[ByPeriod, Unit("%", high=1.0)]


class Budget(Model):
    """Cash that the named terms may spend."""

    amount: MoneyByPeriod = Field(description="Money, by period unless `per` says otherwise")
    per: Literal["period", "year", "horizon"] = Field(default="period", description="What one amount is for")
    terms: Names | None = Field(
        default=None, description="Terms it covers; default purchases and upgrades for capex_usd, else running cost"
    )
    relief: Relief | None = Field(default=None, description="One more lot of money to spend, of each amount")


class Footprint(Model):
    """What some sites may use or emit together; all sites, if neither sites nor a jurisdiction are named."""

    sites: Names | None = Field(default=None, description="Sites it covers")
    jurisdiction: str | None = Field(default=None, description="Sites it covers, by the law that holds there")
    per: Literal["period", "year", "horizon"] = Field(default="period", description="What one amount is for")
    relief: Relief | None = Field(default=None, description="One more lot: MWh, t or m3, of each amount")


class EnergyLimit(Footprint):
    """Electricity at the meter."""

    mwh: Annotated[ByPeriod, Unit("MWh")] = Field(description="MWh, by period unless `per` says otherwise")


class CarbonLimit(Footprint):
    """Carbon of the electricity."""

    t_co2: Annotated[ByPeriod, Unit("t")] = Field(description="t CO2e, by period unless `per` says otherwise")


class WaterLimit(Footprint):
    """Water that cooling takes."""

    m3: Annotated[ByPeriod, Unit("m3")] = Field(description="Cubic metres, by period unless `per` says otherwise")


class Quota(Model):
    """What the market delivers of something that several offers need."""

    unit: str = Field(description="What it is counted in: GB of HBM, packages")
    amount: Annotated[ByPeriod, Unit()] = Field(description="Amount by period of order")
    relief: Relief | None = Field(default=None, description="One more lot, in its unit")


class Concentration(Model):
    """Share of the output tokens that some sites, vendors or APIs may carry together."""

    sites: Names = Field(default=(), description="Sites, with all endpoints there")
    vendors: Names = Field(default=(), description="Vendors, with all their APIs")
    apis: Names = Field(default=(), description="APIs")
    workflows: Names | None = Field(default=None, description="Workflows whose tokens count; default all")
    share: ShareByPeriod = Field(description="Share of those workflows' output tokens, by period")
    relief: Relief | None = Field(default=None, description="One more lot, in percent of the tokens")


class AgreedRelief(Model):
    """One more lot of the limits that are a number and no more."""

    launches: Relief | None = Field(default=None, description="One more lot of launches per period")
    portfolio: Relief | None = Field(default=None, description="One more lot of workflows funded at once")
    exploration: Relief | None = Field(default=None, description="One more lot of exploration, in percent of GPU-hours")


def _budget(value: object) -> object:
    return value if isinstance(value, Mapping | Budget) else {"amount": value}


class Limits(Model):
    """Ceilings that were agreed rather than built."""

    spend: dict[Id, Annotated[Budget, BeforeValidator(_budget, json_schema_input_type=Budget | MoneyByPeriod)]] = Field(
        default={}, description="Budgets by name"
    )
    launches: Annotated[ByPeriod, Unit(whole=True)] | None = Field(default=None, description="Launches per period")
    portfolio: Annotated[ByPeriod, Unit(whole=True)] | None = Field(
        default=None, description="Workflows funded at once"
    )
    exploration: ShareByPeriod | None = Field(
        default=None, description="Share of owned GPU-hours for workflows not yet proven, by period"
    )
    energy: dict[Id, EnergyLimit] = Field(default={}, description="Limits on energy by name")
    carbon: dict[Id, CarbonLimit] = Field(default={}, description="Limits on carbon by name")
    water: dict[Id, WaterLimit] = Field(default={}, description="Limits on water by name")
    supply: dict[Id, Quota] = Field(default={}, description="Market quotas that offers need, by name")
    concentration: dict[Id, Concentration] = Field(default={}, description="Limits on concentration by name")
    relief: AgreedRelief = Field(default=AgreedRelief(), description="Lots of launches, portfolio and exploration")
