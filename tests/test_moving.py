"""What moves between periods: free when one of them is decided again, and nothing else of the others."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from sizes import sized

from optimizer.engine import improve
from optimizer.engine.parts import Found
from optimizer.engine.periods import moving, spanning
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.solver import Control
from optimizer.engine.start import moving_with


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return sized("S", 1, tmp_path_factory.mktemp("moving"))


def families(program: Program, rows: Flags) -> set[str]:
    return {program.rows[i][0] for i in np.flatnonzero(rows)}


def test_room_that_is_bought_ahead_moves_nothing(program: Program) -> None:
    """An upgrade of the first period has a part in every later power row: served tasks there are not its business."""
    assert {"power_limit", "change_link"} <= families(program, spanning(program))
    assert "change_link" in families(program, moving(program))
    assert "power_limit" not in families(program, moving(program))


def test_beside_a_period_only_moves_of_the_next_and_the_starts_of_tools_are_free(program: Program) -> None:
    first = program.period == 0
    beside = moving_with(program, first) & ~first
    assert {program.cols[j][0] for j in np.flatnonzero(beside)} == {"up", "down", "start"}
    assert {int(program.period[j]) for j in np.flatnonzero(beside) if program.cols[j][0] != "start"} == {1}


@pytest.mark.parametrize(("spent", "each"), [(0.0, improve.SECONDS), (400.0, 60.0)])
def test_what_a_period_may_take_depends_on_what_came_before(
    program: Program, monkeypatch: pytest.MonkeyPatch, spent: float, each: float
) -> None:
    """At XL four seconds are over before the root of a period is, and nothing was ever gained."""
    seconds: list[float] = []

    def anew(_: Program, step: Control, __: Floats) -> Found:
        seconds.append(step.left)
        return Found(None, True, 0)

    monkeypatch.setattr(improve, "anew", anew)
    now = time.monotonic()
    control = Control(now + 1000.0, threading.Event(), [].append, began=now - spent)
    assert not list(improve.by_period(program, control, np.zeros(program.cost.size)))
    assert seconds == [pytest.approx(each, abs=1.0)] * 4
