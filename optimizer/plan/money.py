"""Where the money goes: the ledger by term, and each workflow's part of it.

What a workflow alone causes (its value, its API tokens, its launch) is its own. What is shared (GPUs, electricity)
goes by the replica-hours kept for it; what nobody keeps stays on the line `unallocated`. Workflow lines and
`unallocated` add up to the ledger, term by term and period by period.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from math import fsum

import pyomo.environ as pyo

from optimizer.formulation.build import Formulation, present_value
from optimizer.formulation.data import Data, Period, Pool, Site
from optimizer.formulation.terms import TERMS
from optimizer.plan.plan import UNALLOCATED, Row
from optimizer.plan.use import Use

Cash = Mapping[tuple[str, str, str], float]  # workflow or `unallocated`, period, term -> cash
Share = tuple[str, str, float]  # workflow, period, cash


def ledger(stated: Formulation, data: Data) -> list[Row]:
    """Each term's present value and cash over the horizon; the former add up to the objective."""
    return [
        {
            "term": term,
            "usd": fsum(float(pyo.value(present_value(data, entry))) for entry in entries),
            "cash_usd": fsum(float(pyo.value(entry.cash)) for entry in entries),
        }
        for term, entries in stated.terms.items()
    ]


def allocate(stated: Formulation, use: Use) -> Cash:
    """Cash of every term by workflow and period, the rest on `unallocated`."""
    cash: dict[tuple[str, str, str], float] = defaultdict(float)
    for term in TERMS:
        for entry in stated.terms[term.name]:
            owner = entry.key[term.index.index("workflow")] if "workflow" in term.index else UNALLOCATED
            cash[owner, entry.period, term.name] += float(pyo.value(entry.cash))
    for name, shares in SHARED.items():
        for w, t, part in shares(use):
            cash[w, t, name] += part
            cash[UNALLOCATED, t, name] -= part
    return cash


def rows(cash: Cash) -> list[Row]:
    """The allocation as a table, without its zeros."""
    return [
        {"workflow": w, "period": t, "term": term, "cash_usd": amount}
        for (w, t, term), amount in cash.items()
        if amount
    ]


def _by_load(use: Use, usd_per_kwh: Callable[[Site, Period], float]) -> Iterator[Share]:
    """Electricity that a workflow draws at the meter: at rest while replicas are kept for it, more while they work."""
    d = use.data
    for (e, t, w), kept in use.held.items():
        end = d.endpoints[e]
        kwh = end.idle_kw * kept + (end.op_kw - end.idle_kw) * use.busy[e, t, w]
        site = d.sites[end.site]
        yield w, t, -usd_per_kwh(site, Period(t)) * site.pue * kwh
    for (w, p, t), hours in use.values.get("retrain", {}).items():
        site = d.sites[d.pools[p].site]
        yield w, t, -usd_per_kwh(site, Period(t)) * site.pue * d.pools[p].op_kw * hours


def _by_hours(use: Use, usd_per_gpu_hour: Callable[[Pool, Period], float]) -> Iterator[Share]:
    """GPU-hours kept for a workflow, and those that train it."""
    pools = use.data.pools
    for (e, t, w), kept in use.held.items():
        end = use.data.endpoints[e]
        yield w, t, -usd_per_gpu_hour(pools[end.pool], Period(t)) * end.gpus * kept
    for (w, p, t), hours in use.values.get("retrain", {}).items():
        yield w, t, -usd_per_gpu_hour(pools[p], Period(t)) * hours


def _carbon(site: Site, t: Period) -> float:
    return site.usd_per_t_co2.get(t, 0.0) * site.t_co2_per_mwh.get(t, 0.0) / 1000


SHARED: Mapping[str, Callable[[Use], Iterator[Share]]] = {
    "energy": lambda use: _by_load(use, lambda site, t: site.usd_per_kwh[t]),
    "carbon_price": lambda use: _by_load(use, _carbon),
    "gpu_running": lambda use: _by_hours(use, lambda pool, t: pool.usd_per_gpu_hour[t]),
    "gpu_lease": lambda use: _by_hours(use, lambda pool, t: pool.lease_usd_per_gpu_hour[t]),
}
