"""Scarcity rent at a placement: what each workflow would owe for full limits at their prices, whole numbers held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from optimizer.engine.prices import placement_prices
from optimizer.engine.program import Program
from optimizer.formulation.data import Data, Period
from optimizer.formulation.family import Family
from optimizer.plan.use import Sums, Values

USES = ("serve", "api", "tranche", "retrain", "exploring")  # decisions, workflow first, that use what is shared
PATIENCE_SECONDS = 2.0


def placement_rent(program: Program, values: Values, families: Iterable[Family], d: Data) -> Sums | None:
    """Cash by workflow and period: price x use, over every capacity and limit; None if there was no time for it.

    Promises and logic have no rent. Zero does not mean that nothing is scarce: a GPU that no replica could use in
    part has no price while replicas are held.
    """
    found = placement_prices(program, values, PATIENCE_SECONDS)
    if found is None:
        return None
    prices, x = found
    scarce = {f.name for f in families if f.kind in ("capacity", "limit")}
    charged = np.where([name in scarce for name, _ in program.rows], prices, 0.0)
    owed = np.bincount(program.index, charged[program.row_of] * program.value, x.size) * x
    rent: dict[tuple[str, ...], float] = defaultdict(float)
    for j in np.flatnonzero(owed):
        name, key = program.cols[j]
        if name in USES:
            w, t = _owner(key, d.calendar.periods)
            rent[w, t] += float(owed[j]) / d.calendar.discount[t]
    return rent


def _owner(key: Any, periods: Collection[Period]) -> tuple[str, Period]:
    """Workflow and period of a decision's key, wherever the period stands in it."""
    return key[0], next(Period(part) for part in key[1:] if part in periods)
