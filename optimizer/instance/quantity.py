"""Numbers with units: "12 MW", "8h", "50%", "2M", 260_000 become floats in the unit of their key."""

from __future__ import annotations

import math
import re
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
_UNIT = re.compile(r"[A-Za-z%][A-Za-z%/*^ 0-9]{0,30}")
_MULTIPLES = {None: 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "G": 1e9}
_COUNTED = {"", "USD", "GPU", "token", "task", "request", "lot", "rack"}  # a bare k or M can mean nothing else here


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
        return number

    def _number(self, value: object) -> float:
        value = unboxed(value)
        if isinstance(value, Real | Decimal) and not isinstance(value, bool):
            return float(value)
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
        if unit == "%":
            if self.label not in ("", "%"):
                raise _misfit(value, f"a number{self.words}")
            return 0.01
        if unit not in ("", self.label):
            return _MULTIPLES[multiple] * self._convert(value, unit)
        return _MULTIPLES[multiple]

    def _convert(self, value: str, unit: str) -> float:
        from pint.errors import PintError  # noqa: PLC0415  a third of a second, and most files do without

        counted = self.label.split("/")[0]
        if not _UNIT.fullmatch(unit) or (counted in _COUNTED and unit.removesuffix("s") in _COUNTED - {counted}):
            raise _misfit(value, f"a number{self.words}")
        try:
            return float(_registry().Quantity(1.0, unit).to("" if self.label == "%" else self.label).magnitude)
        except (PintError, AttributeError, ValueError, OverflowError):
            raise _misfit(value, f"a number{self.words}") from None

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
        "USD = [currency]",
        "token = [token] = tok",
        "task = []",
        "GPU = []",
        "request = []",
        "lot = []",
        "rack = []",
        "m3 = meter ** 3",
        "FLOP = [operation]",
    ):
        registry.define(definition)
    return registry
