"""The tables of a plan that list decisions: what is funded, who serves, what stands where, what is full."""

from __future__ import annotations

from collections.abc import Iterator

import pyomo.environ as pyo

from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Period
from optimizer.formulation.load import draw_kw
from optimizer.plan.money import Cash
from optimizer.plan.plan import Row
from optimizer.plan.use import Use


def workflows(use: Use, cash: Cash) -> Iterator[Row]:
    """A line per workflow and period with demand; `served` is all of it, `api` the part an API serves."""
    for w in use.data.workflows.values():
        for t in w.periods:
            value = cash.get((w.id, t, "value"), 0.0)
            net = sum(amount for (owner, u, _), amount in cash.items() if (owner, u) == (w.id, t))
            mtok = _good_mtok(use, w.id, t)
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
        end = use.data.endpoints[e]
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
            "tokens_per_s": _tokens_per_s(use, e, t),
        }


def serving(use: Use) -> Iterator[Row]:
    """Who serves what, in tasks."""
    for (w, source, t, b), tasks in use.serving.items():
        yield {"workflow": w, "source": source, "period": t, "day_part": b, "served": tasks}


def pools(use: Use) -> Iterator[Row]:
    """GPUs of each pool and what carries them; `usd` is running cost and lease of the period."""
    for p, pool in use.data.pools.items():
        for t in use.data.calendar.periods:
            nodes, used = round(use.of("powered", p, t)), use.gpus(p, t)
            paid = pool.node * nodes if pool.paid_when_powered else pool.count[t]
            rate = pool.usd_per_gpu_hour[t] * paid + pool.lease_usd_per_gpu_hour[t] * pool.count[t]
            yield {
                "pool": p,
                "site": pool.site,
                "gpu": pool.gpu,
                "period": t,
                "gpus": pool.count[t],
                "used": used,
                "powered_nodes": nodes,
                "idle_gpus": max(pool.count[t] - used, 0.0),
                "usd": rate * use.data.calendar.hours[t],
            }


def layouts(use: Use) -> Iterator[Row]:
    """GPUs that are cut into each partition layout."""
    for (p, name, t), cut in use.values.get("layout", {}).items():
        if cut > 0.5:
            yield {"pool": p, "layout": name, "period": t, "gpus": round(cut) * use.data.pools[p].layout_gpus}


def power(stated: Formulation, use: Use) -> Iterator[Row]:
    """Peak draw at each site's meter, and what is energised there (null: the instance states no limit)."""
    d = use.data
    for s, site in d.sites.items():
        for t in d.calendar.periods:
            for b in d.calendar.parts:
                limit = None if site.power_kw is None else site.power_kw[t]
                draw = float(pyo.value(draw_kw(stated.model, d, s, t, b)))
                yield {"site": s, "period": t, "day_part": b, "kw": draw, "limit": limit}


def resources(stated: Formulation) -> Iterator[Row]:
    """Every capacity, limit and floor row: what there is, what is used, what is left."""
    for family in stated.families:
        if family.kind != "link":
            for row in stated.rows[family.name]:
                used, capacity = float(pyo.value(row.used)), float(pyo.value(row.available))
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
    """What has to be ordered or started, and what that costs at once."""
    for (w, t), launched in use.values.get("launch", {}).items():
        if launched > 0.5:
            usd = use.data.workflows[w].launch_usd[Period(t)]
            yield {"kind": "launch", "name": w, "period": t, "amount": 1, "usd": usd}


def candidates(use: Use) -> Iterator[Row]:
    """What was dropped before the program, and why."""
    for each in use.data.candidates:
        yield {name: getattr(each, name) for name in each.__slots__}


def _good_mtok(use: Use, w: str, t: str) -> float:
    own = sum(
        use.data.pairs[w, e].good_mtok * tasks
        for (v, e, u, _), tasks in use.serving.items()
        if (v, u) == (w, t) and (w, e) in use.data.pairs
    )
    bought = sum(
        use.data.api_pairs[w, a].tokens_out / 1e6 * tasks
        for (v, a, u, _), tasks in use.serving.items()
        if (v, u) == (w, t) and (w, a) in use.data.api_pairs
    )
    return own + bought


def _tokens_per_s(use: Use, e: str, t: str) -> float | None:
    pairs, hours = use.data.pairs, use.at_work(e, t)
    tokens = sum(
        use.busy[e, t, w] * pairs[w, e].tasks_per_hour * pairs[w, e].good_mtok * 1e6
        for w in use.data.workflows_on[e]
        if (e, t, w) in use.busy
    )
    return tokens / hours / 3600 if hours and tokens else None
