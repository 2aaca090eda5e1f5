"""From the resolved instance inside a plan to the facts that the check works on."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from optimizer.instance.by_period import ByPeriod as Given
from optimizer.instance.calendar import Calendar
from optimizer.instance.load import parse
from optimizer.instance.schema import Budget as BudgetSpec
from optimizer.instance.schema import GpuSpec, Instance
from optimizer.instance.schema import Pool as PoolSpec
from optimizer.instance.schema import Site as SiteSpec
from optimizer.verify import work
from optimizer.verify.facts import Budget, ByPeriod, Facts, Pool, Site, Time

KW_PER_MW = KWH_PER_MWH = 1000.0
GB_PER_TB = 1000.0
OPEX = ("api_tokens", "energy", "gpu_running", "gpu_lease", "launches")
HOURS_PER_YEAR = 8760.0


def read(resolved: Mapping[str, Any]) -> Facts:
    """The facts of a resolved instance, in which every figure stands; BadInput or Unresolved if it is not one."""
    instance = parse(resolved)
    time, calendar = _time(instance), instance.calendar()
    return Facts(
        time,
        {s: _site(site, time) for s, site in instance.sites.items()},
        {p: _pool(instance, p, pool, time) for p, pool in instance.pools.items()},
        {i: work.deployment(instance, i, d) for i, d in instance.deployments.items()},
        {a: work.api(instance, api, calendar) for a, api in instance.apis.items()},
        {w: work.workflow(instance, w, calendar) for w in instance.workflows},
        {name: _budget(spec, instance, calendar) for name, spec in instance.limits.spend.items()},
        _laid(instance.limits.launches, time) or {},
        _laid(instance.limits.portfolio, time) or {},
    )


def _time(instance: Instance) -> Time:
    c = instance.calendar()
    return Time(c.periods, c.hours, c.parts, c.part_hours, c.discount)


def _laid(given: Given | None, time: Time, times: float = 1.0) -> ByPeriod | None:
    if given is None:
        return None
    return {t: times * value for t, value in zip(time.periods, given.resolve(time.periods), strict=True)}


def _every(given: Given, time: Time, times: float = 1.0) -> ByPeriod:
    return _laid(given, time, times) or {}


def _site(site: SiteSpec, time: Time) -> Site:
    power_kw = _laid(site.power_mw, time, KW_PER_MW)
    tariff = _every(site.usd_per_mwh, time, 1 / KWH_PER_MWH)
    return Site(site.jurisdiction, site.cooling, power_kw, site.pue, tariff, site.power_basis == "nameplate")


def _pool(instance: Instance, p: str, pool: PoolSpec, time: Time) -> Pool:
    where = f"the GPU of pools.{p}"
    gpu = work.stated(instance.gpus.get(pool.gpu) if isinstance(pool.gpu, str) else pool.gpu, where, "figures")
    usual = work.stated(gpu.gpus_per_node, where, "gpus_per_node")
    slices = (gpu.slices or {}) if pool.sharing == "partitioned" else {}
    shared = pool.sharing == "shared"
    return Pool(
        site=pool.site,
        gpu_names=frozenset(name for name in (pool.gpu, gpu.base) if isinstance(name, str)),
        count=_every(pool.count, time),
        node=pool.node or usual,
        domain=_domain(work.stated(gpu.scale_up_domain, where, "scale_up_domain"), usual, pool.node or usual),
        idle_kw=work.stated(gpu.idle_kw, where, "idle_kw"),
        cooling=work.stated(gpu.cooling, where, "cooling"),
        usable_gb=work.stated(gpu.usable_hbm_gb, where, "usable_hbm_gb"),
        gb_per_s=work.stated(gpu.bandwidth_tb_s, where, "bandwidth_tb_s") * GB_PER_TB * pool.bandwidth_share,
        tflop_per_s=_tflop_per_s(instance, p, pool, gpu) if shared else 0.0,
        sharing=pool.sharing,
        max_residents=pool.max_residents if shared else None,
        layouts=_layouts(pool, gpu),
        slot_gb={name: s.hbm_gb for name, s in slices.items()},
        slot_gpus={name: s.compute_share for name, s in slices.items()},
        running=_every(pool.usd_per_gpu_hour, time),
        lease=_every(pool.lease_usd_per_gpu_hour, time),
        paid_when_powered=pool.paid == "powered",
    )


def _domain(domain: int, usual: int, node: int) -> int:
    """A node smaller than the usual one cuts a domain that lies within a node."""
    return domain if domain > usual else min(domain, node)


def _tflop_per_s(instance: Instance, p: str, pool: PoolSpec, gpu: GpuSpec) -> float:
    """Usable TFLOP/s of one shared GPU: in bf16 where it is stated, so that no precision is flattered."""
    rates: Mapping[str, float] = work.stated(gpu.tflops, f"the GPU of pools.{p}", "tflops")
    share = work.stated(pool.compute_share or instance.options.compute_share, f"pools.{p}", "compute_share")
    return float(rates.get("bf16", min(rates.values())) * share)


def _layouts(pool: PoolSpec, gpu: GpuSpec) -> Mapping[str, Mapping[str, int]]:
    if pool.sharing != "partitioned":
        return {}
    if isinstance(pool.layouts, Mapping):
        return pool.layouts
    known = gpu.layouts or {}
    return known if pool.layouts is None else {name: known[name] for name in pool.layouts}


def _budget(spec: BudgetSpec, instance: Instance, calendar: Calendar) -> Budget:
    amounts = dict(zip(calendar.periods, spec.amount.resolve(calendar.periods), strict=True))
    groups: dict[str, list[tuple[str, ...]]] = {
        "period": [(t,) for t in calendar.periods],
        "year": _years(instance, calendar),
        "horizon": [calendar.periods],
    }
    return Budget(tuple(spec.terms or OPEX), {group: amounts[group[0]] for group in groups[spec.per]})


def _years(instance: Instance, calendar: Calendar) -> list[tuple[str, ...]]:
    """Periods by calendar year where they are named by the calendar, else by each 8,760 hours from the start."""
    ends = accumulate(calendar.hours[t] for t in calendar.periods)
    begun = [(end - calendar.hours[t]) // HOURS_PER_YEAR for t, end in zip(calendar.periods, ends, strict=True)]
    named = isinstance(instance.horizon.periods, int)
    years: dict[object, list[str]] = {}
    for t, year in zip(calendar.periods, begun, strict=True):
        years.setdefault(t[:4] if named else year, []).append(t)
    return [tuple(group) for group in years.values()]
