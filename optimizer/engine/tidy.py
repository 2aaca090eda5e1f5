"""Whole numbers that a plan does not need, taken back: idle replicas and nodes left over inside the gap.

A plan within the gap may keep a replica that serves nobody. It is worth no money to the solver and a question to
every reader, so each whole number is lowered as far as its rows allow, where that costs nothing.
"""

from __future__ import annotations

import numpy as np

from optimizer.engine.program import Floats, Ints, Program

SLACK = 1e-9  # relative; what a row may be missed by after a number was lowered
PASSES = 3  # nodes and layouts can go only after the replicas on them went


def tidied(program: Program, x: Floats) -> Floats:
    """x, feasible, with every whole number as low as the rest of x allows; never worth less."""
    lean, activity = x.copy(), program.activity(x)
    helps = program.cost >= 0 if not program.maximise else program.cost <= 0
    order = np.argsort(program.index, kind="stable")
    row_of, value = program.row_of[order], program.value[order]
    ends = np.searchsorted(program.index[order], np.arange(x.size + 1))
    for _ in range(PASSES):
        before = lean.copy()
        for j in np.flatnonzero(program.integer & helps & (lean > program.col_lower + 0.5)):
            at = slice(ends[j], ends[j + 1])
            step = _room(program, activity, row_of[at], value[at], lean[j] - program.col_lower[j])
            lean[j] -= step
            activity[row_of[at]] -= value[at] * step
        if np.array_equal(before, lean):
            break
    return lean


def _room(program: Program, activity: Floats, rows: Ints, value: Floats, most: float) -> float:
    """How far a column with these coefficients may fall before a row is broken."""
    limit = np.where(value > 0, program.row_lower[rows], program.row_upper[rows])
    spare = np.abs(activity[rows] - limit) + SLACK * np.maximum(1.0, np.abs(limit))
    spare = np.where(np.isfinite(limit), spare, np.inf)
    return float(np.floor(min(most, (spare / np.abs(value)).min(initial=np.inf))))
