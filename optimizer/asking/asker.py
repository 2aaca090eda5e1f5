"""Questions put to changed programs: in parallel, most valuable first, until the time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np

from optimizer.asking.interval import Evidence, Interval, difference
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Program
from optimizer.engine.revalue import bettered, revalue
from optimizer.engine.solver import Control
from optimizer.engine.worth import Base, Worth

FEASIBLE = 1e-6
ROUNDING = 1e-9  # of the objective: what is smaller is nothing
LEAST_SECONDS = 0.05
VAGUE = 0.4  # width of an interval, of what it says, beyond which a better plan is looked for
MOST_SECONDS = 10.0  # of one question of a large program
ASK_SECONDS = 2.5  # of one at least: in less no plan is found, and the last question is rather left out
BOUND_SECONDS = 0.6  # of one of which a bound says most, and a plan may come later
PLAN_SECONDS = 6.0  # of one for which the base plan does not hold, and all is placed again
BETTER_SECONDS = 6.0  # for a better plan at least

Told = Callable[[str, int, int], None]  # what was asked, answers so far, questions so far


@dataclass(frozen=True)
class Question:
    """A changed program. `loosens`: whatever held before still holds, so that it is worth no less than the base; of a
    large program it has `least` seconds, or is left out."""

    name: str
    program: Callable[[], Program]
    loosens: bool = False
    tightens: bool = False
    rank: float = 0.0  # the higher the sooner
    least: float = ASK_SECONDS
    within: tuple[Question, ...] = ()  # smaller loosenings: none is worth more than this one


@dataclass
class Asker:
    """The base and every answer so far; what one answer proves of the base helps all others."""

    base: Base
    control: Control
    pool: Executor
    workers: int = 1
    tell: Told = lambda *_: None
    patience: float = np.inf  # seconds of one question of a small program
    answers: dict[str, Worth] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._low, self._high = self.base.worth.low, self.base.worth.high

    @property
    def worth(self) -> Interval:
        """What is known of the base's optimum by now."""
        return Interval(self._low, max(self._low, self._high))

    @property
    def exact(self) -> bool:
        """Whether every question is solved to its end, as those of small instances are."""
        return self.base.exact

    @property
    def noise(self) -> float:
        """Money that is rounding."""
        return ROUNDING * max(1.0, abs(self._low))

    def ask(self, questions: Iterable[Question], seconds: float) -> None:
        """Answer what is new among the questions in at most so many seconds, the highest rank first; what is left over
        is noted."""
        self.ask_all((questions,), seconds)

    def ask_all(self, kinds: Iterable[Iterable[Question]], seconds: float) -> None:
        """The same of several kinds side by side: while one waits for its solver another is stated anew."""
        new = [{q.name: q for q in kind if q.name not in self.answers} for kind in kinds]
        ordered = [sorted(kind.values(), key=lambda q: -q.rank) for kind in new]
        abreast = sorted(((i + 0.5) / len(kind), k, i) for k, kind in enumerate(ordered) for i in range(len(kind)))
        for kind in new:
            self.questions |= kind
        self._spread(self._answer, [ordered[k][i] for _, k, i in abreast], seconds)
        self.skipped = [name for name in self.questions if name not in self.answers]

    def better(self, names: Iterable[str], seconds: float) -> None:
        """Better plans for answers whose interval is wide for what it says, first where most is at stake."""
        vague = sorted((name for name in names if self._vague(name)), key=lambda name: -abs(self.estimate(name)))
        self._spread(self._better, [replace(self.questions[name], least=BETTER_SECONDS) for name in vague], seconds)

    def estimate(self, name: str) -> float:
        """What a change seems to earn, both bounds being about as far from the truth. It proves nothing."""
        worth = self.answers.get(name)
        return -np.inf if worth is None else worth.high - self._high

    def _spread(self, answer: Callable[[Question, Control], None], questions: Sequence[Question], seconds: float
                ) -> None:  # fmt: skip
        """Questions in their order, each with its share of what is left; exact ones have their patience."""
        until = min(time.monotonic() + seconds, self.control.deadline)
        left = iter(range(len(questions), 0, -1))

        def next_one(q: Question) -> None:
            share, now = self.workers / next(left), time.monotonic()
            if self.control.stop.is_set() or until - now < (LEAST_SECONDS if self.exact else q.least / 2):
                return
            each = min(max(q.least, min(MOST_SECONDS, share * (until - now))), until - now)
            try:
                answer(q, self.control.until(self.patience if self.exact else each))
            except SolverError as error:  # the others are asked; its line says so
                self.failed[q.name] = str(error)

        for waiting in [self.pool.submit(next_one, q) for q in questions]:
            waiting.result()

    def _vague(self, name: str) -> bool:
        """Whether a plan could be better by enough to tell: what earns less than the base's gap stays unresolved."""
        gain, worth = self.gain(name), self.answers.get(name)
        if gain is None or worth is None or worth.infeasible:
            return False
        wide = not known(worth) or gain.width > VAGUE * max(abs(gain.low), abs(gain.high))
        return wide and abs(self.estimate(name)) > self.worth.width < worth.high - worth.low

    def _better(self, q: Question, control: Control) -> None:
        worth = bettered(self.base, q.program(), self.answers[q.name], control)
        with self._lock:
            self.answers[q.name] = self._learned(q, worth)
            self.tell(q.name, len(self.answers), len(self.questions))

    def gain(self, name: str) -> Interval | None:
        """What the change earns beyond the base, None if it was not answered."""
        worth, asked = self.answers.get(name), self.questions.get(name)
        if worth is None or asked is None:
            return None
        gain = difference(Interval(worth.low, worth.high), self.worth).beyond(self.noise)
        if asked.loosens:
            return gain.at_least(0.0)
        return Interval(min(gain.low, 0.0), min(gain.high, 0.0)) if asked.tightens else gain

    def evidence(self, *names: str) -> Evidence:
        """The solves behind a figure, the base is one of them; or why there is none."""
        found = [self.answers[name] for name in names if name in self.answers]
        if not found:
            return self._unanswered(names)
        method = " and ".join(dict.fromkeys(worth.method for worth in found))
        return Evidence(method, len(found) + 1, sum(worth.seconds for worth in found))

    def _unanswered(self, names: Iterable[str]) -> Evidence:
        errors = [self.failed[name] for name in names if name in self.failed]
        return Evidence(f"failed: {errors[0]}" if errors else "not asked in the time given", 0, 0.0)

    def _answer(self, q: Question, control: Control) -> None:
        worth = revalue(self.base, q.program(), control)
        with self._lock:
            self.answers[q.name] = self._learned(q, worth)
            for each in q.within:
                self.questions.setdefault(each.name, each)
                smaller = replace(worth, low=self._low, x=self.base.worth.x, high=max(worth.high, self._low))
                self.answers.setdefault(each.name, smaller)
            self.tell(q.name, len(self.answers), len(self.questions))

    def _learned(self, q: Question, worth: Worth) -> Worth:
        """What follows for the base, and for the answer from the base."""
        program = self.base.program
        if worth.x is not None and worth.x.size == program.cost.size and program.violation(worth.x) <= FEASIBLE:
            self._low = max(self._low, program.objective(worth.x))
        if q.loosens:
            self._high = min(self._high, worth.high)
            if worth.low < self._low:
                worth = replace(worth, low=self._low, high=max(worth.high, self._low), x=self.base.worth.x)
        if q.tightens and worth.high > self._high:
            worth = replace(worth, high=max(self._high, worth.low))
        return worth


def known(worth: Worth | None) -> bool:
    """Whether a plan stands behind an answer."""
    return worth is not None and worth.x is not None and bool(np.isfinite(worth.low))
