"""A lot for everything that can be loosened, as declared at its owner or by default.

Where the instance declares no relief a usual lot is taken and said to be the default: a node, 100 kW or 5 % of
the power where that is less, a rack, one launch, 5 % of a budget or quota, one percentage point of a share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from optimizer.explaining.lot import (
    Lot,
    in_field,
    in_listed,
    in_named,
    in_nested,
    in_offer,
    in_rate,
    lot,
)
from optimizer.explaining.promises import promises
from optimizer.explaining.relief import Relief, lots_of_gpus
from optimizer.formulation.data import ApiLimit, Concentration, Data

SHARE = 0.05  # of a limit without a lot of its own
POINT = 0.01  # of a limit that is a share
SITE_KW = 100.0
MINUTES = 60.0  # an hour
MEASURES = (("tokens", "token"), ("requests", "request"))

Reliefs = Mapping[str, Relief]


def lots(d: Data, reliefs: Reliefs) -> tuple[Lot, ...]:
    """A lot for everything that can be loosened, promises included."""
    makers = (_pools, _sites, _agreed, _shares, _people_and_more, _apis, _supply)
    return (*(each for make in makers for each in make(d, reliefs)), *promises(d))


def _pools(d: Data, reliefs: Reliefs) -> Iterator[Lot]:
    for p, pool in d.pools.items():
        relief = reliefs.get(f"pools.{p}")
        gpus = lots_of_gpus(pool, relief)
        feeds = {"gpu_capacity": gpus, "hbm_capacity": gpus * pool.usable_gb}
        if pool.sharing == "shared":
            feeds |= {"bandwidth_capacity": gpus * pool.bandwidth_gb_s, "compute_capacity": gpus * pool.tflops}
        counted = "1 GPU" if gpus == 1 else f"{gpus:g} GPUs"
        node = "1 node" if gpus == 1 else f"1 node of {counted}"
        text = node if gpus == pool.node else counted
        yield lot(f"pools.{p}", text, feeds, (p,), relief, partial(in_named, "pools", p, "count", gpus))


def _sites(d: Data, reliefs: Reliefs) -> Iterator[Lot]:
    for s, site in d.sites.items():
        if site.power_kw is not None:
            relief, owner = reliefs.get(f"sites.{s}"), f"sites.{s}"
            kw = relief.amount if relief else min(SITE_KW, SHARE * max(site.power_kw.values())) or SITE_KW
            yield lot(owner, f"{kw:g} kW", {"power_limit": kw}, (s,), relief,
                      partial(in_named, "sites", s, "power_kw", kw))  # fmt: skip
        for kind in site.racks:
            relief, owner = reliefs.get(f"sites.{s}.racks.{kind}"), f"sites.{s}.racks.{kind}"
            racks = relief.amount if relief else 1.0
            yield lot(owner, _counted(racks, "rack"), {"rack_capacity": racks}, (s, kind), relief,
                      partial(in_nested, "sites", s, "racks", kind, racks))  # fmt: skip
        if site.storage_tb is not None:
            relief, owner = reliefs.get(f"sites.{s}.storage_tb"), f"sites.{s}.storage_tb"
            tb = relief.amount if relief else _part(site.storage_tb)
            yield lot(owner, f"{tb:g} TB", {"storage_capacity": tb}, (s,), relief,
                      partial(in_named, "sites", s, "storage_tb", tb))  # fmt: skip


def _agreed(d: Data, reliefs: Reliefs) -> Iterator[Lot]:
    for field, owner, thing in (("launch_limit", "limits.launches", "launch"),
                                ("portfolio_limit", "limits.portfolio", "workflow at once")):  # fmt: skip
        if getattr(d, field):
            relief = reliefs.get(owner)
            many = relief.amount if relief else 1.0
            text = _counted(many, thing)
            yield lot(owner, text, {field: many}, (), relief, partial(in_field, field, many))
    for i, budget in enumerate(d.budgets):
        owner = f"limits.spend.{budget.id}"
        usd, text = _of(budget.amount, reliefs.get(owner), d.currency)
        yield lot(owner, text, {"spend_limit": usd}, (budget.id,), reliefs.get(owner),
                  partial(in_listed, "budgets", i, "amount", usd))  # fmt: skip
    for i, f in enumerate(d.footprints):
        owner = f"limits.{f.kind}.{f.id}"
        amount, text = _of(f.amount, reliefs.get(owner), {"energy": "MWh", "carbon": "t CO2e", "water": "m3"}[f.kind])
        yield lot(owner, text, {f"{f.kind}_limit": amount}, (f.id,), reliefs.get(owner),
                  partial(in_listed, "footprints", i, "amount", amount))  # fmt: skip


def _shares(d: Data, reliefs: Reliefs) -> Iterator[Lot]:
    if d.exploration_share:
        relief, hours = reliefs.get("limits.exploration"), d.calendar.hours
        points = relief.amount if relief else POINT
        owned = max(sum(pool.count[t] * hours[t] for pool in d.pools.values()) for t in d.exploration_share)
        yield lot("limits.exploration", _points(points, "GPU-hours"), {"exploration_limit": points * owned or 1.0},
                  (None,), relief, partial(in_field, "exploration_share", points), whole=True)  # fmt: skip
    for i, c in enumerate(d.concentrations):
        relief, owner = reliefs.get(f"limits.concentration.{c.id}"), f"limits.concentration.{c.id}"
        points = relief.amount if relief else POINT
        feeds = {"concentration_limit": points * _most_mtok(d, c) or 1.0}
        yield lot(owner, _points(points, "tokens"), feeds, (c.id,), relief,
                  partial(in_listed, "concentrations", i, "share", points), estimated=True)  # fmt: skip


def _people_and_more(d: Data, reliefs: Reliefs) -> Iterator[Lot]:
    for k, skill in d.skills.items():
        if skill.hours is not None:
            relief = reliefs.get(f"skills.{k}")
            hours, text = _of(skill.hours, relief, "hours")
            yield lot(f"skills.{k}", text, {"review_limit": hours}, (k,), relief,
                      partial(in_named, "skills", k, "hours", hours))  # fmt: skip
    for r, resource in d.resources.items():
        relief = reliefs.get(f"resources.{r}")
        whole = all(float(a).is_integer() for a in resource.amount.values())
        amount = relief.amount if relief else 1.0 if whole else _part(resource.amount)
        yield lot(f"resources.{r}", f"{amount:g} {resource.unit}", {"resource_capacity": amount}, (r,), relief,
                  partial(in_named, "resources", r, "amount", amount))  # fmt: skip


def _apis(d: Data, reliefs: Reliefs) -> Iterator[Lot]:
    for a, limit in d.api_limits.items():
        for field, unit in MEASURES:
            yield from _quota(a, limit, field, unit, reliefs.get(f"apis.{a}"))


def _quota(a: str, limit: ApiLimit, field: str, unit: str, relief: Relief | None) -> Iterator[Lot]:
    """Lots of one measure of an API: a declared one is of its quota, or where there is none of its rate a minute."""
    quota, rate = getattr(limit, field), getattr(limit, f"{field}_per_hour")
    mine = relief if relief and relief.unit == unit else None
    if quota is not None:
        amount, text = _of(quota, mine, field)
        yield lot(f"apis.{a}.{field}", text, {"api_limit": amount}, (a, field), mine,
                  partial(in_named, "api_limits", a, field, amount))  # fmt: skip
        mine = None
    if rate is not None:
        amount = MINUTES * mine.amount if mine else SHARE * rate
        text = f"{mine.amount:,.0f} {field} a minute" if mine else f"{SHARE:.0%} of its rate"
        yield lot(f"apis.{a}.{field}_per_minute", text, {"api_limit": amount}, (a, f"{unit} rate"), mine,
                  partial(in_rate, a, f"{field}_per_hour", amount), lasting=True)  # fmt: skip


def _supply(d: Data, reliefs: Reliefs) -> Iterator[Lot]:
    for i, quota in enumerate(d.quotas):
        relief, owner = reliefs.get(f"limits.supply.{quota.id}"), f"limits.supply.{quota.id}"
        amount = relief.amount if relief else _part(quota.amount)
        yield lot(owner, f"{amount:g} {quota.unit}", {"supply_limit": amount}, (quota.id,), relief,
                  partial(in_listed, "quotas", i, "amount", amount))  # fmt: skip
    for o in d.offers:
        yield lot(f"offers.{o}", "1 lot on offer", {"supply_limit": 1.0}, (o,), None, partial(in_offer, o))


def _of(amounts: Mapping[Any, float], relief: Relief | None, unit: str) -> tuple[float, str]:
    """Amount of a lot in its limit's unit, and that in words."""
    amount = relief.amount if relief else _part(amounts)
    shown = f"{amount:,.0f}" if amount >= 100 else f"{amount:g}"
    return amount, f"{shown} {unit}" if relief else f"{shown} {unit} ({SHARE:.0%})"


def _part(amounts: Mapping[Any, float]) -> float:
    return SHARE * max(amounts.values(), default=0.0) or 1.0


def _counted(many: float, thing: str) -> str:
    return f"1 {thing}" if many == 1 else f"{many:g} x {thing}"


def _points(share: float, of: str) -> str:
    return f"{100 * share:g} % of the {of}"


def _most_mtok(d: Data, c: Concentration) -> float:
    """Million tokens of the workflows whose tokens count, were all of their demand served."""
    best: dict[str, float] = {}
    made = [(w, pair.good_mtok) for (w, _), pair in d.pairs.items()]
    for w, mtok in (*made, *((w, pair.good_mtok) for (w, _), pair in d.api_pairs.items())):
        if not c.workflows or w in c.workflows:
            best[w] = max(best.get(w, 0.0), mtok)
    return sum(mtok * max(d.workflows[w].demand.values(), default=0.0) for w, mtok in best.items())
