"""The JSON Schema of an instance, for editors and the field reference."""

from __future__ import annotations

import math
from typing import Any

from .quantity import Unit


def of_unit(unit: Unit, *, by_period: bool) -> dict[str, Any]:
    """A number in its unit, as number or text; by period also a list or a map."""
    number = _number(unit)
    if not by_period:
        return number
    by_name = {"type": "object", "additionalProperties": number, "minProperties": 1, "title": "Steps by period"}
    return {"oneOf": [*number["oneOf"], {"type": "array", "items": number, "title": "One per period"}, by_name]}


def _number(unit: Unit) -> dict[str, Any]:
    bounds = {"minimum": unit.low, "maximum": unit.high, "exclusiveMinimum": unit.above}
    stated: dict[str, Any] = {k: v for k, v in bounds.items() if math.isfinite(v)}
    name = {"": "number", "%": "share, 0.3 or 30%"}.get(unit.label, unit.label)
    text = {"type": "string", "pattern": r"\d", "title": f"{name}, with its unit"}
    return {"oneOf": [{"type": "integer" if unit.whole else "number", **stated, "title": name}, text]}
