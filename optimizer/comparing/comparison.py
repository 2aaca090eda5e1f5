"""The difference of two plans as a document whose tables are also data frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from optimizer.comparing import tables
from optimizer.plan.plan import Document, Plan, Table, jsonable

SCHEMA = "solvency/comparison/1"
OF_DEMAND = ("workflows", "served")  # with blanks where there is no plan; of money and hardware there is nothing to say
SIDE = ("name", "scenario", "set", "drop", "status", "objective_usd", "bound_usd", "gap", "begun", "stopped")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Before and after: `workflows`, `served`, `ledger`, `moved`, `endpoints`, `limits`, `decisions` as frames."""

    document: Document

    workflows = Table(*tables.COLUMNS["workflows"])
    served = Table(*tables.COLUMNS["served"])
    ledger = Table(*tables.COLUMNS["ledger"])
    moved = Table(*tables.COLUMNS["moved"])
    endpoints = Table(*tables.COLUMNS["endpoints"])
    limits = Table(*tables.COLUMNS["limits"])
    decisions = Table(*tables.COLUMNS["decisions"])

    @property
    def change_usd(self) -> float | None:
        """Net value after less before, of the plans found; None if one side has no plan."""
        change: float | None = self.document["net"]["change"]
        return change

    def to_json(self) -> str:
        """The document as JSON, full precision."""
        return json.dumps(self.document, indent=1, ensure_ascii=False, allow_nan=False)


def compare(before: Plan | str | Path, after: Plan | str | Path) -> Comparison:
    """What is different in `after`; plans or files of plans, also of different instances.

    Money that is compared is present value where the ledger is meant and cash elsewhere, as in the plans. Periods,
    workflows and endpoints are matched by their ids.
    """
    a, b = (each.document if isinstance(each, Plan) else Plan.read(each).document for each in (before, after))
    both = all(side["objective_usd"] is not None for side in (a, b))
    return Comparison(
        jsonable({
            "schema": SCHEMA,
            "currency": b["currency"],
            "plans": [_side(a), _side(b)],
            "net": tables.net(a, b),
            "notes": list(_notes(a, b)),
            "periods": list(dict.fromkeys(row["period"] for side in (a, b) for row in side["pools"])),
            "conflicts": [a["conflict"], b["conflict"]],
            **{name: list(rows(a, b)) if both or name in OF_DEMAND else [] for name, rows in tables.MAKERS.items()},
        })
    )  # fmt: skip


def _side(plan: Document) -> Document:
    known = {**plan["options"], **plan, "name": plan["instance"]["name"]}
    return {name: known.get(name) for name in SIDE}


def _notes(a: Document, b: Document) -> list[str]:
    """What a reader must know before he takes one from the other."""
    notes = []
    if a["currency"] != b["currency"]:
        notes.append(f"money is in {a['currency']} before and in {b['currency']} after: amounts are not converted")
    first, second = ({row["period"] for row in side["pools"]} for side in (a, b))
    if first and second and first != second:
        alone = sorted(first ^ second)
        notes.append(f"the horizons differ: {', '.join(alone)} stand on one side only, and net value covers them")
    ended = [side["status"] for side in (a, b)]
    if any(status not in ("optimal", "infeasible") for status in ended):
        notes.append(f"not both are proved within their gap: {ended[0]} before, {ended[1]} after")
    return notes
