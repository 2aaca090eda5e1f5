"""Names of the catalogue, and what was probably meant by one it does not hold."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UnknownName(KeyError):
    """A name the catalogue does not hold; `close` are the nearest it does, best first."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(name)
        self.kind = kind
        self.name = name
        self.close = tuple(get_close_matches(name, list(known), n=3, cutoff=0.5))

    def __str__(self) -> str:
        hint = f". Maybe {', '.join(self.close)}" if self.close else ""
        return f"unknown {self.kind} '{self.name}'{hint}"
