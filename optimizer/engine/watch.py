"""The parent's side of one solve: the clock, the checked best plan, the bound, and what they amount to."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from optimizer.engine.messages import Crash, Ending, Incumbent, Message, Note, Paying, Tick, Verdict
from optimizer.engine.outcome import SolverError, Status
from optimizer.engine.process import Worker
from optimizer.engine.program import Floats, Program
from optimizer.engine.progress import Listener, Progress, relative_gap
from optimizer.engine.scale import Scaled

GRACE_SECONDS, GRACE_SHARE = 1.0, 0.05  # between the request to stop and the kill
BEAT_SECONDS = 0.5  # between two progress reports
LOOK_SECONDS = 0.05  # between two looks at the cancel token
FEASIBLE = 1e-6  # relative to what a row adds up
DUST = 1e-10  # scaled; less of a column is what is left of a solver's arithmetic
POLISHED = 1e-6  # relative loss at which the polished plan still goes before the streamed one
CONTRADICTION = 1e-5  # relative: a checked plan this much better than the proved bound
CLOSELY = 1e-9  # of what may stay open, that a plan closes more than it has to
CLOSED = 1e-7  # the solver's tolerance on rows: a bound that far beyond a clean plan is rounding, not a gap


class Cancel(Protocol):
    """Anything like a threading.Event."""

    def is_set(self) -> bool:
        """True from the moment the solve should end with its best plan."""


class Stop(threading.Event):
    """Set by whoever is done, or once the caller's token is: every solver that is kept busy looks at it."""

    def __init__(self, cancel: Cancel | None) -> None:
        super().__init__()
        self.cancel = cancel or threading.Event()

    @property
    def closed(self) -> bool:
        """Whether it was set here: there is nothing left to do."""
        return super().is_set()

    def is_set(self) -> bool:
        """Whether to end."""
        return super().is_set() or self.cancel.is_set()


@dataclass
class Watch:
    """What is known of a running solve, in the program's own units."""

    program: Program
    scaled: Scaled
    time_limit: float
    progress: Listener | None
    cancel: Cancel | None
    began: float
    best: Floats | None = None
    objective: float | None = None  # of the best checked plan
    bound: float | None = None
    note: str | None = None
    _beat: float = 0.0
    _cancelled: bool = field(default=False)

    @property
    def seconds(self) -> float:
        """Wall clock since the solve was asked for."""
        return time.monotonic() - self.began

    @property
    def gap(self) -> float | None:
        """Between the best checked plan and the bound."""
        return relative_gap(self.objective, self.bound)

    def enough(self, gap: float) -> float | None:
        """What a plan has to be worth to close the gap, in the solver's units; None without a bound."""
        if self.bound is None:
            return None
        sense = 1.0 if self.program.maximise else -1.0
        relative = gap / (1 + gap) if sense * self.bound > 0 else gap / max(1 - gap, gap * CLOSELY)
        open_ = (1 - CLOSELY) * max(relative * abs(self.bound), gap)
        return (self.bound - sense * open_) / self.scaled.money

    def follow(self, workers: Sequence[Worker], gap: float) -> Ending:
        """Listen until the first worker, who proves, has its verdict, or until it has had its grace."""
        grace, busy = GRACE_SECONDS + GRACE_SHARE * self.time_limit, list(workers)
        end: float | None = None
        while end is None or self.seconds < end:
            try:
                ending = self._listened(busy, workers[0])
                if ending is not None:
                    return ending
                closed = len(workers) > 1 and self.gap is not None and self.gap <= gap
                if end is None and (self._asked_to_end() or self.seconds > self.time_limit or closed):
                    for worker in workers:
                        worker.stop()
                    end = self.seconds + grace
            except KeyboardInterrupt:
                if self._cancelled:
                    break  # the second one does not wait
                self._cancelled = True
        return "ended"

    def _listened(self, busy: list[Worker], prover: Worker) -> Ending | None:
        """One message of each worker taken in, what helps the others passed on; the prover's ending if it has one."""
        for worker in tuple(busy):
            message = worker.next(LOOK_SECONDS / len(busy))
            if isinstance(message, Verdict | Crash):
                ending = self.ended(message)
                busy.remove(worker)
                if worker is prover:
                    return ending
            elif isinstance(message, Paying) or (self.hear(message) and isinstance(message, Incumbent)):
                for other in busy:
                    if other is not worker:
                        other.tell(message)
        return None

    def status(self, ending: Ending, gap: float) -> Status:
        """What the ending, the checked plan and the bound amount to."""
        if ending == "infeasible" and self.best is not None:
            raise SolverError("the solver calls a program infeasible of which it gave a feasible plan")
        if ending in ("infeasible", "unbounded"):
            return ending
        if self._cancelled and ending == "ended":
            return "interrupted"
        if self.gap is not None:
            return "optimal" if self.gap <= gap + CLOSED else "feasible"
        if ending == "optimal":
            raise SolverError("the solver claims an optimal plan but none satisfies every row, or none is bounded")
        return "no_plan" if self.best is None else "feasible"

    def _asked_to_end(self) -> bool:
        self._cancelled |= self.cancel is not None and self.cancel.is_set()
        return self._cancelled

    def hear(self, message: Message | None) -> bool:
        """Take in a better plan or a bound, and tell the listener now and then; whether it was a better plan."""
        news = False
        if isinstance(message, Tick):
            self._tighten(message.bound)
        if isinstance(message, Note):
            self.note = message.text
        if isinstance(message, Incumbent):
            news = self._keep(message.x, 0.0)
        if self.progress is not None and (news or self.seconds - self._beat >= BEAT_SECONDS):
            self._beat = self.seconds
            self.progress(Progress(self.seconds, self.objective, self.bound, self.gap))
        return news

    def ended(self, message: Verdict | Crash) -> Ending:
        """Take in the last words; SolverError for a crash or a contradiction."""
        if isinstance(message, Crash):
            if self._cancelled:
                return "ended"  # Ctrl-C may have swallowed the verdict before it
            raise SolverError(message.text)
        if message.x is not None:
            self._keep(message.x, POLISHED)
        self._tighten(message.bound)
        self._reconcile()
        return message.ending

    def _keep(self, scaled_x: Floats, loss: float) -> bool:
        """Keep a plan that satisfies the unscaled program and is no more than `loss` worse than the best."""
        x = self.program.rounded(np.where(np.abs(scaled_x) < DUST, 0.0, scaled_x) * self.scaled.unit)
        sense = 1.0 if self.program.maximise else -1.0
        objective, best = self.program.objective(x), self.objective
        worse = best is not None and sense * (best - objective) > loss * max(1.0, abs(best))
        if worse or not self.program.violation(x) <= FEASIBLE:
            return False
        self.best, self.objective = x, objective
        return True

    def _tighten(self, scaled_bound: float | None) -> None:
        """The tightest bound so far: each one told is proved, whatever stage it comes from."""
        if scaled_bound is not None:
            bound, tightest = scaled_bound * self.scaled.money, min if self.program.maximise else max
            self.bound = bound if self.bound is None else tightest(self.bound, bound)

    def _reconcile(self) -> None:
        """A bound is never on the wrong side of a checked plan, except by rounding."""
        objective, bound, gap = self.objective, self.bound, self.gap
        if objective is None or bound is None or gap is None:
            return
        if (objective > bound) == self.program.maximise and objective != bound:
            if gap > CONTRADICTION:
                raise SolverError(f"a checked plan of {objective} is better than the proved bound {bound}")
            self.bound = objective
