"""What-ifs as changes to an instance: `=v`, `+v`, `*v`, `>>2`, everywhere, in a period or from one on.

A change is made to plain data, which is then parsed and checked as any file is. Numbers are in the unit
of their key; a shift holds the first value back, as a late permit does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from optimizer.instance.arguments import refused
from optimizer.instance.calendar import spans
from optimizer.instance.document import compose
from optimizer.instance.faults import BadInput, Fault, Misfit, Misfits, Path, closest, dotted
from optimizer.instance.load import parse
from optimizer.instance.paths import Target, at, leaves, nearest, put, targets
from optimizer.instance.quantity import Unit, plain, shown, unboxed
from optimizer.instance.schema import Instance
from optimizer.instance.shape import by_period_at, unit_at

_SHIFT = re.compile(r"(>>|<<)\s*(\d+)")
_RATED = re.compile(r"(\S+)(\s+per\s+\w+)")
Sets = str | Sequence[str | Mapping[str, Any]] | Mapping[str, Any]
PERIOD_KEYS = ("start", "deadline", "from")


@dataclass(frozen=True, slots=True)
class Change:
    """One change as typed: the path, what to do there, and where it was written."""

    path: str
    what: Any
    scenario: str | None = None

    @property
    def text(self) -> str:
        """As it would be typed."""
        what = self.what if isinstance(self.what, str) else json.dumps(self.what, default=_plain)
        return f"{self.path}={what}"


def apply(instance: Instance, sets: Sets = (), scenarios: Sequence[str] = ()) -> tuple[Instance, tuple[str, ...]]:
    """The instance after scenarios, in order, and then further changes; and the families they drop.

    Raises BadInput with every path that matches nothing and every value that does not fit.
    """
    refuse_other(instance)
    changes = [*_of_scenarios(instance, scenarios), *_typed(sets)]
    drops = dict.fromkeys(drop for name in scenarios for drop in instance.scenarios[name].drop)
    if not changes:
        return instance, tuple(drops)
    data = instance.dump()
    periods = [period for period, _ in spans(instance.horizon)]
    faults: list[Fault] = []
    for change in changes:
        faults += _faults(instance, change, data, periods)
        try:
            data = Instance.model_validate(data).dump()
        except ValidationError:  # parsing names every fault of the changed whole
            break
    if faults:
        raise BadInput(faults)
    return _parsed(instance, data, changes), tuple(drops)


def refuse_other(instance: object) -> None:
    """BadInput for what is no instance, such as the name of its file."""
    if not isinstance(instance, Instance):
        hint = "load(path) reads one from a file, parse(data) makes one of plain data"
        raise refused("instance", f"{shown(instance)} is no instance: {hint}")


def stated(sets: Sets) -> list[str]:
    """Changes as text, `path=value`."""
    return [change.text for change in _typed(sets)]


def _parsed(instance: Instance, data: dict[str, Any], changes: Sequence[Change]) -> Instance:
    try:
        changed = parse(data)
    except BadInput as error:
        made = ", ".join(f"{change.path}={change.what}" for change in changes)
        raise BadInput(replace(f, message=f"{f.message} (after {made})") for f in error.faults) from error
    return changed.moved_to(instance, [change.text for change in changes])


def _of_scenarios(instance: Instance, names: Sequence[str]) -> Iterator[Change]:
    unknown = [name for name in names if name not in instance.scenarios]
    if unknown:
        raise BadInput(
            Fault(instance.source, None, None, "scenarios", f"has no scenario '{n}'", closest(n, instance.scenarios))
            for n in unknown
        )
    for name in names:
        for path, what in instance.scenarios[name].changes.items():
            yield Change(path, what, name)


def _typed(sets: object) -> Iterator[Change]:
    if isinstance(sets, Mapping):
        yield from (Change(str(path), what) for path, what in sets.items())
    elif isinstance(sets, str):
        path, equals, what = sets.partition("=")
        if not equals or not path.strip():
            raise refused(sets, f"'{sets}' is no change, expected PATH=VALUE")
        yield Change(path.strip(), what.strip())
    elif isinstance(sets, Iterable):
        for each in sets:
            yield from _typed(each)
    else:
        raise refused("set", f"{shown(sets)} is no change, expected PATH=VALUE or a mapping of paths to values")


def _faults(instance: Instance, change: Change, data: Any, periods: Sequence[str]) -> Iterator[Fault]:
    """Make one change; what is wrong with it, if anything."""
    found = targets(data, change.path, periods)
    try:
        if not found:
            raise Misfits(Misfit((), "matches nothing", nearest(data, change.path)))
        made = [_make(data, target, change.what, periods) for target in found]
        if not any(made):
            raise Misfits(Misfit((), "holds no number that could be changed so"))
    except Misfits as error:
        place = instance.locate("scenarios", change.scenario, "set", change.path) if change.scenario else None
        line, column = place or (None, None)
        path = instance.source if place else None
        for m in error.misfits:
            yield Fault(path, line, column, change.path, f"{dotted((change.path, *m.at))} {m.message}", m.maybe)


def _make(data: Any, target: Target, what: Any, periods: Sequence[str]) -> bool:
    """Whether the change found something to change at this target."""
    shift = _SHIFT.fullmatch(what.strip()) if isinstance(what, str) else None
    if shift:
        by = int(shift[2]) * (1 if shift[1] == ">>" else -1)
        return _shift(data, target, by, periods)
    if isinstance(what, str) and what.strip()[:2] in (">>", "<<"):
        raise Misfits(Misfit((), f"is {shown(what)}, expected {what.strip()[:2]} and a number of periods", ">>2"))
    sign = what.strip()[:1] if isinstance(what, str) else "="
    operand = what.strip()[1:].strip() if isinstance(what, str) and sign in ("=", "+", "*") else what
    if sign in ("+", "*"):
        return _count(data, target, periods, lambda leaf: _arithmetic(sign, operand, leaf))
    value = _value(operand)
    if target.period is None:
        put(data, target.path, value)
        return True
    return _count(data, target, periods, lambda leaf: lambda old: value)


def _value(typed: Any) -> Any:
    """A typed value as the file would state it: lists, maps and names from text."""
    if not isinstance(typed, str):
        return typed
    if not typed.strip():
        raise Misfits(Misfit((), "is nothing, expected a value", "null, where it shall not be stated"))
    try:
        document = compose(typed)
    except BadInput as error:
        raise Misfits(*(Misfit((), f"is {shown(typed)}: {f.message}") for f in error.faults)) from error
    if document.faults:
        raise Misfits(*(Misfit((), f"is {shown(typed)}: {f.message}") for f in document.faults))
    return document.data


def _plain(value: object) -> Any:
    found = unboxed(value)
    return float(value) if found is value and isinstance(value, Decimal) else found


def _count(data: Any, target: Target, periods: Sequence[str], change: Callable[[Path], Callable[[Any], Any]]) -> bool:
    found = list(leaves(data, target.path))
    if target.period is not None:
        found = [leaf for leaf in found if by_period_at(Instance, leaf)]
    for leaf in found:
        old, edit = at(data, leaf), change(leaf)
        put(data, leaf, _everywhere(old, edit) if target.period is None else _during(old, edit, target, periods))
    return bool(found)


def _everywhere(old: Any, edit: Callable[[Any], Any]) -> Any:
    if isinstance(old, Mapping):
        return {key: edit(value) for key, value in old.items()}
    return [edit(value) for value in old] if isinstance(old, list) else edit(old)


def _during(old: Any, edit: Callable[[Any], Any], target: Target, periods: Sequence[str]) -> dict[str, Any]:
    first = periods.index(target.period or periods[0])
    last = len(periods) if target.onward else first + 1
    spread = _spread(old, periods)
    return {t: edit(v) if first <= n < last else v for n, (t, v) in enumerate(zip(periods, spread, strict=True))}


def _spread(old: Any, periods: Sequence[str]) -> list[Any]:
    """One plain value per period."""
    if isinstance(old, list):
        return old
    if not isinstance(old, Mapping):
        return [old] * len(periods)
    held: list[Any] = []
    for period in periods:
        held.append(old[period] if period in old else held[-1])
    return held


def _arithmetic(sign: str, operand: str, leaf: Path) -> Callable[[Any], Any]:
    unit = (unit_at(Instance, leaf) or Unit()) if sign == "+" else Unit()
    number = replace(unit, low=-math.inf, high=math.inf, above=-math.inf, whole=False).read(operand)

    def edit(old: Any) -> Any:
        rated = _RATED.fullmatch(old) if isinstance(old, str) else None
        amount = float(rated[1] if rated else old)
        new = amount * number if sign == "*" else amount + number
        new = plain(float(f"{new:.15g}"))  # 1.2 MW by half again is 1.8 MW, not 1.7999999999999998
        return f"{new!r}{rated[2]}" if rated else new

    return edit


def _shift(data: Any, target: Target, by: int, periods: Sequence[str]) -> bool:
    if target.period is not None:
        raise Misfits(Misfit((), "shifts a single period, expected all of them", dotted(target.path)))
    if target.path[-1] in PERIOD_KEYS and at(data, target.path) in periods:
        place = periods.index(at(data, target.path)) + by
        if not 0 <= place < len(periods):
            raise Misfits(Misfit((), f"moves {shown(at(data, target.path))} out of the horizon"))
        put(data, target.path, periods[place])
        return True
    found = [leaf for leaf in leaves(data, target.path) if by_period_at(Instance, leaf)]
    for leaf in found:
        spread, last = _spread(at(data, leaf), periods), len(periods) - 1
        put(data, leaf, {t: spread[min(max(n - by, 0), last)] for n, t in enumerate(periods)})
    return bool(found)
