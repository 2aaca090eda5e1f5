"""What rows leave no choice: by hand, and at every point of drawn programs."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from test_tighten import program, programs

from optimizer.engine.forcing import choice
from optimizer.engine.parts import near
from optimizer.engine.program import Program
from optimizer.engine.solver import Control


def control() -> Control:
    return Control(time.monotonic() + 60.0, threading.Event(), lambda _: None, gap=1e-6)


def test_a_replica_that_stays_away_leaves_nothing_to_its_work_nor_that_to_its_tokens() -> None:
    """s <= 10 n with n = 0, and t <= 3 s."""
    away = program([[-10.0, 1.0, 0.0], [0.0, -3.0, 1.0]], [0.0, 0.0], [0.0, 4.0, 9.0], whole=1)
    free, settled = choice(away)
    assert not free.any()
    assert settled.tolist() == [0.0, 0.0, 0.0]


def test_a_floor_that_takes_everything_settles_what_is_in_it_at_its_most() -> None:
    """s + n >= 5 where s <= 3 and n <= 2; another row of theirs then leaves one to t."""
    full = program([[1.0, 1.0, 0.0], [1.0, 0.0, 2.0]], [np.inf, 5.0], [3.0, 2.0, 4.0], whole=0)
    free, settled = choice(replace(full, row_lower=np.array([5.0, -np.inf])))
    assert free.tolist() == [False, False, True]
    assert settled[:2].tolist() == [3.0, 2.0]


def test_room_that_is_left_leaves_a_choice() -> None:
    assert choice(program([[1.0, 1.0]], [1e-9], [3.0, 2.0], whole=1)).free.all()


def test_columns_without_a_bound_settle_nothing() -> None:
    endless = program([[1.0, -1.0]], [0.0], [np.inf, np.inf], whole=0)
    assert choice(endless).free.all()
    assert choice(replace(endless, value=np.array([0.0, 1.0]))).free.all()  # nothing times what has no end


@settings(max_examples=150, deadline=None)
@given(drawn=programs())
def test_nothing_is_settled_that_a_plan_has_elsewhere(drawn: Program) -> None:
    """At every whole point of the program, what is settled is where it was said to be."""
    drawn = replace(drawn, integer=np.ones_like(drawn.integer))
    free, settled = choice(drawn)
    ranges = [range(int(low), int(up) + 1) for low, up in zip(drawn.col_lower, drawn.col_upper, strict=True)]
    for point in itertools.product(*ranges):
        x = np.array(point, float)
        if drawn.violation(x) <= 1e-9:
            assert (x == settled)[~free].all()


@settings(max_examples=60, deadline=None)
@given(drawn=programs())
def test_a_search_finds_as_good_a_plan_among_what_is_left(drawn: Program) -> None:
    """Both end by themselves on programs so small; the best of all whole points is what they must come to."""
    drawn = replace(drawn, integer=np.ones_like(drawn.integer))
    ranges = [range(int(low), int(up) + 1) for low, up in zip(drawn.col_lower, drawn.col_upper, strict=True)]
    points = [x for x in (np.array(p, float) for p in itertools.product(*ranges)) if drawn.violation(x) <= 1e-9]
    assume(points)
    found = near(drawn, control(), points[0])
    assert found.x is not None
    assert drawn.violation(found.x) <= 1e-6
    assert drawn.objective(found.x) == pytest.approx(max(drawn.objective(x) for x in points))
