"""What must still run after a loss."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Endpoint, Loss, Part, Period, Work
from optimizer.formulation.families.market import quotas
from optimizer.formulation.family import Expression, Model, Row, family
from optimizer.formulation.load import brought, idle_kw, served, sold
from optimizer.formulation.sums import total, weighted


@family(index="loss name period part", unit="task", price="$/task")
def resilience_floor(m: Model, d: Data) -> Iterator[Row]:
    r"""After the loss of any one site, vendor or API, the promised share is still served by what survives.

    Survivors take the work over within their replica-hours, quotas and power; workflows without a promise may be
    displaced. Without recourse, no more than the rest of the share may sit where it can be lost.

    $$ \sum_{s \notin l} \mathrm{rescue}_{wstbl} \ge \alpha_{wl} \sum_s x_{wstb} $$

    Price: what each task promised after the loss costs.
    """
    for loss in d.losses:
        if not loss.recourse:
            yield from _capped(m, d, loss)
            continue
        for w in loss.shares:
            yield from _promised(m, d, loss, w)
        yield from _survivors(m, d, loss)


def _capped(m: Model, d: Data, loss: Loss) -> Iterator[Row]:
    for w, share in loss.shares.items():
        for t in d.workflows[w].periods:
            at_risk, all_of_it = _at_risk(m, d, loss, w, t), sold(m, d, d.workflows[w], t)
            yield Row((loss.id, w, t), all_of_it - at_risk, ">=", share * all_of_it)


def _promised(m: Model, d: Data, loss: Loss, w: str) -> Iterator[Row]:
    flow = d.workflows[w]
    spans = [tuple(d.calendar.parts)] if flow.serving == "batch" else [(b,) for b in d.calendar.parts]
    for t in flow.periods:
        for parts in spans:
            rescued = quicksum(
                m.rescue[w, source, t, b, loss.id]
                for source in (*d.endpoints_of[w], *d.apis_of[w])
                for b in parts
                if (w, source, t, b, loss.id) in m.rescue
            )
            key = (loss.id, w, t, *(parts if len(spans) > 1 else ()))
            yield Row(key, rescued, ">=", loss.shares[w] * served(m, d, flow, t, parts))


def _survivors(m: Model, d: Data, loss: Loss) -> Iterator[Row]:
    """Replica-hours, power and quotas of what survives bound the rescued work."""
    calls = {key[:4]: rescued for key, rescued in m.rescue.items() if key[4] == loss.id}
    for t in d.calendar.periods:
        for b in d.calendar.parts:
            for e in d.endpoints.values():
                if work := _taken_over(d, loss, e, t):
                    used = weighted(
                        (w.peak_factor / (pair.tasks_per_hour * w.headroom), m.rescue[w.id, source, t, b, loss.id])
                        for w, source, pair in work
                    )
                    hours = d.calendar.part_hours[t, b] * e.availability
                    yield Row((loss.id, e.id, t, b), hours * m.replicas[e.id, t] - used, ">=", 0.0)
            yield from _power(m, d, loss, t, b)
        for a, limit in d.api_limits.items():
            if a not in loss.apis:
                for row in quotas(calls, d, a, limit, t):
                    yield Row((loss.id, f"{a} {row.key[1]}", t, *row.key[3:]), row.available - row.used, ">=", 0.0)


def _power(m: Model, d: Data, loss: Loss, t: Period, b: Part) -> Iterator[Row]:
    for s, site in d.sites.items():
        ends = [d.endpoints[e] for p in d.pools_at[s] for e in d.endpoints_at[p]]
        if site.power_kw is None or site.nameplate or not ends or all(e.id in loss.endpoints for e in ends):
            continue
        hours = d.calendar.part_hours[t, b]
        load = weighted(
            (
                (e.op_kw - e.idle_kw) / hours * w.peak_factor / pair.tasks_per_hour,
                m.rescue[w.id, source, t, b, loss.id],
            )
            for e in ends
            for w, source, pair in _taken_over(d, loss, e, t)
        )
        there = site.power_kw[t] - site.curtailed_kw.get((t, b), 0.0) + brought(m, d, "power_kw", s, t)
        yield Row((loss.id, s, t, b), there - site.pue * (load + idle_kw(m, d, s, t)), ">=", 0.0)


def _taken_over(d: Data, loss: Loss, e: Endpoint, t: Period) -> list[Work]:
    """Promised work that an endpoint may take over, if it survives."""
    return [] if e.id in loss.endpoints else [work for work in d.work_in[e.id, t] if work.workflow.id in loss.shares]


def _at_risk(m: Model, d: Data, loss: Loss, w: str, t: Period) -> Expression:
    parts = d.calendar.parts
    own = [m.serve[w, e, t, b] for e in d.endpoints_of[w] if d.behind(e) in loss.endpoints for b in parts]
    return total(own + [m.api[w, a, t, b] for a in d.apis_of[w] if d.behind(a) in loss.apis for b in parts])
