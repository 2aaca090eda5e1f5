"""The whole explanation: a base proved as tightly as time allows, then questions, the most valuable first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from optimizer.asking.asker import Asker
from optimizer.asking.interval import Interval
from optimizer.engine.duality import relaxed_prices
from optimizer.engine.highs import solve_program
from optimizer.engine.outcome import Outcome
from optimizer.engine.program import Floats
from optimizer.engine.progress import relative_gap
from optimizer.engine.revalue import CLOSED, settle
from optimizer.engine.solver import Control
from optimizer.engine.watch import Cancel, Stop
from optimizer.engine.worth import Worth
from optimizer.explaining import appendix, infeasible, limits, verdicts, workflows
from optimizer.explaining.agenda import Agenda, Clock
from optimizer.explaining.bundles import bundles
from optimizer.explaining.explanation import SCHEMA, TABLES, Explanation
from optimizer.explaining.lots import lots
from optimizer.explaining.owners import owners
from optimizer.explaining.relief import reliefs
from optimizer.explaining.rents import rents
from optimizer.explaining.steps import short_of_a_step
from optimizer.explaining.study import Study, study
from optimizer.formulation.family import Family
from optimizer.instance import Instance, parse
from optimizer.instance.arguments import number, scenarios, whole, words
from optimizer.instance.changes import apply, refuse_other
from optimizer.plan.plan import Plan, jsonable
from optimizer.resolve import resolve

PLAN_GAP = 1e-3
BASE_SHARE = 0.22  # of the time, for a plan and its proof
BLOCKING_SHARE = 0.05  # for what keeps workflows from being served more, a linear program each

Told = Callable[[str, int, int], None]
Locate = Callable[..., str | None]


@dataclass(frozen=True)
class Asked:
    """What is to be explained, in how much time, from which start, and whom to tell."""

    study: Study
    clock: Clock
    threads: int = 2
    start: Mapping[str, Mapping[Any, float]] | None = None
    locate: Locate = lambda *_: None
    progress: Told | None = None
    cancel: Cancel | None = None


def explain(
    of: Plan | Instance,
    *,
    explain_time: float = 120.0,
    threads: int = 2,
    seed: int = 0,
    scenario: str | None = None,
    set: Sequence[str] | Mapping[str, Any] = (),
    drop: Sequence[str] = (),
    extra: Sequence[Family] = (),
    progress: Told | None = None,
    cancel: Cancel | None = None,
) -> Explanation:
    """What limits a plan (or the best plan of an instance), what it is worth to loosen that, and who is next in line.

    `explain_time` (seconds of wall clock) bounds the solves; what was not asked by then is marked, as is what `cancel`
    cut short. Works from a saved plan as from an instance. Raises BadInput as `solve` does.
    """
    began = time.monotonic()
    seconds, many = number("explain_time", explain_time), whole("threads", threads, 1)
    instance, left_out = _instance(of)
    changed, dropped = apply(instance, set, scenarios(scenario))
    data = resolve(changed).data
    found = study(data, dict.fromkeys((*words("drop", drop), *left_out, *dropped)), extra, lots(data, reliefs(changed)))
    control = Control(began + seconds, Stop(cancel), lambda _: None, threads=1, seed=whole("seed", seed))
    asked = Asked(found, Clock(control, seconds), many, _start(of), partial(_place, changed), progress, cancel)
    document = {"scenario": scenario, **investigate(asked), "seconds": time.monotonic() - began}
    return Explanation(jsonable(document))


def investigate(asked: Asked) -> dict[str, Any]:
    """The document for a study: of its plan, or of the conflict that rules one out."""
    found, clock = asked.study, asked.clock
    outcome = solve_program(found.program, gap=CLOSED, time_limit=clock.share(BASE_SHARE), start=asked.start,
                            threads=asked.threads, seed=clock.control.seed, cancel=asked.cancel)  # fmt: skip
    document: dict[str, Any] = {
        "schema": SCHEMA, "status": _status(outcome), "name": found.data.name, "currency": found.data.currency,
        "periods": list(found.data.calendar.periods), "drop": list(found.drop), "explain_time": clock.whole,
        **{table: [] for table in TABLES}, "conflict": None, "partial": False, "questions": 0, "skipped": [],
        "failed": {},
    }  # fmt: skip
    if outcome.status == "infeasible":
        document["conflict"] = infeasible.conflict(found, asked.locate, clock.control)
    elif outcome.values:
        x = found.program.vector(outcome.values)
        with ThreadPoolExecutor(asked.threads) as pool:
            relaxed = relaxed_prices(found.program, clock.control)
            prices = None if relaxed is None else relaxed[1]
            base = settle(found.program, x, clock.control, outcome.bound, outcome.seconds, prices)
            asker = Asker(base, clock.control, pool, asked.threads, asked.progress or (lambda *_: None))
            document |= _answered(found, asker, clock, relaxed)
    if asked.cancel is not None and asked.cancel.is_set():
        document |= {"status": "interrupted", "partial": True}
    return document


def _status(outcome: Outcome) -> str:
    """As a solve at the usual gap would end; the base is proved further."""
    near = outcome.status == "feasible" and outcome.gap is not None and outcome.gap <= PLAN_GAP
    return "optimal" if near else outcome.status


def _instance(of: Plan | Instance) -> tuple[Instance, tuple[str, ...]]:
    if not isinstance(of, Plan):
        refuse_other(of)
        return of, ()
    return parse(of.document["instance"]["resolved"]), tuple(of.document["options"]["drop"])


def _place(instance: Instance, *path: str) -> str | None:
    """File, line and column of what the instance states."""
    place = instance.locate(*path) if instance.source else None
    return f"{instance.source}:{place[0]}:{place[1]}" if place else None


def _start(of: Plan | Instance) -> Mapping[str, Mapping[Any, float]] | None:
    """Whole numbers of a saved plan, from which its solve is taken up again."""
    if isinstance(of, Instance) or not of.answered:
        return None
    d = of.document
    return {
        "fund": {(r["workflow"], r["period"]): float(r["funded"]) for r in d["workflows"]},
        "launch": {(r["workflow"], r["period"]): float(r["launched"]) for r in d["workflows"]},
        "replicas": {(r["endpoint"], r["period"]): float(r["replicas"]) for r in d["endpoints"]},
    }


def _answered(found: Study, asker: Asker, clock: Clock, relaxed: tuple[float, Floats] | None) -> dict[str, Any]:
    best = asker.base.worth.x
    assert best is not None
    prices = np.zeros(found.program.row_lower.size) if relaxed is None else relaxed[1]
    rows = found.used(best)
    about = limits.Limits(found, rows, prices, short_of_a_step(found.program, best, rows))
    why = workflows.Reasons(found, best, about.rows)
    blocked = why.blocked(clock.control.until(clock.share(BLOCKING_SHARE)))
    next_up = Agenda(about, why, blocked, asker, clock).put()
    joint = bundles(about, asker, clock.share(0.1))
    together = [owner for row in joint if len(row["owners"]) > 1 for owner in row["owners"]]
    return {
        "objective_usd": asker.worth.low,
        "bound_usd": asker.worth.high,
        "base": _base(asker.base.worth, asker.worth),
        "constraints": list(limits.constraints(about, asker, together)),
        "limits": owners(about, asker),
        "bundles": joint,
        "workflows": list(workflows.rows(why, asker, next_up.even, next_up.cheapest, blocked, next_up.causes)),
        "rents": rents(about, best, asker),
        "tools": list(verdicts.tools(found, best, asker)),
        "offers": list(verdicts.offers(found, best, asker)),
        "policies": list(verdicts.policies(found, asker)),
        "ties": _ties(asker),
        "appendix": list(appendix.appendix(found.program, about.rows, prices, relaxed[0], clock.control))
        if relaxed else [],
        "questions": len(asker.answers),
        "skipped": asker.skipped,
        "failed": asker.failed,
        "partial": bool(asker.skipped),
    }  # fmt: skip


def _base(first: Worth, now: Interval) -> dict[str, Any]:
    return {"usd": now.json(), "gap": relative_gap(*now), "method": first.method, "seconds": first.seconds}


def _ties(asker: Asker) -> list[dict[str, Any]]:
    """Changes of decisions that cost nothing: the plan could as well be the other one."""
    found = []
    for name, worth in asker.answers.items():
        loss = asker.gain(name)
        decision = name.endswith(("forced in", "kept out")) or name.startswith(("tool ", "offer "))
        if decision and worth.x is not None and loss is not None and loss.low >= -asker.noise:
            found.append({"change": name, "costs_usd": loss.times(-1.0).json(), **asker.evidence(name).json()})
    return found
