"""Keys that a file states and leaves blank: whether nothing is meant or something was forgotten, nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from optimizer.instance.faults import Misfit, Path, dotted
from optimizer.instance.schema import Instance
from optimizer.instance.shape import keys, models_at, unit_at


def blanks(data: Mapping[str, Any], told: Collection[Path]) -> Iterator[Misfit]:
    """A misfit for every value that is nothing, but those of which the shape has told already.

    What a scenario changes may become nothing: `set: {PATH: null}` takes back what was stated.
    """
    for path in _nothing(data, ()):
        changes = path[0] == "scenarios" and path[2:3] == ("set",)
        if not changes and not any(path[: len(at)] == at for at in told):
            yield Misfit(path, f"{dotted(path)} is nothing, expected {_expected(path)}", "leave the key out")


def _nothing(value: Any, path: Path) -> Iterator[Path]:
    if value is None:
        yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _nothing(inner, (*path, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _nothing(inner, (*path, n))


def _expected(path: Path) -> str:
    unit = unit_at(Instance, path)
    if unit is not None:
        return f"a number{unit.words}"
    said = [keys(m)[str(path[-1])].description for m in models_at(Instance, path[:-1]) if str(path[-1]) in keys(m)]
    return f"a value ({said[0]})" if said else "a value"
