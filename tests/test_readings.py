"""Readings of the mathematics on which an independent statement of it, written from the design alone, once disagreed.

Each instance in `readings/` is small enough to tell its net value by hand; scenarios change nothing, or just what they
say.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer import BadInput, load, parse, solve

FOLDER = Path(__file__).parent / "readings"
TOLD = [
    # two replicas on two GPUs move what one cannot: 3,600 tasks an hour at $0.001 over 1,000 h
    ("shared-bound", None, 3_600),
    ("shared-bound", "floor", 3_600),
    ("shared-bound", "keep", 3_600),
    # from four replicas to three and back, one move a quarter: $4,000 twice; where moves cost $1,000 none is made
    ("ramp-gap", None, 8_000),
    ("ramp-gap", "little", 8_010),
    ("ramp-gap", "cost", 8_000),
    # one GPU: $1,000 less two quarters of power ($100) for w, or $900 less $100 in each for v
    ("constant-gap", None, 1_600),
    ("constant-gap", "little", 1_600),
    # three replicas of 1 kW stand in both quarters, at $100 a quarter each
    ("pin-gap", None, 400),
    # a job is launched once in its window, in whichever quarter there is room
    ("jobs", None, 2_000),
    ("jobs", "portfolio", 2_000),
    ("jobs", "must", 2_000),
    # 1,000 tasks earn $1 each in the first and the last quarter, less $600 once
    ("relaunch", None, 1_400),
    # what runs at a loss may be stopped at once, also where what is funded in the plan is kept
    ("keep-running", None, 0),
    # $1,000 of chat by day, $500 of a job that does not say when it is done by night
    ("job-hours", None, 1_500),
    ("job-hours", "batch", 1_500),
    # nothing was leased that could be given back, nothing is owned that could be sold
    ("release-bought", None, 0),
    ("retire-leased", None, 0),
    # a workflow without demand; 10 tasks of the other earn $1 each
    ("nodemand", None, 10),
    # a review share of an AI model of which no candidate is left: 100,000 tasks, a tenth reviewed for a minute at $10
    ("review-name", None, 100_000 * (1 - 0.1 / 6)),
    # training on GPUs that its residency excludes
    ("retr-empty", None, 0),
]


@pytest.mark.parametrize(("name", "scenario", "usd"), TOLD)
def test_the_plan_earns_what_is_told_by_hand(name, scenario, usd):
    plan = solve(load(FOLDER / f"{name}.yaml"), gap=1e-9, scenario=scenario)
    assert plan.status == "optimal"
    assert plan.objective_usd == pytest.approx(usd, rel=1e-6, abs=1e-3)
    assert plan.document["verification"]["passed"]


def test_tokens_that_a_share_counts_are_stated():
    """Without a default nothing of the workflow would count, and the limit would not hold it."""
    data = load(FOLDER / "jobs.yaml").dump()
    data["limits"]["concentration"] = {"v": {"apis": ["v"], "share": 0.5}}
    data["workflows"]["a"]["tokens_out"] = {"v": 10}
    with pytest.raises(BadInput, match=r"workflows\.a\.tokens_out has no default, by which limits\.concentration"):
        parse(data)
