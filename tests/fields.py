"""The field tables of instances/README.md, written from the JSON Schema; run this file to write them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optimizer.instance.json_schema import json_schema

PAGE = Path(__file__).parents[1] / "instances" / "README.md"
MARK = "<!-- written by tests/fields.py from the JSON Schema; do not edit below -->\n"
ROOT = "Instance"
UNITS = {"MW", "GB", "kW", "ms", "h", "s", "USD", "GPU", "token", "task", "request", "%", "TB", "TB/s", "W", "lot"}
WORDS = {
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "integer": "whole number",
    "number": "number",
    "string": "text",
}


def tables() -> str:
    """One table per kind of section, the whole file first, then in the order in which they are met."""
    schema = json_schema()
    found = {ROOT: schema, **schema.get("$defs", {})}
    return "\n".join(_table(name, found[name]) for name in _order(found))


def keys(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (section, key) of the schema."""
    for name, part in {ROOT: schema, **schema.get("$defs", {})}.items():
        yield from ((name, key) for key in part.get("properties", {}))


def _order(found: Mapping[str, Any]) -> list[str]:
    order = [ROOT]
    for name in order:
        order += [n for n in dict.fromkeys(_references(found[name].get("properties", {}))) if n not in order]
    return [name for name in order if found[name].get("properties")]


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def _table(name: str, part: Mapping[str, Any]) -> str:
    about = part.get("description", "").split("\n")[0]
    required = part.get("required", ())
    rows = [
        f"| `{key}` | {_kind(p)} | {_default(key, p, required)} | {p.get('description', '')} |"
        for key, p in part["properties"].items()
    ]
    title = "The whole file" if name == ROOT else name
    head = [f"### {title}\n", f"{about}\n", "| key | holds | default | says |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _kind(p: Mapping[str, Any]) -> str:
    """What a key holds, in a few words: its unit, its choices or the section it opens."""
    text = str(p)
    titles = re.findall(r"'title': '([^']*?)(?:, with its unit)?'", text)
    unit = next((t for t in titles if "/" in t or t in UNITS), "")
    choices = re.findall(r"'enum': \[([^\]]*)\]|'const': '([^']*)'", text)
    sections = list(dict.fromkeys(_references(p)))
    chosen = "".join(choices[0]).replace("'", "") if choices else ""
    what = unit or " or ".join(sections) or chosen or _plain(text)
    return what + (", by period" if "Steps by period" in text else "") + (", by id" if _by_id(p, sections) else "")


def _by_id(p: Mapping[str, Any], sections: list[str]) -> bool:
    return bool(sections) and ("additionalProperties" in str(p) or "patternProperties" in str(p))


def _plain(text: str) -> str:
    return next((word for sign, word in WORDS.items() if f"'type': '{sign}'" in text), "anything")


def _default(key: str, p: Mapping[str, Any], required: Any) -> str:
    if key in required:
        return "required"
    value = p.get("default")
    if value is None or value in ({}, []) or isinstance(value, Mapping):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text(encoding="utf-8").partition(MARK)[0] + MARK + "\n" + tables(), encoding="utf-8")
