"""Numbers with units: "12 MW", "8h", "50%", "2M", 260_000 become floats in the unit of their key."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from optimizer.instance.faults import Misfit, Misfits

if TYPE_CHECKING:
    from pint import UnitRegistry

_TEXT = re.compile(r"([-+]?[\d_]*\.?[\d_]+(?:[eE][-+]?\d+)?)\s*([kMBG](?=\s|$))?\s*(.*)", re.DOTALL)
# names with small powers, joined: pint would work out whatever else it is given, 9**9**9**9 too
_NAME = r"[A-Za-z][A-Za-z0-9]*(?:(?:\*\*|\^)-?[1-9](?!\d))?"
_UNIT = re.compile(rf"(?=.{{1,31}}$){_NAME}(?:(?:\s*[*/]\s*|\s+){_NAME})*")
_MULTIPLES = {None: 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "G": 1e9}
_COUNTED = {"", "USD", "GPU", "token", "task", "request", "lot", "rack"}  # a bare k or M can mean nothing else here
_PER_COUNTED = re.compile(r"/(GPU|task|request|lot|rack)\b")
MOST = 1e15  # beyond it a number is not exact any more, and no fleet has so many of anything


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit that a key's number stands in, and the bounds it must keep.

    Used as the metadata of an annotated float, int or ByPeriod; the empty label is a pure number and "%" a
    share, stored as a fraction.
    """

    label: str = ""
    low: float = 0.0
    high: float = math.inf
    above: float = -math.inf
    whole: bool = False

    def read(self, value: object) -> float:
        """A number in this unit; raises Misfits that say what was found and what was expected."""
        number = self._number(value)
        if not math.isfinite(number):
            raise _misfit(value, f"a finite number{self.words}")
        if self.whole and number != round(number):
            raise _misfit(value, f"a whole number{self.words}")
        if not self.low <= number <= self.high or number <= self.above:
            raise _misfit(value, self.bounds)
        if abs(number) > MOST:
            raise _misfit(value, f"a number of at most {MOST:g}{self.words}")
        return number

    def _number(self, value: object) -> float:
        value = unboxed(value)
        if isinstance(value, Real | Decimal) and not isinstance(value, bool):
            whole = isinstance(value, int)  # of which 10**400 is no float
            return float(max(-2 * MOST, min(value, 2 * MOST)) if whole else value)
        if not isinstance(value, str):
            raise _misfit(value, f"a number{self.words}" if self.label else "a number")
        text = value.strip()
        dollars = text.startswith("$") and self.label.startswith("USD")
        found = _TEXT.fullmatch(text.removeprefix("$") if dollars else text)
        if not found:
            maybe = text.replace(",", "_") if re.fullmatch(r"\d{1,3}(,\d{3})+", text) else ""
            raise _misfit(value, f"a number{self.words}", maybe)
        try:
            number = float(found[1])
        except ValueError:
            raise _misfit(value, f"a number{self.words}") from None
        factor = self._factor(value, found[2], ("USD" if dollars else "") + found[3].strip())
        return number if factor == 1 else float(f"{number * factor:.15g}")  # 95% is 0.95, not 0.9500000000000001

    def _factor(self, value: str, multiple: str | None, unit: str) -> float:
        if multiple and not unit and self.label.split("/")[0] not in _COUNTED:
            raise _misfit(value, f"a number{self.words}", f"{value} {self.label}")
        if unit in ("%", "percent") and self.label in ("", "%"):
            return 0.01
        if unit not in ("", self.label):
            return _MULTIPLES[multiple] * self._convert(value, unit)
        return _MULTIPLES[multiple]

    def _convert(self, value: str, unit: str) -> float:
        from pint.errors import PintError  # noqa: PLC0415  a third of a second, and most files do without

        if self.label in ("", "%") or not _UNIT.fullmatch(unit):
            raise _misfit(value, f"a number{self.words}")
        uncounted = _PER_COUNTED.sub("", self.label)  # 0.6 USD/h is for one GPU where USD/GPU/h is asked for
        for label in dict.fromkeys((self.label, uncounted)):
            with suppress(PintError, AttributeError, ValueError, OverflowError):
                none, one = (_registry().Quantity(n, unit).to(label).magnitude for n in (0.0, 1.0))
                if none == 0:  # not so of dBm, which is no multiple of anything
                    return float(one)
        raise _misfit(value, f"a number{self.words}")

    @property
    def words(self) -> str:
        """The unit as the end of a sentence."""
        return {"": "", "%": " such as 0.3 or 30%"}.get(self.label, f" in {self.label}")

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        unit = "" if self.label in ("", "%") else f" {self.label}"
        if self.above > -math.inf:
            return f"more than {self.above:g}{unit}" + (f", at most {self.high:g}" if self.high < math.inf else "")
        top = f" and {self.high:g}{unit}" if self.high < math.inf else ""
        return f"between {self.low:g}{top}" if top else f"at least {self.low:g}{unit}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if source not in (float, int):
            return cast(CoreSchema, source.core_schema(self))
        read = (lambda value: int(self.read(value))) if source is int else self.read
        number = core_schema.plain_serializer_function_ser_schema(plain)
        return core_schema.no_info_plain_validator_function(read, serialization=number)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        by_period = schema.get("metadata", {}).get("by_period")
        return self.json_by_period() if by_period else self.json()

    def json(self) -> dict[str, Any]:
        """JSON Schema of one number in this unit, bare or as text."""
        bounds = {"minimum": self.low, "maximum": self.high, "exclusiveMinimum": self.above}
        stated: dict[str, Any] = {k: v for k, v in bounds.items() if math.isfinite(v)}
        title = {"": "number", "%": "share, 0.3 or 30%"}.get(self.label, self.label)
        number = {"type": "integer" if self.whole else "number", **stated, "title": title}
        return {"oneOf": [number, {"type": "string", "pattern": r"\d", "title": f"{title}, with its unit"}]}

    def json_by_period(self) -> dict[str, Any]:
        """JSON Schema of numbers by period in this unit: one, one per period, or steps."""
        one = self.json()
        steps = {"type": "object", "additionalProperties": one, "minProperties": 1, "title": "Steps by period"}
        return {"oneOf": [*one["oneOf"], {"type": "array", "items": one, "title": "One per period"}, steps]}


def plain(number: float) -> float | int:
    """A number as JSON writes it best: 64 rather than 64.0."""
    return int(number) if number == round(number) and abs(number) < 1e15 else number


def unboxed(value: Any) -> Any:
    """A value of numpy or pandas as Python's own: a scalar as a number, an array as a list, a series as a mapping."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return value.tolist() if hasattr(value, "tolist") else value


def _misfit(value: object, expected: str, maybe: str = "") -> Misfits:
    return Misfits(Misfit((), f"is {shown(value)}, expected {expected}", maybe))


def shown(value: object) -> str:
    """A value as a message quotes it, cut where it is long."""
    words: dict[Any, str] = {True: "true", False: "false", None: "nothing"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@cache
def _registry() -> UnitRegistry[Any]:
    from pint import UnitRegistry  # noqa: PLC0415

    registry: UnitRegistry[Any] = UnitRegistry(cache_folder=None)
    for definition in (
        "bit = [information]",  # to pint bits, angles and what is counted are bare numbers, alike and convertible
        "radian = [angle]",
        "USD = [currency]",
        "token = [token] = tok",
        *(f"{counted} = [{counted}]" for counted in ("task", "GPU", "request", "lot", "rack")),
        "m3 = meter ** 3",
        "FLOP = [operation]",
    ):
        registry.define(definition)
    return registry
