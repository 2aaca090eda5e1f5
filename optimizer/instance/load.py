"""File to instance: read, shape, check; every fault of all three stages at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from optimizer.instance.blanks import blanks
from optimizer.instance.checks import cross_check
from optimizer.instance.document import Document, Mark
from optimizer.instance.faults import BadInput, Misfit, Path
from optimizer.instance.schema import SECTIONS, Instance
from optimizer.instance.source import read
from optimizer.instance.translate import located, misfits

ROUNDS = 5  # of leaving out what is wrong, so that what is right can be checked all the same


def load(path: str | File) -> Instance:
    """The instance in a YAML or JSON file; raises BadInput with every fault located."""
    document = read(path)
    return _build(document.data, document)


def parse(data: Any, document: Document | None = None) -> Instance:
    """The instance in plain data; raises BadInput with the path of every fault."""
    return _build(data, document)


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data or objects for an Instance, sections keyed by id; raises BadInput unless all is well."""
    keyed, wrong, _ = _keyed(data, None)
    _, more = _shape(keyed)
    if wrong + more:
        raise BadInput(located(wrong + more, None))
    return keyed


def _build(data: Any, document: Document | None) -> Instance:
    if not isinstance(data, Mapping):
        raise BadInput(located([Misfit((), "an instance is a mapping of keys to values")], document))
    keyed, wrong, mark = _keyed(data, document)
    if document and mark:
        document = replace(document, data=keyed, marks=mark)
    instance, more = _shape(keyed)
    if document:
        more += blanks(keyed, {misfit.at for misfit in more})
    faults = [*(document.faults if document else ()), *located(wrong + more, document)]
    if faults or instance is None:
        raise BadInput(sorted(faults, key=lambda f: (f.line or 0, f.column or 0)))
    return instance.with_document(document) if document else instance


def _shape(data: dict[str, Any]) -> tuple[Instance | None, list[Misfit]]:
    """The instance, if its shape admits one, and all that is wrong with it.

    What has a wrong shape is left out and the rest checked, so that one run names all faults; faults that
    only follow from what was left out are not reported.
    """
    wrong: list[Misfit] = []
    left_out: list[Path] = []
    rest = data
    for _ in range(ROUNDS):
        try:
            instance = Instance.model_validate(rest)
        except ValidationError as error:
            found = misfits(error, Instance, rest)
            wrong += [m for m in found if not _follows(m.at, left_out)]
            left_out += [m.at for m in found]
            rest = _without(rest, [m.at for m in found])
        else:
            return instance, wrong + [m for m in cross_check(instance, data) if not _follows(m.at, left_out)]
    return None, wrong


def _follows(at: Path, left_out: list[Path]) -> bool:
    return any(at[: len(gone)] == gone or gone[: len(at)] == at for gone in left_out)


def _without(data: Any, gone: list[Path]) -> Any:
    """A copy of plain data less what stands at these paths; where nothing stands, less what encloses it."""
    if not isinstance(data, Mapping):
        return data
    kept = dict(data)
    for step in {path[0] for path in gone if path}:
        inner = [path[1:] for path in gone if path and path[0] == step]
        value = kept.get(str(step))
        lacks = not isinstance(value, Mapping) or any(len(p) == 1 and p[0] not in value for p in inner)
        if () in inner or lacks:
            kept.pop(str(step), None)
        else:
            kept[str(step)] = _without(value, inner)
    return kept


def _keyed(data: Mapping[str, Any], document: Document | None) -> tuple[dict[str, Any], list[Misfit], Mark | None]:
    """Sections given as lists with `id:` as mappings, and the marks with them if any had to move."""
    keyed, wrong = dict(data), []
    listed = [section for section in SECTIONS if isinstance(data.get(section), list | tuple)]
    if not listed:
        return keyed, [], None
    mark = replace(document.mark, inside=dict(document.mark.inside)) if document else None
    for section in listed:
        inner = mark.inside[section] if mark else None
        keyed[section], marks, more = _by_id(section, data[section], inner)
        wrong += more
        if mark and inner:
            mark.inside[section] = replace(inner, inside={**inner.inside, **marks})
    return keyed, wrong, mark


def _by_id(section: str, listed: Any, mark: Mark | None) -> tuple[dict[str, Any], dict[str | int, Mark], list[Misfit]]:
    entries: dict[str, Any] = {}
    marks: dict[str | int, Mark] = {}
    wrong: list[Misfit] = []
    for n, item in enumerate(listed):
        if not isinstance(item, Mapping) or item.get("id") is None:
            wrong.append(Misfit((section, n), f"{section}[{n}] has no id", f"add id: ... to each of {section}"))
            continue
        name = str(item["id"])
        if name in entries:
            first = f", first on line {marks[name].line}" if name in marks else ""
            wrong.append(Misfit((section, n, "id"), f"duplicate id '{name}' in {section}{first}"))
            continue
        entries[name] = {key: value for key, value in item.items() if key != "id"}
        if mark:
            inner = mark.inside[n]
            marks[name] = replace(inner, key=(inner.line, inner.column))
    return entries, marks, wrong
