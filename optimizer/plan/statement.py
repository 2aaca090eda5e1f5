"""A small income statement per workflow: what it earns, what each cost takes of it, what is left."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.formulation.data import Data
from optimizer.formulation.terms import TERMS
from optimizer.plan.money import Cash
from optimizer.plan.plan import UNALLOCATED, Row
from optimizer.plan.use import Sums

AT_PLACEMENT = "scarcity_rent_at_this_placement"
AT_MARGIN = "scarcity_rent_at_the_margin"
HELD = "not part of net; prices with every whole number held, which hide what another replica would earn"
RESOLVE = "not part of net; what one more lot earns takes further solves: `rents` of `solvency explain`"
DUST = 1e-6  # of money; what is left of a cost that is shared out in full
NO_PRICES = "not part of net; the prices were not found in time"


def statement(d: Data, cash: Cash, rent: Sums | None) -> Iterator[Row]:
    """Lines of each workflow and of `unallocated`, by period, and over the horizon under period ''.

    The lines with `in_net` add up to the line `net`, and over all workflows and `unallocated` to the ledger's cash.
    Scarcity rent stands below the line. Terms without cash in a workflow are left out.
    """
    for owner in (*d.workflows, UNALLOCATED):
        for t in (*d.calendar.periods, ""):
            yield from _lines(d, cash, owner, t)
            if owner != UNALLOCATED and t == "":
                yield _line(owner, AT_PLACEMENT, "", _rent(rent, owner), HELD if rent is not None else NO_PRICES)
                yield _line(owner, AT_MARGIN, "", None, RESOLVE)


def _lines(d: Data, cash: Cash, owner: str, t: str) -> Iterator[Row]:
    periods = (t,) if t else d.calendar.periods
    net = 0.0
    for term in TERMS:
        amount = sum(cash.get((owner, u, term.name), 0.0) for u in periods)
        net += amount
        if abs(amount) > DUST:
            yield _line(owner, term.name, t, amount)
    if abs(net) > DUST or not t:
        yield {**_line(owner, "net", t, net), "note": "sum of the lines above"}


def _rent(rent: Sums | None, owner: str) -> float | None:
    return None if rent is None else sum(usd for (w, _), usd in rent.items() if w == owner)


def _line(owner: str, line: str, t: str, cash: float | None, note: str = "") -> Row:
    in_net = line not in ("net", AT_PLACEMENT, AT_MARGIN)
    return {"workflow": owner, "line": line, "period": t, "cash_usd": cash, "in_net": in_net, "note": note}
