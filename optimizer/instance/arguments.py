"""What a caller asks for beside the instance: plain numbers and words, or BadInput that names the argument."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Integral, Real

from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.quantity import shown, unboxed

MOST = 2**31 - 1  # the largest seed that every solver takes


def number(name: str, value: object) -> float:
    """A number from 0 on that is not infinite."""
    plain = unboxed(value)
    if isinstance(plain, bool) or not isinstance(plain, Real | Decimal) or not 0 <= float(plain) < math.inf:
        raise refused(name, f"{name} is {shown(plain)}, must be a number from 0 on")
    return float(plain)


def whole(name: str, value: object, low: int = 0) -> int:
    """A whole number from `low` on, at most 2,147,483,647."""
    plain = unboxed(value)
    if isinstance(plain, bool) or not isinstance(plain, Integral) or not low <= int(plain) <= MOST:
        raise refused(name, f"{name} is {shown(plain)}, must be a whole number from {low} to {MOST}")
    return int(plain)


def words(name: str, value: object) -> tuple[str, ...]:
    """Texts; a single one may stand by itself."""
    listed = (value,) if isinstance(value, str) else value
    if isinstance(listed, Mapping) or not isinstance(listed, Iterable):
        raise refused(name, f"{name} is {shown(value)}, must be text or a list of texts")
    found = tuple(listed)
    wrong = [each for each in found if not isinstance(each, str)]
    if wrong:
        raise refused(name, f"{name} holds {shown(wrong[0])}, must be text")
    return found


def scenarios(value: str | None) -> tuple[str, ...]:
    """Names of scenarios from `a+b`; none from None, while nothing at all is no name."""
    if value is not None and not isinstance(value, str):
        raise refused("scenario", f"scenario is {shown(value)}, must be a name, or several as a+b")
    return () if value is None else tuple(value.split("+"))


def refused(where: str, message: str) -> BadInput:
    """Bad input that is about an argument."""
    return BadInput([Fault(None, None, None, where, message)])
