"""Market and discipline, recomputed: orders, commitments, concentration, pilots, exploration."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.verify.facts_more import Concentration
from optimizer.verify.fleet import gpus_there
from optimizer.verify.money import api_usd
from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables

MTOK = 1e6


def supply(d: Tables) -> Iterator[Row]:
    """Lots ordered against what the market delivers, offer by offer and quota by quota."""
    for o, offer in d.facts.offers.items():
        for t in d.facts.time.periods:
            yield Row("supply_limit", (o, t), t, d.lots.get((o, t), 0.0), "<=", offer.lots.get(t, 0.0))
        if offer.max_lots is not None:
            first = d.facts.time.periods[0]
            ordered = sum(n for (name, _), n in d.lots.items() if name == o)
            yield Row("supply_limit", (o, first, "in all"), first, ordered, "<=", offer.max_lots)
    for q, amount in d.facts.quotas.items():
        for t, there in amount.items():
            taken = sum(n * d.facts.offers[o].quotas.get(q, 0.0) for (o, u), n in d.lots.items() if u == t)
            yield Row("supply_limit", (q, t, "quota"), t, taken, "<=", there)


def parting(d: Tables) -> Iterator[Row]:
    """GPUs given back against those the pool leased to begin with; GPUs sold against those owned by then."""
    for p, pool in d.facts.pools.items():
        began_leased = any(usd > 0 for usd in pool.lease.values())
        for t in d.facts.time.periods:
            count = pool.count[t]
            back, sold, bought = (_moved(d, p, t, kind) for kind in ("release", "retire", "purchase"))
            yield Row("parting_link", (p, t, "given back"), t, back, "<=", count if began_leased else 0.0)
            yield Row("parting_link", (p, t, "sold"), t, sold, "<=", bought + (0.0 if began_leased else count))


def _moved(d: Tables, p: str, t: str, kind: str) -> float:
    """GPUs of a pool that orders of a kind have brought or taken by a period."""
    return sum(
        lots * abs(offer.brings.get(("gpus", p), 0.0))
        for (o, order), lots in d.lots.items()
        if (offer := d.facts.offers[o]).kind == kind and t in offer.there.get(order, ())
    )


def commitments(d: Tables) -> Iterator[Row]:
    """Spend on an API and the shortfall that is paid reach what was committed."""
    for a, api in d.facts.apis.items():
        for t, committed in api.committed.items():
            paid = api_usd(d, a, t) + d.shortfall.get((a, t), 0.0)
            yield Row("commitment_floor", (a, t), t, paid, ">=", committed)


def concentration(d: Tables) -> Iterator[Row]:
    """Good output tokens that some sites and APIs carry, against their share of all."""
    for name, each in d.facts.concentrations.items():
        for t, share in each.share.items():
            carried, total = _mtok(d, each, t)
            yield Row("concentration_limit", (name, t), t, carried, "<=", share * total)


def _mtok(d: Tables, each: Concentration, t: str) -> tuple[float, float]:
    """Million good output tokens of the workflows that count, as their owner counts them: of the sources named, of all.

    A task counts the same wherever it is served, however many tokens a model or a retry spends on it.
    """
    carried = total = 0.0
    for w, work in d.facts.workflows.items():
        for source, tasks in d.handled(w, t) if each.workflows is None or w in each.workflows else ():
            mtok = tasks * d.outcome(w, source).good * work.tokens("default")[1] / MTOK
            total += mtok
            carried += mtok if d.site(source) in each.sites or d.behind(source) in each.apis else 0.0
    return carried, total


def proof(d: Tables) -> Iterator[Row]:
    """A pilot serves no more than its share before it is proven."""
    for w, work in d.facts.workflows.items():
        for t in work.periods if work.needs.pilot else ():
            share = 1.0 if d.proven(w, t) or not work.needs.pilot else work.needs.pilot.share
            yield Row("proof_floor", (w, t, "scale"), t, d.sold(w, t), "<=", share * work.demand[t], work.demand[t])


def exploration(d: Tables) -> Iterator[Row]:
    """GPU-hours at work for workflows not yet proven, against their share of those owned."""
    for t, share in d.facts.exploration.items():
        used = sum(_gpu_hours(d, w, t) for w in d.facts.workflows if not d.proven(w, t))
        owned = sum(gpus_there(d, p, t) for p in d.facts.pools) * d.facts.time.hours[t]
        yield Row("exploration_limit", (t,), t, used, "<=", share * owned)


def _gpu_hours(d: Tables, w: str, t: str) -> float:
    return sum(
        d.gpus(d.behind(source)) * tasks / speed.tasks_per_hour
        for source, tasks in d.handled(w, t)
        if d.behind(source) in d.endpoints and (speed := d.speed(w, source))
    )
