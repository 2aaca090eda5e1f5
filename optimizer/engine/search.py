"""HiGHS, inside the worker: options, callbacks, every status looked at. The only module that imports highspy.

Feasibility tolerances are 1e-7 on rows that `scale` has brought to about one; a plan is polished afterwards (whole
numbers fixed, the linear program solved again), so that its continuous part is as clean as a simplex basis.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.messages import Ending, Incumbent, Message, Tick, Verdict
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Flags, Floats, Ints, Program
from optimizer.engine.tidy import tidied

TOLERANCE = 1e-7
TICK_SECONDS = 0.25
POLISH_SECONDS = 1.0  # beyond the clock, inside the grace the parent gives
COMPLETION = 0.5  # share of the time left that completing a start may take
COMPLETION_NODES = 500  # as HiGHS has it

Tell = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Control:
    """When to end (`deadline` on the monotonic clock, or `stop`), whom to tell, and the settings of every run."""

    deadline: float
    stop: threading.Event
    tell: Tell
    gap: float = 0.0
    floor: float = 1.0
    threads: int = 1
    seed: int = 0

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(self.deadline - time.monotonic(), 0.0)

    @property
    def over(self) -> bool:
        """Time to end, by the clock or because we were told."""
        return self.stop.is_set() or self.left <= 0.0

    def quietly(self, seconds: float, gap: float = 0.0) -> Control:
        """For a step of at most `seconds` whose own plans and bounds say nothing about the whole."""
        return replace(self, deadline=min(self.deadline, time.monotonic() + seconds), tell=lambda _: None, gap=gap)


class Highs:
    """One HiGHS object that raises instead of returning an error."""

    def __init__(self, program: Program, control: Control, **options: Any) -> None:
        self.program, self.control, self.h = program, control, highspy.Highs()
        limits = {"mip_rel_gap": control.gap, "mip_abs_gap": max(control.gap * control.floor, 1e-12)}
        tolerances = dict.fromkeys(("mip_feasibility_tolerance", "primal_feasibility_tolerance"), TOLERANCE)
        settings = {"output_flag": False, "threads": control.threads, "random_seed": control.seed}
        self.set(**(settings | limits | tolerances | options))
        _ok(self.h.passModel(_lp(program)), "passing the program")
        self._last = 0.0
        self.h.cbMipImprovingSolution += self._improved
        for callback in (self.h.cbMipInterrupt, self.h.cbSimplexInterrupt, self.h.cbIpmInterrupt):
            callback.subscribe(self._interrupt)

    def run(self) -> Model:
        """The model status after a run that ends by the control's clock."""
        _ok(self.h.setOptionValue("time_limit", self.h.getRunTime() + self.control.left), "option time_limit")
        _ok(self.h.run(), "the run")
        status: Model = self.h.getModelStatus()
        return status

    def plan(self) -> Floats | None:
        """The incumbent, if HiGHS says that it has a feasible one."""
        if self.h.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        return np.array(self.h.getSolution().col_value, float)

    def prices(self) -> Floats:
        """Price of each row of a linear program that was solved to its optimum."""
        return np.array(self.h.getSolution().row_dual, float)

    def bound(self) -> float | None:
        """The proved bound of a program with whole numbers; of an optimal linear one its objective."""
        info = self.h.getInfo()
        if self.program.integer.any():
            return _finite(info.mip_dual_bound)
        solved = self.h.getModelStatus() == Model.kOptimal
        return _finite(info.objective_function_value) if solved else None

    def hold(self, cols: Ints, lower: Floats, upper: Floats) -> None:
        """New bounds for some columns."""
        _ok(self.h.changeColsBounds(cols.size, cols.astype(np.int32), lower, upper), "changing bounds")

    def set(self, **options: Any) -> None:
        """Options for the runs from now on."""
        for name, value in options.items():
            _ok(self.h.setOptionValue(name, value), f"option {name}={value!r}")

    def change(self, program: Program) -> None:
        """Become another program of the same columns, rows and coefficients."""
        old, self.program, h = self.program, program, self.h
        cols = np.flatnonzero((old.col_lower != program.col_lower) | (old.col_upper != program.col_upper))
        rows = np.flatnonzero((old.row_lower != program.row_lower) | (old.row_upper != program.row_upper))
        priced = np.flatnonzero(old.cost != program.cost)
        self.hold(cols.astype(np.int32), program.col_lower[cols], program.col_upper[cols])
        low, high = program.row_lower[rows], program.row_upper[rows]
        _ok(h.changeRowsBounds(rows.size, rows.astype(np.int32), low, high), "changing rows")
        _ok(h.changeColsCost(priced.size, priced.astype(np.int32), program.cost[priced]), "changing costs")
        _ok(h.changeObjectiveOffset(program.offset), "changing the offset")
        entries = np.flatnonzero(old.value != program.value)
        for row, col, value in zip(
            program.row_of[entries].tolist(), program.index[entries].tolist(), program.value[entries], strict=True
        ):
            _ok(h.changeCoeff(row, col, float(value)), "changing a coefficient")

    def forget(self) -> None:
        """The plan, basis and tree of earlier runs: the next one is as the first."""
        _ok(self.h.clearSolver(), "forgetting the last run")

    def begin_from(self, cols: Ints, values: Floats) -> None:
        """A start; HiGHS completes one that lacks columns. One that is refused costs nothing but its help."""
        self.h.setSolution(cols.size, cols.astype(np.int32), values)

    def _improved(self, event: Any) -> None:
        self.control.tell(Incumbent(np.array(event.data_out.mip_solution, float)))

    def _interrupt(self, event: Any) -> None:
        event.interrupt(self.control.over)  # False must be said too: HiGHS remembers the last answer
        now = time.monotonic()
        if now - self._last >= TICK_SECONDS and self.program.integer.any():
            self._last = now
            self.control.tell(Tick(_finite(event.data_out.mip_primal_bound), _finite(event.data_out.mip_dual_bound)))


def search(program: Program, control: Control, start: tuple[Ints, Floats] | None) -> Verdict:
    """Solve, look at the status, confirm what is infeasible or unbounded, and polish."""
    if program.cost.size == 0:
        return _without_columns(program)
    highs = Highs(program, control)
    if start is not None:
        highs.begin_from(*_completed(program, control, *start))
    status = highs.run()
    if status in (Model.kUnbounded, Model.kUnboundedOrInfeasible):
        return unbounded_or_infeasible(program, control)
    if status == Model.kInfeasible:
        highs = Highs(program, control, presolve="off")  # presolve has called feasible programs infeasible
        status = highs.run()
    x = highs.plan() if status != Model.kInfeasible else None
    return Verdict(_ending(status), x if x is None else polish(program, control, x), highs.bound())


def _completed(program: Program, control: Control, cols: Ints, values: Floats) -> tuple[Ints, Floats]:
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
    if status in (Model.kTimeLimit, Model.kInterrupt):
        return "ended"
    raise SolverError(f"HiGHS ended with status {status}")


def _lp(program: Program) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.cost.size, program.row_lower.size
    lp.sense_ = highspy.ObjSense.kMaximize if program.maximise else highspy.ObjSense.kMinimize
    lp.col_cost_, lp.offset_ = program.cost, program.offset
    lp.col_lower_, lp.col_upper_ = program.col_lower, program.col_upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    a = lp.a_matrix_
    a.format_, a.num_col_, a.num_row_ = highspy.MatrixFormat.kRowwise, lp.num_col_, lp.num_row_
    a.start_, a.index_, a.value_ = program.start, program.index, program.value
    if program.integer.any():
        kind = highspy.HighsVarType
        lp.integrality_ = [kind.kInteger if whole else kind.kContinuous for whole in program.integer]
    return lp


def _ok(status: Any, what: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refused or failed: {what}")


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) and abs(value) < highspy.kHighsInf else None
