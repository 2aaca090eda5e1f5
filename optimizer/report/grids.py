"""The tables of a plan, laid out for a terminal: periods as columns, money and shares in short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from optimizer.plan import Plan
from optimizer.plan.figures import few, money, number, percent, short
from optimizer.plan.plan import UNALLOCATED, Row

LINES = 30  # of one table; what is longer is in the plan

SERVED_NOTE = (
    "'.': nothing served; blank: no demand. API: % of it that is bought. Shared costs go by the replica-hours kept "
    "for a workflow, what nobody keeps is unallocated. per Mtok: cost of a million good output tokens."
)

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One table in words; the first `left` columns are text, the others figures."""

    title: str
    columns: Cells
    rows: tuple[Cells, ...]
    left: int = 1
    note: str = ""
    folds: int = 1  # of the columns that are text, those that may be folded where the page is narrow


def grids(plan: Plan) -> Iterator[Grid]:
    """All tables that have something to say, the most asked for first."""
    makers: Sequence[Callable[[Plan], Grid]] = (_workflows, _fleet, _power, _ledger, _deployments)
    if plan.answered:
        yield from (grid for make in makers if (grid := make(plan)).rows)


def _workflows(plan: Plan) -> Grid:
    """Share of demand served by period, and what it earns and costs over the horizon, in cash."""
    currency, shown = plan.document["currency"], few(plan.document["periods"])
    lines, sums = [], [0.0, 0.0]
    for name, rows in grouped(plan.document["workflows"], "workflow"):
        served = {r["period"]: _share(r["served"] / r["demand"]) if r["served"] else "." for r in rows}
        value, cost, api, tasks = (sum(r[key] for r in rows) for key in ("value_usd", "cost_usd", "api", "served"))
        mtok = sum(r["cost_usd"] / r["usd_per_mtok"] for r in rows if r["usd_per_mtok"])
        sums = [sums[0] + value, sums[1] + cost]
        bought, unit_cost = _share(api / tasks if tasks else None), money(cost / mtok if mtok else None, currency)
        lines.append((name, *(served.get(t, "") for t in shown), bought, *_net(value, cost, currency), unit_cost))
    rest = -sum(r["cash_usd"] for r in plan.document["allocation"] if r["workflow"] == UNALLOCATED)
    blank = ("",) * (len(shown) + 1)
    lines.append((UNALLOCATED, *blank, *_net(0.0, rest, currency), "-"))
    lines.append(("total", *blank, *_net(sums[0], sums[1] + rest, currency), "-"))
    columns = ("workflow", *(short(t).replace("Q", "\nQ") for t in shown), "API", "value", "cost", "net", "per Mtok")
    return grid_of("Workflows: % of demand served, and cash over the horizon", columns, lines, note=SERVED_NOTE, sums=2)


def _aligned(figures: Sequence[str], width: int) -> str:
    return " ".join(figure.rjust(width) for figure in figures)


def _net(value: float, cost: float, currency: str) -> Cells:
    """Sums of a column, without the dust below a cent that a solver leaves; rates keep their digits."""
    value, cost, net = (round(amount, 2) for amount in (value, cost, value - cost))
    return money(value, currency), money(cost, currency), money(net, currency)


def _share(share: float | None) -> str:
    return percent(share).removesuffix(" %")


def _fleet(plan: Plan) -> Grid:
    shown = few(plan.document["periods"])
    lines = []
    for name, rows in grouped(plan.document["pools"], "pool"):
        used = {r["period"]: f"{number(r['used'])}/{number(r['gpus'])}" for r in rows}
        lines.append((name, rows[0]["gpu"], *(used[t] for t in shown)))
    return grid_of("Fleet: GPUs used / there", ("pool", "GPU", *map(short, shown)), lines, left=2)


def _power(plan: Plan) -> Grid:
    shown = few(plan.document["periods"])
    lines = []
    for name, rows in grouped(plan.document["power"], "site"):
        peak: dict[str, Row] = {}
        for row in rows:
            peak[row["period"]] = max(row, peak.get(row["period"], row), key=lambda r: r["kw"])
        cells = (f"{number(peak[t]['kw'])}/{number(peak[t]['limit'])}" for t in shown)
        lines.append((name, *cells))
    return grid_of(
        "Power at the meter: kW drawn in the fullest day part / energised", ("site", *map(short, shown)), lines
    )


def _ledger(plan: Plan) -> Grid:
    currency, ledger = plan.document["currency"], plan.document["ledger"]
    lines = [(r["term"], money(r["usd"], currency), money(r["cash_usd"], currency)) for r in ledger if r["cash_usd"]]
    total = ("net value", *(money(sum(r[key] for r in ledger), currency) for key in ("usd", "cash_usd")))
    return grid_of("Ledger", ("term", "present value", "cash"), [*lines, total], sums=1)


def _deployments(plan: Plan) -> Grid:
    """What is deployed where: replicas by period, how busy, how fast, how well known."""
    shown = few(plan.document["periods"])
    width = max((len(str(r["replicas"])) for r in plan.document["endpoints"]), default=1)
    lines: list[Cells] = []
    pools = ""
    for _, rows in grouped(plan.document["endpoints"], "endpoint"):
        first, replicas = rows[0], {r["period"]: str(r["replicas"]) for r in rows}
        gpus = f"{number(first['gpus'] / first['replicas']) if first['replicas'] else '-'} {first['precision']}"
        speeds = [r["tokens_per_s"] for r in rows if r["tokens_per_s"]]
        busy = _mean((r["utilisation"] or 0.0, r["replicas"]) for r in rows)
        if first["pool"] != pools:
            pools = first["pool"]
            lines.append((pools, *[""] * 7))
        lines.append((
            f"  {first['model']}", gpus, f"{first['concurrency']}", first["bound_by"], first["grade"],
            _aligned([replicas.get(t, ".") for t in shown], width), _share(busy),
            number(sum(speeds) / len(speeds)) if speeds else "-",
        ))  # fmt: skip
    columns = ("AI model by pool", "GPUs", "at once", "bound by", "speed is", "replicas", "busy", "tok/s")
    note = (
        f"replicas by period ({', '.join(map(short, shown))}), '.' none; busy: % of their hours; tok/s: tokens a "
        "second out of one replica at work"
    )
    return grid_of("Deployments", columns, lines, left=6, note=note)


def _mean(weighted: Iterable[tuple[float, float]]) -> float | None:
    pairs = list(weighted)
    weight = sum(w for _, w in pairs)
    return sum(x * w for x, w in pairs) / weight if weight else None


def grid_of(title: str, columns: Cells, rows: Sequence[Cells], left: int = 1, note: str = "", folds: int = 1,
            *, sums: int = 0, where: str = "in the plan") -> Grid:  # fmt: skip
    """A table no longer than a page can take; its note says how much was left out and where it is. The last `sums`
    lines are never left out."""
    lines, last = list(rows[: len(rows) - sums]), rows[len(rows) - sums :]
    if (more := len(lines) - LINES) > 0:
        note = f"{note}{' ' if note.endswith('.') else '; '}{_left_out(more)} {where}.".removeprefix("; ")
    return Grid(title, columns, (*lines[:LINES], *last), left, note, folds)


def _left_out(lines: int) -> str:
    return "1 more line is" if lines == 1 else f"{lines} more lines are"


def grouped(rows: Iterable[Row], column: str) -> Iterable[tuple[str, list[Row]]]:
    """Lines by what stands in one column, in the order of the first of each."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups.items()
