"""Sums that several families and terms share: busy replica-hours, power draw, energy, cash by budget."""

from __future__ import annotations

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Part, Period
from optimizer.formulation.family import Expression, Model


def busy_hours(m: Model, d: Data, e: str, t: Period, b: Part, *, peak: bool) -> Expression:
    """Replica-hours of `e` in use, at the mean or at the peak inside the day part."""
    return quicksum(
        (d.workflows[w].peak_factor if peak else 1.0) / d.pairs[w, e].tasks_per_hour * m.serve[w, e, t, b]
        for w in d.workflows_on[e]
        if (w, e, t, b) in m.serve
    )


def gpus_in_use(m: Model, d: Data, p: str, t: Period) -> Expression:
    """GPUs of the replicas that stand in the pool."""
    return quicksum(d.endpoints[e].gpus * m.replicas[e, t] for e in d.endpoints_at[p] if (e, t) in m.replicas)


def draw_kw(m: Model, d: Data, s: str, t: Period, b: Part) -> Expression:
    """Peak draw at the site's meter in a day part."""
    site = d.sites[s]
    if site.nameplate:
        plate = quicksum(
            (d.endpoints[e].op_kw - d.endpoints[e].gpus * d.pools[p].idle_kw) * m.replicas[e, t]
            for p in d.pools_at[s]
            for e in d.endpoints_at[p]
            if (e, t) in m.replicas
        )
        return site.pue * (plate + _powered_kw(m, d, s, t))
    load = quicksum(
        (end.op_kw - end.idle_kw) / d.calendar.part_hours[t, b] * busy_hours(m, d, end.id, t, b, peak=True)
        for p in d.pools_at[s]
        for end in map(d.endpoints.__getitem__, d.endpoints_at[p])
        if end.op_kw != end.idle_kw
    )
    return site.pue * (load + idle_kw(m, d, s, t))


def energy_kwh(m: Model, d: Data, s: str, t: Period) -> Expression:
    """Energy at the site's meter over a period, at mean load."""
    load = quicksum(
        (end.op_kw - end.idle_kw) * busy_hours(m, d, end.id, t, b, peak=False)
        for p in d.pools_at[s]
        for end in map(d.endpoints.__getitem__, d.endpoints_at[p])
        if end.op_kw != end.idle_kw
        for b in d.calendar.parts
    )
    return d.sites[s].pue * (load + d.calendar.hours[t] * idle_kw(m, d, s, t))


def idle_kw(m: Model, d: Data, s: str, t: Period) -> Expression:
    """Draw without load: replicas at rest and powered GPUs that carry none."""
    extra = quicksum(
        (end.idle_kw - end.gpus * d.pools[p].idle_kw) * m.replicas[end.id, t]
        for p in d.pools_at[s]
        for end in map(d.endpoints.__getitem__, d.endpoints_at[p])
        if (end.id, t) in m.replicas and abs(end.idle_kw - end.gpus * d.pools[p].idle_kw) > 1e-12
    )
    return extra + _powered_kw(m, d, s, t)


def _powered_kw(m: Model, d: Data, s: str, t: Period) -> Expression:
    return quicksum(d.pools[p].idle_kw * d.pools[p].node * m.powered[p, t] for p in d.pools_at[s])
