"""Where a change applies: `sites.ashburn.power_mw`, `pools.*.count`, `workflows.support.demand.2027Q3..`.

Ids may contain dots and asterisks stand for any id, so a path is matched against the data rather than split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from optimizer.instance.calendar import spans
from optimizer.instance.faults import Misfit, Path, closest
from optimizer.instance.schema import Instance
from optimizer.instance.shape import by_period_at, keys, models_at, unit_at

WIDTHS = ("upto",)  # shares of demand, which no change of value may scale


@dataclass(frozen=True, slots=True)
class Target:
    """A place in plain data, and the period there (`onward`: from it on) if only that is meant."""

    path: Path
    period: str | None = None
    onward: bool = False


def targets(data: Any, text: str, periods: Sequence[str]) -> list[Target]:
    """Every place that a path means; keys that the schema knows and the data leaves out are places too."""
    return list(_match(data, (), re.sub(r"\[(\d+)\]", r".\1", text), periods)) if text else []


def scenario_paths(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Paths of scenarios that match nothing, not even what is stated but misshapen."""
    if not any(scenario.changes for scenario in instance.scenarios.values()):
        return
    data, periods = instance.dump(), [period for period, _ in spans(instance.horizon)]
    for name, scenario in instance.scenarios.items():
        for text in scenario.changes:
            if not (targets(data, text, periods) or targets(stated, text, periods)):
                yield Misfit(("scenarios", name, "set", text), "matches nothing", nearest(data, text))


def nearest(data: Any, text: str) -> str:
    """The path that was probably meant; scenarios are what is changed by, not what is changed."""
    return closest(text, (path for path in _all_paths(data, "") if not path.startswith("scenarios.")))


def leaves(data: Any, path: Path) -> Iterator[Path]:
    """The places of numbers with a unit at or below a path, widths of tranches left out."""
    value = at(data, path)
    if value is None:
        return
    if unit_at(Instance, path) is not None:
        yield path
    elif isinstance(value, Mapping):
        yield from (leaf for key in value if key not in WIDTHS for leaf in leaves(data, (*path, key)))
    elif isinstance(value, list):
        yield from (leaf for n in range(len(value)) for leaf in leaves(data, (*path, n)))


def at(data: Any, path: Path) -> Any:
    """What stands at a path of plain data, None where nothing does."""
    for step in path:
        if isinstance(data, Mapping):
            data = data.get(step)
        else:
            data = data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None
    return data


def put(data: Any, path: Path, value: Any) -> None:
    """Place a value at a path of plain data; optional parts on the way are stated with it."""
    for step in path[:-1]:
        data = data.setdefault(step, {}) if isinstance(data, dict) else data[step]
    data[path[-1]] = value


def _match(data: Any, path: Path, rest: str, periods: Sequence[str]) -> Iterator[Target]:
    if not rest:
        yield Target(path)
        return
    value, period = at(data, path), rest.removesuffix("..")
    if period in periods and any(by_period_at(Instance, leaf) for leaf in leaves(data, path)):
        yield Target(path, period, rest.endswith(".."))
        return
    for step, beyond in _steps(value, path, rest):
        found = list(_match(data, (*path, step), beyond, periods))
        yield from found
        if found and "*" not in rest:
            return


def _steps(value: Any, path: Path, rest: str) -> Iterator[tuple[str | int, str]]:
    """Next steps and what is left of the path after each; the longest id first."""
    if isinstance(value, list):
        head, _, beyond = rest.partition(".")
        places = range(len(value)) if head == "*" else [int(head)] if head.isdigit() and int(head) < len(value) else []
        yield from ((n, beyond) for n in places)
    elif (value is None or isinstance(value, Mapping)) and unit_at(Instance, path) is None:
        value = value or {}
        known = {*value, *(key for model in models_at(Instance, path) for key in keys(model))}
        head, _, beyond = rest.partition(".")
        if "*" in head:
            yield from ((key, beyond) for key in value if fnmatchcase(key, head))
        for key in sorted(known, key=len, reverse=True):
            if rest == key or rest.startswith(key + "."):
                yield key, rest[len(key) + 1 :]


def _all_paths(data: Any, above: str) -> Iterator[str]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield f"{above}{key}"
            yield from _all_paths(value, f"{above}{key}.")
