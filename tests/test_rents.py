"""Scarcity rent at the margin, by hand: GPUs of 200 tasks each (tiny), workflows that share them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from planned import planned, rows
from small_questions import two_caps
from test_explain_questions import explained, row
from tiny import api, calendar, data, endpoint, flat, optimum, pair, pool, site, workflow

from optimizer.asking.asker import Asker
from optimizer.engine.highs import solve_program
from optimizer.engine.revalue import settle
from optimizer.engine.solver import Control
from optimizer.explaining.limits import Limits
from optimizer.explaining.lots import lots
from optimizer.explaining.relief import Relief
from optimizer.explaining.rents import Shares, rents
from optimizer.explaining.study import study
from optimizer.formulation.data import ApiLimit, Data
from optimizer.plan.statement import AT_MARGIN

approx = pytest.approx
CAL = calendar()


def shared(**more: Any) -> Data:
    """600 tasks at $1 fill three of four GPUs, 200 of 600 at $0.5 the fourth: one more earns $100, and so a third."""
    flows = {"w": workflow(CAL, demand=600), "x": workflow(CAL, "x", 600, 0.5)}
    return data(**({"workflows": flows, "pairs": {(w, "e"): pair() for w in flows}} | more))


def rent(document: dict[str, Any], w: str) -> dict[str, Any]:
    return row(document, "rents", workflow=w)


def test_rent_is_lots_in_use_at_the_price_of_one_more():
    assert optimum(shared(pools={"gpus": pool(CAL, count=5)})) - optimum(shared()) == approx(100)
    document = explained(shared(), seconds=10)
    assert rent(document, "w")["usd"] == approx([300, 300])
    assert rent(document, "x")["usd"] == approx([100, 100])
    (part,) = rent(document, "w")["owners"]
    assert (part["owner"], part["lots"], part["price_usd"]) == ("pools.gpus", approx(3), approx([100, 100]))
    assert rent(document, "w")["method"] == "solved again"


def test_a_node_that_fills_gpus_and_memory_is_charged_once():
    """80 GB replicas fill HBM with the GPUs: the rent is that of the node."""
    document = explained(shared(endpoints={"e": endpoint(CAL, hbm_gb=80.0)}), seconds=10)
    full = {each["family"] for each in document["constraints"] if each["full"]}
    assert full >= {"gpu_capacity", "hbm_capacity"}
    assert rent(document, "w")["usd"] == approx([300, 300])


def test_lots_that_earn_only_together_carry_no_rent():
    """GPUs and power are full alike: neither earns alone, both do together, and a bundle is no rent."""
    bound = shared(
        sites={"home": site(CAL, power_kw=4.0)},
        endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=1.0)},
    )
    given = {"sites.home": Relief(1.0, "kW", 5.0, 4)}
    for d, owners in ((bound, {"pools.gpus", "sites.home"}), (two_caps(), {"resources.gpu", "resources.kw"})):
        document = explained(d, seconds=10, reliefs=given)
        assert {line["owner"] for line in document["limits"]} >= owners
        assert all(line["usd"] == [0.0, 0.0] for line in document["rents"])
        assert document["bundles"]


def test_power_is_measured_in_lots_of_power():
    """2 kW carry two GPUs, both w's; a lot of 100 kW or 5 % is 0.1 kW, of which w uses 20."""
    d = shared(sites={"home": site(CAL, power_kw=2.0)}, endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=1.0)})
    line = rent(explained(d, seconds=10), "w")
    (part,) = line["owners"]
    assert (part["owner"], part["lots"]) == ("sites.home", approx(20))


def test_a_quota_is_charged_to_those_who_call():
    """Calls at $0.1; 700 requests: 600 for w, 100 for x. 35 more (5 %) earn 35 x $0.4 = $14."""
    d = shared(
        pools={}, endpoints={}, pairs={}, api_pairs={(w, "a"): api(CAL, 0.1) for w in ("w", "x")},
        api_limits={"a": ApiLimit(None, flat(CAL, 700.0), None, None)},
    )  # fmt: skip
    document = explained(d, seconds=10)
    assert rent(document, "w")["usd"] == approx([240, 240])
    assert rent(document, "x")["usd"] == approx([40, 40])


def test_the_mean_counts_the_periods_that_are_full():
    """Two periods of which the first has GPUs to spare: only the second is charged."""
    two = calendar(2)
    first, second = two.periods
    flows = {
        "w": replace(workflow(two, demand=600), demand={first: 100, second: 600}),
        "x": workflow(two, "x", 600, 0.5),
    }
    flows["x"] = replace(flows["x"], demand={first: 100, second: 600})
    d = data(two, workflows=flows, pairs={(w, "e"): pair() for w in flows})
    document = explained(d, seconds=10)
    assert rent(document, "w")["usd"] == approx([300, 300])
    assert rent(document, "x")["usd"] == approx([100, 100])


def test_what_was_not_asked_is_open_above():
    d = shared()
    found = study(d, (), (), lots(d, {}))
    x = solve_program(found.program, gap=0.0).values
    at = np.array([x[name][key] for name, key in found.program.cols])
    control = Control(time.monotonic() + 10, threading.Event(), lambda _: None)
    with ThreadPoolExecutor(1) as pool_of_threads:
        asker = Asker(settle(found.program, at, control), control, pool_of_threads)
    line = rents(Limits(found, found.used(at), np.zeros(found.program.row_lower.size)), at, asker)[0]
    assert (line["usd"], line["not_asked"], line["owners"]) == ([0.0, None], ["pools.gpus"], [])


def test_rent_is_a_memo_line_and_no_part_of_net():
    document, d = explained(shared(), seconds=10), shared()
    plan = planned(d)
    assert all((line["line"], line["in_net"]) == (AT_MARGIN, False) for line in document["rents"])
    assert all(not line["in_net"] for line in rows(plan, "statement", line=AT_MARGIN))
    nets = {line["workflow"]: line["cash_usd"] for line in rows(plan, "statement", line="net", period="")}
    filled = [*plan["statement"], *document["rents"]]
    for w, net in nets.items():
        lines = [line for line in filled if (line["workflow"], line["period"], line["in_net"]) == (w, "", True)]
        assert sum(line["cash_usd"] for line in lines) == approx(net)
    assert sum(nets.values()) == approx(sum(line["cash_usd"] for line in plan["ledger"]))


def test_lots_in_use_add_up_to_what_is_used_at_most():
    """Four GPUs, of which one waits a quarter of the time for nobody."""
    flows = {"w": workflow(CAL, demand=600), "x": workflow(CAL, "x", 150, 0.5)}
    d = shared(workflows=flows, portfolio_limit=flat(CAL, 2.0))
    found = study(d, (), (), lots(d, {}))
    values = solve_program(found.program, gap=0.0).values
    x = np.array([values[name][key] for name, key in found.program.cols])
    (gpus,) = [each for each in found.used(x) if (each.family.name, each.key) == ("gpu_capacity", ("gpus", "T1"))]
    assert Shares(found, x).used(gpus) == {"w": approx(3), "x": approx(0.75)}
    (nodes,) = [each for each in found.used(x) if each.key == ("gpus", "T1", "nodes")]
    assert Shares(found, x).used(nodes) == {"w": approx(3), "x": approx(0.75)}
    (portfolio,) = [each for each in found.used(x) if each.family.name == "portfolio_limit"]
    assert Shares(found, x).used(portfolio) == {"w": 1, "x": 1}
