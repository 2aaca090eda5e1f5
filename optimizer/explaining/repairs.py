"""The cheapest ways out of a conflict: whole lots where relief is declared, else rows by what they lack.

A lot is bought once by its owner and covers every row that it feeds, in all periods; it brings what it costs to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

from optimizer.asking.changes import Slack, elastic, roomier
from optimizer.engine.program import Program
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.solver import Control
from optimizer.explaining.lot import Lot
from optimizer.explaining.members import Member, Rules
from optimizer.explaining.study import Study
from optimizer.plan.figures import listed

Row = dict[str, Any]
REPAIRS = 3
TRIES = 6  # of which not all need hold
SECONDS = 10.0  # at one of them
DUST = 1e-6
MARGIN = 1e-7  # relative: a row is relaxed by that more than it lacks
UNPRICED = 100.0  # weight of all of a limit that has no price, where the dearest lot weighs one


class Way(NamedTuple):
    """What may give way: lots of one owner, or one row. `room` is by row, for one lot or one unit."""

    owner: str
    room: Mapping[int, float]
    weight: float
    lot: Lot | None = None
    member: Member | None = None

    @property
    def priced(self) -> bool:
        """Whether money is known for it."""
        return self.lot is not None and self.lot.usd_per_lot is not None

    @property
    def slack(self) -> Slack:
        """For the elastic program; as many lots as are declared."""
        most = float(self.lot.max_lots) if self.lot is not None and self.lot.declared else np.inf
        return Slack(self.room, self.weight, most, whole=self.lot is not None)


Given = Sequence[tuple[Way, float]]  # lots, or units of a row
Holds = Callable[[Program], bool | None]


@dataclass(frozen=True)
class Repairs:
    """The search for what to loosen, in the time of `control`; `holds` tells whether a program has any plan."""

    rules: Rules
    control: Control
    holds: Holds

    @property
    def study(self) -> Study:
        """What is repaired."""
        return self.rules.study

    def cheapest(self, conflict: Sequence[Member]) -> Iterator[Row]:
        """Distinct repairs; each avoids what the ones before it gave way in of the conflict. One that turns out not to
        repair, because of what its lots need themselves, is left out."""
        offered, at = self._ways(), {m.at for m in conflict}
        found = 0
        for _ in range(TRIES):
            given = self._given(offered)
            if found == REPAIRS or not given or self.control.over:
                return
            holds = self.holds(self._repaired(given))
            if holds is not False:
                found += 1
                yield self._row(given, holds)
            owners = {way.owner for way, _ in given if at & set(way.room)} or {way.owner for way, _ in given}
            offered = [way for way in offered if way.owner not in owners]

    def _ways(self) -> list[Way]:
        """Lots of pools and of whoever declares relief; every other row by itself."""
        members = self.rules.members()
        owned = [lot for lot in self.study.lots if lot.declared or lot.owner.startswith("pools.")]
        dearest = max((lot.usd_per_lot or 0.0 for lot in owned), default=0.0) or 1.0
        ways = [
            way for lot in owned
            if not self.control.over and any(lot.owns(m.family.name, m.key) for m in members)
            for way in self._by_lots(lot, dearest)
        ]  # fmt: skip
        fed = {at for way in ways for at in way.room if way.lot is not None and self._feeds(way.lot, at)}
        return [*ways, *(self._by_row(m) for m in members if m.at not in fed)]

    def _by_lots(self, lot: Lot, dearest: float) -> Iterator[Way]:
        room = self._room(lot)
        if any(amount > 0 for amount in room.values()):
            weight = UNPRICED if lot.usd_per_lot is None else lot.usd_per_lot / dearest
            yield Way(lot.owner, room, weight, lot)

    def _by_row(self, m: Member) -> Way:
        return Way(m.owner, {m.at: 1.0}, UNPRICED / max(self.rules.there(m), 1.0), member=m)

    def _feeds(self, lot: Lot, at: int) -> bool:
        name, key = self.study.program.rows[at]
        return lot.owns(name, key if isinstance(key, tuple) else (str(key),))

    def _room(self, lot: Lot) -> Mapping[int, float]:
        """What one lot changes of each row, in all periods: room that it gives, and what it takes to run."""
        before, after = self.study.program, self.study.with_lots(lot, 1)
        at, ends, others = {name: i for i, name in enumerate(after.rows)}, _ends(before), _ends(after)
        return {
            i: others[at[name]] - ends[i]
            for i, name in enumerate(before.rows)
            if name in at and isfinite(ends[i]) and others[at[name]] not in (inf, ends[i])
        }

    def _given(self, offered: Sequence[Way]) -> Given:
        """The least that has to give way: of what has a price if that will do, else of all."""
        return self._least([way for way in offered if way.priced]) or self._least(offered)

    def _least(self, ways: Sequence[Way]) -> Given:
        if not ways:
            return []
        program = elastic(self.study.program, [way.slack for way in ways])
        scaled = scale(program)
        verdict = search(scaled.program, self.control.quietly(SECONDS, 1e-6), None)
        if verdict.x is None:
            return []
        amounts = program.rounded(verdict.x * scaled.unit)[-len(ways) :].tolist()
        return [(way, amount) for way, amount in zip(ways, amounts, strict=True) if amount > self._dust(way)]

    def _dust(self, way: Way) -> float:
        return DUST * max(1.0, 0.0 if way.member is None else self.rules.there(way.member))

    def _repaired(self, given: Given) -> Program:
        """The program of the instance with these lots, and rows relaxed."""
        program = self.study.with_all({way.lot: round(n) for way, n in given if way.lot is not None})
        at = {name: i for i, name in enumerate(program.rows)}
        for way, amount in given:
            if way.member is not None:
                program = roomier(program, [at[self.study.program.rows[way.member.at]]], amount * (1 + MARGIN))
        return program

    def _row(self, given: Given, holds: bool | None) -> Row:
        lots = [(way.lot, round(n)) for way, n in given if way.lot is not None]
        priced = all(way.priced for way, _ in given)
        return {
            "changes": [change for way, amount in given for change in self._changes(way, amount)],
            "lots": [{"owner": lot.owner, "lots": n, "lot": lot.text, "usd_per_lot": lot.usd_per_lot,
                      "decides": lot.decides} for lot, n in lots],
            "words": self._words(given),
            "relief_usd": sum(n * (lot.usd_per_lot or 0.0) for lot, n in lots) if priced else None,
            "verified": bool(holds),
        }  # fmt: skip

    def _changes(self, way: Way, amount: float) -> Iterator[Row]:
        """Rows that are given room, in their units."""
        more = amount * (1 + MARGIN) if way.lot is None else round(amount)
        for m in self.rules.members():
            room = way.room.get(m.at, 0.0)
            if room > 0:
                there = self.rules.there(m)
                yield {"row": m.name, "amount": room * more, "unit": m.family.unit,
                       "share": room * more / there if there else None}  # fmt: skip

    def _words(self, given: Given) -> str:
        """Lots by owner, then rows, alike changes of several periods together."""
        said = [_lots(way.lot, round(n)) for way, n in given if way.lot is not None]
        groups: dict[tuple[str, str], list[Member]] = {}
        for way, amount in given:
            if (m := way.member) is not None:
                by = f"by {self.rules.amount(amount, m)}"
                verb = f"raise|{by}" if m.family.kind != "floor" else "drop|" if "must fund" in m.key else f"lower|{by}"
                groups.setdefault((verb, m.owner), []).append(m)
        for (way_of, _), members in groups.items():
            verb, _, by = way_of.partition("|")
            said.append(" ".join(filter(None, (verb, self.rules.named(members), by))))
        return listed(said)


def _ends(program: Program) -> list[float]:
    """Of each row the end that limits it, so that more of it is more room; inf where nothing does."""
    found: list[float] = np.where(np.isfinite(program.row_upper), program.row_upper, -program.row_lower).tolist()
    return found


def _lots(lot: Lot, n: int) -> str:
    """`2 x 1 node of 8 GPUs more at pools.ash-h100 (procurement decides)`."""
    many = f"{n} x " if n > 1 else ""
    return f"{many}{lot.text} more at {lot.owner}" + (f" ({lot.decides} decides)" if lot.decides else "")
