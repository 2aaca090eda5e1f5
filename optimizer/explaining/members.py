"""Rows that a conflict is made of, in the planner's words and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from optimizer.explaining.steps import NODES
from optimizer.explaining.study import Study, Used
from optimizer.formulation.family import Family, Key
from optimizer.plan.figures import WORDS, listed, money, number, spans

PLURAL = ("lot", "replica", "task", "GPU-hour")
FLOORS: Mapping[str, str] = {
    "service_floor": "the promises to",
    "replica_floor": "standing replicas of",
    "resilience_floor": "what must survive the loss of",
    "commitment_floor": "what was committed to",
}


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


@dataclass(frozen=True, eq=False)
class Rules:
    """The rows of a study as its instance states them."""

    study: Study

    @cached_property
    def _stated(self) -> Mapping[int, Used]:
        """Rows where nothing is decided: what is used then is fixed, what is there is what the instance says."""
        return {row.at: row for row in self.study.used(np.zeros(self.study.program.cost.size))}

    def members(self) -> list[Member]:
        """Rows that may be offered; logic is never."""
        return [
            Member(self.study.row_at[f.name, row.key], f, row.key)
            for f in self.study.stated.families
            if f.kind != "link" and f.name != "endpoint_capacity"
            for row in self.study.stated.rows[f.name]
            if f.name != "resilience_floor" or row.key[1] in self.study.data.workflows  # what survives does its best
        ]

    def there(self, m: Member) -> float:
        """What the instance allows or asks for, whatever the program takes off or rounds up."""
        pools = self.study.data.pools
        rounded = pools[m.key[0]].node - 1 if m.family.name == "gpu_capacity" and m.key[-1] == NODES else 0
        return abs(self._stated[m.at].capacity - rounded)

    def needed(self, m: Member, more: float) -> float:
        """What is used of a limit that is short by so much."""
        return self._stated[m.at].capacity + more

    def of(self, amount: float, m: Member) -> str:
        """An amount of what a limit limits: `16 GPUs of ash-h100 in 2027Q1`."""
        words = self.named([m])
        counted = f"{m.family.unit}s ".lower()
        known = words.lower().startswith(counted)
        return f"{number(amount)} {words}" if known else f"{self.amount(amount, m)} of {words}"

    def amount(self, amount: float, m: Member) -> str:
        """An amount with its unit."""
        d, unit = self.study.data, m.family.unit
        if unit == "$":
            return money(amount, d.currency)
        if m.family.name == "resource_capacity":
            unit = d.resources[m.key[0]].unit
        return f"{number(amount)} {unit}{'s' if unit in (*PLURAL, 'GPU') and number(amount) != '1' else ''}"

    def named(self, members: Sequence[Member]) -> str:
        """Rows in words: those of one family and the same periods in one breath."""
        periods = self.study.data.calendar.periods
        when: dict[tuple[str, str], list[str]] = {}
        for m in members:
            when.setdefault((_family(m), self._about(m)), []).append(m.family.period(m.key))
        who: dict[tuple[str, str], list[str]] = {}
        for (family, about), at in when.items():
            who.setdefault((family, spans(list(dict.fromkeys(filter(None, at))), periods)), []).append(about)
        return listed([
            " ".join(filter(None, (family, listed(about), f"in {at}" if at else "")))
            for (family, at), about in who.items()
        ])  # fmt: skip

    def _about(self, m: Member) -> str:
        """What a row is about, without the day part where there is only one."""
        parts = self.study.data.calendar.parts
        label = m.family.label(m.key).removesuffix(" must fund").removesuffix(f" {NODES}")
        return label.removesuffix(f" {parts[0]}") if len(parts) == 1 else label


def _family(m: Member) -> str:
    return FLOORS.get(m.family.name, WORDS.get(m.family.name, m.family.name.replace("_", " ")))
