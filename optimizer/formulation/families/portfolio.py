"""Discipline: few launches, few workflows, pilots before scale, exploration within its share."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Period, Workflow
from optimizer.formulation.family import Expression, Model, Row, family
from optimizer.formulation.load import gpus_there, sold


@family(index="period", unit="launch", price="$/launch")
def launch_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""No more workflows start in a period than the organisation can start.

    $$ \sum_{w} \mathrm{launch}_{wt} \le \Lambda_t $$

    Price: what one more launch in the period would earn.
    """
    for t, most in d.launch_limit.items():
        yield Row((t,), quicksum(m.launch[w.id, t] for w in d.workflows.values() if (w.id, t) in m.launch), "<=", most)


@family(index="period", unit="workflow", price="$/workflow")
def portfolio_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""No more workflows are funded at once than the portfolio admits.

    $$ \sum_{w} \mathrm{fund}_{wt} \le \Pi_t $$

    Price: what one more funded workflow in the period would earn.
    """
    for t, most in d.portfolio_limit.items():
        yield Row((t,), quicksum(m.fund[w.id, t] for w in d.workflows.values() if (w.id, t) in m.fund), "<=", most)


@family(index="workflow period rule", unit="task", price="$/task")
def proof_floor(m: Model, d: Data) -> Iterator[Row]:
    r"""A pilot stays small until it was funded in enough earlier periods to be proven.

    $$ \sum_k \mathrm{tranche}_{wkt} \le
         D_{wt} \big( \pi_w \, \mathrm{fund}_{wt} + (1 - \pi_w) \, \mathrm{proven}_{wt} \big), \qquad
       n_w \, \mathrm{proven}_{wt} \le \sum_{\tau < t} \mathrm{fund}_{w\tau} $$

    Price: what scaling before the proof would earn per task.
    """
    for w in d.workflows.values():
        for i, t in enumerate(w.periods if w.pilot and not w.pilot.proven else ()):
            pilot, proven = w.pilot, m.proven[w.id, t]
            assert pilot is not None
            most = w.demand[t] * (pilot.share * m.fund[w.id, t] + (1 - pilot.share) * proven)
            yield Row((w.id, t, "scale"), sold(m, d, w, t), "<=", most)
            funded = quicksum(m.fund[w.id, u] for u in w.periods[:i])
            yield Row((w.id, t, "proof"), funded, ">=", pilot.periods * proven)


@family(index="period workflow", unit="GPU-hour", price="$/GPU-hour")
def exploration_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Workflows that are not yet proven use no more than their share of the GPU-hours that are owned.

    $$ \sum_{w} \mathrm{exploring}_{wt} \le \xi_t \, h_t \sum_p G_{pt}, \qquad
       \mathrm{exploring}_{wt} \ge H_{wt} - \bar H_{wt} \, \mathrm{proven}_{wt} $$

    Price: what one more GPU-hour of exploration would earn.
    """
    for t, share in d.exploration_share.items():
        exploring = [w for w in d.workflows.values() if (w.id, t) in m.exploring]
        for w in exploring:
            unproven = _gpu_hours(m, d, w, t) - _most_gpu_hours(d, w, t) * m.proven[w.id, t]
            yield Row((t, w.id), m.exploring[w.id, t], ">=", unproven)
        owned = quicksum(gpus_there(m, d, p, t) for p in d.pools)
        used = quicksum(m.exploring[w.id, t] for w in exploring)
        yield Row((t,), used, "<=", share * d.calendar.hours[t] * owned)


def _gpu_hours(m: Model, d: Data, w: Workflow, t: Period) -> Expression:
    return quicksum(
        _per_task(d, w.id, e) * m.serve[w.id, e, t, b] for e in d.endpoints_of[w.id] for b in d.calendar.parts
    )


def _most_gpu_hours(d: Data, w: Workflow, t: Period) -> float:
    return w.demand[t] * max((_per_task(d, w.id, e) for e in d.endpoints_of[w.id]), default=0.0)


def _per_task(d: Data, w: str, source: str) -> float:
    """GPU-hours that one task keeps busy."""
    return d.endpoints[d.behind(source)].gpus / d.pairs[w, source].tasks_per_hour
