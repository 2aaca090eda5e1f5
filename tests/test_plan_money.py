"""Whose money it is: shared costs by use, the income statement, rent, dollars per token, break-even. Base: tiny."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from math import fsum

import pytest
from planned import planned, row, rows
from test_plan_tables import gpus
from tiny import api, calendar, data, endpoint, flat, pair, pool, site, workflow

from optimizer.formulation.data import Brings, Commitment, Flow, Offer, Retraining, Skill, Tool, Variant
from optimizer.formulation.work import Workflow
from optimizer.plan.economics import break_even
from optimizer.plan.statement import AT_MARGIN, AT_PLACEMENT

approx = pytest.approx
CAL = calendar()
TWO = calendar(2)
ONE = CAL.periods[0]
FIRST, SECOND = TWO.periods


def part(document, w, term):
    return fsum(r["cash_usd"] for r in rows(document, "allocation", workflow=w, term=term))


def two(cal=CAL, **more) -> dict[str, Workflow]:
    """v asks for 200 tasks and w for 600: a quarter and three quarters of four replicas."""
    return {name: workflow(cal, name, demand, **more) for name, demand in (("v", 200), ("w", 600))}


def shared(**parts):
    cal = parts.pop("cal", CAL)
    return planned(data(cal, workflows=two(cal), pairs={("v", "e"): pair(), ("w", "e"): pair()}, **parts))


def test_an_order_is_paid_for_by_those_who_use_the_gpus_it_feeds_while_it_is_felt():
    """Nine hundred tasks a period: 4.5 of 5 GPUs are used, so a tenth of the price is nobody's."""
    offers = {"o": gpus("purchase", -50.0)}
    document = planned(data(TWO, workflows={"w": workflow(TWO, demand=900)}, offers=offers))
    assert part(document, "w", "purchases") == approx(-45)
    assert part(document, "unallocated", "purchases") == approx(-5)
    assert row(document, "allocation", workflow="w", term="purchases")["period"] == "T1"


def test_what_is_paid_once_is_spread_over_all_that_is_made():
    """$45 of purchase for 1,800 tasks of one token; a period's own cost of running is the same in both."""
    offers = {"o": gpus("purchase", -50.0)}
    document = planned(data(TWO, workflows={"w": workflow(TWO, demand=900)}, offers=offers))
    plain = planned(data(TWO, workflows={"w": workflow(TWO, demand=800)}))
    own, without = (
        [line["usd_per_mtok_own"] for line in rows(each, "unit_economics", workflow="w")] for each in (document, plain)
    )
    assert [a - b for a, b in zip(own, without, strict=True)] == approx([45 / 1800e-6] * 2)


def test_an_upgrade_is_shared_by_the_gpus_of_its_site():
    """2 kW more let all four GPUs run; the second site's work has no part in it."""
    felt = {(FIRST, FIRST): 2.0, (FIRST, SECOND): 2.0}
    more = Offer("u", "upgrade", "upgrades", {FIRST: 1}, 1, (Brings("power_kw", "home", felt),),
                 (Flow(FIRST, FIRST, -100.0, 1.0),))  # fmt: skip
    far = endpoint(TWO, "f", "far", site="away")
    document = planned(
        data(
            TWO,
            sites={"home": site(TWO, power_kw=2.0), "away": site(TWO, "away")},
            pools={"gpus": pool(TWO), "far": pool(TWO, "far", at="away")},
            endpoints={"e": endpoint(TWO, idle_kw=1.0, op_kw=1.0), "f": far},
            workflows=two(TWO) | {"x": workflow(TWO, "x", 100)},
            pairs={("v", "e"): pair(), ("w", "e"): pair(), ("x", "f"): pair()},
            offers={"u": more},
        )
    )
    assert [part(document, w, "upgrades") for w in ("v", "w", "x")] == approx([-25, -75, 0])


def test_a_tool_is_paid_by_those_who_need_it_by_their_tokens():
    tool = Tool("cache", flat(CAL, 40.0), 0.0)
    flows = {name: replace(flow, requires=("cache",)) for name, flow in two().items()}
    flows["x"] = workflow(CAL, "x", 10)
    pairs = {(w, "e"): pair() for w in flows}
    document = planned(data(tools={"cache": tool}, workflows=flows, pairs=pairs, pools={"gpus": pool(CAL, count=5)}))
    assert [part(document, w, "tools") for w in ("v", "w", "x")] == approx([-10, -30, 0])


def test_storage_moves_and_commitments_go_to_those_who_cause_them():
    """Weights of 1 TB by hours 1:3, an index of 2 TB to its workflow; a month costs $7.3 for each TB."""
    stored = {"home": site(CAL, usd_per_tb_month=flat(CAL, 73.0))}  # 100 h of 730
    flows = two()
    flows["w"] = replace(flows["w"], storage_tb={"home": 2.0})
    moved = {"e": endpoint(CAL, before=0, usd_per_move=1.0)}
    pairs = {(w, "e"): pair() for w in flows}
    document = planned(data(sites=stored, workflows=flows, pairs=pairs, endpoints=moved, model_tb={"toy-7b": 1.0}))
    assert [part(document, w, "storage") for w in ("v", "w")] == approx([-10 * 0.25, -10 * 0.75 - 20])
    assert [part(document, w, "moves") for w in ("v", "w")] == approx([-1, -3])
    bought = {(w, "a"): api(CAL, 0.1) for w in flows}
    bound = planned(data(workflows=flows, pairs={}, api_pairs=bought, commitments=(Commitment("a", flat(CAL, 100)),)))
    assert [part(bound, w, "commitments") for w in ("v", "w")] == approx([-5, -15])


def rich():
    """Something of every term, over two periods that are discounted."""
    cal = replace(TWO, discount={FIRST: 0.98, SECOND: 0.9})
    flow = workflow(cal, demand=2000, usd=3.0, launch_usd=flat(cal, 7.0), skill="people", storage_tb={"home": 1.0},
                    retraining=Retraining(flat(cal, 20.0), {"gpus": 1.0}, flat(cal, 3.0)))  # fmt: skip
    own = replace(pair(), review_hours=0.001, liability_usd=0.01, good=0.9)
    bought = replace(api(cal, 0.5), review_hours=0.002, liability_usd=0.02)
    return data(
        cal,
        sites={"home": site(cal, usd_per_kwh=flat(cal, 0.1), t_co2_per_mwh=flat(cal, 0.4),
                            usd_per_t_co2=flat(cal, 80.0), usd_per_tb_month=flat(cal, 20.0))},
        pools={"gpus": pool(cal, usd_per_gpu_hour=flat(cal, 0.05), lease_usd_per_gpu_hour=flat(cal, 0.02))},
        endpoints={"e": endpoint(cal, idle_kw=0.2, op_kw=1.0, before=1, usd_per_move=0.5)},
        workflows={"w": flow},
        pairs={("w", "e"): own, ("w", "e+fast"): replace(own, tasks_per_hour=2.5)},
        api_pairs={("w", "a"): bought},
        variants={"e+fast": Variant("e", ("fast",))},
        tools={"fast": Tool("fast", flat(cal, 5.0), 2.0)},
        offers={"o": gpus("purchase", -30.0), "l": gpus("lease", -20.0, name="l", term="leases")},
        skills={"people": Skill("people", None, flat(cal, 50.0))},
        commitments=(Commitment("a", flat(cal, 90.0)),),
        model_tb={"toy-7b": 0.1},
    )  # fmt: skip


def test_statements_and_unallocated_sum_to_the_ledger_term_by_term():
    document = planned(rich())
    sums: dict[str, float] = defaultdict(float)
    for line in document["statement"]:
        if line["in_net"] and line["period"] == "":
            sums[line["line"]] += line["cash_usd"]
    cash = {line["term"]: line["cash_usd"] for line in document["ledger"] if line["cash_usd"]}
    assert sums == approx(cash, abs=1e-6)
    nets = rows(document, "statement", line="net", period="")
    assert fsum(line["cash_usd"] for line in nets) == approx(fsum(cash.values()))
    assert {"value", "energy", "carbon_price", "purchases", "leases", "review", "liability", "tools"} <= cash.keys()


def test_statements_by_period_sum_to_the_horizon():
    document = planned(rich())
    for line in rows(document, "statement", workflow="w", period="", in_net=True):
        by_period = rows(document, "statement", workflow="w", line=line["line"], in_net=True)
        assert fsum(r["cash_usd"] for r in by_period if r["period"]) == approx(line["cash_usd"])


def test_rent_is_price_times_use_and_below_the_line():
    """800 of 1000 tasks at $1: an hour of a replica earns $2, and 400 are used; half of it in present value."""
    cal = replace(CAL, discount={ONE: 0.5})
    document = planned(data(cal, workflows={"w": workflow(cal)}))
    rent = row(document, "statement", line=AT_PLACEMENT)
    assert rent["cash_usd"] == approx(800)
    assert rent["in_net"] is False
    assert "whole number held" in rent["note"]
    assert row(document, "statement", line="net", workflow="w", period="")["cash_usd"] == approx(800)
    margin = row(document, "statement", line=AT_MARGIN)
    assert margin["cash_usd"] is None
    assert "`rents` of `solvency explain`" in margin["note"]


def test_whoever_uses_scarce_people_owes_rent_for_them():
    """Five hours of review at 0.01 h a task: 500 of 800 tasks at $1; an hour would earn $100."""
    reviewed = data(
        workflows={"w": workflow(CAL, skill="clerk")},
        pairs={("w", "e"): replace(pair(), review_hours=0.01)},
        skills={"clerk": Skill("clerk", flat(CAL, 5.0), flat(CAL, 0.0))},
    )
    assert row(planned(reviewed), "statement", line=AT_PLACEMENT)["cash_usd"] == approx(500)


def test_no_rent_where_there_is_room():
    assert row(planned(data(workflows={"w": workflow(CAL, demand=700)})), "statement", line=AT_PLACEMENT)[
        "cash_usd"
    ] == approx(0)


def owning(usd, **more):
    """A GPU at $0.6 an hour, 1 kW at rest and 2 at work at 10 cents: $70 to stand for 100 h, 5 cents a task."""
    return data(
        sites={"home": site(CAL, usd_per_kwh=flat(CAL, 0.1))},
        pools={"gpus": pool(CAL, usd_per_gpu_hour=flat(CAL, 0.6))},
        endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=2.0)},
        api_pairs={("w", "a"): api(CAL, usd)},
        **more,
    )


def volume(d):
    return break_even(d, d.workflows["w"], ONE)


def test_break_even_is_what_standing_costs_by_what_each_task_saves():
    found, why = volume(owning(1.0))
    assert found is not None
    assert (found.tasks, found.most, why) == (approx(70 / 0.95), approx(200), "")
    assert volume(owning(1.0, workflows={"w": workflow(CAL, demand=50)}))[1] == "beyond its demand"


def test_a_full_replica_that_costs_more_than_the_api_never_breaks_even():
    """At $0.39 a task 200 tasks save $68; at 4 cents nothing is saved; bad output makes the API dearer."""
    for usd in (0.39, 0.04):
        assert volume(owning(usd)) == (None, "even a replica that is always at work costs more than the API")
    d = owning(0.39)
    sloppy = {("w", "a"): replace(d.api_pairs["w", "a"], good=0.5)}
    found, _ = volume(replace(d, api_pairs=sloppy))
    assert found is not None
    assert found.tasks == approx(70 / (0.78 - 0.05))


def test_break_even_needs_both_ways():
    assert volume(data())[1] == "only one way to serve it"
    assert volume(data(pairs={}))[1] == "nothing can serve it"


def test_dollars_per_million_tokens_owned_and_bought():
    """800 tasks of one token on own GPUs that cost $240 + $40 + $40; 200 by API at $0.5 with 500 tokens out."""
    line = row(planned(owning(0.5)), "unit_economics")
    assert (line["own_mtok"], line["api_mtok"]) == approx((800e-6, 200 * 500e-6))
    assert line["usd_per_mtok_own"] == approx((240 + 0.1 * (400 + 400)) / 800e-6)
    assert line["usd_per_mtok_api"] == approx(1000)
