"""The tables of a plan, laid out for a terminal: periods as columns, money and shares in short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from optimizer.plan import Plan
from optimizer.plan.figures import few, money, number, percent, short
from optimizer.plan.plan import Row
from optimizer.report.answer import periods

LINES = 30  # of one table; what is longer is in the plan

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One table in words; the first `left` columns are text, the others figures."""

    title: str
    columns: Cells
    rows: tuple[Cells, ...]
    left: int = 1
    note: str = ""


def grids(plan: Plan) -> Iterator[Grid]:
    """All tables that have something to say, the most asked for first."""
    makers: Sequence[Callable[[Plan], Grid]] = (_workflows, _fleet, _power, _ledger, _deployments)
    yield from (grid for make in makers if (grid := make(plan)).rows)


def _workflows(plan: Plan) -> Grid:
    """Share of demand served by period, and what it earns and costs over the horizon, in cash."""
    currency, shown = plan.document["currency"], few(periods(plan))
    lines = []
    for name, rows in _by(plan.document["workflows"], "workflow"):
        served = {r["period"]: percent(r["served"] / r["demand"]) if r["served"] else "." for r in rows}
        value, cost = (sum(r[key] for r in rows) for key in ("value_usd", "cost_usd"))
        api, all_of_it = (sum(r[key] for r in rows) for key in ("api", "served"))
        bought = percent(api / all_of_it) if all_of_it else "-"
        cells = (money(value, currency), money(cost, currency), money(value - cost, currency))
        lines.append((name, *(served.get(t, "") for t in shown), bought, *cells))
    note = "served, of demand; '.' none, blank no demand. API: part that is bought. Cash; shared costs by replica-hours"
    return _grid("Workflows", ("workflow", *map(short, shown), "API", "value", "cost", "net"), lines, note=note)


def _fleet(plan: Plan) -> Grid:
    shown = few(periods(plan))
    lines = []
    for name, rows in _by(plan.document["pools"], "pool"):
        used = {r["period"]: f"{number(r['used'])}/{number(r['gpus'])}" for r in rows}
        lines.append((name, rows[0]["gpu"], *(used[t] for t in shown)))
    return _grid("Fleet: GPUs used / there", ("pool", "GPU", *map(short, shown)), lines, left=2)


def _power(plan: Plan) -> Grid:
    shown = few(periods(plan))
    lines = []
    for name, rows in _by(plan.document["power"], "site"):
        peak: dict[str, Row] = {}
        for row in rows:
            peak[row["period"]] = max(row, peak.get(row["period"], row), key=lambda r: r["kw"])
        cells = (f"{number(peak[t]['kw'])}/{number(peak[t]['limit'])}" for t in shown)
        lines.append((name, *cells))
    return _grid(
        "Power at the meter: kW drawn in the fullest day part / energised", ("site", *map(short, shown)), lines
    )


def _ledger(plan: Plan) -> Grid:
    currency, ledger = plan.document["currency"], plan.document["ledger"]
    lines = [(r["term"], money(r["usd"], currency), money(r["cash_usd"], currency)) for r in ledger]
    total = ("net value", *(money(sum(r[key] for r in ledger), currency) for key in ("usd", "cash_usd")))
    return _grid("Ledger", ("term", "present value", "cash"), [*lines, total])


def _deployments(plan: Plan) -> Grid:
    """What is deployed where: replicas by period, how busy, how fast, how well known."""
    shown = few(periods(plan))
    lines = []
    for _, rows in _by(plan.document["endpoints"], "endpoint"):
        first, replicas = rows[0], {r["period"]: str(r["replicas"]) for r in rows}
        gpus = f"{number(first['gpus'] / first['replicas'])} {first['precision']}"
        speeds = [r["tokens_per_s"] for r in rows if r["tokens_per_s"]]
        busy = sum(r["utilisation"] * r["replicas"] for r in rows) / sum(r["replicas"] for r in rows)
        lines.append((
            first["pool"], first["model"], gpus, f"{first['concurrency']}", first["bound_by"], first["grade"],
            " ".join(replicas.get(t, ".") for t in shown), percent(busy),
            number(sum(speeds) / len(speeds)) if speeds else "-",
        ))  # fmt: skip
    columns = ("pool", "AI model", "GPUs", "at once", "bound by", "speed is", "replicas", "busy", "tokens/s")
    note = f"replicas by period ({', '.join(map(short, shown))}); tokens/s out of one replica at work"
    return _grid("Deployments", columns, lines, left=6, note=note)


def _grid(title: str, columns: Cells, rows: Sequence[Cells], left: int = 1, note: str = "") -> Grid:
    if len(rows) > LINES:
        note = f"{note}; {len(rows) - LINES} more lines are in the plan".removeprefix("; ")
    return Grid(title, columns, tuple(rows[:LINES]), left, note)


def _by(rows: Iterable[Row], column: str) -> Iterable[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups.items()
