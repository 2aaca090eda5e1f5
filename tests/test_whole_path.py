"""The whole path on what is unusual: families switched off, names of one's own, and everything dropped in turn."""

from __future__ import annotations

import pytest
import quick

from optimizer import FAMILIES, TERMS, parse, solve


@pytest.mark.parametrize("name", [each.name for each in FAMILIES])
def test_any_family_may_be_dropped_and_the_plan_still_checks(name):
    plan = solve(quick.instance(), drop=[name])
    assert plan.status == "optimal"
    assert plan.document["verification"]["passed"]
    assert plan.document["objective_usd"] >= quick.NET_VALUE * (1 - 1e-3)
    assert plan.document["executable"] == (
        not name.endswith("_link") or name in ("launch_link", "tool_link", "change_link")
    )


@pytest.mark.parametrize("name", [each.name for each in TERMS])
def test_any_term_may_be_dropped_and_is_then_not_counted(name):
    plan = solve(quick.instance(), drop=[name])
    ledger = {line["term"]: line["usd"] for line in plan.document["ledger"]}
    assert plan.document["verification"]["passed"]
    assert ledger[name] == 0
    assert sum(ledger.values()) == pytest.approx(plan.document["objective_usd"])
    if name in ("energy", "launches", "api_tokens", "gpu_running"):
        assert plan.document["objective_usd"] > quick.NET_VALUE * 1.01


def test_an_ai_model_of_ones_own_may_be_left_without_a_deployment():
    """Its only deployment falls to residency; the plan says so and is still checked."""
    data = quick.instance().dump()
    data["deployments"]["small"]["model"] = "my-own-net"
    data["workflows"]["invoices"] |= {"accepts": {"models": ["my-own-net"]}, "residency": ["DE"]}
    plan = solve(parse(data))
    assert plan.document["verification"]["passed"]
    assert ("invoices", "residency") in {(c["workflow"], c["stage"]) for c in plan.document["candidates"]}
