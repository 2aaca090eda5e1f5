"""What takes further solves: investments, tools, exploration, the funnel. Base as in tiny: $800 from 4 GPUs."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import cache

import pytest
import quick
from fleet import fleet
from planned import planned, row, rows
from test_plan_tables import gpus
from tiny import api, calendar, data, flat, pair, workflow

from optimizer import solve
from optimizer.asking.changes import columns, freed, held, with_row
from optimizer.engine.highs import solve_program
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Program
from optimizer.engine.revalue import revalue
from optimizer.formulation.data import Pilot, Skill, Tool, Variant
from optimizer.plan import again
from optimizer.plan import studies as judging
from optimizer.plan.again import Found
from optimizer.plan.funnel import STAGES

approx = pytest.approx
CAL = calendar()
TWO = calendar(2)
FIRST, SECOND = TWO.periods


def buying(**offers):
    return data(TWO, offers={name: gpus("purchase", -usd, name=name) for name, usd in offers.items()})


def test_a_purchase_that_pays_is_shown_with_and_without_it():
    """The fifth GPU earns $200 a period and costs $250: it pays in the second period, $150 over both."""
    line = row(planned(buying(cheap=250.0), judge=True), "investments")
    assert (line["offer"], line["kind"], line["lots"], line["capex_usd"]) == ("cheap", "buy", 1, 250)
    assert (line["npv_with"], line["npv_without"], line["gain_usd"]) == approx((1750, 1600, 150))
    assert (line["gain_low"], line["gain_high"]) == approx((150, 150), abs=1e-3)
    assert line["payback_periods"] == 2
    assert line["serves"] == {"w": 1}
    assert line["method"] == "solved again"


def test_an_offer_that_is_not_taken_is_ordered_once_to_see():
    """At $500 the GPU loses $100; beside the cheap one it would only lose its price, so it takes its place."""
    lone = row(planned(buying(dear=500.0), judge=True), "investments")
    assert (lone["lots"], lone["npv_with"], lone["npv_without"], lone["gain_usd"]) == approx((0, 1500, 1600, -100))
    assert (lone["payback_periods"], lone["serves"]) == (None, {})
    both = planned(buying(dear=500.0, cheap=250.0), judge=True)
    assert [line["offer"] for line in both["investments"]] == ["cheap", "dear"]
    assert row(both, "investments", offer="dear")["gain_usd"] == approx(1500 - 1750)


def test_without_time_nothing_is_invented():
    late = row(planned(buying(cheap=250.0), judge=True, seconds=0.0), "investments")
    assert (late["npv_with"], late["npv_without"], late["gain_usd"]) == (approx(1750), None, None)
    assert late["method"] == "not decided in time"
    assert late["gain_low"] == approx(0)  # leaving out an offer never earns more


@pytest.mark.parametrize(("far", "told"), [(10.0, True), (1e-2, False)])
def test_a_plan_that_time_left_far_from_its_bound_is_no_answer(monkeypatch, far, told):
    """What it lacks would be told as the worth of what was left out; nearer to it there is an interval, no point."""
    monkeypatch.setattr("optimizer.asking.asker.revalue", partly)
    monkeypatch.setattr(again, "FAR", far)
    line = row(planned(buying(cheap=250.0), judge=True), "investments")
    assert line["npv_without"] == (approx(300) if told else None)
    assert line["gain_usd"] is None
    assert (line["gain_low"], line["gain_high"]) == (approx(150), approx(1450))
    assert (line["payback_periods"] is not None) == told
    assert line["method"] == "solved again, time ran out"


def partly(base, program, control):
    """A fifth of the best plan, the bound of the best one."""
    return replace(revalue(base, program, control), low=300.0)


def test_gains_of_a_large_program_hold_what_cold_solves_find():
    """It is laid over the cuts of its plan; one question of each kind."""
    program = fleet(12, 20, 12, seed=2)
    outcome = solve_program(program, gap=1e-3, time_limit=20.0)
    study = again.Again(program, outcome, time.monotonic() + 30.0)
    by_name = {name: program.vector(outcome.values)[columns(program, "fund", lambda key, n=name: key[0] == n)]
               for name in {key[0] for name, key in program.cols if name == "fund"}}  # fmt: skip
    funded = max(sorted(by_name), key=lambda name: by_name[name].sum())
    idle = min(sorted(by_name), key=lambda name: by_name[name].sum())
    assert by_name[funded].any()
    assert not by_name[idle].any()
    asked = (again.without("fund", funded), again.with_one("fund", idle), again.lifted("gpu_capacity"))
    study.ask(asked)
    own, other = (columns(program, "fund", lambda key, n=name: key[0] == n) for name in (funded, idle))
    rows = [i for i, (family, _) in enumerate(program.rows) if family == "gpu_capacity"]
    changed = (held(program, own, upper=0.0), with_row(program, ("asked", ()), other, 1.0), freed(program, rows))
    for each, cold in zip(asked, changed, strict=True):
        found, truth = study.of(each), solve_program(cold, gap=1e-5, time_limit=30.0).objective
        assert found.method in (again.SOLVED, again.PARTIAL)
        assert found.value is not None
        assert found.value <= truth * (1 + 1e-5)
        assert truth * (1 - 1e-5) <= found.bound
    assert study.of(again.without("fund", idle)) == study.plan == study.of(again.with_one("fund", funded))


def test_a_huge_program_is_asked_nothing_and_its_plan_still_bounds(monkeypatch):
    monkeypatch.setattr(Program, "worth_narrowing", True)
    monkeypatch.setattr(again, "based", lambda *_: pytest.fail("its cuts were looked for"))
    line = row(planned(buying(cheap=250.0), judge=True), "investments")
    assert (line["npv_with"], line["npv_without"], line["gain_usd"]) == (approx(1750), None, None)
    assert (line["method"], line["gain_low"]) == ("not decided in time", approx(0))


def stopped(*_):
    raise KeyboardInterrupt


def broken(*_):
    raise SolverError("out of numbers")


@pytest.mark.parametrize(("how", "said"), [(stopped, "not decided in time"), (broken, "failed: out of numbers")])
def test_what_ends_a_question_costs_no_plan(monkeypatch, how, said):
    monkeypatch.setattr("optimizer.asking.asker.revalue", how)
    found = planned(buying(cheap=250.0), judge=True)
    assert found["objective_usd"] == approx(1750)
    assert row(found, "investments")["method"] == said


def fast(usd, **more):
    """A tool that doubles the speed: 1000 tasks instead of 800."""
    return data(
        tools={"fast": Tool("fast", flat(CAL, usd), 0.0)},
        variants={"e+fast": Variant("e", ("fast",))},
        pairs={("w", "e"): pair(2.0), ("w", "e+fast"): pair(4.0)},
        **more,
    )


def test_a_tool_is_judged_by_net_value_and_by_dollars_per_token():
    line = row(planned(fast(100.0), judge=True), "tool_verdicts")
    assert (line["adopted"], line["usd"], line["verdict"]) == (1, 100, "pays")
    assert (line["npv_with"], line["npv_without"], line["gain_usd"]) == approx((900, 800, 100))
    assert (line["usd_per_mtok_with"], line["usd_per_mtok_without"]) == approx((100 / 1e-3, 0))
    poor = row(planned(fast(300.0), judge=True), "tool_verdicts")
    assert (poor["adopted"], poor["verdict"], poor["gain_usd"]) == (0, "does not pay", approx(-100))


def test_a_tool_that_a_promise_needs_is_needed():
    flow = workflow(CAL, requires=("fast",), must_fund=True)
    line = row(planned(fast(100.0, workflows={"w": flow}), judge=True), "tool_verdicts")
    assert (line["verdict"], line["npv_without"], line["method"]) == ("needed", None, "no plan holds")


def test_a_tool_that_no_plan_can_adopt_is_impossible():
    """It wants five hours of a smith who has four."""
    people = {"smith": Skill("smith", flat(CAL, 4.0), flat(CAL, 0.0))}
    tool = Tool("fast", flat(CAL, 100.0), 0.0, hours={"smith": 5.0})
    d = replace(fast(100.0), tools={"fast": tool}, skills=people)
    line = row(planned(d, judge=True), "tool_verdicts")
    assert (line["adopted"], line["verdict"], line["method"]) == (0, "impossible", "no plan holds")


def test_exploration_costs_what_others_would_earn_in_its_place():
    """The pilot's 100 tasks at $2 take 50 of 400 GPU-hours, in which others would earn $100."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", usd=2.0, pilot=Pilot(0.1, 1, proven=False))}
    d = data(workflows=flows, pairs={(w, "e"): pair() for w in flows})
    line = row(planned(d, judge=True), "exploration")
    assert line["workflows"] == ["x"]
    assert (line["gpu_hours"], line["share"]) == approx((50, 50 / 400))
    assert (line["net_usd"], line["others_with"], line["others_without"]) == approx((200, 700, 800))
    assert line["cost_usd"] == approx(100)
    assert planned(replace(d, workflows={"w": flows["w"]}, pairs={("w", "e"): pair()}), judge=True)["exploration"] == []


def test_a_cap_on_exploration_costs_what_lifting_it_earns():
    """A pilot at $2 may use 100 of 400 GPU-hours: 200 x 2 + 600 x 1 = 1000, and 800 x 2 without the cap."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", usd=2.0, pilot=Pilot(1.0, 1, proven=False))}
    d = data(workflows=flows, pairs={(w, "e"): pair() for w in flows}, exploration_share=flat(CAL, 0.25))
    line = row(planned(d, judge=True), "exploration_cap")
    assert (line["share"], line["npv_with"], line["npv_without"]) == approx((0.25, 1000, 1600))
    assert (line["cost_usd"], line["cost_low"], line["cost_high"]) == approx((600, 600, 600), abs=1e-2)
    assert line["method"] == "solved again"
    roomy = row(planned(replace(d, exploration_share=flat(CAL, 1.0)), judge=True), "exploration_cap")
    assert (roomy["cost_usd"], roomy["cost_low"]) == approx((0, 0), abs=1e-2)
    late = row(planned(d, judge=True, seconds=0.0), "exploration_cap")
    assert (late["cost_usd"], late["cost_low"], late["cost_high"]) == (None, None, None)
    assert late["method"] == "not decided in time"
    assert planned(replace(d, exploration_share={}), judge=True)["exploration_cap"] == []


def test_a_cap_whose_lifting_was_not_solved_out_has_no_point_estimate(monkeypatch):
    flows = {"x": workflow(CAL, "x", usd=2.0, pilot=Pilot(1.0, 1, proven=False))}
    d = data(workflows=flows, pairs={("x", "e"): pair()}, exploration_share=flat(CAL, 0.25))
    short = Found(500.0, 500.0, None, {}, "solved again, time ran out")
    known = again.Again.of
    monkeypatch.setattr(again.Again, "of", lambda self, each: short if each.how == "lifted" else known(self, each))
    line = row(planned(d, judge=True), "exploration_cap")
    assert (line["cost_usd"], line["cost_high"]) == (None, None)
    assert line["cost_low"] == approx(100)  # surely earned: 500 - 100 GPU-hours x 2 tasks x $2


def portfolio():
    """One of each fate; a fleet of 4 GPUs, and room for one workflow at once."""
    flows = {
        "best": workflow(CAL, "best", usd=3.0),
        "beaten": workflow(CAL, "beaten", usd=1.0),
        "large": workflow(CAL, "large", demand=2000, usd=2.0, min_service=1.0),
        "poor": workflow(CAL, "poor", usd=0.5),
        "costly": workflow(CAL, "costly", demand=10, launch_usd=flat(CAL, 11.0)),
        "alien": workflow(CAL, "alien", usd=9.0),
    }
    return data(
        workflows=flows,
        pairs={(w, "e"): pair() for w in ("best", "beaten", "large", "costly")},
        api_pairs={("poor", "a"): api(CAL, 0.6)},
        portfolio_limit=flat(CAL, 1.0),
    )


@cache
def judged():
    return planned(portfolio(), judge=True)


def test_the_funnel_says_where_each_workflow_left_and_why():
    document = judged()
    left = {r["workflow"]: r["stage"] for r in document["funnel_exits"]}
    assert left == {"best": "funded", "beaten": "fits alone", "large": "worth its cost", "poor": "eligible",
                    "costly": "eligible", "alien": "asked for"}  # fmt: skip
    why = {r["workflow"]: r["reason"] for r in document["funnel_exits"]}
    assert why["best"] == ""
    assert "workflows at once" in why["beaten"]
    assert why["large"] == "alone on the whole fleet it fits only without gpu_capacity or service_floor"
    assert why["poor"] == "alone it could earn $0 at most; serving a task costs at least what it is worth"
    assert why["costly"] == "alone it could earn $10 at most; to start it costs $11"
    assert why["alien"].startswith("nothing can serve it")


def test_the_funnel_narrows_in_number_and_value():
    stages = judged()["funnel"]
    assert [r["stage"] for r in stages] == [*STAGES, "served"]
    assert [r["workflows"] for r in stages] == [6, 5, 3, 2, 1, 1]
    assert [r["value_usd"] for r in stages] == approx([17510, 8510, 8000, 4000, 3000, 2400])


def test_a_workflow_that_cannot_be_judged_in_time_is_not_said_to_fit_or_not():
    document = planned(portfolio(), judge=True, seconds=0.0)
    line = row(document, "funnel_exits", workflow="large")
    assert line["stage"] == "fits alone"
    assert "not decided in time" in line["reason"]


def test_judging_can_be_left_out_and_stops_with_the_rest(monkeypatch):
    assert solve(quick.instance(), judge=False).document["funnel"] == []
    asked = threading.Event()
    asked.set()
    assert solve(quick.instance(), cancel=asked).document["funnel"] == []
    assert rows(quick.plan().document, "funnel", stage="funded")[0]["workflows"] == 3
    monkeypatch.setattr(judging, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(judging, "SHARE", 0.0)
    assert row(planned(buying(cheap=250.0), judge=True), "investments")["method"] == "not decided in time"
