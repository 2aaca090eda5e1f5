"""Cuts that examples of variants want, plans that are good enough, and rows that give way to what a solver left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import quick
from fleet import fleet
from generated import instances
from hypothesis import given, settings
from hypothesis import strategies as st
from test_scip import facing
from test_tight import control, varied
from test_warm import CHANGES, FACTORS, based, cold, program

from optimizer import Base, Change, solve, sweep
from optimizer.engine import parts
from optimizer.engine import program as programs
from optimizer.engine.messages import Incumbent, Message, Tick
from optimizer.engine.near import Unhurried, near_tight
from optimizer.engine.parts import search_near
from optimizer.engine.program import Program
from optimizer.engine.progress import relative_gap
from optimizer.engine.scale import scale
from optimizer.engine.start import placed
from optimizer.engine.tight import Footing, footing_of, tight
from optimizer.engine.watch import Watch
from optimizer.instance.faults import BadInput
from optimizer.sweeping import course, design
from optimizer.sweeping.sweep import TIMES


@given(instances(), st.tuples(st.sampled_from(CHANGES), FACTORS), st.tuples(st.sampled_from(CHANGES), FACTORS))
@settings(max_examples=40, deadline=None)
def test_what_was_learnt_from_one_variant_cuts_no_plan_off_another(d, example, asked):
    (teaches, much), (change, factor) = example, asked
    base, changed = based(program(d)), program(change(d, factor))
    scaled, told = scale(base.program).like(changed), list[Message]()
    listening = Unhurried(time.monotonic() + 60, threading.Event(), told.append, 1e-6, 1 / scaled.money)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "FEW", 0)
        footing = base.learning([program(teaches(d, much))])
    cut = None if footing is None else tight(scaled.program, listening, footing)
    if cut is None:
        return
    known = [base.outcome.values.get(name, {}).get(key, 0.0) for name, key in changed.cols]
    near_tight(scaled.program, listening, scaled.program.rounded(np.array(known) / scaled.unit), cut)
    _, best = cold(changed)
    size = 1e-6 * max(1.0, abs(best or 0.0))
    bounds = [m.bound * scaled.money for m in told if isinstance(m, Tick) and m.bound is not None]
    assert all(best is None or bound >= best - size for bound in bounds)
    assert all(scaled.program.violation(m.x) <= 1e-6 for m in told if isinstance(m, Incumbent))


@pytest.fixture(scope="module")
def base() -> Program:
    return scale(fleet(8, 20, 6, seed=1)).program


@pytest.fixture(scope="module")
def footing(base: Program) -> Footing:
    found = footing_of(base, control())
    assert found is not None
    return found


def bound(footing: Footing, variant: Program) -> float:
    cut = tight(variant, control(), footing)
    assert cut is not None
    found = cut.found.lp.bound()
    assert found is not None
    return found


def test_an_example_tightens_its_own_bound_and_loosens_none(base: Program, footing: Footing) -> None:
    example, other = varied(base, 1.1, 0.9), varied(base, 0.8, 1.2)
    learnt = footing.learnt(example, control())
    assert bound(learnt, example) < (1 - 1e-6) * bound(footing, example)
    for variant in (base, other):
        assert bound(learnt, variant) <= bound(footing, variant) * (1 + 1e-9)


def test_an_example_that_cannot_hold_teaches_nothing(base: Program, footing: Footing) -> None:
    assert footing.learnt(replace(base, row_upper=base.row_upper - 1e9), control()) is footing


def test_an_example_that_cannot_be_stated_is_left_out() -> None:
    solved = Base.solved(quick.instance(), gap=1e-6)
    prepared = solved.prepared([Change("no such site", sets=("sites.nowhere.power_mw=*2",))])
    assert prepared.footing is None  # three workflows are too few for cuts
    assert prepared.plan.objective_usd == solved.plan.objective_usd
    with pytest.raises(BadInput):
        prepared.vary(Change("no such site", sets=("sites.nowhere.power_mw=*2",)))


POWER, VALUE = "sites.ashburn.power_mw=*0.5:1.5:3", "workflows.*.value_usd=*0.8,*1"


def told(swept: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in TIMES} for row in swept.rows]


def test_a_sweep_of_many_members_looks_at_examples_first(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    looked: list[int] = []
    prepared = Base.prepared

    def counted(self: Base, examples: Any = (), cancel: Any = None) -> Base:
        asked = list(examples)
        looked.append(len(asked))
        return prepared(self, asked, cancel)

    monkeypatch.setattr(programs, "FEW", 0)
    monkeypatch.setattr(course, "MANY", 6)
    monkeypatch.setattr(Base, "prepared", counted)
    asked = {"gap": 1e-6, "executor": ThreadPoolExecutor, "workers": 1}
    store = tmp_path / "store"
    whole = sweep(quick.instance(), [POWER, VALUE], store=store, **asked)
    assert max(looked) == design.EXAMPLES
    for point, row in list(zip(whole.points, whole.rows, strict=True))[::2]:
        alone = solve(quick.instance(), gap=1e-6, set=[f"{k}={v}" for k, v in point.items()], judge=False)
        assert row["objective_usd"] == pytest.approx(alone.objective_usd, rel=2e-6)
    lines = (store / "members.jsonl").read_bytes().splitlines(keepends=True)
    (store / "members.jsonl").write_bytes(b"".join(lines[:2]))  # interrupted after two
    assert told(sweep(quick.instance(), [POWER, VALUE], store=store, **asked)) == told(whole)
    looked.clear()
    sweep(quick.instance(), [POWER, VALUE], store=store, **asked)  # nothing is left to solve
    sweep(quick.instance(), [POWER], **asked)  # three members
    assert max(looked) == 0


@pytest.mark.parametrize("maximise", [True, False])
@pytest.mark.parametrize("proved", [2e6, 0.5, -0.5, -2e6])
def test_what_is_enough_just_closes_the_gap(maximise: bool, proved: float) -> None:
    p = replace(fleet(8, 14, 2, seed=4), maximise=maximise)
    watch = Watch(p, replace(scale(p), money=8.0), 1.0, None, None, 0.0, bound=proved)
    enough = watch.enough(1e-3)
    assert enough is not None
    gap, worse = relative_gap(8.0 * enough, proved), relative_gap(8.0 * enough * (1 - 1e-6), proved)
    further = relative_gap(8.0 * enough * (1 + 1e-6), proved)
    assert gap is not None
    assert worse is not None
    assert further is not None
    assert gap <= 1e-3 < max(worse, further)
    assert watch.enough(0.0) == pytest.approx(proved / 8.0)
    assert Watch(p, scale(p), 1.0, None, None, 0.0).enough(1e-3) is None


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("maximise", [True, False])
def test_a_part_is_searched_no_further_than_closes_the_gap_of_the_whole(
    base: Program, maximise: bool, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "INSTALLED", installed)
    p = facing(base, maximise)
    everything, nothing = np.ones_like(p.integer), np.zeros(p.cost.size)
    assert p.violation(nothing) == 0
    best = search_near(p, aimed(lambda: None), everything, nothing)
    assert best.x is not None
    goal = 0.5 * p.objective(best.x)
    enough = search_near(p, aimed(lambda: goal), everything, nothing)
    assert enough.x is not None
    assert (p.objective(enough.x) - goal) * (1 if maximise else -1) >= 0
    assert p.gain(best.x, over=enough.x) > 0  # it went no further
    assert enough.pivots < best.pivots


def aimed(enough: Callable[[], float | None]) -> Unhurried:
    return Unhurried(time.monotonic() + 60, threading.Event(), lambda _: None, 1e-6, enough=enough)


def test_rows_give_way_to_what_the_linear_program_left_of_them() -> None:
    """The period after takes 7e-8 more than there is: a replica that takes a hundredth of it has nothing, not less."""
    p = Program(
        start=np.array([0, 2, 3], np.int32), index=np.array([0, 1, 2], np.int32), value=np.array([1.0, 0.01, 1.0]),
        row_lower=np.full(2, -np.inf), row_upper=np.array([2.0, 5.0]), col_lower=np.zeros(3), col_upper=np.full(3, 9.0),
        cost=np.ones(3), offset=0.0, maximise=True, integer=np.array([True, True, True]),
        strategy=np.zeros(3, bool), period=np.array([1, 0, 0], np.int32),
    )  # fmt: skip
    x = placed(p, control(), np.array([2.0 + 7e-8, 2e-6, 0.4]), 1e-6)
    assert x is not None
    assert p.rounded(x).tolist() == [2.0, 0.0, 5.0]
