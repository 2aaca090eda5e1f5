"""The tables of an explanation: lots, classes of rows, workflows and their rents, choices and rules, the appendix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.plan.figures import SIGNS, WORDS, money, named, number, percent, spans
from optimizer.report.grids import Cells, Grid, grid_of

Row = dict[str, Any]
Document = Mapping[str, Any]
NOT_ASKED = "not asked"
BLOCKING = 3  # rows named for each workflow
BLOCKING_NOTE = (
    "Everyone else and all that is bought stays as planned; could be: whole replicas aside. Where that is more than is "
    "served, the rest does not pay or would need another whole replica."
)
BASIS = "Not taken: as if it had to be, at least once. Taken: against doing without it."
FLOWS_NOTE = (
    "'-': does not apply. Forcing in and break-even are for those that are short, what is earned and how far the value "
    "may fall for those that are served."
)
RENT_NOTE = "Lots in use at the average price of one more; a memo line of the income statement, not part of net."


def explained_grids(document: Document) -> Iterator[Grid]:
    """All tables, in the order in which they are read."""
    currency = document["currency"]
    lots = [
        (
            r["owner"],
            r["lot"] + ("" if r["declared"] else " *"),
            interval(r["one_more_usd"], currency),
            "cannot" if r["cannot_lose_one"] else interval(r["one_fewer_usd"], currency),
            interval(r["per_usd"], ""),
        )
        for r in document["limits"]
    ]
    note = "* no relief is declared, the lot is the default. Intervals hold the truth; one figure: proved."
    columns = ("limit", "lot", "one more earns", "one fewer costs", f"per {SIGNS.get(currency, currency)} spent")
    title = "One lot more, one lot fewer, over the horizon (present value)"
    yield _grid(title, columns, lots, left=2, note=note, folds=2)
    yield _classes(document)
    yield _flows(document)
    yield _blocking(document)
    yield _rents(document)
    for name, of in (("tools", "tool"), ("offers", "offer")):
        rows = [(r[of], "yes" if r.get("adopted", r.get("taken")) else "no", interval(r["net_usd"], currency))
                for r in document[name]]  # fmt: skip
        yield _grid(f"{name.capitalize()}: net value of having it", (of, "taken", "worth"), rows, note=BASIS)
    rules = [(r["family"], number(r["rows"]), interval(r["costs_usd"], currency)) for r in document["policies"]]
    yield _grid("Rules and limits, each switched off alone", ("family", "rows", "costs"), rules)
    yield _appendix(document)


def _grid(title: str, columns: Cells, rows: Sequence[Cells], left: int = 1, note: str = "", folds: int = 1) -> Grid:
    return grid_of(title, columns, rows, left, note, folds, where="in --format json")


def _flows(document: Document) -> Grid:
    """What each workflow that is short would cost, and what each that is served earns."""
    currency = document["currency"]
    flows = [
        (r["workflow"], percent(r["served_share"]), _forcing(r, currency), _even(r, currency), _earned(r, currency),
         _fall(r))
        for r in document["workflows"]
    ]  # fmt: skip
    columns = ("workflow", "served", "forcing it in costs", "break-even value", "earns beyond scarcity", "may fall to")
    return _grid("Workflows", columns, flows, note=FLOWS_NOTE)


def _forcing(row: Row, currency: str) -> str:
    if row["verdict"] == "full":
        return "-"
    if row["not_eligible"]:
        return "not eligible"
    return "cannot" if row["cannot"] else interval(row["cost_usd"], currency) if row["cost_usd"] else NOT_ASKED


def _even(row: Row, currency: str) -> str:
    """Of one that is served nothing; where it cannot be served at all no value funds it."""
    if row["verdict"] != "none" or row["not_eligible"]:
        return "-"
    if row["cannot"]:
        return "cannot"
    return interval(row["break_even_usd"], currency) if row["break_even_usd"] else NOT_ASKED


def _earned(row: Row, currency: str) -> str:
    if row["verdict"] == "none" or row["must_stay"]:
        return "-"
    return interval(row["earns_usd"], currency) if row["earns_usd"] else NOT_ASKED


def _blocking(document: Document) -> Grid:
    """What keeps workflows that are short from being served more."""
    short = [row for row in document["workflows"] if row.get("blocked_by") is not None]
    cells = [
        (row["workflow"], _stopped(row["blocked_by"], document["periods"]) or "-", percent(row["served_share"]),
         percent(row["could_share"]))
        for row in short
    ]  # fmt: skip
    columns = ("workflow", "stopped by", "served", "could be")
    return _grid("What keeps workflows from more", columns, cells, 2, BLOCKING_NOTE, folds=2)


def _stopped(rows: list[Row], order: list[str]) -> str:
    """The rows that stop it, the periods of one limit together."""
    periods: dict[str, list[str]] = {}
    for row in rows:
        periods.setdefault(named(row), []).append(row["period"])
    said = [
        f"{name} ({when})" if (when := spans([t for t in order if t in at], order)) else name
        for name, at in periods.items()
    ]
    return "; ".join(said[:BLOCKING]) + (f" and {len(said) - BLOCKING} more" if len(said) > BLOCKING else "")


def _classes(document: Document) -> Grid:
    """Full and scarce rows by limit and class; the rows one by one are in the document."""
    lines: dict[tuple[str, str, str], list[str]] = {}
    for row in document["constraints"]:
        if row["full"] or row["class"] == "scarce":
            name = f"{WORDS.get(row['family'], row['family'])} {row['row']}"
            lines.setdefault((name, row["class"], row["lot"]), []).append(row["period"])
    count = Counter(row["class"] for row in document["constraints"])
    cells = [
        (name, kind, spans([t for t in at if t], document["periods"]) or "-") for (name, kind, _), at in lines.items()
    ]
    note = ", ".join(f"{n} {kind}" for kind, n in count.items())
    return _grid(
        "Rows that are full or scarce, and their class",
        ("limit", "class", "periods"),
        cells,
        left=3,
        note=note,
        folds=3,
    )


def _rents(document: Document) -> Grid:
    """Workflows that use something scarce, the most charged first."""
    charged = sorted((r for r in document["rents"] if r["usd"][1] != 0), key=lambda r: -low(r["usd"]))
    lines = [(r["workflow"], _in_use(r), interval(r["usd"], document["currency"])) for r in charged]
    columns = ("workflow", "lots in use", "rent")
    return _grid("Scarcity rent at the margin (present value)", columns, lines, 2, RENT_NOTE, folds=2)


def _in_use(row: Row) -> str:
    parts = [f"{number(part['lots'])} x {part['owner']}" for part in row["owners"] if part["usd"][1] != 0]
    return ", ".join([*parts, *(f"{owner}: not asked" for owner in row["not_asked"])])


def _appendix(document: Document) -> Grid:
    rows = [
        (r["row"], number(r["final_value"]), number(r["right_hand_side"]), number(r["relaxation_price"]),
         number(r["one_more_price"]), number(r["one_fewer_price"]), "yes" if r["degenerate"] else "")
        for r in document["appendix"]
    ]  # fmt: skip
    return _grid("Appendix: prices of the linear relaxation, per unit, at a point (not what a lot earns)",
                 ("row", "final value", "right-hand side", "price", "up", "down", "degenerate"), rows)  # fmt: skip


def interval(ends: list[float | None] | None, currency: str) -> str:
    """`$41K`, or `$41K to $44K`, or what is known of it."""
    if ends is None:
        return "-"
    low, high = ends

    def shown(end: float) -> str:
        return money(end, currency) if currency else number(end)

    if low is None:
        return "not resolved" if high is None else f"at most {shown(high)}"
    if high is None:
        return f"at least {shown(low)}" if low else "not resolved"
    return shown(low) if shown(low) == shown(high) else f"{shown(low)} to {shown(high)}"


def low(ends: list[float | None]) -> float:
    """What is surely there."""
    return ends[0] or 0.0


def _fall(row: Row) -> str:
    if row["verdict"] == "none":
        return "-"
    if row["must_stay"]:
        return "must stay"
    return NOT_ASKED if row["may_fall_to_factor"] is None else percent(row["may_fall_to_factor"])
