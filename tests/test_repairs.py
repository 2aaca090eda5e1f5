"""No plan exists: planner's figures in words, and repairs in whole lots at their price. Sums are in the docstrings."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from optimizer import explain, solve
from optimizer.instance import parse
from optimizer.report.answer import answer
from optimizer.report.explained import sentences, show_explanation


def promised(tasks: float = 800, nodes: int = 4, **more: Any) -> dict[str, Any]:
    """8 GPUs of 100 tasks/h in one node, 60,000 for another; two promises of so many tasks an hour for two periods."""
    flow = {"demand": f"{tasks} per hour", "tokens_in": 100, "tokens_out": 100, "value_usd": 0.05,
            "min_service": "100%", "must_fund": True, "accepts": {"models": ["m"]}}  # fmt: skip
    relief = {"lot": "1 node", "usd_per_lot": 60_000, "max_lots": nodes, "owner": "buyer"}
    return {
        "schema": "solvency/1", "name": "Two promises", "horizon": {"start": "2027Q1", "periods": 2, "unit": "quarter"},
        "sites": {"x": {"jurisdiction": "US", "power_mw": 1, "pue": 1, "usd_per_mwh": 100}},
        "pools": {"a": {"site": "x", "gpu": "h100-sxm", "count": 8, "usd_per_gpu_hour": 1, "relief": relief}},
        "deployments": {"one": {"model": "m", "gpu": "h100-sxm", "hbm_gb": 39, "gpus": 1, "tasks_per_hour": 100,
                                "idle_kw": 0.5, "op_kw": 1}},
        "workflows": {"w1": flow, "w2": flow}, "options": {"headroom": "100%", "availability": "100%"}, **more,
    }  # fmt: skip


def conflict(document: dict[str, Any]) -> dict[str, Any]:
    found = explain(parse(document), explain_time=20).conflict
    assert found is not None
    return found


def said(document: dict[str, Any]) -> str:
    page = Console(width=400, file=StringIO())
    show_explanation(document, page)
    return page.file.getvalue()


@pytest.fixture(scope="module")
def node() -> dict[str, Any]:
    """16 GPUs for 8: one node more."""
    return conflict(promised())


def test_a_node_is_bought_once_and_covers_all_rows_and_periods(node):
    first = node["repairs"][0]
    assert (first["relief_usd"], first["verified"]) == (60_000, True)
    assert first["words"] == "1 node of 8 GPUs more at pools.a (buyer decides)"
    assert [(lot["owner"], lot["lots"]) for lot in first["lots"]] == [("pools.a", 1)]
    more = parse(promised()).vary("pools.a.count=16")
    assert solve(more, judge=False).status == "optimal"


def test_the_row_that_rounds_up_to_nodes_is_said_in_gpus_that_are_there(node):
    assert node["sentence"].endswith("together need 16 GPUs of a in 2027Q2, 8 GPUs are there")
    assert node["reasons"] == ["the promises to w1 and w2 need at least 16 GPUs of a in 2027Q1, 8 are there"]


def test_no_more_lots_are_offered_than_there_are():
    """4,000 tasks an hour twice need 80 GPUs: nine nodes more, of which one or four can be had."""
    for nodes in (1, 4):
        repairs = conflict(promised(4000, nodes))["repairs"]
        assert repairs
        assert all(lot["lots"] <= nodes for repair in repairs for lot in repair["lots"])
        assert not any("GPUs of a" in repair["words"] for repair in repairs)
    assert conflict(promised(4000, 9))["repairs"][0]["relief_usd"] == 9 * 60_000


def test_what_a_node_takes_to_run_is_paid_for_too():
    """A node more costs 8 x $1 an hour: a budget that holds what is owned lacks that, and is raised beside the node."""
    owned = 8 * 2184 * 1.0 + 2000  # the longer quarter, and the power of 16 GPUs at $0.1 a kWh is more
    limits = {"spend": {"opex_usd": {"amount": owned, "relief": {"lot": "10000 USD", "usd_per_lot": 1, "max_lots": 9}}}}
    first = conflict(promised(limits=limits))["repairs"][0]
    assert {lot["owner"]: lot["lots"] for lot in first["lots"]} == {"pools.a": 1, "limits.spend.opex_usd": 2}
    assert (first["relief_usd"], first["verified"]) == (60_002, True)


def test_a_budget_is_told_as_the_instance_states_it():
    """Owned GPUs alone cost 8 x $1 x 2160 h = 17,280 in the first quarter, 17,472 in the second; 9,000 are there."""
    found = conflict(promised(limits={"spend": {"opex_usd": "9k"}}))
    assert "budget opex_usd" in found["sentence"]
    assert found["sentence"].endswith("$9,000 is there")


def test_money_is_in_the_currency_of_the_instance():
    found = explain(parse(promised(currency="EUR")), explain_time=20).document
    text = " ".join(line for _, line in sentences(found))
    assert "€60K" in text
    assert "$" not in text


def test_the_footer_claims_no_more_than_was_verified():
    found = explain(parse(promised()), explain_time=20).document
    assert "Each repair was verified by solving again." in said(found)
    found["conflict"]["repairs"][0]["verified"] = False
    assert f"{len(found['conflict']['repairs']) - 1} of {len(found['conflict']['repairs'])} repairs" in said(found)


def test_one_promise_alone_that_no_fleet_keeps_has_its_reason():
    flows = promised(4000)["workflows"]
    reasons = conflict(promised(workflows={"w1": flows["w1"]}))["reasons"]
    assert reasons == ["the promise to w1 needs at least 40 GPUs of a in 2027Q1, 8 are there"]


def test_dropping_a_rule_is_not_said_to_make_a_plan():
    """Memory and GPUs are both short: without either the other is in the way."""
    d = promised()
    d["deployments"]["one"]["hbm_gb"] = 70
    plan = solve(parse(d), judge=False)
    text = " ".join(line for _, line in answer(plan))
    assert "a plan exists" not in text
    assert "ends this conflict, not another one" in text
    for family in plan.conflict["families"][1:2]:
        assert solve(parse(d), judge=False, drop=[family]).status == "infeasible"
