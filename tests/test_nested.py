"""Where a large linear program begins: the same optimum in fewer iterations, whatever its periods share."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import highspy
import numpy as np
import pytest
from fleet import fleet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.engine import nested as engine_nested
from optimizer.engine.basis import BASIC
from optimizer.engine.linear import relax
from optimizer.engine.nested import nested
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Program
from optimizer.engine.scale import scale
from optimizer.engine.solver import Control, Highs


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_nested, "LARGE", 1)


def control(seconds: float = 60.0) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), lambda _: None)


def linear(program: Program) -> Highs:
    return Highs(replace(program, integer=np.zeros_like(program.integer)), control())


def test_the_whole_begins_near_its_optimum() -> None:
    program = scale(fleet(8, 20, 6, seed=1)).program
    alone, begun, basis = linear(program), linear(program), nested(program, control())
    assert basis is not None
    begun.begin_at(basis)
    assert alone.ended()
    assert begun.ended()
    assert begun.bound() == pytest.approx(alone.bound(), rel=1e-9)
    assert begun.pivots() < alone.pivots() / 2


def test_a_basis_has_as_many_basic_as_there_are_rows() -> None:
    program = scale(fleet(5, 8, 5, seed=2)).program
    basis = nested(program, control())
    assert basis is not None
    assert (basis.cols == BASIC).sum() + (basis.rows == BASIC).sum() == program.row_lower.size


class Breaking:
    """A HiGHS that breaks down in its first run, as a real one did on a basis of another program."""

    def __init__(self, h: Any) -> None:
        self.h, self.runs = h, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.h, name)

    def run(self) -> highspy.HighsStatus:
        self.runs += 1
        return highspy.HighsStatus.kError if self.runs == 1 else self.h.run()


def test_a_basis_in_which_the_solver_breaks_down_is_let_go() -> None:
    program = scale(fleet(5, 8, 5, seed=2)).program
    cold, warm, own = linear(program), linear(program), linear(program)
    assert cold.ended()
    warm.begin_at(cold.basis())
    warm.h, own.h = Breaking(warm.h), Breaking(own.h)
    assert warm.ended()
    assert warm.bound() == pytest.approx(cold.bound())
    assert warm.pivots() > 0.5 * cold.pivots()  # from nothing, not from the basis
    with pytest.raises(SolverError, match="the run"):
        own.run()


def test_small_programs_those_of_one_period_and_late_ones_begin_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    several, one = scale(fleet(5, 8, 3, seed=2)).program, scale(fleet(5, 8, 1, seed=2)).program
    assert nested(one, control()) is None
    assert nested(several, control(0.0)) is None
    monkeypatch.setattr(engine_nested, "LARGE", several.value.size + 1)
    assert nested(several, control()) is None


def test_a_group_that_cannot_hold_is_passed_over() -> None:
    """By itself the second period cannot run the two replicas it must: what it needs is bought in the first."""
    whole = np.zeros(2, bool)
    program = Program(
        start=np.array([0, 2], np.int32), index=np.array([0, 1], np.int32), value=np.array([-1.0, 1.0]),
        row_lower=np.array([-np.inf]), row_upper=np.zeros(1), col_lower=np.array([0.0, 2.0]),
        col_upper=np.full(2, 9.0), cost=np.array([-3.0, 1.0]), offset=0.0, maximise=True, integer=whole,
        strategy=np.array([True, False]), period=np.array([0, 1], np.int32),
    )  # fmt: skip
    begun = relax(program, control())
    assert begun is not None
    assert begun.guide.x == pytest.approx([2.0, 2.0])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), periods=st.integers(2, 7), works=st.integers(4, 10))
def test_the_same_optimum_on_any_fleet(seed: int, periods: int, works: int) -> None:
    program = scale(fleet(works, 8, periods, seed=seed)).program
    begun, alone = relax(program, control()), linear(program)
    assert begun is not None
    assert alone.ended()
    assert begun.lp.bound() == pytest.approx(alone.bound(), rel=1e-8, abs=1e-6)
