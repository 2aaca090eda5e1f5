"""HiGHS, inside the worker: options, callbacks, every status looked at. The only module that drives highspy;
others read its model status.

Feasibility tolerances are 1e-7 on rows that `scale` has brought to about one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import highspy
import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.basis import Basis
from optimizer.engine.known import Known
from optimizer.engine.messages import Incumbent, Message, Tick
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Floats, Ints, Program

if TYPE_CHECKING:
    from optimizer.engine.crew import Crew

TOLERANCE = 1e-7
TICK_SECONDS = 0.25

Tell = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Control:
    """When to end (`deadline` on the monotonic clock, or `stop`), whom to tell, who helps, and how every run is set."""

    deadline: float
    stop: threading.Event
    tell: Tell
    gap: float = 0.0
    floor: float = 1.0
    threads: int = 1
    seed: int = 0
    began: float = field(default_factory=time.monotonic)
    crew: Crew | None = None  # who solves sub-problems; None: this process

    @property
    def spent(self) -> float:
        """Seconds since the work on the whole began."""
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(self.deadline - time.monotonic(), 0.0)

    @property
    def goal(self) -> float | None:
        """The objective from which on a plan closes the gap of the whole; None where that is not known."""
        return None

    @property
    def over(self) -> bool:
        """Time to end, by the clock or because we were told."""
        return self.stop.is_set() or self.left <= 0.0

    def until(self, seconds: float) -> Control:
        """For a step of at most `seconds` that speaks for the whole."""
        return replace(self, deadline=min(self.deadline, time.monotonic() + seconds))

    def quietly(self, seconds: float, gap: float = 0.0) -> Control:
        """For a step of at most `seconds` whose own plans and bounds say nothing about the whole."""
        return replace(self, deadline=min(self.deadline, time.monotonic() + seconds), tell=lambda _: None, gap=gap)


class Highs:
    """One HiGHS object that raises instead of returning an error; it takes plans from `known` while it runs.

    It always minimises: HiGHS 1.15 compares plans handed in while it runs by the wrong sign when it maximises.
    """

    def __init__(self, program: Program, control: Control, known: Known | None = None, **options: Any) -> None:
        self.program, self.control, self.known = program, control, known
        self.h = highspy.Highs()
        limits = {"mip_rel_gap": control.gap, "mip_abs_gap": max(control.gap * control.floor, 1e-12)}
        tolerances = dict.fromkeys(("mip_feasibility_tolerance", "primal_feasibility_tolerance"), TOLERANCE)
        settings = {"output_flag": False, "threads": control.threads, "random_seed": control.seed}
        self.set(**(settings | limits | tolerances | options))
        _ok(self.h.passModel(_lp(program)), "passing the program")
        self._last, self._given = 0.0, False
        self.h.cbMipImprovingSolution += _weakly(self._improved)
        if known is not None:
            self.h.cbMipUserSolution += _weakly(self._take)
        for callback in (self.h.cbMipInterrupt, self.h.cbSimplexInterrupt, self.h.cbIpmInterrupt):
            callback.subscribe(_weakly(self._interrupt))

    def run(self) -> Model:
        """The model status after a run that ends by the control's clock. HiGHS 1.15 can break down in a basis that was
        found for another program ("excessive dual values"): then it runs once more, from nothing."""
        _ok(self.h.setOptionValue("time_limit", self.h.getRunTime() + self.control.left), "option time_limit")
        ran = self.h.run()
        if ran == highspy.HighsStatus.kError and self._given:
            _ok(self.h.clearSolver(), "letting go of a basis")
            ran = self.h.run()
        _ok(ran, "the run")
        status: Model = self.h.getModelStatus()
        return status

    def ended(self) -> bool:
        """A run; whether it came to its proof."""
        return self.run() in (Model.kOptimal, Model.kInfeasible)

    def pivots(self) -> int:
        """Simplex iterations of the last run: a measure of work that no clock disturbs."""
        return int(self.h.getInfo().simplex_iteration_count)

    def plan(self) -> Floats | None:
        """The incumbent, if HiGHS says that it has a feasible one."""
        if self.h.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        return np.array(self.h.getSolution().col_value, float)

    def prices(self) -> Floats:
        """Price of each row of a linear program that was solved to its optimum."""
        return _sign(self.program) * np.array(self.h.getSolution().row_dual, float)

    def reduced_costs(self) -> Floats:
        """What one more of each column would add, of a linear program that was solved to its optimum."""
        return _sign(self.program) * np.array(self.h.getSolution().col_dual, float)

    def bound(self) -> float | None:
        """The proved bound of a program with whole numbers; of an optimal linear one its objective."""
        info = self.h.getInfo()
        if self.program.integer.any():
            return self._told(info.mip_dual_bound)
        solved = self.h.getModelStatus() == Model.kOptimal
        return self._told(info.objective_function_value) if solved else None

    def hold(self, cols: Ints, lower: Floats, upper: Floats) -> None:
        """New bounds for some columns."""
        _ok(self.h.changeColsBounds(cols.size, cols.astype(np.int32), lower, upper), "changing bounds")

    def set(self, **options: Any) -> None:
        """Options for the runs from now on."""
        for name, value in options.items():
            _ok(self.h.setOptionValue(name, value), f"option {name}={value!r}")

    def forget(self) -> None:
        """The plan, basis and tree of earlier runs: the next one is as the first."""
        _ok(self.h.clearSolver(), "forgetting the last run")

    def free(self) -> None:
        """Gives its memory back, whoever still holds it; nothing can be asked of it after that."""
        _ok(self.h.clear(), "giving memory back")

    def begin_from(self, cols: Ints, values: Floats) -> None:
        """A start; HiGHS completes one that lacks columns. One that is refused costs nothing but its help."""
        self.h.setSolution(cols.size, cols.astype(np.int32), values)

    def begin_at(self, basis: Basis) -> None:
        """A basis for a linear program, which it then begins from without presolve."""
        given, kind = highspy.HighsBasis(), {int(each): each for each in highspy.HighsBasisStatus.__members__.values()}
        given.col_status, given.row_status = ([kind[k] for k in kinds.tolist()] for kinds in (basis.cols, basis.rows))
        given.valid = True
        _ok(self.h.setBasis(given), "passing a basis")
        self._given = True

    def basis(self) -> Basis:
        """Where a linear program ended."""
        found = self.h.getBasis()
        return Basis(*(np.array([int(k) for k in kinds], np.int8) for kinds in (found.col_status, found.row_status)))

    def basic(self) -> Ints:
        """The basic column of every row of a linear program that was solved; below zero where it is a slack."""
        status, cols = self.h.getBasicVariables()
        _ok(status, "reading the basis")
        return np.asarray(cols)

    def inverse_row(self, row: int) -> Floats:
        """A row of the inverse of that basis."""
        status, values = self.h.getBasisInverseRow(row)
        _ok(status, "reading the inverse of the basis")
        return np.asarray(values)

    def _improved(self, event: Any) -> None:
        x = np.array(event.data_out.mip_solution, float)
        if self.known is None or self.known.offer(x):
            self.control.tell(Incumbent(x))

    def _take(self, event: Any) -> None:
        assert self.known is not None
        better = self.known.better_than(self._told(event.data_out.mip_primal_bound))
        if better is not None:
            event.data_in.setSolution(better)

    def _interrupt(self, event: Any) -> None:
        now = time.monotonic()
        if now - self._last >= TICK_SECONDS and self.program.integer.any():
            self._last = now
            best, bound = self._told(event.data_out.mip_primal_bound), self._told(event.data_out.mip_dual_bound)
            self.control.tell(Tick(best, bound))
        event.interrupt(self.control.over)  # False must be said too: HiGHS remembers the last answer

    def _told(self, value: float) -> float | None:
        """An objective in the program's own sense; None where HiGHS has none."""
        known = math.isfinite(value) and abs(value) < highspy.kHighsInf
        return _sign(self.program) * float(value) if known else None


def _weakly(method: Callable[[Any], None]) -> Callable[[Any], None]:
    """A callback that does not keep its object: else a solver of gigabytes would wait for the garbage collector."""
    kept = WeakMethod(method)

    def call(event: Any) -> None:
        if (alive := kept()) is not None:
            alive(event)

    return call


def _lp(program: Program) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.cost.size, program.row_lower.size
    lp.sense_ = highspy.ObjSense.kMinimize
    lp.col_cost_, lp.offset_ = _sign(program) * program.cost, _sign(program) * program.offset
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


def _sign(program: Program) -> float:
    return -1.0 if program.maximise else 1.0
