"""Bounds and coefficients tightened by single rows: the same plans, and never more room for fractions."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from optimizer.engine.highs import solve_program
from optimizer.engine.program import Floats, Program
from optimizer.engine.scale import scale
from optimizer.engine.sifting import linear
from optimizer.engine.solver import Control
from optimizer.engine.tighten import tightened


def program(rows: list[list[float]], upper: list[float], top: list[float], whole: int) -> Program:
    """rows x <= upper, 0 <= x <= top, the first columns whole, each worth one."""
    a, n = sparse.csr_array(np.array(rows, float)), len(top)
    return Program(
        start=a.indptr.astype(np.int32), index=a.indices.astype(np.int32), value=a.data,
        row_lower=np.full(len(upper), -np.inf), row_upper=np.array(upper, float), col_lower=np.zeros(n),
        col_upper=np.array(top, float), cost=np.ones(n), offset=0.0, maximise=True,
        integer=np.arange(n) < whole, strategy=np.zeros(n, bool), period=np.zeros(n, np.int32),
    )  # fmt: skip


def dense(of: Program) -> Floats:
    shape = (of.row_lower.size, of.cost.size)
    a: Floats = sparse.csr_array((of.value, of.index, of.start), shape=shape).toarray()
    return a


def test_an_endpoint_is_no_larger_than_its_work() -> None:
    """s <= 10 n with s <= 4: half a replica would do for all of it; by hand s <= 4 n."""
    found = tightened(program([[-10.0, 1.0]], [0.0], [9.0, 4.0], whole=1))
    assert dense(found)[0] == pytest.approx([-4.0, 1.0])
    assert found.row_upper == pytest.approx([0.0])


def test_what_is_whole_and_takes_room_takes_what_is_short() -> None:
    """s + 5 y <= 7 with s <= 4: by hand s + 2 y <= 4, which leaves s at 4 without y and at 2 with it."""
    found = tightened(program([[5.0, 1.0]], [7.0], [1.0, 4.0], whole=1))
    assert dense(found)[0] == pytest.approx([2.0, 1.0])
    assert found.row_upper == pytest.approx([4.0])


def test_a_floor_is_tightened_as_a_limit_is() -> None:
    """-s + 10 n >= 0 is s <= 10 n."""
    limit = program([[10.0, -1.0]], [np.inf], [9.0, 4.0], whole=1)
    found = tightened(replace(limit, row_lower=np.zeros(1)))
    assert dense(found)[0] == pytest.approx([4.0, -1.0])
    assert found.row_lower == pytest.approx([0.0])


def test_bounds_of_whole_numbers_are_whole_and_those_of_others_stay() -> None:
    """3 n + s <= 8 leaves n <= 2; s <= 8 says the row itself."""
    found = tightened(program([[3.0, 1.0]], [8.0], [9.0, 50.0], whole=1))
    assert found.col_upper == pytest.approx([2.0, 50.0])


def test_a_limit_elsewhere_is_felt() -> None:
    """s <= 10 n, and 2 s <= 6 in another row: s <= 3 n."""
    found = tightened(program([[-10.0, 1.0], [0.0, 2.0]], [0.0, 6.0], [9.0, 50.0], whole=1))
    assert dense(found)[0] == pytest.approx([-3.0, 1.0])


def test_equations_ranges_and_rows_that_always_hold_stay() -> None:
    equation = replace(program([[-10.0, 1.0]], [0.0], [9.0, 4.0], whole=1), row_lower=np.zeros(1))
    ranged = replace(program([[-10.0, 1.0]], [0.0], [9.0, 4.0], whole=1), row_lower=np.array([-60.0]))
    loose = program([[3.0, 1.0]], [40.0], [9.0, 4.0], whole=1)
    for each in (equation, ranged, loose):
        assert tightened(each).value.tolist() == each.value.tolist()


def test_a_contradiction_is_left_to_who_can_explain_it() -> None:
    """n >= 3 by one row and n <= 2 by another."""
    torn = program([[-1.0], [1.0]], [-3.0, 2.0], [9.0], whole=1)
    assert tightened(torn) is torn
    assert solve_program(torn).status == "infeasible"


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Two to four small whole numbers, up to three continuous columns, two to four rows, some floors or equations."""
    whole, smooth, m = draw(st.integers(2, 4)), draw(st.integers(0, 3)), draw(st.integers(2, 4))
    rows = [[float(draw(st.integers(-9, 9))) for _ in range(whole + smooth)] for _ in range(m)]
    top = [float(draw(st.integers(1, 4))) for _ in range(whole + smooth)]
    limits = [float(draw(st.integers(-3, 15))) for _ in range(m)]
    sense = [draw(st.sampled_from("<<<>=")) for _ in range(m)]
    drawn = program(rows, limits, top, whole)
    return replace(
        drawn,
        row_lower=np.where(np.array(sense) == "<", -np.inf, drawn.row_upper),
        row_upper=np.where(np.array(sense) == ">", np.inf, drawn.row_upper),
        col_lower=np.array([float(draw(st.integers(-2, 0))) for _ in top]),
    )


@settings(max_examples=80, deadline=None)
@given(drawn=programs())
def test_the_same_plans_for_all_whole_numbers(drawn: Program) -> None:
    """With all whole numbers held anywhere at all, what is continuous may come to just the same."""
    found, whole = tightened(drawn), np.flatnonzero(drawn.integer)
    ranges = (range(int(drawn.col_lower[j]), int(drawn.col_upper[j]) + 1) for j in whole)
    for values in itertools.product(*ranges):
        before, after = (_best(each, whole, np.array(values, float)) for each in (drawn, found))
        assert (before is None) == (after is None)
        assert before == pytest.approx(after, abs=1e-5)


def _best(of: Program, whole: np.ndarray, values: Floats) -> float | None:
    """The optimum with whole numbers held, None if they cannot be."""
    if (values < of.col_lower[whole] - 1e-9).any() or (values > of.col_upper[whole] + 1e-9).any():
        return None
    x = np.zeros(of.cost.size)
    x[whole] = values
    if of.integer.all():
        return of.objective(x) if of.violation(x) <= 1e-6 else None
    part = of.held(~of.integer, x)
    rows = np.setdiff1d(np.arange(of.row_lower.size), of.row_of[(~of.integer)[of.index]])
    activity = of.activity(x)[rows]
    if (activity > of.row_upper[rows] + 1e-6).any() or (activity < of.row_lower[rows] - 1e-6).any():
        return None
    lp = linear(part, control())
    return lp.bound() if lp.ended() else None


def control() -> Control:
    return Control(time.monotonic() + 60.0, threading.Event(), lambda _: None)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_bound_no_worse_and_the_same_optimum_on_any_fleet(seed: int) -> None:
    drawn = scale(fleet(4, 6, 2, seed=seed)).program
    found = tightened(drawn)
    before, after = linear(drawn, control()), linear(found, control())
    assert before.ended()
    assert after.ended()
    loose, tight = before.bound(), after.bound()
    assert loose is not None
    assert tight is not None
    sense = 1.0 if drawn.maximise else -1.0
    assert sense * tight <= sense * loose + 1e-6 * max(1.0, abs(loose))
    optima = [solve_program(each, gap=1e-9, time_limit=60.0).objective for each in (drawn, found)]
    assert optima[0] == pytest.approx(optima[1], rel=1e-6)
