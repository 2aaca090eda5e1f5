"""Explanations on problems small enough to know the truth: each figure against cold solves of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_questions import VALUES, knapsack, two_caps
from tiny import Infeasible, api, calendar, data, endpoint, flat, optimum, pair, pool, site, workflow

from optimizer.asking import changes
from optimizer.asking.interval import Interval, difference
from optimizer.engine.highs import solve_program
from optimizer.engine.solver import Control
from optimizer.explaining.explain import Asked, Clock, investigate
from optimizer.explaining.lots import lots
from optimizer.explaining.relief import Relief
from optimizer.explaining.study import study
from optimizer.formulation.data import Data

SECONDS = 20.0
CLOSE = 1e-5


def explained(d: Data, seconds: float = SECONDS, reliefs: Mapping[str, Relief] | None = None) -> dict[str, Any]:
    found = study(d, (), (), lots(d, reliefs or {}))
    control = Control(time.monotonic() + seconds, threading.Event(), lambda _: None)
    return investigate(Asked(found, Clock(control, seconds)))


def row(document: dict[str, Any], table: str, **match: Any) -> dict[str, Any]:
    return next(r for r in document[table] if all(r[k] == v for k, v in match.items()))


def holds(ends: list[float | None], truth: float) -> bool:
    low, high = (-np.inf if ends[0] is None else ends[0]), (np.inf if ends[1] is None else ends[1])
    return low - CLOSE <= truth <= high + CLOSE


@pytest.fixture(scope="module")
def sack() -> dict[str, Any]:
    return explained(knapsack())


def test_held_dual_relaxation_and_truth_of_the_knapsack(sack):
    """At the placement 0, of the relaxation 2.33, in truth 4.00."""
    d = knapsack()
    found = study(d, (), (), lots(d, {}))
    outcome = solve_program(found.program, gap=0.0)
    from optimizer.engine.prices import placement_prices  # noqa: PLC0415

    held = placement_prices(found.program, outcome.values, 10.0)
    at = found.row_at["resource_capacity", ("gpu", "T1")]
    assert held is None or held[0][at] == pytest.approx(0.0)
    assert sack["appendix"][0]["relaxation_price"] == pytest.approx(7 / 3)
    assert row(sack, "limits", owner="resources.gpu")["one_more_usd"] == pytest.approx([4.0, 4.0])
    assert row(sack, "limits", owner="resources.gpu")["one_fewer_usd"] == pytest.approx([4.0, 4.0])


def test_value_curve_of_the_knapsack(sack):
    """Best values for 7 ... 13 GPUs are 16, 16, 20, 24, 24, 24, 30."""
    curve = row(sack, "limits", owner="resources.gpu")["curve"]
    assert {c["lots"]: round(c["usd"][0], 6) for c in curve} == {-2: -4, -1: -4, 0: 0, 1: 4, 2: 4, 3: 4, 4: 10}
    assert row(sack, "limits", owner="resources.gpu")["average_incremental_price"] == {"usd": [4.0, 4.0], "k": 1}


def test_why_a_is_not_funded(sack):
    """Forcing a in costs 4 and displaces b; it is funded from 14 on; with 4 more GPUs all three fit."""
    a = row(sack, "workflows", workflow="a")
    assert a["cost_usd"] == pytest.approx([4.0, 4.0])
    assert [each["workflow"] for each in a["displaces"]] == ["b"]
    assert a["verified"]
    assert holds(a["break_even_usd"], 14.0)
    assert (a["cheapest_change"]["owner"], a["cheapest_change"]["lots"]) == ("resources.gpu", 4)


def test_what_keeps_a_out_is_the_gpus_that_the_others_fill(sack):
    """b and c fill all 9 GPUs; with a quarter of a workflow for each GPU more, and nothing behind them."""
    a = row(sack, "workflows", workflow="a")
    assert a["could_share"] == pytest.approx(0.0)
    (stop,) = a["blocked_by"]
    assert (stop["family"], stop["row"], stop["period"], stop["turn"]) == ("resource_capacity", "gpu", "T1", 1)
    assert stop["tasks_per_unit"] == pytest.approx(1 / 4)
    assert stop["tasks_per_percent"] == pytest.approx(9 / 100 / 4)
    assert "blocked_by" not in row(sack, "workflows", workflow="b")


def test_of_two_limits_that_stop_a_workflow_together_both_are_named():
    document = explained(two_caps())
    for short in (each for each in document["workflows"] if each["verdict"] == "none"):
        assert {(each["row"], each["turn"]) for each in short["blocked_by"]} in (
            {("gpu", 1), ("kw", 2)}, {("kw", 1), ("gpu", 2)},
        )  # fmt: skip
        assert short["could_share"] == pytest.approx(0.0)


def test_a_workflow_that_does_not_pay_is_stopped_by_nothing():
    """c is worth nothing now: 3 of 9 GPUs stay free beside b, room for it, and none for a of 4 GPUs as a whole."""
    d = knapsack()
    worthless = tuple(replace(b, usd=times(b.usd, -1.0)) for b in d.workflows["c"].bundles)
    poor = replace(d, workflows=d.workflows | {"c": replace(d.workflows["c"], bundles=worthless)})
    document = explained(poor)
    c, a = (row(document, "workflows", workflow=w) for w in "ca")
    assert (c["verdict"], c["could_share"], c["blocked_by"]) == ("none", pytest.approx(1.0), [])
    assert a["could_share"] == pytest.approx(3 / 4)  # whole bundles aside
    assert [each["row"] for each in a["blocked_by"]] == ["gpu"]


def times(amounts, factor):
    return {key: amount * factor for key, amount in amounts.items()}


def test_break_even_flips_the_decision_when_crossed(sack):
    low, high = row(sack, "workflows", workflow="a")["break_even_factor"]
    d = knapsack()
    program = study(d, (), (), ()).program
    for factor, funded in ((low * 0.99, 0.0), (high * 1.01, 1.0)):
        outcome = solve_program(changes.revalued(program, "a", factor), gap=0.0)
        assert outcome.values["fund"]["a", "T1"] == funded


def test_what_is_funded_may_fall_as_far_as_it_says(sack):
    """b earns 14 where a would earn 10: it stays above 10 / 14 of its value and not below."""
    share = row(sack, "workflows", workflow="b")["may_fall_to_factor"]
    assert share == pytest.approx(10 / 14)
    program = study(knapsack(), (), (), ()).program
    for factor, funded in ((share * 1.01, 1.0), (share * 0.99, 0.0)):
        assert solve_program(changes.revalued(program, "b", factor), gap=0.0).values["fund"]["b", "T1"] == funded


def test_two_caps_bind_jointly_and_not_alone():
    document = explained(two_caps())
    for owner in ("resources.gpu", "resources.kw"):
        assert row(document, "limits", owner=owner)["one_more_usd"] == [0.0, 0.0]
        assert row(document, "limits", owner=owner)["one_fewer_usd"] == pytest.approx([3.0, 3.0])
    assert {r["class"] for r in document["constraints"]} == {"jointly scarce"}
    (bundle,) = document["bundles"]
    assert bundle["lots"] == ["1 GPU", "2 x 1 KW"]
    assert bundle["alone_usd"] == [[0.0, 0.0], [0.0, 0.0]]
    assert bundle["together_usd"] == pytest.approx([3.0, 3.0])
    assert document["ties"], "eight equal workflows for five places are a tie"


def fleet(**more: Any) -> Data:
    """Two workflows on one pool under power, an API for one of them, over two periods."""
    cal = calendar(2)
    plain: dict[str, Any] = {
        "sites": {"home": site(cal, power_kw=4.0)},
        "pools": {"gpus": pool(cal, count=4, node=2, idle_kw=0.1, usd_per_gpu_hour=flat(cal, 0.2))},
        "endpoints": {"e": endpoint(cal, idle_kw=0.1, op_kw=1.0)},
        "workflows": {
            "chat": workflow(cal, "chat", 500, 1.0, min_service=0.5, launch_usd=flat(cal, 30.0)),
            "code": workflow(cal, "code", 400, ((0.5, 0.9), (0.5, 0.2))),
            "mail": workflow(cal, "mail", 300, 0.3, launch_usd=flat(cal, 20.0)),
        },
        "pairs": {(w, "e"): pair(2.0) for w in ("chat", "code", "mail")},
        "api_pairs": {("code", "frontier"): api(cal, 0.6)},
    }
    return data(cal, **(plain | more))


@pytest.fixture(scope="module")
def fleet_document() -> dict[str, Any]:
    return explained(fleet())


def test_every_lot_holds_the_cold_difference(fleet_document):
    d = fleet()
    base = optimum(d)
    by_owner = {lot.owner: lot for lot in lots(d, {})}
    assert len(fleet_document["limits"]) >= 2
    for line in fleet_document["limits"]:
        for key, n, sign in (("one_more_usd", 1, 1.0), ("one_fewer_usd", -1, -1.0)):
            if line[key] is not None:
                truth = optimum(by_owner[line["owner"]].add(d, n, d.calendar.periods)) - base
                assert holds(line[key], sign * truth), (line["owner"], key, line[key], truth)


def test_every_policy_holds_the_cold_difference(fleet_document):
    d = fleet()
    for line in fleet_document["policies"]:
        assert holds(line["costs_usd"], optimum(d, (line["family"],)) - optimum(d)), line
        assert line["costs_usd"][0] >= 0


def test_forcing_and_keeping_out_are_differences_of_two_cold_solves(fleet_document):
    d = fleet()
    program, base = study(d, (), (), ()).program, optimum(d)
    for line in fleet_document["workflows"]:
        w = d.workflows[line["workflow"]]
        if line.get("cost_usd"):
            other = solve_program(changes.forced(program, w, line["forced_share"]), gap=0.0)
            assert other.objective is not None
            assert holds(line["cost_usd"], base - other.objective), line
        if line.get("earns_usd"):
            other = solve_program(changes.banned(program, w.id), gap=0.0)
            assert other.objective is not None
            assert holds(line["earns_usd"], base - other.objective), line


@pytest.mark.parametrize(("usd", "taken"), [(0.05, True), (0.6, False)])
def test_an_api_is_worth_what_its_absence_costs(usd, taken):
    d = fleet(api_pairs={("code", "frontier"): api(calendar(2), usd)})
    line, worth = row(explained(d), "offers", offer="frontier"), optimum(d) - optimum(replace(d, api_pairs={}))
    assert line["taken"] == taken == (worth > CLOSE)
    assert holds(line["net_usd"], worth)
    assert line["method"] == ("solved again" if taken else "the plan does without it")


def test_every_figure_says_how_it_was_found(fleet_document):
    for table in ("constraints", "limits", "workflows", "offers", "policies"):
        for line in fleet_document[table]:
            assert {"method", "solves", "seconds"} <= set(line), table


def test_no_time_gives_a_partial_answer_that_says_so():
    document = explained(fleet(), seconds=0.6)
    assert document["partial"] == bool(document["skipped"])
    for line in document["limits"]:
        assert line["one_more_usd"] is not None or line["method"] == "not asked in the time given"


def test_a_declared_lot_is_what_the_instance_says():
    found = lots(fleet(), {"pools.gpus": Relief(2, "node", 100.0, 3), "sites.home": Relief(1.5, "kW", 10.0, 2)})
    declared = {lot.owner: lot for lot in found if lot.declared}
    assert declared["pools.gpus"].families["gpu_capacity"] == 4
    assert declared["sites.home"].families["power_limit"] == 1.5
    more = declared["pools.gpus"].add(fleet(), 1, ["T2"])
    assert more.pools["gpus"].count == {"T1": 4, "T2": 8}


def must_hold(kw: float = 1.0) -> Data:
    """Two promises of one GPU each at 1 kW, on a site with less."""
    d = fleet(sites={"home": site(calendar(2), power_kw=kw)})
    flows = {w: replace(d.workflows[w], must_fund=True, min_service=0.5) for w in ("chat", "code")}
    return replace(d, workflows=flows, api_pairs={}, pairs={k: v for k, v in d.pairs.items() if k[0] in flows})


def test_a_conflict_is_minimal_and_its_repairs_repair():
    d = must_hold()
    with pytest.raises(Infeasible):
        optimum(d)
    document = explained(d)
    conflict = document["conflict"]
    assert document["status"] == "infeasible"
    assert conflict["smallest"]
    names = [member["row"] for member in conflict["members"]]
    assert len(names) >= 2
    study_ = study(d, (), (), ())
    from optimizer.explaining.infeasible import Doubt  # noqa: PLC0415

    doubt = Doubt(study_, Control(time.monotonic() + 20, threading.Event(), lambda _: None))
    at = {member.name: member.at for member in doubt.members()}
    alone = changes.freed(study_.program, [i for name, i in at.items() if name not in names])
    assert doubt.holds(alone) is False
    for name in names:
        assert doubt.holds(changes.freed(alone, [at[name]])) is True, f"{name} can be spared"
    assert 2 <= len(conflict["repairs"]) <= 3
    for repair in conflict["repairs"]:
        program = study_.program
        for change in repair["changes"]:
            program = changes.roomier(program, [at[change["row"]]], change["amount"])
        assert repair["verified"]
        assert doubt.holds(program) is True
    assert len({repair["words"] for repair in conflict["repairs"]}) == len(conflict["repairs"])


def test_a_conflict_of_whole_numbers_alone_is_found():
    """Half a replica for each of two workflows would do; whole replicas that may not be shared need two GPUs."""
    cal = calendar()
    flows = {w: workflow(cal, w, 10, 1.0, must_fund=True, min_replicas=1) for w in ("a", "b")}
    ends = {w: endpoint(cal, w, owner=w) for w in flows}
    d = data(
        cal, pools={"gpus": pool(cal, count=1)}, endpoints=ends, workflows=flows, pairs={(w, w): pair() for w in flows}
    )
    conflict = explained(d)["conflict"]
    assert set(conflict["families"]) == {"gpu_capacity", "replica_floor", "service_floor"}
    assert all(repair["verified"] for repair in conflict["repairs"])


def test_a_difference_of_intervals_holds_every_pair():
    assert difference(Interval(3, 5), Interval(1, 2)) == (1, 4)
    assert VALUES["b"] == 14
