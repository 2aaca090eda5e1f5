"""Limits that are not full and have no room for one more whole step: asked about, classed by the answer, and shown."""

from __future__ import annotations

from typing import Any

import pytest
import quick
from small_questions import knapsack
from test_explain_questions import explained, row
from tiny import calendar, data, endpoint, optimum, pool, workflow

from optimizer import explain
from optimizer.explaining.lots import lots
from optimizer.report.explained import sentences

CAL = calendar()


@pytest.fixture(scope="module")
def quickstart() -> dict[str, Any]:
    return explain(quick.instance(), explain_time=20).document


def test_power_that_lacks_less_than_a_node_is_asked_about(quickstart):
    """17.5 of 20 kW are drawn, a node of L40S draws 2.5 kW and its first replica 0.3: more kW earn, none are full."""
    (power,) = [line for line in quickstart["limits"] if line["owner"] == "sites.ashburn"]
    price = power["average_incremental_price"]
    more = explain(quick.instance(), set=["sites.ashburn.power_mw=+5 kW"], explain_time=5).document
    assert more["objective_usd"] - quickstart["objective_usd"] == pytest.approx(9504)
    assert price["usd"][0] > 0
    line = row(quickstart, "constraints", family="power_limit", period="2027Q1")
    assert (line["full"], line["class"]) == (False, "scarce")
    assert row(quickstart, "constraints", family="power_limit", period="2027Q2")["class"] == "slack"


def test_the_first_screen_agrees_with_the_tables(quickstart):
    """A node of H100 earns in the second quarter, and costs more than it earns over both."""
    said = [text for _, text in sentences(quickstart)]
    assert any(text.startswith("sites.ashburn: 2 kW more earns") for text in said)
    assert "pools.h100: 1 node of 8 GPUs more in 2027Q2 alone earns $6,098." in said
    assert not any("no single limit" in text for text in said)
    node = row(quickstart, "limits", owner="pools.h100")
    assert node["one_more_usd"][1] < 0
    assert node["saturates_at"] is None


def test_room_for_a_step_is_slack_and_not_asked_about():
    """Replicas of 3 GPUs on 4 with room for 1: not full, a step is short. On 8 with demand for one: room is left."""
    ends = {"e": endpoint(CAL, gpus=3)}
    flow = workflow(CAL, demand=400)
    tight = data(CAL, pools={"gpus": pool(CAL, count=5)}, endpoints=ends, workflows={"w": flow})
    document = explained(tight, seconds=10)
    line = row(document, "constraints", family="gpu_capacity", row="gpus", period="T1")
    lot = next(each for each in lots(tight, {}) if each.owner == "pools.gpus")
    assert optimum(lot.add(tight, 1, CAL.periods)) - optimum(tight) == pytest.approx(200)
    assert line["class"] == "scarce"
    document = explained(
        data(CAL, pools={"gpus": pool(CAL, count=20)}, endpoints=ends, workflows={"w": flow}), seconds=10
    )
    assert row(document, "constraints", family="gpu_capacity", row="gpus", period="T1")["class"] == "slack"
    assert document["limits"] == []


def test_what_earns_nothing_saturates_nowhere():
    """13 GPUs hold all three workflows."""
    assert row(explained(knapsack(13.0), seconds=10), "limits", owner="resources.gpu")["saturates_at"] is None
