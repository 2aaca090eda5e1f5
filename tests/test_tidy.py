from __future__ import annotations

import time

import numpy as np
import pytest
from fleet import fleet

from optimizer.engine.highs import solve_program
from optimizer.engine.messages import Incumbent
from optimizer.engine.program import Program
from optimizer.engine.scale import scale
from optimizer.engine.tidy import tidied
from optimizer.engine.watch import Watch


@pytest.fixture(scope="module")
def program() -> Program:
    return fleet(6, 10, 2)


def column(program: Program, name: str) -> np.ndarray:
    return np.array([k for k, (each, _) in enumerate(program.cols) if each == name])


def test_idle_replicas_are_taken_back(program: Program) -> None:
    best = solve_program(program, gap=0.0)
    x = np.array([best.values[name][key] for name, key in program.cols])
    replicas = column(program, "replicas")
    untidy = x.copy()
    room = program.violation(x)
    for j in replicas:  # stand idle replicas wherever they fit
        untidy[j] += 1
        if program.violation(untidy) > max(room, 1e-9):
            untidy[j] -= 1
    assert untidy[replicas].sum() > x[replicas].sum()
    lean = tidied(program, untidy)
    assert lean[replicas].sum() == x[replicas].sum()
    assert program.violation(lean) <= 1e-7
    assert program.objective(lean) > program.objective(untidy)


def test_what_is_needed_stays(program: Program) -> None:
    best = solve_program(program, gap=0.0)
    x = np.array([best.values[name][key] for name, key in program.cols])
    assert np.array_equal(tidied(program, x), x)


def test_what_arithmetic_leaves_of_a_column_is_nothing(program: Program) -> None:
    """A ten-thousandth of a millionth of a task would be work, and in a table of who is served by what."""
    best = solve_program(program, gap=0.0)
    x = np.array([best.values[name][key] for name, key in program.cols])
    scaled = scale(program)
    idle = np.flatnonzero(~program.integer & (x == 0.0))
    dusty = x / scaled.unit
    dusty[idle] = 1e-14
    watch = Watch(program, scaled, 10.0, None, None, time.monotonic())
    assert watch.hear(Incumbent(dusty))
    assert watch.best is not None
    assert idle.size > 0
    assert not watch.best[idle].any()
