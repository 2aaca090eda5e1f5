"""What is still served after a loss, recomputed: what survives takes the work over within its limits."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.verify.facts_more import Loss
from optimizer.verify.fleet import kept_hours, up_hours
from optimizer.verify.power import energised_kw, idle_kw, load_kwh
from optimizer.verify.promises import quota_rows
from optimizer.verify.rows import Row
from optimizer.verify.tables import Served, Tables

FAMILY = "resilience_floor"


def floor(d: Tables) -> Iterator[Row]:
    """For each loss: the share of each workflow that survives, and the limits of what takes it over."""
    for name, loss in d.facts.losses.items():
        if not loss.recourse:
            yield from _capped(d, name, loss)
            continue
        rescued = {key[1:]: tasks for key, tasks in d.rescued.items() if key[0] == name}
        yield from _promised(d, name, loss, rescued)
        yield from _survives(d, name, loss, rescued)
        yield from _hours(d, name, rescued)
        yield from _power(d, name, loss, rescued)
        yield from _quotas(d, name, rescued)


def _lost(d: Tables, loss: Loss, source: str) -> bool:
    return d.site(source) in loss.sites or d.behind(source) in loss.apis


def _capped(d: Tables, name: str, loss: Loss) -> Iterator[Row]:
    for w, share in loss.shares.items():
        for t in d.facts.workflows[w].periods:
            left = sum(tasks for source, tasks in d.handled(w, t) if not _lost(d, loss, source))
            yield Row(FAMILY, (name, w, t), t, left, ">=", share * d.sold(w, t), d.facts.workflows[w].demand[t])


def _promised(d: Tables, name: str, loss: Loss, rescued: Served) -> Iterator[Row]:
    parts = d.facts.time.parts
    for w, share in loss.shares.items():
        work = d.facts.workflows[w]
        for t in work.periods:
            for span in [parts] if work.serving == "batch" else [(b,) for b in parts]:
                left = sum(n for (v, _, u, b), n in rescued.items() if (v, u) == (w, t) and b in span)
                served = sum(d.totals.get((w, t, b), 0.0) for b in span)
                key = (name, w, t) if len(span) == len(parts) else (name, w, t, *span)
                yield Row(FAMILY, key, t, left, ">=", share * served, work.demand[t])


def _survives(d: Tables, name: str, loss: Loss, rescued: Served) -> Iterator[Row]:
    for (w, source, t, b), tasks in rescued.items():
        if _lost(d, loss, source):
            yield Row(FAMILY, (name, source, t, b), t, tasks, "<=", 0.0, text=f"{w} rescued by what is lost")


def _hours(d: Tables, name: str, rescued: Served) -> Iterator[Row]:
    for (e, t, b), tasks in d.by_place(rescued, lambda place: place in d.endpoints).items():
        yield Row(FAMILY, (name, e, t, b), t, kept_hours(d, tasks), "<=", up_hours(d, e, t, b), text="replica-hours")


def _power(d: Tables, name: str, loss: Loss, rescued: Served) -> Iterator[Row]:
    """Draw of a surviving site under the rescued work; counted by nameplate it does not change."""
    peaks = {w: work.peak_factor for w, work in d.facts.workflows.items()}
    work = d.by_place(rescued, lambda place: place in d.endpoints)
    for s, site in d.facts.sites.items():
        if site.power_kw is None or site.nameplate or s in loss.sites:
            continue
        ends = [e for p in d.pools_at[s] for e in d.at_pool[p]]
        for (t, b), hours in d.facts.time.part_hours.items() if ends else ():
            load = sum(load_kwh(d, e, work.get((e, t, b), {}), peaks) for e in ends) / hours
            draw = site.pue * (load + idle_kw(d, s, t))
            yield Row(FAMILY, (name, s, t, b), t, draw, "<=", energised_kw(d, s, t, b), text="kW")


def _quotas(d: Tables, name: str, rescued: Served) -> Iterator[Row]:
    calls = d.by_place(rescued, lambda place: place not in d.endpoints)
    for row in quota_rows(d, calls):
        yield Row(FAMILY, (name, *row.key), row.period, row.value, row.sense, row.limit, text="quota")
