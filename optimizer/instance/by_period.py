"""What changes from period to period: one number, one per period, or steps that hold until the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import core_schema

from optimizer.instance.faults import Misfit, Misfits, closest
from optimizer.instance.quantity import Unit, plain, shown, unboxed

Given = float | tuple[float, ...] | Mapping[str, float]

HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 730.0,
         "quarter": 2190.0, "year": 8760.0}  # fmt: skip
_RATE = re.compile(r"(.*?)\s+per\s+(\w+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ByPeriod:
    """Numbers over the horizon, in one unit: a constant, one per period, or period -> value as steps."""

    given: Given

    @classmethod
    def read(cls, value: object, unit: Unit) -> ByPeriod:
        """Numbers in `unit` from what the file states; all that are wrong are named at once."""
        if isinstance(value, ByPeriod):
            return cls.read(value.given, unit)
        value = unboxed(value)
        if isinstance(value, Mapping):
            if not value:
                raise Misfits(Misfit((), "is empty, expected period: number"))
            return cls(dict(_each(unit.read, ((str(k), v) for k, v in value.items()))))
        if isinstance(value, Sequence) and not isinstance(value, str):
            if not value:
                raise Misfits(Misfit((), "is empty, expected a number, or one per period"))
            return cls(tuple(number for _, number in _each(unit.read, enumerate(value))))
        return cls(unit.read(value))

    @classmethod
    def core_schema(cls, unit: Unit) -> core_schema.CoreSchema:
        """How the shape library reads and writes numbers by period in a unit."""
        return core_schema.no_info_plain_validator_function(
            lambda value: cls.read(value, unit),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.dump),
            metadata={"by_period": True},
        )

    def dump(self) -> Any:
        """The same as plain data."""
        if isinstance(self.given, Mapping):
            return {period: plain(number) for period, number in self.given.items()}
        return [plain(n) for n in self.given] if isinstance(self.given, tuple) else plain(self.given)

    @property
    def numbers(self) -> tuple[float, ...]:
        """Every number stated."""
        if isinstance(self.given, Mapping):
            return tuple(self.given.values())
        return self.given if isinstance(self.given, tuple) else (self.given,)

    def misfits(self, periods: Sequence[str]) -> Iterator[Misfit]:
        """Why this cannot be laid over these periods, if it cannot."""
        if isinstance(self.given, tuple) and len(self.given) != len(periods):
            yield Misfit((), f"lists {len(self.given)} values, expected {len(periods)}, one per period")
        if isinstance(self.given, Mapping):
            for period in self.given.keys() - set(periods):
                message = f"names period '{period}', which the horizon {periods[0]} to {periods[-1]} has not"
                yield Misfit((period,), message, closest(period, periods))
            if periods[0] not in self.given and self.given.keys() <= set(periods):
                first = min(self.given, key=list(periods).index)
                yield Misfit((), f"says nothing before {first}", f"add {periods[0]}: 0")

    def resolve(self, periods: Sequence[str]) -> tuple[float, ...]:
        """One number per period, in the unit it was read in."""
        wrong = tuple(self.misfits(periods))
        if wrong:
            raise Misfits(*wrong)
        if isinstance(self.given, tuple):
            return self.given
        if not isinstance(self.given, Mapping):
            return (self.given,) * len(periods)
        held: list[float] = []
        for period in periods:
            held.append(self.given[period] if period in self.given else held[-1])
        return tuple(held)


@dataclass(frozen=True, slots=True)
class Demand:
    """Tasks that arrive: amounts over the horizon, each per `per` (period, horizon, or a length of time)."""

    amount: ByPeriod
    per: str = "period"

    @classmethod
    def read(cls, value: object) -> Demand:
        """Tasks from "900k per period", a number per period, or either by period."""
        if isinstance(value, Demand):
            return value
        rates: set[str] = set()
        amount = ByPeriod.read(_map(value, lambda v: _split(v, rates)), Unit("task"))
        if len(rates) > 1:
            raise Misfits(Misfit((), f"mixes {' and '.join(sorted(rates))}, expected one 'per' throughout"))
        per = rates.pop() if rates else "period"
        if per == "horizon" and not isinstance(amount.given, float):
            raise Misfits(Misfit((), "is per horizon, expected one amount for all of it"))
        return cls(amount, per)

    def dump(self) -> Any:
        """The same as plain data."""
        given = self.amount.dump()
        return given if self.per == "period" else _map(given, lambda v: f"{v!r} per {self.per}")

    @property
    def job(self) -> bool:
        """One total for the whole window rather than a stream."""
        return self.per == "horizon"

    def resolve(self, periods: Sequence[str], hours: Sequence[float]) -> tuple[float, ...]:
        """Tasks in each period (for a job: its total in each); a month counts 730 h, a year 8,760 h."""
        amounts = self.amount.resolve(periods)
        if self.per not in HOURS:
            return amounts
        return tuple(a * h / HOURS[self.per] for a, h in zip(amounts, hours, strict=True))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        dump = core_schema.plain_serializer_function_ser_schema(cls.dump)
        return core_schema.no_info_plain_validator_function(cls.read, serialization=dump)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return Unit("task").json_by_period()


def _each(read: Callable[[object], float], items: Any) -> list[tuple[Any, float]]:
    numbers, wrong = [], []
    for at, value in items:
        try:
            numbers.append((at, read(value)))
        except Misfits as error:
            wrong += [Misfit((at, *m.at), m.message, m.maybe) for m in error.misfits]
    if wrong:
        raise Misfits(*wrong)
    return numbers


def _map(value: object, change: Callable[[Any], Any]) -> Any:
    value = unboxed(value)
    if isinstance(value, Mapping):
        return {k: change(v) for k, v in value.items()}
    return [change(v) for v in value] if isinstance(value, list | tuple) else change(value)


def _split(value: object, rates: set[str]) -> object:
    """The amount of "20k per day", its rate noted; anything else unchanged and per period."""
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found and found[2] not in {*HOURS, "period", "horizon"}:
        known = ", ".join(["period", "horizon", *HOURS])
        raise Misfits(Misfit((), f"is {shown(value)}, expected per one of {known}"))
    rates.add(found[2] if found else "period")
    return found[1] if found else value
