"""Tables of choices and of physics, by hand: base of 4 GPUs, each 2 tasks/h over 100 h, 1000 tasks at $1 (tiny)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planned import planned, row, rows
from tiny import api, calendar, data, endpoint, flat, pair, pool, site, workflow

from optimizer.formulation.data import (
    Book,
    Books,
    Brings,
    Bundle,
    Commitment,
    Flow,
    Loss,
    Offer,
    Pilot,
    Retraining,
    Tool,
)
from optimizer.plan import TABLES

approx = pytest.approx
CAL = calendar()
TWO = calendar(2)
ONE = CAL.periods[0]
FIRST, SECOND = TWO.periods


def gpus(kind, cash, *, brings=1.0, name="o", term="purchases"):
    """One lot of one GPU in the first of two periods, felt at once and to the end."""
    felt = {(FIRST, FIRST): brings, (FIRST, SECOND): brings}
    flows = (Flow(FIRST, FIRST, cash, 1.0),)
    return Offer(name, kind, term, {FIRST: 1}, 1, (Brings("gpus", "gpus", felt),), flows)


def decided(kind, cash, demand=1000, **more):
    term = {"lease": "leases", "retire": "resale", "release": "gpu_lease"}.get(kind, "purchases")
    brings = -1.0 if kind in ("retire", "release") else 1.0
    offers = {"o": gpus(kind, cash, brings=brings, term=term)}
    if kind == "release":
        more["pools"] = {"gpus": pool(TWO, lease_usd_per_gpu_hour=flat(TWO, 0.01))}
    return planned(data(TWO, workflows={"w": workflow(TWO, demand=demand)}, offers=offers, **more))


@pytest.mark.parametrize(
    ("kind", "said", "cash", "demand"),
    [("purchase", "buy", -50, 1000), ("lease", "lease", -50, 1000), ("retire", "retire", 30, 100),
     ("release", "release", 30, 100)],
)  # fmt: skip
def test_orders_are_named_for_what_is_done(kind, said, cash, demand):
    order = row(decided(kind, cash, demand), "decisions", name="o")
    assert (order["kind"], order["name"], order["period"], order["amount"]) == (said, "o", "T1", 1)
    assert order["usd"] == -cash


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(((0.0, 50.0), (20.0, 30.0)), [(0, 100), (40, 60)]), (((None, None), (None, None)), [(None, None)] * 2)],
)
def test_what_was_bought_is_on_the_books_and_in_no_sum(lines, expected):
    books = Books("straight", tuple(Book(FIRST, t, *line) for t, line in zip((FIRST, SECOND), lines, strict=True)))
    bought = replace(gpus("purchase", -50), books=books, lots={FIRST: 2}, max_lots=2)
    with_books, without = (
        planned(data(TWO, workflows={"w": workflow(TWO, demand=1200)}, offers={"o": each}))
        for each in (bought, replace(bought, books=None))
    )
    assert [(r["offer"], r["order"], r["lots"], r["method"]) for r in with_books["depreciation"]] == [
        ("o", "T1", 2, "straight")
    ] * 2
    assert [(r["usd"], r["book_usd"]) for r in with_books["depreciation"]] == expected
    assert without["depreciation"] == []
    assert with_books["ledger"] == without["ledger"]
    assert with_books["statement"] == without["statement"]


def test_pools_count_what_was_bought():
    assert [r["gpus"] for r in decided("purchase", -50)["pools"]] == [5, 5]


def test_tools_and_their_adoption_are_listed():
    tool = Tool("cache", flat(CAL, 10.0), 40.0)
    document = planned(data(tools={"cache": tool}, workflows={"w": workflow(CAL, requires=("cache",))}))
    assert row(document, "tools") == {"tool": "cache", "period": "T1", "adopted": 1, "usd": 50}
    assert row(document, "decisions", kind="adopt") == {
        "kind": "adopt",
        "name": "cache",
        "period": "T1",
        "amount": 1,
        "usd": 40,
    }


def test_the_bundle_that_is_taken_is_listed():
    offered = tuple(Bundle(name, flat(CAL, usd), {}) for name, usd in (("small", 3.0), ("large", 5.0)))
    document = planned(data(workflows={"w": workflow(CAL, usd=(), bundles=offered)}, pairs={}))
    assert row(document, "bundles") == {"workflow": "w", "period": "T1", "bundle": "large", "chosen": 1}


def test_retraining_and_rescue_are_listed():
    trained = Retraining(flat(CAL, 60.0), {"gpus": 2.0}, flat(CAL, 0.0))
    document = planned(data(workflows={"w": workflow(CAL, demand=100, retraining=trained)}))
    assert row(document, "retraining")["gpu_hours"] == approx(30)
    loss = Loss("fire", frozenset({"e"}), frozenset(), {"w": 0.5})
    bought = {("w", "a"): api(CAL, 0.5)}
    document = planned(data(api_pairs=bought, losses=(loss,), workflows={"w": workflow(CAL, demand=100)}))
    assert row(document, "rescue", loss="fire", source="a")["rescued"] >= 50 - 1e-6


def test_unused_commitment_is_listed():
    """Ten tasks at $2 use up $20 of the $70."""
    bought, flow = {("w", "a"): api(CAL, 2.0)}, {"w": workflow(CAL, demand=10)}
    document = planned(
        data(pairs={}, api_pairs=bought, workflows=flow, commitments=(Commitment("a", flat(CAL, 70.0)),))
    )
    assert row(document, "commitments") == {"api": "a", "period": "T1", "usd": 70, "shortfall": approx(50)}


def test_hosting_says_where_weights_lie():
    document = planned(data(model_tb={"toy-7b": 0.5}))
    assert row(document, "hosting") == {"model": "toy-7b", "site": "home", "period": "T1", "hosted": 1}


def test_churn_against_the_previous_plan_and_the_period_before():
    """Five replicas before; four GPUs allow four, and the second period asks for two, which saves electricity."""
    flow = replace(workflow(TWO), demand={FIRST: 1000, SECOND: 200}, running=True)
    other = replace(workflow(TWO, "v"), demand={FIRST: 0, SECOND: 100})
    ends = {"e": endpoint(TWO, before=5, usd_per_move=0.1, idle_kw=1.0, op_kw=1.0)}
    paid = {"home": site(TWO, usd_per_kwh=flat(TWO, 0.01))}
    pairs = {("w", "e"): pair(), ("v", "e"): pair(1.0)}
    document = planned(data(TWO, sites=paid, workflows={"w": flow, "v": other}, endpoints=ends, pairs=pairs))
    first, second = rows(document, "changes", kind="replicas")
    assert (first["against"], first["before"], first["now"], first["down"]) == ("previous plan", 5, 4, 1)
    assert (second["against"], second["before"], second["now"], second["down"]) == ("period before", 4, 2, 2)
    entered = row(document, "changes", kind="funded")
    assert (entered["name"], entered["period"], entered["up"]) == ("v", "T2", 1)
    assert [(r["up"], r["down"]) for r in document["moves"]] == [(0, approx(1)), (0, approx(2))]


def test_footprint_is_energy_with_its_carbon_and_water():
    """Four replicas at 1 kW and PUE 1.5 for 100 h; a site that states no rate has none, not zero."""
    green = site(CAL, pue=1.5, t_co2_per_mwh=flat(CAL, 0.4), m3_per_mwh=flat(CAL, 1.8))
    ends = {"e": endpoint(CAL, idle_kw=1.0, op_kw=1.0)}
    line = row(planned(data(sites={"home": green}, endpoints=ends)), "footprint")
    assert (line["mwh"], line["t_co2"], line["m3"]) == approx((0.6, 0.24, 1.08))
    assert row(planned(data()), "footprint")["t_co2"] is None


def starving(bound_by="bandwidth", tflop=45_000.0, demand=800):
    """2 tasks/h x 45,000 TFLOP each = 25 TFLOP/s out of a GPU of 100 TFLOP/s that costs $1 an hour."""
    paid = {"gpus": pool(CAL, usd_per_gpu_hour=flat(CAL, 0.25), lease_usd_per_gpu_hour=flat(CAL, 0.75))}
    ends = {"e": endpoint(CAL, bound_by=bound_by)}
    flow = {"w": workflow(CAL, demand=demand, usd=9.0)}
    return planned(data(pools=paid, endpoints=ends, workflows=flow, pairs={("w", "e"): pair(tflop=tflop)}))


def test_compute_that_memory_cannot_feed_is_stranded():
    document = starving()
    at = row(document, "stranded", endpoint="e")
    assert (at["gpu_hours"], at["fed_share"], at["stranded_share"], at["stranded_usd"]) == approx(
        (400, 0.25, 0.75, 300)
    )
    whole = row(document, "stranded", endpoint="")
    assert (whole["gpu_hours"], whole["stranded_share"], whole["stranded_usd"]) == approx((400, 0.75, 300))


def test_idle_gpus_are_not_stranded_but_count_as_powered():
    """500 tasks: three replicas stand, 250 of their 300 hours at work."""
    document = starving(demand=500)
    assert row(document, "stranded", endpoint="e")["stranded_share"] == approx(0.75)
    assert row(document, "stranded", endpoint="")["stranded_share"] == approx(0.75 * 250 / 300)


def test_nothing_is_stranded_where_compute_binds_and_unknown_stays_unknown():
    assert row(starving("compute"), "stranded", endpoint="e")["stranded_usd"] == 0
    assert row(starving("unstated"), "stranded", endpoint="e")["stranded_usd"] is None
    unknown = starving(tflop=0.0)
    assert [r["stranded_share"] for r in unknown["stranded"]] == [None, None]


def test_every_line_has_the_columns_of_its_table():
    document = decided("purchase", -50, endpoints={"e": endpoint(TWO, before=1)})
    filled = [name for name in TABLES if document.get(name)]
    assert {"decisions", "changes", "stranded", "footprint", "statement", "unit_economics"} <= set(filled)
    for name in filled:
        assert all(line.keys() == set(TABLES[name].columns) for line in document[name]), name


def test_a_cap_on_exploration_is_full_once_and_only_in_the_way_of_pilots():
    """A pilot may use a quarter of 400 GPU-hours; what others lack has nothing to do with it."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", usd=2.0, pilot=Pilot(1.0, 1, proven=False))}
    d = data(workflows=flows, pairs={(w, "e"): pair() for w in flows}, exploration_share={ONE: 0.25})
    document = planned(d)
    assert [r["row"] for r in rows(document, "resources", family="exploration_limit", full=True)] == [""]
    why = {r["workflow"]: r["why"] for r in document["verdicts"]}
    assert "exploration (T1)" in why["x"]
    assert "exploration" not in why["w"]
