"""Two plans, or a base and its variants, on a terminal: what changed first, then the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from optimizer.plan.figures import few, listed, money, named, number, percent, short, spans
from optimizer.report.answer import Line
from optimizer.report.grids import Grid, grouped
from optimizer.report.text import STYLES, paragraph, table

Row = dict[str, Any]
Document = Mapping[str, Any]
LINES = 24
LIMITS = 8
TOLD = ("entered", "left", "new", "gone", "more", "less")


def show_comparison(document: Document, to: Console, title: str = "") -> None:
    """Print the difference of two plans for a person."""
    for style, text in sentences(document, title):
        paragraph(text, to, STYLES[style], item=style == "item")
    for grid in _grids(document):
        if grid.rows:
            table(grid, to)


def sentences(document: Document, title: str = "") -> Iterator[Line]:
    """Net value, what entered and left and why, what binds now and before."""
    before, after = document["plans"]
    yield "title", title or f"{_label(before)} -> {_label(after)}"
    yield "title", _net(document)
    if after["begun"] not in (None, "base"):
        yield "plain", f"Stated anew, because what there is to decide is different: {after['begun']}."
    yield from (("fair", f"Note: {note}.") for note in document["notes"])
    yield from _conflict(document)
    if None not in (document["net"]["before"], document["net"]["after"]):
        yield from _portfolio(document)
        yield from _binding(document)


def side_by_side(documents: Sequence[Document], names: Sequence[str], legend: str = "") -> Grid:
    """The base and its variants as columns: net value, what it changes, shares of demand where any differs."""
    currency = documents[0]["currency"]
    nets = [documents[0]["net"]["before"], *(d["net"]["after"] for d in documents)]
    changes = ["", *(signed(d["net"]["change"], currency) for d in documents)]
    statuses = [documents[0]["plans"][0]["status"], *(d["plans"][1]["status"] for d in documents)]
    rows = [("net value", *(money(v, currency, 4) for v in nets)), ("change", *changes), ("status", *statuses)]
    shares: dict[str, list[float | None]] = {r["workflow"]: [r["share_before"]] for r in documents[0]["workflows"]}
    for document in documents:
        found = {r["workflow"]: r["share_after"] for r in document["workflows"]}
        for name, cells in shares.items():
            cells.append(found.get(name))
    rows += [(name, *map(percent, cells)) for name, cells in shares.items() if len({*map(percent, cells)}) > 1]
    note = f"Below the status: share of demand served, of the workflows where it differs. {legend}".strip()
    return Grid("Base and variants", ("", "base", *names), tuple(rows), note=note)


def signed(amount: float | None, currency: str) -> str:
    """An amount with its sign in front: +$1.2M, -$40K, $0."""
    shown = money(amount, currency)
    return f"+{shown}" if amount is not None and amount > 0 else shown


def _net(document: Document) -> str:
    net, currency = document["net"], document["currency"]
    if net["before"] is None or net["after"] is None:
        sides = [money(net[side], currency, 4) if net[side] is not None else "no plan" for side in ("before", "after")]
        return f"Net value: {sides[0]} before, {sides[1]} after."
    said = (f"Net value {money(net['before'], currency, 4)} -> {money(net['after'], currency, 4)}: "
            f"{signed(net['change'], currency)}")  # fmt: skip
    if net["low"] is None or net["high"] is None:
        return f"{said}; nothing is proved of the difference."
    if net["low"] <= 0 <= net["high"] and net["change"]:
        return f"{said}, within the gaps of the two proofs: which is worth more is not decided."
    return f"{said}; proved between {signed(net['low'], currency)} and {signed(net['high'], currency)}."


def _portfolio(document: Document) -> Iterator[Line]:
    by: dict[str, list[Row]] = defaultdict(list)
    for row in document["workflows"]:
        by[row["change"]].append(row)
    styles = {"entered": "good", "new": "good", "left": "bad", "gone": "bad", "more": "good", "less": "fair"}
    for change in TOLD:
        if by[change]:
            words = {"entered": "Entered", "left": "Left", "new": "New", "gone": "Gone from the instance",
                     "more": "Served more", "less": "Served less"}[change]  # fmt: skip
            yield styles[change], f"{words} ({len(by[change])}):"
            yield from (("item", _told(row)) for row in by[change])
    if not any(by[change] for change in TOLD):
        yield "plain", "The same workflows are served as much as before."


def _told(row: Row) -> str:
    before, after = _apart(row["share_before"], row["share_after"])
    shares = f"{before} -> {after} of its demand"
    worse = (row["share_after"] or 0) < (row["share_before"] or 0)
    why = row["why_after"] if worse else row["why_before"]
    return f"{row['workflow']}: {shares}{f'; {why}' if worse and why else f'; before: {why}' if why else ''}."


def _apart(before: float | None, after: float | None) -> tuple[str, str]:
    """Two shares that differ, with the digits that it takes to see it."""
    shown = percent(before), percent(after)
    if shown[0] != shown[1] or before is None or after is None:
        return shown
    return f"{100 * before:.2f} %", f"{100 * after:.2f} %"


def _binding(document: Document) -> Iterator[Line]:
    for binds, words in (("now", "Binds now"), ("no longer", "Binds no longer"), ("still", "Binds as before")):
        rows: dict[str, list[str]] = defaultdict(list)
        for row in document["limits"]:
            if row["binds"] == binds:
                rows[named(row)].append(row["period"])
        if rows:
            ranked = sorted(rows.items(), key=lambda item: -len(item[1]))
            shown = [f"{name} ({spans(at, document['periods'])})" if any(at) else name for name, at in ranked[:LIMITS]]
            more = f" and {len(ranked) - LIMITS} more" if len(ranked) > LIMITS else ""
            yield "fair", f"{words}: {', '.join(shown)}{more}."


def _conflict(document: Document) -> Iterator[Line]:
    for side, conflict in zip(("Before", "After"), document["conflicts"], strict=True):
        if conflict:
            yield "bad", f"{side}: no plan exists. " + " ".join(f"{reason}." for reason in conflict["reasons"])
            if conflict["families"]:
                yield "plain", f"In conflict: {listed(conflict['families'])}."


def _grids(document: Document) -> Iterator[Grid]:
    yield _ledger(document)
    for kind, unit in (("pool", "GPU"), ("AI model", "GPU"), ("AI model", "GB"), ("site", "MW")):
        yield _moved(document, kind, unit)
    yield _decisions(document)


def _ledger(document: Document) -> Grid:
    currency = document["currency"]
    rows = [
        (
            r["term"],
            money(r["before_usd"], currency),
            money(r["after_usd"], currency),
            signed(r["change_usd"], currency),
        )
        for r in document["ledger"]
        if r["before_usd"] or r["after_usd"]
    ]
    return Grid("Ledger, present value", ("term", "before", "after", "change"), tuple(rows))


def _moved(document: Document, kind: str, unit: str) -> Grid:
    rows = [r for r in document["moved"] if (r["kind"], r["unit"]) == (kind, unit)]
    shown = few(document["periods"])
    lines = []
    for name, own in grouped(rows, "name"):
        cells = {r["period"]: f"{number(r['before'])} > {number(r['after'])}" for r in own}
        lines.append((name, *(cells.get(t, "") for t in shown)))
    title = f"Moved: {'HBM GB' if unit == 'GB' else unit} by {kind}, before > after"
    return Grid(title, (kind, *map(short, shown)), tuple(lines[:LINES]))


def _decisions(document: Document) -> Grid:
    rows = [(r["kind"], r["name"], r["period"], number(r["before"]), number(r["after"])) for r in document["decisions"]]
    return Grid("Decisions", ("kind", "name", "period", "before", "after"), tuple(rows[:LINES]), left=3)


def _label(side: Document) -> str:
    changes = [*(side["set"] or ()), *(f"without {d}" for d in side["drop"] or ())]
    return " ".join(filter(None, (side["name"], side["scenario"] and f"[{side['scenario']}]", ", ".join(changes))))
