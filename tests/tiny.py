"""Hand-made `Data` for the laws and the hand arithmetic: one site, one pool, one workflow, then vary."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.contrib.solver.common.factory import SolverFactory
from pyomo.contrib.solver.common.results import TerminationCondition

from optimizer.formulation.build import Formulation, state
from optimizer.formulation.data import (
    ApiPair,
    Calendar,
    Data,
    Endpoint,
    Pair,
    Part,
    Period,
    Pool,
    Site,
    Tranche,
    Workflow,
)

HOURS = 100.0


def calendar(periods: int = 1, parts: tuple[str, ...] = ("all",)) -> Calendar:
    ids = tuple(Period(f"T{i + 1}") for i in range(periods))
    names = tuple(Part(b) for b in parts)
    return Calendar(
        ids,
        dict.fromkeys(ids, HOURS),
        names,
        {(t, b): HOURS / len(names) for t in ids for b in names},
        dict.fromkeys(ids, 1.0),
    )


def flat(cal: Calendar, value: float) -> dict[Period, float]:
    return dict.fromkeys(cal.periods, value)


def site(cal: Calendar, name: str = "home", power_kw: float | None = None, **more: Any) -> Site:
    power = None if power_kw is None else flat(cal, power_kw)
    return replace(Site(name, power, 1.0, flat(cal, 0.0), nameplate=False), **more)


def pool(cal: Calendar, name: str = "gpus", count: float = 4, at: str = "home", **more: Any) -> Pool:
    plain = Pool(
        name, at, "toy", flat(cal, count), 1, 0.0, 80.0, 1000.0, 100.0, "whole", 1, {},
        flat(cal, 0.0), flat(cal, 0.0), paid_when_powered=False,
    )  # fmt: skip
    return replace(plain, **more)


def endpoint(cal: Calendar, name: str = "e", on: str = "gpus", gpus: float = 1, **more: Any) -> Endpoint:
    plain = Endpoint(
        name, name, on, "home", "toy-7b", "toy", "fp8", gpus, None, 8, 8192, 10.0, 0.0, 0.0, 1.0, None,
        keep=False, bound_by="bandwidth", grade="user", max_replicas=dict.fromkeys(cal.periods, 50),
    )  # fmt: skip
    return replace(plain, **more)


def workflow(
    cal: Calendar,
    name: str = "w",
    demand: float = 1000,
    usd: float | tuple[tuple[float, float], ...] = 1.0,
    **more: Any,
) -> Workflow:
    bands = ((1.0, usd),) if isinstance(usd, int | float) else usd
    plain = Workflow(
        name, "task", flat(cal, demand), {k: h / HOURS for k, h in cal.part_hours.items()}, "interactive",
        tuple(Tranche(width, flat(cal, worth)) for width, worth in bands),
        1.0, 1.0, 0.0, must_fund=False, keep=False, job=False, launch_usd=flat(cal, 0.0), running=False, min_replicas=0,
    )  # fmt: skip
    return replace(plain, **more)


def pair(tasks_per_hour: float = 2.0, bytes_gb: float = 0.0, tflop: float = 0.0) -> Pair:
    return Pair(tasks_per_hour, bytes_gb, tflop, 1e-6, None, None, "user", "bandwidth")


def data(cal: Calendar | None = None, **parts: Any) -> Data:
    """One pool of 4 GPUs, one endpoint of 1 GPU doing 2 tasks/h for 100 h, 1000 tasks at $1; no other cost."""
    cal = cal or calendar()
    defaults: dict[str, Any] = {
        "sites": {"home": site(cal)},
        "pools": {"gpus": pool(cal)},
        "endpoints": {"e": endpoint(cal)},
        "workflows": {"w": workflow(cal)},
        "pairs": {("w", "e"): pair()},
        "api_pairs": {},
        "api_limits": {},
        "budgets": (),
        "launch_limit": {},
        "portfolio_limit": {},
    }
    return Data("tiny", "USD", cal, **{**defaults, **parts})


def api(cal: Calendar, usd: float, tokens: float = 1000) -> ApiPair:
    return ApiPair(flat(cal, usd), tokens / 2, tokens / 2, tokens / 2e6)


def optimum(d: Data, without: tuple[str, ...] = (), extra: Any = ()) -> float:
    """Net value at the optimum, through Pyomo's own interface to HiGHS (not our engine)."""
    return float(pyo.value(solved(d, without, extra).model.net_value))


def relaxed(d: Data) -> float:
    """Net value at the optimum with whole numbers continuous: what the formulation itself says of fractions."""
    f = state(d, (), ())
    pyo.TransformationFactory("core.relax_integer_vars").apply_to(f.model)
    return float(pyo.value(_by_highs(f).model.net_value))


def solved(d: Data, without: tuple[str, ...] = (), extra: Any = ()) -> Formulation:
    return _by_highs(state(d, without, extra))


def _by_highs(f: Formulation) -> Formulation:
    solver = SolverFactory("highs")
    solver.config.rel_gap = 0.0
    solver.config.raise_exception_on_nonoptimal_result = False
    solver.config.load_solutions = False
    result = solver.solve(f.model)
    if result.termination_condition == TerminationCondition.provenInfeasible:
        raise Infeasible
    assert result.termination_condition == TerminationCondition.convergenceCriteriaSatisfied, result
    result.solution_loader.load_vars()
    return f


class Infeasible(Exception):
    pass
