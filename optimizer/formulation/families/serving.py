"""Who serves what: endpoint time, demand, funding, launches, promises, quotas."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import ApiLimit, Data, Part, Period, Workflow
from optimizer.formulation.family import Expression, Model, Row, family
from optimizer.formulation.variables import peak_tasks


@family(index="endpoint period part", unit="replica-hour", price="$/replica-hour")
def endpoint_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""Replica-hours used by all workflows stay within the replica-hours there are.

    $$ \sum_{w} \frac{f_w}{\rho_{we} \, \eta_w} \, \mathrm{serve}_{wetb} \le h_{tb} \, A_e \, \mathrm{replicas}_{et} $$

    Price: what one more hour of one replica would earn in that day part.
    """
    for (e, t), replicas in m.replicas.items():
        for b in d.calendar.parts:
            used = quicksum(
                d.workflows[w].peak_factor
                / (d.pairs[w, e].tasks_per_hour * d.workflows[w].headroom)
                * m.serve[w, e, t, b]
                for w in d.workflows_on[e]
                if (w, e, t, b) in m.serve
            )
            yield Row((e, t, b), used, "<=", d.calendar.part_hours[t, b] * d.endpoints[e].availability * replicas)


@family(index="workflow period part", unit="task", price="$/task")
def balance_link(m: Model, d: Data) -> Iterator[Row]:
    r"""What endpoints and APIs serve is what is sold: by day part if interactive, anywhere in the period if batch.

    $$ \sum_{e} \mathrm{serve}_{wetb} + \sum_{a} \mathrm{api}_{watb} = \sigma_{wtb} \sum_{k} \mathrm{tranche}_{wkt} $$

    Price: what one more task of demand in that day part would earn.
    """
    for w in d.workflows.values():
        for t in w.periods:
            if w.serving == "interactive":
                for b in d.calendar.parts:
                    yield Row((w.id, t, b), _served(m, d, w, t, [b]), "==", w.share[t, b] * _sold(m, w, t))
            else:
                yield Row((w.id, t), _served(m, d, w, t, d.calendar.parts), "==", _sold(m, w, t))
            if w.serving == "best_effort":
                for b in d.calendar.parts:
                    yield Row((w.id, t, b), _served(m, d, w, t, [b]), "<=", peak_tasks(w, t, b) * m.fund[w.id, t])


@family(index="workflow period tranche", unit="task", price="$/task")
def funding_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A tranche opens only while its workflow is funded; a job sells each tranche once over its window.

    $$ \mathrm{tranche}_{wkt} \le \omega_{wk} \, D_{wt} \, \mathrm{fund}_{wt} $$

    Price: what a wider tranche would earn per task.
    """
    for w in d.workflows.values():
        for k, band in enumerate(w.tranches):
            for t in w.periods:
                yield Row(
                    (w.id, t, str(k)), m.tranche[w.id, str(k), t], "<=", band.width * w.demand[t] * m.fund[w.id, t]
                )
            if w.job:
                first = w.periods[0]
                total = quicksum(m.tranche[w.id, str(k), t] for t in w.periods)
                yield Row((w.id, first, f"{k} window"), total, "<=", band.width * w.demand[first] * m.fund[w.id, first])


@family(index="workflow period rule", unit="launch", price="$/launch")
def launch_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A workflow is launched in the period in which it becomes funded; what must be kept stays funded.

    $$ \mathrm{launch}_{wt} \ge \mathrm{fund}_{wt} - \mathrm{fund}_{w,t-1} $$

    Price: none is quoted; it is logic.
    """
    for w in d.workflows.values():
        before: Expression = float(w.running)
        for t in w.periods:
            fund, launch = m.fund[w.id, t], m.launch[w.id, t]
            yield Row((w.id, t, "starts"), launch, ">=", fund - before)
            yield Row((w.id, t, "funded"), launch, "<=", fund)
            yield Row((w.id, t, "new"), launch, "<=", 1 - before)
            if t != w.periods[0] and (w.keep or w.job):
                yield Row((w.id, t, "kept"), fund, "==" if w.job else ">=", before)
            before = fund


@family(index="workflow period rule", unit="task", price="$/task")
def service_floor(m: Model, d: Data) -> Iterator[Row]:
    r"""A funded workflow is served at least its promised share; one that must be funded is funded.

    $$ \sum_{k} \mathrm{tranche}_{wkt} \ge \mu_w \, D_{wt} \, \mathrm{fund}_{wt} $$

    Price: what each task promised to the workflow costs.
    """
    for w in d.workflows.values():
        if w.must_fund:
            yield from (Row((w.id, t, "must fund"), m.fund[w.id, t], ">=", 1.0) for t in w.periods)
        if not w.min_service:
            continue
        for t in w.periods[:1] if w.job else w.periods:
            sold = quicksum(_sold(m, w, u) for u in w.periods) if w.job else _sold(m, w, t)
            yield Row((w.id, t), sold, ">=", w.min_service * w.demand[t] * m.fund[w.id, t])


@family(index="workflow period", unit="replica", price="$/replica")
def replica_floor(m: Model, d: Data) -> Iterator[Row]:
    r"""A funded workflow that asks for standing replicas has them, whatever the API serves.

    $$ \sum_{e} \mathrm{replicas}_{et} \ge n_w \, \mathrm{fund}_{wt} $$

    Price: what each replica promised to the workflow costs.
    """
    for w in d.workflows.values():
        if w.min_replicas:
            for t in w.periods:
                standing = quicksum(m.replicas[e, t] for e in d.endpoints_of[w.id])
                yield Row((w.id, t), standing, ">=", w.min_replicas * m.fund[w.id, t])


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


@family(index="api measure period part", unit="token or request", price="$/token or request")
def api_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Calls to an API stay within its quotas by period and its rate limits at the workflows' peaks.

    $$ \sum_{w} q_{wa} \sum_b \mathrm{api}_{watb} \le Q_{at},
       \qquad \sum_{w} f_w \, q_{wa} \, \mathrm{api}_{watb} \le R_a \, h_{tb} $$

    Price: what one more token or request of quota would earn.
    """
    for a, limit in d.api_limits.items():
        for t in d.calendar.periods:
            yield from _quotas(m, d, a, limit, t)


def _quotas(m: Model, d: Data, a: str, limit: ApiLimit, t: Period) -> Iterator[Row]:
    parts = d.calendar.parts
    if limit.tokens is not None:
        yield Row((a, "tokens", t), _calls(m, d, a, t, parts, tokens=True, peak=False), "<=", limit.tokens[t])
    if limit.requests is not None:
        yield Row((a, "requests", t), _calls(m, d, a, t, parts, tokens=False, peak=False), "<=", limit.requests[t])
    for b in parts:
        hours = d.calendar.part_hours[t, b]
        for name, rate in (("token rate", limit.tokens_per_hour), ("request rate", limit.requests_per_hour)):
            if rate is not None:
                called = _calls(m, d, a, t, [b], tokens=name == "token rate", peak=True)
                yield Row((a, name, t, b), called / hours, "<=", rate)


def _calls(
    m: Model, d: Data, a: str, t: Period, parts: tuple[Part, ...] | list[Part], *, tokens: bool, peak: bool
) -> Expression:
    return quicksum(
        (d.workflows[w].peak_factor if peak else 1.0)
        * ((d.api_pairs[w, a].tokens_in + d.api_pairs[w, a].tokens_out) if tokens else 1.0)
        * m.api[w, a, t, b]
        for w in d.workflows_by_api.get(a, ())
        for b in parts
        if (w, a, t, b) in m.api
    )


def _served(m: Model, d: Data, w: Workflow, t: Period, parts: tuple[Part, ...] | list[Part]) -> Expression:
    own = quicksum(m.serve[w.id, e, t, b] for e in d.endpoints_of[w.id] for b in parts)
    return own + quicksum(m.api[w.id, a, t, b] for a in d.apis_of[w.id] for b in parts)


def _sold(m: Model, w: Workflow, t: Period) -> Expression:
    return quicksum(m.tranche[w.id, str(k), t] for k in range(len(w.tranches)))
