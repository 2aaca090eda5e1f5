"""What is bought: quotas, commitments and shares of APIs; lots of hardware that the market delivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyomo.environ import quicksum

from optimizer.formulation.data import ApiLimit, ApiPair, Concentration, Data, Part, Period
from optimizer.formulation.family import Expression, Key, Model, Row, family


@family(index="api measure period part", unit="token or request", price="$/token or request")
def api_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Calls to an API stay within its quotas by period and its rate limits at the workflows' peaks.

    $$ \sum_{w} q_{wa} \sum_b \mathrm{api}_{watb} \le Q_{at},
       \qquad \sum_{w} f_w \, q_{wa} \, \mathrm{api}_{watb} \le R_a \, h_{tb} $$

    Price: what one more token or request of quota would earn.
    """
    for a, limit in d.api_limits.items():
        for t in d.calendar.periods:
            yield from quotas(m.api, d, a, limit, t)


@family(index="api period", unit="$", price="$/$")
def commitment_floor(m: Model, d: Data) -> Iterator[Row]:
    r"""Spend on an API reaches what was committed, or the shortfall is paid.

    $$ \sum_{w,b} c_{wat} \, \mathrm{api}_{watb} + \mathrm{shortfall}_{at} \ge C_{at} $$

    Price: what each committed dollar costs.
    """
    for c in d.commitments:
        for t, usd in c.usd.items():
            spent = quicksum(
                d.api_pairs[w, source].usd_per_task[t] * m.api[w, source, t, b]
                for w, source in d.calls_to.get(c.api, ())
                for b in d.calendar.parts
                if (w, source, t, b) in m.api
            )
            yield Row((c.api, t), spent + m.shortfall[c.api, t], ">=", usd)


@family(index="scope period", unit="million tokens", price="$/million tokens")
def concentration_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""No site, vendor or API carries more than its share of the good output tokens.

    $$ \sum_{w,\, s \in S} o_{ws} \, x_{wst} \le \theta_t \sum_{w,s} o_{ws} \, x_{wst} $$

    Price: what one more million tokens there would earn.
    """
    for c in d.concentrations:
        for t, share in c.share.items():
            yield Row((c.id, t), _mtok(m, d, c, t, within=True), "<=", share * _mtok(m, d, c, t, within=False))


@family(index="pool period rule", unit="GPU", price="$/GPU")
def parting_link(m: Model, d: Data) -> Iterator[Row]:
    r"""Only GPUs whose lease the pool began with are given back, and only owned ones are sold.

    $$ \sum_{o \in \mathrm{release}} n_o \sum_{u} \mathrm{buy}_{ou} \le L_{pt}, \qquad
       \sum_{o \in \mathrm{retire}} n_o \sum_{u} \mathrm{buy}_{ou}
       \le O_{pt} + \sum_{o \in \mathrm{purchase}} n_o \sum_{u} \mathrm{buy}_{ou} $$

    Price: none is quoted; it is logic.
    """
    for p, pool in d.pools.items():
        leased = any(pool.lease_usd_per_gpu_hour.values())
        for t in d.calendar.periods:
            arrived = {kind: _arrived(m, d, p, t, kind) for kind in ("purchase", "release", "retire")}
            if arrived["release"] is not None:
                yield Row((p, t, "given back"), -arrived["release"], "<=", pool.count[t] if leased else 0.0)
            if arrived["retire"] is not None:
                owned = (0.0 if leased else pool.count[t]) + (arrived["purchase"] or 0.0)
                yield Row((p, t, "sold"), -arrived["retire"], "<=", owned)


def _arrived(m: Model, d: Data, p: str, t: Period, kind: str) -> Expression | None:
    """GPUs that orders of a kind have brought to a pool by then, or taken away; None where there can be none."""
    found = [
        amount * m.buy[o, order] for o, order, amount in d.arrivals.get(("gpus", p, t), ()) if d.offers[o].kind == kind
    ]
    return quicksum(found) if found else None


@family(index="offer period rule", unit="lot", price="$/lot")
def supply_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Orders stay within the lots that the market delivers, and within what it has of HBM and packaging.

    $$ \mathrm{buy}_{ot} \le S_{ot}, \qquad \sum_t \mathrm{buy}_{ot} \le \bar S_o, \qquad
       \sum_o q_{oh} \, \mathrm{buy}_{ot} \le Q_{ht} $$

    Price: what one more lot (or unit of the quota) would earn.
    """
    for o in d.offers.values():
        for t, lots in o.lots.items():
            yield Row((o.id, t), m.buy[o.id, t], "<=", float(lots))
        if o.max_lots is not None and o.lots:
            ordered = quicksum(m.buy[o.id, t] for t in o.lots)
            yield Row((o.id, next(iter(o.lots)), "in all"), ordered, "<=", float(o.max_lots))
    for q in d.quotas:
        for t, amount in q.amount.items():
            taken = quicksum(
                o.quotas[q.id] * m.buy[o.id, t] for o in d.offers.values() if q.id in o.quotas and t in o.lots
            )
            yield Row((q.id, t, "quota"), taken, "<=", amount)


def quotas(calls: Mapping[Key, Expression], d: Data, a: str, limit: ApiLimit, t: Period) -> Iterator[Row]:
    """Rows of one API's quotas and rates, for the calls made in normal operation or after a loss."""
    parts = d.calendar.parts
    if limit.tokens is not None:
        yield Row((a, "tokens", t), _calls(calls, d, a, t, parts, tokens=True, peak=False), "<=", limit.tokens[t])
    if limit.requests is not None:
        yield Row((a, "requests", t), _calls(calls, d, a, t, parts, tokens=False, peak=False), "<=", limit.requests[t])
    for b in parts:
        hours = d.calendar.part_hours[t, b]
        for name, rate in (("token rate", limit.tokens_per_hour), ("request rate", limit.requests_per_hour)):
            if rate is not None:
                called = _calls(calls, d, a, t, [b], tokens=name == "token rate", peak=True)
                yield Row((a, name, t, b), called / hours, "<=", rate)


def _calls(
    calls: Mapping[Key, Expression],
    d: Data,
    a: str,
    t: Period,
    parts: Sequence[Part],
    *,
    tokens: bool,
    peak: bool,
) -> Expression:
    return quicksum(
        (d.workflows[w].peak_factor if peak else 1.0)
        * (_tokens(d.api_pairs[w, source]) if tokens else d.api_pairs[w, source].requests)
        * calls[w, source, t, b]
        for w, source in d.calls_to.get(a, ())
        for b in parts
        if (w, source, t, b) in calls
    )


def _tokens(pair: ApiPair) -> float:
    return pair.tokens_in + pair.tokens_out


def _mtok(m: Model, d: Data, c: Concentration, t: Period, *, within: bool) -> Expression:
    def counted(w: str, source: str) -> bool:
        return (not c.workflows or w in c.workflows) and (not within or d.behind(source) in c.sources)

    own = quicksum(
        d.pairs[w, e].good_mtok * m.serve[w, e, t, b]
        for w, e in d.pairs
        if counted(w, e) and t in d.workflows[w].periods
        for b in d.calendar.parts
    )
    return own + quicksum(
        pair.good_mtok * m.api[w, a, t, b]
        for (w, a), pair in d.api_pairs.items()
        if counted(w, a) and t in d.workflows[w].periods
        for b in d.calendar.parts
    )
