"""No plan exists: which rules cannot hold together, in the planner's words, and the cheapest ways out.

A deletion filter over rows of the whole-number program itself, families first, then owners, then single rows: what
can be left out while nothing can hold is left out, and what remains is a conflict of which no member can be spared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from optimizer.engine.program import Program
from optimizer.engine.revalue import FEASIBLE
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.solver import Control
from optimizer.explaining.changes import elastic, freed, roomier
from optimizer.explaining.places import Locate, where
from optimizer.explaining.study import Study
from optimizer.formulation.family import Family, Key
from optimizer.plan.conflict import arithmetic
from optimizer.plan.figures import WORDS, listed, number, spans

Row = dict[str, Any]
LOOK_SECONDS = 10.0  # at one question of the filter
REPAIRS = 3
DUST = 1e-6
WHOLE_LIMIT = 1e9  # weight of 100 % of a limit that has no price, so that priced relief goes first
MARGIN = 1e-7  # relative: a repair is rounded up by it


class Member(NamedTuple):
    """A row that may be given up, and where it stands in the program."""

    at: int
    family: Family
    key: Key

    @property
    def name(self) -> str:
        """As it is dropped."""
        return f"{self.family.name}[{','.join(self.key)}]"

    @property
    def owner(self) -> str:
        """What the row is about, its period aside."""
        return f"{self.family.name} {self.key[0]}"


FLOORS: Mapping[str, str] = {
    "service_floor": "the promises to",
    "replica_floor": "standing replicas of",
    "resilience_floor": "what must survive the loss of",
    "commitment_floor": "what was committed to",
}
LABELS: tuple[Callable[[Member], str], ...] = (lambda m: m.family.name, lambda m: m.owner, lambda m: m.name)


@dataclass(frozen=True)
class Doubt:
    """The rows of a program that cannot hold, and the clock."""

    study: Study
    control: Control

    def members(self) -> list[Member]:
        """Rows that may be offered; logic is never."""
        found = self.study.stated.families
        return [
            Member(self.study.row_at[f.name, row.key], f, row.key)
            for f in found
            if f.kind != "link" and f.name != "endpoint_capacity"
            for row in self.study.stated.rows[f.name]
            if f.name != "resilience_floor" or row.key[1] in self.study.data.workflows  # what survives does its best
        ]

    def holds(self, program: Program) -> bool | None:
        """Whether any plan exists; None if that was not decided in time."""
        bare = replace(program, cost=np.zeros_like(program.cost), offset=0.0)
        verdict = search(scale(bare).program, self.control.quietly(LOOK_SECONDS), None)
        return False if verdict.ending == "infeasible" else True if verdict.x is not None else None

    def smallest(self) -> tuple[list[Member], bool]:
        """A conflict of which no member can be spared, and whether that was proved."""
        program, kept, proved = self.study.program, self.members(), True
        for label in LABELS:
            for group in dict.fromkeys(map(label, kept)):
                out = {m.at for m in kept if label(m) == group}
                holds = self.holds(freed(program, out)) if not self.control.over else None
                proved &= holds is not None
                if holds is False:
                    program, kept = freed(program, out), [m for m in kept if m.at not in out]
        return kept, proved

    def repairs(self, conflict: Sequence[Member]) -> Iterator[Row]:
        """Distinct cheapest relaxations; each avoids a rule of the conflict that the ones before it gave way in."""
        offered = {m.at: m for m in self.members()}
        for _ in range(REPAIRS):
            found = self._cheapest(offered)
            if not found or self.control.over:
                return
            relaxed = self.study.program
            for member, amount in found:
                relaxed = roomier(relaxed, [member.at], amount)
            yield self._repair(found, self.holds(relaxed))
            given = {m.owner for m, _ in found} & {m.owner for m in conflict} or {m.owner for m, _ in found}
            offered = {at: m for at, m in offered.items() if m.owner not in given}

    def _cheapest(self, offered: Mapping[int, Member]) -> list[tuple[Member, float]]:
        if not offered:
            return []
        weight = {at: self._weight(m) for at, m in offered.items()}
        largest = max(weight.values())
        program = elastic(self.study.program, {at: w / largest for at, w in weight.items()})
        scaled = scale(program)
        verdict = search(scaled.program, self.control.quietly(LOOK_SECONDS, 1e-6), None)
        if verdict.x is None:
            return []
        x = program.rounded(verdict.x * scaled.unit)
        rows = [offered[key] for name, key in program.cols if name == "relaxed" and isinstance(key, int)]
        slacks = x[-len(rows) :].tolist()
        return [(m, s * (1 + MARGIN)) for m, s in zip(rows, slacks, strict=True) if s > DUST * max(1, self.limit(m))]

    def _weight(self, m: Member) -> float:
        """Money per unit of a row where relief is declared; else a whole limit is very dear."""
        lot = next((lot for lot in self.study.lots if lot.owns(m.family.name, m.key)), None)
        if lot is not None and lot.usd_per_lot is not None:
            return lot.usd_per_lot / lot.families[m.family.name]
        return WHOLE_LIMIT / max(self.limit(m), 1.0)

    def limit(self, m: Member) -> float:
        """What a row allows or asks for."""
        upper, lower = self.study.program.row_upper[m.at], self.study.program.row_lower[m.at]
        return abs(float(upper if np.isfinite(upper) else lower))

    def _repair(self, found: Sequence[tuple[Member, float]], holds: bool | None) -> Row:
        lots = {m.at: next((lot for lot in self.study.lots if lot.owns(m.family.name, m.key)), None) for m, _ in found}
        priced = all(lot is not None and lot.usd_per_lot is not None for lot in lots.values())
        usd = sum(self._weight(m) * amount for m, amount in found) if priced else None
        return {
            "changes": [
                {"row": m.name, "amount": s, "unit": m.family.unit,
                 "share": s / self.limit(m) if self.limit(m) else None}
                for m, s in found
            ],
            "words": _give(self, found),
            "relief_usd": usd,
            "verified": bool(holds),
        }  # fmt: skip

    def needed(self, conflict: Sequence[Member]) -> tuple[Member, float] | None:
        """The one limit of a conflict and how much more of it the other members need."""
        ceilings = [m for m in conflict if m.family.kind != "floor"] or list(conflict)
        others = {m.at for m in self.members()} - {m.at for m in conflict}
        program = elastic(freed(self.study.program, others), {ceilings[0].at: 1.0})
        scaled = scale(program)
        verdict = search(scaled.program, self.control.quietly(LOOK_SECONDS, 1e-6), None)
        if verdict.x is None or program.violation(verdict.x * scaled.unit) > FEASIBLE:
            return None
        return ceilings[0], float(program.rounded(verdict.x * scaled.unit)[-1])


def conflict(study: Study, locate: Locate, control: Control) -> Row:
    """Arithmetic first, then a minimal conflict in words with the places of its members, then repairs."""
    doubt = Doubt(study, control)
    members, proved = doubt.smallest()
    return {
        "reasons": list(arithmetic(study.data)),
        "sentence": _sentence(doubt, members) if members else "The decisions contradict each other whatever is dropped",
        "members": [
            {"row": m.name, "family": m.family.name, "where": where(locate, m.family.name, m.key)} for m in members
        ],
        "families": list(dict.fromkeys(m.family.name for m in members)),
        "smallest": proved,
        "repairs": list(doubt.repairs(members)),
    }


def _sentence(doubt: Doubt, members: Sequence[Member]) -> str:
    found = doubt.needed(members)
    if found is None:
        return f"These cannot all hold: {_named(doubt, members)}"
    limit, more = found
    others = _named(doubt, [m for m in members if m.at != limit.at])
    if limit.family.kind == "floor":
        return f"{_named(doubt, [limit])} cannot be kept" + (f" beside {others}" if others else "")
    there, unit = doubt.limit(limit), limit.family.unit
    need = f"{number(there + more)} {unit}" if there else f"{number(more)} {unit} more"
    return f"{others or 'what is fixed'} together need {need} of {_named(doubt, [limit])}, {number(there)} are there"


def _named(doubt: Doubt, members: Sequence[Member]) -> str:
    """Rows in words: those of one family and the same periods in one breath."""
    periods = doubt.study.data.calendar.periods
    when: dict[tuple[str, str], list[str]] = {}
    for m in members:
        when.setdefault((_family(m), _about(doubt, m)), []).append(m.family.period(m.key))
    who: dict[tuple[str, str], list[str]] = {}
    for (family, about), at in when.items():
        who.setdefault((family, spans(list(dict.fromkeys(filter(None, at))), periods)), []).append(about)
    return listed([
        " ".join(filter(None, (family, listed(about), f"in {at}" if at else ""))) for (family, at), about in who.items()
    ])  # fmt: skip


def _family(m: Member) -> str:
    return FLOORS.get(m.family.name, WORDS.get(m.family.name, m.family.name.replace("_", " ")))


def _about(doubt: Doubt, m: Member) -> str:
    """What a row is about, without the day part where there is only one."""
    parts = doubt.study.data.calendar.parts
    label = m.family.label(m.key).removesuffix(" must fund")
    return label.removesuffix(f" {parts[0]}") if len(parts) == 1 else label


def _give(doubt: Doubt, given: Sequence[tuple[Member, float]]) -> str:
    """What a repair changes, alike changes of several periods together."""
    groups: dict[tuple[str, str], list[Member]] = {}
    for m, amount in given:
        by = f"by {number(amount)} {m.family.unit}"
        way = f"raise|{by}" if m.family.kind != "floor" else "drop|" if "must fund" in m.key else f"lower|{by}"
        groups.setdefault((way, m.owner), []).append(m)
    words = []
    for (way, _), members in groups.items():
        verb, _, by = way.partition("|")
        words.append(" ".join(filter(None, (verb, _named(doubt, members), by))))
    return listed(words)
