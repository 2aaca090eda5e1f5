"""Cuts of a base made anew for its variants: bounds and plans that they lead to hold, and no better plan is cut off."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fleet import fleet
from generated import instances
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from test_warm import CHANGES, FACTORS, assert_as_cold, based, cold, program

from optimizer.engine import program as programs
from optimizer.engine.messages import Incumbent, Message, Tick
from optimizer.engine.near import Unhurried, near_tight
from optimizer.engine.program import Program
from optimizer.engine.recutting import with_cuts
from optimizer.engine.rounding import Cuts
from optimizer.engine.scale import scale
from optimizer.engine.search import search
from optimizer.engine.sifting import linear, sifted_at
from optimizer.engine.tight import footing_of, tight
from optimizer.engine.tighten import tightened


@given(instances(), st.lists(st.tuples(st.sampled_from(CHANGES), FACTORS), min_size=1, max_size=2))
@settings(max_examples=40, deadline=None)
def test_the_optimum_is_the_cold_one_however_small_the_program(d, changes):
    """All stages that only larger programs have otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "FEW", 0)
        assert_as_cold(d, changes)


@given(instances(), st.sampled_from(CHANGES), FACTORS)
@settings(max_examples=40, deadline=None)
def test_what_is_told_on_the_way_holds(d, change, factor):
    base, changed = based(program(d)), program(change(d, factor))
    scaled, told = scale(base.program).like(changed), list[Message]()
    control = Unhurried(time.monotonic() + 60, threading.Event(), told.append, 1e-6, 1 / scaled.money)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "FEW", 0)
        footing = footing_of(scale(base.program).program, control)
    cut = None if footing is None else tight(scaled.program, control, footing)
    if cut is None:
        return
    known = [base.outcome.values.get(name, {}).get(key, 0.0) for name, key in changed.cols]
    x = near_tight(scaled.program, control, scaled.program.rounded(np.array(known) / scaled.unit), cut)
    cut.cut_further(control)
    _, best = cold(changed)
    size = 1e-6 * max(1.0, abs(best or 0.0))
    bounds = [m.bound * scaled.money for m in told if isinstance(m, Tick) and m.bound is not None]
    plans = [m.x for m in told if isinstance(m, Incumbent)] + ([] if x is None else [x])
    assert all(best is None or bound >= best - size for bound in bounds)
    assert all(scaled.program.violation(y) <= 1e-6 for y in plans)
    assert all(best is not None and scaled.program.objective(y) * scaled.money <= best + size for y in plans)


def test_cuts_of_a_base_close_in_a_variant_a_part_of_what_cuts_of_its_own_would() -> None:
    """A tenth more of everything that is limited, and work worth a tenth less."""
    base = scale(fleet(8, 20, 6, seed=1)).program
    more = np.where(base.row_upper > 0, 1.1 * base.row_upper, base.row_upper)
    variant = replace(base, row_upper=more, cost=np.where(base.cost > 0, 0.9 * base.cost, base.cost))
    footing, told = footing_of(base, control()), list[Message]()
    lp = linear(tightened(variant), control())
    assert footing is not None
    assert lp.ended()
    cut, plain = tight(variant, control(), footing), lp.bound()
    footing_of(variant, control(told))
    assert cut is not None
    made_anew, own = cut.found.lp.bound(), min(m.bound for m in told if isinstance(m, Tick) and m.bound is not None)
    assert plain is not None
    assert made_anew is not None
    assert plain - made_anew >= 0.25 * (plain - own) > 0


def varied(base: Program, more: float, dearer: float) -> Program:
    """So many times of everything that is limited, and work worth so many times what it was."""
    limits = np.where(base.row_upper > 0, more * base.row_upper, base.row_upper)
    return replace(base, row_upper=limits, cost=np.where(base.cost > 0, dearer * base.cost, base.cost))


@pytest.mark.parametrize(("more", "dearer"), [(1.0, 1.0), (1.1, 0.9), (0.8, 1.2), (0.5, 0.5), (0.0, 1.0)])
def test_a_linear_program_from_the_footing_ends_where_one_from_nothing_does(more: float, dearer: float) -> None:
    base = scale(fleet(8, 20, 6, seed=1)).program
    footing, variant = footing_of(base, control()), varied(base, more, dearer)
    assert footing is not None
    cut, made = footing.recipe.on(tightened(variant))
    lp = linear(cut, control())
    found = sifted_at(cut, control(), footing.cols, footing.basis_of(cut, made))
    assert lp.ended()
    assert found is not None
    assert found.lp.bound() == pytest.approx(lp.bound(), rel=1e-7, abs=1e-6)


def test_a_footing_serves_a_program_with_rows_of_its_own() -> None:
    """One more row, which forbids a half of what is earned: the basis has a place for it before those of the cuts."""
    base = scale(fleet(8, 20, 6, seed=1)).program
    footing, lp = footing_of(base, control()), linear(base, control())
    assert footing is not None
    assert lp.ended()
    half, earns = 0.5 * (lp.bound() or 0.0), np.flatnonzero(base.cost)
    row = Cuts(
        sparse.csr_array((base.cost[earns], (np.zeros_like(earns), earns)), (1, base.cost.size)), np.array([half])
    )
    cut = tight(with_cuts(base, row), control(), footing)
    assert cut is not None
    assert cut.found.lp.bound() == pytest.approx(half)


def test_all_is_placed_again_where_the_placement_of_the_base_breaks_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth fewer GPUs: the strategy of the base still holds, its replicas do not."""
    base = scale(fleet(8, 20, 6, seed=1)).program
    best = search(base, control(), None).x
    footing, fewer = footing_of(base, control()), varied(base, 0.9, 1.0)
    assert best is not None
    assert footing is not None
    assert fewer.violation(fewer.rounded(best)) > 1e-6
    cut = tight(fewer, control(), footing)
    assert cut is not None
    monkeypatch.setattr(type(cut), "strategies", lambda *_: [])
    x = near_tight(fewer, control(), fewer.rounded(best), cut)
    assert x is not None
    assert fewer.violation(x) <= 1e-6
    assert fewer.objective(x) >= 0.5 * fewer.objective(search(fewer, control(), None).x)


class Loud(Unhurried):
    """One whose steps all speak."""

    def quietly(self, seconds: float, gap: float = 0.0) -> Loud:
        return replace(self, gap=gap)


def control(told: list[Message] | None = None) -> Loud:
    return Loud(time.monotonic() + 60, threading.Event(), [].append if told is None else told.append, 1e-6)
