"""Workflows that a solver leaves funded though nothing of them is done and nothing asks for it: it costs nothing, so it
may; but a plan that says so sends its reader looking for a reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from optimizer.engine.outcome import Outcome, Values
from optimizer.engine.program import Program

DONE = ("tranche", "choose")
DECIDED = ("fund", "launch", "proven", "retrain")  # of a workflow, first in their keys
TOLERANCE = 1e-6  # of a row, relative
NOTHING = 1e-6  # tasks


def without_idle(program: Program, outcome: Outcome) -> Outcome:
    """The outcome without funding that nothing comes of, where every row holds without it and nothing is lost."""
    idle = _owners(outcome.values, ["fund"]) - _owners(outcome.values, DONE)
    if not idle:
        return outcome
    x = before = program.vector(outcome.values)
    owned = _owned(program, idle)
    for names in (idle, *({w} for w in sorted(idle))):
        cols = [j for w in names for j in owned[w]]
        without = x.copy()
        without[cols] = 0.0
        if x[cols].any() and program.violation(without) <= TOLERANCE and program.gain(without, over=x) >= 0:
            x = without
    return outcome if x is before else replace(outcome, values=program.named(x), objective=program.objective(x))


def _owners(values: Values, names: Iterable[str]) -> set[str]:
    """Workflows of which any of these decisions is taken."""
    return {key[0] for name in names for key, amount in values.get(name, {}).items() if amount > NOTHING}


def _owned(program: Program, workflows: Collection[str]) -> Mapping[str, list[int]]:
    """Columns by workflow that decide about it."""
    found: dict[str, list[int]] = {w: [] for w in workflows}
    for j, (name, key) in enumerate(program.cols):
        if name in DECIDED and isinstance(key, tuple) and key[0] in found:
            found[key[0]].append(j)
    return found
