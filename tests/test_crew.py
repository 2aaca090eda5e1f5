"""Sub-problems solved many at once: late answers never spoil a plan, and a cluster that goes is done without."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet
from started import started

from optimizer.engine.crew import Asked, Here, Task, apart, joined, spread
from optimizer.engine.improve import Improver, by_period
from optimizer.engine.known import Known
from optimizer.engine.linear import relax
from optimizer.engine.messages import Incumbent, Message
from optimizer.engine.parts import Found, anew, near
from optimizer.engine.program import Floats, Program
from optimizer.engine.scale import scale
from optimizer.engine.solver import Control


class Late:
    """Three hands whose answers come in any order, some never."""

    hands = 3

    def __init__(self, lost: float = 0.0) -> None:
        self.pool, self.dice, self.lost = ThreadPoolExecutor(self.hands), random.Random(1), lost
        self.out = self.most = self.submitted = 0
        self.lock = threading.Lock()

    def submit(self, task: Task, part: Program, control: Control, x: Floats) -> Future[Found]:
        self.submitted += 1
        gone, seconds = self.dice.random() < self.lost, self.dice.uniform(0.0, 0.05)

        def solved() -> Found:
            with self.lock:
                self.out += 1
                self.most = max(self.most, self.out)
            time.sleep(seconds)
            found = Found(None, False, 0) if gone else apart(task, part, x, 20.0, (control.gap, control.floor, 0))
            with self.lock:
                self.out -= 1
            return found

        return self.pool.submit(solved)


@pytest.fixture(scope="module")
def hard() -> Program:
    return scale(fleet(8, 20, 4, seed=1)).program


@pytest.fixture(scope="module")
def first(hard: Program) -> Floats:
    return started(hard, control())


def control(crew: Late | None = None, told: list[Message] | None = None) -> Control:
    tell = [].append if told is None else told.append
    return Control(time.monotonic() + 60.0, threading.Event(), tell, 1e-4, crew=crew)


def test_many_periods_at_once_end_where_single_ones_do(hard: Program, first: Floats) -> None:
    crew = Late()
    alone, together = (list(by_period(hard, control(helped), first)) for helped in (None, crew))
    assert crew.most > 1
    for plans in (alone, together):
        assert all(hard.violation(x) <= 1e-7 for x in plans)
        values = [hard.objective(x) for x in (first, *plans)]
        assert values == sorted(values)
    gained = [hard.objective(plans[-1]) - hard.objective(first) for plans in (alone, together)]
    assert gained[1] > 0.5 * gained[0] > 0


@pytest.mark.parametrize("lost", [0.0, 0.5])
def test_neighbourhoods_at_once_never_make_a_plan_worse(hard: Program, first: Floats, lost: float) -> None:
    crew, told = Late(lost), list[Message]()
    relaxed, known = relax(hard, control()), Known(hard)
    assert relaxed is not None
    known.offer(first)
    Improver(hard, relaxed.guide, known, seed=0).run(control(crew, told), tries=16)
    assert crew.submitted == 16
    assert crew.most > 1
    plans = [each.x for each in told if isinstance(each, Incumbent)]
    assert plans
    assert all(hard.violation(x) <= 1e-7 for x in plans)
    values = [hard.objective(x) for x in (first, *plans)]
    assert values == sorted(values)


def two(rows: list[list[float]], upper: list[float]) -> Program:
    """Two whole numbers up to 3, of periods 0 and 1, worth 1 each."""
    return replace(
        fleet(2, 4, 1), start=np.array([0, 2], np.int32), index=np.array([0, 1], np.int32),
        value=np.array(rows[0]), row_lower=np.array([-np.inf]), row_upper=np.array(upper),
        col_lower=np.zeros(2), col_upper=np.full(2, 3.0), cost=np.ones(2), offset=0.0, integer=np.ones(2, bool),
        strategy=np.zeros(2, bool), period=np.array([0, 1], np.int32), rows=(), cols=(), tags={},
    )  # fmt: skip


def test_what_was_found_beside_is_laid_over_what_is_known_where_both_hold() -> None:
    program = two([[1.0, 1.0]], [9.0])
    asked = Asked("1", np.array([False, True]), np.zeros(2), near, control())
    found = Found(np.array([3.0]), True, 0)
    assert joined(program, asked, found, np.array([2.0, 0.0])).tolist() == [2.0, 3.0]
    assert joined(program, asked, found._replace(x=None), np.zeros(2)) is None


def test_what_does_not_go_with_what_is_known_counts_only_if_it_is_better_by_itself() -> None:
    program = two([[1.0, 1.0]], [3.0])
    asked = Asked("1", np.array([False, True]), np.zeros(2), near, control())
    assert joined(program, asked, Found(np.array([3.0]), True, 0), np.array([2.0, 0.0])).tolist() == [0.0, 3.0]
    assert joined(program, asked, Found(np.array([2.0]), True, 0), np.array([2.0, 0.0])) is None


def test_a_period_that_does_not_go_with_another_is_decided_once_more() -> None:
    """Both periods take all three from nothing; the second to be heard is asked again, and then has no room."""
    program, crew = two([[1.0, 1.0]], [3.0]), Late()
    *_, last = by_period(program, control(crew), np.zeros(2))
    assert last.sum() == 3.0
    assert crew.submitted == 3


def test_a_defect_elsewhere_is_one_here(hard: Program, first: Floats) -> None:
    def broken(*_: object) -> Found:
        raise ZeroDivisionError("a defect")

    drawn = iter([Asked("x", hard.integer, first, broken, control())])
    with pytest.raises(ZeroDivisionError, match="a defect"):
        list(spread(hard, control(Late()), lambda: next(drawn, None)))


def test_here_is_done_before_the_next_is_drawn(hard: Program, first: Floats) -> None:
    order: list[str] = []

    def task(part: Program, step: Control, x: Floats) -> Found:
        order.append("solved")
        return anew(part, step, x)

    left = [1, 2]

    def draw() -> Asked | None:
        if not left:
            return None
        left.pop()
        order.append("drawn")
        return Asked("x", hard.period == 0, first, task, control())

    for _ in spread(hard, control(), draw):
        order.append("heard")
    assert order == ["drawn", "solved", "heard"] * 2
    assert Here.hands == 1
