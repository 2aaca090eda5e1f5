"""What the prover finds of a huge program is found once: the columns that pay go to those who look for plans."""

from __future__ import annotations

import io
import pickle
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import pytest
from fleet import fleet

from optimizer.engine import narrowly, proof, roles, sifting, start, worker
from optimizer.engine import program as engine_program
from optimizer.engine.improve import by_period
from optimizer.engine.known import Known
from optimizer.engine.linear import Guide, relax
from optimizer.engine.messages import Incumbent, Message, Paying, Request, Tick, Verdict
from optimizer.engine.narrow import Narrow, with_placement
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.scale import scale
from optimizer.engine.sifting import sifted
from optimizer.engine.solver import Control
from optimizer.engine.watch import Watch


@pytest.fixture(autouse=True)
def huge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_program, "HUGE", 1)
    monkeypatch.setattr(sifting, "LARGE", 1)


@pytest.fixture
def program() -> Program:
    return scale(fleet(20, 12, 6, seed=3)).program


def control(seconds: float = 60.0, told: list[Message] | None = None) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), [].append if told is None else told.append, 1e-4)


def paying(program: Program) -> Paying:
    found = sifted(program, control())
    assert found is not None
    return found.paying()


def test_the_prover_tells_the_columns_that_pay(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "AGAIN", np.inf)
    told: list[Message] = []
    proof.proved_beside(program, control(1.0, told), None, Known(program))
    (found,) = [message for message in told if isinstance(message, Paying)]
    assert found.cols.shape == program.cost.shape
    bound = next(message.bound for message in told if isinstance(message, Tick))
    assert program.objective(found.x) == pytest.approx(bound)
    out = ~found.cols & (program.col_upper > found.x)
    assert out.any()
    assert found.reduced[out].max() <= sifting.PAYS
    assert 0 < found.cols.sum() < found.cols.size


def test_an_improver_that_was_told_them_does_not_look_for_them(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    widened: list[Flags] = []

    def watched(whole: Program, cols: Flags) -> Narrow:
        widened.append(cols)
        return with_placement(whole, cols)

    def never(*_: object) -> NoReturn:
        raise AssertionError("it sifted what was sifted before")

    monkeypatch.setattr(narrowly, "with_placement", watched)
    monkeypatch.setattr(narrowly, "sifted_from", never)
    told: list[Message] = []
    known = Known(program)
    known.paying = paying(program)
    request = Request(program, gap=1e-4, floor=1.0, seconds=3.0, threads=1, seed=0, start=None, role="improve")
    roles.served(request, threading.Event(), known, told.append)
    plans = [program.rounded(message.x) for message in told if isinstance(message, Incumbent)]
    assert plans
    assert all(program.violation(x) <= 1e-6 for x in plans)
    assert [bool(cols[known.paying.cols].all()) for cols in widened] == [True]


def test_until_it_is_told_it_decides_periods_again_among_what_they_use(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, found, columns = Known(program), paying(program), list[int]()
    by_period = narrowly.by_period

    def told_after_one(part: Program, step: Control, x: Floats) -> Iterator[Floats]:
        columns.append(part.cost.size)
        for better in by_period(part, step, x):
            known.paying = found
            yield better

    def never(*_: object) -> NoReturn:
        raise AssertionError("it sifted what the prover was about to tell")

    monkeypatch.setattr(narrowly, "by_period", told_after_one)
    monkeypatch.setattr(narrowly, "sifted_from", never)
    request = Request(program, gap=1e-4, floor=1.0, seconds=5.0, threads=1, seed=0, start=None, role="improve")
    roles.served(request, threading.Event(), known, [].append)
    narrow, wide = columns
    assert narrow <= wide < program.cost.size


def test_what_its_own_plan_uses_stays_even_where_it_does_not_pay(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prover sifts from other periods' programs: a plan cut down to its columns lacked replicas, earned more than
    any plan can, and no better one was found from it. L, seed 101, stayed at 0.70 % for 0.49 %."""
    begun: list[tuple[float, float]] = []

    def watched(part: Program, _: Control, x: Floats) -> Iterator[Floats]:
        begun.append((part.violation(x), part.objective(x)))
        yield from ()

    known = Known(program)
    found = paying(program)
    placement = program.integer & ~program.strategy
    known.paying = Paying(found.cols & ~placement, found.x, found.reduced)
    monkeypatch.setattr(narrowly, "by_period", watched)
    request = Request(program, gap=1e-4, floor=1.0, seconds=2.0, threads=1, seed=0, start=None, role="improve")
    told: list[Message] = []
    roles.served(request, threading.Event(), known, told.append)
    first = [program.objective(message.x) for message in told if isinstance(message, Incumbent)]
    ((violation, objective),) = begun
    assert violation <= 1e-6
    assert objective == pytest.approx(max(value for value in first if value <= objective + 1e-6))


def test_a_plan_that_a_part_cannot_hold_is_not_one_of_it(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []

    def watched(part: Program, _: Control, x: Floats) -> Iterator[Floats]:
        begun.append(part.violation(x))
        yield from ()

    known, found, relaxed = Known(program), paying(program), relax(program, control())
    assert relaxed is not None
    for x in start.built(program, control(), relaxed):
        known.offer(x)
    assert known.x is not None
    request = Request(program, gap=1e-4, floor=1.0, seconds=2.0, threads=1, seed=0, start=None, role="improve")
    idle = Narrow.to(program, ~(program.integer & ~program.strategy), np.zeros(program.cost.size))
    assert idle.program.violation(known.x[idle.cols]) > 1.0
    monkeypatch.setattr(narrowly, "by_period", watched)
    narrowly._go_on(request, control(1.0), idle, Guide(found.x[idle.cols], found.reduced[idle.cols]), known, 0)
    assert [violation for violation in begun if violation > 1e-6] == []


def test_a_part_takes_a_better_plan_of_the_whole_if_it_holds_there(program: Program) -> None:
    found, relaxed, known = paying(program), relax(program, control()), Known(program)
    assert relaxed is not None
    first = next(start.built(program, control(), relaxed))
    *_, better = by_period(program, control(), first)
    used = (np.array([first, better]) > 1e-6).any(axis=0)
    wide = narrowly.with_placement(program, found.cols | used)
    inner = narrowly.Inside(wide, known)
    assert inner.x is None
    for x in (first, better):
        known.offer(x)
        assert inner.x is not None
        assert np.array_equal(wide.whole(inner.x), x)
    idle = Narrow.to(program, ~(program.integer & ~program.strategy), np.zeros(program.cost.size))
    assert narrowly.Inside(idle, known).x is None


@pytest.mark.parametrize("huge", [True, False])
def test_a_prover_that_is_done_before_the_time_finds_better_plans(
    program: Program, huge: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_program, "HUGE", 1 if huge else 10**9)
    monkeypatch.setattr(proof, "LITTLE", 0)
    monkeypatch.setattr(proof, "AGAIN", np.inf)
    known, relaxed = Known(program), relax(program, control())
    assert relaxed is not None
    first = next(start.built(program, control(), relaxed))
    known.offer(first)
    told: list[Message] = []
    request = Request(program, gap=1e-6, floor=1.0, seconds=6.0, threads=1, seed=0, start=None, role="prove")
    verdict = roles.served(request, threading.Event(), known, told.append)
    plans = [program.rounded(message.x) for message in told if isinstance(message, Incumbent)]
    assert plans
    assert all(program.violation(x) <= 1e-6 for x in plans)
    assert verdict.ending == "ended"
    assert verdict.x is not None
    assert program.gain(verdict.x, over=plans[-1]) >= -1e-6
    assert program.gain(verdict.x, over=first) > 1e-4 * abs(program.objective(first))
    bounds = [m.bound for m in told if isinstance(m, Tick) and m.bound is not None]
    assert min(bounds) >= program.objective(verdict.x)


class Scripted:
    """A worker that says what it was given to say, and keeps what it is told."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages: Iterator[Message] = iter(messages)
        self.heard: list[Any] = []

    def next(self, _: float) -> Message | None:
        return next(self.messages, None)

    def tell(self, found: Incumbent | Paying) -> None:
        self.heard.append(found)

    def stop(self) -> None:
        """There is nothing to stop."""


def test_the_parent_hands_them_to_all_others(program: Program) -> None:
    found = paying(program)
    last = Verdict("ended", None, 1.0)
    prover, improver = Scripted([Tick(None, 1.0), found, last]), Scripted([])
    watch = Watch(program, scale(program), 10.0, None, None, time.monotonic())
    assert watch.follow([prover, improver], 1e-3) == "ended"  # type: ignore[list-item]
    assert improver.heard == [found]
    assert prover.heard == []


def test_a_worker_keeps_them_beside_the_best_plan(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.os, "_exit", lambda _: None)
    found, known = paying(program), Known(program)
    plan = Incumbent(np.zeros(program.cost.size))
    inbox = io.BytesIO(pickle.dumps(plan) + pickle.dumps(found))
    worker._listen(inbox, threading.Event(), known)
    assert known.x is not None
    assert known.paying is not None
    assert np.array_equal(known.paying.cols, found.cols)
    assert np.array_equal(known.paying.x, found.x)


@pytest.mark.parametrize("limit", [600.0, 6000.0])
def test_what_a_plan_may_take_depends_on_what_came_before_not_on_the_limit(
    program: Program, monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """With a limit of five minutes the second plan at XL was hurried, and no better one was found from it."""
    seconds: list[float] = []

    def placed(_: Program, step: Control, strategy: Floats, __: float) -> Floats:
        seconds.append(step.left)
        return strategy

    monkeypatch.setattr(start, "placed", placed)
    now = time.monotonic()
    late = Control(now + limit, threading.Event(), [].append, began=now - 100.0)
    start._soon(program, late, np.zeros(program.cost.size), 1e-3)
    assert seconds == [pytest.approx(100.0, abs=1.0)]
