"""Where the money goes: the ledger by term, and each workflow's part of it.

What a workflow alone causes (its value, its API tokens, its launch) is its own. What is shared (GPUs, electricity,
orders, tools) goes by use, see `sharing`; what nobody uses stays on the line `unallocated`. Workflow lines and
`unallocated` add up to the ledger, term by term and period by period.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import fsum

import pyomo.environ as pyo

from optimizer.formulation.build import Formulation, present_value
from optimizer.formulation.data import Data, Period
from optimizer.formulation.terms import TERMS
from optimizer.plan.plan import UNALLOCATED, Row
from optimizer.plan.sharing import SHARED
from optimizer.plan.use import Use

Cash = Mapping[tuple[str, str, str], float]  # workflow or `unallocated`, period, term -> cash


def ledger(stated: Formulation, data: Data) -> list[Row]:
    """Each term's present value and cash over the horizon; the former add up to the objective."""
    return [
        {
            "term": term,
            "usd": fsum(float(pyo.value(present_value(data, entry))) for entry in entries),
            "cash_usd": fsum(float(pyo.value(entry.cash)) for entry in entries),
        }
        for term, entries in stated.terms.items()
    ]


def allocate(stated: Formulation, use: Use, *, present: bool = False) -> Cash:
    """Cash (or present value) of every term by workflow and period, the rest on `unallocated`."""
    cash: dict[tuple[str, str, str], float] = defaultdict(float)
    for term in TERMS:
        for entry in stated.terms[term.name]:
            owner = entry.key[term.index.index("workflow")] if "workflow" in term.index else UNALLOCATED
            amount = present_value(use.data, entry) if present else entry.cash
            cash[owner, entry.period, term.name] += float(pyo.value(amount))
    for name, shares in SHARED.items():
        for w, t, part, factor in shares(use) if stated.terms[name] else ():
            today = use.data.calendar.discount[Period(t)] if factor is None else factor
            amount = part * today if present else part
            cash[w, t, name] += amount
            cash[UNALLOCATED, t, name] -= amount
    return cash


def rows(cash: Cash) -> list[Row]:
    """The allocation as a table, without its zeros."""
    return [
        {"workflow": w, "period": t, "term": term, "cash_usd": amount}
        for (w, t, term), amount in cash.items()
        if amount
    ]
