"""Errors of the shape library in the planner's words, each at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from optimizer.instance.document import Document
from optimizer.instance.faults import BadInput, Fault, Misfit, Misfits, Path, closest, dotted
from optimizer.instance.quantity import shown
from optimizer.instance.shape import keys, models_at

NAMES = "letters, digits, '-', '_' and '.'"


def bad_input(error: ValidationError, model: type[BaseModel], data: Any) -> BadInput:
    """The faults of data that came from objects rather than from a file."""
    return BadInput(located(misfits(error, model, data), None))


def misfits(error: ValidationError, model: type[BaseModel], data: Any) -> list[Misfit]:
    """Every error as a misfit, its path as in the data."""
    return [misfit for detail in error.errors() for misfit in _misfits(detail, model, data)]


def located(wrong: Sequence[Misfit], document: Document | None) -> list[Fault]:
    """Misfits as faults in the order of the text; a misfit's message already says where it is in words."""
    faults = [_fault(misfit, document) for misfit in wrong]
    return sorted(faults, key=lambda f: (f.line or 0, f.column or 0))


def _fault(misfit: Misfit, document: Document | None) -> Fault:
    line, column = document.locate(misfit.at, key=misfit.key) if document else (None, None)
    path = document.path if document else None
    return Fault(path, line, column, dotted(misfit.at), misfit.message, misfit.maybe)


def _misfits(detail: ErrorDetails, model: type[BaseModel], data: Any) -> Iterator[Misfit]:
    at = in_data(detail["loc"], data)
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Misfits):
        for misfit in cause.misfits:
            inner = (*at, *misfit.at)
            yield Misfit(inner, f"{dotted(inner)} {misfit.message}", misfit.maybe)
    elif detail["type"] == "extra_forbidden":
        yield _unknown(at, model)
    elif detail["type"] == "union_tag_not_found":
        yield _missing((*at, "kind"), model)
    elif detail["type"] == "union_tag_invalid":
        kinds = re.findall(r"'([^']*)'", detail["ctx"]["expected_tags"])
        words = f"is '{detail['ctx']['tag']}', expected one of {', '.join(kinds)}"
        yield Misfit((*at, "kind"), f"{dotted((*at, 'kind'))} {words}", closest(detail["ctx"]["tag"], kinds))
    elif detail["type"] == "missing":
        yield _missing(at, model)
    elif detail["loc"][-1:] == ("[key]",):
        place = f" in {dotted(at[:-1])}" if at[:-1] else ""
        yield Misfit(at, f"name {shown(at[-1])}{place}, expected {NAMES}", key=True)
    else:
        words, maybe = _WORDS.get(detail["type"], _other)(detail)
        yield Misfit(at, f"{dotted(at) or 'the instance'} is {shown(detail['input'])}, expected {words}", maybe)


def in_data(loc: tuple[str | int, ...], data: Any) -> Path:
    """A path of the shape library without the steps it adds for unions, defaults and keys."""
    path: list[str | int] = []
    for n, step in enumerate(loc):
        if isinstance(data, BaseModel):
            data = getattr(data, str(step), None)
            path.append(step)
        elif _holds(data, step):
            data = data[step]
            path.append(step)
        elif n == len(loc) - 1 and isinstance(data, Mapping) and step != "[key]":
            path.append(step)
    return tuple(path)


def _holds(data: Any, step: str | int) -> bool:
    if isinstance(data, Mapping):
        return step in data
    return isinstance(data, list | tuple) and isinstance(step, int) and step < len(data)


def _unknown(at: Path, model: type[BaseModel]) -> Misfit:
    known = [key for found in models_at(model, at[:-1]) for key in keys(found)]
    place = f" in {dotted(at[:-1])}" if at[:-1] else ""
    return Misfit(at, f"unknown key '{at[-1]}'{place}", closest(str(at[-1]), known), key=True)


def _missing(at: Path, model: type[BaseModel]) -> Misfit:
    said = [keys(found)[str(at[-1])].description for found in models_at(model, at[:-1]) if str(at[-1]) in keys(found)]
    place = f" in {dotted(at[:-1])}" if at[:-1] else ""
    return Misfit(at, f"missing key '{at[-1]}'{place}", f"add {at[-1]}: ... ({said[0]})" if said else "", key=True)


def _literal(detail: ErrorDetails) -> tuple[str, str]:
    expected = str(detail["ctx"]["expected"])
    return expected, closest(str(detail["input"]), re.findall(r"'([^']*)'", expected))


def _other(detail: ErrorDetails) -> tuple[str, str]:
    return f"something else: {detail['msg']}", ""


def _words(text: str) -> Callable[[ErrorDetails], tuple[str, str]]:
    return lambda detail: (text, "")


_WORDS: dict[str, Callable[[ErrorDetails], tuple[str, str]]] = {
    "literal_error": _literal,
    "string_type": _words("text"),
    "bool_parsing": _words("true or false"),
    "bool_type": _words("true or false"),
    "tuple_type": _words("a list"),
    "dict_type": _words("a mapping of keys to values"),
    "model_type": _words("a mapping of keys to values"),
    "model_attributes_type": _words("a mapping of keys to values"),
}
