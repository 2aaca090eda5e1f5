"""Better plans from plans: one that is known is taken, none gets worse, one seed gives one plan."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fleet import fleet
from sizes import sized
from started import started
from test_engine import pretend

from optimizer.engine import start
from optimizer.engine.highs import solve_program
from optimizer.engine.improve import KINDS, Improver
from optimizer.engine.known import Known
from optimizer.engine.linear import relax
from optimizer.engine.messages import Incumbent, Message, Tick
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Floats, Program
from optimizer.engine.scale import scale
from optimizer.engine.solver import Control, Highs
from optimizer.engine.start import built, dived, placed

QUIET = {"mip_heuristic_effort": 0.0, "mip_heuristic_run_feasibility_jump": False, "mip_heuristic_run_rens": False}


@pytest.fixture(scope="module")
def hard() -> Program:
    return scale(fleet(8, 20, 2, seed=1)).program


@pytest.fixture(scope="module")
def first(hard: Program) -> Floats:
    return started(hard, control())


def control(seconds: float = 60.0, told: list[Message] | None = None) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), [].append if told is None else told.append, 1e-4)


def improved(program: Program, x: Floats, seed: int) -> Floats:
    relaxed, known = relax(program, control()), Known(program)
    assert relaxed is not None
    known.offer(x)
    improver = Improver(program, relaxed.guide, known, seed)
    improver.run(control(), tries=12)
    assert all(improver.kinds[name].tries for name in KINDS)
    assert known.x is not None
    return known.x


def test_a_plan_is_kept_only_if_it_is_better() -> None:
    program = replace(fleet(2, 4, 1), cost=np.zeros(fleet(2, 4, 1).cost.size))
    program.cost[0] = 1.0
    low, high = np.zeros(program.cost.size), np.zeros(program.cost.size)
    high[0] = 2.0
    for each, better, worse in ((program, high, low), (replace(program, maximise=False), low, high)):
        known = Known(each)
        assert known.better_than(None) is None
        assert known.offer(better)
        assert not known.offer(worse)
        assert known.x is better
        assert known.better_than(each.objective(worse)) is better
        assert known.better_than(each.objective(better)) is None


def test_neighbourhoods_find_a_better_plan_that_satisfies_every_row(hard: Program, first: Floats) -> None:
    better = improved(hard, first, seed=0)
    assert hard.violation(better) <= 1e-6
    assert hard.objective(better) > hard.objective(first)


def test_one_seed_gives_one_plan(hard: Program, first: Floats) -> None:
    assert np.array_equal(improved(hard, first, seed=3), improved(hard, first, seed=3))


def test_a_dive_with_too_large_steps_ends_when_patience_does(hard: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = start._hold_nearest
    monkeypatch.setattr(start, "_hold_nearest", lambda lp, x, nearest, many: hold(lp, x, nearest[:1], 1))
    relaxed = [relax(hard, control()) for _ in range(2)]
    assert relaxed[0] is not None
    assert relaxed[1] is not None
    assert dived(relaxed[0], patience=2) is None
    assert dived(relaxed[1]) is not None


def test_a_plan_is_built_where_the_dive_finds_no_strategy(hard: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "dived", lambda relaxed: None)
    told: list[Message] = []
    relaxed = relax(hard, control())
    assert relaxed is not None
    plan = next(built(hard, control(told=told), relaxed))
    assert hard.violation(plan) <= 1e-6
    assert all(each.bound >= hard.objective(plan) for each in told if isinstance(each, Tick) and each.bound)


@pytest.mark.parametrize("maximise", [True, False])
def test_a_plan_told_while_branch_and_cut_runs_is_taken(hard: Program, first: Floats, maximise: bool) -> None:
    sense = 1.0 if maximise else -1.0
    program = replace(hard, cost=sense * hard.cost, offset=sense * hard.offset, maximise=maximise)
    known, told = Known(program), list[Message]()
    known.offer(improved(hard, first, seed=0))
    assert known.x is not None
    highs = Highs(program, control(told=told), known, **QUIET)
    highs.set(mip_max_nodes=1)
    highs.run()
    x = highs.plan()
    assert x is not None
    assert sense * program.objective(x) >= sense * program.objective(known.x) - 1e-6
    assert not any(isinstance(each, Incumbent) and each.x is known.x for each in told)


def test_two_workers_agree_with_one() -> None:
    program = fleet(20, 50, 3, seed=2)
    assert program.worth_constructing
    one, two = (solve_program(program, gap=5e-3, threads=n, time_limit=60) for n in (1, 2))
    assert one.status == two.status == "optimal"
    assert one.objective is not None
    assert two.objective is not None
    assert one.bound is not None
    assert two.bound is not None
    assert max(one.objective, two.objective) <= min(one.bound, two.bound) * (1 + 1e-7)


def test_a_crash_of_any_worker_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "sys.exit('gone') if request.role == 'improve' else time.sleep(30)")
    with pytest.raises(SolverError, match="gone"):
        solve_program(fleet(40, 80, 3, seed=1), threads=2, time_limit=20)


def test_a_strategy_that_loses_much_is_bettered_before_it_is_placed(tmp_path: Path) -> None:
    program = scale(sized("S", 1, tmp_path)).program
    relaxed = relax(program, control(80.0))
    assert relaxed is not None
    dive = dived(relaxed)
    assert dive is not None
    assert program.objective(dive) < (1 - start.LOSSY) * program.objective(relaxed.guide.x)
    plan, hasty = next(built(program, control(80.0), relaxed)), placed(program, control(), dive, start.SOON)
    assert hasty is not None
    assert program.violation(plan) <= 1e-6
    assert program.objective(plan) > program.objective(hasty)


def test_a_better_strategy_that_cannot_be_placed_gives_way(hard: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    relaxed, soon = relax(hard, control()), start._soon
    assert relaxed is not None
    never = relaxed.guide.x.copy()
    monkeypatch.setattr(start, "LOSSY", -1.0)
    monkeypatch.setattr(start, "_hasty", lambda program, control, x: (never, True))
    monkeypatch.setattr(
        start, "_soon", lambda p, c, strategy, near: None if strategy is never else soon(p, c, strategy, near)
    )
    plans = list(built(hard, control(), relaxed, near=(1e-2, 1e-3)))
    assert len(plans) == 2
    assert all(hard.violation(plan) <= 1e-6 for plan in plans)


def test_a_start_is_found_where_moves_between_periods_are_counted(tmp_path: Path) -> None:
    stated = sized("S", 2, tmp_path)
    program = scale(stated).program
    assert any(name == "change_link" for name, _ in stated.rows)
    relaxed = relax(program, control(40.0))
    assert relaxed is not None
    found = next(built(program, control(40.0), relaxed))
    assert program.violation(program.rounded(found)) <= 1e-6
