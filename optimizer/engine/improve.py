"""Better plans from a plan: neighbourhoods in which strategy and placement are decided again together.

A neighbourhood holds most whole numbers where they are. Those set free are the ones on which the plan and the linear
program disagree, then those of the smallest reduced cost, in one period, two, or all; or what lies around one
decision of the strategy, over the periods. Which kind is tried next depends on what it gained per pivot, and how
many are set free on whether the last such search came to its end. Nodes end a search, and a clock only one that takes
long: as long as it does not, one seed gives one plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.engine.crew import Asked, joined, spread
from optimizer.engine.known import Known
from optimizer.engine.linear import Guide
from optimizer.engine.messages import Incumbent
from optimizer.engine.parts import Found, anew, near
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.solver import Control
from optimizer.engine.start import moving_with

KINDS = ("window", "period", "around", "horizon")
FEW, MANY = 60, 2000  # whole numbers set free at least and at most
FIRST = 150  # and in the first try of each kind
GROW, SHRINK = 1.5, 0.75
SECONDS = 4.0  # of one neighbourhood, beside its limit on nodes, lest one of them hold up the rest
DIFFERENT = 0.1  # of plan and linear program, from which on a whole number is in doubt
MEMORY = 0.7  # weight of earlier gains per pivot
CURIOUS = 0.3  # share of tries given out evenly
PERIOD_GAP = 1e-4  # of one period with its strategy
PERIOD_SHARE = 0.15  # of the time before, that one period may take: at XL its root alone takes a tenth
LONG_ROW = 400  # a row of more columns ties everything to everything


@dataclass
class Kind:
    """How a kind of neighbourhood has fared: whole numbers to set free, and gain per pivot."""

    size: float = FIRST
    gain: float = 0.0
    failures: int = 0
    tries: int = 0

    @property
    def promise(self) -> float:
        """What the next try may gain per pivot, halved with every failure in a row."""
        return self.gain * float(0.5**self.failures)


class Improver:
    """Improves the known plan of a program, neighbourhood after neighbourhood."""

    def __init__(self, program: Program, guide: Guide, known: Known, seed: int) -> None:
        self.program, self.guide, self.known = program, guide, known
        self.kinds = {name: Kind() for name in KINDS}
        self.free = program.col_lower < program.col_upper
        self.periods = np.unique(program.period[self.free & program.integer & (program.period >= 0)])
        self._row_of, self._short = program.row_of, np.diff(program.start) < LONG_ROW
        self._rng = np.random.default_rng(seed)

    def run(self, control: Control, tries: float = np.inf) -> None:
        """Until the clock, or for so many neighbourhoods."""
        gap = float(np.clip(control.gap / 10, 1e-6, 1e-4))

        def draw() -> Asked | None:
            if sum(kind.tries for kind in self.kinds.values()) >= tries:
                return None
            name, x = self._choose(), self._known()
            self.kinds[name].tries += 1
            return Asked(name, self._neighbourhood(name, x), x, near, control.quietly(SECONDS, gap))

        for asked, found in spread(self.program, control, draw):
            self._learn(control, asked, found)

    def _learn(self, control: Control, asked: Asked, found: Found) -> None:
        """Take a better plan, and what the search says of its kind."""
        kind, x = self.kinds[asked.name], self._known()
        better = joined(self.program, asked, found, x)
        gain = 0.0 if better is None else self.program.gain(better, over=x)
        take(self.known, control, () if better is None else (better,))
        kind.failures = 0 if gain > 0 else kind.failures + 1
        kind.gain = MEMORY * kind.gain + (1 - MEMORY) * gain / max(found.pivots, 1)
        kind.size = float(np.clip(kind.size * (GROW if found.ended else SHRINK), FEW, MANY))

    def _known(self) -> Floats:
        x = self.known.x
        assert x is not None
        return x

    def _choose(self) -> str:
        untried = [name for name, kind in self.kinds.items() if not kind.tries]
        if untried:
            return untried[0]
        gains = np.array([kind.promise for kind in self.kinds.values()])
        share = gains / gains.sum() if gains.sum() > 0 else np.full(gains.size, 1 / gains.size)
        return str(self._rng.choice(list(self.kinds), p=CURIOUS / gains.size + (1 - CURIOUS) * share))

    def _neighbourhood(self, name: str, x: Floats) -> Flags:
        """Columns set free: as many whole numbers as the kind may have, and everything continuous beside them."""
        program, size = self.program, int(self.kinds[name].size)
        cols = self._around(x, size) if name == "around" else self._within(name)
        whole = np.flatnonzero(cols & self.free & program.integer)
        doubt = np.abs(x[whole] - self.guide.x[whole]) > DIFFERENT
        cost = np.where(doubt, 0.0, np.abs(self.guide.reduced[whole])) * self._rng.random(whole.size)
        chosen = np.zeros(x.size, bool)
        chosen[whole[np.argsort(cost - doubt, kind="stable")[:size]]] = True
        beside = self._tied(self._tied(chosen) & ~program.integer) & ~program.integer
        return self.free & (chosen | beside)

    def _tied(self, cols: Flags) -> Flags:
        """These columns and all that share a short row with one of them."""
        program, rows = self.program, np.zeros(self._short.size, bool)
        rows[self._row_of[cols[program.index]]] = True
        tied = cols.copy()
        tied[program.index[(rows & self._short)[self._row_of]]] = True
        return tied

    def _within(self, name: str) -> Flags:
        """One period, two that follow each other, or all; what belongs to no period is in each."""
        period = self.program.period
        if name == "horizon" or self.periods.size < 2:
            return np.ones(period.size, bool)
        first = int(self._rng.integers(self.periods.size - (name == "window")))
        return np.isin(period, (self.periods[first], self.periods[first + (name == "window")], -1))

    def _around(self, x: Floats, size: int) -> Flags:
        """What short rows tie to one decision of the strategy, one that is in doubt if there is any."""
        program = self.program
        strategy = program.strategy & program.integer & self.free
        doubt = strategy & (np.abs(x - self.guide.x) > 1e-6)
        seeds = np.flatnonzero(doubt if doubt.any() else strategy if strategy.any() else program.integer & self.free)
        reached = np.zeros(x.size, bool)
        reached[self._rng.choice(seeds)] = True
        while (reached & program.integer).sum() < size:
            wider = self._tied(reached)
            if wider.sum() == reached.sum():
                break
            reached = wider
        return reached


def take(known: Known, control: Control, plans: Iterable[Floats]) -> None:
    """Keep the best of some plans, and tell of each that is better than all before it."""
    for x in plans:
        if known.offer(x):
            control.tell(Incumbent(x))


def by_period(program: Program, control: Control, x: Floats) -> Iterator[Floats]:
    """Better plans than x, each better than the last: one period after the other decided again, strategy included.

    Where several are decided at once and one does not go with what another has changed, it is decided once more.
    """
    seconds = max(SECONDS, PERIOD_SHARE * control.spent)
    periods = np.unique(program.period[program.integer & (program.period >= 0)])
    left, again = [int(t) for t in reversed(periods)], {str(t) for t in periods}

    def draw() -> Asked | None:
        if not left:
            return None
        free = program.period == (t := left.pop())
        free |= moving_with(program, free)
        return Asked(str(t), free, x, anew, control.quietly(seconds, PERIOD_GAP))

    for asked, found in spread(program, control, draw):
        better = joined(program, asked, found, x)
        if better is not None:
            yield (x := better)
        elif asked.x is not x and found.x is not None and asked.name in again:
            again.remove(asked.name)
            left.insert(0, int(asked.name))
