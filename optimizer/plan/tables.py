"""The tables of a plan that say who is funded, who serves, what stands where, and what is full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyomo.environ as pyo

from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Period
from optimizer.formulation.family import Expression
from optimizer.plan.money import Cash
from optimizer.plan.plan import Row
from optimizer.plan.use import Use


def workflows(use: Use, cash: Cash) -> Iterator[Row]:
    """A line per workflow and period with demand or cash; `served` is all of it, `api` the part an API serves."""
    paid = {(owner, t) for (owner, t, _), usd in cash.items() if usd}
    nets: dict[tuple[str, str], float] = defaultdict(float)
    for (owner, t, _), usd in cash.items():
        nets[owner, t] += usd
    for w in use.data.workflows.values():
        for t in (t for t in use.data.calendar.periods if t in w.periods or (w.id, t) in paid):
            value = cash.get((w.id, t, "value"), 0.0)
            net = nets.get((w.id, t), 0.0)
            mtok = use.good_mtok.get((w.id, t))
            yield {
                "workflow": w.id,
                "period": t,
                "funded": round(use.of("fund", w.id, t)),
                "launched": round(use.of("launch", w.id, t)),
                "demand": w.demand.get(t, 0.0),
                "served": use.served.get((w.id, t), 0.0),
                "api": use.bought.get((w.id, t), 0.0),
                "unit": w.unit,
                "value_usd": value,
                "cost_usd": value - net,
                "net_usd": net,
                "usd_per_mtok": (value - net) / mtok if mtok else None,
            }


def endpoints(use: Use) -> Iterator[Row]:
    """A line per endpoint and period in which replicas stand, or work is done without any (`endpoint_capacity` off).

    kW at the site's meter in its fullest day part; output tokens per second of one replica at work.
    """
    working = ((e, Period(t)) for e, t, _ in use.busy)
    for e, t in dict.fromkeys((*use.standing, *working)):
        replicas = use.standing.get((e, t), 0)
        end, mtok = use.data.endpoints[e], use.own_mtok.get((e, t))
        yield {
            "endpoint": e,
            "pool": end.pool,
            "site": end.site,
            "model": end.model,
            "gpu": end.gpu,
            "period": t,
            "replicas": replicas,
            "gpus": end.gpus * replicas,
            "hbm_gb": end.hbm_gb * replicas,
            "kw": use.peak_kw(end, t),
            "utilisation": use.at_work(e, t) / use.there(e, t) if replicas else None,
            "bound_by": end.bound_by,
            "grade": end.grade,
            "deployment": end.deployment,
            "precision": end.precision,
            "concurrency": end.concurrency,
            "context_tokens": end.context_tokens,
            "tokens_per_s": 1e6 * mtok / use.at_work(e, t) / 3600 if mtok else None,
        }


def serving(use: Use) -> Iterator[Row]:
    """Who serves what, in tasks."""
    for (w, source, t, b), tasks in use.serving.items():
        yield {"workflow": w, "source": source, "period": t, "day_part": b, "served": tasks}


def resources(stated: Formulation) -> Iterator[Row]:
    """Every capacity, limit and floor row: what there is, what is used, what is left."""
    for family in stated.families:
        if family.kind != "link":
            for row in stated.rows[family.name]:
                used, capacity = _value(row.used), _value(row.available)
                yield {
                    "family": family.name,
                    "row": family.label(row.key),
                    "period": family.period(row.key),
                    "unit": family.unit,
                    "capacity": capacity,
                    "used": used,
                    "slack": used - capacity if row.sense == ">=" else capacity - used,
                }


def _value(expression: Expression) -> float:
    return float(pyo.value(expression))
