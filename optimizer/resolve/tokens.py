"""Tokens of one task, on the source that serves it."""

from __future__ import annotations

from typing import NamedTuple

from optimizer.instance.schema import Workflow

DEFAULT = "default"


class Tokens(NamedTuple):
    """Tokens of one task in and out."""

    into: float
    out: float

    @property
    def context(self) -> float:
        """What one sequence holds when it ends."""
        return self.into + self.out


def tokens(w: Workflow, source: str, multiplier: float = 1.0) -> Tokens | None:
    """Tokens stated for this AI model or API, else the default, its output times the model's multiplier.

    None where the workflow states none: such work runs only on deployments that state its speed.
    """
    into, out = w.tokens_in or {}, w.tokens_out or {}
    first, last = into.get(source, into.get(DEFAULT)), out.get(source)
    if last is None and DEFAULT in out:
        last = out[DEFAULT] * multiplier
    return None if first is None or last is None else Tokens(first, last)


def good_mtok(w: Workflow) -> float:
    """Million output tokens of a task that are worth something to its owner: the default, reasoning not counted."""
    return (w.tokens_out or {}).get(DEFAULT, 0.0) / 1e6
