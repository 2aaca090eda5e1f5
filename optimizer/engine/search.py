"""Branch and cut to the end, from a start: every status looked at, every plan polished.

A plan is polished when the search is over (whole numbers fixed, the linear program solved again), so that its
continuous part is as clean as a simplex basis.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.known import Known
from optimizer.engine.messages import Ending, Verdict
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Flags, Floats, Ints, Program
from optimizer.engine.solver import TOLERANCE, Control, Highs
from optimizer.engine.tidy import tidied

POLISH_SECONDS = 1.0  # beyond the clock, inside the grace the parent gives
COMPLETION = 0.5  # share of the time left that completing a start may take
COMPLETION_NODES = 500  # as HiGHS has it


def search(
    program: Program, control: Control, start: tuple[Ints, Floats] | None, known: Known | None = None, **options: Any
) -> Verdict:
    """Solve, look at the status, confirm what is infeasible or unbounded, and polish."""
    if program.cost.size == 0:
        return _without_columns(program)
    highs = Highs(program, control, known, **options)
    if start is not None:
        highs.begin_from(*completed(program, control, *start))
    status = highs.run()
    if status in (Model.kUnbounded, Model.kUnboundedOrInfeasible):
        return unbounded_or_infeasible(program, control)
    if status == Model.kInfeasible:
        highs = Highs(program, control, presolve="off")  # presolve has called feasible programs infeasible
        status = highs.run()
    x = highs.plan() if status != Model.kInfeasible else None
    if x is not None and known is not None:
        known.offer(x)
    return Verdict(_ending(status), x if x is None else polish(program, control, x), highs.bound())


def completed(program: Program, control: Control, cols: Ints, values: Floats) -> tuple[Ints, Floats]:
    """The start with the whole numbers that it lacks, chosen by a search of its own.

    HiGHS would do the same, but tells the bounds of that smaller program as if they were those of the whole.
    """
    free, x = np.ones(program.cost.size, bool), np.zeros(program.cost.size)
    free[cols], x[cols] = False, values
    free |= ~program.integer
    if not program.integer[free].any():
        return cols, values
    few = control.quietly(COMPLETION * control.left, control.gap)
    whole = solve_held(program, few, free, program.rounded(x), mip_max_nodes=COMPLETION_NODES)
    return (cols[:0], values[:0]) if whole is None else (np.arange(x.size, dtype=np.int32), whole)


def polish(program: Program, control: Control, x: Floats) -> Floats:
    """The best continuous part for the whole numbers of x, tidied; x rounded where there is none to be had in time."""
    rounded = program.rounded(x)
    free = ~program.integer
    if free.all():
        return rounded
    if program.violation(rounded) <= TOLERANCE:
        rounded = tidied(program, rounded)
    if not free.any():
        return rounded
    spare = replace(control, deadline=max(control.deadline, time.monotonic() + POLISH_SECONDS), stop=threading.Event())
    better = solve_held(program, spare.quietly(max(control.left, POLISH_SECONDS)), free, rounded)
    return rounded if better is None else better


def solve_held(
    program: Program, control: Control, free: Flags, x: Floats, hint: Floats | None = None, **options: Any
) -> Floats | None:
    """x with its `free` columns chosen best while all others stay, None if nothing feasible was found in time.

    The search begins from the whole numbers of `hint`, not a number where there is none.
    """
    part = program.held(free, x)
    highs = Highs(part, control, **options)
    if hint is not None:
        known = np.flatnonzero(part.integer & np.isfinite(hint[free])).astype(np.int32)
        highs.begin_from(known, hint[free][known])
    highs.run()
    found = highs.plan()
    if found is None:
        return None
    whole = x.copy()
    whole[free] = part.rounded(found)
    return whole


def _without_columns(program: Program) -> Verdict:
    nothing = np.zeros(0)
    holds = program.violation(nothing) <= TOLERANCE
    return Verdict("optimal", nothing, program.offset) if holds else Verdict("infeasible", None, None)


def unbounded_or_infeasible(program: Program, control: Control) -> Verdict:
    """Without its objective the program is either feasible, and then it was unbounded, or infeasible."""
    silent = replace(control, tell=lambda _: None)
    status = Highs(replace(program, cost=np.zeros_like(program.cost)), silent, presolve="off").run()
    return Verdict("unbounded" if status == Model.kOptimal else _ending(status), None, None)


def _ending(status: Model) -> Ending:
    if status == Model.kOptimal:
        return "optimal"
    if status == Model.kInfeasible:
        return "infeasible"
    if status in (Model.kTimeLimit, Model.kInterrupt, Model.kSolutionLimit):  # the last: of nodes
        return "ended"
    raise SolverError(f"HiGHS ended with status {status}")
