from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from fleet import TAGS, fleet, fleet_model

from optimizer.engine import process, search, solver
from optimizer.engine.compile import compile_model
from optimizer.engine.highs import solve_program
from optimizer.engine.linear import relax
from optimizer.engine.messages import Message, Tick
from optimizer.engine.outcome import Outcome, SolverError
from optimizer.engine.program import Program
from optimizer.engine.progress import Progress, relative_gap
from optimizer.engine.scale import scale
from optimizer.engine.solver import Control
from optimizer.engine.start import built


def model(sense: Any = pyo.maximize, x_max: float | None = 4.0) -> Any:
    """max 3x + 2y + 5: x + y <= 5.5, x - y between -2 and 3, x whole: x = 4, y = 1.5."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(["a"], domain=pyo.Integers, bounds=(0, x_max)), pyo.Var(bounds=(0, None))
    m.power_limit = pyo.Constraint(["s"], rule=lambda m, s: m.x["a"] + m.y <= 5.5)
    m.ramp_link = pyo.Constraint(expr=(-2, m.x["a"] - m.y, 3))
    m.net_value = pyo.Objective(expr=3 * m.x["a"] + 2 * m.y + 5, sense=sense)
    return m


def market_split(rows: int = 5, columns: int = 40) -> Program:
    """Equalities over binaries that no solver meets in a second: there is no plan to be had."""
    dice = np.random.default_rng(3)
    a = dice.integers(0, 100, (rows, columns))
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(columns), domain=pyo.Binary)
    m.split = pyo.Constraint(
        range(rows),
        rule=lambda m, i: pyo.quicksum(float(v) * m.x[j] for j, v in enumerate(a[i])) == int(a[i].sum()) // 2,
    )
    m.net_value = pyo.Objective(expr=m.x[0])
    return compile_model(m)


@pytest.fixture(scope="module")
def small() -> Program:
    return fleet(7, 10, 2)


@pytest.fixture(scope="module")
def hard() -> Program:
    return fleet(40, 80, 3, seed=1)


def test_compile_keeps_rows_columns_sense_and_offset() -> None:
    p = compile_model(model())
    assert p.rows == (("power_limit", "s"), ("ramp_link", None))
    assert p.cols == (("x", "a"), ("y", None))
    assert p.maximise
    assert p.offset == 5.0
    assert p.integer.tolist() == [True, False]
    assert (p.row_lower.tolist(), p.row_upper.tolist()) == ([-np.inf, -2.0], [5.5, 3.0])
    assert p.activity(np.array([4.0, 1.5])).tolist() == [5.5, 2.5]


def test_compile_leaves_out_inactive_rows_and_holds_fixed_variables() -> None:
    m = model()
    m.power_limit["s"].deactivate()
    m.y.fix(1.0)
    outcome = solve_program(compile_model(m))
    assert outcome.objective == pytest.approx(3 * 4 + 2 + 5)
    assert outcome.values["y"][None] == 1.0


def test_compile_refuses_what_is_not_linear() -> None:
    m = model()
    m.bad = pyo.Constraint(expr=m.x["a"] * m.y <= 1)
    with pytest.raises(ValueError, match="bad is not linear"):
        compile_model(m)


def test_compile_adds_up_what_stands_twice_and_whatever_is_linear() -> None:
    m = model()
    half = pyo.Param(initialize=0.5, mutable=True)
    m.half, m.named = half, pyo.Expression(expr=2 * m.y + 1)
    left = 3 * (m.x["a"] + m.y) - (m.x["a"] - 4) + half * m.y + m.named / 2
    m.odd = pyo.Constraint(expr=left >= m.y + m.x["a"])
    p = compile_model(m)
    row = p.rows.index(("odd", None))
    assert dict(zip(p.index[p.start[row] :], p.value[p.start[row] :], strict=True)) == {0: -1.0, 1: -3.5}
    assert p.row_upper[row] == 4.5


def test_compile_reads_tags_and_periods(small: Program) -> None:
    for (name, key), strategy, period in zip(small.cols, small.strategy, small.period, strict=True):
        assert strategy == (TAGS.get(name) == "strategy")
        assert f"q{period}" == key[-1]


@pytest.mark.parametrize("sense", [pyo.maximize, pyo.minimize])
def test_outcome_equals_pyomos_own_interface(sense: Any) -> None:
    for m in (model(sense), fleet_model(8, 12, 2)):
        ours = solve_program(compile_model(m), gap=0)
        pyo.SolverFactory("highs").solve(m)
        assert ours.status == "optimal"
        assert ours.objective == pytest.approx(pyo.value(m.net_value), rel=1e-6)


def test_infeasible_by_rows_and_by_wholeness() -> None:
    m = model()
    m.service_floor = pyo.Constraint(expr=m.x["a"] + m.y >= 6)
    assert solve_program(compile_model(m)).status == "infeasible"
    m = model()
    m.odd = pyo.Constraint(expr=2 * m.x["a"] == 3)
    outcome = solve_program(compile_model(m))
    assert (outcome.status, outcome.values, outcome.objective) == ("infeasible", {}, None)


def test_unbounded_is_told_from_infeasible() -> None:
    m = model(x_max=None)
    m.power_limit.deactivate()
    assert solve_program(compile_model(m)).status == "unbounded"
    m.odd = pyo.Constraint(expr=2 * m.x["a"] - 2 * m.x["a"] + 0 * m.y <= -1)
    m.free = pyo.Var()
    m.net_value.expr += m.free
    m.half = pyo.Constraint(expr=(0.2, m.x["a"] - 2 * m.free, 0.8))
    m.even = pyo.Constraint(expr=m.free == 0)
    assert solve_program(compile_model(m)).status == "infeasible"


def test_program_without_columns_or_rows() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 2))
    m.net_value = pyo.Objective(expr=m.x, sense=pyo.maximize)
    assert solve_program(compile_model(m)).objective == 2.0
    m = pyo.ConcreteModel()
    m.net_value = pyo.Objective(expr=7.0)
    assert solve_program(compile_model(m)).objective == 7.0


def test_limit_with_a_plan_is_feasible_and_says_its_gap(hard: Program) -> None:
    outcome = solve_program(hard, gap=0, time_limit=1.0)
    assert outcome.status == "feasible"
    assert outcome.seconds < 2.5
    assert outcome.objective is not None
    assert outcome.bound is not None
    assert outcome.bound > outcome.objective > 0
    assert outcome.gap == relative_gap(outcome.objective, outcome.bound)
    assert hard.violation(vector(outcome, hard)) <= 1e-6


def test_limit_without_a_plan() -> None:
    outcome = solve_program(market_split(), time_limit=0.7)
    assert (outcome.status, outcome.objective) == ("no_plan", None)


def test_cancel_token_keeps_the_best_plan(hard: Program) -> None:
    cancel = threading.Event()

    def listen(progress: Progress) -> None:
        if progress.best is not None:
            cancel.set()

    outcome = solve_program(hard, start={}, gap=0, progress=listen, cancel=cancel)
    assert outcome.status == "interrupted"
    assert outcome.objective is not None
    assert outcome.seconds < 10


def test_keyboard_interrupt_keeps_the_best_plan(hard: Program) -> None:
    def listen(progress: Progress) -> None:
        if progress.best is not None and progress.bound is not None:
            raise KeyboardInterrupt

    outcome = solve_program(hard, start={}, gap=0, progress=listen)
    assert outcome.status == "interrupted"
    assert outcome.objective is not None


STUB = """
import pickle, sys, time
import numpy as np
from optimizer.engine.messages import *
request = pickle.load(sys.stdin.buffer)
def tell(message):
    pickle.dump(message, sys.stdout.buffer)
    sys.stdout.flush()
{}
time.sleep(60)
"""


def pretend(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", STUB.format(script)))


def test_worker_that_ignores_its_limit_is_killed_and_its_plan_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    p = compile_model(model())
    pretend(monkeypatch, "tell(Incumbent(np.array([2.0, 1.0]))); tell(Tick(None, 100.0))")
    monkeypatch.setattr("optimizer.engine.highs.scale", lambda program: replace(scale(program), **plain(program)))
    began = time.monotonic()
    outcome = solve_program(p, time_limit=0.5)
    assert time.monotonic() - began < 0.5 + 1.0 + 0.05 * 0.5 + 0.5
    assert (outcome.status, outcome.objective, outcome.bound) == ("feasible", 3 * 2 + 2 * 1 + 5, 100.0)


def test_worker_that_never_reads_is_killed(monkeypatch: pytest.MonkeyPatch, hard: Program) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    assert solve_program(hard, time_limit=0.2).status == "no_plan"


def test_plan_that_breaks_a_row_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "tell(Verdict('optimal', np.array([4.0, 4.0]), 30.0))")
    with pytest.raises(SolverError, match="none satisfies every row"):
        solve_program(compile_model(model()))


def test_plan_better_than_its_bound_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "tell(Verdict('optimal', np.array([0.0, 0.0]), -1e9))")
    with pytest.raises(SolverError, match="better than the proved bound"):
        solve_program(compile_model(model()))


def test_worker_that_dies_is_an_error_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "raise SystemExit('out of patience')")
    with pytest.raises(SolverError, match="out of patience"):
        solve_program(compile_model(model()))


def test_fixed_seed_gives_the_same_plan(small: Program) -> None:
    first, second = (solve_program(small, seed=7) for _ in range(2))
    assert (first.objective, first.bound, first.values) == (second.objective, second.bound, second.values)


def test_two_solves_in_two_threads(small: Program) -> None:
    alone = [solve_program(small), solve_program(compile_model(model()))]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(solve_program, [small, compile_model(model())]))
    assert [o.values for o in together] == [o.values for o in alone]


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_magnitudes_do_not_change_the_answer(unit: float, small: Program) -> None:
    other = fleet(7, 10, 2, unit=unit)  # demands from 1e2 to 1e12 tasks
    a, b = solve_program(small, gap=1e-6), solve_program(other, gap=1e-6)
    assert a.status == b.status == "optimal"
    assert b.objective == pytest.approx(a.objective, rel=3e-6)
    assert other.violation(vector(b, other)) <= 1e-6


def test_scaling_is_exact_and_keeps_whole_numbers(small: Program) -> None:
    scaled = scale(small)
    assert (scaled.unit[small.integer] == 1.0).all()
    assert (np.frexp(scaled.unit)[0] == 0.5).all()
    x = np.random.default_rng(0).random(small.cost.size)
    assert scaled.program.objective(x / scaled.unit) * scaled.money == pytest.approx(small.objective(x), rel=1e-12)


def test_whole_numbers_are_exact(small: Program) -> None:
    outcome = solve_program(small)
    assert outcome.status == "optimal"
    assert all(x == round(x) for name in TAGS for x in outcome.values[name].values())


def test_start_is_accepted_and_unknown_names_ignored(hard: Program) -> None:
    seen: list[Progress] = []
    plan = solve_program(hard, time_limit=1.5)
    known = {name: values for name, values in plan.values.items() if name in TAGS}
    start = {**known, "gone": {1: 1.0}, "fund": {**known["fund"], ("gone", "q9"): 1.0}}
    again = solve_program(hard, start=start, time_limit=0.6, progress=seen.append)
    assert plan.objective is not None
    assert again.objective is not None
    assert again.objective >= plan.objective * (1 - 1e-6)
    assert next(p.best for p in seen if p.best is not None) == pytest.approx(plan.objective, rel=1e-6)


def test_bounds_told_are_those_of_the_whole_while_a_bad_start_is_completed(
    monkeypatch: pytest.MonkeyPatch, hard: Program
) -> None:
    monkeypatch.setattr(solver, "TICK_SECONDS", 0.0)
    bounds: list[float] = []

    def tell(message: Message) -> None:
        if isinstance(message, Tick) and message.bound is not None:
            bounds.append(message.bound)

    nothing = np.array([j for j, (name, _) in enumerate(hard.cols) if name == "fund"][1:], np.int32)
    known = solve_program(hard, gap=1e-2, time_limit=10)
    control = Control(time.monotonic() + 2.0, threading.Event(), tell)
    search.search(hard, control, (nothing, np.zeros(nothing.size)))
    assert known.objective is not None
    assert bounds
    assert min(bounds) >= known.objective


def test_plans_by_construction_hold_and_are_good() -> None:
    told: list[Any] = []
    p = scale(fleet(20, 40, 3)).program
    control = Control(time.monotonic() + 60, threading.Event(), told.append)
    relaxed = relax(p, control)
    assert relaxed is not None
    soon, *better = built(p, control, relaxed)
    assert all(p.violation(p.rounded(x)) <= 1e-6 for x in (soon, *better))
    bound, decided = (tick.bound for tick in told)
    assert 0.98 * decided <= max(map(p.objective, (soon, *better))) <= decided <= bound


def test_held_columns_leave_the_rest_of_the_program(small: Program) -> None:
    x = vector(solve_program(small), small)
    free = small.period == 1
    part = small.held(free, x)
    assert part.objective(x[free]) == pytest.approx(small.objective(x))
    assert part.violation(x[free]) <= 1e-9
    assert part.activity(x[free]).size < small.row_lower.size


def test_gap_is_measured_against_at_least_one() -> None:
    assert relative_gap(0.0, 0.5) == 0.5
    assert relative_gap(200.0, 201.0) == pytest.approx(0.005)
    assert relative_gap(None, 1.0) is None


def test_worker_loads_neither_pyomo_nor_pandas() -> None:
    code = "import sys, optimizer.engine.worker; sys.exit(any(m in sys.modules for m in ('pyomo', 'pandas', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": process.ROOT}, check=False).returncode == 0


def vector(outcome: Outcome, program: Program) -> np.ndarray[Any, Any]:
    return np.array([outcome.values[name][key] for name, key in program.cols])


def plain(program: Program) -> dict[str, Any]:
    return {"program": program, "unit": np.ones(program.cost.size), "money": 1.0}
