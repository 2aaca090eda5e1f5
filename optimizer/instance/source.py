"""A file as a document: its bytes, its text, and which of the two syntaxes it is in."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from optimizer.instance.document import Document, compose, whole
from optimizer.instance.faults import BadInput, Fault


def read(path: str | Path) -> Document:
    """The document in a file; raises BadInput when it cannot be read as text or has broken syntax."""
    try:
        raw = contents(path)
    except OSError as error:
        why = (error.strerror or "").lower()
        raise BadInput([Fault(str(path), None, None, "", f"cannot be read: {why}")]) from error
    text, name = _text(raw, str(path)), str(path)
    document = _json(text, name) if name.endswith(".json") else compose(text, name)
    return replace(document, sha256=sha256(raw).hexdigest())


def contents(path: str | Path) -> bytes:
    """The bytes of a file; those of a pipe, which can be read once only, are kept."""
    return _drained(str(path)) if Path(path).is_fifo() else Path(path).read_bytes()


def unwritable(path: Path) -> str:
    """Why nothing can be saved there, "" where it can; what is there already is left as it is."""
    try:
        if path.exists():
            path.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        return f"cannot be written: {(error.strerror or '').lower()}"
    return ""


@cache
def _drained(pipe: str) -> bytes:
    return Path(pipe).read_bytes()


def _text(raw: bytes, path: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = raw.count(b"\n", 0, error.start) + 1, error.start - raw.rfind(b"\n", 0, error.start)
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8 text"
        raise BadInput([Fault(path, line, column, "", message, "save the file as UTF-8")]) from error


def _json(text: str, path: str) -> Document:
    """JSON by its own parser, sixty times as fast; only duplicate keys and faults need marks."""
    spaced = text.replace("\t", " ")  # a tab outside strings, which is all that JSON admits, is no space in YAML
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_int=whole)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(data, ensure_ascii=False).encode()
        return Document(path, data, None, text=spaced)
    except json.JSONDecodeError as error:
        raise BadInput([Fault(path, error.lineno, error.colno, "", f"not valid JSON: {error.msg.lower()}")]) from error
    except (KeyError, RecursionError, UnicodeEncodeError):  # a duplicate key, nested too deep, half a character
        return compose(spaced, path)  # says on which line


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise KeyError
    return entries
