"""Sums that several families and terms share: GPUs in use, busy hours, draw, energy, what was brought, people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from pyomo.environ import quicksum

from optimizer.formulation.data import ApiPair, Data, Endpoint, Pair, Part, Period, Workflow
from optimizer.formulation.family import Expression, Model
from optimizer.formulation.sums import total, weighted


def brought(m: Model, d: Data, effect: str, owner: str, t: Period) -> Expression:
    """What the lots ordered so far add to a limit in period `t`; retirements take away."""
    return weighted((amount, m.buy[o, order]) for o, order, amount in d.arrivals.get((effect, owner, t), ()))


def gpus_there(m: Model, d: Data, p: str, t: Period) -> Expression:
    """GPUs of the pool: owned or leased, plus arrived, less retired."""
    return d.pools[p].count[t] + brought(m, d, "gpus", p, t)


def replica_gpus(m: Model, d: Data, p: str, t: Period) -> Expression:
    """GPUs of the replicas that stand in the pool."""
    return weighted((d.endpoints[e].gpus, m.replicas[e, t]) for e in d.endpoints_at[p] if (e, t) in m.replicas)


def other_gpus(m: Model, d: Data, p: str, t: Period) -> Expression:
    """GPUs that tools and retraining take, the latter as a mean over the period."""
    tools = weighted((j.gpus[p], m.adopt[j.id, t]) for j in d.tools.values() if p in j.gpus)
    training = total(m.retrain[w, p, t] for w in d.trained_on[p] if (w, p, t) in m.retrain)
    return tools + training / d.calendar.hours[t]


def served(m: Model, d: Data, w: Workflow, t: Period, parts: Iterable[Part]) -> Expression:
    """Tasks of `w` handled in the named day parts, on own GPUs and by APIs."""
    there = tuple(parts)
    own = [m.serve[w.id, e, t, b] for e in d.endpoints_of[w.id] for b in there]
    return total(own + [m.api[w.id, a, t, b] for a in d.apis_of[w.id] for b in there])


def sold(m: Model, d: Data, w: Workflow, t: Period) -> Expression:
    """Tasks of `w` handled in the period, by tranche."""
    return total(m.tranche[w.id, band.key, t] for band in d.bands_of[w.id])


def running_kwh(m: Model, d: Data, s: str, t: Period, b: Part, *, peak: bool) -> Expression:
    """What work adds to the idle draw of a site over a day part, before PUE: at mean load, or all hours at the peak."""
    return weighted(
        (
            (e.op_kw - e.idle_kw) * (w.peak_factor if peak else 1.0) / pair.tasks_per_hour,
            m.serve[w.id, source, t, b],
        )
        for e in _endpoints(d, s)
        for w, source, pair in d.work_in[e.id, t]
    )


def draw_kw(m: Model, d: Data, s: str, t: Period, b: Part) -> Expression:
    """Peak draw at the site's meter in a day part."""
    site = d.sites[s]
    if site.nameplate:
        plate = weighted(
            (e.op_kw - e.gpus * d.pools[e.pool].idle_kw, m.replicas[e.id, t])
            for e in _endpoints(d, s)
            if (e.id, t) in m.replicas
        )
        return site.pue * (plate + _powered_kw(m, d, s, t))
    load = running_kwh(m, d, s, t, b, peak=True) / d.calendar.part_hours[t, b]
    return site.pue * (load + idle_kw(m, d, s, t))


def energy_kwh(m: Model, d: Data, s: str, t: Period) -> Expression:
    """Energy at the site's meter over a period, at mean load."""
    load = quicksum(running_kwh(m, d, s, t, b, peak=False) for b in d.calendar.parts)
    return d.sites[s].pue * (load + d.calendar.hours[t] * idle_kw(m, d, s, t))


def idle_kw(m: Model, d: Data, s: str, t: Period) -> Expression:
    """Draw whatever the load: replicas at rest, powered GPUs that carry none, tools and retraining."""
    extra = weighted(
        (e.idle_kw - e.gpus * d.pools[e.pool].idle_kw, m.replicas[e.id, t])
        for e in _endpoints(d, s)
        if (e.id, t) in m.replicas and abs(e.idle_kw - e.gpus * d.pools[e.pool].idle_kw) > 1e-12
    )
    return extra + _powered_kw(m, d, s, t)


def review_hours(m: Model, d: Data, w: Workflow, t: Period) -> Expression:
    """Human hours spent on the output of `w` in a period."""
    return _by_task(m, d, w, t, attrgetter("review_hours"))


def liability_usd(m: Model, d: Data, w: Workflow, t: Period) -> Expression:
    """Expected cost of bad output of `w` in a period."""
    return _by_task(m, d, w, t, attrgetter("liability_usd"))


def stored_tb(m: Model, d: Data, s: str, t: Period) -> Expression:
    """Terabytes kept at a site: weights of the AI models hosted there, indexes and training sets, tools."""
    weights = quicksum(tb * m.hosted[name, s, t] for name, tb in d.model_tb.items() if (name, s, t) in m.hosted)
    indexes = quicksum(
        w.storage_tb[s] * m.fund[w.id, t] for w in d.workflows.values() if s in w.storage_tb and (w.id, t) in m.fund
    )
    return (
        weights + indexes + quicksum(j.storage_tb[s] * m.adopt[j.id, t] for j in d.tools.values() if s in j.storage_tb)
    )


def _by_task(m: Model, d: Data, w: Workflow, t: Period, figure: Callable[[Pair | ApiPair], float]) -> Expression:
    """What each handled task takes; where all sources take the same, one figure times all that is sold says it."""
    own = {e: figure(d.pairs[w.id, e]) for e in d.endpoints_of[w.id]}
    bought = {a: figure(d.api_pairs[w.id, a]) for a in d.apis_of[w.id]}
    figures = {*own.values(), *bought.values()}
    if len(figures) < 2:
        return max(figures, default=0.0) * sold(m, d, w, t)
    parts = d.calendar.parts
    served_here = weighted((own[e], m.serve[w.id, e, t, b]) for e in own for b in parts)
    return served_here + weighted((bought[a], m.api[w.id, a, t, b]) for a in bought for b in parts)


def _endpoints(d: Data, s: str) -> Iterable[Endpoint]:
    return (d.endpoints[e] for p in d.pools_at[s] for e in d.endpoints_at[p])


def _powered_kw(m: Model, d: Data, s: str, t: Period) -> Expression:
    pools = [d.pools[p] for p in d.pools_at[s]]
    nodes = weighted((p.idle_kw * p.node, m.powered[p.id, t]) for p in pools)
    return nodes + quicksum((p.op_kw - p.idle_kw) * other_gpus(m, d, p.id, t) for p in pools)
