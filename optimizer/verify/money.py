"""The ledger from scratch: cash of each term by period, its present value, and their sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.verify.facts import Workflow
from optimizer.verify.facts_more import Flow, Tool
from optimizer.verify.fleet import gpus_there
from optimizer.verify.people import hours_of
from optimizer.verify.power import KWH_PER_MWH, mwh
from optimizer.verify.rows import Row
from optimizer.verify.site import stored_tb
from optimizer.verify.tables import Tables
from optimizer.verify.transport import send

TERMS = (
    "value", "api_tokens", "commitments", "energy", "carbon_price", "gpu_running", "gpu_lease", "leases", "purchases",
    "upgrades", "resale", "launches", "review", "retraining", "storage", "tools", "liability", "moves",
)  # fmt: skip
ORDERED = {"purchase": "purchases", "lease": "leases", "upgrade": "upgrades", "retire": "resale",
           "release": "gpu_lease"}  # fmt: skip
MONTH = 8760 / 12  # hours

Flows = dict[str, dict[str, float]]  # cash by term and period; costs are negative


def cash(d: Tables) -> Mapping[str, Mapping[str, float]]:
    """Cash by term and period; costs are negative."""
    flows: Flows = defaultdict(lambda: defaultdict(float))
    for t in d.facts.time.periods:
        for w, work in d.facts.workflows.items():
            _work(d, flows, w, work, t)
        for s in d.facts.sites:
            _site(d, flows, s, t)
        for a in d.facts.apis:
            flows["api_tokens"][t] -= api_usd(d, a, t)
            flows["commitments"][t] -= d.shortfall.get((a, t), 0.0)
        for p in d.facts.pools:
            running, lease = _upkeep(d, p, t)
            flows["gpu_running"][t] -= running
            flows["gpu_lease"][t] -= lease
        flows["tools"][t] -= sum(_tool(d, j, tool, t) for j, tool in d.facts.tools.items())
        moved = sum(n for table in (d.up, d.down) for (_, u), n in table.items() if u == t)
        flows["moves"][t] -= d.facts.change.usd_per_replica * moved
    for w, work in d.facts.workflows.items():
        for t, usd in earned(d, w, work).items():
            flows["value"][t] += usd
    for term, flow, lots in orders(d):
        flows[term][flow.period] += flow.cash * lots
    return {term: flows[term] for term in TERMS}


def orders(d: Tables) -> Iterator[tuple[str, Flow, float]]:
    """Cash flows of what is ordered: term, flow of one lot, lots."""
    for (o, t), lots in d.lots.items():
        offer = d.facts.offers[o]
        yield from ((ORDERED[offer.kind], flow, lots) for flow in offer.flows.get(t, ()))


def _work(d: Tables, flows: Flows, w: str, work: Workflow, t: str) -> None:
    """Launch, people, retraining and liability of a workflow."""
    flows["launches"][t] -= work.launch_usd[t] * d.launched.get((w, t), 0.0)
    flows["review"][t] -= sum(d.facts.skills[k].usd_per_hour[t] * h for k, h in hours_of(d, w, t).items())
    if work.needs.retraining:
        flows["retraining"][t] -= work.needs.retraining.usd[t] * d.funded.get((w, t), 0.0)
    flows["liability"][t] -= sum(d.outcome(w, source).liability_usd * n for source, n in d.handled(w, t))


def _site(d: Tables, flows: Flows, s: str, t: str) -> None:
    """Electricity, its carbon, and storage of a site."""
    site, energy = d.facts.sites[s], mwh(d, s, t)
    flows["energy"][t] -= site.usd_per_kwh[t] * KWH_PER_MWH * energy
    flows["carbon_price"][t] -= site.usd_per_t_co2[t] * site.t_co2_per_mwh[t] * energy
    flows["storage"][t] -= site.usd_per_tb_month[t] * d.facts.time.hours[t] / MONTH * stored_tb(d, s, t)


def _tool(d: Tables, j: str, tool: Tool, t: str) -> float:
    """Licence and staff while adopted, and what it takes to bring the tool in."""
    earlier = d.facts.time.periods[: d.facts.time.periods.index(t)]
    before = max([float(tool.running), *(d.adopted.get((j, u), 0.0) for u in earlier)])
    staff = sum(d.facts.skills[k].usd_per_hour[t] * hours for k, hours in tool.hours.items())
    adopted = d.adopted.get((j, t), 0.0)
    return (tool.usd[t] + staff) * adopted + tool.adopt_usd * max(0.0, adopted - before)


def api_usd(d: Tables, a: str, t: str) -> float:
    """Money for the calls to an API in a period, every attempt counted."""
    api = d.facts.apis[a]
    return sum(
        n * d.outcome(w, source).attempts * prices[t]
        for b in d.facts.time.parts
        for (w, source), n in d.at_api.get((a, t, b), {}).items()
        if (prices := api.price(w, source.partition("+")[2]))
    )


def _upkeep(d: Tables, p: str, t: str) -> tuple[float, float]:
    pool, hours = d.facts.pools[p], d.facts.time.hours[t]
    paid = pool.node * d.powered.get((p, t), 0.0) if pool.paid_when_powered else gpus_there(d, p, t)
    return pool.running[t] * hours * paid, pool.lease[t] * hours * pool.count[t]


def earned(d: Tables, w: str, work: Workflow) -> Mapping[str, float]:
    """Value of good output by period, the most valuable tranches first; a bundle is worth what it says."""
    groups = [work.periods] if work.job else [(t,) for t in work.periods]
    value = dict.fromkeys(work.periods, 0.0)
    for group in groups if work.tranches else ():
        for t, usd in _sold(d, w, work, group).items():
            value[t] += usd
    for (v, name, t), chosen in d.chosen.items():
        if v == w and name in work.needs.bundles and t in value:
            value[t] += work.needs.bundles[name].usd[t] * chosen
    return value


def _sold(d: Tables, w: str, work: Workflow, group: tuple[str, ...]) -> Mapping[str, float]:
    """Which yield (and, of a job, which period) takes which tranche: the best transport of volumes to tranches."""
    sold: dict[tuple[str, float], float] = defaultdict(float)
    for t in group:
        for source, tasks in d.handled(w, t):
            sold[t, d.outcome(w, source).good] += tasks
    kinds = [kind for kind, tasks in sold.items() if tasks > 0]
    discount = d.facts.time.discount
    worth = [[band.usd[t] * good * discount[t] for band in work.tranches] for t, good in kinds]
    room = [band.width * work.demand[group[0]] for band in work.tranches]
    value: dict[str, float] = defaultdict(float)
    for (t, good), row in zip(kinds, send(worth, [sold[k] for k in kinds], room), strict=True):
        value[t] += sum(n * band.usd[t] * good for n, band in zip(row, work.tranches, strict=True))
    return value


def ledger(plan: Mapping[str, Any], d: Tables, drop: Sequence[str] = ()) -> Iterator[Row]:
    """Each term of the ledger in cash and in present value, and their sum against the objective; 0 if dropped."""
    flows, discount = {term: {} if term in drop else flow for term, flow in cash(d).items()}, d.facts.time.discount
    worth = {term: sum(discount[t] * usd for t, usd in flow.items()) for term, flow in flows.items()}
    for term, flow, lots in (order for order in orders(d) if order[0] not in drop):
        worth[term] += (flow.factor - discount[flow.period]) * flow.cash * lots
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
    """What each workflow earned, against its lines in the table; a job over its window, whose periods may tie."""
    stated: dict[str, dict[str, float]] = defaultdict(dict)
    for line in plan.get("workflows", ()):
        w, t = str(line["workflow"]), str(line["period"])
        if w in d.facts.workflows and t in d.facts.time.periods:
            stated[w][t] = line["value_usd"]
            yield Row("ledger", ("net", w), t, line["net_usd"], "==", line["value_usd"] - line["cost_usd"])
    for w, by_period in stated.items():
        usd = earned(d, w, d.facts.workflows[w])
        groups = [tuple(by_period)] if d.facts.workflows[w].job else [(t,) for t in by_period]
        for group in groups:
            told, found = sum(by_period[t] for t in group), sum(usd.get(t, 0.0) for t in group)
            yield Row("ledger", ("value", w), group[0], told, "==", found)
