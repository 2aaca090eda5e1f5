"""Declared lots: where an instance may state them, and what a lot is counted in there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from optimizer.instance.faults import Misfit, Misfits, Path
from optimizer.instance.quantity import Unit, shown
from optimizer.instance.schema import Api, Instance, Relief

_LOT = re.compile(r"([\d_.]+(?:\s?[kMBG](?=\s))?)\s*([^\d\s].*)")
FOOTPRINTS = {"energy": "MWh", "carbon": "t", "water": "m3"}
CONVERTED = {"kW", "TB", "h", *FOOTPRINTS.values()}  # counted things are of one kind to the registry of units
AGREED = {"launches": "launch", "portfolio": "workflow", "exploration": "%"}


class Declared(NamedTuple):
    """A lot as stated: at which owner, where it stands, the units it may be stated in, and what its limit's key is."""

    owner: str
    at: Path
    relief: Relief
    units: tuple[str, ...]
    limit: object = True  # None: the instance does not state what the lot would loosen
    key: str = ""


def declared(instance: Instance) -> Iterator[Declared]:
    """Every lot that an instance states."""
    yield from _fleet(instance)
    yield from _agreed(instance)
    yield from _bought(instance)


def lot_amount(lot: str, units: tuple[str, ...]) -> tuple[float, str]:
    """Amount of a lot such as `2 nodes`, `100 kW` or `2M tokens`, in the first of the units that fits, and that unit.

    Raises Misfits that say what was expected.
    """
    found = _LOT.fullmatch(lot.strip())
    if not found:
        raise Misfits(Misfit((), f"is {shown(lot)}, expected a number and a thing", f"1 {units[0]}"))
    for unit in units:
        plain = unit.lower()
        same = found[2].strip().lower() in (plain, f"{plain}s", f"{plain}es")
        with suppress(Misfits):
            if same or unit in CONVERTED:
                return Unit(unit, above=0.0).read(f"{found[1]} {unit if same else found[2]}"), unit
    raise Misfits(Misfit((), f"is {shown(lot)}, expected a number of {' or '.join(units)}", f"1 {units[0]}"))


def misfits(instance: Instance) -> Iterator[Misfit]:
    """Lots that are counted in something else, and lots of a limit that is not stated."""
    for each in declared(instance):
        if each.limit is None:
            yield Misfit(each.at, "loosens a limit that is not stated", f"add {each.key}")
        try:
            lot_amount(each.relief.lot, each.units)
        except Misfits as error:
            yield from (Misfit((*each.at, "lot"), m.message, m.maybe) for m in error.misfits)


def _fleet(instance: Instance) -> Iterator[Declared]:
    for p, pool in instance.pools.items():
        yield from _at(("pools", p), pool.relief, ("node", "GPU"))
    for s, site in instance.sites.items():
        at = ("sites", s)
        yield from _at(at, site.relief, ("kW",), site.power_mw, "power_mw")
        for kind, relief in site.rack_relief.items():
            limit = site.racks.get(kind)
            yield Declared(f"sites.{s}.racks.{kind}", (*at, "rack_relief", kind), relief, ("rack",), limit, "racks")
        if site.storage_relief:
            path = (*at, "storage_relief")
            yield Declared(f"sites.{s}.storage_tb", path, site.storage_relief, ("TB",), site.storage_tb, "storage_tb")
    for k, skill in instance.skills.items():
        yield from _at(("skills", k), skill.relief, ("h",), skill.hours, "hours")
    for r, resource in instance.resources.items():
        yield from _at(("resources", r), resource.relief, (resource.unit,))


def _agreed(instance: Instance) -> Iterator[Declared]:
    limits = instance.limits
    for name, budget in limits.spend.items():
        yield from _at(("limits", "spend", name), budget.relief, (instance.currency,))
    for kind, unit in FOOTPRINTS.items():
        for name, footprint in getattr(limits, kind).items():
            yield from _at(("limits", kind, name), footprint.relief, (unit,))
    for name, unit in AGREED.items():
        relief = getattr(limits.relief, name)
        if relief is not None:
            at = ("limits", "relief", name)
            yield Declared(f"limits.{name}", at, relief, (unit,), getattr(limits, name), f"{name} to limits")
    for name, quota in limits.supply.items():
        yield from _at(("limits", "supply", name), quota.relief, (quota.unit,))
    for name, concentration in limits.concentration.items():
        yield from _at(("limits", "concentration", name), concentration.relief, ("%",))


def _bought(instance: Instance) -> Iterator[Declared]:
    for a, api in instance.apis.items():
        yield from _at(("apis", a), api.relief, ("token", "request"), _counted(api), "the quota or rate that it counts")


def _counted(api: Api) -> object:
    """The quota, else the rate limit, of what the lot of an API counts; None if it states neither."""
    limits: Mapping[str, tuple[object, ...]] = {
        "token": (api.tokens_per_period, api.tokens_per_minute),
        "request": (api.requests_per_period, api.requests_per_minute),
    }
    unit = next((unit for unit in limits if api.relief and unit in api.relief.lot), None)
    return next((each for each in limits.get(unit or "", ()) if each is not None), None if unit else True)


def _at(at: Path, relief: Relief | None, units: tuple[str, ...], limit: object = True, key: str = ""
        ) -> Iterator[Declared]:  # fmt: skip
    if relief is not None:
        yield Declared(".".join(map(str, at)), (*at, "relief"), relief, units, limit, key)
