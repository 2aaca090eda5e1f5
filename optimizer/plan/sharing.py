"""Whose cost a shared cost is: electricity, GPUs, orders, storage, tools, moves and commitments, by their use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from optimizer.formulation.data import Offer, Period, Pool, Site
from optimizer.formulation.terms.fleet import MONTH
from optimizer.plan.choices import tool_usd
from optimizer.plan.use import Use

Parts = Mapping[str, float]  # workflow -> its part of something, together at most 1


class Share(NamedTuple):
    """A workflow's part of a cash flow; `factor` of present value, None for that of the middle of the period."""

    workflow: str
    period: str
    cash: float
    factor: float | None = None


def _by_load(use: Use, usd_per_kwh: Callable[[Site, Period], float]) -> Iterator[Share]:
    """Electricity that a workflow draws at the meter: at rest while replicas are kept for it, more while they work."""
    d = use.data
    for (e, t, w), kept in use.held.items():
        end = d.endpoints[e]
        kwh = end.idle_kw * kept + (end.op_kw - end.idle_kw) * use.busy[e, t, w]
        site = d.sites[end.site]
        yield Share(w, t, -usd_per_kwh(site, Period(t)) * site.pue * kwh)
    for (w, p, t), hours in use.values.get("retrain", {}).items():
        site = d.sites[d.pools[p].site]
        yield Share(w, t, -usd_per_kwh(site, Period(t)) * site.pue * d.pools[p].op_kw * hours)


def _by_hours(use: Use, usd_per_gpu_hour: Callable[[Pool, Period], float]) -> Iterator[Share]:
    """GPU-hours kept for a workflow, and those that train it."""
    for (p, t, w), hours in use.gpu_hours.items():
        yield Share(w, t, -usd_per_gpu_hour(use.data.pools[p], Period(t)) * hours)


def _by_order(use: Use, term: str) -> Iterator[Share]:
    """Cash of orders, by the GPU-hours in the pools they feed while they are felt, whenever it is paid."""
    for (o, order), lots in use.lots.items():
        offer = use.data.offers[o]
        parts = serves(use, offer, order) if offer.term == term else {}
        for flow in offer.flows:
            if flow.order == order:
                yield from (Share(w, flow.period, part * lots * flow.cash, flow.factor) for w, part in parts.items())


def serves(use: Use, offer: Offer, order: str) -> Parts:
    """Each workflow's part of the GPU-hours that there are where, and while, an order is felt."""
    felt = {(p, t) for p, t in _felt(use, offer, order)}
    there = sum(use.gpus_there(p, t) * use.data.calendar.hours[t] for p, t in felt)
    hours: dict[str, float] = defaultdict(float)
    for (p, t, w), used in use.gpu_hours.items():
        if (p, Period(t)) in felt:
            hours[w] += used
    return {w: used / there for w, used in hours.items()} if there else {}


def _felt(use: Use, offer: Offer, order: str) -> Iterator[tuple[str, Period]]:
    """Pools and periods in which an order is felt: its pool, or all of its site."""
    for each in offer.brings:
        pools = [each.owner] if each.effect == "gpus" else use.data.pools_at.get(each.owner.split("/")[0], ())
        if each.effect != "resource":
            yield from ((p, t) for (at, t), amount in each.amount.items() if at == order and amount for p in pools)


def _storage(use: Use) -> Iterator[Share]:
    """Indexes are their workflow's; weights go by the GPU-hours that use them; what tools store by who uses them."""
    d = use.data
    for s, site in d.sites.items():
        for t, usd in site.usd_per_tb_month.items():
            rate = -usd * d.calendar.hours[t] / MONTH
            for w in d.workflows.values():
                yield Share(w.id, t, rate * w.storage_tb.get(s, 0.0) * use.of("fund", w.id, t))
            for model, tb in d.model_tb.items():
                hosted = rate * tb * use.of("hosted", model, s, t)
                yield from (Share(w, t, hosted * part) for w, part in _of_model(use, model, s, t).items())
            for tool in d.tools.values():
                stored = rate * tool.storage_tb.get(s, 0.0) * use.of("adopt", tool.id, t)
                yield from (Share(w, t, stored * part) for w, part in users(use, tool.id, t).items())


def _of_model(use: Use, model: str, site: str, t: str) -> Parts:
    ends = {e.id: e.gpus for e in use.data.endpoints.values() if (e.model, e.site) == (model, site)}
    return _parts((w, ends[e] * kept) for (e, u, w), kept in use.held.items() if u == t and e in ends)


def _tools(use: Use) -> Iterator[Share]:
    for j in use.data.tools:
        for t in use.data.calendar.periods:
            usd = -tool_usd(use, j, t)
            yield from (Share(w, t, usd * part) for w, part in (users(use, j, t) if usd else {}).items())


def users(use: Use, j: str, t: str) -> Parts:
    """Workflows that need a tool or are served with it, by their good tokens so served, else in equal parts."""
    needing = {w.id for w in use.data.workflows.values() if j in w.requires and use.of("fund", w.id, t) > 0.5}
    served = [(w, mtok) for w, source, mtok in use.made_in.get(t, ()) if w in needing or j in use.tools_of(source)]
    everyone = needing | {w for w, _ in served}
    return _parts(served) or dict.fromkeys(sorted(everyone), 1 / max(len(everyone), 1))


def _moves(use: Use) -> Iterator[Share]:
    held: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for (e, t, w), hours in use.held.items():
        held[e, t].append((w, hours))
    for e, t in use.values.get("up", {}):
        usd = -use.data.endpoints[e].usd_per_move * (use.of("up", e, t) + use.of("down", e, t))
        yield from (Share(w, t, usd * part) for w, part in _parts(held.get((e, t), ())).items())


def _commitments(use: Use) -> Iterator[Share]:
    """Committed spend that is not used, by what each workflow spends there."""
    d = use.data
    for a, t in use.values.get("shortfall", {}):
        usd = -use.of("shortfall", a, t)
        spent = (
            (w, tasks * d.api_pairs[w, source].usd_per_task[Period(t)])
            for (w, source, u, _), tasks in use.serving.items()
            if u == t and (w, source) in d.api_pairs and d.behind(source) == a
        )
        yield from (Share(w, t, usd * part) for w, part in _parts(spent).items())


def _parts(weights: Iterable[tuple[str, float]]) -> Parts:
    total: dict[str, float] = defaultdict(float)
    for w, weight in weights:
        total[w] += weight
    whole = sum(total.values())
    return {w: weight / whole for w, weight in total.items()} if whole > 0 else {}


def _carbon(site: Site, t: Period) -> float:
    return site.usd_per_t_co2.get(t, 0.0) * site.t_co2_per_mwh.get(t, 0.0) / 1000


SHARED: Mapping[str, Callable[[Use], Iterator[Share]]] = {
    "commitments": _commitments,
    "energy": lambda use: _by_load(use, lambda site, t: site.usd_per_kwh[t]),
    "carbon_price": lambda use: _by_load(use, _carbon),
    "gpu_running": lambda use: _by_hours(use, lambda pool, t: pool.usd_per_gpu_hour[t]),
    "gpu_lease": lambda use: _by_hours(use, lambda pool, t: pool.lease_usd_per_gpu_hour[t]),
    **{term: partial(_by_order, term=term) for term in ("leases", "purchases", "upgrades", "resale")},
    "storage": _storage,
    "tools": _tools,
    "moves": _moves,
}
