"""Variants of a solved program, each solved from the same plan by changing what differs in the solver.

Every variant begins from the base, never from another variant, with one thread and a limit on nodes: its answer
depends on the variant alone, not on what was solved before it, where, or next to what. The clock ends a variant only
where the limit on nodes did not, and then says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.align import Layout, NewStructure
from optimizer.engine.highs import reported
from optimizer.engine.messages import Ending, Incumbent, Message, Tick, Verdict
from optimizer.engine.outcome import Outcome, SolverError, Values
from optimizer.engine.program import Floats, Ints, Program
from optimizer.engine.scale import Scaled, scale
from optimizer.engine.search import polish, unbounded_or_infeasible
from optimizer.engine.solver import Control, Highs
from optimizer.engine.start import construct
from optimizer.engine.watch import Watch

HEURISTICS = (
    "mip_heuristic_run_rens", "mip_heuristic_run_rins", "mip_heuristic_run_root_reduced_cost",
    "mip_heuristic_run_feasibility_jump",
)  # fmt: skip
PROOF = {**dict.fromkeys(HEURISTICS, False), "mip_heuristic_effort": 0.0, "presolve": "off"}
SEARCH = {
    "mip_heuristic_run_rens": True, "mip_heuristic_run_rins": True, "mip_heuristic_run_root_reduced_cost": False,
    "mip_heuristic_run_feasibility_jump": True, "mip_heuristic_effort": 0.05, "presolve": "choose",
}  # fmt: skip
PROOF_NODES = 60  # from a good plan most variants are proved within these, without any search for a better one

ENDED: dict[Any, Ending] = {
    Model.kOptimal: "optimal", Model.kSolutionLimit: "ended", Model.kTimeLimit: "ended", Model.kInterrupt: "ended",
}  # fmt: skip

Stopped = Literal["", "work", "clock", "cancel"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a variant; why it was `rebuilt` ('' if not), and what `stopped` it before its proof."""

    outcome: Outcome
    rebuilt: str
    stopped: Stopped


@dataclass(frozen=True, slots=True)
class Work:
    """How far to go: gap, nodes, seconds of wall clock as a safeguard, seed."""

    gap: float = 1e-3
    nodes: int = 2000
    seconds: float = 300.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Warm:
    """A program with its outcome, kept in the solver."""

    program: Program
    outcome: Outcome

    def solve(self, variant: Program, work: Work, cancel: threading.Event | None = None) -> Answer:
        """The best plan of a variant, proved to the gap unless its work or the clock comes to an end."""
        began = time.monotonic()
        program, scaled, rebuilt = self._laid_out(variant)
        watch = Watch(program, scaled, work.seconds, None, cancel, began)
        control = _control(watch, work, cancel)
        if not rebuilt and self.outcome.bound is not None and only_tightens(self.program, program):
            watch.hear(Tick(None, self.outcome.bound / scaled.money))
        start = _start(scaled.program, control, _hint(self.outcome, program, scaled))
        ending: Ending = "optimal"
        if watch.gap is None or watch.gap > work.gap:
            highs = Highs(scaled.program, control) if rebuilt else self._live(scaled.program, control)
            ending = watch.ended(_searched(highs, control, start, work.nodes))
        stopped = _stopped(watch, control, ending)
        status = "interrupted" if stopped == "cancel" else watch.status(ending, work.gap)
        found = reported(watch, status, {**asdict(work), "time_limit": work.seconds, "threads": 1})
        return Answer(replace(found, values=_of(variant, found.values)), rebuilt, stopped)

    def holds(self, variant: Program, without: Collection[str], work: Work) -> bool | None:
        """Whether anything is feasible when whole families are left out; None if that was not decided."""
        program = scale(_without(variant, without)).program
        control = Control(time.monotonic() + work.seconds, threading.Event(), lambda _: None, seed=work.seed)
        highs = Highs(program, control, mip_max_nodes=work.nodes, mip_max_improving_sols=1)
        status = highs.run()
        return False if status == Model.kInfeasible else True if highs.plan() is not None else None

    def _laid_out(self, variant: Program) -> tuple[Program, Scaled, str]:
        try:
            program = self._layout.align(variant)
        except NewStructure as reason:
            return variant, scale(variant), str(reason)
        return program, self._scaled.like(program), ""

    def _live(self, program: Program, control: Control) -> Highs:
        self._highs.control = control
        self._highs.change(program)
        return self._highs

    @cached_property
    def _highs(self) -> Highs:
        return Highs(self._scaled.program, Control(0.0, threading.Event(), lambda _: None))

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.program)

    @cached_property
    def _scaled(self) -> Scaled:
        return scale(self.program)


def _control(watch: Watch, work: Work, cancel: threading.Event | None) -> Control:
    """Better plans and bounds of whole steps are kept; what is told by the clock would differ from run to run."""

    def tell(message: Message) -> None:
        if isinstance(message, Incumbent) or (isinstance(message, Tick) and message.best is None):
            watch.hear(message)

    deadline, floor = watch.began + work.seconds, 1.0 / watch.scaled.money
    return Control(deadline, cancel or threading.Event(), tell, work.gap, floor, 1, work.seed)


def _start(program: Program, control: Control, hint: Floats) -> tuple[Ints, Floats] | None:
    """A plan built near the base plan, or the whole numbers of the base plan for the solver to complete."""
    start = construct(program, control, hint)
    if start is not None:
        control.tell(Incumbent(start[1]))
        return start
    known = np.flatnonzero(program.integer & np.isfinite(hint)).astype(np.int32)
    return (known, np.clip(hint, program.col_lower, program.col_upper)[known]) if known.size else None


def _searched(highs: Highs, control: Control, start: tuple[Ints, Floats] | None, nodes: int) -> Verdict:
    """The proof alone if it is near; else the whole search, from the best plan so far."""
    limits = {"mip_rel_gap": control.gap, "mip_abs_gap": max(control.gap * control.floor, 1e-12)}
    for stage, most in ((PROOF, min(PROOF_NODES, nodes)), (SEARCH, nodes)):
        highs.set(**stage, **limits, mip_max_nodes=most, random_seed=control.seed)
        highs.forget()
        if start is not None:
            highs.begin_from(*start)
        status, x = highs.run(), highs.plan()
        if status != Model.kSolutionLimit or most == nodes:
            break
        control.tell(Tick(None, highs.bound()))
        start = start if x is None else (np.arange(x.size, dtype=np.int32), x)
    if status in (Model.kUnbounded, Model.kUnboundedOrInfeasible):
        return unbounded_or_infeasible(highs.program, control)
    if status == Model.kInfeasible and stage is SEARCH:
        highs.set(presolve="off")  # presolve has called feasible programs infeasible
        highs.forget()
        status, x = highs.run(), highs.plan()
    if status == Model.kInfeasible:
        return Verdict("infeasible", None, None)
    if status not in ENDED:
        raise SolverError(f"HiGHS ended with status {status}")
    return Verdict(ENDED[status], x if x is None else polish(highs.program, control, x), highs.bound())


def _stopped(watch: Watch, control: Control, ending: Ending) -> Stopped:
    if ending != "ended":
        return ""
    return "cancel" if control.stop.is_set() else "clock" if control.left <= 0.0 else "work"


def _hint(base: Outcome, program: Program, scaled: Scaled) -> Floats:
    """The base plan as columns of a program, not a number where the base knows no such decision."""
    known = [base.values.get(name, {}).get(key, np.nan) for name, key in program.cols]
    return np.array(known, float) / scaled.unit


def _of(variant: Program, values: Values) -> Values:
    """Values of the variant's own decisions."""
    kept: dict[str, dict[Any, float]] = {name: {} for name, _ in variant.cols} if values else {}
    for name, key in variant.cols if values else ():
        kept[name][key] = values[name][key]
    return kept


def only_tightens(base: Program, variant: Program) -> bool:
    """Whether every plan of the variant is a plan of the base worth as much, so that the base's bound holds."""
    same = base.offset == variant.offset and all(
        np.array_equal(getattr(base, name), getattr(variant, name)) for name in ("value", "cost")
    )
    tighter = (("row_lower", 1), ("row_upper", -1), ("col_lower", 1), ("col_upper", -1))
    return same and all((sign * getattr(variant, n) >= sign * getattr(base, n)).all() for n, sign in tighter)


def _without(program: Program, families: Collection[str]) -> Program:
    """The program with the rows of some families free and nothing to gain: only whether it holds is asked."""
    free = np.array([name in families for name, _ in program.rows], bool)
    lower, upper = np.where(free, -np.inf, program.row_lower), np.where(free, np.inf, program.row_upper)
    return replace(program, row_lower=lower, row_upper=upper, cost=np.zeros_like(program.cost))
