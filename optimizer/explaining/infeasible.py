"""No plan exists: which rules cannot hold together, in the planner's words, and the cheapest ways out.

A deletion filter over rows of the whole-number program itself, families first, then owners, then single rows: what
can be left out while nothing can hold is left out, and what remains is a conflict of which no member can be spared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from optimizer.asking.changes import Slack, elastic, freed
from optimizer.engine.program import Program
from optimizer.engine.revalue import FEASIBLE
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.solver import Control
from optimizer.explaining.members import Member, Rules
from optimizer.explaining.places import Locate, where
from optimizer.explaining.repairs import Repairs
from optimizer.explaining.study import Study
from optimizer.plan.conflict import arithmetic

Row = dict[str, Any]
LOOK_SECONDS = 10.0  # at one question of the filter
LABELS: tuple[Callable[[Member], str], ...] = (lambda m: m.family.name, lambda m: m.owner, lambda m: m.name)


@dataclass(frozen=True)
class Doubt:
    """The rows of a program that cannot hold, and the clock."""

    study: Study
    control: Control

    @cached_property
    def rules(self) -> Rules:
        """Its rows in words."""
        return Rules(self.study)

    def members(self) -> list[Member]:
        """Rows that may be offered."""
        return self.rules.members()

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

    def needed(self, conflict: Sequence[Member]) -> tuple[Member, float] | None:
        """The one limit of a conflict and how much more of it the other members need."""
        ceilings = [m for m in conflict if m.family.kind != "floor"] or list(conflict)
        others = {m.at for m in self.members()} - {m.at for m in conflict}
        program = elastic(freed(self.study.program, others), [Slack({ceilings[0].at: 1.0}, 1.0)])
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
        "repairs": list(Repairs(doubt.rules, control, doubt.holds).cheapest(members)),
    }


def _sentence(doubt: Doubt, members: Sequence[Member]) -> str:
    found, rules = doubt.needed(members), doubt.rules
    if found is None:
        return f"These cannot all hold: {rules.named(members)}"
    limit, more = found
    others = [m for m in members if m.at != limit.at]
    if limit.family.kind == "floor":
        return f"{rules.named([limit])} cannot be kept" + (f" beside {rules.named(others)}" if others else "")
    there, more_of = rules.there(limit), f"{rules.amount(more, limit)} more of {rules.named([limit])}"
    together = " together" if len({m.owner for m in others}) > 1 else ""
    who = f"{rules.named(others)}{together} need" if others else "what is fixed needs at least"
    need = rules.of(rules.needed(limit, more), limit) if there else more_of
    verb = "is" if limit.family.unit == "$" or there == 1 else "are"
    return f"{who} {need}, {rules.amount(there, limit)} {verb} there"
