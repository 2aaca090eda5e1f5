"""From the resolved instance inside a plan to the facts that the check works on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import accumulate
from math import floor
from typing import Any

from optimizer.instance.by_period import ByPeriod as Given
from optimizer.instance.calendar import Calendar
from optimizer.instance.load import parse
from optimizer.instance.schema import Budget as BudgetSpec
from optimizer.instance.schema import GpuSpec, Instance, Upgrade
from optimizer.instance.schema import Pool as PoolSpec
from optimizer.instance.schema import Site as SiteSpec
from optimizer.verify import market, stack, work
from optimizer.verify.facts import Budget, Facts, Pool, Site, Time
from optimizer.verify.facts_more import ByPeriod, Groups
from optimizer.verify.given import laid, stated

KW_PER_MW = KWH_PER_MWH = 1000.0
GB_PER_TB = 1000.0
CAPEX = ("purchases", "upgrades")
OPEX = (
    "api_tokens", "commitments", "energy", "carbon_price", "gpu_running", "gpu_lease", "leases", "launches", "review",
    "retraining", "storage", "tools", "moves",
)  # fmt: skip
HOURS_PER_YEAR = 8760.0
ROUNDING = 1e-9  # a rack of 40 kW takes four nodes of 10 kW


def read(resolved: Mapping[str, Any]) -> Facts:
    """The facts of a resolved instance, in which every figure stands; BadInput or Unresolved if it is not one."""
    instance = parse(resolved)
    time, calendar, limits = _time(instance), instance.calendar(), instance.limits
    pools = {p: _pool(instance, p, pool, time) for p, pool in instance.pools.items()}
    return Facts(
        time,
        {s: _site(instance, s, time) for s in instance.sites},
        pools,
        {i: work.deployment(instance, i, d, calendar) for i, d in instance.deployments.items()},
        {a: work.api(instance, api, calendar) for a, api in instance.apis.items()},
        {w: work.workflow(instance, w, calendar) for w in instance.workflows},
        {name: _budget(spec, instance, calendar, name) for name, spec in limits.spend.items()},
        _laid(limits.launches, time) or {},
        _laid(limits.portfolio, time) or {},
        exploration=_laid(limits.exploration, time) or {},
        offers={o: market.offer(o, spec, pools, time) for o, spec in instance.offers.items()},
        quotas={q: laid(spec.amount, time) for q, spec in limits.supply.items()},
        footprints=tuple(market.footprints(instance, partial(_grouped, instance, calendar))),
        concentrations={c: market.concentration(instance, spec, time) for c, spec in limits.concentration.items()},
        losses=stack.losses(instance),
        skills={k: stack.skill(spec, calendar) for k, spec in instance.skills.items()},
        resources={r: laid(spec.amount, time) for r, spec in instance.resources.items()},
        tools={j: stack.tool(spec, calendar) for j, spec in instance.tools.items()},
        model_tb=stack.model_tb(instance),
        change=stack.change(instance, calendar),
    )


def _time(instance: Instance) -> Time:
    """The calendar, with the present value of money at the start of each period."""
    c, rate = instance.calendar(), instance.horizon.discount_rate
    ends = list(accumulate(c.hours[t] / HOURS_PER_YEAR for t in c.periods))
    starts = dict(zip(c.periods, (0.0, *ends), strict=False))
    order = {t: (1 + rate) ** -years for t, years in starts.items()}
    return Time(c.periods, c.hours, c.parts, c.part_hours, c.discount, order, starts, ends[-1], rate)


def _laid(given: Given | None, time: Time, times: float = 1.0) -> ByPeriod | None:
    return None if given is None else laid(given, time, times)


def _site(instance: Instance, name: str, time: Time) -> Site:
    site = instance.sites[name]
    upgrades = [spec for spec in instance.offers.values() if isinstance(spec, Upgrade) and spec.site == name]
    built = {kind: dict.fromkeys(time.periods, 0.0) for spec in upgrades for kind in spec.racks}
    curtailed = {b: laid(mw, time, KW_PER_MW) for b, mw in site.curtailment.items()}
    return Site(
        site.jurisdiction,
        site.cooling,
        _power_kw(site, time),
        site.pue,
        laid(site.usd_per_mwh, time, 1 / KWH_PER_MWH),
        site.power_basis == "nameplate",
        curtailed_kw={(t, b): kw for b, by_period in curtailed.items() for t, kw in by_period.items()},
        t_co2_per_mwh=_or_nothing(site.g_co2_per_kwh, time, 1 / KWH_PER_MWH),
        m3_per_mwh=_or_nothing(site.water_l_per_kwh, time),
        usd_per_t_co2=_or_nothing(site.usd_per_t_co2, time),
        racks={**built, **{kind: laid(number, time) for kind, number in site.racks.items()}},
        storage_tb=_laid(site.storage_tb, time),
        usd_per_tb_month=_or_nothing(site.usd_per_tb_month, time),
    )


def _power_kw(site: SiteSpec, time: Time) -> ByPeriod | None:
    """Energised kW with the permits that have come, each as late as it is."""
    if site.power_mw is None and not site.power_permits:
        return None
    base = _or_nothing(site.power_mw, time)
    since = [(time.periods.index(p.from_) + p.late, p.power_mw) for p in site.power_permits.values()]
    permitted = {t: sum(mw for first, mw in since if first <= i) for i, t in enumerate(time.periods)}
    return {t: KW_PER_MW * (base[t] + permitted[t]) for t in time.periods}


def _or_nothing(given: Given | None, time: Time, times: float = 1.0) -> ByPeriod:
    return _laid(given, time, times) or dict.fromkeys(time.periods, 0.0)


def _pool(instance: Instance, p: str, pool: PoolSpec, time: Time) -> Pool:
    where = f"the GPU of pools.{p}"
    gpu = stated(instance.gpus.get(pool.gpu) if isinstance(pool.gpu, str) else pool.gpu, where, "figures")
    usual = stated(gpu.gpus_per_node, where, "gpus_per_node")
    slices = (gpu.slices or {}) if pool.sharing == "partitioned" else {}
    shared, rack = pool.sharing == "shared", instance.rack_classes.get(pool.rack or "")
    node, op_kw = pool.node or usual, stated(gpu.op_kw, where, "op_kw")
    return Pool(
        site=pool.site,
        gpu_names=frozenset(name for name in (pool.gpu, gpu.base) if isinstance(name, str)),
        count=laid(pool.count, time),
        node=node,
        domain=_domain(stated(gpu.scale_up_domain, where, "scale_up_domain"), usual, node),
        idle_kw=stated(gpu.idle_kw, where, "idle_kw"),
        cooling=stated(gpu.cooling, where, "cooling"),
        usable_gb=stated(gpu.usable_hbm_gb, where, "usable_hbm_gb"),
        gb_per_s=stated(gpu.bandwidth_tb_s, where, "bandwidth_tb_s") * GB_PER_TB * pool.bandwidth_share,
        tflop_per_s=_tflop_per_s(instance, p, pool, gpu) if shared else 0.0,
        sharing=pool.sharing,
        max_residents=pool.max_residents if shared else None,
        layouts=_layouts(pool, gpu),
        slot_gb={name: s.hbm_gb for name, s in slices.items()},
        slot_gpus={name: s.compute_share for name, s in slices.items()},
        running=laid(pool.usd_per_gpu_hour, time),
        lease=laid(pool.lease_usd_per_gpu_hour, time),
        paid_when_powered=pool.paid == "powered",
        op_kw=op_kw,
        rack=pool.rack,
        nodes_per_rack=floor(rack.kw / (node * op_kw) + ROUNDING) if rack else 1.0,
        rack_cooling=rack.cooling if rack else None,
    )


def _domain(domain: int, usual: int, node: int) -> int:
    """A node smaller than the usual one cuts a domain that lies within a node."""
    return domain if domain > usual else min(domain, node)


def _tflop_per_s(instance: Instance, p: str, pool: PoolSpec, gpu: GpuSpec) -> float:
    """Usable TFLOP/s of one shared GPU: in bf16 where it is stated, so that no precision is flattered."""
    rates: Mapping[str, float] = stated(gpu.tflops, f"the GPU of pools.{p}", "tflops")
    share = stated(pool.compute_share or instance.options.compute_share, f"pools.{p}", "compute_share")
    return float(rates.get("bf16", min(rates.values())) * share)


def _layouts(pool: PoolSpec, gpu: GpuSpec) -> Mapping[str, Mapping[str, int]]:
    if pool.sharing != "partitioned":
        return {}
    if isinstance(pool.layouts, Mapping):
        return pool.layouts
    known = gpu.layouts or {}
    return known if pool.layouts is None else {name: known[name] for name in pool.layouts}


def _budget(spec: BudgetSpec, instance: Instance, calendar: Calendar, name: str) -> Budget:
    usual = CAPEX if name.startswith("capex") else OPEX
    return Budget(tuple(spec.terms or usual), _grouped(instance, calendar, spec.amount, spec.per))


def _grouped(instance: Instance, calendar: Calendar, given: Given, per: str) -> Groups:
    """An amount for each period, year or the horizon, by the periods it is for; a year has its first period's."""
    amounts = laid(given, calendar)
    groups: dict[str, list[tuple[str, ...]]] = {
        "period": [(t,) for t in calendar.periods],
        "year": _years(instance, calendar),
        "horizon": [calendar.periods],
    }
    return {group: amounts[group[0]] for group in groups[per]}


def _years(instance: Instance, calendar: Calendar) -> list[tuple[str, ...]]:
    """Periods by calendar year where they are named by the calendar, else by each 8,760 hours from the start."""
    ends = accumulate(calendar.hours[t] for t in calendar.periods)
    begun = [(end - calendar.hours[t]) // HOURS_PER_YEAR for t, end in zip(calendar.periods, ends, strict=True)]
    named = isinstance(instance.horizon.periods, int)
    years: dict[object, list[str]] = {}
    for t, year in zip(calendar.periods, begun, strict=True):
        years.setdefault(t[:4] if named else year, []).append(t)
    return [tuple(group) for group in years.values()]
