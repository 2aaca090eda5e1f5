"""Cuts: every plan satisfies them, the linear program's does not, and what they bound is never below the optimum."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from optimizer.engine import sifting
from optimizer.engine.cutting import cut_down
from optimizer.engine.messages import Message, Tick
from optimizer.engine.narrow import Narrow
from optimizer.engine.program import Floats, Program
from optimizer.engine.recutting import Recipe
from optimizer.engine.rounding import SLACK, Cuts, Equations, Sums, cuts, flattened, matrix_of
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.separation import separated
from optimizer.engine.sifting import Sifted, linear, sifted, sifted_from
from optimizer.engine.solver import Control
from optimizer.engine.tableau import tableau

HAIRS = 1e-4  # SLACK of a cut, times what three rounds of coefficients up to five and costs up to five make of it


def control(seconds: float = 60.0, told: list[Message] | None = None) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), [].append if told is None else told.append)


def program(rows: list[list[float]], upper: list[float], top: list[float], cost: list[float], whole: int) -> Program:
    """rows x <= upper, 0 <= x <= top, the first columns whole."""
    a, n = sparse.csr_array(np.array(rows, float)), len(cost)
    return Program(
        start=a.indptr.astype(np.int32), index=a.indices.astype(np.int32), value=a.data,
        row_lower=np.full(len(upper), -np.inf), row_upper=np.array(upper, float), col_lower=np.zeros(n),
        col_upper=np.array(top, float), cost=np.array(cost, float), offset=0.0, maximise=True,
        integer=np.arange(n) < whole, strategy=np.zeros(n, bool), period=np.zeros(n, np.int32),
    )  # fmt: skip


def everything(of: Program) -> Narrow:
    return Narrow.to(of, np.ones(of.cost.size, bool), np.zeros(of.cost.size))


def test_half_a_replica_is_cut_off() -> None:
    """2 n <= 3 says n <= 1."""
    one = program([[2.0]], [3.0], [9.0], [1.0], whole=1)
    found = separated(one, everything(one), np.array([1.5]))
    assert found is not None
    assert found[1].matrix.toarray().tolist() == [[1.0]]
    assert found[1].rhs == pytest.approx([1.0], abs=1e-6)


def test_a_small_coefficient_is_left_out_at_the_most_it_can_give() -> None:
    """2 n <= 3 + 0.0000001 c says n <= 1 + 0.0000001 c, and with c at most 9 that n <= 1.0000009."""
    one = program([[2.0, -1e-7]], [3.0], [9.0, 9.0], [1.0, 0.0], whole=1)
    found = separated(one, everything(one), np.array([1.5, 0.0]), making=flattened)
    assert found is not None
    assert found[1].matrix.toarray().tolist() == [[1.0, 0.0]]
    assert found[1].rhs == pytest.approx([1.0 + 9e-7 + SLACK], abs=1e-9)


def test_a_small_coefficient_of_a_column_without_end_leaves_no_cut() -> None:
    one = program([[2.0, -1e-7]], [3.0], [9.0, np.inf], [1.0, 0.0], whole=1)
    assert separated(one, everything(one), np.array([1.5, 0.0]), making=flattened) is None


def test_a_small_coefficient_leaves_no_cut_to_programs_that_are_solved_often() -> None:
    one = program([[2.0, -1e-7]], [3.0], [9.0, 9.0], [1.0, 0.0], whole=1)
    assert separated(one, everything(one), np.array([1.5, 0.0])) is None


def test_a_large_coefficient_stays() -> None:
    """2 n <= 3 + 0.001 c says n <= 1 + 0.001 c, whatever c can be."""
    one = program([[2.0, -1e-3]], [3.0], [9.0, np.inf], [1.0, 0.0], whole=1)
    found = separated(one, everything(one), np.array([1.5, 0.0]), making=flattened)
    assert found is not None
    assert found[1].matrix.toarray()[0] == pytest.approx([1.0, -1e-3])


def test_work_beyond_whole_replicas_is_cut_off() -> None:
    """s <= 4 n with s <= 6: by hand s <= 4 + 2 (n - 1), which holds at n = 1 and n = 2 and cuts off n = 1.5, s = 6."""
    both = program([[-4.0, 1.0]], [0.0], [9.0, 6.0], [-1.0, 1.0], whole=1)
    found = separated(both, everything(both), np.array([1.5, 6.0]))
    assert found is not None
    assert any(
        row == pytest.approx(np.array([-2.0, 1.0]) / 2.0, abs=1e-9) and rhs == pytest.approx(1.0, abs=1e-6)
        for row, rhs in zip(found[1].matrix.toarray(), found[1].rhs, strict=True)
    )


def test_a_sum_of_rows_with_an_unbounded_column_gives_no_cut_that_ignores_it() -> None:
    """2 n - s <= 1 with s free to fall: every n holds with some s, so nothing may be cut off."""
    free = replace(
        program([[2.0, -1.0]], [1.0], [9.0, np.inf], [1.0, -1.0], whole=1), col_lower=np.array([0.0, -np.inf])
    )
    equations = Equations.of(free)
    weights = sparse.csr_array(np.array([[1.0]]))
    assert np.isinf(cuts(equations, Sums(weights, np.zeros(3, bool), np.array([2.0]))).rhs).all()
    assert separated(free, everything(free), np.array([0.5, 0.0])) is None


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Two to four small whole numbers, up to three continuous columns, two to four rows."""
    whole, smooth, m = draw(st.integers(2, 4)), draw(st.integers(0, 3)), draw(st.integers(2, 4))
    entry = st.integers(-5, 9).map(float)
    rows = [[draw(entry) for _ in range(whole + smooth)] for _ in range(m)]
    upper = [float(draw(st.integers(0, 15))) for _ in range(m)]
    top = [float(draw(st.integers(1, 3))) for _ in range(whole)] + [
        float(draw(st.integers(1, 8))) for _ in range(smooth)
    ]
    cost = [float(draw(st.integers(-3, 9))) for _ in range(whole + smooth)]
    lower = [draw(st.sampled_from([-np.inf, 0.0])) for _ in range(m)]
    return replace(program(rows, upper, top, cost, whole), row_lower=np.array(lower))


@settings(max_examples=150, deadline=None)
@given(drawn=programs())
def test_no_plan_is_cut_off(drawn: Program) -> None:
    part = everything(drawn)
    lp = linear(part.program, control())
    if not lp.ended() or (x := lp.plan()) is None:
        return
    found = separated(drawn, part, x, [tableau(part.program, lp, x)])
    if found is None:
        return
    _, cut = found
    assert ((cut.matrix @ x) > cut.rhs).all()
    assert_no_plan_is_cut_off(drawn, cut)


@settings(max_examples=150, deadline=None)
@given(drawn=programs(), other=programs(), share=st.sampled_from([0.0, 0.3, 1.0]))
def test_no_plan_of_another_program_is_cut_off_by_cuts_made_again(drawn: Program, other: Program, share: float) -> None:
    """The other has the same rows and columns; costs, limits and bounds differ, and more or fewer of its figures."""
    recipe = recipe_of(drawn)
    again, made = recipe.on(blended(drawn, other, share))
    own = drawn.row_lower.size
    assert again.row_lower.size - own == made.sum()
    assert made.size == recipe.kept.size
    cut = Cuts(matrix_of(again)[own:], again.row_upper[own:])
    assert_no_plan_is_cut_off(blended(drawn, other, share), cut)


@settings(max_examples=100, deadline=None)
@given(drawn=programs())
def test_cuts_made_again_for_the_same_program_are_the_same(drawn: Program) -> None:
    """Pruned or not: one that is neither kept nor made use of adds nothing. Each cut is given a hair for what is
    rounded on the way to it; over rounds of cuts made from cuts these add up, to far less than a cut."""
    lp = linear(drawn, control())
    if not lp.ended() or lp.plan() is None:
        return
    told = list[Message]()
    found = sifted_from(drawn, control(), everything(drawn), None)
    assert found is not None
    recipe = cut_down(drawn, control(60.0, told), found, rounds=4).recipe
    bound = told[-1].bound if told and isinstance(told[-1], Tick) else lp.bound()
    for each in (recipe, recipe.pruned()):
        assert linear_bound(each.on(drawn)[0]) == pytest.approx(bound, rel=1e-6, abs=HAIRS)


def linear_bound(of: Program) -> float | None:
    lp = linear(of, control())
    return lp.bound() if lp.ended() else None


def recipe_of(drawn: Program) -> Recipe:
    found = sifted_from(drawn, control(), everything(drawn), None)
    return Recipe.of_none(drawn) if found is None else cut_down(drawn, control(), found, rounds=4).recipe.pruned()


def blended(one: Program, other: Program, share: float) -> Program:
    """The shape and bounds of one with limits and costs, and a share of the figures, of another."""
    m, n = one.row_lower.size, one.cost.size
    if (other.row_lower.size, other.cost.size) != (m, n):
        return replace(one, row_upper=one.row_upper + 1.0, cost=-one.cost)
    value = np.where(
        np.arange(m * n) < share * m * n, matrix_of(other).toarray().ravel(), matrix_of(one).toarray().ravel()
    )
    a = sparse.csr_array(value.reshape(m, n))
    return replace(
        one, start=a.indptr.astype(np.int32), index=a.indices.astype(np.int32), value=a.data, cost=other.cost,
        row_lower=other.row_lower, row_upper=other.row_upper, col_upper=other.col_upper,
    )  # fmt: skip


def assert_no_plan_is_cut_off(of: Program, cut: Cuts) -> None:
    whole = np.flatnonzero(of.integer)
    for values in itertools.product(*(range(int(of.col_upper[j]) + 1) for j in whole)):
        for row, rhs in zip(cut.matrix.toarray(), cut.rhs, strict=True):
            most = _most(of, whole, np.array(values, float), row)
            assert most is None or most <= rhs + 1e-6


def _most(of: Program, whole: np.ndarray, values: Floats, row: Floats) -> float | None:
    """The most that a row comes to with these whole numbers, None if there is no such plan."""
    lower, upper = of.col_lower.copy(), of.col_upper.copy()
    lower[whole] = upper[whole] = values
    lp = linear(replace(of, col_lower=lower, col_upper=upper, cost=row), control())
    return lp.bound() if lp.ended() and lp.plan() is not None else None


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000))
def test_bounds_fall_and_never_below_the_best_plan(seed: int) -> None:
    of = scale(fleet(6, 8, 3, seed=seed)).program
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sifting, "LARGE", 1)
        found = sifted(of, control())
    assert found is not None
    first, told = found.lp.bound(), list[Message]()
    cut_down(of, control(10.0, told), found)
    bounds = [m.bound for m in told if isinstance(m, Tick) and m.bound is not None]
    best = search(of, control(20.0), None)
    assert first is not None
    assert best.x is not None
    assert all(bound >= of.objective(best.x) - 1e-6 * abs(bound) for bound in bounds)
    assert all(bound <= first + 1e-6 * abs(first) for bound in bounds)


def sifted_fleet() -> tuple[Program, Sifted]:
    of = scale(fleet(8, 20, 6, seed=1)).program
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sifting, "LARGE", 1)
        found = sifted(of, control())
    assert found is not None
    return of, found


def test_half_of_the_gap_of_a_fleet_is_closed() -> None:
    of, found = sifted_fleet()
    told, first = list[Message](), found.lp.bound()
    cut_down(of, control(20.0, told), found)
    best = search(of, control(30.0), None)
    bound = min(m.bound for m in told if isinstance(m, Tick) and m.bound is not None)
    assert best.x is not None
    assert first is not None
    assert bound - of.objective(best.x) <= 0.5 * (first - of.objective(best.x))


def test_solvers_of_earlier_rounds_keep_nothing() -> None:
    """At two thousand workflows each of them is a gigabyte."""
    of, found = sifted_fleet()
    assert found.lp.h.getNumCol() == found.part.program.cost.size
    cut_down(of, control(20.0), found)
    assert found.lp.h.getNumCol() == 0
