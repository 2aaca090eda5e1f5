"""Bounds proved period by period: never below the truth, whatever the prices; and what a change is worth by them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet

from optimizer.engine.highs import solve_program
from optimizer.engine.periods import Parts, bound_by_period, relaxed_prices
from optimizer.engine.revalue import BY_PERIOD, revalue, settle, tightened
from optimizer.engine.solver import Control


def control() -> Control:
    return Control(time.monotonic() + 30, threading.Event(), lambda _: None)


def optimum(program) -> float:
    outcome = solve_program(program, gap=1e-6, time_limit=30)
    assert outcome.status == "optimal"
    return outcome.objective


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0])
def test_any_prices_bound_the_optimum(scale):
    program = fleet(5, 6, 3, seed=1)
    relaxed = relaxed_prices(program, control())
    assert relaxed is not None
    bound = bound_by_period(program, scale * relaxed[1], Parts(control())).bound
    assert bound >= optimum(program) - 1e-5 * abs(bound)
    if scale == 1.0:
        assert bound <= relaxed[0] + 1e-5 * abs(bound)


def test_a_change_of_a_large_program_holds_the_cold_difference():
    program = fleet(12, 20, 12, seed=2)
    assert program.integer.sum() > 200
    outcome = solve_program(program, gap=1e-3, time_limit=20)
    x = np.array([outcome.values[name][key] for name, key in program.cols])
    with ThreadPoolExecutor(2) as pool:
        base = settle(program, x, control(), pool)
    assert base.prices is not None
    truth = optimum(program)
    assert base.worth.low - 1e-5 * truth <= truth <= base.worth.high + 1e-5 * truth
    rows = [i for i, (name, _) in enumerate(program.rows) if name == "gpu_capacity"]
    for by in (8.0, -4.0):
        upper = program.row_upper.copy()
        upper[rows[0]] += by
        changed = replace(program, row_upper=upper)
        worth = tightened(base, changed, revalue(base, changed, control()), control())
        cold = optimum(changed)
        assert worth.method == BY_PERIOD
        assert worth.low - 1e-5 * cold <= cold <= worth.high + 1e-5 * cold
        assert worth.x is not None
        assert changed.violation(worth.x) <= 1e-6
