"""Changed programs laid over their base: the base's cuts bound them in half a second, and say what to decide again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from optimizer.engine.align import Layout, NewStructure
from optimizer.engine.known import Known
from optimizer.engine.messages import Incumbent, Message, Tick
from optimizer.engine.near import among_more, near_tight, periods_again
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.recutting import rows_after
from optimizer.engine.rounding import Cuts
from optimizer.engine.scale import Scaled, scale
from optimizer.engine.search import solve_held
from optimizer.engine.solver import TOLERANCE, Control
from optimizer.engine.tight import Footing, footing_of, tight
from optimizer.engine.tighten import tightened

NODES = 50  # of the strategy beside the base's placement: most come to their end at the root
PLACING = 8e-4  # of the objective, that all placement decided again costs where there is little time


class Found(NamedTuple):
    """The best plan and the tightest bound that were found, in the program's own units; None and infinite if none."""

    x: Floats | None
    bound: float


@dataclass(frozen=True, eq=False)
class BaseCuts:
    """A base in the solver's units, and how its cuts are made."""

    program: Program
    scaled: Scaled
    footing: Footing

    @classmethod
    def of(cls, program: Program, control: Control) -> BaseCuts | None:
        """None where no cuts are made of a program of its size, or it cannot hold."""
        scaled = scale(program)
        footing = footing_of(scaled.program, control)
        return None if footing is None else cls(program, scaled, footing)

    def laid(self, program: Program) -> Scaled | None:
        """A program in the base's units, rows that the base has not at the end; None if it does not fit in."""
        own = len(self.program.rows)
        if program.cols == self.program.cols and program.rows[:own] == self.program.rows:
            return self.scaled.like(program)
        if program.cols != self.program.cols:
            return None
        try:
            return self.scaled.like(self._layout.align(program))
        except NewStructure:
            return None

    def beside(self, laid: Scaled, control: Control, x: Floats, promising: float) -> Found:
        """What the base's cuts prove of a program at once; where that is more than `promising`, a plan with the
        placement of x, which holds, and its strategy decided again."""
        heard, program = _Heard(laid), laid.program
        tight(program, replace(control, tell=heard.tell), self.footing)
        if heard.found.bound > promising:
            heard.with_free(~program.integer | program.strategy, program.rounded(x / laid.unit), control)
        return heard.found

    def cuts(self, laid: Scaled) -> Cuts:
        """The base's cuts, made from a program's own figures."""
        return rows_after(self.footing.recipe.on(tightened(laid.program))[0], laid.program.row_lower.size)

    def near(self, laid: Scaled, control: Control, x: Floats, enough: float) -> Found:
        """The same, with a plan near x, which need not hold: its whole numbers, or its placement, as they are, if that
        leaves `enough` or less open (in parts of the plan), else others."""
        heard, program = _Heard(laid), laid.program
        loud, base = replace(control, tell=heard.tell), program.rounded(x / laid.unit)
        cut = tight(program, loud, self.footing)
        if cut is None or heard.kept(base, control) <= enough:
            return heard.found
        if (plan := near_tight(program, loud, base, cut)) is not None:
            among_more(program, loud, plan, cut.guide)
        return heard.found

    def better(self, laid: Scaled, control: Control, x: Floats, base: Floats, spared: float) -> Found:
        """The same, with a better plan than x, which holds: its periods decided again, and where that leaves more open
        than placing all again would cost, from a better strategy than the base's; else some seconds are spared."""
        heard, program = _Heard(laid), laid.program
        loud = replace(control, tell=heard.tell)
        cut = tight(program, loud, self.footing)
        if cut is not None:
            heard.known.offer(program.rounded(x / laid.unit))
            periods_again(program, loud, heard.best, cut.guide)
            if heard.open_yet > PLACING and not control.over:
                near_tight(program, loud, program.rounded(base / laid.unit), cut)
                spared = 0.0
            among_more(program, loud.until(control.left - spared), heard.best, cut.guide)
        return heard.found

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.program)


class _Heard:
    """What was told of a program on the way."""

    def __init__(self, laid: Scaled) -> None:
        self.laid, self.known, self.bound = laid, Known(laid.program), np.inf

    def tell(self, message: Message) -> None:
        """Keeps it if it is better."""
        if isinstance(message, Tick) and message.bound is not None:
            self.bound = min(self.bound, message.bound)
        if isinstance(message, Incumbent):
            self.known.offer(message.x)

    def kept(self, x: Floats, control: Control) -> float:
        """What is open with the whole numbers of x and the rest chosen again; where that does not hold, with its
        placement alone; without end where that does not either."""
        program = self.laid.program
        for free in (~program.integer, ~program.integer | program.strategy):
            if self.with_free(free, x, control):
                return self.open_yet
        return np.inf

    def with_free(self, free: Flags, x: Floats, control: Control) -> bool:
        """Keeps the best plan that leaves all but the `free` columns where x has them; whether there is one."""
        program = self.laid.program
        y = solve_held(program, control.quietly(control.left), free, x, x, mip_max_nodes=NODES)
        if y is None or program.violation(y) > TOLERANCE:
            return False
        self.known.offer(y)
        return True

    @property
    def best(self) -> Floats:
        """The best plan, of which there is one."""
        assert self.known.x is not None
        return self.known.x

    @property
    def open_yet(self) -> float:
        """Between the best plan and the bound, in parts of the plan."""
        best = self.laid.program.objective(self.best)
        return abs(self.bound - best) / max(abs(best), 1.0 / self.laid.money)

    @property
    def found(self) -> Found:
        """In the program's own units."""
        x = self.known.x
        return Found(None if x is None else x * self.laid.unit, self.bound * self.laid.money)
