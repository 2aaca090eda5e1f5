"""The order in which questions are put: what a planner asks first comes first, each stage with its share of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from optimizer.asking.asker import Asker
from optimizer.asking.interval import Interval
from optimizer.engine.solver import Control
from optimizer.explaining.causes import Causes
from optimizer.explaining.limits import Limits
from optimizer.explaining.verdicts import offer_questions, policy_questions, tool_questions
from optimizer.explaining.ways import cheapest_change
from optimizer.explaining.workflows import Flow, Reasons, force

CURVES = 3  # owners whose value curve is drawn
CAUSES_SHARE, CAUSES_SECONDS = 0.03, 10.0  # for why some cannot be forced in: of the time; of small instances at most
NEXT_IN_LINE = 3  # unfunded workflows whose break-even and cheapest change are searched for


@dataclass(frozen=True)
class Clock:
    """How the time is shared out."""

    control: Control
    whole: float

    def share(self, part: float) -> float:
        """Seconds for a stage: a part of the whole, and never more than what is left."""
        return min(part * self.whole, self.control.left)


class NextUp(NamedTuple):
    """By workflow: its break-even factor (verified or not), its cheapest change, why it cannot be forced in."""

    even: Mapping[str, tuple[Interval, bool]]
    cheapest: Mapping[str, Any]
    causes: Mapping[str, str]


@dataclass(frozen=True)
class Agenda:
    """Whom the questions are about, what keeps workflows from more (`blocked`), and who answers in what time."""

    about: Limits
    why: Reasons
    blocked: Mapping[str, Any]
    asker: Asker
    clock: Clock

    def put(self) -> NextUp:
        """All questions."""
        self._forced_and_lots()
        self._choices()
        found = self._next_in_line()
        self._details()
        return found

    def _forced_and_lots(self) -> None:
        """Workflows forced in or kept out, one lot more, each rule away; then better plans for what is still wide."""
        asker, share = self.asker, self.clock.share
        forcing, more = list(self.why.forcing(self.why.short())), list(self.about.more(asker))
        asker.ask_all((forcing, more), share(0.35))
        asker.ask(policy_questions(self.about.study), share(0.1))
        several = list(self.about.several(asker))
        asker.ask(several, share(0.03))
        asker.ask(self.why.banning(self.why.funded()), share(0.04))
        earning = self.about.earning(asker, (*more, *several))
        asker.better([q.name for q in (*forcing, *earning)], share(0.25))

    def _choices(self) -> None:
        """Tools and offers the other way, one lot fewer."""
        found, x, share = self.about.study, self.why.x, self.clock.share
        self.asker.ask([*tool_questions(found, x), *offer_questions(found, x)], share(0.1))
        self.asker.ask(self.about.less(), share(0.1))

    def _next_in_line(self) -> NextUp:
        """At what value the unfunded would be funded, the cheapest change that does it, and why others cannot be."""
        unfunded, asker = [f for f in self.why.short() if f.verdict == "none"], self.asker
        next_up = sorted(unfunded, key=self._cost)[:NEXT_IN_LINE]
        even, cheapest = {}, {}
        near = {f.of.id for f in next_up if asker.exact}  # of a large program closer would take many long solves
        for f in unfunded:
            if (at := self.why.break_even(f, asker, self._each() if f.of.id in near else 0.0)) is not None:
                even[f.of.id] = at
        for f in next_up:
            way = cheapest_change(self.about, self.why, f, self.blocked[f.of.id], asker, self._each())
            if way is not None:
                cheapest[f.of.id] = way
        seconds = CAUSES_SECONDS if asker.exact else self.clock.share(CAUSES_SHARE)
        return NextUp(even, cheapest, Causes(self.why, asker, self.clock.control.until(seconds)).found())

    def _details(self) -> None:
        """Rows alone, value curves, lots of single periods, then limits that are not full; then better plans as long as
        there is time."""
        asker, about, share = self.asker, self.about, self.clock.share
        asker.ask(about.rows_only(), share(0.1))
        for lot in about.lots()[:CURVES]:
            asker.ask(about.curve(lot), share(0.1) / CURVES)
        asker.ask(about.by_period(), share(0.2))
        asker.ask([*about.more_of_near(asker), *about.by_period_of_near()], share(0.1))
        asker.better(list(asker.answers), self.clock.control.left)

    def _each(self) -> float:
        """Seconds for one that is next in line."""
        return self.clock.share(0.1) / NEXT_IN_LINE

    def _cost(self, f: Flow) -> float:
        gain = self.asker.gain(force(f))
        return float("inf") if gain is None or not isfinite(gain.middle) else -gain.middle
