"""A plan near a base plan holds every row, its bound is a bound, and periods decided again never lose."""

from __future__ import annotations

import threading
import time

import numpy as np
from generated import instances
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_warm import CHANGES, FACTORS, based, cold, program

from optimizer.engine.improve import by_period
from optimizer.engine.near import Unhurried, near
from optimizer.engine.program import Program
from optimizer.engine.scale import scale


@given(instances(), st.sampled_from(CHANGES), FACTORS)
@settings(max_examples=25, deadline=None)
def test_a_plan_near_the_base_is_a_plan_and_its_bound_holds(d, change, factor):
    base, changed = based(program(d)), program(change(d, factor))
    assume(base.outcome.values)  # a base that has no plan is near to nothing
    scaled, told = scale(changed), []
    control = Unhurried(time.monotonic() + 60, threading.Event(), told.append, 1e-6, 1 / scaled.money)
    known = [base.outcome.values.get(name, {}).get(key, 0.0) for name, key in changed.cols]
    x = near(scaled.program, control, scaled.program.rounded(np.array(known) / scaled.unit))
    _, best = cold(changed)
    assume(x is not None)  # a dive may fail; the whole search then begins without a plan
    better = [x, *by_period(scaled.program, control, x)]
    assert all(scaled.program.violation(y) <= 1e-6 for y in better)
    assert best is not None
    values = [scaled.program.objective(y) for y in better]
    assert values == sorted(values)
    assert values[-1] <= best / scaled.money + 1e-6 * max(1.0, abs(best / scaled.money))
    assert all(tick.bound * scaled.money >= best - 1e-6 * max(1.0, abs(best)) for tick in told)


def test_steps_have_no_clock_of_their_own():
    control = Unhurried(time.monotonic() + 60, threading.Event(), lambda _: None)
    assert control.quietly(0.0).left > 50
    assert control.until(0.0).left > 50
    assert not control.quietly(0.0).over


def test_a_base_whose_whole_numbers_break_a_row_of_their_own_is_placed_anew():
    """Two replicas where the variant allows one, in a row without a continuous column."""
    program = Program(
        start=np.array([0, 1, 3], np.int32), index=np.array([0, 0, 1], np.int32), value=np.array([1.0, -1.0, 1.0]),
        row_lower=np.full(2, -np.inf), row_upper=np.array([1.0, 0.0]), col_lower=np.zeros(2), col_upper=np.full(2, 5.0),
        cost=np.array([-1.0, 3.0]), offset=0.0, maximise=True, integer=np.array([True, False]),
        strategy=np.zeros(2, bool), period=np.zeros(2, np.int32),
    )  # fmt: skip
    control = Unhurried(time.monotonic() + 60, threading.Event(), lambda _: None, 1e-6)
    x = near(program, control, np.array([2.0, 0.0]))
    assert x is None or program.violation(x) <= 1e-9
