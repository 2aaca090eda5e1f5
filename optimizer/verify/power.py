"""Electricity, recomputed: draw at the meter, energy, and the footprints that energy has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from optimizer.verify.facts import Site
from optimizer.verify.fleet import other_gpus, used_gpus
from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables, Work

KWH_PER_MWH = 1000.0

PER_MWH: Mapping[str, Callable[[Site, str], float]] = {
    "energy": lambda site, t: 1.0,
    "carbon": lambda site, t: site.t_co2_per_mwh[t],
    "water": lambda site, t: site.m3_per_mwh[t],
}


def limit(d: Tables) -> Iterator[Row]:
    """Peak draw at each site's meter against the energised power."""
    for s, site in d.facts.sites.items():
        for t, b in d.facts.time.part_hours if site.power_kw is not None else ():
            yield Row("power_limit", (s, t, b), t, site.pue * _peak_kw(d, s, t, b), "<=", energised_kw(d, s, t, b))


def energised_kw(d: Tables, s: str, t: str, b: str) -> float:
    """kW at the meter: permitted, plus upgrades that have arrived, less what is curtailed."""
    site = d.facts.sites[s]
    there = site.power_kw[t] if site.power_kw is not None else float("inf")
    return there + d.brought("power_kw", s, t) - site.curtailed_kw.get((t, b), 0.0)


def _peak_kw(d: Tables, s: str, t: str, b: str) -> float:
    pools = d.pools_at[s]
    if d.facts.sites[s].nameplate:
        plate = sum(d.deployment(e).op_kw * d.replicas.get((e, t), 0.0) for p in pools for e in d.at_pool[p])
        return plate + sum(_bare_kw(d, p, t) for p in pools)
    peaks = {w: work.peak_factor for w, work in d.facts.workflows.items()}
    load = sum(load_kwh(d, e, d.on_endpoint.get((e, t, b), {}), peaks) for p in pools for e in d.at_pool[p])
    return load / d.facts.time.part_hours[t, b] + idle_kw(d, s, t)


def load_kwh(d: Tables, e: str, tasks: Work, factor: Mapping[str, float]) -> float:
    """Energy that work adds to an endpoint's idle draw, before PUE, each workflow's work times its factor."""
    rise = d.deployment(e).op_kw - d.deployment(e).idle_kw
    return sum(
        rise * n * factor[w] / speed.tasks_per_hour for (w, source), n in tasks.items() if (speed := d.speed(w, source))
    )


def idle_kw(d: Tables, s: str, t: str) -> float:
    """Draw whatever the load, before PUE: replicas at rest, tools, retraining, and powered GPUs that carry nothing."""
    return sum(
        _bare_kw(d, p, t) + sum(d.deployment(e).idle_kw * d.replicas.get((e, t), 0.0) for e in d.at_pool[p])
        for p in d.pools_at[s]
    )


def _bare_kw(d: Tables, p: str, t: str) -> float:
    """Draw of the powered GPUs without a replica: at full load where tools and retraining have them."""
    pool, others = d.facts.pools[p], other_gpus(d, p, t)
    bare = pool.node * d.powered.get((p, t), 0.0) - used_gpus(d, p, t) - others
    return pool.idle_kw * bare + pool.op_kw * others


def mwh(d: Tables, s: str, t: str) -> float:
    """Electricity at a site's meter over a period, at mean load."""
    time, mean = d.facts.time, dict.fromkeys(d.facts.workflows, 1.0)
    load = sum(
        load_kwh(d, e, d.on_endpoint.get((e, t, b), {}), mean)
        for p in d.pools_at[s]
        for e in d.at_pool[p]
        for b in time.parts
    )
    return d.facts.sites[s].pue * (load + idle_kw(d, s, t) * time.hours[t]) / KWH_PER_MWH


def energy_limit(d: Tables) -> Iterator[Row]:
    """MWh of the sites that an allowance covers, against it."""
    return _footprints(d, "energy")


def carbon_limit(d: Tables) -> Iterator[Row]:
    """Tonnes of CO2e of the sites that a cap covers, against it."""
    return _footprints(d, "carbon")


def water_limit(d: Tables) -> Iterator[Row]:
    """Cubic metres of the sites that an allowance covers, against it."""
    return _footprints(d, "water")


def _footprints(d: Tables, kind: str) -> Iterator[Row]:
    for footprint in (f for f in d.facts.footprints if f.kind == kind):
        for group, amount in footprint.amount.items():
            used = sum(
                mwh(d, s, t) * PER_MWH[kind](d.facts.sites[s], t) for s in sorted(footprint.sites) for t in group
            )
            yield Row(f"{kind}_limit", (footprint.name, span(group)), group[0], used, "<=", amount)


def span(group: tuple[str, ...]) -> str:
    """A group of periods as part of a row's name."""
    return group[0] if len(group) == 1 else f"{group[0]}..{group[-1]}"
