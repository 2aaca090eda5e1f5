"""The answer in sentences: what it earns, how sure that is, what is funded, what is not and why."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.plan import Plan
from optimizer.plan.figures import listed, money, named, percent, spans
from optimizer.plan.plan import Row

SHOWN = 8  # full limits that are named; the rest is counted

Line = tuple[str, str]  # style of a heading or of plain text, and the text


def answer(plan: Plan) -> Iterator[Line]:
    """The lines that come first, whatever the status."""
    yield "title", plan.document["instance"]["name"]
    yield "title", headline(plan)
    if not plan.answered:
        yield from _nothing(plan)
        return
    by_verdict: dict[str, list[Row]] = {"full": [], "partly": [], "none": []}
    for row in plan.document["verdicts"]:
        by_verdict[row["verdict"]].append(row)
    if by_verdict["full"]:
        yield (
            "good",
            f"Served in full ({len(by_verdict['full'])}): {listed([r['workflow'] for r in by_verdict['full']])}.",
        )
    if by_verdict["partly"]:
        yield "fair", f"Served in part ({len(by_verdict['partly'])}):"
        yield from (("item", _partly(row)) for row in by_verdict["partly"])
    paid = {row["workflow"] for row in plan.document["workflows"] if row["funded"]}
    for title, among in (("Funded, yet nothing of it is served", True), ("Not funded", False)):
        rows = [row for row in by_verdict["none"] if (row["workflow"] in paid) == among]
        if rows:
            yield "bad", f"{title} ({len(rows)}):"
            yield from (("item", f"{row['workflow']}: {row['why']}.") for row in rows)
    yield from _orders(plan)
    yield from _full(plan)
    if not plan.document["executable"]:
        yield "bad", "Not executable: logic between decisions was dropped to study the formulation."


def headline(plan: Plan) -> str:
    """One sentence: net value and how far it is proved, or why there is none."""
    document, limit = plan.document, plan.document["options"]["time_limit"]
    if not plan.answered:
        return {
            "infeasible": "No plan exists: these rules cannot all hold.",
            "unbounded": "The value has no limit: something is sold at a profit and limited by nothing.",
            "interrupted": "Interrupted before a first plan was found.",
        }.get(plan.status, f"No plan was found in {limit:g} s. Maybe a longer --time-limit.")
    order, currency = plan.document["periods"], document["currency"]
    span = order[0] if len(order) == 1 else f"{order[0]}-{order[-1]}"
    earned = f"Net value {money(plan.objective_usd, currency, 4)} (present value, {span})"
    best = f"no plan earns more than {money(plan.bound_usd, currency, 4)}"
    if plan.status == "optimal":
        return f"{earned}, proved within {percent(document['options']['gap'])}: {best}."
    ended = "interrupted" if plan.status == "interrupted" else f"best found in {limit:g} s"
    proved = "nothing is proved yet" if plan.document["gap"] is None else f"proved within {percent(plan.gap)}: {best}"
    return f"{earned}, {ended}; {proved}."


def _partly(row: Row) -> str:
    return f"{row['workflow']}: {percent(row['served_share'])} of its demand; {row['why']}."


def _orders(plan: Plan) -> Iterator[Line]:
    """What has to be ordered or parted with, in whole lots."""
    orders = [row for row in plan.document["decisions"] if row["kind"] not in ("launch", "adopt")]
    if orders:
        currency = plan.document["currency"]
        said = [
            f"{row['kind']} {row['amount']} x {row['name']} ({row['period']}, {money(row['usd'], currency)})"
            for row in orders[:SHOWN]
        ]
        more = f" and {len(orders) - SHOWN} more" if len(orders) > SHOWN else ""
        yield "good", f"To order: {', '.join(said)}{more}."


def _full(plan: Plan) -> Iterator[Line]:
    """Limits with no room left, the longest full first."""
    full: dict[str, list[str]] = {}
    for row in plan.document["resources"]:
        if row["full"]:
            full.setdefault(named(row), []).append(row["period"])
    ranked = sorted(full.items(), key=lambda item: -len(item[1]))
    shown = [f"{name} ({spans(at, plan.document['periods'])})" if any(at) else name for name, at in ranked[:SHOWN]]
    if shown:
        more = f" and {len(ranked) - SHOWN} more" if len(ranked) > SHOWN else ""
        yield "fair", f"No room left in: {', '.join(shown)}{more}."
    else:
        yield "good", "Room is left everywhere: no capacity or limit is full."


def _nothing(plan: Plan) -> Iterator[Line]:
    conflict = plan.conflict or {"reasons": (), "families": (), "smallest": True}
    yield from (("item", f"{reason}.") for reason in conflict["reasons"])
    if conflict["families"]:
        sure = "" if conflict["smallest"] else " (not shown to be the fewest)"
        yield "bad", f"Families in conflict{sure}: {listed(conflict['families'])}."
        if conflict["smallest"]:
            yield "plain", _ends(conflict["families"])


def _ends(families: list[str]) -> str:
    """What dropping does, and no more than that: a conflict of other rules may be behind this one."""
    if len(families) == 1:
        return "It rules out every plan by itself; dropping it (--drop FAMILY) ends this conflict, not another one."
    return "Each is needed for it: dropping one (--drop FAMILY) ends this conflict, not another one behind it."
