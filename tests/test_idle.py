"""Funding that nothing comes of: taken back where every row holds without it, left where something asks for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny import calendar, data, flat, workflow

from optimizer.engine.compile import compile_model
from optimizer.engine.highs import solve_program
from optimizer.formulation.build import state
from optimizer.plan.idle import without_idle
from optimizer.solving import TAGS

CAL = calendar()


def funded_for_nothing(**more):
    """Two workflows, of which the second is worthless; the solver's answer with the second funded all the same."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", usd=0.0, **more)}
    program = compile_model(state(data(CAL, workflows=flows)).model, tags=TAGS)
    outcome = solve_program(program, gap=1e-9)
    decided = {name: {**keys} for name, keys in outcome.values.items()}
    decided["fund"]["x", "T1"] = decided["launch"]["x", "T1"] = 1.0
    return program, replace(outcome, values=decided)


def test_funding_that_nothing_comes_of_is_taken_back():
    program, outcome = funded_for_nothing()
    cleaned = without_idle(program, outcome)
    assert cleaned.values["fund"] == {("w", "T1"): 1, ("x", "T1"): 0}
    assert cleaned.values["launch"]["x", "T1"] == 0
    assert cleaned.values["tranche"] == outcome.values["tranche"]
    assert cleaned.objective == pytest.approx(outcome.objective)
    assert without_idle(program, cleaned) is cleaned


def test_a_launch_that_costs_something_is_not_paid_for_nothing():
    program, outcome = funded_for_nothing(launch_usd=flat(CAL, 100.0))
    paid = replace(outcome, objective=outcome.objective - 100.0)
    assert without_idle(program, paid).objective == pytest.approx(outcome.objective)


def test_what_must_be_funded_stays_so():
    program, outcome = funded_for_nothing(must_fund=True)
    assert without_idle(program, outcome) is outcome
