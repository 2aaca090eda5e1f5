"""What a change of a large program is worth: every interval holds the difference that cold solves find."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet

from optimizer.engine.highs import solve_program
from optimizer.engine.program import Program
from optimizer.engine.revalue import AT_ROOT, Base, bettered, revalue, settle
from optimizer.engine.solver import Control


def control(seconds: float = 2.0) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), lambda _: None)


def optimum(program: Program) -> float:
    outcome = solve_program(program, gap=1e-6, time_limit=30)
    assert outcome.status == "optimal"
    return outcome.objective


@pytest.fixture(scope="module")
def base() -> Base:
    program = fleet(12, 20, 12, seed=2)
    assert program.integer.sum() > 200
    outcome = solve_program(program, gap=1e-3, time_limit=20)
    x = np.array([outcome.values[name][key] for name, key in program.cols])
    return settle(program, x, control(), outcome.bound)


def with_gpus(program: Program, by: float) -> Program:
    """The first pool with more GPUs or fewer, in its first period."""
    rows = [i for i, (name, _) in enumerate(program.rows) if name == "gpu_capacity"]
    upper = program.row_upper.copy()
    upper[rows[0]] += by
    return replace(program, row_upper=upper)


def funded_otherwise(program: Program, x: np.ndarray) -> Iterator[Program]:
    """One workflow that the plan does not fund throughout held in, one that it funds held out."""
    fund = np.flatnonzero([name == "fund" for name, _ in program.cols])
    out, into = fund[x[fund] < 0.5], fund[x[fund] > 0.5]
    lower, upper = program.col_lower.copy(), program.col_upper.copy()
    lower[out[:1]], upper[into[:1]] = 1.0, 0.0
    yield replace(program, col_lower=lower)
    yield replace(program, col_upper=upper)


def holds(base: Base, program: Program) -> None:
    cold, first = optimum(program), revalue(base, program, control())
    for worth in (first, bettered(base, program, first, control())):
        assert worth.method == AT_ROOT
        assert worth.low - 1e-5 * cold <= cold <= worth.high + 1e-5 * cold
        assert worth.x is not None
        assert program.violation(worth.x) <= 1e-6
        assert program.objective(worth.x) == pytest.approx(worth.low)
    assert worth.low >= first.low


def test_the_base_holds_its_optimum(base):
    truth = optimum(base.program)
    assert not base.exact
    assert base.worth.low - 1e-5 * truth <= truth <= base.worth.high + 1e-5 * truth


@pytest.mark.parametrize("by", [8.0, -4.0])
def test_a_capacity_that_changes(base, by):
    holds(base, with_gpus(base.program, by))


def test_a_plan_that_no_longer_holds_is_decided_again(base):
    for program in funded_otherwise(base.program, base.worth.x):
        assert program.violation(base.worth.x) > 1e-6
        holds(base, program)


def test_what_cannot_hold_is_proved_to_be_impossible(base):
    program = base.program
    lower = program.row_lower.copy()
    lower[0] = program.row_upper[0] = 1e12
    assert revalue(base, replace(program, row_lower=lower), control()).infeasible
