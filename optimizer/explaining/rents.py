"""Scarcity rent at the margin: each workflow's use of scarce lots, at what one more of them earns.

By owner and never by row: a node that fills GPUs and memory is counted once, and lots that earn nothing alone carry
no rent, however much they earn in a bundle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from optimizer.asking.asker import Asker
from optimizer.asking.interval import Evidence, Interval
from optimizer.engine.program import Floats
from optimizer.explaining.limits import Limits, more
from optimizer.explaining.lot import Lot
from optimizer.explaining.owners import average_price
from optimizer.explaining.study import Study, Used
from optimizer.formulation.data import Period
from optimizer.plan.sharing import users
from optimizer.plan.statement import AT_MARGIN
from optimizer.plan.use import Use

Row = dict[str, Any]
OWN = ("serve", "api", "retrain", "exploring", "fund", "launch", "tranche", "choose")  # named by workflow first
NOTE = "present value over the horizon, not part of net: lots in use, at the average price of one more"
NOTHING = 1e-9  # lots


@dataclass(frozen=True)
class Shares:
    """Whose each decision is at a plan: a workflow's own, or by the time that is kept for it."""

    study: Study
    x: Floats

    @cached_property
    def use(self) -> Use:
        """The plan, read the way a planner asks."""
        values: dict[str, dict[Any, float]] = {name: {} for name, _ in self.study.program.cols}
        for (name, key), value in zip(self.study.program.cols, self.x.tolist(), strict=True):
            values[name][key] = value
        return Use(self.study.data, values)

    def used(self, row: Used) -> Mapping[str, float]:
        """What each workflow uses of a row, in its unit; what nobody keeps is left out."""
        program, found = self.study.program, defaultdict[str, float](float)
        for j in range(program.start[row.at], program.start[row.at + 1]):
            amount = float(program.value[j] * self.x[program.index[j]])
            if amount:
                for w, part in self._parts(*program.cols[int(program.index[j])]).items():
                    found[w] += part * amount
        return found

    def _parts(self, name: str, key: Any) -> Mapping[str, float]:
        d = self.study.data
        if name in OWN:
            return {key[0]: 1.0}
        if name == "replicas" and self.use.there(*key):  # less than half a replica is the solver's dust
            return {w: self.use.held.get((*key, w), 0.0) / self.use.there(*key) for w in d.workflows_on[key[0]]}
        if name in ("powered", "layout"):
            return self._by_hours(name, key[0], key[-1])
        return users(self.use, *key) if name == "adopt" else {}

    def _by_hours(self, name: str, p: str, t: str) -> Mapping[str, float]:
        """Of GPUs that are powered or cut, by the GPU-hours kept for each."""
        pool, d = self.study.data.pools[p], self.study.data
        each = pool.node if name == "powered" else pool.layout_gpus
        gpus = each * sum(n for key, n in self.use.values[name].items() if (key[0], key[-1]) == (p, t))
        there = gpus * d.calendar.hours[Period(t)]
        return {w: min(1.0, self.use.gpu_hours.get((p, t, w), 0.0) / there) for w in d.workflows}


def rents(limits: Limits, x: Floats, asker: Asker) -> list[Row]:
    """One line of the income statement per workflow, with the owners whose lots it is made of."""
    shares = Shares(limits.study, x)
    lots_used = {lot: used for lot in limits.lots() if (used := _lots_used(limits, shares, lot))}
    return [_rent(w, lots_used, asker) for w in limits.study.data.workflows]


def _rent(w: str, lots_used: Mapping[Lot, Mapping[str, float]], asker: Asker) -> Row:
    parts, unknown, names = [], [], []
    total = Interval(0.0, 0.0)
    for lot, used in lots_used.items():
        many, price = used.get(w, 0.0), average_price(asker, lot)
        if many <= NOTHING:
            continue
        if price is None:
            unknown.append(lot.owner)
            continue
        each, k = price[0].at_least(0.0), price[1]
        usd = each.times(many)
        total = Interval(total.low + usd.low, total.high + usd.high)
        names.append(more(lot, k))
        parts.append({"owner": lot.owner, "lot": lot.text, "lots": many, "price_usd": each.json(), "usd": usd.json()})
    found = Interval(total.low, np.inf) if unknown else total
    return {
        "workflow": w, "line": AT_MARGIN, "period": "", "usd": found.json(), "in_net": False, "note": NOTE,
        "owners": sorted(parts, key=lambda part: -(part["usd"][0] or 0.0)), "not_asked": unknown,
        **(asker.evidence(*names) if names else Evidence("it uses nothing scarce", 0, 0.0)).json(),
    }  # fmt: skip


def _lots_used(limits: Limits, shares: Shares, lot: Lot) -> Mapping[str, float]:
    """Lots of an owner that each workflow uses: the mean over the periods in which one more could earn."""
    if lot.estimated:
        return {}
    rows = list(_measures(limits, lot))
    found: dict[str, float] = defaultdict(float)
    for row in rows:
        for w, used in shares.used(row).items():
            found[w] += used / lot.families[row.family.name] / len(rows)
    return found


def _measures(limits: Limits, lot: Lot) -> Iterator[Used]:
    """By period the one row that an owner is measured by: the plainest that it feeds, of several the fullest."""
    rows = [row for row in limits.of(lot) if row.family.kind in ("capacity", "limit")]
    for t in dict.fromkeys(row.period for row in rows if limits.telling(row)):
        yield min((row for row in rows if row.period == t), key=lambda row: (len(row.key), -_fullness(row)))


def _fullness(row: Used) -> float:
    return row.used / row.capacity if row.capacity > 0 else 0.0
