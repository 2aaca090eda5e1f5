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

from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Period
from optimizer.formulation.terms import TERMS
from optimizer.plan.plan import Row
from optimizer.plan.use import Use

UNALLOCATED = "unallocated"

Cash = Mapping[tuple[str, str, str], float]  # workflow or `unallocated`, period, term -> cash
Share = tuple[str, str, float]  # workflow, period, cash


def ledger(stated: Formulation, use: Use) -> list[Row]:
    """Each term's present value and cash over the horizon; the former add up to the objective."""
    discount = use.data.calendar.discount
    lines = []
    for term, entries in stated.terms.items():
        flows = [(entry.period, float(pyo.value(entry.cash))) for entry in entries]
        lines.append({
            "term": term,
            "usd": fsum(discount[t] * cash for t, cash in flows),
            "cash_usd": fsum(cash for _, cash in flows),
        })  # fmt: skip
    return lines


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


def _energy(use: Use) -> Iterator[Share]:
    for (e, t, w), kept in use.held.items():
        end = use.data.endpoints[e]
        site = use.data.sites[end.site]
        kwh = site.pue * (end.idle_kw * kept + (end.op_kw - end.idle_kw) * use.busy[e, t, w])
        yield w, t, -site.usd_per_kwh[Period(t)] * kwh


def _gpu_running(use: Use) -> Iterator[Share]:
    for (e, t, w), kept in use.held.items():
        end = use.data.endpoints[e]
        yield w, t, -use.data.pools[end.pool].usd_per_gpu_hour[Period(t)] * end.gpus * kept


def _gpu_lease(use: Use) -> Iterator[Share]:
    for (e, t, w), kept in use.held.items():
        end = use.data.endpoints[e]
        yield w, t, -use.data.pools[end.pool].lease_usd_per_gpu_hour[Period(t)] * end.gpus * kept


SHARED: Mapping[str, Callable[[Use], Iterator[Share]]] = {
    "energy": _energy,
    "gpu_running": _gpu_running,
    "gpu_lease": _gpu_lease,
}
