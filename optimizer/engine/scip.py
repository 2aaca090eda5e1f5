"""SCIP, an optional extra, inside the worker: the counterpart of `Highs`. The only module that imports pyscipopt.

It minimises, as `Highs` does, and takes plans from `known` while it runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pyscipopt import SCIP_EVENTTYPE as EVENT
from pyscipopt import SCIP_HEURTIMING as TIMING
from pyscipopt import SCIP_PARAMSETTING as SETTING
from pyscipopt import SCIP_RESULT as RESULT
from pyscipopt import Heur, Model
from pyscipopt.scip import Expr, ExprCons, Term

from optimizer.engine.known import Known
from optimizer.engine.messages import Incumbent, Tick
from optimizer.engine.program import Floats, Ints, Program
from optimizer.engine.solver import TICK_SECONDS, TOLERANCE, Control

if TYPE_CHECKING:
    from optimizer.engine.rounding import Cuts

INFINITE = 1e20
HEURISTICS = {"none": SETTING.OFF, "few": SETTING.FAST, "usual": SETTING.DEFAULT}
ONLY_SEPARATED = {"initial": False, "enforce": False, "check": False, "propagate": False, "removable": True}
EVERYWHERE = TIMING.BEFORENODE | TIMING.DURINGLPLOOP | TIMING.AFTERLPNODE


class Scip:
    """One SCIP model that ends by the control's clock. It and what it calls keep each other: `free` lets it go."""

    def __init__(
        self,
        program: Program,
        control: Control,
        settings: Mapping[str, Any],
        known: Known | None = None,
        heuristics: Literal["none", "few", "usual"] = "usual",
    ) -> None:
        self.program, self.control, self.known = program, control, known
        self.model, self._cols = _passed(program)
        limits = {"limits/gap": control.gap, "limits/absgap": max(control.gap * control.floor, 1e-12)}
        seed = {"randomization/randomseedshift": control.seed}
        self.model.setParams({"numerics/feastol": TOLERANCE} | limits | seed | dict(settings))
        self._last, self._tried = 0.0, np.zeros(0)
        self.model.setHeuristics(HEURISTICS[heuristics])
        self.model.attachEventHandlerCallback(self._improved, [EVENT.BESTSOLFOUND])
        self.model.includeHeur(_Look(self), "look", "clock, news and plans of others", "o", timingmask=EVERYWHERE)

    def begin_from(self, x: Floats) -> None:
        """A start; one that is refused costs nothing but its help."""
        self.model.addSol(self._solution(x))

    def separate(self, cuts: Cuts) -> None:
        """Inequalities that every plan satisfies, to be cut with where they are violated; they are no rows to keep."""
        matrix, terms = cuts.matrix, [Term(col) for col in self._cols]
        rows = _rows(terms, matrix.indptr, matrix.indices, matrix.data)
        for row, most in zip(rows, cuts.rhs, strict=True):
            self.model.addCons(ExprCons(row, None, float(most)), **ONLY_SEPARATED)

    def run(self) -> str:
        """SCIP's word for how it ended, by the control's clock at the latest."""
        self.model.setParam("limits/time", self.control.left)
        self.model.optimizeNogil()
        return str(self.model.getStatus())

    def pivots(self) -> int:
        """Simplex iterations: a measure of work that no clock disturbs."""
        return int(self.model.getNLPIterations())

    def plan(self) -> Floats | None:
        """The incumbent, if there is one."""
        if not self.model.getNSols():
            return None
        best = self.model.getBestSol()
        return np.array([self.model.getSolVal(best, col) for col in self._cols])

    def bound(self) -> float | None:
        """The proved bound of a model that has run: SCIP has none before, and must not be asked."""
        return self._told(self.model.getDualbound())

    def free(self) -> None:
        """Gives its memory back; nothing can be asked of it after that."""
        self.model.free()
        self._cols = []

    def look(self) -> bool:
        """End if it is time, tell the bound now and then, hand over a better plan of someone else; whether one was."""
        if self.control.over:
            self.model.interruptSolve()
        now = time.monotonic()
        if now - self._last >= TICK_SECONDS:
            self._last = now
            self.control.tell(Tick(self._told(self.model.getPrimalbound()), self.bound()))
        better = None if self.known is None else self.known.better_than(self._told(self.model.getPrimalbound()))
        if better is None or better is self._tried:
            return False
        self._tried = better
        return bool(self.model.trySol(self._solution(better)))

    def _improved(self, *_: Any) -> None:
        x = self.plan()
        if x is not None and (self.known is None or self.known.offer(x)):
            self.control.tell(Incumbent(x))

    def _solution(self, x: Floats) -> Any:
        solution = self.model.createOrigSol()
        for col, value in zip(self._cols, x.tolist(), strict=True):
            self.model.setSolVal(solution, col, value)
        return solution

    def _told(self, value: float) -> float | None:
        return None if self.model.isInfinity(abs(value)) else _sign(self.program) * float(value)


class _Look(Heur):  # type: ignore[misc]
    """SCIP lets a heuristic run after every linear program, those between rounds of cuts at the root included."""

    def __init__(self, scip: Scip) -> None:
        self.scip = scip

    def heurexec(self, heurtiming: Any, nodeinfeasible: bool) -> dict[str, Any]:
        """Look, and say whether that gave a plan."""
        return {"result": RESULT.FOUNDSOL if self.scip.look() else RESULT.DIDNOTFIND}


def _passed(program: Program) -> tuple[Any, list[Any]]:
    """A model of the program, and its columns. Rows are passed by their terms: algebra would take longer."""
    model, sign = Model(), _sign(program)
    model.hideOutput()
    bounds = zip(program.col_lower, program.col_upper, (sign * program.cost).tolist(), program.integer, strict=True)
    cols = [
        model.addVar(lb=_finite(low), ub=_finite(high), obj=cost, vtype="I" if whole else "C")
        for low, high, cost, whole in bounds
    ]
    rows = _rows([Term(col) for col in cols], program.start, program.index, program.value)
    for row, low, high in zip(rows, program.row_lower, program.row_upper, strict=True):
        if _finite(low) is not None or _finite(high) is not None:  # one that was dropped says nothing
            model.addCons(ExprCons(row, _finite(low), _finite(high)))
    model.addObjoffset(sign * program.offset)
    return model, cols


def _rows(terms: Sequence[Any], start: Ints, index: Ints, value: Floats) -> Iterator[Any]:
    """The rows of a matrix as sums of these terms."""
    at, coefficients = index.tolist(), value.tolist()
    for low, high in pairwise(start.tolist()):
        yield Expr({terms[j]: v for j, v in zip(at[low:high], coefficients[low:high], strict=True)})


def _finite(value: float) -> float | None:
    return None if abs(value) >= INFINITE else float(value)


def _sign(program: Program) -> float:
    return -1.0 if program.maximise else 1.0
