"""What the shell may complete: paths of the instance named before, its scenarios, families, their rows, and terms."""

# ruff: noqa: PLC0415  a press of the tab key must not wait for what it does not need

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer


def paths(ctx: typer.Context, incomplete: str) -> list[str]:
    """Paths that a change may begin with, one level deeper than what is typed."""
    depth = incomplete.count(".") + 1
    found = _below(_stated(ctx), "", depth)
    return sorted({path for path in found if path.startswith(incomplete)})


def scenarios(ctx: typer.Context, incomplete: str) -> list[str]:
    """Scenarios of the instance; after `+` the ones that may follow."""
    head, plus, rest = incomplete.rpartition("+")
    return [f"{head}{plus}{name}" for name in _stated(ctx).get("scenarios", ()) if str(name).startswith(rest)]


def families(ctx: typer.Context, incomplete: str) -> list[str]:
    """Families and terms of the objective; after `[` the ids a row of this instance may be about."""
    from optimizer.formulation.families import FAMILIES
    from optimizer.formulation.terms import TERMS

    name, bracket, typed = incomplete.partition("[")
    if not bracket:
        return [known.name for known in (*FAMILIES, *TERMS) if known.name.startswith(name)]
    heads = [f.index[0] for f in FAMILIES if f.name == name and f.index]
    ids = [i for head in heads for i in _stated(ctx).get(f"{head}s", ())]
    return [f"{name}[{i},*]" for i in ids if str(i).startswith(typed)]


def _stated(ctx: typer.Context) -> Mapping[str, Any]:
    """The instance as it is written; nothing where it cannot be read, for completion has nowhere to complain."""
    from optimizer.instance import BadInput, load

    words = (ctx.params.get("file"), *ctx.args)  # with an option unfinished, the file is not taken yet
    file = next((word for word in words if word and Path(word).is_file()), None)
    try:
        return load(file).dump() if file else {}
    except (BadInput, OSError):
        return {}


def _below(data: Any, at: str, depth: int) -> Iterator[str]:
    for key, value in data.items() if isinstance(data, Mapping) else ():
        path = f"{at}.{key}" if at else str(key)
        if depth > 1 and isinstance(value, Mapping):
            yield from _below(value, path, depth - 1)
            continue
        if isinstance(value, Mapping):
            yield f"{path}."
        if not isinstance(value, Mapping) or not any(isinstance(v, Mapping) for v in value.values()):
            yield f"{path}="
