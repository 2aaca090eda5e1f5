"""What the schema says stands at a path: the model there, the unit of its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from optimizer.instance.by_period import ByPeriod, Demand
from optimizer.instance.faults import Path
from optimizer.instance.quantity import Unit


def keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys a file may use in a model, aliases applied."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def models_at(root: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    """The models whose keys may stand at a path; none where it holds a value or names."""
    return [kind for kind in _kinds(root, path) if isinstance(kind, type) and issubclass(kind, BaseModel)]


def unit_at(root: type[BaseModel], path: Path) -> Unit | None:
    """The unit of the number, or numbers by period, at a path."""
    for kind in _kinds(root, path):
        if kind is Demand:
            return Unit("task")
        if get_origin(kind) is Annotated:
            return next((m for m in kind.__metadata__ if isinstance(m, Unit)), None)
    return None


def by_period_at(root: type[BaseModel], path: Path) -> bool:
    """Whether the value at a path may change from period to period."""
    return any(kind is Demand or get_args(kind)[:1] == (ByPeriod,) for kind in _kinds(root, path))


def _kinds(root: Any, path: Path) -> list[Any]:
    kinds = [root]
    for step in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    return kinds


def _inside(kind: Any, step: str | int) -> Iterator[Any]:
    """Kinds of value one step further in."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = keys(kind).get(str(step))
        if field:
            yield from _plain(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
    elif kind is Demand or get_args(kind)[:1] == (ByPeriod,):
        yield kind
    elif get_origin(kind) in (dict, Mapping):
        yield from _plain(get_args(kind)[1])
    elif get_origin(kind) is tuple and isinstance(step, int):
        yield from _plain(get_args(kind)[0])


def _plain(kind: Any) -> Iterator[Any]:
    """The alternatives of an annotation, stripped of all metadata but units."""
    if get_origin(kind) is Annotated:
        if any(isinstance(m, Unit) for m in kind.__metadata__):
            yield from (Annotated[k, *kind.__metadata__] for k in _plain(kind.__origin__))
        else:
            yield from _plain(kind.__origin__)
    elif get_origin(kind) in (Union, UnionType):
        yield from (inner for arg in get_args(kind) if arg is not type(None) for inner in _plain(arg))
    else:
        yield kind
