"""Who serves what: endpoint time, demand, funding, launches, promises."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Period, Workflow
from optimizer.formulation.family import Expression, Model, Row, family
from optimizer.formulation.load import served, sold
from optimizer.formulation.sums import weighted
from optimizer.formulation.variables import peak_tasks


@family(index="endpoint period part", unit="replica-hour", price="$/replica-hour")
def endpoint_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""Replica-hours used by all workflows stay within the replica-hours there are.

    $$ \sum_{w} \frac{f_w}{\rho_{we} \, \eta_w} \, \mathrm{serve}_{wetb} \le h_{tb} \, A_e \, \mathrm{replicas}_{et} $$

    Price: what one more hour of one replica would earn in that day part.
    """
    for (e, t), replicas in m.replicas.items():
        for b in d.calendar.parts:
            used = weighted(
                (w.peak_factor / (pair.tasks_per_hour * w.headroom), m.serve[w.id, source, t, b])
                for w, source, pair in d.work_in[e, t]
            )
            yield Row((e, t, b), used, "<=", d.calendar.part_hours[t, b] * d.endpoints[e].availability * replicas)


@family(index="workflow period part", unit="task", price="$/task")
def balance_link(m: Model, d: Data) -> Iterator[Row]:
    r"""What endpoints and APIs handle is what is sold: by day part if interactive, anywhere in the period if batch.

    Where sources differ in their yield of good output, each yield is balanced apart over the period.

    $$ \sum_{e} \mathrm{serve}_{wetb} + \sum_{a} \mathrm{api}_{watb} = \sigma_{wtb} \sum_{k} \mathrm{tranche}_{wkt} $$

    Price: what one more task of demand in that day part would earn.
    """
    for w in d.workflows.values():
        for t in w.periods if w.tranches else ():
            if w.serving == "interactive":
                for b in d.calendar.parts:
                    yield Row((w.id, t, b), served(m, d, w, t, [b]), "==", w.share[t, b] * sold(m, d, w, t))
            else:
                yield Row((w.id, t), served(m, d, w, t, d.calendar.parts), "==", sold(m, d, w, t))
            if w.serving == "best_effort":
                for b in d.calendar.parts:
                    yield Row((w.id, t, b), served(m, d, w, t, [b]), "<=", peak_tasks(w, t, b) * m.fund[w.id, t])
            if len(d.yields_of[w.id]) > 1:
                yield from _by_yield(m, d, w, t)


@family(index="workflow period tranche", unit="task", price="$/task")
def funding_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A tranche opens only while its workflow is funded; a job sells each tranche once over its window.

    $$ \mathrm{tranche}_{wkt} \le \omega_{wk} \, D_{wt} \, \mathrm{fund}_{wt} $$

    Price: what a wider tranche would earn per task.
    """
    for w in d.workflows.values():
        for k, tranche in enumerate(w.tranches):
            for t in w.periods:
                yield Row(
                    (w.id, t, str(k)), _tranche(m, d, w, k, t), "<=", tranche.width * w.demand[t] * m.fund[w.id, t]
                )
            if w.job:
                first = w.periods[0]
                total = quicksum(_tranche(m, d, w, k, t) for t in w.periods)
                yield Row((w.id, first, f"{k} window"), total, "<=", tranche.width * w.demand[first])


@family(index="workflow period rule", unit="launch", price="$/launch")
def launch_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A workflow is launched once, in the first period in which it is funded; what must be kept stays funded.

    $$ \mathrm{fund}_{wt} \le \sum_{u \le t} \mathrm{launch}_{wu} \le 1, \qquad
       \mathrm{launch}_{wt} \le \mathrm{fund}_{wt} $$

    Price: none is quoted; it is logic.
    """
    for w in d.workflows.values():
        before: Expression = float(w.running)
        for i, t in enumerate(w.periods):
            fund, launch = m.fund[w.id, t], m.launch[w.id, t]
            so_far = float(w.running) + quicksum(m.launch[w.id, u] for u in w.periods[: i + 1])
            yield Row((w.id, t, "starts"), fund, "<=", so_far)
            yield Row((w.id, t, "funded"), launch, "<=", fund)
            if w.keep and i:
                yield Row((w.id, t, "kept"), fund, ">=", before)
            before = fund
        if w.periods:
            all_launches = quicksum(m.launch[w.id, t] for t in w.periods)
            yield Row((w.id, w.periods[0], "once"), all_launches, "<=", 1.0 - float(w.running))


@family(index="workflow period rule", unit="task", price="$/task")
def service_floor(m: Model, d: Data) -> Iterator[Row]:
    r"""A funded workflow is served at least its promised share; one that must be funded is funded.

    $$ \sum_{k} \mathrm{tranche}_{wkt} \ge \mu_w \, D_{wt} \, \mathrm{fund}_{wt} $$

    Price: what each task promised to the workflow costs.
    """
    for w in d.workflows.values():
        if w.must_fund:
            yield from (Row((w.id, t, "must fund"), fund, ">=", 1.0) for t, fund in _due(m, w))
        for t in w.periods if w.min_service else ():
            handled = quicksum(sold(m, d, w, u) for u in w.periods) if w.job else sold(m, d, w, t)
            yield Row((w.id, t), handled, ">=", w.min_service * w.demand[t] * m.fund[w.id, t])


@family(index="workflow period", unit="replica", price="$/replica")
def replica_floor(m: Model, d: Data) -> Iterator[Row]:
    r"""A funded workflow that asks for standing replicas has them, whatever the API serves.

    $$ \sum_{e} \mathrm{replicas}_{et} \ge n_w \, \mathrm{fund}_{wt} $$

    Price: what each replica promised to the workflow costs.
    """
    for w in d.workflows.values():
        if w.min_replicas:
            for t in w.periods:
                standing = quicksum(m.replicas[e, t] for e in {d.behind(e): None for e in d.endpoints_of[w.id]})
                yield Row((w.id, t), standing, ">=", w.min_replicas * m.fund[w.id, t])


def _due(m: Model, w: Workflow) -> Iterator[tuple[Period, Expression]]:
    """What must be funded, by period; a job in any one of its window."""
    if w.job:
        yield from ((t, quicksum(m.fund[w.id, u] for u in w.periods)) for t in w.periods[:1])
    else:
        yield from ((t, m.fund[w.id, t]) for t in w.periods)


def _by_yield(m: Model, d: Data, w: Workflow, t: Period) -> Iterator[Row]:
    for good in d.yields_of[w.id]:
        ends = [e for e in d.endpoints_of[w.id] if d.pairs[w.id, e].good == good]
        apis = [a for a in d.apis_of[w.id] if d.api_pairs[w.id, a].good == good]
        own = quicksum(m.serve[w.id, e, t, b] for e in ends for b in d.calendar.parts)
        bought = quicksum(m.api[w.id, a, t, b] for a in apis for b in d.calendar.parts)
        bands = quicksum(m.tranche[w.id, band.key, t] for band in d.bands_of[w.id] if band.good == good)
        yield Row((w.id, t, f"yield {good:g}"), own + bought, "==", bands)


def _tranche(m: Model, d: Data, w: Workflow, k: int, t: Period) -> Expression:
    return quicksum(m.tranche[w.id, band.key, t] for band in d.bands_of[w.id] if band.tranche == k)
