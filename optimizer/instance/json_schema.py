"""The JSON Schema of an instance, for editors and the field reference."""

from __future__ import annotations

from typing import Any

from optimizer.instance.quantity import plain
from optimizer.instance.schema import SECTIONS, Instance

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """JSON Schema of an instance file: every key with its description, numbers with their unit."""
    schema = Instance.model_json_schema(by_alias=True)
    for section in SECTIONS:
        schema["properties"][section] = _keyed_or_listed(schema["properties"][section])
    for part in (schema, *schema["$defs"].values()):
        for key in part.get("properties", {}).values():
            _as_stated(key)
    return {"$schema": DIALECT, **schema, "title": "Solvency instance"}


def _as_stated(key: dict[str, Any]) -> None:
    """A default by period as a file would state it."""
    default = key.get("default")
    if isinstance(default, dict) and "given" in default:
        key["default"] = plain(default["given"])


def _keyed_or_listed(section: dict[str, Any]) -> dict[str, Any]:
    """A section as a mapping by id; as a list its entries carry their id and are left to `check`."""
    about: dict[str, Any] = {key: section[key] for key in ("title", "description") if key in section}
    keyed = {key: value for key, value in section.items() if key not in about and key != "default"}
    entry = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    return {**about, "oneOf": [keyed, {"type": "array", "items": entry}]}
