"""The tables of a plan that list decisions: what is funded, who serves, what stands where, what is full."""

from __future__ import annotations

from collections.abc import Iterator

import pyomo.environ as pyo

from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Period
from optimizer.formulation.family import Expression
from optimizer.formulation.load import draw_kw, gpus_there, other_gpus, replica_gpus
from optimizer.plan.money import Cash
from optimizer.plan.plan import Row
from optimizer.plan.use import Use


def workflows(use: Use, cash: Cash) -> Iterator[Row]:
    """A line per workflow and period with demand; `served` is all of it, `api` the part an API serves."""
    for w in use.data.workflows.values():
        for t in w.periods:
            value = cash.get((w.id, t, "value"), 0.0)
            net = sum(amount for (owner, u, _), amount in cash.items() if (owner, u) == (w.id, t))
            mtok = use.good_mtok.get((w.id, t))
            yield {
                "workflow": w.id,
                "period": t,
                "funded": round(use.of("fund", w.id, t)),
                "launched": round(use.of("launch", w.id, t)),
                "demand": w.demand[t],
                "served": use.served.get((w.id, t), 0.0),
                "api": use.bought.get((w.id, t), 0.0),
                "unit": w.unit,
                "value_usd": value,
                "cost_usd": value - net,
                "net_usd": net,
                "usd_per_mtok": (value - net) / mtok if mtok else None,
            }


def endpoints(use: Use) -> Iterator[Row]:
    """A line per endpoint and period in which replicas stand.

    kW at the site's meter in its fullest day part; output tokens per second of one replica at work.
    """
    for (e, t), replicas in use.standing.items():
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
            "utilisation": use.at_work(e, t) / use.there(e, t),
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


def pools(stated: Formulation, use: Use) -> Iterator[Row]:
    """GPUs of each pool and what carries them; `usd` is running cost and lease of the period."""
    m, d = stated.model, use.data
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            nodes, there = round(use.of("powered", p, t)), _value(gpus_there(m, d, p, t))
            used = _value(replica_gpus(m, d, p, t)) + _value(other_gpus(m, d, p, t))
            running = pool.usd_per_gpu_hour[t] * (pool.node * nodes if pool.paid_when_powered else there)
            yield {
                "pool": p,
                "site": pool.site,
                "gpu": pool.gpu,
                "period": t,
                "gpus": there,
                "used": used,
                "powered_nodes": nodes,
                "idle_gpus": max(there - used, 0.0),
                "usd": (running + pool.lease_usd_per_gpu_hour[t] * pool.count[t]) * d.calendar.hours[t],
            }


def layouts(use: Use) -> Iterator[Row]:
    """GPUs that are cut into each partition layout."""
    for (p, name, t), cut in use.values.get("layout", {}).items():
        if cut > 0.5:
            yield {"pool": p, "layout": name, "period": t, "gpus": round(cut) * use.data.pools[p].layout_gpus}


def power(stated: Formulation, use: Use) -> Iterator[Row]:
    """Peak draw at each site's meter, and what is energised there (null: no limit is stated, or it was dropped)."""
    d = use.data
    limits = {row.key: _value(row.available) for row in stated.rows["power_limit"]}
    for s in d.sites:
        for t in d.calendar.periods:
            for b in d.calendar.parts:
                draw = _value(draw_kw(stated.model, d, s, t, b))
                yield {"site": s, "period": t, "day_part": b, "kw": draw, "limit": limits.get((s, t, b))}


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


def decisions(use: Use) -> Iterator[Row]:
    """What has to be ordered, adopted or started, in whole lots; `usd` is what that costs over the horizon, in cash."""
    d = use.data
    for (o, t), lots in use.values.get("buy", {}).items():
        if lots > 0.5:
            offer = d.offers[o]
            usd = -sum(flow.cash for flow in offer.flows if flow.order == t) * round(lots)
            kind = "upgrade" if offer.kind == "upgrade" else "buy"
            yield {"kind": kind, "name": o, "period": t, "amount": round(lots), "usd": usd}
    for (j, t), started in use.values.get("start", {}).items():
        if started > 0.5:
            yield {"kind": "adopt", "name": j, "period": t, "amount": 1, "usd": d.tools[j].adopt_usd}
    for (w, t), launched in use.values.get("launch", {}).items():
        if launched > 0.5:
            usd = d.workflows[w].launch_usd[Period(t)]
            yield {"kind": "launch", "name": w, "period": t, "amount": 1, "usd": usd}


def candidates(use: Use) -> Iterator[Row]:
    """What was dropped before the program, and why."""
    for each in use.data.candidates:
        yield {name: getattr(each, name) for name in each.__slots__}


def _value(expression: Expression) -> float:
    return float(pyo.value(expression))
