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
from test_warm import CHANGES, FACTORS, assert_as_cold, based, cold, program

from optimizer.engine import program as programs
from optimizer.engine.messages import Incumbent, Message, Tick
from optimizer.engine.near import Unhurried, near_tight
from optimizer.engine.scale import scale
from optimizer.engine.sifting import linear
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


class Loud(Unhurried):
    """One whose steps all speak."""

    def quietly(self, seconds: float, gap: float = 0.0) -> Loud:
        return replace(self, gap=gap)


def control(told: list[Message] | None = None) -> Loud:
    return Loud(time.monotonic() + 60, threading.Event(), [].append if told is None else told.append, 1e-6)
