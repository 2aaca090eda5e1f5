"""YAML 1.2 or JSON text as plain data, together with where each key and value stands.

The events of the YAML parser are composed here rather than by its own constructor, which would stop at
the first duplicate key, turn dates into objects and forget where things were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from optimizer.instance.faults import BadInput, Fault, Path, dotted

DEEPEST = 64
MOST_ALIASED = 1_000_000  # values; beyond it a few nested aliases would fill the memory

LONGEST = 300  # digits of a whole number; a longer one stays text, for Python takes no number from it

_NUMBER = re.compile(r"[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][-+]?\d+)?|0x[\da-fA-F]+|0o[0-7]+", re.ASCII)
_HALF = re.compile("[\\ud800-\\udfff]")
_WORDS: dict[str, Any] = {"": None, "~": None} | {
    spelt: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelt in (word, word.capitalize(), word.upper())
}


@dataclass(slots=True)
class Mark:
    """Where a value stands (line, column from 1), where its key stands, and the marks inside it."""

    line: int
    column: int
    key: tuple[int, int] | None = None
    inside: dict[str | int, Mark] = field(default_factory=dict)
    size: int = 1


@dataclass(frozen=True)
class Document:
    """Plain data read from text, the marks that locate it, and the duplicates that were found.

    Marks that are not known yet are composed from `text` when something must be located.
    """

    path: str | None
    data: Any
    marks: Mark | None
    faults: tuple[Fault, ...] = ()
    sha256: str | None = None
    text: str = ""

    @cached_property
    def mark(self) -> Mark:
        """The marks of the whole document."""
        return self.marks or compose(self.text, self.path).mark

    def locate(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at a path (or its key); of what encloses it where it is absent.

        A value that begins below its key is located at the key, where a reader looks for it.
        """
        mark = self.mark
        for step in path:
            if step not in mark.inside:
                key = True
                break
            mark = mark.inside[step]
        below = mark.key is not None and mark.line > mark.key[0]
        return mark.key if mark.key and (key or below) else (mark.line, mark.column)


def compose(text: str, path: str | None = None) -> Document:
    """Plain data and marks of one YAML or JSON document; raises BadInput when the syntax is broken."""
    reader = YAML(typ="safe", pure=True)
    try:
        return _Composer(iter(reader.parse(text)), path).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(str(w) for w in (error.context, error.problem) if w)
        raise BadInput([Fault(path, mark.line + 1, mark.column + 1, "", f"not valid YAML: {words}")]) from error
    except YAMLError as error:
        at = getattr(error, "position", 0)
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        raise BadInput([Fault(path, line, column, "", f"not valid YAML: {getattr(error, 'reason', error)}")]) from error


def scalar(text: str) -> Any:
    """A plain YAML 1.2 scalar: numbers (with `_` between digits), true, false, null; all else is text."""
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return {".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}.get(text.lower(), text)
    if text[:2] in ("0x", "0o"):
        return whole(text)
    digits = text.replace("_", "")
    return whole(digits) if digits.lstrip("+-").isdigit() else float(digits)


def whole(digits: str) -> int | str:
    """A whole number, or its text where it is too long to be any figure."""
    if len(digits) > LONGEST:
        return digits
    return int(digits, 0 if digits[:2] in ("0x", "0o") else 10)


class _Composer:
    """Consumes parser events, depth first."""

    def __init__(self, events: Iterator[Event], path: str | None) -> None:
        self.events, self.path = events, path
        self.faults: list[Fault] = []
        self.anchors: dict[str, tuple[Any, Mark]] = {}
        self.aliased = 0

    def document(self) -> Document:
        event = next(self.events)
        while isinstance(event, StreamStartEvent | DocumentStartEvent):
            event = next(self.events)
        if isinstance(event, StreamEndEvent):
            raise BadInput([Fault(self.path, None, None, "", "the file is empty")])
        data, mark = self.value(event, ())
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                self.fail(event, "a second document begins here; an instance is one document")
        return Document(self.path, data, mark, tuple(self.faults))

    def value(self, event: Event, path: Path) -> tuple[Any, Mark]:
        if isinstance(event, AliasEvent):
            return self.alias(event)
        if len(path) > DEEPEST:
            self.fail(event, f"nested more than {DEEPEST} deep")
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        data: Any
        if isinstance(event, ScalarEvent):
            data = scalar(event.value) if event.implicit[0] else self.text(event)
        elif isinstance(event, SequenceStartEvent):
            data = self.sequence(mark, path)
        else:
            data = self.mapping(mark, path)
        if isinstance(event, NodeEvent) and event.anchor:
            self.anchors[event.anchor] = data, mark
        return data, mark

    def text(self, event: ScalarEvent) -> str:
        """Quoted text; characters that are spelt in two halves, as JSON spells them, are put together."""
        if not _HALF.search(event.value):
            return str(event.value)
        try:
            return str(event.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.fail(event, f"{event.value[:60]!r} holds half a character, which no file can hold")

    def alias(self, event: AliasEvent) -> tuple[Any, Mark]:
        if event.anchor not in self.anchors:
            self.fail(event, f"alias *{event.anchor} names no finished anchor before it")
        data, mark = self.anchors[event.anchor]
        self.aliased += mark.size
        if self.aliased > MOST_ALIASED:
            self.fail(event, f"aliases repeat more than {MOST_ALIASED:,} values")
        return data, replace(mark)

    def sequence(self, mark: Mark, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            item, mark.inside[len(items)] = self.value(event, (*path, len(items)))
            mark.size += mark.inside[len(items)].size
            items.append(item)
        return items

    def mapping(self, mark: Mark, path: Path) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        merged: list[tuple[Any, Mark, Event]] = []
        while not isinstance(event := next(self.events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self.fail(event, "a key must be plain text")
            name = str(event.value)
            value, inside = self.value(next(self.events), (*path, name))
            inside.key = (event.start_mark.line + 1, event.start_mark.column + 1)
            mark.size += inside.size
            if name == "<<" and event.implicit[0]:
                merged.append((value, inside, event))
            elif name in entries:
                self.duplicate(name, path, inside.key, mark.inside[name])
            else:
                entries[name], mark.inside[name] = value, inside
        for value, inside, event in merged:
            self.merge(entries, mark, value, inside, event)
        return entries

    def merge(self, entries: dict[str, Any], mark: Mark, value: Any, inside: Mark, event: Event) -> None:
        sources = (
            list(zip(value, inside.inside.values(), strict=True)) if isinstance(value, list) else [(value, inside)]
        )
        for source, source_mark in sources:
            if not isinstance(source, Mapping):
                self.fail(event, "<< merges mappings only")
            for name in source.keys() - entries.keys():
                entries[name], mark.inside[name] = source[name], source_mark.inside[name]

    def duplicate(self, name: str, path: Path, at: tuple[int, int], first: Mark) -> None:
        line = first.key[0] if first.key else first.line
        place = f" in {dotted(path)}" if path else ""
        message = f"duplicate key '{name}'{place}, first on line {line}"
        self.faults.append(Fault(self.path, *at, dotted((*path, name)), message))

    def fail(self, event: Event, message: str) -> NoReturn:
        mark = event.start_mark
        raise BadInput([Fault(self.path, mark.line + 1, mark.column + 1, "", message)])
