"""The tables of a plan that list choices: orders, tools, bundles, retraining, rescue, moves, and what changes."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.formulation.data import Data, Offer, Period
from optimizer.plan.plan import Row
from optimizer.plan.use import NOTHING, Use

WORDS = {"purchase": "buy"}  # offers whose decision has another name; the rest are named after themselves


def decisions(use: Use) -> Iterator[Row]:
    """What has to be ordered, adopted or started, in whole lots; `usd` is what that costs over the horizon, in cash."""
    d = use.data
    for (o, order), lots in use.lots.items():
        offer = d.offers[o]
        kind = WORDS.get(offer.kind, offer.kind)
        yield {"kind": kind, "name": o, "period": order, "amount": lots, "usd": lots * price(offer, order)}
    for j, t in _chosen(use, "start"):
        yield {"kind": "adopt", "name": j, "period": t, "amount": 1, "usd": d.tools[j].adopt_usd}
    for w, t in _chosen(use, "launch"):
        usd = d.workflows[w].launch_usd[Period(t)]
        yield {"kind": "launch", "name": w, "period": t, "amount": 1, "usd": usd}


def price(offer: Offer, order: str) -> float:
    """What one lot ordered in a period costs over the horizon, in cash; negative if it brings money in."""
    return -sum(flow.cash for flow in offer.flows if flow.order == order)


def outlay(offer: Offer, order: str) -> float:
    """What is paid for one lot ordered in a period, over the horizon, in cash; resale and residual not taken off."""
    return -sum(min(flow.cash, 0.0) for flow in offer.flows if flow.order == order)


def depreciation(use: Use) -> Iterator[Row]:
    """What was bought, on the books: `usd` lost in a period, `book_usd` left at its end, of all lots of an order.

    Null where the offer states neither a share a year nor a life nor a residual value. In no sum of the plan.
    """
    for (o, order), lots in use.lots.items():
        books = use.data.offers[o].books
        if books is None:
            continue
        for line in books.lines:
            if line.order == order:
                usd, left = (None if each is None else lots * each for each in (line.depreciation, line.worth))
                key = {"offer": o, "order": order, "period": line.period, "lots": lots}
                yield {**key, "method": books.method, "usd": usd, "book_usd": left}


def tools(use: Use) -> Iterator[Row]:
    """Periods in which a tool is adopted; `usd` is its licence, staff and adoption in the period."""
    for j, t in _chosen(use, "adopt"):
        yield {"tool": j, "period": t, "adopted": 1, "usd": tool_usd(use, j, t)}


def tool_usd(use: Use, j: str, t: str) -> float:
    """Licence, staff and adoption of a tool in a period, as the plan decides."""
    tool, at = use.data.tools[j], Period(t)
    staff = sum(use.data.skills[k].usd_per_hour[at] * hours for k, hours in tool.hours.items())
    return (tool.usd[at] + staff) * use.of("adopt", j, t) + tool.adopt_usd * use.of("start", j, t)


def bundles(use: Use) -> Iterator[Row]:
    """The bundle that each workflow takes."""
    for w, bundle, t in _chosen(use, "choose"):
        yield {"workflow": w, "period": t, "bundle": bundle, "chosen": 1}


def hosting(use: Use) -> Iterator[Row]:
    """Sites that store the weights of an AI model."""
    for model, site, t in _chosen(use, "hosted"):
        yield {"model": model, "site": site, "period": t, "hosted": 1}


def retraining(use: Use) -> Iterator[Row]:
    """GPU-hours of each pool, on its own GPUs, that retrain a workflow."""
    for (w, p, t), hours in use.values.get("retrain", {}).items():
        if hours > NOTHING:
            yield {"workflow": w, "pool": p, "period": t, "gpu_hours": hours}


def rescue(use: Use) -> Iterator[Row]:
    """After each loss, the tasks that what is left takes over or goes on with."""
    for (w, source, t, b, loss), tasks in use.values.get("rescue", {}).items():
        if tasks > NOTHING:
            yield {"loss": loss, "workflow": w, "source": source, "period": t, "day_part": b, "rescued": tasks}


def moves(use: Use) -> Iterator[Row]:
    """Replicas brought up and taken down where that costs or is capped."""
    for e, t in use.values.get("up", {}):
        up, down = use.of("up", e, t), use.of("down", e, t)
        if max(up, down) > NOTHING:
            yield {"endpoint": e, "period": t, "up": up, "down": down}


def commitments(use: Use) -> Iterator[Row]:
    """Committed spend on APIs, and the part that was not used and is paid all the same."""
    for each in use.data.commitments:
        for t, usd in each.usd.items():
            yield {"api": each.api, "period": t, "usd": usd, "shortfall": use.of("shortfall", each.api, t)}


def changes(use: Use) -> Iterator[Row]:
    """Churn: replicas up and down, workflows entered and left, against the period before.

    The first period is held against the previous plan: replicas where it names the endpoint, funding where a
    workflow was running.
    """
    for e in use.data.endpoints.values():
        now = [use.standing.get((e.id, t), 0) for t in use.data.calendar.periods]
        yield from _churn(use.data, "replicas", e.id, e.before, now)
    for w in use.data.workflows.values():
        funded = [round(use.of("fund", w.id, t)) for t in use.data.calendar.periods]
        yield from _churn(use.data, "funded", w.id, int(w.running), funded)


def _churn(d: Data, kind: str, name: str, before: int | None, figures: list[int]) -> Iterator[Row]:
    against = "previous plan"
    for t, now in zip(d.calendar.periods, figures, strict=True):
        if before is not None and now != before:
            up, down = max(now - before, 0), max(before - now, 0)
            yield {"kind": kind, "name": name, "period": t, "against": against, "before": before, "now": now,
                   "up": up, "down": down}  # fmt: skip
        before, against = now, "period before"


def _chosen(use: Use, variable: str) -> Iterator[tuple[str, ...]]:
    return (key for key, value in use.values.get(variable, {}).items() if value > 0.5)
