"""Value against one parameter, all others held: what one more is worth, and where the portfolio changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from optimizer.sweeping.design import SCENARIO, Axis, Point, number, sign
from optimizer.sweeping.member import Row
from optimizer.sweeping.sweep import Sweep

Step = tuple[Point, Row, Point, Row]  # two neighbours on a line of a frontier
COLUMNS = (
    "axis", "others", "from", "to", "objective_usd_from", "objective_usd_to", "marginal_usd", "low", "high",
    "entered", "left", "sign",
)  # fmt: skip


def frontier(swept: Sweep, axis: str | None = None) -> list[Row]:
    """Every step between neighbours along an axis (the only numeric one, unless named).

    `marginal_usd` is net value per unit of the parameter as it was typed (per 1.0 of a factor, per unit of the key
    otherwise); `sign` is what stood before it there, `*`, `+` or nothing. `low` and `high` bound the
    same of the true optima. Where `entered` or `left` name workflows, the funded portfolio changes in between.
    """
    names = [axis] if axis else [name for name in swept.axes if name != SCENARIO]
    return [_line(name, *step) for name in names for step in steps(swept.points, swept.rows, name)]


def steps(points: Sequence[Point], rows: Sequence[Row], axis: str) -> Iterator[Step]:
    """Neighbours on each line along the axis, both with a plan."""
    lines: dict[tuple[tuple[str, str], ...], list[tuple[float, Point, Row]]] = defaultdict(list)
    for point, row in zip(points, rows, strict=False):
        at = number(point[axis]) if axis in point else None
        if at is not None and row.get("objective_usd") is not None:
            others = tuple(sorted((k, v) for k, v in point.items() if k != axis))
            lines[others].append((at, point, row))
    for line in lines.values():
        line.sort(key=lambda entry: entry[0])
        yield from ((a[1], a[2], b[1], b[2]) for a, b in pairwise(line) if a[0] < b[0])


def between(swept: Iterable[Step], axis: Axis, closest: float) -> Iterator[Point]:
    """Points halfway between neighbours that fund different workflows, unless they are as close as is asked for."""
    for first, row, second, other in swept:
        a, b = float(number(first[axis.path]) or 0.0), float(number(second[axis.path]) or 0.0)
        if row["funded"] != other["funded"] and b - a > closest:
            yield {**first, axis.path: f"{axis.sign}{(a + b) / 2:.12g}"}


def _line(axis: str, first: Point, row: Row, second: Point, other: Row) -> Row:
    a, b = float(number(first[axis]) or 0.0), float(number(second[axis]) or 0.0)
    before, after, ceiling = row["objective_usd"], other["objective_usd"], (row["bound_usd"], other["bound_usd"])
    others = ", ".join(f"{k}={v}" for k, v in first.items() if k != axis)
    return {
        "axis": axis,
        "others": others,
        "from": a,
        "to": b,
        "objective_usd_from": before,
        "objective_usd_to": after,
        "marginal_usd": (after - before) / (b - a),
        "low": None if ceiling[0] is None else (after - ceiling[0]) / (b - a),
        "high": None if ceiling[1] is None else (ceiling[1] - before) / (b - a),
        "entered": sorted({*other["funded"]} - {*row["funded"]}),
        "left": sorted({*row["funded"]} - {*other["funded"]}),
        "sign": sign(first[axis]),
    }
