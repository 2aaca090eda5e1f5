"""Plans of the narrow program are plans of the whole, and where it leads nowhere the whole is searched."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sizes import sized

from optimizer.engine import narrowly, proof, roles, sifting
from optimizer.engine import program as engine_program
from optimizer.engine.known import Known
from optimizer.engine.linear import relax
from optimizer.engine.messages import Incumbent, Message, Request, Tick
from optimizer.engine.narrow import narrowed
from optimizer.engine.program import Program
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.solver import Control, Highs


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return scale(sized("S", 1, tmp_path_factory.mktemp("narrow"))).program


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_program, "HUGE", 1)


def control(seconds: float = 60.0, told: list[Message] | None = None) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), [].append if told is None else told.append, 1e-4)


def test_the_narrow_program_is_small_and_loses_little(small: Program) -> None:
    narrow, whole = narrowed(small, control()), relax(small, control())
    assert narrow is not None
    assert whole is not None
    few = relax(narrow.program, control())
    assert few is not None
    assert narrow.program.value.size < small.value.size / 2
    best, left = whole.lp.bound(), few.lp.bound()
    assert best is not None
    assert left is not None
    assert 0 <= best - left <= 5e-3 * abs(best)
    x = narrow.whole(few.guide.x)
    assert replace(small, integer=np.zeros_like(small.integer)).violation(x) <= 1e-6
    assert small.objective(x) == pytest.approx(left)


def test_a_replica_in_use_is_kept_in_every_period(small: Program) -> None:
    narrow = narrowed(small, control())
    assert narrow is not None
    kept = narrow.cols & small.integer & ~small.strategy
    counts = np.bincount(small.period[kept])
    assert counts.min() > 0
    assert counts.max() - counts.min() <= 0.2 * counts.max()


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("role", ["improve", "all"])
def test_a_worker_tells_plans_of_the_whole(small: Program, role: str) -> None:
    told: list[Message] = []
    known = Known(small)
    seconds = control(8.0, told)
    request = Request(small, gap=1e-4, floor=1.0, seconds=8.0, threads=1, seed=0, start=None, role=role)  # type: ignore[arg-type]
    roles.served(request, seconds.stop, known, told.append)
    plans = [small.rounded(message.x) for message in told if isinstance(message, Incumbent)]
    assert plans
    assert all(small.violation(x) <= 1e-6 for x in plans)
    bound = min(m.bound for m in told if isinstance(m, Tick) and m.bound is not None) if role == "all" else np.inf
    assert max(small.objective(x) for x in plans) <= bound + 1e-6 * abs(bound)
    if role == "improve":
        assert not [m for m in told if isinstance(m, Tick) and m.bound is not None]


@pytest.mark.usefixtures("always")
def test_without_anything_in_use_the_whole_is_searched(small: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowly, "narrowed", lambda *_: None)
    told: list[Message] = []
    request = Request(small, gap=1e-2, floor=1.0, seconds=20.0, threads=1, seed=0, start=None)
    roles.served(request, threading.Event(), Known(small), told.append)
    assert any(isinstance(message, Incumbent) for message in told)


@pytest.mark.usefixtures("always")
def test_of_a_huge_program_the_linear_bound_is_told_and_nothing_that_cannot_end_is_begun(
    small: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "AGAIN", np.inf)
    told: list[Message] = []
    verdict = proof.proved_beside(small, control(3.0, told), None, Known(small))
    lp = Highs(replace(small, integer=np.zeros_like(small.integer)), control())
    assert lp.ended()
    assert verdict.ending == "ended"
    assert [m.bound for m in told if isinstance(m, Tick)] == [pytest.approx(lp.bound())]


@pytest.mark.usefixtures("always")
def test_where_branching_cannot_end_cuts_go_on_from_the_linear_bound(
    small: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "AGAIN", np.inf)
    monkeypatch.setattr(sifting, "LARGE", 1)
    told: list[Message] = []
    best = search(small, control(10.0), None).x
    proof.proved_beside(small, control(5.0, told), None, Known(small))
    bounds = [m.bound for m in told if isinstance(m, Tick) and m.bound is not None]
    assert best is not None
    assert len(bounds) > 3
    assert all(after <= before + 1e-6 * abs(before) for before, after in pairwise(bounds))
    assert bounds[-1] >= small.objective(best)
    assert bounds[-1] <= bounds[0] - 1e-3 * abs(bounds[0])
