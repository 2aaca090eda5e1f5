"""What a change of a large program is worth: every interval holds the difference that cold solves find."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fleet import fleet

from optimizer.asking.asker import Asker, Question
from optimizer.asking.changes import freed, with_row
from optimizer.engine import laid
from optimizer.engine import revalue as revalue_module
from optimizer.engine.highs import solve_program
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Program
from optimizer.engine.recutting import without_rows
from optimizer.engine.revalue import bettered, revalue, settle
from optimizer.engine.solver import Control
from optimizer.engine.worth import AT_ROOT, BY_CUTS, Base
from optimizer.report.explained import sentences


def control(seconds: float = 1.0) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), lambda _: None)


def optimum(program: Program) -> float:
    outcome = solve_program(program, gap=1e-5, time_limit=30)
    assert outcome.status == "optimal"
    return outcome.objective


@pytest.fixture(scope="module")
def base() -> Base:
    program = fleet(12, 20, 12, seed=2)
    assert program.integer.sum() > 200
    outcome = solve_program(program, gap=1e-3, time_limit=20)
    x = np.array([outcome.values[name][key] for name, key in program.cols])
    return settle(program, x, control(), outcome.bound)


@pytest.fixture(scope="module")
def truth(base: Base) -> float:
    return optimum(base.program)


def with_gpus(program: Program, by: float) -> Program:
    """The first pool with more GPUs or fewer, in its first period."""
    rows = [i for i, (name, _) in enumerate(program.rows) if name == "gpu_capacity"]
    upper = program.row_upper.copy()
    upper[rows[0]] += by
    return replace(program, row_upper=upper)


def funded_otherwise(program: Program, x: np.ndarray) -> Iterator[Program]:
    """One workflow that the plan does not fund throughout held in, one that it funds held out."""
    fund = np.flatnonzero([name == "fund" for name, _ in program.cols])
    out, into = fund[x[fund] < 0.5], fund[x[fund] > 0.5]
    lower, upper = program.col_lower.copy(), program.col_upper.copy()
    lower[out[:1]], upper[into[:1]] = 1.0, 0.0
    yield replace(program, col_lower=lower)
    yield replace(program, col_upper=upper)


def holds(base: Base, program: Program) -> None:
    cold, first = optimum(program), revalue(base, program, control())
    for worth in (first, bettered(base, program, first, control())):
        assert worth.method in (AT_ROOT, BY_CUTS)
        assert worth.low - 1e-5 * cold <= cold <= worth.high + 1e-5 * cold
        assert worth.x is not None
        assert program.violation(worth.x) <= 1e-6
        assert program.objective(worth.x) == pytest.approx(worth.low)
    assert worth.low >= first.low


def test_the_base_holds_its_optimum(base, truth):
    assert not base.exact
    assert base.worth.low - 1e-5 * truth <= truth <= base.worth.high + 1e-5 * truth


@pytest.mark.parametrize("by", [8.0, -4.0])
def test_a_capacity_that_changes(base, by):
    holds(base, with_gpus(base.program, by))


def test_a_plan_that_no_longer_holds_is_decided_again(base):
    for program in funded_otherwise(base.program, base.worth.x):
        assert program.violation(base.worth.x) > 1e-6
        holds(base, program)


def test_a_bound_alone_has_its_plan_when_asked_once_more(base):
    for program in funded_otherwise(base.program, base.worth.x):
        bound = replace(revalue(base, program, control(3.0)), low=-np.inf, x=None)
        again = bettered(base, program, bound, control(3.0))
        assert program.violation(again.x) <= 1e-6
        assert program.objective(again.x) == pytest.approx(again.low)
        assert again.low <= again.high <= bound.high


def with_less(base: Base, share: float) -> Program:
    """The largest continuous column may only have a share of what the plan has there."""
    smooth = np.where(base.program.integer, 0.0, base.worth.x)
    upper = base.program.col_upper.copy()
    upper[smooth.argmax()] = share * smooth.max()
    return replace(base.program, col_upper=upper)


def test_whole_numbers_that_leave_little_open_are_kept_at_once(base, monkeypatch):
    monkeypatch.setattr(laid, "near_tight", lambda *_: pytest.fail("all was decided again"))
    monkeypatch.setattr(revalue_module, "LEFT_OPEN", 1e3)
    program = with_less(base, 0.9)
    assert program.violation(base.worth.x) > 1e-6
    worth, cold = revalue(base, program, control()), optimum(program)
    assert (worth.x == base.worth.x)[program.integer].all()
    assert program.violation(worth.x) <= 1e-6
    assert worth.low - 1e-5 * cold <= cold <= worth.high + 1e-5 * cold


def test_where_they_leave_too_much_open_others_are_looked_for(base, monkeypatch):
    asked = []
    monkeypatch.setattr(laid, "near_tight", lambda *_: asked.append("near"))
    monkeypatch.setattr(revalue_module, "LEFT_OPEN", 0.0)
    worth = revalue(base, with_less(base, 0.9), control())
    assert asked == ["near"]
    assert worth.x is not None


def test_a_program_with_a_further_row_fits_in(base):
    """One more workflow funded over all periods than the plan has."""
    fund = np.array([name == "fund" for name, _ in base.program.cols])
    more = with_row(base.program, ("more", ()), fund, float(base.worth.x[fund].sum()) + 1.0)
    assert base.cuts.laid(more) is not None
    holds(base, more)


def test_where_the_plan_still_holds_its_strategy_is_decided_again(base):
    """Launches that need not be paid: the plan is worth more at once, with its replicas where they are."""
    rows = [i for i, (name, _) in enumerate(base.program.rows) if name == "launch_link"]
    program = freed(base.program, rows)
    assert program.violation(base.worth.x) <= 1e-6
    worth, cold = revalue(base, program, control(3.0)), optimum(program)
    placement = program.integer & ~program.strategy
    assert (worth.x == base.worth.x)[placement].all()
    assert base.worth.low < worth.low <= cold * (1 + 1e-5)
    assert program.violation(worth.x) <= 1e-6


def test_a_program_without_some_rows_fits_in(base):
    """No launch has to be paid in the last period."""
    program, last = base.program, [i for i, (name, _) in enumerate(base.program.rows) if name == "launch_link"][-12:]
    kept = ~np.isin(np.arange(len(program.rows)), last)
    names = tuple(row for row, keep in zip(program.rows, kept, strict=True) if keep)
    fewer = replace(without_rows(program, kept), rows=names)
    assert base.cuts.laid(fewer) is not None
    holds(base, fewer)


def test_a_program_of_other_columns_does_not_fit_in(base):
    assert base.cuts.laid(fleet(11, 20, 12, seed=2)) is None


def test_what_cannot_hold_is_proved_to_be_impossible(base):
    program = base.program
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[0] = upper[0] = 1e12
    assert revalue(base, replace(program, row_lower=lower, row_upper=upper), control()).infeasible


def test_a_bound_of_several_lots_is_one_of_a_single_lot(base, truth):
    program = base.program
    one = Question("one", partial(with_gpus, program, 4.0), loosens=True)
    both = Question("both", partial(with_gpus, program, 8.0), loosens=True, within=(one,))
    with ThreadPoolExecutor(1) as pool:
        asker = Asker(base, control(20.0), pool)
        asker.ask([both], 2.0)
        asker.ask([one], 2.0)
        assert asker.skipped == []
        assert asker.gain("one").high <= asker.gain("both").high + asker.worth.width
    for name, by in (("one", 4.0), ("both", 8.0)):
        low, high = asker.gain(name)
        assert low - 2e-5 * truth <= optimum(with_gpus(program, by)) - truth <= high + 2e-5 * truth


def test_a_question_on_which_the_solver_fails_stops_no_other(base):
    def broken():
        raise SolverError("HiGHS refused or failed: the run")

    good = Question("good", partial(with_gpus, base.program, 4.0), loosens=True)
    with ThreadPoolExecutor(1) as pool:
        asker = Asker(base, control(20.0), pool)
        asker.ask([Question("bad", broken, rank=1.0), good], 10.0)
    assert (asker.gain("bad"), asker.skipped) == (None, ["bad"])
    assert asker.gain("good") is not None
    assert asker.evidence("bad").method == "failed: HiGHS refused or failed: the run"
    assert asker.failed == {"bad": "HiGHS refused or failed: the run"}


def test_two_kinds_are_asked_side_by_side_each_by_its_ranks(base):
    def asked(name, rank):
        return Question(name, partial(with_gpus, base.program, 4.0), loosens=True, rank=rank, least=0.0)

    few, many = [asked("few 1", 1.0), asked("few 2", 2.0)], [asked(f"many {i}", float(i)) for i in range(4)]
    told = []
    with ThreadPoolExecutor(1) as pool:
        asker = Asker(base, control(60.0), pool, tell=lambda name, *counts: told.append((name, *counts)))
        asker.ask_all((few, many), 30.0)
    assert [name for name, *_ in told] == ["many 3", "few 2", "many 2", "many 1", "few 1", "many 0"]
    assert [counts for _, *counts in told] == [[i, 6] for i in range(1, 7)]


def test_a_question_that_cannot_have_its_time_is_left_out(base):
    with ThreadPoolExecutor(1) as pool:
        asker = Asker(base, control(20.0), pool)
        asker.ask([Question("hasty", partial(with_gpus, base.program, 4.0), loosens=True)], 0.5)
    assert asker.skipped == ["hasty"]
    assert asker.gain("hasty") is None


WAITING = {
    "workflow": "w", "verdict": "none", "not_eligible": None, "cost_usd": [5.0, 6.0], "cheapest_change": None,
    "break_even_factor": [1.0, 1.5], "break_even_usd": [2.0, 3.0],
}  # fmt: skip


def said(best: float = 1050.0, **row: object) -> list[str]:
    limit = {
        "owner": "sites.home", "lot": "1 kW", "promise": False, "usd_per_lot": None, "decides": None, "periods": [],
        "one_more_usd": [0.0, 40.0], "average_incremental_price": {"usd": [0.0, 40.0], "k": 1}, **row,
    }  # fmt: skip
    document = {
        "name": "n", "conflict": None, "currency": "USD", "periods": [], "base": {"usd": [1000.0, best]},
        "limits": [limit], "constraints": [], "workflows": [WAITING], "bundles": [], "policies": [], "ties": [],
        "partial": False, "failed": {},
    }  # fmt: skip
    return [text for _, text in sentences(document)]


def test_the_first_screen_says_how_far_an_unresolved_limit_could_go():
    lines = said()
    assert any("$50" in line for line in lines)
    assert any("sites.home: 1 kW earns no more than $40" in line for line in lines)


def test_a_gap_that_is_rounding_is_not_said():
    """Quickstart: "more than the $0.0000000000582 between plan and proof"."""
    lines = said(best=1000.0 + 1e-11)
    assert "One lot more of no single limit, in all periods, is shown to earn anything:" in lines
    assert not any("between plan and proof" in line for line in lines)


def test_the_first_screen_says_of_how_many_lots_a_price_is():
    lines = said(average_incremental_price={"usd": [10.0, 20.0], "k": 4})
    assert any(line.startswith("sites.home: 4 x 1 kW more earn") and "each" in line for line in lines)


def test_the_first_screen_says_who_is_next_and_at_what_price():
    assert any(line.startswith("w: funded once its best task is worth $2") for line in said())
    assert any("(x1 to x1.5)" in line for line in said())
