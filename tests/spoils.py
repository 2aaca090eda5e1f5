"""Ways to spoil a plan written by hand, or the instance inside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plans import Document

Spoil = Callable[[Document], Any]


def line(p: Document, table: str, **at: str) -> Document:
    return next(each for each in p[table] if all(each[k] == v for k, v in at.items()))


def put(table: str, at: dict[str, str], **values: Any) -> Spoil:
    return lambda p: line(p, table, **at).update(values)


def say(path: str, value: Any) -> Spoil:
    """Change the instance inside the plan: `pools>whole>count`."""

    def spoil(p: Document) -> None:
        *parents, last = path.split(">")
        at = p["instance"]["resolved"]
        for name in parents:
            at = at[name]
        at[last] = value

    return spoil


def serve(w: str, source: str, t: str, part: str, served: float) -> Spoil:
    at = {"workflow": w, "source": source, "period": t, "day_part": part}
    return lambda p: p["serving"].append(at | {"served": served})


def served(w: str, source: str, t: str, part: str, tasks: float) -> Spoil:
    return put("serving", {"workflow": w, "source": source, "period": t, "day_part": part}, served=tasks)


def drop(table: str, **at: Any) -> Spoil:
    """Leave the lines out that match; all of the table, if nothing is asked for."""

    def spoil(p: Document) -> None:
        p[table] = [each for each in p[table] if any(each[k] != v for k, v in at.items())]

    return spoil


def add(table: str, **values: Any) -> Spoil:
    """One more line."""
    return lambda p: p[table].append(values)


def both(*spoils: Spoil) -> Spoil:
    """One after the other."""

    def spoil(p: Document) -> None:
        for each in spoils:
            each(p)

    return spoil
