"""Money, people and whatever else the planner names."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Period
from optimizer.formulation.family import Expression, Model, Row, family, span
from optimizer.formulation.load import brought, review_hours, sold
from optimizer.formulation.terms import TERMS


@family(index="budget period", unit="$", price="$/$")
def spend_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Cash spent on the terms a budget covers stays within it.

    $$ \sum_{\tau \in \beta} \sum_{t \in T} \mathrm{cash}_{\tau t} \le M_{\beta T} $$

    Price: net value that one more dollar of budget would earn.
    """
    for budget in d.budgets:
        flows = [entry for each in TERMS if each.name in budget.terms for entry in each.entries(m, d)]
        for group, amount in budget.amount.items():
            spent = quicksum(-entry.cash for entry in flows if entry.period in group)
            yield Row((budget.id, span(group)), spent, "<=", amount)


@family(index="skill period", unit="hour", price="$/hour")
def review_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Review of output, launches and the care of tools fit the hours of the people who can do them.

    $$ \sum_{w,e,b} m_{we} \, \mathrm{serve}_{wetb} + \sum_w \lambda_{w\kappa} \, \mathrm{launch}_{wt}
       + \sum_j s_{j\kappa} \, \mathrm{adopt}_{jt} \le H_{\kappa t} $$

    Price: what one more hour of that skill would earn.
    """
    for k, skill in d.skills.items():
        for t, hours in (skill.hours or {}).items():
            flows = [w for w in d.workflows.values() if (w.id, t) in m.fund]
            review = quicksum(review_hours(m, d, w, t) for w in flows if w.skill == k)
            launch = quicksum(w.launch_hours[k] * m.launch[w.id, t] for w in flows if k in w.launch_hours)
            tools = quicksum(j.hours[k] * m.adopt[j.id, t] for j in d.tools.values() if k in j.hours)
            yield Row((k, t), review + launch + tools, "<=", hours)


@family(index="resource period", unit="unit", price="$/unit")
def resource_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""Endpoints, workflows, tools and bundles fit whatever else the planner counts.

    $$ \sum_e \rho_{er} \, \mathrm{replicas}_{et} + \sum_w \big( \rho_{wr} \, \mathrm{fund}_{wt}
       + \rho'_{wr} \sum_k \mathrm{tranche}_{wkt} + \sum_o \rho_{wor} \, \mathrm{choose}_{wot} \big)
       + \sum_j \rho_{jr} \, \mathrm{adopt}_{jt} \le R_{rt} $$

    Price: what one more unit of the resource would earn over the period.
    """
    for r, resource in d.resources.items():
        for t, amount in resource.amount.items():
            replicas = quicksum(
                e.resources[r] * m.replicas[e.id, t]
                for e in d.endpoints.values()
                if r in e.resources and (e.id, t) in m.replicas
            )
            tools = quicksum(j.resources[r] * m.adopt[j.id, t] for j in d.tools.values() if r in j.resources)
            used = replicas + tools + _taken_by_work(m, d, r, t)
            yield Row((r, t), used, "<=", amount + brought(m, d, "resource", r, t))


@family(index="workflow period", unit="GPU-hour", price="$/GPU-hour")
def retraining_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A funded workflow gets the GPU-hours that its retraining needs.

    $$ \sum_p s_{wp} \, \mathrm{retrain}_{wpt} \ge \tau_{wt} \, \mathrm{fund}_{wt} $$

    Price: none is quoted; it is logic.
    """
    for w in d.workflows.values():
        for t in w.periods if w.retraining else ():
            assert w.retraining is not None
            if w.retraining.gpu_hours.get(t):
                done = quicksum(speed * m.retrain[w.id, p, t] for p, speed in w.retraining.speed.items())
                yield Row((w.id, t), done, ">=", w.retraining.gpu_hours[t] * m.fund[w.id, t])


def _taken_by_work(m: Model, d: Data, r: str, t: Period) -> Expression:
    flows = [w for w in d.workflows.values() if (w.id, t) in m.fund]
    funded = quicksum(w.resources[r] * m.fund[w.id, t] for w in flows if r in w.resources)
    handled = quicksum(w.task_resources[r] * sold(m, d, w, t) for w in flows if r in w.task_resources)
    bundles = quicksum(b.resources[r] * m.choose[w.id, b.id, t] for w in flows for b in w.bundles if r in b.resources)
    return funded + handled + bundles
