"""From the values of the decisions to the plan document."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from math import fsum
from typing import Any

from optimizer.engine.installed import release
from optimizer.engine.outcome import Outcome
from optimizer.engine.program import Program
from optimizer.engine.progress import relative_gap
from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Data
from optimizer.plan import choices, money, physical, tables
from optimizer.plan.economics import unit_economics
from optimizer.plan.loading import load
from optimizer.plan.plan import SCHEMA, TABLES, Document, Row, jsonable
from optimizer.plan.rent import placement_rent
from optimizer.plan.statement import statement
from optimizer.plan.use import Use
from optimizer.plan.verdicts import verdicts

CHOICES = {
    table.__name__: table
    for table in (
        choices.tools, choices.bundles, choices.hosting, choices.retraining, choices.rescue, choices.moves,
        choices.commitments, choices.changes, choices.depreciation,
    )
}  # fmt: skip
FULL = 0.99  # of a capacity: what is left is hardly of use to anyone


def header(outcome: Outcome, instance: Mapping[str, Any], options: Mapping[str, Any], data: Data) -> Document:
    """A plan without an allocation: how the solve ended, of what, with what; all tables but `candidates` empty."""
    dropped = [{name: getattr(c, name) for name in c.__slots__} for c in data.candidates]
    return jsonable({
        "schema": SCHEMA,
        "status": outcome.status,
        "objective_usd": None,
        "bound_usd": outcome.bound,
        "gap": None,
        "seconds": outcome.seconds,
        "versions": versions(outcome),
        "options": options,
        "scenario": None,
        "executable": False,
        "currency": data.currency,
        "periods": data.calendar.periods,
        "instance": instance,
        **dict.fromkeys(TABLES, ()),
        "candidates": dropped,
        "conflict": None,
        "verification": {"checked_rows": 0, "worst_violation": None, "passed": None},
        "notes": [*outcome.notes, *data.notes],
    })  # fmt: skip


def allocation(data: Data, stated: Formulation, program: Program, outcome: Outcome, gap: float) -> Document:
    """The keys of a plan that its decisions fill: objective, proof and every table but those of `studies`."""
    load(stated, outcome.values)
    use = Use(data, outcome.values)
    cash = money.allocate(stated, use)
    lines = money.ledger(stated, data)
    objective = fsum(line["usd"] for line in lines)
    bound = None if outcome.bound is None else max(outcome.bound, objective)  # above it by the solver's dust alone
    rent = placement_rent(program, outcome.values, stated.families, data)
    rows = [{**row, "full": is_full(row, data)} for row in tables.resources(stated)]
    return jsonable({
        "objective_usd": objective,
        "bound_usd": bound,
        "gap": relative_gap(objective, bound),
        "executable": stated.executable,
        "ledger": lines,
        "workflows": list(tables.workflows(use, cash)),
        "endpoints": list(tables.endpoints(use)),
        "serving": list(tables.serving(use)),
        "resources": rows,
        "decisions": list(choices.decisions(use)),
        **{name: list(table(use)) for name, table in CHOICES.items()},
        "pools": list(physical.pools(stated, use)),
        "layouts": list(physical.layouts(use)),
        "power": list(physical.power(stated, use)),
        "footprint": list(physical.footprint(stated, use)),
        "stranded": list(physical.stranded(use)),
        "allocation": money.rows(cash),
        "statement": list(statement(data, cash, rent)),
        "unit_economics": list(unit_economics(use, cash)),
        "verdicts": list(verdicts(use, cash, [row for row in rows if row["full"]], gap)),
    })  # fmt: skip


def is_full(row: Row, data: Data) -> bool:
    """Whether a capacity or limit has no room left: over 99 % used, or too little for the smallest replica."""
    if row["family"] == "endpoint_capacity" or row["family"].endswith("_floor") or row["used"] <= 0:
        return False
    if row["family"] == "exploration_limit" and row["row"]:  # counts the hours of one workflow, limits nothing
        return False
    least = (1 - FULL) * row["capacity"]
    if row["family"] == "gpu_capacity" and row["row"] in data.pools:
        least = max(least, FULL * min((data.endpoints[e].gpus for e in data.endpoints_at[row["row"]]), default=0.0))
    return bool(row["slack"] < least)


def versions(outcome: Outcome) -> dict[str, str]:
    """What solved it."""
    named = {name: release(name) for name in ("solvency", "pyomo", "highspy")}
    return {**named, "python": platform.python_version(), **outcome.versions}
