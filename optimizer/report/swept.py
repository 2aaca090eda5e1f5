"""A sweep on a terminal: its members, what one more is worth along each axis, and where the portfolio changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from optimizer.plan.figures import listed, money, number
from optimizer.report.answer import Line
from optimizer.report.compared import signed
from optimizer.report.grids import Grid
from optimizer.report.text import STYLES, paragraph, table

Row = dict[str, Any]
Document = Mapping[str, Any]
MEMBERS, STEPS, CURVES = 40, 30, 6  # shown; all of them are in the saved table


def show_sweep(document: Document, steps: Sequence[Row], to: Console) -> None:
    """Print a sweep for a person."""
    for style, text in sentences(document, steps):
        paragraph(text, to, STYLES[style], item=style == "item")
    table(_members(document), to)
    if document["design"] == "tornado":
        table(_tornado(document), to)
    lines = list(dict.fromkeys((step["axis"], step["others"]) for step in steps))
    for axis, others in lines[:CURVES]:
        table(_frontier([s for s in steps if (s["axis"], s["others"]) == (axis, others)], document["currency"]), to)
    if len(lines) > CURVES:
        paragraph(f"{len(lines) - CURVES} more curves: --format csv --table frontier.", to, "dim")


def sentences(document: Document, steps: Sequence[Row]) -> Iterator[Line]:
    """How many ended how, the range of net value, and where the funded portfolio changes."""
    rows, currency = document["members"], document["currency"]
    ends = Counter(row["status"] for row in rows)
    ended = listed([f"{n} {s}" for s, n in ends.items()]) or "none is finished"
    yield "title", f"{document['name']}: {len(rows)} members, {ended}."
    values = [row["objective_usd"] for row in rows if row["objective_usd"] is not None]
    if values:
        base = money(document["base"]["objective_usd"], currency, 4)
        low, high = money(min(values), currency, 4), money(max(values), currency, 4)
        yield "title", f"Net value from {low} to {high}; the base earns {base}."
    stopped = sum(row["stopped"] == "clock" for row in rows)
    if stopped:
        yield "bad", f"{stopped} members were stopped by the clock: another run may end them elsewhere."
    reasons = Counter(row["reason"] for row in rows if row["status"] in ("infeasible", "failed"))
    yield from (("bad", f"{n} without a plan: {reason}") for reason, n in reasons.items())
    changes = [step for step in steps if step["entered"] or step["left"]]
    if changes:
        yield (
            "fair",
            f"The funded portfolio changes at {'one point' if len(changes) == 1 else f'{len(changes)} points'}:",
        )
        yield from (("item", _change(step)) for step in changes[:STEPS])


def _change(step: Row) -> str:
    moves = [f"{name} enters" for name in step["entered"]] + [f"{name} leaves" for name in step["left"]]
    others = f" ({step['others']})" if step["others"] else ""
    return f"{step['axis']} between {_at(step, 'from')} and {_at(step, 'to')}{others}: {listed(moves)}."


def _at(step: Row, end: str) -> str:
    """An end of a step, as it would be typed."""
    return f"{step['sign']}{number(step[end], 4)}"


def _members(document: Document) -> Grid:
    currency, axes = document["currency"], document["axes"]
    rows = [
        (*(str(row[name] if row[name] is not None else "base") for name in axes), row["status"],
         money(row["objective_usd"], currency, 4), signed(_less(row, document["base"]), currency),
         str(_funded(row)), number(row["gpus"]), number(_mw(row)))
        for row in document["members"]
    ]  # fmt: skip
    columns = (*axes, "status", "net value", "less base", "funded", "GPUs", "MW")
    note = f"{len(rows) - MEMBERS} more members are in the saved table" if len(rows) > MEMBERS else ""
    return Grid("Members", columns, tuple(rows[:MEMBERS]), left=len(axes) + 1, note=note, folds=len(axes))


def _tornado(document: Document) -> Grid:
    """Axes by how far they swing net value."""
    currency, lines = document["currency"], []
    for name in document["axes"]:
        found = [(row["objective_usd"], row[name]) for row in document["members"]
                 if row[name] is not None and row["objective_usd"] is not None]  # fmt: skip
        if found:
            low, high = min(found), max(found)
            ends = (low[1], money(low[0], currency, 4), high[1], money(high[0], currency, 4))
            lines.append((high[0] - low[0], (name, *ends, money(high[0] - low[0], currency))))
    ranked = tuple(cells for _, cells in sorted(lines, key=lambda line: -line[0]))
    return Grid("One at a time, the widest swing first", ("path", "worst", "", "best", "", "swing"), ranked)


def _frontier(steps: Sequence[Row], currency: str) -> Grid:
    rows = [
        (_at(step, "from"), _at(step, "to"),
         money(step["objective_usd_from"], currency, 4), money(step["objective_usd_to"], currency, 4),
         money(_cents(step["marginal_usd"]), currency),
         f"{money(_cents(step['low']), currency)} .. {money(_cents(step['high']), currency)}",
         " ".join((*(f"+{w}" for w in step["entered"]), *(f"-{w}" for w in step["left"]))))
        for step in steps
    ]  # fmt: skip
    columns = ("from", "to", "net value", "to", "per unit", "proved", "portfolio")
    note = "per unit: net value gained per 1 of the parameter as typed (1 of a factor is 100 %)."
    others = f" ({steps[0]['others']})" if steps[0]["others"] else ""
    return Grid(f"Along {steps[0]['axis']}{others}", columns, tuple(rows[:STEPS]), left=0, note=note)


def _cents(amount: float | None) -> float | None:
    """Without the dust of subtracting two large amounts."""
    return None if amount is None else round(amount, 2) + 0.0


def _mw(row: Row) -> float | None:
    found = [value for name, value in row.items() if name.startswith("mw.") and value is not None]
    return sum(found) if found else None


def _funded(row: Row) -> int:
    """How many workflows are served."""
    return sum(1 for name, share in row.items() if name.startswith("served.") and share)


def _less(row: Row, base: Row) -> float | None:
    both = (row["objective_usd"], base["objective_usd"])
    return None if None in both else both[0] - both[1]
