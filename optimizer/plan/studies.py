"""What a plan says beyond its own decisions, by solving again: the funnel, investments, tools, exploration.

All of it together takes no longer than the plan itself took (5 s are always allowed, 12 s never exceeded), never
goes over the time limit, and nothing is asked that the instance has no data for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from time import monotonic
from typing import Any

from optimizer.engine.outcome import Outcome
from optimizer.engine.program import Program
from optimizer.engine.watch import Cancel
from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Data
from optimizer.plan import investments, judging
from optimizer.plan.again import LATE, Again
from optimizer.plan.alone import alone, earns, in_the_way
from optimizer.plan.funnel import Fits, blocked, exits, funnel, told
from optimizer.plan.loading import load
from optimizer.plan.money import allocate
from optimizer.plan.plan import Document, jsonable
from optimizer.plan.use import Use

LEAST_SECONDS, MOST_SECONDS = 5.0, 12.0
SHARE = 1.0  # of the time that the plan took


def studies(
    data: Data,
    stated: Formulation,
    program: Program,
    outcome: Outcome,
    document: Mapping[str, Any],
    until: float,
    cancel: Cancel | None = None,
) -> Document:
    """The keys of a plan that take further solves; `until` on the monotonic clock is when all must have ended.

    The model holds the plan's own values before and after.
    """
    until = min(until, monotonic() + min(max(LEAST_SECONDS, SHARE * outcome.seconds), MOST_SECONDS))
    use = Use(data, outcome.values)
    left = exits(use, document["verdicts"], fits(data, until, cancel))
    again = Again(program, outcome, until, cancel)
    again.ask((*investments.questions(data), *judging.questions(use, again)))
    earned = sum(line["cash_usd"] for line in document["ledger"] if line["term"] == "value")
    found = {
        "verdicts": list(told(document["verdicts"], left)),
        "funnel": list(funnel(left, earned)),
        "funnel_exits": [asdict(each) for each in left],
        "investments": list(investments.investments(stated, use, again)),
        "tool_verdicts": list(judging.tool_verdicts(stated, use, again)),
        "exploration_cap": list(judging.exploration_cap(use, again)),
    }
    load(stated, outcome.values)
    return jsonable(
        {**found, "exploration": list(judging.exploration(use, allocate(stated, use, present=True), again))}
    )


def fits(data: Data, until: float, cancel: Cancel | None) -> Fits:
    """Whether a workflow fits with the whole fleet to itself, and if not for want of which rule."""

    def alone_fits(w: str) -> tuple[bool | None, str]:
        own = alone(data, w)
        answer = earns(own, until, cancel)
        if answer is False:
            return False, blocked(in_the_way(own, until, cancel), undecided=monotonic() >= until)
        return answer, "" if answer else f"whether it fits alone was {LATE}"

    return alone_fits
