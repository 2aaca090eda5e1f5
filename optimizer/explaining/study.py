"""What is explained: the program of one instance, its plan, and every row in use with its owner's lot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import pyomo.environ as pyo

from optimizer.engine.compile import compile_model
from optimizer.engine.program import Floats, Program
from optimizer.explaining.lot import Lot
from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Data, Period
from optimizer.formulation.family import Family, Key
from optimizer.plan.build import is_full
from optimizer.solving import TAGS, formulated

FULL = 0.99  # of a capacity
PRIVATE = ("endpoint_capacity",)  # full by construction: replicas are sized to the work


class Used(NamedTuple):
    """One named row at the plan. `slack` is room left, or what a floor is exceeded by."""

    at: int  # position in the program
    family: Family
    key: Key
    capacity: float
    used: float
    slack: float
    full: bool

    @property
    def name(self) -> str:
        """As it is dropped: power_limit[ashburn,2027Q1,day]."""
        return f"{self.family.name}[{','.join(self.key)}]"

    @property
    def period(self) -> str:
        """Period it is about, or '' for none."""
        return self.family.period(self.key)


@dataclass(frozen=True, eq=False)
class Study:
    """An instance in numbers, what was left out of it, its program and the lots that it may be given."""

    data: Data
    drop: tuple[str, ...]
    extra: tuple[Family, ...]
    stated: Formulation
    program: Program
    lots: tuple[Lot, ...]

    def restated(self, data: Data) -> Program:
        """The program of changed data."""
        return program_of(formulated(data, self.drop, self.extra), data)

    def with_lots(self, lot: Lot, n: int, at: Collection[Period] = ()) -> Program:
        """The program with so many lots more (or fewer), in all periods unless some are named."""
        return self.restated(lot.add(self.data, n, at or self.data.calendar.periods))

    def with_all(self, many: Mapping[Lot, int]) -> Program:
        """The program with lots of several owners."""
        data = self.data
        for lot, n in many.items():
            data = lot.add(data, n, data.calendar.periods)
        return self.restated(data)

    @cached_property
    def row_at(self) -> Mapping[tuple[str, Key], int]:
        """Position of each row in the program."""
        return {(name, _key(key)): i for i, (name, key) in enumerate(self.program.rows)}

    def used(self, x: Floats) -> Sequence[Used]:
        """Every capacity, limit and floor at a plan; `full` those above 99 % of what there is."""
        for (name, key), value in zip(self.program.cols, x.tolist(), strict=True):
            self.stated.model.component(name)[key].set_value(value, skip_validation=True)
        return [
            self._used(family, row.key, float(pyo.value(row.used)), float(pyo.value(row.available)), row.sense)
            for family in self.stated.families
            if family.kind != "link" and family.name not in PRIVATE
            for row in self.stated.rows[family.name]
        ]

    def lot_of(self, row: Used) -> Lot | None:
        """The lot that its owner may be given, None if nobody owns it."""
        return next((lot for lot in self.lots if lot.owns(row.family.name, row.key)), None)

    def _used(self, family: Family, key: Key, used: float, capacity: float, sense: str) -> Used:
        slack = used - capacity if sense == ">=" else capacity - used
        shown = {"family": family.name, "row": family.label(key), "capacity": capacity, "used": used, "slack": slack}
        floor = family.kind == "floor" and slack <= (1 - FULL) * abs(capacity) and used > 0
        tight = floor or (sense != ">=" and is_full(shown, self.data))
        return Used(self.row_at[family.name, key], family, key, capacity, used, slack, tight)


def study(data: Data, drop: Iterable[str], extra: Sequence[Family], lots: tuple[Lot, ...]) -> Study:
    """State and compile what is to be explained."""
    stated = formulated(data, drop, extra)
    return Study(data, tuple(drop), tuple(extra), stated, program_of(stated, data), lots)


def program_of(stated: Formulation, data: Data) -> Program:
    """The compiled program of a formulation."""
    return compile_model(stated.model, tags=TAGS, periods=data.calendar.periods)


def without(study: Study, names: Iterable[str]) -> Study:
    """The same with more left out."""
    drop = (*study.drop, *names)
    stated = formulated(study.data, drop, study.extra)
    return replace(study, drop=drop, stated=stated, program=program_of(stated, study.data))


def _key(key: object) -> Key:
    return key if isinstance(key, tuple) else (str(key),)
