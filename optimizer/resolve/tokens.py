"""Tokens of one task, on the source that serves it."""

from __future__ import annotations

from typing import NamedTuple

from optimizer.instance.schema import Effect, Workflow

DEFAULT = "default"
PLAIN = Effect()  # no tool in use


class Tokens(NamedTuple):
    """Tokens of one task in and out; of those in, `cached` need not be computed again."""

    into: float
    out: float
    cached: float = 0.0

    @property
    def context(self) -> float:
        """What one sequence holds when it ends."""
        return self.into + self.out


def tokens(w: Workflow, source: str, multiplier: float = 1.0, effect: Effect = PLAIN) -> Tokens | None:
    """Tokens stated for this AI model or API, else the default, its output times the model's multiplier.

    Tools in use change them by their factors. None where the workflow states none: such work runs only on
    deployments that state its speed.
    """
    into, out, kept = w.tokens_in or {}, w.tokens_out or {}, w.cached_in or {}
    first, last = into.get(source, into.get(DEFAULT)), out.get(source)
    if last is None and DEFAULT in out:
        last = out[DEFAULT] * multiplier
    if first is None or last is None:
        return None
    first, last = first * effect.tokens_in_factor, last * effect.tokens_out_factor
    share = kept.get(source, kept.get(DEFAULT, 0.0)) if effect.cached_in is None else effect.cached_in
    return Tokens(first, last, share * first)


def good_mtok(w: Workflow) -> float:
    """Million output tokens of a task that are worth something to its owner: the default, reasoning not counted."""
    return (w.tokens_out or {}).get(DEFAULT, 0.0) / 1e6
