"""Lots: where they are declared, in which units, and what one is worth; sums are in the docstrings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_questions import knapsack
from test_explain_questions import explained, holds, row
from tiny import api, calendar, data, flat, optimum, pair, workflow

from optimizer import explain, load
from optimizer.explaining.lots import lots
from optimizer.explaining.relief import Relief, reliefs
from optimizer.formulation.data import ApiLimit, Budget, Commitment, Concentration, Data, Loss, Pilot
from optimizer.instance import parse
from optimizer.instance.faults import BadInput, Misfits
from optimizer.instance.relief import lot_amount

CAL = calendar()
ONE = CAL.periods[0]


@pytest.mark.parametrize(
    ("lot", "units", "amount", "unit"),
    [
        ("1 node", ("node", "GPU"), 1, "node"),
        ("16 GPUs", ("node", "GPU"), 16, "GPU"),
        ("0.5 MW", ("kW",), 500, "kW"),
        ("100 kw", ("kW",), 100, "kW"),
        ("100k USD", ("USD",), 100_000, "USD"),
        ("2 GWh", ("MWh",), 2_000, "MWh"),
        ("2M tokens", ("token", "request"), 2e6, "token"),
        ("40 hours", ("h",), 40, "h"),
        ("2 launches", ("launch",), 2, "launch"),
        ("2.5%", ("%",), 0.025, "%"),
        ("3 GB of HBM", ("GB of HBM",), 3, "GB of HBM"),
    ],
)
def test_a_lot_is_read_in_the_unit_of_its_limit(lot, units, amount, unit):
    assert lot_amount(lot, units) == (pytest.approx(amount), unit)


@pytest.mark.parametrize("lot", ["node", "3 racks", "0 kW", "-1 kW", "1 kWh", "kW 3"])
def test_a_lot_of_something_else_is_refused(lot):
    with pytest.raises(Misfits):
        lot_amount(lot, ("kW",))


EVERYWHERE: dict[str, Any] = {
    "schema": "solvency/1",
    "name": "Lots everywhere",
    "catalogue": "none",
    "currency": "EUR",
    "horizon": {"periods": [{"id": "T1", "hours": 100}]},
    "rack_classes": {"air": {"kw": 40}},
    "sites": {
        "home": {
            "jurisdiction": "US", "pue": 1, "usd_per_mwh": 0, "power_mw": 1, "racks": {"air": 2}, "storage_tb": 5,
            "relief": {"lot": "20 kW", "usd_per_lot": 1, "max_lots": 2},
            "rack_relief": {"air": {"lot": "2 racks", "usd_per_lot": 2, "max_lots": 2}},
            "storage_relief": {"lot": "10 TB", "usd_per_lot": 3, "max_lots": 2, "owner": "facilities"},
        }
    },
    "pools": {},
    "apis": {
        "a": {"jurisdiction": "US", "usd_per_mtok_in": 1, "usd_per_mtok_out": 1, "tokens_per_minute": 1000,
              "requests_per_period": 5000, "relief": {"lot": "500 tokens", "usd_per_lot": 4, "max_lots": 2}},
    },
    "skills": {"lawyer": {"hours": 10, "usd_per_hour": 1, "relief": {"lot": "2 h", "usd_per_lot": 5, "max_lots": 2}}},
    "resources": {"net": {"unit": "Gbps", "amount": 4, "relief": {"lot": "2 Gbps", "usd_per_lot": 6, "max_lots": 2}}},
    "workflows": {"w": {"demand": 10, "value_usd": 1, "tokens_in": 1, "tokens_out": 1}},
    "limits": {
        "spend": {"growth": {"amount": 100, "terms": ["launches"],
                             "relief": {"lot": "50 EUR", "usd_per_lot": 7, "max_lots": 2}}},
        "energy": {"e": {"mwh": 5, "relief": {"lot": "1 MWh", "usd_per_lot": 8, "max_lots": 2}}},
        "supply": {"hbm": {"unit": "GB", "amount": 5, "relief": {"lot": "80 GB", "usd_per_lot": 9, "max_lots": 2}}},
        "concentration": {"c": {"apis": ["a"], "share": 0.5,
                                "relief": {"lot": "5%", "usd_per_lot": 10, "max_lots": 2}}},
        "launches": 1, "portfolio": 2, "exploration": 0.1,
        "relief": {"launches": {"lot": "1 launch", "usd_per_lot": 11, "max_lots": 2},
                   "portfolio": {"lot": "2 workflows", "usd_per_lot": 12, "max_lots": 2},
                   "exploration": {"lot": "2%", "usd_per_lot": 13, "max_lots": 2}},
    },
}  # fmt: skip

LOTS = {  # owner -> amount in its limit's unit, money per lot
    "sites.home": (20, 1), "sites.home.racks.air": (2, 2), "sites.home.storage_tb": (10, 3), "apis.a": (500, 4),
    "skills.lawyer": (2, 5), "resources.net": (2, 6), "limits.spend.growth": (50, 7), "limits.energy.e": (1, 8),
    "limits.supply.hbm": (80, 9), "limits.concentration.c": (0.05, 10), "limits.launches": (1, 11),
    "limits.portfolio": (2, 12), "limits.exploration": (0.02, 13),
}  # fmt: skip


def test_every_limit_may_declare_its_lot_and_explain_takes_it():
    from optimizer.resolve import resolve  # noqa: PLC0415

    instance = parse(EVERYWHERE)
    found = reliefs(instance)
    assert {owner: (each.amount, each.usd_per_lot) for owner, each in found.items()} == LOTS
    assert found["sites.home.storage_tb"].decides == "facilities"
    by_owner = {each.owner: each for each in lots(resolve(instance).data, found)}
    declared = {owner for owner, each in by_owner.items() if each.declared}
    assert declared == set(LOTS) - {"apis.a"} | {"apis.a.tokens_per_minute"}
    assert by_owner["apis.a.tokens_per_minute"].families == {"api_limit": 500 * 60}
    assert not by_owner["apis.a.requests"].declared


@pytest.mark.parametrize(
    ("path", "lot", "said"),
    [
        (("limits", "relief", "launches"), "2 workflows", "limits.relief.launches.lot is '2 workflows', expected"),
        (("limits", "spend", "growth", "relief"), "5 USD", "expected a number of EUR"),
        (("apis", "a", "relief"), "5 calls", "expected a number of token or request"),
    ],
)
def test_a_lot_in_the_wrong_unit_is_a_fault_at_its_place(path, lot, said):
    with pytest.raises(BadInput, match=said):
        parse(changed(EVERYWHERE, path, {"lot": lot, "usd_per_lot": 1, "max_lots": 1}))


def changed(whole: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    head, *rest = path
    return {**whole, head: changed(whole[head], tuple(rest), value) if rest else value}


def test_a_lot_of_a_limit_that_is_not_stated_is_a_fault():
    limits = {key: value for key, value in EVERYWHERE["limits"].items() if key != "launches"}
    with pytest.raises(BadInput, match="launches loosens a limit that is not stated"):
        parse({**EVERYWHERE, "limits": limits})


def served(**more: Any) -> Data:
    """800 tasks on 4 GPUs at $1; 100 tasks of a second workflow at $0.2, which nobody would serve."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", 100, 0.2)}
    return data(**({"workflows": flows, "pairs": {(w, "e"): pair() for w in flows}} | more))


def owed(**more: Any) -> Data:
    return served(workflows={"w": workflow(CAL), "x": workflow(CAL, "x", 100, 0.2, **more)})


def worth(d: Data, owner: str, given: dict[str, Relief] | None = None) -> float:
    """What a lot more earns, as explained; held against two cold solves."""
    document = explained(d, seconds=10, reliefs=given)
    found = row(document, "limits", owner=owner)["one_more_usd"]
    (more,) = [each for each in lots(d, given or {}) if each.owner == owner]
    truth = optimum(more.add(d, 1, d.calendar.periods)) - optimum(d)
    assert holds(found, truth), (owner, found, truth)
    return float(np.mean(found))


def test_a_declared_lot_of_a_budget_is_so_much_money():
    """Calls cost $0.1 and earn $1: $10 more buy 100 tasks, which earn $90."""
    budget = Budget("tokens", ("api_tokens",), {(ONE,): 50.0})
    d = data(budgets=(budget,), pools={}, endpoints={}, pairs={}, api_pairs={("w", "a"): api(CAL, 0.1)})
    given = {"limits.spend.tokens": Relief(10.0, "USD", 30.0, 2, "finance")}
    assert worth(d, "limits.spend.tokens", given) == pytest.approx(90)
    line = row(explained(d, seconds=10, reliefs=given), "limits", owner="limits.spend.tokens")
    assert (line["usd_per_lot"], line["max_lots"], line["decides"]) == (30, 2, "finance")
    assert line["net_usd"] == pytest.approx([60, 60])
    assert worth(d, "limits.spend.tokens") == pytest.approx(22.5)  # by default 5 %, $2.50


def test_a_lot_of_a_quota_and_of_a_share():
    """A request earns $0.9. 200 own tasks admit 200 bought ones where half may be, and 208.16 at 51 %."""
    bought = {"pools": {}, "endpoints": {}, "pairs": {}, "api_pairs": {("w", "a"): api(CAL, 0.1)}}
    quota = {"a": ApiLimit(None, flat(CAL, 200.0), None, None)}
    d = data(api_limits=quota, **bought)
    assert worth(d, "apis.a.requests", {"apis.a": Relief(20.0, "request", 1.0, 2)}) == pytest.approx(18)
    mixed = data(
        pools={"gpus": replace(data().pools["gpus"], count=flat(CAL, 1))},
        api_pairs={("w", "a"): replace(api(CAL, 0.1), good_mtok=pair().good_mtok)},
        concentrations=(Concentration("c", frozenset("a"), frozenset(), flat(CAL, 0.5)),),
    )
    assert worth(mixed, "limits.concentration.c") == pytest.approx(0.9 * (200 * 0.51 / 0.49 - 200))


def test_a_lot_of_exploration_is_a_share_of_the_gpu_hours():
    """One point of 400 GPU-hours is 4, in which the pilot does 8 tasks for $1 more than the other."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", usd=2.0, pilot=Pilot(1.0, 1, proven=False))}
    d = served(workflows=flows, exploration_share=flat(CAL, 0.25))
    assert worth(d, "limits.exploration") == pytest.approx(8)


def test_promises_have_lots():
    """Each of x's tasks takes the place of one of w's: $0.8. A point of 100 tasks is one task."""
    assert worth(owed(min_service=0.5, must_fund=True), "workflows.x.min_service") == pytest.approx(0.8)
    assert worth(owed(min_service=0.5, must_fund=True), "workflows.x.must_fund") == pytest.approx(40)


def test_a_replica_that_must_stand_is_one_fewer():
    """A replica of its own stands idle: a GPU of 200 tasks, $200."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", 100, 0.2, must_fund=True, min_replicas=1)}
    ends = {"e": data().endpoints["e"], "f": replace(data().endpoints["e"], id="f", owner="x")}
    d = served(workflows=flows, endpoints=ends, pairs={("w", "e"): pair(), ("x", "f"): pair()})
    assert worth(d, "workflows.x.min_replicas") == pytest.approx(180)  # x does its 100 tasks there, at $0.2


def test_a_pilot_may_scale_or_be_proven_sooner():
    """Over one period a pilot of 10 % does 100 tasks at $2 beside 700 at $1; a point is 10 tasks more, $10."""
    flows = {"w": workflow(CAL), "x": workflow(CAL, "x", usd=2.0, pilot=Pilot(0.1, 1, proven=False))}
    d = served(workflows=flows)
    assert worth(d, "workflows.x.pilot.share") == pytest.approx(10)
    assert worth(d, "workflows.x.pilot.periods") == pytest.approx(700)


@pytest.mark.parametrize("recourse", [True, False])
def test_a_promise_after_a_loss_is_a_point_smaller(recourse):
    """Own work is lost; 600 tasks of 1000 are to be bought beside 400 own, or kept as reserve."""
    loss = Loss("site home", frozenset("e"), frozenset(), {"w": 0.6}, recourse)
    quota = {"a": ApiLimit(None, flat(CAL, 300.0), None, None)}
    d = data(losses=(loss,), api_pairs={("w", "a"): api(CAL, 0.9)}, api_limits=quota)
    assert worth(d, "workflows.w.resilience") > 0


def test_what_was_committed_is_five_percent_less():
    """The $100 are spent on 50 tasks of $1 each; $5 less are 2.5 tasks fewer."""
    d = served(commitments=(Commitment("a", flat(CAL, 100.0)),), api_pairs={("w", "a"): api(CAL, 2.0)})
    assert worth(d, "apis.a.commitment_usd") == pytest.approx(2.5)


def test_a_lot_owns_its_own_rows_alone():
    (point, promise) = [each for each in lots(owed(min_service=0.5, must_fund=True), {}) if "workflows" in each.owner][
        ::-1
    ]
    assert point.owns("service_floor", ("x", "T1"))
    assert not point.owns("service_floor", ("x", "T1", "must fund"))
    assert promise.owns("service_floor", ("x", "T1", "must fund"))
    assert not promise.owns("service_floor", ("x", "T1"))
    assert not point.owns("service_floor", ("w", "T1"))


def test_nothing_changes_without_a_lot():
    d = knapsack()
    assert all(each.add(d, 0, d.calendar.periods) == d for each in lots(d, {}))


def test_an_instance_declares_what_explain_quotes(tmp_path):
    """The launches story: a lot of one launch for $1,000."""
    story = load("instances/stories/launches.yaml").dump()
    story["limits"]["relief"] = {"launches": {"lot": "1 launch", "usd_per_lot": 1000, "max_lots": 1, "owner": "board"}}
    line = row(explain(parse(story), explain_time=10).document, "limits", owner="limits.launches")
    assert (line["declared"], line["usd_per_lot"], line["decides"]) == (True, 1000, "board")
    assert line["one_more_usd"][0] > 0
