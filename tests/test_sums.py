"""Sums made at once are those that Pyomo would make one by one."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from optimizer.formulation.sums import total, weighted


@pytest.fixture
def m() -> pyo.ConcreteModel:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(3), initialize={0: 2.0, 1: 3.0, 2: 5.0})
    return model


def test_they_are_worth_what_they_say(m: pyo.ConcreteModel) -> None:
    assert pyo.value(total(m.x.values())) == 10
    assert pyo.value(weighted((float(k), x) for k, x in m.x.items())) == 13
    assert pyo.value(2 * weighted([(0.5, m.x[0])]) - total([m.x[1]]) / 3 + 1) == 2


def test_what_counts_nothing_is_not_there(m: pyo.ConcreteModel) -> None:
    assert weighted([(0.0, m.x[0]), (4.0, m.x[1])]).nargs() == 1
    assert weighted([(0.0, m.x[0])]) == total([]) == 0
