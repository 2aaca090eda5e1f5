"""Why a workflow is not funded, or only in part, at what value it would be; why another is, and how far it may fall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from optimizer.asking.asker import BOUND_SECONDS, PLAN_SECONDS, Asker, Question, known
from optimizer.asking.changes import asked, banned, earning, forced, handled, revalued
from optimizer.asking.interval import Evidence, Interval
from optimizer.engine.program import Floats, Program, dot
from optimizer.engine.solver import Control
from optimizer.explaining.blocking import blocking
from optimizer.explaining.study import Study, Used
from optimizer.formulation.data import Workflow
from optimizer.plan.verdicts import WHOLE, fallen

Row = dict[str, Any]
Verdict = Literal["full", "partly", "none"]
STEPS = 6  # of Newton's method towards a break-even value
BEYOND = 1e-3  # relative: how far past a break-even value it is verified
DISPLACED = 1e-3  # of demand
NOT_LOOKED_AT: Mapping[str, None] = {"could_share": None, "blocked_by": None}


@dataclass(frozen=True)
class Flow:
    """A workflow at the plan."""

    of: Workflow
    verdict: Verdict
    share: float  # of demand served
    worth: float  # present value of its output in the plan

    @property
    def target(self) -> float:
        """Share of demand at which it counts as forced in: its promise, or all of it if it makes none."""
        return self.of.min_service if self.verdict == "none" and self.of.min_service else 1.0


@dataclass(frozen=True)
class Reasons:
    """The workflows of a study, its rows in use at the plan, and the questions about each workflow."""

    study: Study
    x: Floats
    used: Sequence[Used]

    def flows(self) -> list[Flow]:
        """Every workflow, in the order of the instance."""
        return [self._flow(w) for w in self.study.data.workflows.values()]

    def short(self) -> list[Flow]:
        """Those that could be served and are not, or only in part; the unfunded first, then by value left."""
        left = [f for f in self.flows() if f.verdict != "full" and _could(self.study, f.of)]
        return sorted(left, key=lambda f: (f.verdict != "none", -(1 - f.share) * asked(f.of) * _value(f.of)))

    def funded(self) -> list[Flow]:
        """Those served at least in part, the least valuable first."""
        return sorted((f for f in self.flows() if f.verdict != "none"), key=lambda f: f.worth)

    def blocked(self, control: Control) -> dict[str, Row]:
        """What keeps each that is short from being served more."""
        study, rows = self.study, {row.at: row for row in self.used}
        return {f.of.id: blocking(study.program, rows, self.x, f.of, control) for f in self.short()}

    def forcing(self, flows: Sequence[Flow]) -> Iterator[Question]:
        """Each forced in."""
        for i, f in enumerate(flows):
            yield Question(force(f), partial(forced, self.study.program, f.of, f.target), tightens=True, rank=-i,
                           least=PLAN_SECONDS)  # fmt: skip

    def banning(self, flows: Sequence[Flow]) -> Iterator[Question]:
        """Each kept out."""
        for i, f in enumerate(flows):
            yield Question(ban(f), partial(banned, self.study.program, f.of.id), tightens=True, rank=-i,
                           least=BOUND_SECONDS)  # fmt: skip

    def break_even(self, f: Flow, asker: Asker, seconds: float) -> tuple[Interval, bool] | None:
        """Factor on its value at which an unfunded workflow is funded, and whether both sides were verified; with no
        seconds for it what the plan with the workflow forced in proves by itself.

        Newton's method from above: a plan with the workflow in it earns along a line as its value rises, and where
        that line meets what is earned without it a better plan is asked for.
        """
        start = asker.answers.get(force(f))
        if start is None or not known(start):
            return None
        assert start.x is not None
        factor, x = self._meets(f, start.x, asker), start.x
        if factor is None:
            return None
        surely = 1.0 + (asker.worth.high - self.study.program.objective(x)) / self.value(f.of.id, x)
        if not seconds:
            return Interval(1.0, surely), False
        for _ in range(STEPS):
            name = f"{f.of.id} at {factor:.9g} of its value"
            asker.ask([Question(name, partial(self._at, f, factor))], seconds / STEPS)
            found = asker.answers.get(name)
            if found is None or found.x is None or not handled(self.study.program, found.x, f.of) > 0:
                break
            x = found.x
            closer = self._meets(f, x, asker)
            if closer is None or closer >= factor * (1 - 1e-9):
                break
            factor = closer
        return self._verified(f, factor, asker, seconds, surely)

    def _verified(self, f: Flow, factor: float, asker: Asker, seconds: float, surely: float
                  ) -> tuple[Interval, bool]:  # fmt: skip
        above, below = factor * (1 + BEYOND), max(1.0, factor * (1 - BEYOND))
        names = [f"{f.of.id} at {share:.9g} of its value" for share in (above, below)]
        asker.ask([Question(n, partial(self._at, f, s)) for n, s in zip(names, (above, below), strict=True)], seconds)
        up, down = (asker.answers.get(name) for name in names)
        flips = known(up) and up is not None and up.low > asker.worth.high - asker.noise and self._in(up.x, f)
        stays = down is not None and down.high <= asker.worth.high + asker.noise and not self._in(down.x, f)
        proved = down is not None and down.high <= asker.worth.low + max(asker.noise, BEYOND * self._earned(f, up))
        return Interval(below if proved or stays else 1.0, above if flips else surely), bool(
            flips and (stays or proved)
        )

    def _earned(self, f: Flow, worth: Any) -> float:
        return 0.0 if worth is None or worth.x is None else abs(self.value(f.of.id, worth.x))

    def _in(self, x: Floats | None, f: Flow) -> bool:
        return x is not None and handled(self.study.program, x, f.of) > 1e-6 * asked(f.of)

    def _meets(self, f: Flow, x: Floats, asker: Asker) -> float | None:
        """Factor at which a plan with the workflow earns what the base does without it."""
        earned = self.value(f.of.id, x)
        if earned <= 0:
            return None
        cost = asker.worth.low - self.study.program.objective(x)
        return 1.0 + max(cost, 0.0) / earned

    def _at(self, f: Flow, factor: float) -> Program:
        return revalued(self.study.program, f.of.id, factor)

    def value(self, w: str, x: Floats) -> float:
        """Present value of a workflow's output in a plan, at its own value."""
        cols = earning(self.study.program, w)
        return dot(self.study.program.cost[cols], x[cols])

    def displaced(self, x: Floats) -> Iterator[Row]:
        """Who is served less in another plan than in the base, and by how much of the demand."""
        d = self.study.data
        for w in d.workflows.values():
            before, after = (handled(self.study.program, plan, w) for plan in (self.x, x))
            share = (before - after) / asked(w) if asked(w) else 0.0
            if share > DISPLACED:
                yield {"workflow": w.id, "share_lost": share, "tasks_lost": before - after}

    def _flow(self, w: Workflow) -> Flow:
        share = handled(self.study.program, self.x, w) / asked(w) if asked(w) else 0.0
        verdict: Verdict = "full" if share >= WHOLE else "partly" if share > 0 else "none"
        return Flow(w, verdict, share, self.value(w.id, self.x))


def rows(reasons: Reasons, asker: Asker, even: Mapping[str, tuple[Interval, bool]], cheapest: Mapping[str, Row],
         blocked: Mapping[str, Row], causes: Mapping[str, str]) -> Iterator[Row]:  # fmt: skip
    """One line per workflow: verdict, what forcing or losing it costs, and at what value that changes."""
    for f in reasons.flows():
        about = force(f) if f.verdict != "full" else ban(f)
        yield {
            "workflow": f.of.id,
            "verdict": f.verdict,
            "served_share": f.share,
            "value_usd": f.worth,
            "not_eligible": _not_eligible(reasons.study, f.of),
            **(_forced(reasons, asker, f) | dict(blocked.get(f.of.id, NOT_LOOKED_AT)) if f.verdict != "full" else {}),
            "cannot_because": causes.get(f.of.id),
            **(_even(f, even.get(f.of.id)) if f.verdict == "none" else {}),
            **(_kept(asker, f) if f.verdict != "none" else {}),
            "cheapest_change": cheapest.get(f.of.id),
            **(asker.evidence(about) if about in asker.answers or _could(reasons.study, f.of)
               else Evidence("candidates dropped", 0, 0.0)).json(),
        }  # fmt: skip


def _forced(reasons: Reasons, asker: Asker, f: Flow) -> Row:
    worth = asker.answers.get(force(f))
    if worth is None:
        return {"forced_share": f.target, "cost_usd": None, "cannot": None, "displaces": []}
    gain = asker.gain(force(f))
    cost = None if gain is None or worth.infeasible else gain.times(-1.0).at_least(0.0)
    return {
        "forced_share": f.target,
        "cost_usd": cost.json() if cost else None,
        "cannot": worth.infeasible,
        "displaces": list(reasons.displaced(worth.x)) if worth.x is not None else [],
    }


def _even(f: Flow, found: tuple[Interval, bool] | None) -> Row:
    if found is None:
        return {"break_even_factor": None, "break_even_usd": None, "verified": False}
    factor, verified = found
    return {
        "break_even_factor": factor.json(),
        "break_even_usd": factor.times(_value(f.of)).json(),
        "verified": verified,
    }


def _kept(asker: Asker, f: Flow) -> Row:
    """What a funded workflow earns beyond what its scarcity would earn elsewhere; its value may fall by that."""
    gain, worth = asker.gain(ban(f)), asker.answers.get(ban(f))
    if gain is None or worth is None or worth.infeasible or f.worth <= 0:
        return {"earns_usd": None, "may_fall_to_factor": None, "must_stay": bool(worth and worth.infeasible)}
    earns = gain.times(-1.0).at_least(0.0)
    safe = 1 - earns.low / f.worth  # the plan as it is still beats any plan without the workflow
    return {"earns_usd": earns.json(), "may_fall_to_factor": max(safe, 0.0), "must_stay": False}


def _not_eligible(study: Study, w: Workflow) -> str | None:
    return None if _could(study, w) else fallen([c for c in study.data.candidates if c.workflow == w.id])


def _could(study: Study, w: Workflow) -> bool:
    return bool(w.bundles or study.data.endpoints_of[w.id] or study.data.apis_of[w.id])


def _value(w: Workflow) -> float:
    """Of its most valuable task."""
    worths = [max(usd.values(), default=0.0) for usd in (*(k.usd for k in w.tranches), *(b.usd for b in w.bundles))]
    return max(worths, default=0.0)


def force(f: Flow) -> str:
    """Name of the question."""
    return f"{f.of.id} forced in"


def ban(f: Flow) -> str:
    """Name of the question."""
    return f"{f.of.id} kept out"
