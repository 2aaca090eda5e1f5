"""The whole path: instance, resolved figures, program, proof, plan, independent check."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from time import monotonic
from typing import Any

from pyomo.environ import ConcreteModel, value

from optimizer.engine.compile import compile_model
from optimizer.engine.highs import solve_program
from optimizer.engine.outcome import Outcome
from optimizer.engine.program import Program, Tag
from optimizer.engine.progress import Listener
from optimizer.engine.scheduler import NoCluster, reach
from optimizer.engine.watch import Cancel
from optimizer.formulation.build import Formulation, NothingToDrop, refuse_unknown, state
from optimizer.formulation.data import Data
from optimizer.formulation.families import FAMILIES
from optimizer.formulation.family import Family
from optimizer.formulation.variables import PLACEMENT, STRATEGY
from optimizer.instance.arguments import number, scenarios, whole, words
from optimizer.instance.changes import apply, refuse_other, stated
from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.schema import Instance
from optimizer.plan.build import allocation, header
from optimizer.plan.conflict import Feasible, conflict
from optimizer.plan.idle import without_idle
from optimizer.plan.plan import Plan, jsonable
from optimizer.plan.studies import studies
from optimizer.resolve import Resolution, resolve
from optimizer.verify import Row as CheckedRow
from optimizer.verify import Verification, verify

LIMITS = ("gap", "time_limit", "threads", "seed")
MOST_THREADS = 8  # one proves, the others look for better plans
FEASIBILITY_SECONDS = 10.0  # for one question of the search for a conflict
ANY_PLAN = 1e9  # a gap at which the first plan found is good enough
TAGS: Mapping[str, Tag] = {**dict.fromkeys(STRATEGY, "strategy"), **dict.fromkeys(PLACEMENT, "placement")}


class InternalError(RuntimeError):
    """A defect of this program: its answer failed the check and was withheld."""


@dataclass(frozen=True)
class Posed:
    """One question: an instance with its changes made, in figures, as a formulation and as a program."""

    instance: Instance
    resolution: Resolution
    stated: Formulation
    program: Program
    options: Mapping[str, Any]
    scenario: str | None
    extra: tuple[Family, ...]

    @property
    def data(self) -> Data:
        """The numbers that the formulation reads."""
        return self.resolution.data

    @cached_property
    def sha256(self) -> str:
        """Digest of the resolved instance: of every figure that is solved with, wherever it came from."""
        figures = {key: value for key, value in self.resolution.document.items() if key != "resolved_from"}
        return sha256(json.dumps(jsonable(figures), sort_keys=True).encode()).hexdigest()


def solve(
    instance: Instance,
    *,
    gap: float = 1e-3,
    time_limit: float = 300.0,
    threads: int | None = None,
    seed: int = 0,
    scenario: str | None = None,
    set: Sequence[str] | Mapping[str, Any] = (),
    drop: Sequence[str] = (),
    extra: Sequence[Family] = (),
    judge: bool = True,
    address: str | None = None,
    progress: Listener | None = None,
    cancel: Cancel | None = None,
) -> Plan:
    """The best plan of an instance, proved to `gap` unless `time_limit` (seconds of wall clock) comes first.

    `set` are changes `path=value`, `drop` families or rows to leave out (a single one of either may stand by itself),
    `extra` families of your own; `threads` are by default as many as there are cores, at most 8; `judge`
    is whether offers, tools and workflows left out are judged by further solves in the time that is left. `address` is
    the scheduler of a Dask cluster, on whose workers better plans are searched for; the proof stays here. A plan
    always passed the check against the instance; InternalError is raised otherwise, SolverError if the
    solver failed, BadInput if the instance, a change, a name or a number asked for is wrong.
    """
    began = monotonic()
    if address:
        with missing_as_bad_input():
            reach(address)
    limits = {"gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed}
    posed = pose(instance, limits, scenario=scenario, set=set, drop=drop, extra=extra)
    until = began + posed.options["time_limit"]
    left = {name: posed.options[name] for name in LIMITS} | {"time_limit": max(until - monotonic(), 0.0)}
    outcome = solve_program(posed.program, **left, cluster=address, progress=progress, cancel=cancel)
    document = answered(posed, outcome)
    if outcome.values and judge and outcome.status != "interrupted":
        document |= studies(posed.data, posed.stated, posed.program, outcome, document, until, cancel)
    document["seconds"] = monotonic() - began
    return Plan(document)


def pose(
    instance: Instance,
    limits: Mapping[str, Any],
    *,
    scenario: str | None = None,
    set: Sequence[str] | Mapping[str, Any] = (),
    drop: Sequence[str] = (),
    extra: Sequence[Family] = (),
) -> Posed:
    """An instance with its scenario (several as `a+b`, in order) and changes, resolved, stated and compiled."""
    numbers, dropped = _limits(limits), words("drop", drop)
    changed, left_out = apply(instance, set, scenarios(scenario))
    options = {**numbers, "set": stated(set), "drop": [*dict.fromkeys((*dropped, *left_out))]}
    resolution = resolve(changed, reduce=_reducible(options["drop"], extra))
    formulation = formulated(resolution.data, options["drop"], extra)
    program = compile_model(formulation.model, tags=TAGS, periods=resolution.data.calendar.periods)
    return Posed(instance, resolution, formulation, program, options, scenario, tuple(extra))


def refuse_unknown_changes(
    instance: Instance,
    scenario: str | None = None,
    set: Sequence[str] | Mapping[str, Any] = (),
    drop: Sequence[str] = (),
    extra: Sequence[Family] = (),
) -> None:
    """BadInput, before anything is solved, for changes that cannot be made and names that no family and no term has."""
    changed, left_out = apply(instance, set, scenarios(scenario))
    dropped = (*words("drop", drop), *left_out)
    with _as_bad_input():
        refuse_unknown(dropped, (*FAMILIES, *extra))
    if any("[" in pattern for pattern in dropped):  # which rows there are is known once they are stated
        formulated(resolve(changed, reduce=_reducible(dropped, extra)).data, dropped, extra)


def answered(posed: Posed, outcome: Outcome, feasible: Feasible | None = None) -> dict[str, Any]:
    """The plan document of an outcome, checked; `feasible` answers for the search of a conflict."""
    origin = {"name": posed.instance.name, "path": posed.instance.source, "sha256": posed.instance.sha256}
    resolved = {**origin, "resolved_sha256": posed.sha256, "resolved": posed.resolution.document}
    options = {**posed.options, "set": [*posed.instance.varied, *posed.options["set"]]}
    document = header(outcome, resolved, options, posed.data) | {"scenario": posed.scenario}
    if outcome.status == "infeasible":
        families = [f for f in posed.stated.families if posed.stated.rows[f.name]]
        return document | {"conflict": conflict(posed.data, families, feasible or _feasible(posed))}
    return document | (_answer(posed, without_idle(posed.program, outcome), document) if outcome.values else {})


def _cores() -> int:
    """Cores this process may use, as many as there is work for."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_THREADS)


def _reducible(drop: Iterable[str], extra: Sequence[Family]) -> bool:
    """Whether dominated deployments may go: not without GPU counts, where memory decides, nor under unknown rows."""
    return not extra and not any(pattern.partition("[")[0] == "gpu_capacity" for pattern in drop)


def formulate(instance: Instance, *, drop: Sequence[str] = (), extra: Sequence[Family] = ()) -> ConcreteModel:
    """The Pyomo model of an instance, to inspect or to extend."""
    refuse_other(instance)
    dropped = words("drop", drop)
    return formulated(resolve(instance, reduce=_reducible(dropped, extra)).data, dropped, extra).model


def _limits(asked: Mapping[str, Any]) -> dict[str, Any]:
    """How far to go, as plain numbers; BadInput for what is none."""
    return {
        "gap": number("gap", asked["gap"]),
        "time_limit": number("time_limit", asked["time_limit"]),
        "threads": _cores() if asked["threads"] is None else whole("threads", asked["threads"], 1),
        "seed": whole("seed", asked["seed"]),
    }


def formulated(data: Data, drop: Iterable[str], extra: Sequence[Family] = ()) -> Formulation:
    """The program of resolved data; BadInput for a name or a row to be dropped that is not there."""
    with _as_bad_input():
        return state(data, drop, extra)


@contextmanager
def missing_as_bad_input() -> Iterator[None]:
    """A cluster that cannot be used is a mistake of whoever named it."""
    try:
        yield
    except NoCluster as error:
        raise BadInput([Fault(None, None, None, "cluster", str(error))]) from error


@contextmanager
def _as_bad_input() -> Iterator[None]:
    try:
        yield
    except NothingToDrop as error:
        raise BadInput([Fault(None, None, None, "drop", error.what, error.maybe)]) from error


def _answer(posed: Posed, outcome: Outcome, document: Mapping[str, Any]) -> dict[str, Any]:
    """The allocation, checked against the instance."""
    filled = allocation(posed.data, posed.stated, posed.program, outcome, posed.options["gap"])
    check = _verified({**document, **filled}, posed.stated, posed.extra)
    found = {name: getattr(check, name) for name in ("checked_rows", "worst_violation", "passed", "rows_by_family")}
    return {**filled, "verification": found}


def _verified(document: Mapping[str, Any], stated: Formulation, extra: Sequence[Family]) -> Verification:
    check = verify(document, {each.name: _rule(stated, each) for each in extra})
    if not check.passed:
        worst = "; ".join(v.text for v in check.violations[:3])
        raise InternalError(
            f"the plan broke {len(check.violations)} rows of its own instance and was withheld: {worst}"
        )
    return check


def _rule(stated: Formulation, each: Family) -> Callable[[object], Iterator[CheckedRow]]:
    """A family from outside has no second statement: its own rows are held against the values of the plan."""

    def rows(_: object) -> Iterator[CheckedRow]:
        for row in stated.rows[each.name]:
            used, available = float(value(row.used)), float(value(row.available))
            yield CheckedRow(each.name, row.key, each.period(row.key), used, row.sense, available)

    return rows


def _feasible(posed: Posed) -> Feasible:
    def feasible(without: Iterable[str]) -> bool | None:
        program = compile_model(formulated(posed.data, (*posed.stated.dropped, *without), posed.extra).model)
        found = solve_program(program, gap=ANY_PLAN, time_limit=FEASIBILITY_SECONDS)
        return False if found.status == "infeasible" else True if found.values else None

    return feasible
