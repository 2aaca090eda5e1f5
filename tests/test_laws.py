"""Laws that every family obeys, on generated instances."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest
import tiny
from generated import instances
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyomo.contrib.solver.common.factory import SolverFactory

from optimizer.formulation.build import state
from optimizer.formulation.families import FAMILIES

FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
SOME = settings(FEW, max_examples=30)
PROMISES = [each for each in FAMILIES if each.kind != "link"]
NOISE = 1e-4


@pytest.mark.parametrize("each", PROMISES, ids=lambda f: f.name)
@FEW
@given(d=instances())
def test_dropping_a_family_never_lowers_the_optimum(each, d):
    if state(d).rows[each.name]:
        assert _optimum(d, without=(each.name,)) >= _optimum(d) - NOISE


@SOME
@given(d=instances(), data=st.data())
def test_relaxing_one_row_never_hurts(d, data):
    f = state(d)
    rows = [(each.name, row) for each in PROMISES for row in f.rows[each.name]]
    name, row = data.draw(st.sampled_from(rows))
    before = _solve(f.model)
    _loosen(f, name, row, by=1.0)
    after = _solve(f.model)
    if before is not None:
        assert after is not None
        assert after >= before - NOISE


@SOME
@given(d=instances())
def test_the_ledger_sums_to_the_objective(d):
    f = _solved_or_none(d)
    if f is not None:
        ledger = sum(
            d.calendar.discount[entry.period] * pyo.value(entry.cash)
            for entries in f.terms.values()
            for entry in entries
        )
        assert ledger == pytest.approx(pyo.value(f.model.net_value), abs=1e-6)


@SOME
@given(d=instances(), data=st.data())
def test_on_a_linear_instance_the_price_is_the_finite_difference(d, data):
    """Integers relaxed: the change of the optimum over a small step lies between the prices at both its ends."""
    m, f = _relaxed(d)
    before, price = _price(m, f)
    if before is None:
        return
    (name, key), here = data.draw(st.sampled_from(sorted(price.items())))
    row = next(row for row in f.rows[name] if row.key == key)
    step = 1e-3
    _loosen(f, name, row, by=step)
    after, there = _price(m, f)
    assert after is not None
    low, high = sorted((there[name, key], here))
    assert low * step - 1e-6 <= after - before <= high * step + 1e-6


def _loosen(f, name, row, by):
    used = row.used + f.model.nothing
    looser = used <= row.available + by if row.sense == "<=" else used >= row.available - by
    getattr(f.model, name)[row.key].set_value(looser)


def _relaxed(d):
    f = state(d)
    pyo.TransformationFactory("core.relax_integer_vars").apply_to(f.model)
    return f.model, f


def _price(m, f):
    """Optimum, and what loosening each promised row by one is worth (positive when it helps)."""
    solver = SolverFactory("highs")
    solver.config.raise_exception_on_nonoptimal_result = False
    solver.config.load_solutions = False
    result = solver.solve(m)
    if result.incumbent_objective is None:
        return None, {}
    duals = result.solution_loader.get_duals()
    stated = {(each.name, row.key): getattr(m, each.name)[row.key] for each in PROMISES for row in f.rows[each.name]}
    # Pyomo turns a >= b round to b - a <= 0 where b is not a constant
    found = {name: (1.0 if row.has_ub() else -1.0) * duals[row] for name, row in stated.items()}
    return result.incumbent_objective, found


def _solve(m):
    solver = SolverFactory("highs")
    solver.config.rel_gap = 0.0
    solver.config.raise_exception_on_nonoptimal_result = False
    solver.config.load_solutions = False
    return solver.solve(m).incumbent_objective


def _optimum(d, without=()):
    try:
        return tiny.optimum(d, without)
    except tiny.Infeasible:
        return float("-inf")


def _solved_or_none(d):
    try:
        return tiny.solved(d)
    except tiny.Infeasible:
        return None
