"""What a plan says beyond its allocation, each block only where there is something to say: money, choices, physics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from optimizer.plan import Plan
from optimizer.plan.figures import money, number, percent, spans, verdict
from optimizer.plan.plan import Row
from optimizer.report.grids import Cells, Grid, grid_of, grouped

COLUMNS = {  # of the income statement: terms that stand in one column
    "value": ("value",),
    "API": ("api_tokens", "commitments"),
    "power": ("energy", "carbon_price"),
    "GPUs": ("gpu_running", "gpu_lease", "leases", "purchases", "upgrades", "resale"),
    "people": ("review", "launches"),
    "stack": ("tools", "storage", "retraining", "moves"),
    "liability": ("liability",),
    "net": ("net",),
}
RULED_OUT = "no plan holds"
RENT = "scarcity_rent_at_this_placement"
STATEMENT_NOTE = (
    "GPUs: running cost, leases, purchases, upgrades, resale; people: review and launches; stack: tools, storage, "
    "retraining, moves. Below the line, no part of net: rent, what full limits are worth at this placement, whole "
    "numbers held; another replica may be worth more."
)
GAIN_NOTE = (
    "Gain: net value with it less without it, by solving again; the interval is what both proofs leave, a single "
    "figure stands where both are proved as near as the plan had to be. Not taken: as if it had to be. Not decided: it "
    "may be worth less than the plan's own gap; a smaller --gap or `solvency explain` says more. Payback: periods from "
    "the first order."
)
BOOKS_NOTE = "Reported, in no sum of the plan; by period with `--format csv --table depreciation`."
STRANDED_NOTE = (
    "Fed: bf16 arithmetic done by what is usable on powered GPUs. Stranded: the part of the hours at work that memory "
    "or a latency promise keeps idle, with its running cost and lease."
)


def blocks(plan: Plan) -> Iterator[Grid]:
    """All blocks that have lines."""
    makers: Sequence[Callable[[Plan], Grid]] = (
        _funnel, _statement, _break_even, _orders, _investments, _depreciation, _tools, _exploration,
        _exploration_cap, _bundles, _stranded, _footprint, _rescue, _churn,
    )  # fmt: skip
    if plan.answered:
        yield from (block for make in makers if (block := make(plan)).rows)


def _funnel(plan: Plan) -> Grid:
    """Stages with the names of those who left there; nothing if nobody left."""
    exits = plan.document["funnel_exits"]
    stages = plan.document["funnel"] if any(row["reason"] for row in exits) else ()
    following = [row["stage"] for row in stages][1:]
    gone = {after: [r["workflow"] for r in exits if r["stage"] == row["stage"] and r["reason"]]
            for row, after in zip(stages, following, strict=False)}  # fmt: skip
    lines = [
        (row["stage"], ", ".join(gone.get(row["stage"], ())), f"{row['workflows']}", _usd(plan, row["value_usd"]))
        for row in stages
    ]
    return grid_of(
        "Funnel of the portfolio", ("still in", "left before it", "workflows", "worth"), lines, left=2, folds=2
    )


def _statement(plan: Plan) -> Grid:
    """A line per workflow, the columns that have cash."""
    cash: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan.document["statement"]:
        if row["period"] == "":
            cash[row["workflow"], row["line"]] += row["cash_usd"] or 0.0
    shown = [name for name, terms in COLUMNS.items() if any(cash.get((w, t)) for w, _ in list(cash) for t in terms)]
    lines = [
        (w, *(_usd(plan, sum(cash.get((w, t), 0.0) for t in COLUMNS[name])) for name in shown),
         _usd(plan, cash[w, RENT]) if (w, RENT) in cash else "-")
        for w in dict.fromkeys(w for w, _ in cash)
    ]  # fmt: skip
    return grid_of("Income statement, cash over the horizon", ("workflow", *shown, "rent"), lines, note=STATEMENT_NOTE)


def _break_even(plan: Plan) -> Grid:
    """The last period of each workflow that may be served either way."""
    last = {r["workflow"]: r for r in plan.document["unit_economics"] if r["api"] or r["note"].startswith("even")}
    lines = []
    for w, row in last.items():
        tasks = number(row["break_even_tasks"]) if row["break_even_tasks"] else "never"
        lines.append((w, row["source"] or row["note"], _usd(plan, row["usd_per_mtok_own"]),
                      _usd(plan, row["usd_per_mtok_api"]), tasks, number(row["demand"])))  # fmt: skip
    columns = ("workflow", "at", "own\nper Mtok", "API\nper Mtok", "break-even\ntasks", "tasks\nasked for")
    note = (
        "in the last period, what is paid or fetched once spread over all that is made on own GPUs; break-even: tasks "
        "a period from which a replica of one's own costs less than the API"
    )
    return grid_of("Owning against the API", columns, lines, left=2, folds=2, note=note)


def _orders(plan: Plan) -> Grid:
    lines = [
        (row["kind"], row["name"], row["period"], f"{row['amount']}", _usd(plan, row["usd"]))
        for row in plan.document["decisions"]
        if row["kind"] != "launch"
    ]
    note = "cost: cash over the horizon, what is received taken off"
    return grid_of("To order and adopt", ("do", "what", "when", "lots", "cost"), lines, left=3, note=note)


def _investments(plan: Plan) -> Grid:
    lines = []
    for row in plan.document["investments"]:
        serves = ", ".join(f"{w} {percent(share)}" for w, share in row["serves"].items())
        serves = serves or "nobody" if row["lots"] else "not taken"
        said = verdict(row["gain_low"], row["gain_high"], taken=row["lots"] > 0, possible=row["method"] != RULED_OUT)
        back = "-" if row["payback_periods"] is None else str(row["payback_periods"])
        lines.append((row["offer"], serves, said, f"{row['lots']}", _usd(plan, row["capex_usd"]),
                      _usd(plan, row["gain_usd"]), _gain(plan, row), back))  # fmt: skip
    columns = ("offer", "serves", "verdict", "lots", "capex", "gain", "between", "payback")
    return grid_of("Does it pay?", columns, lines, left=3, folds=2, note=GAIN_NOTE)


def _depreciation(plan: Plan) -> Grid:
    """A line per order: what it loses by the end of the horizon, and what it is then worth."""
    orders: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in plan.document["depreciation"]:
        orders[row["offer"], row["order"]].append(row)
    lines = []
    for (offer, order), rows in orders.items():
        lost = None if rows[-1]["usd"] is None else sum(row["usd"] for row in rows)
        lines.append((offer, order, rows[0]["method"], _usd(plan, lost), _usd(plan, rows[-1]["book_usd"])))
    columns = ("offer", "ordered", "depreciates", "over the horizon", "worth at its end")
    return grid_of("On the books", columns, lines, left=3, note=BOOKS_NOTE)


def _tools(plan: Plan) -> Grid:
    lines = [
        (row["tool"], "adopted" if row["adopted"] else "left out", row["verdict"], _usd(plan, row["usd"]),
         _usd(plan, row["gain_usd"]), _gain(plan, row), _usd(plan, row["usd_per_mtok_with"]),
         _usd(plan, row["usd_per_mtok_without"]))
        for row in plan.document["tool_verdicts"]
    ]  # fmt: skip
    columns = ("tool", "is", "verdict", "costs", "gain", "between", "per Mtok\nwith", "per Mtok\nwithout")
    return grid_of("Tools", columns, lines, left=3, note=GAIN_NOTE)


def _exploration(plan: Plan) -> Grid:
    lines = [
        (", ".join(row["workflows"]), percent(row["share"]), _usd(plan, row["net_usd"]), _usd(plan, row["cost_usd"]),
         _between(plan, row["cost_low"], row["cost_high"]))
        for row in plan.document["exploration"]
    ]  # fmt: skip
    columns = ("not proven yet", "of GPU-hours", "earns", "costs others", "between")
    note = "costs others: what they would earn without it, less what they earn beside it, by solving again"
    return grid_of("Exploration", columns, lines, note=note)


def _exploration_cap(plan: Plan) -> Grid:
    lines = [
        (percent(row["share"]), _usd(plan, row["npv_with"]), _usd(plan, row["npv_without"]),
         _usd(plan, row["cost_usd"]), _between(plan, row["cost_low"], row["cost_high"]), row["method"])
        for row in plan.document["exploration_cap"]
    ]  # fmt: skip
    columns = ("at most", "earns with it", "without it", "costs", "between", "")
    note = "at most: of the GPU-hours there are, in the tightest period; costs: what lifting the limit would earn"
    return grid_of("The limit on exploration", columns, lines, note=note)


def _bundles(plan: Plan) -> Grid:
    taken: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in plan.document["bundles"]:
        taken[row["workflow"], row["bundle"]].append(row["period"])
    lines = [(w, bundle, spans(at, plan.document["periods"])) for (w, bundle), at in taken.items()]
    return grid_of("Bundles", ("workflow", "bundle", "when"), lines, left=3)


def _stranded(plan: Plan) -> Grid:
    """By pool over the horizon; pools of which nothing is known are left out."""
    lines = []
    for pool, rows in grouped(plan.document["stranded"], "pool"):
        whole = [r for r in rows if not r["endpoint"] and r["stranded_share"] is not None]
        hours = sum(r["gpu_hours"] for r in whole)
        if hours:
            fed = [r["fed_share"] for r in whole]
            share = None if None in fed else sum(r["gpu_hours"] * r["fed_share"] for r in whole) / hours
            stranded = sum(r["gpu_hours"] * r["stranded_share"] for r in whole) / hours
            usd = sum(r["stranded_usd"] for r in whole)
            lines.append((pool, _bound_by(whole), number(hours), percent(share), percent(stranded), _usd(plan, usd)))
    columns = ("pool", "bound by", "GPU-hours", "fed", "stranded", "paid for it")
    return grid_of("Compute that cannot be fed", columns, lines, left=2, note=STRANDED_NOTE)


def _bound_by(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(r["bound_by"] for r in rows))


def _footprint(plan: Plan) -> Grid:
    """Sites over the horizon, where any states carbon or water."""
    lines = []
    stated = any(r["t_co2"] or r["m3"] for r in plan.document["footprint"])
    for site, rows in grouped(plan.document["footprint"] if stated else (), "site"):
        lines.append((site, *(_total(rows, key) for key in ("mwh", "t_co2", "m3"))))
    return grid_of("Footprint over the horizon", ("site", "MWh", "t CO2e", "m3 of water"), lines)


def _total(rows: Iterable[Row], key: str) -> str:
    """Sum of a figure; '-' where a period does not state it, which is not nothing."""
    figures = [r[key] for r in rows]
    return "-" if None in figures else number(sum(figures))


def _rescue(plan: Plan) -> Grid:
    """After each loss the share of each workflow that is still served, in its worst period."""
    served: dict[tuple[str, str], float] = defaultdict(float)
    saved: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in plan.document["serving"]:
        served[row["workflow"], row["period"]] += row["served"]
    for row in plan.document["rescue"]:
        saved[row["loss"], row["workflow"], row["period"]] += row["rescued"]
    worst: dict[tuple[str, str], float] = {}
    for (loss, w, t), tasks in saved.items():
        if served.get((w, t)):
            worst[loss, w] = min(worst.get((loss, w), 1.0), tasks / served[w, t])
    lines: list[Cells] = [(loss, w, percent(share)) for (loss, w), share in worst.items()]
    return grid_of("Still served after a loss, in the worst period", ("loss", "workflow", "share"), lines, left=2)


def _churn(plan: Plan) -> Grid:
    """Replicas and workflows that come and go, where moves cost or a previous plan is given."""
    changes = plan.document["changes"]
    given = plan.document["moves"] or any((r["kind"], r["against"]) == ("replicas", "previous plan") for r in changes)
    lines = []
    for t, rows in grouped(sorted(changes, key=lambda r: str(r["period"])) if given else (), "period"):
        counts = (
            sum(r[way] for r in rows if r["kind"] == kind) for kind in ("replicas", "funded") for way in ("up", "down")
        )
        lines.append((t, *map(str, counts)))
    columns = ("period", "replicas up", "replicas down", "workflows in", "workflows out")
    return grid_of("Changes against the period before, first against the previous plan", columns, lines)


def _gain(plan: Plan, row: Row) -> str:
    return _between(plan, row["gain_low"], row["gain_high"])


def _between(plan: Plan, low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "-"
    if low is None:
        return f"at most {_usd(plan, high)}"
    return f"at least {_usd(plan, low)}" if high is None else f"{_usd(plan, low)} to {_usd(plan, high)}"


def _usd(plan: Plan, amount: float | None) -> str:
    return money(amount, plan.document["currency"])
