"""Agreed families, recomputed: demand, funding, launches, floors, quotas, budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from optimizer.verify.facts import Workflow
from optimizer.verify.facts_more import ByPeriod
from optimizer.verify.money import cash
from optimizer.verify.power import span
from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables, Work

Calls = Mapping[tuple[str, str, str], Work]


def demand(d: Tables) -> Iterator[Row]:
    """Interactive work is served in the shares it arrives in; best-effort work never beyond them."""
    for w, work in d.facts.workflows.items():
        for t in d.facts.time.periods:
            sold = d.sold(w, t)
            for b in d.facts.time.parts if work.serving != "batch" else ():
                served, scale = d.totals.get((w, t, b), 0.0), work.demand[t]
                if work.serving == "interactive":
                    yield Row("balance_link", (w, t, b), t, served, "==", work.share[b] * sold, scale)
                else:
                    yield Row("balance_link", (w, t, b), t, served, "<=", work.share[b] * scale, scale)


def funding(d: Tables) -> Iterator[Row]:
    """Nothing is served unfunded, nothing beyond demand; a job sells its total once over its window."""
    for w, work in d.facts.workflows.items():
        for t in d.facts.time.periods:
            most = work.demand[t] * d.funded.get((w, t), 0.0)
            yield Row("funding_link", (w, t), t, d.sold(w, t), "<=", most, work.demand[t])
            if not work.demand[t]:
                yield Row("funding_link", (w, t), t, d.funded.get((w, t), 0.0), "<=", 0.0, text="no demand")
        if work.job and work.periods:
            first = work.periods[0]
            total = sum(d.sold(w, t) for t in work.periods)
            yield Row("funding_link", (w, first), first, total, "<=", work.demand[first], text="whole window")


def launches(d: Tables) -> Iterator[Row]:
    """A workflow is launched once, when its funding first starts; one to be kept does not stop."""
    for w, work in d.facts.workflows.items():
        begun = float(work.running)
        for t in work.periods:
            fund, launch = d.funded.get((w, t), 0.0), d.launched.get((w, t), 0.0)
            yield Row("launch_link", (w, t), t, launch, "==", max(0.0, fund - begun))
            begun = max(begun, fund)
        for t in set(d.facts.time.periods) - set(work.periods):
            yield Row("launch_link", (w, t), t, d.launched.get((w, t), 0.0), "<=", 0.0, text="no demand")
        yield from _kept(d, w, work)


def _kept(d: Tables, w: str, work: Workflow) -> Iterator[Row]:
    before = 0.0  # what runs may be stopped at once
    for t in work.periods if work.keep else ():
        now = d.funded.get((w, t), 0.0)
        yield Row("launch_link", (w, t), t, now, ">=", before, text="kept once launched")
        before = now


def service_floor(d: Tables) -> Iterator[Row]:
    """What must be funded is; what is funded is served the share it was promised, a job over its window."""
    for w, work in d.facts.workflows.items():
        for t in work.periods:
            fund = d.funded.get((w, t), 0.0)
            if work.must_fund and not work.job:
                yield Row("service_floor", (w, t, "must fund"), t, fund, ">=", 1.0)
            if work.min_service:
                sold = sum(d.sold(w, u) for u in (work.periods if work.job else (t,)))
                least = work.min_service * work.demand[t] * fund
                yield Row("service_floor", (w, t), t, sold, ">=", least, work.demand[t])
        if work.must_fund and work.job and work.periods:
            ever = sum(d.funded.get((w, t), 0.0) for t in work.periods)
            yield Row("service_floor", (w, work.periods[0], "must fund"), work.periods[0], ever, ">=", 1.0)


def replica_floor(d: Tables) -> Iterator[Row]:
    """A funded workflow has the standing replicas it was promised."""
    for w, work in d.facts.workflows.items():
        for t in work.periods if work.min_replicas else ():
            standing = sum(n for (e, u), n in d.replicas.items() if u == t and d.deployment(e).serves(w))
            least = work.min_replicas * d.funded.get((w, t), 0.0)
            yield Row("replica_floor", (w, t), t, standing, ">=", least)


def launch_limit(d: Tables) -> Iterator[Row]:
    """Launches of a period against what the organisation can start."""
    return _at_once("launch_limit", d.facts.launches, d.launched)


def portfolio_limit(d: Tables) -> Iterator[Row]:
    """Workflows funded at once against what the portfolio admits."""
    return _at_once("portfolio_limit", d.facts.portfolio, d.funded)


def _at_once(family: str, limit: ByPeriod, marks: Mapping[tuple[str, str], float]) -> Iterator[Row]:
    for t, most in limit.items():
        yield Row(family, (t,), t, sum(n for (_, u), n in marks.items() if u == t), "<=", most)


def quotas(d: Tables) -> Iterator[Row]:
    """Calls and tokens against each API's quotas by period and its rates at the peak."""
    return quota_rows(d, d.at_api)


def quota_rows(d: Tables, calls: Calls) -> Iterator[Row]:
    """The same for any calls, such as those after a loss."""
    parts = d.facts.time.parts
    for a, api in d.facts.apis.items():
        for t in d.facts.time.periods:
            for name, quota in (("tokens", api.tokens), ("requests", api.requests)):
                if quota is not None:
                    used = sum(_calls(d, calls.get((a, t, b), {}), name == "tokens", peak=False) for b in parts)
                    yield Row("api_limit", (a, name, t), t, used, "<=", quota[t])
            for name, rate in (("token rate", api.tokens_per_hour), ("request rate", api.requests_per_hour)):
                for b in parts if rate is not None else ():
                    used = _calls(d, calls.get((a, t, b), {}), name == "token rate", peak=True)
                    most = (rate or 0.0) * d.facts.time.part_hours[t, b]
                    yield Row("api_limit", (a, name, t, b), t, used, "<=", most)


def _calls(d: Tables, calls: Work, tokens: bool, *, peak: bool) -> float:
    """Tokens or requests of some tasks, every attempt counted."""
    return sum(
        n
        * d.outcome(w, source).attempts
        * (sum(d.tokens(w, source)) if tokens else 1.0)
        * (d.facts.workflows[w].peak_factor if peak else 1.0)
        for (w, source), n in calls.items()
    )


def budgets(d: Tables) -> Iterator[Row]:
    """Cash of the terms a budget covers, against the budget."""
    flows = cash(d)
    for name, budget in d.facts.budgets.items():
        for group, amount in budget.amount.items():
            spent = -sum(flows[term].get(t, 0.0) for term in budget.terms for t in group)
            yield Row("spend_limit", (name, span(group)), group[0], spent, "<=", amount)
