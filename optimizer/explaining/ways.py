"""The cheapest single change under which a workflow is funded and nobody is dropped."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from optimizer.asking.asker import Asker, Question, known
from optimizer.asking.changes import columns, forced, held
from optimizer.engine.program import Program
from optimizer.explaining.limits import Limits, more
from optimizer.explaining.lot import Lot
from optimizer.explaining.workflows import Flow, Reasons

Row = dict[str, Any]
TRIED = 3  # owners: of the rows that block it, then the dearest in the relaxation
STEPS = (1, 2, 4, 8)


def cheapest_change(about: Limits, why: Reasons, f: Flow, blocked: Row, asker: Asker, seconds: float) -> Row | None:
    """Lots of one owner with which the workflow fits beside everyone the plan funds; None if no single one helps."""
    found = []
    for lot in _promising(about, blocked)[:TRIED]:
        for n in (n for n in STEPS if n <= lot.max_lots):
            name = f"{f.of.id} beside all others with {more(lot, n)}"
            asker.ask([Question(name, partial(_beside, about, why, f, lot, n))], seconds / TRIED)
            if known(asker.answers.get(name)):
                found.append((n, lot, name))
                break
    if not found:
        return None
    n, lot, name = min(found, key=lambda each: _price(each[1], each[0]))
    gain = asker.gain(name)
    return {
        "owner": lot.owner,
        "lots": n,
        "lot": lot.text,
        "usd": None if lot.usd_per_lot is None else n * lot.usd_per_lot,
        "net_gain_usd": gain.json() if gain else None,
        **asker.evidence(name).json(),
    }


def _promising(about: Limits, blocked: Row) -> list[Lot]:
    """Owners of the rows that stand in its way first, then as they are ranked."""
    stops = {(each["family"], each["row"], each["period"]) for each in blocked["blocked_by"] or ()}
    at = {(row.family.name, row.family.label(row.key), row.period): row.at for row in about.rows}
    owners = {lot.owner for stop in stops if (lot := about.owner[at[stop]]) is not None}
    return sorted(about.lots(), key=lambda lot: lot.owner not in owners)


def _beside(about: Limits, why: Reasons, f: Flow, lot: Lot, n: int) -> Program:
    program = forced(about.study.with_lots(lot, n), f.of, f.target)
    funded = columns(program, "fund", lambda key: key[0] != f.of.id) & (why.x > 0.5)
    return held(program, np.asarray(funded), lower=1.0)


def _price(lot: Lot, n: int) -> float:
    return n * lot.usd_per_lot if lot.usd_per_lot is not None else float("inf")
