"""Reading what can be ordered, and the limits that several things share: offers, footprints, concentration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from optimizer.instance.by_period import ByPeriod as Given
from optimizer.instance.schema import Concentration as ConcentrationSpec
from optimizer.instance.schema import Instance, Lease, Purchase, Release, Retire, Upgrade
from optimizer.instance.schema import Offer as OfferSpec
from optimizer.verify.facts import Pool, Time
from optimizer.verify.facts_more import ByPeriod, Concentration, Flow, Footprint, Groups, Offer
from optimizer.verify.given import laid, lies_in, stated

KW_PER_MW = 1000.0
HOURS_PER_YEAR = 8760.0


def offer(name: str, spec: OfferSpec, pools: Mapping[str, Pool], time: Time) -> Offer:
    """An offer with what a lot brings, when it counts, and what it costs by period of order."""
    pool = None if isinstance(spec, Upgrade) else pools[spec.pool]
    gpus = 0 if pool is None or isinstance(spec, Upgrade) else spec.lot or pool.node
    there = {t: _there(spec, i, time) for i, t in enumerate(time.periods) if i + spec.lead < len(time.periods)}
    lots, most = _lots(name, spec, pool, gpus, time)
    return Offer(
        kind=spec.kind,
        lots={t: n for t, n in lots.items() if t in there},
        max_lots=most,
        brings=_brings(spec, gpus),
        there={t: frozenset(periods) for t, periods in there.items()},
        flows={t: tuple(_flows(name, spec, pool, gpus, t, periods, time)) for t, periods in there.items()},
        quotas=spec.needs,
    )


def _there(spec: OfferSpec, order: int, time: Time) -> tuple[str, ...]:
    """Periods in which what was ordered counts."""
    first = order + spec.lead
    last = first + spec.term if isinstance(spec, Lease) and spec.term else len(time.periods)
    return time.periods[first:last]


def _lots(name: str, spec: OfferSpec, pool: Pool | None, gpus: int, time: Time) -> tuple[ByPeriod, float | None]:
    """Most lots by period of order, and over the horizon: an upgrade is one, what leaves is at most what is held."""
    most: float | None = spec.max_lots
    if most is None and spec.lots is None and isinstance(spec, Upgrade):
        most = 1
    if most is None and spec.lots is None and pool is not None and isinstance(spec, Retire | Release):
        most = max(pool.count.values()) // gpus
    if spec.lots is not None:
        return laid(spec.lots, time), most
    return dict.fromkeys(time.periods, stated(most, f"offers.{name}", "max_lots")), most


def _brings(spec: OfferSpec, gpus: int) -> Mapping[tuple[str, str], float]:
    if not isinstance(spec, Upgrade):
        return {("gpus", spec.pool): -gpus if isinstance(spec, Retire | Release) else gpus}
    site = spec.site or ""
    racks = {("racks", f"{site}/{name}"): float(n) for name, n in spec.racks.items()}
    more = {("resource", r): n for r, n in spec.resources.items()}
    return {("power_kw", site): spec.power_mw * KW_PER_MW, ("storage_tb", site): spec.storage_tb, **racks, **more}


def _flows(
    name: str, spec: OfferSpec, pool: Pool | None, gpus: int, order: str, there: tuple[str, ...], time: Time
) -> Iterator[Flow]:
    """Cash of one lot: capital when ordered, leases while held, what leaves when it leaves."""
    if isinstance(spec, Purchase | Upgrade):
        yield from _capital(name, spec, gpus, order, there[0], time)
    elif isinstance(spec, Lease):
        rate = laid(spec.usd_per_gpu_hour, time)[order]
        yield from (Flow(t, -rate * gpus * time.hours[t], time.discount[t]) for t in there)
    elif isinstance(spec, Retire):
        yield Flow(there[0], laid(spec.resale_usd_per_lot, time)[there[0]], time.order[there[0]])
    else:
        yield Flow(there[0], -laid(spec.penalty_usd_per_lot, time)[there[0]], time.order[there[0]])
        saved = {} if pool is None else pool.lease
        yield from (Flow(t, usd * gpus * time.hours[t], time.discount[t]) for t, usd in saved.items() if t in there)


def _capital(name: str, spec: Purchase | Upgrade, gpus: int, order: str, arrival: str, time: Time) -> Iterator[Flow]:
    """The price when ordered and what is left at the end, or the annuity over its life, never both."""
    price = _price(name, spec, gpus, order, time)
    if spec.charge == "annuity":
        life = stated(spec.life_years, name, "life_years")
        yearly = price * (time.rate / (1 - (1 + time.rate) ** -life) if time.rate else 1 / life)
        for t in time.periods[time.periods.index(order) :]:
            held = min(time.hours[t] / HOURS_PER_YEAR, life - (time.starts[t] - time.starts[order]))
            yield Flow(t, -yearly * max(0.0, held), time.discount[t])
        return
    yield Flow(order, -price, time.order[order])
    left = spec.residual_usd_per_lot or 0.0
    if spec.depreciation_per_year is not None:
        left = price * (1 - spec.depreciation_per_year) ** (time.years - time.starts[arrival])
    yield Flow(time.periods[-1], left, time.at(time.years))


def _price(name: str, spec: Purchase | Upgrade, gpus: int, order: str, time: Time) -> float:
    if isinstance(spec, Purchase) and spec.usd_per_gpu is not None:
        return laid(spec.usd_per_gpu, time)[order] * gpus
    return laid(stated(spec.usd_per_lot, f"offers.{name}", "usd_per_lot"), time)[order]


def footprints(instance: Instance, groups: Callable[[Given, str], Groups]) -> Iterator[Footprint]:
    """Every allowance of energy, carbon or water; `groups` lays an amount over periods."""
    limits = instance.limits
    energy = ((name, "energy", e, e.mwh) for name, e in limits.energy.items())
    carbon = ((name, "carbon", e, e.t_co2) for name, e in limits.carbon.items())
    water = ((name, "water", e, e.m3) for name, e in limits.water.items())
    for name, kind, spec, amount in (*energy, *carbon, *water):
        law = spec.jurisdiction
        within = {s for s, site in instance.sites.items() if law is None or lies_in(site.jurisdiction, law)}
        named = within if spec.sites is None else within.intersection(spec.sites)
        yield Footprint(name, kind, frozenset(named), groups(amount, spec.per))


def concentration(instance: Instance, spec: ConcentrationSpec, time: Time) -> Concentration:
    """A limit on the share of some sites and APIs, vendors as the APIs they sell."""
    apis = {a for a, api in instance.apis.items() if a in spec.apis or api.seller in spec.vendors}
    workflows = frozenset(spec.workflows) if spec.workflows else None
    return Concentration(frozenset(spec.sites), frozenset(apis), workflows, laid(spec.share, time))
