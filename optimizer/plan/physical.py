"""The tables of a plan that are physics: GPUs and what carries them, power, footprint, compute that starves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyomo.environ as pyo

from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Period, Pool
from optimizer.formulation.family import Expression
from optimizer.formulation.load import draw_kw, energy_kwh, other_gpus, replica_gpus
from optimizer.plan.plan import Row
from optimizer.plan.use import Use

SECONDS = 3600.0
STARVES = ("bandwidth", "hbm", "latency")  # what keeps compute unfed; more work would feed it in no other case


def pools(stated: Formulation, use: Use) -> Iterator[Row]:
    """GPUs of each pool and what carries them; `usd` is running cost and lease of the period."""
    m, d = stated.model, use.data
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            nodes, there = round(use.of("powered", p, t)), use.gpus_there(p, t)
            used = _value(replica_gpus(m, d, p, t)) + _value(other_gpus(m, d, p, t))
            running = pool.usd_per_gpu_hour[t] * (pool.node * nodes if pool.paid_when_powered else there)
            yield {
                "pool": p,
                "site": pool.site,
                "gpu": pool.gpu,
                "period": t,
                "gpus": there,
                "used": used,
                "powered_nodes": nodes,
                "idle_gpus": max(there - used, 0.0),
                "usd": (running + pool.lease_usd_per_gpu_hour[t] * use.gpus_leased(p, t)) * d.calendar.hours[t],
            }


def layouts(use: Use) -> Iterator[Row]:
    """GPUs that are cut into each partition layout."""
    for (p, name, t), cut in use.values.get("layout", {}).items():
        if cut > 0.5:
            yield {"pool": p, "layout": name, "period": t, "gpus": round(cut) * use.data.pools[p].layout_gpus}


def power(stated: Formulation, use: Use) -> Iterator[Row]:
    """Peak draw at each site's meter, and what is energised there (null: no limit is stated, or it was dropped)."""
    d = use.data
    limits = {row.key: _value(row.available) for row in stated.rows["power_limit"]}
    for s in d.sites:
        for t in d.calendar.periods:
            for b in d.calendar.parts:
                draw = _value(draw_kw(stated.model, d, s, t, b))
                yield {"site": s, "period": t, "day_part": b, "kw": draw, "limit": limits.get((s, t, b))}


def footprint(stated: Formulation, use: Use) -> Iterator[Row]:
    """Energy at each site's meter, and the carbon and water that it carries (null where the site states no rate)."""
    for s, site in use.data.sites.items():
        for t in use.data.calendar.periods:
            mwh = _value(energy_kwh(stated.model, use.data, s, t)) / 1000
            carbon, water = site.t_co2_per_mwh.get(t), site.m3_per_mwh.get(t)
            yield {
                "site": s,
                "period": t,
                "mwh": mwh,
                "t_co2": None if carbon is None else carbon * mwh,
                "m3": None if water is None else water * mwh,
            }


@dataclass(frozen=True, slots=True)
class _Feed:
    """GPU-hours at work on an endpoint and the share of their arithmetic that is used; None: FLOPs are not stated."""

    gpu_hours: float
    fed: float | None
    bound_by: str

    @property
    def starved(self) -> float | None:
        """Share of the compute that cannot be fed; None where what binds, or its FLOPs, is not stated."""
        if self.bound_by == "compute":
            return 0.0
        return None if self.fed is None or self.bound_by not in STARVES else max(1.0 - self.fed, 0.0)


def stranded(use: Use) -> Iterator[Row]:
    """Compute that is paid for and cannot be fed, by endpoint, and by pool (endpoint '') against its powered GPUs.

    Of the GPU-hours at work (not of those idle for lack of demand) the share 1 - achieved / usable peak, where
    memory or a latency promise is what binds; nothing where compute binds; null where no FLOPs, or not what binds,
    are stated. The peak is that of bf16, so that a narrower format strands more than is said. `stranded_usd` is
    that share of running cost and lease.
    """
    at: dict[tuple[str, Period], list[_Feed]] = defaultdict(list)
    for (e, t), feed in _feeds(use).items():
        pool = use.data.pools[use.data.endpoints[e].pool]
        at[pool.id, t].append(feed)
        usd = None if feed.starved is None else feed.starved * feed.gpu_hours * _usd(pool, t)
        yield _line(pool.id, e, t, feed.gpu_hours, feed.fed, feed.starved, usd, feed.bound_by)
    for (p, t), feeds in at.items():
        yield _pool_line(use, use.data.pools[p], t, feeds)


def _feeds(use: Use) -> Mapping[tuple[str, Period], _Feed]:
    d, unknown = use.data, set[tuple[str, Period]]()
    work: dict[tuple[str, Period], float] = defaultdict(float)
    for (w, source, t, _), tasks in use.serving.items():
        if (w, source) in d.pairs:
            key = d.behind(source), Period(t)
            work[key] += d.pairs[w, source].tflop * tasks
            unknown |= set() if d.pairs[w, source].tflop else {key}
    found = {}
    for (e, t), tflop in work.items():
        end = d.endpoints[e]
        hours = end.gpus * use.at_work(e, t)
        fed = None if (e, t) in unknown else tflop / (hours * SECONDS * d.pools[end.pool].tflops)
        found[e, t] = _Feed(hours, fed, end.bound_by)
    return found


def _pool_line(use: Use, pool: Pool, t: Period, feeds: list[_Feed]) -> Row:
    powered = pool.node * round(use.of("powered", pool.id, t)) * use.data.calendar.hours[t]
    most = max(feeds, key=lambda feed: feed.gpu_hours).bound_by
    fed = _sum((feed.gpu_hours, feed.fed) for feed in feeds)
    starved = _sum((feed.gpu_hours, feed.starved) for feed in feeds)
    usd = None if starved is None else starved * _usd(pool, t)
    fed_share, share = (None if hours is None or not powered else hours / powered for hours in (fed, starved))
    return _line(pool.id, "", t, powered, fed_share, share, usd, most)


def _sum(feeds: Iterable[tuple[float, float | None]]) -> float | None:
    """GPU-hours times their share; None where one is not known."""
    total = 0.0
    for hours, share in feeds:
        if share is None:
            return None
        total += hours * share
    return total


def _line(
    pool: str, endpoint: str, t: Period, hours: float, fed: float | None, share: float | None, usd: float | None,
    bound_by: str,
) -> Row:  # fmt: skip
    return {"pool": pool, "endpoint": endpoint, "period": t, "gpu_hours": hours, "fed_share": fed,
            "stranded_share": share, "stranded_usd": usd, "bound_by": bound_by}  # fmt: skip


def _usd(pool: Pool, t: Period) -> float:
    return pool.usd_per_gpu_hour[t] + pool.lease_usd_per_gpu_hour[t]


def _value(expression: Expression) -> float:
    return float(pyo.value(expression))
