"""Variants of a solved program, each laid out as the program itself and solved from the same plan.

Every variant begins from the base, never from another variant, with one thread and a limit on nodes: its answer
depends on the variant alone, not on what was solved before it, where, or next to what. The clock ends a variant only
where the limit on nodes did not, and then says so.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.align import Layout, NewStructure
from optimizer.engine.highs import reported
from optimizer.engine.messages import Ending, Incumbent, Message, Tick
from optimizer.engine.near import Unhurried
from optimizer.engine.outcome import Outcome, Values
from optimizer.engine.program import Floats, Program
from optimizer.engine.root import LITTLE
from optimizer.engine.scale import Scaled, scale
from optimizer.engine.solver import Control, Highs
from optimizer.engine.stages import searched
from optimizer.engine.watch import Cancel, Stop, Watch

if TYPE_CHECKING:
    from optimizer.engine.tight import Footing

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
    """A program with its outcome, and how its variants are laid out."""

    program: Program
    outcome: Outcome
    learnt: Footing | None = None  # what variants stand on, where that was found before

    def learning(self, examples: Iterable[Program]) -> Footing | None:
        """What variants stand on, with the cuts that some of them want where a linear program takes a second at most;
        None where nothing is cut."""
        footing = self.footing
        if footing is None or self.program.value.size > LITTLE:
            return footing
        for each in examples:
            _, scaled, rebuilt = self._laid_out(each)
            if not rebuilt:
                footing = footing.learnt(scaled.program, _by_its_work())
        return footing

    def solve(self, variant: Program, work: Work, cancel: Cancel | None = None) -> Answer:
        """The best plan of a variant, proved to the gap unless its work or the clock comes to an end."""
        footing, began = self.footing, time.monotonic()
        program, scaled, rebuilt = self._laid_out(variant)
        watch = Watch(program, scaled, work.seconds, None, cancel, began)
        stop = Stop(cancel)
        control = _control(watch, work, stop)
        if not rebuilt and self.outcome.bound is not None and only_tightens(self.program, program):
            control.tell(Tick(None, self.outcome.bound / scaled.money))
        highs = Highs(scaled.program, control)  # a fresh one: what it solved before would show in the last digits
        hint = _hint(self.outcome, program, scaled)
        ending = watch.ended(searched(highs, control, hint, work.nodes, None if rebuilt else footing))
        stopped = _stopped(stop, control, ending)
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

    @cached_property
    def footing(self) -> Footing | None:
        """What variants stand on."""
        from optimizer.engine.tight import footing_of  # noqa: PLC0415  scipy takes a fifth of a second to load

        return self.learnt or footing_of(self._scaled.program, _by_its_work())

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.program)

    @cached_property
    def _scaled(self) -> Scaled:
        return scale(self.program)


def _by_its_work() -> Control:
    """For steps that end by their work, whatever the clock says."""
    return Control(math.inf, threading.Event(), lambda _: None)


def _control(watch: Watch, work: Work, stop: Stop) -> Control:
    """Better plans and bounds of whole steps are kept; what is told by the clock would differ from run to run."""

    def tell(message: Message) -> None:
        if isinstance(message, Incumbent) or (isinstance(message, Tick) and message.best is None):
            watch.hear(message)
            if watch.gap is not None and watch.gap <= work.gap:
                stop.set()

    deadline, floor = watch.began + work.seconds, 1.0 / watch.scaled.money
    return Unhurried(deadline, stop, tell, work.gap, floor, 1, work.seed, enough=lambda: watch.enough(work.gap))


def _stopped(stop: Stop, control: Control, ending: Ending) -> Stopped:
    if ending != "ended" or stop.closed:
        return ""
    return "cancel" if stop.is_set() else "clock" if control.left <= 0.0 else "work"


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
