"""One lot more: a physical change declared at its owner, felt by every row that the owner feeds.

Where the instance declares no relief a usual lot is taken and said to be the default: a node, 100 kW or 5 % of
the power where that is less, one launch, 5 % of a budget.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from optimizer.explaining.relief import Relief, kw_per_lot, lots_of_gpus
from optimizer.formulation.data import Data, Period
from optimizer.formulation.family import Key

SHARE = 0.05  # of a limit without a lot of its own
SITE_KW = 100.0
MOST = 4  # lots of a value curve where the instance does not say how many there are

Add = Callable[[Data, int, Collection[Period]], Data]


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """What one more would be, of whom, and at what price. `add` changes the data by so many lots in some periods."""

    owner: str  # as in the instance: pools.ash-h100
    text: str
    families: Mapping[str, float]  # families it feeds -> amount per lot in the unit of their rows
    key: Key  # how the keys of these rows begin
    add: Add
    usd_per_lot: float | None = None
    max_lots: int = MOST
    declared: bool = False

    def owns(self, family: str, key: Key) -> bool:
        """Whether a row is fed by this owner."""
        return family in self.families and key[: len(self.key)] == self.key


def lots(d: Data, reliefs: Mapping[str, Relief]) -> tuple[Lot, ...]:
    """A lot for everything that can be loosened."""
    return tuple(each for make in (_pools, _sites, _agreed, _people_and_more, _market) for each in make(d, reliefs))


def _pools(d: Data, reliefs: Mapping[str, Relief]) -> Iterator[Lot]:
    for p, pool in d.pools.items():
        relief = reliefs.get(f"pools.{p}")
        gpus = lots_of_gpus(pool, relief)
        feeds = {"gpu_capacity": gpus, "hbm_capacity": gpus * pool.usable_gb}
        if pool.sharing == "shared":
            feeds |= {"bandwidth_capacity": gpus * pool.bandwidth_gb_s, "compute_capacity": gpus * pool.tflops}
        text = "1 node" if gpus == pool.node else f"{gpus:g} GPUs"
        yield _lot(f"pools.{p}", f"{text} of {gpus:g} GPUs" if gpus > 1 else text, feeds, (p,), relief,
                   partial(_in_pool, p, gpus))  # fmt: skip


def _sites(d: Data, reliefs: Mapping[str, Relief]) -> Iterator[Lot]:
    for s, site in d.sites.items():
        if site.power_kw is not None:
            relief = reliefs.get(f"sites.{s}")
            kw = kw_per_lot(relief) or min(SITE_KW, SHARE * max(site.power_kw.values())) or SITE_KW
            yield _lot(f"sites.{s}", f"{kw:g} kW", {"power_limit": kw}, (s,), relief, partial(_in_site, s, kw))
        for kind in site.racks:
            yield _lot(f"sites.{s}.racks.{kind}", "1 rack", {"rack_capacity": 1.0}, (s, kind), None,
                       partial(_in_racks, s, kind))  # fmt: skip
        if site.storage_tb is not None:
            tb = _part(site.storage_tb)
            yield _lot(f"sites.{s}.storage_tb", f"{tb:g} TB", {"storage_capacity": tb}, (s,), None,
                       partial(_in_storage, s, tb))  # fmt: skip


def _agreed(d: Data, reliefs: Mapping[str, Relief]) -> Iterator[Lot]:
    for name, family in (("launch_limit", "launch"), ("portfolio_limit", "workflow at once")):
        if getattr(d, name):
            owner = {"launch_limit": "limits.launches", "portfolio_limit": "limits.portfolio"}[name]
            yield _lot(owner, f"1 {family}", {name: 1.0}, (), reliefs.get(owner), partial(_in_data, name, 1.0))
    for i, budget in enumerate(d.budgets):
        usd = _part(budget.amount)
        owner = f"limits.spend.{budget.id}"
        yield _lot(owner, f"{usd:,.0f} {d.currency} ({SHARE:.0%})", {"spend_limit": usd}, (budget.id,),
                   reliefs.get(owner), partial(_in_groups, "budgets", i, usd))  # fmt: skip
    for i, f in enumerate(d.footprints):
        amount = _part(f.amount)
        yield _lot(f"limits.{f.kind}.{f.id}", f"{amount:g} ({SHARE:.0%})", {f"{f.kind}_limit": amount}, (f.id,), None,
                   partial(_in_groups, "footprints", i, amount))  # fmt: skip


def _people_and_more(d: Data, reliefs: Mapping[str, Relief]) -> Iterator[Lot]:
    for k, skill in d.skills.items():
        if skill.hours is not None:
            hours = _part(skill.hours)
            yield _lot(f"skills.{k}", f"{hours:g} hours ({SHARE:.0%})", {"review_limit": hours}, (k,),
                       reliefs.get(f"skills.{k}"), partial(_in_named, "skills", k, "hours", hours))  # fmt: skip
    for r, resource in d.resources.items():
        whole = all(float(a).is_integer() for a in resource.amount.values())
        amount = 1.0 if whole else _part(resource.amount)
        yield _lot(f"resources.{r}", f"{amount:g} {resource.unit}", {"resource_capacity": amount}, (r,),
                   reliefs.get(f"resources.{r}"), partial(_in_named, "resources", r, "amount", amount))  # fmt: skip


def _market(d: Data, reliefs: Mapping[str, Relief]) -> Iterator[Lot]:
    for a, limit in d.api_limits.items():
        for field, measure in (("tokens", "tokens"), ("requests", "requests")):
            quota = getattr(limit, field)
            if quota is not None:
                amount = _part(quota)
                yield _lot(f"apis.{a}.{field}", f"{amount:,.0f} {field} ({SHARE:.0%})", {"api_limit": amount},
                           (a, measure), reliefs.get(f"apis.{a}"), partial(_in_named, "api_limits", a, field, amount)
                           )  # fmt: skip
        for field, measure in (("tokens_per_hour", "token rate"), ("requests_per_hour", "request rate")):
            rate = getattr(limit, field)
            if rate is not None:
                yield _lot(f"apis.{a}.{field}", f"{SHARE:.0%} of its rate", {"api_limit": SHARE * rate}, (a, measure),
                           reliefs.get(f"apis.{a}"), partial(_in_rate, a, field, SHARE * rate))  # fmt: skip
    for i, quota in enumerate(d.quotas):
        amount = _part(quota.amount)
        quotas = partial(_in_tuple, "quotas", i, "amount", amount)
        yield _lot(f"limits.supply.{quota.id}", f"{amount:g} {quota.unit}", {"supply_limit": amount}, (quota.id,), None,
                   quotas)  # fmt: skip
    for o in d.offers:
        yield _lot(f"offers.{o}", "1 lot on offer", {"supply_limit": 1.0}, (o,), None, partial(_in_offer, o))


def _lot(owner: str, text: str, feeds: Mapping[str, float], key: Key, relief: Relief | None, add: Add) -> Lot:
    if relief is None:
        return Lot(owner, text, feeds, key, add)
    return Lot(owner, text, feeds, key, add, relief.usd_per_lot, max(1, relief.max_lots), declared=True)


def _part(amounts: Mapping[Any, float]) -> float:
    return SHARE * max(amounts.values(), default=0.0) or 1.0


def _raised(amounts: Mapping[Period, float], by: float, at: Collection[Period]) -> dict[Period, float]:
    return {t: max(0.0, amount + by) if t in at else amount for t, amount in amounts.items()}


def _in_pool(p: str, gpus: float, d: Data, n: int, at: Collection[Period]) -> Data:
    changed = replace(d.pools[p], count=_raised(d.pools[p].count, n * gpus, at))
    return replace(d, pools={**d.pools, p: changed})


def _in_site(s: str, kw: float, d: Data, n: int, at: Collection[Period]) -> Data:
    power = d.sites[s].power_kw
    assert power is not None
    return replace(d, sites={**d.sites, s: replace(d.sites[s], power_kw=_raised(power, n * kw, at))})


def _in_racks(s: str, kind: str, d: Data, n: int, at: Collection[Period]) -> Data:
    racks = {**d.sites[s].racks, kind: _raised(d.sites[s].racks[kind], n, at)}
    return replace(d, sites={**d.sites, s: replace(d.sites[s], racks=racks)})


def _in_storage(s: str, tb: float, d: Data, n: int, at: Collection[Period]) -> Data:
    there = d.sites[s].storage_tb
    assert there is not None
    return replace(d, sites={**d.sites, s: replace(d.sites[s], storage_tb=_raised(there, n * tb, at))})


def _in_data(name: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    changed: Any = {name: _raised(getattr(d, name), n * amount, at)}
    return replace(d, **changed)


def _in_named(table: str, name: str, field: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    rows = getattr(d, table)
    changed: Any = {
        table: {**rows, name: replace(rows[name], **{field: _raised(getattr(rows[name], field), n * amount, at)})}
    }
    return replace(d, **changed)


def _in_rate(a: str, field: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    """A rate is one number for all periods, whichever are asked about."""
    limit, rate = d.api_limits[a], max(0.0, getattr(d.api_limits[a], field) + n * amount)
    changed: Any = {field: rate}
    return replace(d, api_limits={**d.api_limits, a: replace(limit, **changed)})


def _in_tuple(table: str, i: int, field: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    rows = list(getattr(d, table))
    rows[i] = replace(rows[i], **{field: _raised(getattr(rows[i], field), n * amount, at)})
    changed: Any = {table: tuple(rows)}
    return replace(d, **changed)


def _in_groups(table: str, i: int, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    """Amounts of groups of periods: a group that has any of the periods gets the lot."""
    rows = list(getattr(d, table))
    there = {g: max(0.0, had + n * amount) if set(g) & set(at) else had for g, had in rows[i].amount.items()}
    rows[i] = replace(rows[i], amount=there)
    changed: Any = {table: tuple(rows)}
    return replace(d, **changed)


def _in_offer(o: str, d: Data, n: int, at: Collection[Period]) -> Data:
    offer = d.offers[o]
    lots = {t: max(0, many + n) if t in at else many for t, many in offer.lots.items()}
    most = None if offer.max_lots is None else max(0, offer.max_lots + n)
    return replace(d, offers={**d.offers, o: replace(offer, lots=lots, max_lots=most)})
