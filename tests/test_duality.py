"""A bound from prices alone holds at any prices, and is the linear program's optimum at its own."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.engine.duality import bound_at, relaxed_prices
from optimizer.engine.highs import solve_program
from optimizer.engine.program import Program
from optimizer.engine.revalue import bettered, revalue, settle
from optimizer.engine.solver import Control
from optimizer.engine.worth import AT_PRICES


def control(seconds: float = 30.0) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), lambda _: None)


def minimised(program: Program) -> Program:
    return replace(program, cost=-program.cost, offset=-program.offset, maximise=False)


def test_by_hand() -> None:
    """3 x + 2 y, x + y <= 4, x <= 3, y at most 5, to maximise: 11. At the prices 2 and 1 that is what they prove; at
    3 and nothing 12; at nothing the columns alone bound it, and without their bounds nothing does."""
    program = Program(
        start=np.array([0, 2, 3], np.int32), index=np.array([0, 1, 0], np.int32), value=np.ones(3),
        row_lower=np.full(2, -np.inf), row_upper=np.array([4.0, 3.0]), col_lower=np.zeros(2),
        col_upper=np.array([np.inf, 5.0]), cost=np.array([3.0, 2.0]), offset=0.0, maximise=True,
        integer=np.zeros(2, bool), strategy=np.zeros(2, bool), period=np.zeros(2, np.int32),
        rows=(("total", ()), ("first", ())), cols=(("x", ()), ("y", ())), tags={},
    )  # fmt: skip
    assert bound_at(program, np.array([2.0, 1.0])) == 11.0
    assert bound_at(program, np.array([3.0, 0.0])) == 12.0
    assert bound_at(program, np.array([3.0, -7.0])) == 12.0  # the row has no lower end to be paid for
    assert bound_at(program, np.zeros(2)) == np.inf
    assert bound_at(replace(program, col_upper=np.array([3.0, 5.0])), np.zeros(2)) == 19.0
    assert bound_at(minimised(program), np.array([-2.0, -1.0])) == -11.0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), noise=st.floats(0.0, 2.0), least=st.booleans())
def test_no_plan_is_better_at_any_prices(seed: int, noise: float, least: bool) -> None:
    program = minimised(fleet(5, 6, 2, seed=seed)) if least else fleet(5, 6, 2, seed=seed)
    found = relaxed_prices(program, control())
    assert found is not None
    optimum, prices = found
    assert bound_at(program, prices) == pytest.approx(optimum, rel=1e-7, abs=1e-6)
    drawn = np.random.default_rng(seed).normal(0.0, 1.0, prices.size)
    other = bound_at(program, prices * (1.0 + noise * drawn))
    assert other <= optimum + 1e-6 * abs(optimum) if least else other >= optimum - 1e-6 * abs(optimum)


def test_a_question_without_time_is_bounded_all_the_same() -> None:
    """What the root had no time for said that one launch more might earn 1.8 times the whole plan."""
    program = fleet(12, 20, 12, seed=2)
    outcome = solve_program(program, gap=1e-2, time_limit=20)
    x = np.array([outcome.values[name][key] for name, key in program.cols])
    relaxed = relaxed_prices(program, control())
    assert relaxed is not None
    base = settle(program, x, control(), outcome.bound, prices=relaxed[1])
    rows = [i for i, (name, _) in enumerate(program.rows) if name == "gpu_capacity"]
    upper = program.row_upper.copy()
    upper[rows] += 1.0
    more = replace(program, row_upper=upper, rows=(*program.rows[:-1], ("renamed", ())))
    best = relaxed_prices(more, control())
    assert best is not None
    for each in (replace(program, row_upper=upper), more):
        worth = bettered(base, each, revalue(base, each, control(0.0)), control(0.0))
        assert worth.method == AT_PRICES
        assert best[0] - 1e-6 * best[0] <= worth.high < 1.1 * best[0]
        assert worth.low == pytest.approx(program.objective(x))
