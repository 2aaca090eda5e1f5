"""An explanation on a terminal: what limits us, what it is worth to fix, who is next in line; then the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from rich.console import Console

from optimizer.plan.figures import listed, money, named, percent, spans
from optimizer.report.answer import Line
from optimizer.report.explained_grids import explained_grids, interval, low
from optimizer.report.text import STYLES, paragraph, table

Row = dict[str, Any]
Document = Mapping[str, Any]
SHOWN = 5
ROUNDING = 1e-9  # of the objective: a smaller gap is none


def show_explanation(document: Document, to: Console) -> None:
    """Print the whole explanation for a person."""
    for style, text in sentences(document):
        paragraph(text, to, STYLES[style], item=style == "item")
    for grid in explained_grids(document):
        if grid.rows:
            table(grid, to)
    to.print()
    paragraph(_footer(document), to, "dim")


def sentences(document: Document) -> Iterator[Line]:
    """The first screen."""
    yield "title", document["name"]
    if document["conflict"]:
        yield from _conflict(document["conflict"], document["currency"])
        if document["status"] == "interrupted":
            yield "fair", "Interrupted: what was not looked at by then is missing."
        return
    if "base" not in document:
        yield "bad", f"There is nothing to explain: the solve ended {document['status']} without a plan."
        return
    currency = document["currency"]
    low, high = document["base"]["usd"]
    yield "title", f"The plan earns {money(low, currency, 5)}; no plan earns more than {money(high, currency, 5)}."
    yield from _limits(document)
    yield from _next(document)
    yield from _bundles(document)
    yield from _policies(document)
    yield from _ties(document)
    if document["partial"]:
        yield "fair", _partial(document)
    for name, error in document["failed"].items():
        yield "bad", f"The solver failed on a question ({name}): {error}. Another --seed takes another way."


def _partial(document: Document) -> str:
    left, asked = len(document["skipped"]), document["questions"]
    if document["status"] == "interrupted":
        return f"Interrupted: {asked} questions were answered, {left} were not."
    return f"Partial: {asked} questions were answered, {left} were not in {document['explain_time']:g} s."


def _limits(document: Document) -> Iterator[Line]:
    currency, order = document["currency"], document["periods"]
    scarce = [row for row in document["limits"] if _surely(_average(row))]
    if scarce:
        yield "fair", "What limits us, and what one lot more is worth over the horizon (present value):"
        for row in scarce[:SHOWN]:
            cost = f"; it costs {money(row['usd_per_lot'], currency)}" if row["usd_per_lot"] is not None else ""
            cost += f" ({row['decides']} decides)" if row["decides"] else ""
            when = spans([t for t in row["periods"] if t], order)
            full = f" (full in {when})" if when else ""
            yield "item", f"{row['owner']}: {_earns(row, currency)}{cost}{full}."
        yield from _alone(document)
    elif document["limits"]:
        gap = _gap(document)
        closed = gap <= ROUNDING * max(1.0, abs(document["base"]["usd"][0]))
        least = "anything" if closed else f"more than the {money(gap, currency)} between plan and proof"
        yield "fair", f"One lot more of no single limit, in all periods, is shown to earn {least}:"
        for row in [row for row in document["limits"] if row["one_more_usd"]][:SHOWN]:
            yield "item", f"{row['owner']}: {row['lot']} earns {_upto(row['one_more_usd'], currency)}."
        yield from _alone(document)
    else:
        yield "good", "Nothing is full: no limit holds the plan back."


def _alone(document: Document) -> Iterator[Line]:
    """Rows where a lot earns in their own period, of owners whose lots earn nothing over all of them."""
    scarce = {row["owner"] for row in document["limits"] if _surely(_average(row))}
    rows = [row for row in document["constraints"] if row["class"] == "scarce" and row["owner"] not in scarce]
    said: dict[str, Row] = {f"{row['owner'] or named(row)} {row['period']}": row for row in rows}
    for row in list(said.values())[:SHOWN]:
        when = f" in {row['period']} alone" if row["period"] else ""
        earned = interval(row["one_more_usd"], document["currency"])
        yield "item", f"{row['owner'] or named(row)}: {row['lot']} more{when} earns {earned}."


def _average(row: Row) -> list[float | None] | None:
    best = row["average_incremental_price"]
    ends: list[float | None] | None = best["usd"] if best else None
    return ends


def _earns(row: Row, currency: str) -> str:
    """One lot, or where only several surely earn, each of those."""
    more = "" if row["promise"] else " more"
    if _surely(row["one_more_usd"]):
        return f"{row['lot']}{more} earns {interval(row['one_more_usd'], currency)}"
    k = row["average_incremental_price"]["k"]
    return f"{k} x {row['lot']}{more} earn {interval(_average(row), currency)} each"


def _upto(ends: list[float | None], currency: str) -> str:
    return "something that is not bounded" if ends[1] is None else f"no more than {money(ends[1], currency)}"


def _gap(document: Document) -> float:
    ends = document["base"]["usd"]
    return float(ends[1] - ends[0])


def _next(document: Document) -> Iterator[Line]:
    currency = document["currency"]
    waiting = [row for row in document["workflows"] if row["verdict"] == "none"]
    near = sorted((row for row in waiting if row.get("break_even_factor")), key=_at_most)
    lines = [*_near(near, currency), *_more(document), *_out(document["workflows"])]
    if lines:
        yield "fair", "Who is next in line, and at what price:"
        yield from (("item", line) for line in lines)


def _at_most(row: Row) -> float:
    """The factor on its value at which a workflow is surely funded."""
    high = row["break_even_factor"][1]
    return inf if high is None else float(high)


def _near(near: list[Row], currency: str) -> Iterator[str]:
    for row in near[:SHOWN]:
        first = _price(row, currency)
        cost = f"; forced in today it costs {interval(row['cost_usd'], currency)}" if row["cost_usd"] else ""
        change = row["cheapest_change"]
        way = f"; or with {change['lots']} x {change['lot']} at {change['owner']}" if change else ""
        yield f"{row['workflow']}: {first}{cost}{way}."


def _more(document: Document) -> Iterator[str]:
    """Those served in part, by what serving all of their demand costs."""
    short = [row for row in document["workflows"] if row["verdict"] == "partly" and row["cost_usd"]]
    for row in sorted(short, key=lambda row: low(row["cost_usd"]))[:SHOWN]:
        cost = interval(row["cost_usd"], document["currency"])
        yield f"{row['workflow']}, {percent(row['served_share'])} served: all of its demand costs {cost}."


def _out(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row["not_eligible"]:
            yield f"{row['workflow']}: nothing can serve it: {row['not_eligible']}."
        elif row.get("cannot"):
            cause = f": {row['cannot_because']}" if row["cannot_because"] else ""
            yield f"{row['workflow']}: cannot be forced in at {percent(row['forced_share'])} of its demand{cause}."


def _price(row: Row, currency: str) -> str:
    ends = row["break_even_usd"]
    if ends[1] is None:
        return f"not funded below {money(ends[0], currency)} per task" if ends[0] else "its break-even is not resolved"
    factors = [factor for factor in row["break_even_factor"] if factor is not None]
    times = " to ".join(dict.fromkeys(f"x{factor:.3g}" for factor in factors))
    return f"funded once its best task is worth {interval(ends, currency)} ({times})"


def _bundles(document: Document) -> Iterator[Line]:
    currency = document["currency"]
    for row in document["bundles"][:SHOWN]:
        parts = [
            f"{lot} at {owner} alone: {interval(alone, currency)}"
            for lot, owner, alone in zip(row["lots"], row["owners"], row["alone_usd"], strict=True)
        ]
        yield "plain", f"Only together: {'; '.join(parts)}; together: {interval(row['together_usd'], currency)}."


def _policies(document: Document) -> Iterator[Line]:
    currency = document["currency"]
    dear = sorted((r for r in document["policies"] if _surely(r["costs_usd"])), key=lambda r: -low(r["costs_usd"]))
    if dear:
        named = [f"{r['family']} {interval(r['costs_usd'], currency)}" for r in dear[:SHOWN]]
        yield "plain", f"What rules and limits cost, each switched off alone: {listed(named)}."


def _ties(document: Document) -> Iterator[Line]:
    if document["ties"]:
        yield (
            "plain",
            f"Ties, do not defend them: {listed([r['change'] for r in document['ties'][:SHOWN]])} cost nothing.",
        )


def _conflict(conflict: Row, currency: str) -> Iterator[Line]:
    yield "title", "No plan exists: these rules cannot all hold."
    yield from (("item", f"{reason}.") for reason in conflict["reasons"])
    yield "bad", f"{conflict['sentence']}."
    for member in conflict["members"]:
        yield "item", f"{member['row']}" + (f" ({member['where']})" if member["where"] else "")
    if not conflict["smallest"]:
        yield "plain", "Not shown to be the fewest rules that conflict."
    for i, repair in enumerate(conflict["repairs"], 1):
        usd = f", {money(repair['relief_usd'], currency)}" if repair["relief_usd"] is not None else ""
        sure = "a plan then exists" if repair["verified"] else "not verified in time"
        yield "good", f"Repair {i}: {repair['words']}{usd} ({sure})."


def _surely(ends: list[float | None] | None) -> bool:
    return bool(ends and ends[0] is not None and ends[0] > 0)


def _footer(document: Document) -> str:
    if document["conflict"]:
        return f"{_verified(document['conflict']['repairs'])}{document['seconds']:.1f} s."
    return (f"{document['questions']} solves behind these figures, {document['seconds']:.0f} s. Each figure's method "
            "and seconds are in --format json.")  # fmt: skip


def _verified(repairs: list[Row]) -> str:
    sure = sum(repair["verified"] for repair in repairs)
    if not repairs:
        return ""
    many = "Each repair was" if sure == len(repairs) else f"{sure} of {len(repairs)} repairs were"
    return f"{many} verified by solving again. "
