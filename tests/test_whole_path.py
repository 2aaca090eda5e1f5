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


@pytest.mark.parametrize("row", ["balance_link", "balance_link[support,*]"])
def test_promises_are_not_checked_where_what_is_sold_need_not_be_served(row):
    """Without the balance three quarters are sold and nothing is served; the plan says that it is none."""
    data = quick.instance().dump()
    data["workflows"]["support"] |= {"min_service": 0.75, "must_fund": True}
    plan = solve(parse(data), drop=[row])
    assert plan.document["verification"]["passed"]
    assert plan.document["verification"]["rows_by_family"].get("service_floor", 0) == 0
    assert not plan.document["executable"]


def test_a_lease_given_back_no_longer_counts_against_the_budget():
    """16 GPUs leased at $2 and run for $0.5 an hour cost $86,400 a quarter; half of them do all the work for half."""
    data = {
        "schema": "solvency/1",
        "name": "release",
        "horizon": {"periods": [{"id": "T1", "hours": 2160}]},
        "sites": {"x": {"jurisdiction": "US", "pue": 1, "usd_per_mwh": 0}},
        "pools": {
            "f": {"site": "x", "gpu": "h100-sxm", "count": 16, "usd_per_gpu_hour": 0.5, "lease_usd_per_gpu_hour": 2}
        },
        "deployments": {
            "one": {"model": "m", "gpu": ["h100-sxm"], "hbm_gb": 60, "gpus": 1, "kw": 1, "tasks_per_hour": 100}
        },
        "offers": {"back": {"kind": "release", "pool": "f", "lot": 8, "max_lots": 2, "penalty_usd_per_lot": 1000}},
        "workflows": {
            "w": {"demand": "800 per hour", "tokens_in": 100, "tokens_out": 100, "value_usd": 0.05,
                  "accepts": {"models": ["m"]}}
        },
        "options": {"headroom": 1, "availability": 1},
        "limits": {"spend": {"opex_usd": 50_000}},
    }  # fmt: skip
    plan = solve(parse(data), judge=False)
    cash = {line["term"]: line["cash_usd"] for line in plan.document["ledger"] if line["cash_usd"]}
    assert cash == pytest.approx({"value": 86_400, "gpu_running": -8_640, "gpu_lease": -34_560 - 1_000})
    assert plan.pools["usd"].tolist() == pytest.approx([43_200])
    assert plan.footprint[["t_co2", "m3"]].isna().all(axis=None)  # the site states no rates
    short = solve(parse({**data, "limits": {"spend": {"opex_usd": 40_000}}, "workflows": {
        "w": {**data["workflows"]["w"], "must_fund": True, "min_service": 1}}}), judge=False)  # fmt: skip
    assert short.status == "infeasible"
    data["offers"] = {}
    (reason,) = solve(parse(data), judge=False).document["conflict"]["reasons"]
    assert reason.endswith("owned GPUs alone cost 86,400")


def test_an_ai_model_of_ones_own_may_be_left_without_a_deployment():
    """Its only deployment falls to residency; the plan says so and is still checked."""
    data = quick.instance().dump()
    data["deployments"]["small"]["model"] = "my-own-net"
    data["workflows"]["invoices"] |= {"accepts": {"models": ["my-own-net"]}, "residency": ["DE"]}
    plan = solve(parse(data))
    assert plan.document["verification"]["passed"]
    assert ("invoices", "residency") in {(c["workflow"], c["stage"]) for c in plan.document["candidates"]}
