"""Warm re-solves: the optimum of a cold solve, whatever was changed and whatever was solved before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from generated import instances
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.engine.align import Layout, NewStructure
from optimizer.engine.compile import compile_model
from optimizer.engine.outcome import Outcome
from optimizer.engine.program import Program
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.solver import Control
from optimizer.engine.warm import Warm, Work, only_tightens
from optimizer.formulation.build import build
from optimizer.formulation.data import Data
from optimizer.formulation.families import FAMILIES
from optimizer.solving import TAGS

EXACT = Work(gap=1e-9)


def program(d: Data, without: tuple[str, ...] = ()) -> Program:
    return compile_model(build(d, without), tags=TAGS, periods=d.calendar.periods)


def cold(p: Program) -> tuple[str, float | None]:
    scaled = scale(p)
    control = Control(time.monotonic() + 60, threading.Event(), lambda _: None, 1e-9, 1 / scaled.money)
    verdict = search(scaled.program, control, None)
    return verdict.ending, None if verdict.x is None else p.objective(p.rounded(verdict.x * scaled.unit))


def based(p: Program) -> Warm:
    """The base solved in this process, as a sweep's processes receive it."""
    nothing = Outcome("no_plan", None, None, None, 0.0, {}, {}, {})
    return Warm(p, Warm(p, nothing).solve(p, EXACT).outcome)


def ended(outcome: Outcome) -> str:
    """The status, a bound within the solver's tolerances of the plan (1e-7 of a scaled row) being its proof."""
    proved = outcome.status == "feasible" and outcome.gap is not None and outcome.gap <= 1e-6
    return "optimal" if proved else outcome.status


def times(amounts, factor):
    return {key: amount * factor for key, amount in amounts.items()}


def richer(d: Data, factor: float) -> Data:
    def paid(w):
        return replace(w, tranches=tuple(replace(k, usd=times(k.usd, factor)) for k in w.tranches))

    return replace(d, workflows={i: paid(w) for i, w in d.workflows.items()})


def stretched(d: Data, factor: float) -> Data:
    return replace(d, sites={i: replace(s, power_kw=s.power_kw and times(s.power_kw, factor)) for i, s in
                             d.sites.items()})  # fmt: skip


def grown(d: Data, factor: float) -> Data:
    return replace(d, pools={i: replace(p, count={t: round(n * factor) for t, n in p.count.items()})
                             for i, p in d.pools.items()})  # fmt: skip


def asked(d: Data, factor: float) -> Data:
    return replace(d, workflows={i: replace(w, demand=times(w.demand, factor)) for i, w in d.workflows.items()})


def faster(d: Data, factor: float) -> Data:
    return replace(d, pairs={k: replace(p, tasks_per_hour=p.tasks_per_hour * factor) for k, p in d.pairs.items()})


CHANGES = (richer, stretched, grown, asked, faster)
FACTORS = st.sampled_from([0.5, 0.8, 1.25, 2.0])


@given(instances(), st.lists(st.tuples(st.sampled_from(CHANGES), FACTORS), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_warm_optimum_is_the_cold_one(d, changes):
    assert_as_cold(d, changes)


def assert_as_cold(d: Data, changes: Sequence[tuple[Callable[[Data, float], Data], float]]) -> None:
    """One change upon the other, each solved from the first base."""
    warm = based(program(d))
    for change, factor in changes:
        d = change(d, factor)
        variant = program(d)
        answer, (ending, objective) = warm.solve(variant, EXACT), cold(variant)
        assert ended(answer.outcome) == ending
        if objective is not None:
            assert answer.outcome.objective == pytest.approx(objective, rel=1e-6, abs=1e-6)
            assert answer.outcome.values.keys() == {name for name, _ in variant.cols}


@given(instances(), st.sampled_from([f.name for f in FAMILIES if f.kind != "link"]))
@settings(max_examples=50, deadline=None)
def test_a_family_is_dropped_without_stating_anew(d, family):
    warm, variant = based(program(d)), program(d, (family,))
    answer, (ending, objective) = warm.solve(variant, EXACT), cold(variant)
    assert answer.rebuilt == ""
    assert answer.outcome.status == ending
    if objective is not None:
        assert answer.outcome.objective == pytest.approx(objective, rel=1e-6, abs=1e-6)


@given(instances(), st.lists(st.tuples(st.sampled_from(CHANGES), FACTORS), min_size=3, max_size=3))
@settings(max_examples=30, deadline=None)
def test_what_was_solved_before_changes_no_digit(d, changes):
    base = based(program(d))
    variants = [program(change(d, factor)) for change, factor in changes]
    forth = [base.solve(v, EXACT).outcome for v in variants]
    fresh = Warm(base.program, base.outcome)
    back = [fresh.solve(v, EXACT).outcome for v in reversed(variants)][::-1]
    for one, other in zip(forth, back, strict=True):
        assert (one.status, one.objective, one.bound, one.values) == (other.status, other.objective, other.bound,
                                                                      other.values)  # fmt: skip


def small(cost=(3.0, 2.0), limit=10.0, upper=9.0) -> Program:
    """Maximise cost x with x0 + x1 <= limit, both whole and at most `upper`."""
    return Program(
        start=np.array([0, 2], np.int32), index=np.array([0, 1], np.int32), value=np.array([1.0, 1.0]),
        row_lower=np.array([-np.inf]), row_upper=np.array([limit]), col_lower=np.zeros(2),
        col_upper=np.full(2, upper), cost=np.array(cost), offset=0.0, maximise=True, integer=np.ones(2, bool),
        strategy=np.zeros(2, bool), period=np.zeros(2, np.int32), rows=(("limit", ()),),
        cols=(("x", "a"), ("x", "b")),
    )  # fmt: skip


def test_the_base_bound_serves_what_only_tightens_and_nothing_else():
    warm = based(small())
    assert warm.outcome.objective == 29
    assert only_tightens(warm.program, small(limit=8.0))
    assert only_tightens(warm.program, small(upper=7.0))
    assert not only_tightens(warm.program, small(limit=12.0))
    assert not only_tightens(warm.program, small(limit=8.0, cost=(4.0, 2.0)))
    assert warm.solve(small(limit=8.0), EXACT).outcome.objective == 24
    assert warm.solve(small(limit=12.0), EXACT).outcome.objective == 33
    assert warm.solve(small(cost=(1.0, 2.0)), EXACT).outcome.objective == 19


def test_a_variant_is_laid_out_by_names_not_by_places():
    base = small()
    swapped = replace(base, cols=base.cols[::-1], cost=base.cost[::-1], col_upper=np.array([5.0, 9.0]))
    laid = Layout(base).align(swapped)
    assert laid.cost.tolist() == [3.0, 2.0]
    assert laid.col_upper.tolist() == [9.0, 5.0]
    gone = replace(base, cols=base.cols[:1], cost=base.cost[:1], col_lower=base.col_lower[:1],
                   col_upper=base.col_upper[:1], integer=base.integer[:1], start=np.array([0, 1], np.int32),
                   index=base.index[:1], value=base.value[:1])  # fmt: skip
    assert Layout(base).align(gone).col_upper.tolist() == [9.0, 0.0]


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        (replace(small(), cols=(("x", "a"), ("y", "b"))), "1 new decisions in y"),
        (replace(small(), rows=(("other", ()),)), "1 new rows in other"),
        (replace(small(), integer=np.array([True, False])), "whole numbers"),
        (replace(small(), value=np.array([1.0, 0.0])), "became zero"),
    ],
)
def test_what_does_not_fit_is_stated_anew_and_says_why(variant, reason):
    with pytest.raises(NewStructure, match=reason):
        Layout(small()).align(variant)
    answer = based(small()).solve(variant, EXACT)
    assert reason in answer.rebuilt
    assert answer.outcome.objective == pytest.approx(cold(variant)[1])


def test_work_that_ends_before_the_proof_says_so():
    warm = based(small())
    stopped = warm.solve(small(limit=12.0), Work(gap=0.0, seconds=0.0))
    assert stopped.stopped in ("", "clock")
    cancel = threading.Event()
    cancel.set()
    assert warm.solve(small(cost=(2.0, 3.0)), EXACT, cancel).outcome.status in ("interrupted", "optimal")
