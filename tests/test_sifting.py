"""The linear program among the columns that pay: the optimum of the whole, in a part of it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.engine import sifting, start
from optimizer.engine.linear import relax, whole
from optimizer.engine.narrow import narrowed
from optimizer.engine.program import Program
from optimizer.engine.scale import scale
from optimizer.engine.sifting import linear, sifted
from optimizer.engine.solver import Control
from optimizer.engine.start import dived


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sifting, "LARGE", 1)


def control(seconds: float = 60.0) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), lambda _: None)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), periods=st.integers(2, 7), works=st.integers(4, 10))
def test_the_optimum_of_the_whole_on_any_fleet(seed: int, periods: int, works: int) -> None:
    program = scale(fleet(works, 8, periods, seed=seed)).program
    found, alone = sifted(program, control()), linear(program, control())
    assert found is not None
    assert alone.ended()
    assert found.lp.bound() == pytest.approx(alone.bound(), rel=1e-8, abs=1e-6)
    plan = found.lp.plan()
    assert plan is not None
    x = found.part.whole(plan)
    assert replace(program, integer=np.zeros_like(program.integer)).violation(x) <= 1e-6
    assert program.objective(x) == pytest.approx(alone.bound(), rel=1e-8, abs=1e-6)


def test_only_a_part_is_let_in_and_nothing_left_out_pays() -> None:
    program = scale(fleet(8, 20, 6, seed=1)).program
    found = sifted(program, control())
    assert found is not None
    assert found.part.cols.sum() < 0.7 * program.cost.size
    out = ~found.part.cols & (program.col_upper > found.part.rest)
    assert out.any()
    assert (found.gain if program.maximise else -found.gain)[out].max() <= sifting.PAYS


def test_a_dive_from_a_part_decides_the_strategy_of_the_whole() -> None:
    program = scale(fleet(8, 20, 6, seed=1)).program
    relaxed = relax(program, control())
    assert relaxed is not None
    assert not relaxed.part.cols.all()
    x = dived(relaxed)
    assert x is not None
    strategy = program.strategy & program.integer
    assert x[strategy] == pytest.approx(np.round(x[strategy]), abs=1e-6)
    assert replace(program, integer=np.zeros_like(program.integer)).violation(x) <= 1e-6


def test_what_cannot_hold_among_the_placement_in_use_is_solved_whole() -> None:
    """Nothing that a period would run by itself meets the floor that both periods share; what costs would."""
    program = Program(
        start=np.array([0, 2, 3], np.int32), index=np.array([0, 1, 2], np.int32), value=np.ones(3),
        row_lower=np.array([1.0, -np.inf]), row_upper=np.array([np.inf, 4.0]), col_lower=np.zeros(3),
        col_upper=np.full(3, 9.0), cost=np.array([-1.0, -2.0, 1.0]), offset=0.0, maximise=True,
        integer=np.ones(3, bool), strategy=np.zeros(3, bool), period=np.array([0, 1, 0], np.int32),
    )  # fmt: skip
    assert sifted(program, control()) is None
    relaxed, alone = relax(program, control()), whole(program, control())
    assert relaxed is not None
    assert alone is not None
    assert relaxed.lp.bound() == alone.lp.bound() == pytest.approx(3.0)


def test_placement_in_use_that_cannot_hold_together_is_no_part_to_begin_from() -> None:
    """Each of four periods by itself leaves its costly replica out; the floor over all of them needs one."""
    program = Program(
        start=np.array([0, 8], np.int32), index=np.arange(8, dtype=np.int32), value=np.ones(8),
        row_lower=np.array([9.0]), row_upper=np.array([np.inf]), col_lower=np.zeros(8),
        col_upper=np.tile([2.0, 9.0], 4), cost=np.array([1.0, -1.0, 1.0, -2.0, 1.0, -2.0, 1.0, -2.0]), offset=0.0,
        maximise=True, integer=np.ones(8, bool), strategy=np.zeros(8, bool),
        period=np.repeat(np.arange(4, dtype=np.int32), 2),
    )  # fmt: skip
    narrow = narrowed(program, control())
    assert narrow is not None
    assert narrow.cols.tolist() == [True, False] * 4
    assert sifted(program, control()) is None
    relaxed = relax(program, control())
    assert relaxed is not None
    assert relaxed.lp.bound() == pytest.approx(7.0)


def test_a_dive_that_ends_among_what_pays_is_begun_again_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six tenths of a launch need 6 of the 7 cheap replicas; a whole one needs 10, and so 3 of the dear ones. No search
    for a strategy is needed for that."""
    program = Program(
        start=np.array([0, 1, 4, 5], np.int32), index=np.array([0, 1, 2, 0, 3], np.int32),
        value=np.array([1.0, 1.0, 1.0, -10.0, 1.0]), row_lower=np.array([0.6, 0.0, -np.inf]),
        row_upper=np.array([np.inf, np.inf, 1.0]), col_lower=np.zeros(4), col_upper=np.array([1.0, 7.0, 9.0, 1.0]),
        cost=np.array([-1.0, -1.0, -2.0, 1.0]), offset=0.0, maximise=True, integer=np.ones(4, bool),
        strategy=np.arange(4) == 0, period=np.array([0, 0, 0, 1], np.int32),
    )  # fmt: skip
    relaxed = relax(program, control())
    assert relaxed is not None
    assert relaxed.part.cols.tolist() == [True, True, False, True]
    assert dived(relaxed) is None
    monkeypatch.setattr(start, "_strategy", None)
    monkeypatch.setattr(start, "_lossy", lambda program, relaxed, strategy: False)
    monkeypatch.setattr(start, "decided", lambda program, control, x: x)
    plans = list(start.built(program, control(), relaxed))
    assert [plan.tolist() for plan in plans] == [[1.0, 7.0, 3.0, 1.0]]


def test_the_clock_ends_it() -> None:
    program = scale(fleet(8, 20, 6, seed=1)).program
    assert sifted(program, control(0.0)) is None
    assert relax(program, control(0.0)) is None
