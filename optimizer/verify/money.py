"""The ledger from scratch: cash of each term by period, its present value, and their sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from optimizer.verify.facts import Workflow
from optimizer.verify.fleet import idle_kw, load_kwh
from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables
from optimizer.verify.transport import send

TERMS = ("value", "api_tokens", "energy", "gpu_running", "gpu_lease", "launches")


def cash(d: Tables) -> Mapping[str, Mapping[str, float]]:
    """Cash by term and period; costs are negative."""
    flows: dict[str, dict[str, float]] = {term: dict.fromkeys(d.facts.time.periods, 0.0) for term in TERMS}
    for w, work in d.facts.workflows.items():
        for t, usd in earned(d, w, work).items():
            flows["value"][t] += usd
        for t in work.periods:
            flows["launches"][t] -= work.launch_usd[t] * d.launched.get((w, t), 0.0)
    for (a, t, _), calls in d.at_api.items():
        prices = d.facts.apis[a].usd_per_task
        flows["api_tokens"][t] -= sum(n * prices[w][t] for w, n in calls.items() if w in prices)
    for t in d.facts.time.periods:
        flows["energy"][t] -= sum(_energy(d, s, t) for s in d.facts.sites)
        for p in d.facts.pools:
            running, lease = _upkeep(d, p, t)
            flows["gpu_running"][t] -= running
            flows["gpu_lease"][t] -= lease
    return flows


def _energy(d: Tables, s: str, t: str) -> float:
    """Money for a site's electricity over a period, at mean load."""
    site, time, mean = d.facts.sites[s], d.facts.time, dict.fromkeys(d.facts.workflows, 1.0)
    kwh = sum(
        idle_kw(d, p, t) * time.hours[t] + sum(load_kwh(d, p, t, b, mean) for b in time.parts)
        for p, pool in d.facts.pools.items()
        if pool.site == s
    )
    return site.usd_per_kwh[t] * site.pue * kwh


def _upkeep(d: Tables, p: str, t: str) -> tuple[float, float]:
    pool, hours = d.facts.pools[p], d.facts.time.hours[t]
    paid = pool.node * d.powered.get((p, t), 0.0) if pool.paid_when_powered else pool.count[t]
    return pool.running[t] * hours * paid, pool.lease[t] * hours * pool.count[t]


def earned(d: Tables, w: str, work: Workflow) -> Mapping[str, float]:
    """Value of what a workflow was served, by period, the most valuable tranches first."""
    sold = {t: d.sold(w, t) for t in work.periods}
    if work.job and len(work.tranches) > 1:
        return _earned_by_job(d, work, sold)
    return {t: _worth(work, t, tasks) for t, tasks in sold.items()}


def _worth(work: Workflow, t: str, tasks: float) -> float:
    usd = 0.0
    for band in work.tranches:
        taken = min(tasks, band.width * work.demand[t])
        usd, tasks = usd + taken * band.usd[t], tasks - taken
    return usd


def _earned_by_job(d: Tables, work: Workflow, sold: Mapping[str, float]) -> Mapping[str, float]:
    """A job sells each tranche once: which period takes which is the best transport of volumes to tranches."""
    periods = [t for t, tasks in sold.items() if tasks > 0]
    total = work.demand[work.periods[0]]
    worth = [[band.usd[t] * d.facts.time.discount[t] for band in work.tranches] for t in periods]
    taken = send(worth, [sold[t] for t in periods], [band.width * total for band in work.tranches])
    value: dict[str, float] = defaultdict(float)
    for t, row in zip(periods, taken, strict=True):
        value[t] += sum(n * band.usd[t] for n, band in zip(row, work.tranches, strict=True))
    return value


def ledger(plan: Mapping[str, Any], d: Tables) -> Iterator[Row]:
    """Each term of the ledger in cash and in present value, and their sum against the objective."""
    flows, discount = cash(d), d.facts.time.discount
    worth = {term: sum(discount[t] * usd for t, usd in flow.items()) for term, flow in flows.items()}
    stated = {str(line["term"]): line for line in plan["ledger"]}
    for term in {**flows, **stated}:
        line = stated.get(term, {"usd": 0.0, "cash_usd": 0.0})
        present, paid = worth.get(term, 0.0), sum(flows.get(term, {}).values())
        text = "" if term in flows else "no such term"
        yield Row("ledger", (term, "usd"), "", line["usd"], "==", present, text=text)
        yield Row("ledger", (term, "cash_usd"), "", line["cash_usd"], "==", paid, text=text)
    gross = sum(map(abs, worth.values()))
    yield Row("objective", ("net value",), "", float(plan["objective_usd"]), "==", sum(worth.values()), gross)


def values(plan: Mapping[str, Any], d: Tables) -> Iterator[Row]:
    """What each workflow earned, against its line in the table."""
    for line in plan.get("workflows", ()):
        w, t = str(line["workflow"]), str(line["period"])
        if w in d.facts.workflows and t in d.facts.time.periods:
            usd = earned(d, w, d.facts.workflows[w]).get(t, 0.0)
            yield Row("ledger", ("value", w), t, line["value_usd"], "==", usd)
            yield Row("ledger", ("net", w), t, line["net_usd"], "==", line["value_usd"] - line["cost_usd"])
