"""A plan document from a file: whole, of this version, every table with its columns; or all that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.quantity import shown
from optimizer.instance.source import contents

VERSIONS = "solvency/plan/"  # what the schema of a plan begins with, in every version
STATUSES = ("optimal", "feasible", "infeasible", "unbounded", "interrupted", "no_plan")
NUMBERS = frozenset({
    "usd", "cash_usd", "demand", "served", "value_usd", "cost_usd", "net_usd", "usd_per_mtok", "replicas", "gpus",
    "hbm_gb", "kw", "utilisation", "capacity", "used", "slack", "amount", "funded", "launched", "powered_nodes",
    "idle_gpus", "gpu_hours", "served_share", "npv_with", "npv_without", "gain_usd", "before", "now", "up", "down",
})  # fmt: skip

Kind = tuple[str, Callable[[Any], bool]]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _or_null(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or test(value)


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


NUMBER, NUMBER_OR_NULL = ("a number", _number), ("a number or null", _or_null(_number))
TEXT, NAMES, MAPPING = ("text", _is(str)), ("a list of names", _names), ("a mapping", _is(dict))
KEYS: Mapping[tuple[str, ...], Kind] = {
    ("status",): (f"one of {', '.join(STATUSES)}", lambda value: value in STATUSES),
    ("objective_usd",): NUMBER_OR_NULL,
    ("bound_usd",): NUMBER_OR_NULL,
    ("gap",): NUMBER_OR_NULL,
    ("seconds",): NUMBER,
    ("currency",): TEXT,
    ("periods",): NAMES,
    ("conflict",): ("a mapping or null", _or_null(_is(dict))),
    ("verification",): MAPPING,
    ("notes",): NAMES,
    ("instance",): MAPPING,
    ("instance", "name"): TEXT,
    ("instance", "resolved"): MAPPING,
    ("options",): MAPPING,
    ("options", "gap"): NUMBER,
    ("options", "time_limit"): NUMBER,
    ("options", "set"): NAMES,
    ("options", "drop"): NAMES,
}


def schema_of(path: str | Path) -> str | None:
    """The schema that a JSON file states at its top, which tells a plan from an instance; None without one."""
    raw = contents(path)
    if VERSIONS.encode() not in raw:
        return None
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return VERSIONS if raw.lstrip()[:1] == b"{" else None  # a plan that is damaged, and is refused as such
    schema = document.get("schema") if isinstance(document, Mapping) else None
    return schema if isinstance(schema, str) else None


def plan_document(path: str | Path, schema: str, tables: Mapping[str, tuple[str, ...]], first: tuple[str, ...]) -> Any:
    """The document in a file, tables it may lack empty; raises BadInput with all that is missing or of a wrong kind."""
    document = _json(path)
    if not isinstance(document, dict) or document.get("schema") != schema:
        found = shown(document.get("schema")) if isinstance(document, dict) else "not there"
        raise refused(path, f"is not a plan: its schema is {found}, expected {schema!r}")
    wrong = [*_keys(document), *(f"{name} is missing" for name in first if name not in document)]
    for name, columns in tables.items():
        wrong += _table(name, columns, document.get(name, []))
    if wrong:
        raise refused(path, *(f"is not a whole plan: {what}" for what in wrong))
    return {**{name: [] for name in tables}, **document}


def refused(path: str | Path, *messages: str) -> BadInput:
    """A fault per message, about the file as a whole."""
    return BadInput(Fault(str(path), None, None, "", message) for message in messages)


def _json(path: str | Path) -> Any:
    try:
        return json.loads(contents(path).decode("utf-8-sig"), parse_constant=_no_number)
    except OSError as error:
        raise refused(path, f"cannot be read as a plan: {(error.strerror or '').lower()}") from error
    except RecursionError as error:
        raise refused(path, "cannot be read as a plan: nested too deep") from error
    except ValueError as error:
        raise refused(path, f"cannot be read as a plan: {error}") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no number")


def _keys(document: Mapping[str, Any]) -> Iterator[str]:
    for path, (kind, fits) in KEYS.items():
        above: Any = document
        for step in path[:-1]:
            above = above.get(step) if isinstance(above, Mapping) else None
        if isinstance(above, Mapping):  # what is wrong with what encloses it has been said
            if path[-1] not in above:
                yield f"{'.'.join(path)} is missing"
            elif not fits(above[path[-1]]):
                yield f"{'.'.join(path)} is {shown(above[path[-1]])}, expected {kind}"


def _table(name: str, columns: tuple[str, ...], rows: Any) -> Iterator[str]:
    """The first row that is wrong in each way."""
    if not isinstance(rows, list):
        yield f"{name} is {shown(rows)}, expected a list of rows"
        return
    for n, row in enumerate(rows):
        if not isinstance(row, dict):
            yield f"{name}[{n}] is {shown(row)}, expected a mapping"
            return
        if lacking := [column for column in columns if column not in row]:
            yield f"{name}[{n}] lacks {', '.join(lacking)}"
            return
        for column in NUMBERS.intersection(columns):
            if not (row[column] is None or isinstance(row[column], int | float)):
                yield f"{name}[{n}].{column} is {shown(row[column])}, expected a number"
                return
