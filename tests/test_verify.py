"""A plan written by hand passes; each way of spoiling it is caught, under the right name."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from plans import CASH, Document, plan
from spoils import Spoil, both, line, put, say, serve, served

import optimizer.verify
from optimizer.verify import Row, placement, verify
from optimizer.verify.rows import TOLERANCE


def endpoint(e: str, t: str, **values: Any) -> Spoil:
    return put("endpoints", {"endpoint": e, "period": t}, **values)


def workflow(w: str, t: str, **values: Any) -> Spoil:
    return put("workflows", {"workflow": w, "period": t}, **values)


def pool(p: str, t: str, nodes: float) -> Spoil:
    return put("pools", {"pool": p, "period": t}, powered_nodes=nodes)


def llama(**values: Any) -> Spoil:
    return lambda p: p["instance"]["resolved"]["deployments"]["llama-2"].update(values)


def chat(**values: Any) -> Spoil:
    return lambda p: p["instance"]["resolved"]["workflows"]["chat"].update(values)


def drop_price(p: Document) -> None:
    front = p["instance"]["resolved"]["apis"]["front"]
    front["prices"] = {"embed": {"usd_per_task": 0.1}}
    del front["usd_per_mtok_in"], front["usd_per_mtok_out"]


def fund_without_demand(p: Document) -> None:
    p["instance"]["resolved"]["workflows"]["speech"]["demand"] = {"A": 600, "B": 0}
    line(p, "workflows", workflow="speech", period="B")["funded"] = 1


SPOILED: list[tuple[str, str, Spoil]] = [
    # physical families
    ("endpoint_capacity", "slower than planned", say("deployments>coder-4>work>code>tasks_per_hour", 0.5)),
    ("endpoint_capacity", "a higher peak", chat(peak_factor=3)),
    ("endpoint_capacity", "less headroom", say("options>headroom", 0.5)),
    ("endpoint_capacity", "less often up", say("deployments>coder-4>availability", 0.4)),
    ("endpoint_capacity", "served by no replica", serve("speech", "speech@mps", "B", "peak", 10)),
    ("gpu_capacity", "fewer GPUs", say("pools>whole>count", 15)),
    ("gpu_capacity", "fewer GPUs later", say("pools>whole>count", {"A": 16, "B": 8})),
    ("gpu_capacity", "more replicas", endpoint("tune@whole", "A", replicas=2)),
    ("gpu_capacity", "more slices than slots", endpoint("embed@mig", "A", replicas=8)),
    ("gpu_capacity", "the wrong layout", put("layouts", {"pool": "mig"}, layout="two")),
    ("gpu_capacity", "nothing is cut", lambda p: p["layouts"].clear()),
    ("gpu_capacity", "more cut than there is", put("layouts", {"pool": "mig"}, gpus=3)),
    ("gpu_capacity", "replicas across domains", say("gpus>big>scale_up_domain", 4)),
    ("powered_link", "a node in the dark", pool("whole", "A", 1)),
    ("powered_link", "cut GPUs in the dark", pool("mig", "A", 0)),
    ("gpu_capacity", "nodes that do not exist", pool("whole", "B", 3)),
    ("hbm_capacity", "three halves of two GPUs", say("deployments>listener>hbm_gb", 50)),
    ("hbm_capacity", "more than the pool holds", say("gpus>big>usable_hbm_gb", 40)),
    ("hbm_capacity", "more than a replica's GPUs hold", say("deployments>llama-2>hbm_gb", 151)),
    ("hbm_capacity", "more than a slice holds", say("deployments>embedder>hbm_gb", 11)),
    ("hbm_capacity", "more residents than a GPU takes", say("pools>mps>max_residents", 1)),
    ("bandwidth_capacity", "more bytes than move", say("deployments>listener>work>speech>bytes_gb_per_task", 5e6)),
    ("compute_capacity", "more operations than compute", say("deployments>listener>work>speech>tflop_per_task", 2e6)),
    ("bandwidth_capacity", "bytes that only dark GPUs would move", both(say("pools>mps>node", 1), say(
        "deployments>listener>work>speech>bytes_gb_per_task", 2.88e6))),
    ("compute_capacity", "operations that only dark GPUs would do", both(say("pools>mps>node", 1), say(
        "deployments>listener>work>speech>tflop_per_task", 1e6))),
    ("power_limit", "a smaller permit", say("sites>east>power_mw", 0.008)),
    ("power_limit", "a worse PUE", say("sites>east>pue", 3.5)),
    ("power_limit", "hungrier replicas", say("deployments>trainer-8>op_kw", 40)),
    ("power_limit", "counted by nameplate", lambda p: p["instance"]["resolved"]["sites"]["east"].update(
        power_basis="nameplate", power_mw=0.0195)),
    # agreed families
    ("spend_limit", "a smaller budget in one period", say("limits>spend>opex_usd>amount", {"A": 5802, "B": 6000})),
    ("spend_limit", "a smaller budget in all", say("limits>spend>pilots>amount", 159)),
    ("service_floor", "less than promised", chat(min_service=0.9)),
    ("service_floor", "a job done by half", say("workflows>tune>min_service", 0.9)),
    ("service_floor", "not funded though it must be", workflow("code", "B", funded=0)),
    ("replica_floor", "fewer replicas than promised", chat(min_replicas=3)),
    ("launch_limit", "too many launches", say("limits>launches", {"A": 3, "B": 4})),
    ("portfolio_limit", "too many at once", say("limits>portfolio", 4)),
    ("api_limit", "tokens of the period", say("apis>front>tokens_per_period", 359_000)),
    ("api_limit", "requests of the period", say("apis>front>requests_per_period", 299)),
    ("api_limit", "tokens a minute", say("apis>front>tokens_per_minute", 67)),  # 4050 an hour at the peak are 67.5
    ("api_limit", "requests a minute", say("apis>front>requests_per_minute", 0.056)),  # 3.375 an hour are 0.05625
    # logic
    ("balance_link", "another share by day", served("chat", "chat@whole", "B", "peak", 590)),
    ("balance_link", "best effort beyond its share", served("code", "code@whole", "A", "peak", 34)),
    ("funding_link", "served unfunded", workflow("speech", "A", funded=0)),
    ("funding_link", "beyond demand", say("workflows>embed>demand", 8000)),
    ("funding_link", "a job sold twice", say("workflows>tune>demand", "7 per horizon")),
    ("funding_link", "funded without demand", fund_without_demand),
    ("launch_link", "funded without launch", workflow("chat", "A", launched=0)),
    ("launch_link", "launched twice", workflow("chat", "B", launched=1)),
    ("launch_link", "was not running", say("workflows>code>state>running", False)),
    ("launch_link", "not kept", say("workflows>speech>keep_once_launched", True)),
    # eligibility
    ("eligibility", "too slow to start", chat(latency={"ttft_ms": 440})),  # 300 ms, at worst 450
    ("eligibility", "too slow to go on", chat(latency={"tpot_ms": 44})),
    ("eligibility", "of unknown speed", say("workflows>code>latency", {"ttft_ms": 1000})),
    ("eligibility", "an API too slow", say("apis>front>ttft_ms", 501)),
    ("eligibility", "a context too short", llama(context_tokens=1199)),
    ("eligibility", "not good enough", llama(quality={"mmlu": 0.69})),
    ("eligibility", "of unknown quality", llama(quality={})),
    ("eligibility", "an API not good enough", say("apis>front>quality>mmlu", 0.5)),
    ("eligibility", "abroad", say("sites>east>jurisdiction", "USVI")),
    ("eligibility", "an API abroad", say("apis>front>jurisdiction", "DE")),
    ("eligibility", "a model not accepted", llama(model="other")),
    ("eligibility", "a precision not accepted", llama(precision="int4")),
    ("eligibility", "a GPU not accepted", chat(accepts={"gpus": ["cut"]})),
    ("eligibility", "an API not accepted", chat(accepts={"apis": []})),
    ("eligibility", "too hot", say("sites>east>cooling", ["liquid"])),
    ("eligibility", "no licence", say("models>llama>commercial_use", False)),
    ("eligibility", "no speed for the pair", serve("speech", "chat@whole", "A", "peak", 0.1)),
    ("eligibility", "no price for the pair", drop_price),
    ("eligibility", "not alone", serve("tune", "code@whole", "A", "night", 0.1)),
    # money
    *[("ledger", f"{term} misstated", put("ledger", {"term": term}, usd=1.0)) for term in CASH],
    ("ledger", "cash misstated", put("ledger", {"term": "value"}, cash_usd=1.0)),
    ("ledger", "a term left out", lambda p: p["ledger"].pop()),
    ("ledger", "a term nobody knows", lambda p: p["ledger"].append({"term": "luck", "usd": 5.0, "cash_usd": 5.0})),
    ("ledger", "value of a workflow misstated", workflow("chat", "A", value_usd=1301)),
    ("ledger", "another tranche", chat(value_usd=[{"upto": 0.4, "usd": 2}, {"upto": 1, "usd": 1}])),
    ("ledger", "another price path", say("apis>front>price_factor", 0.9)),
    ("ledger", "another tariff", say("sites>west>usd_per_mwh", 51)),
    ("ledger", "another running cost", say("pools>mig>paid", "owned")),
    ("ledger", "another lease", say("pools>whole>lease_usd_per_gpu_hour", 0.2)),
    ("ledger", "another discount", say("horizon>discount_rate", 0.11)),
    ("objective", "net value misstated", lambda p: p.update(objective_usd=p["objective_usd"] + 1)),
    # the document
    ("plan", "a bound below the plan", lambda p: p.update(bound_usd=p["objective_usd"] - 1)),
    ("plan", "half a replica", endpoint("chat@whole", "A", replicas=1.5)),
    ("plan", "less than nothing", served("code", "code@whole", "B", "peak", -1)),
    ("plan", "not a number", served("code", "code@whole", "B", "peak", float("nan"))),
    ("plan", "an unknown source", serve("chat", "nowhere", "A", "peak", 1)),
    ("plan", "an unknown period", serve("chat", "chat@whole", "C", "peak", 1)),
    ("plan", "listed twice", serve("chat", "chat@whole", "A", "peak", 1)),
    ("plan", "an endpoint on other GPUs", endpoint("chat@whole", "A", pool="mig")),
    ("plan", "GPUs misstated", endpoint("chat@whole", "A", gpus=5)),
    ("plan", "GB misstated", endpoint("chat@whole", "A", hbm_gb=281)),
    ("plan", "served misstated", workflow("chat", "A", served=801)),
    ("plan", "calls misstated", workflow("chat", "A", api=0)),
    ("plan", "demand misstated", workflow("chat", "A", demand=900)),
    ("plan", "a family nobody checks", lambda p: p["resources"].append({"family": "luck_limit"})),
    ("plan", "a family nobody checks dropped", lambda p: p["options"]["drop"].append("luck_limit[x]")),
    ("plan", "an instance with a fault", say("pools>whole>site", "nowhere")),
    ("plan", "a figure left to a default", lambda p: p["instance"]["resolved"]["options"].pop("headroom")),
]  # fmt: skip


def test_the_plan_by_hand_passes() -> None:
    found = verify(plan())
    assert found.violations == ()
    assert found.passed
    assert found.checked_rows == sum(found.rows_by_family.values()) > 200
    assert found.worst_violation < 1e-12


@pytest.mark.parametrize(("family", "spoil"), [pytest.param(f, s, id=f"{f}: {what}") for f, what, s in SPOILED])
def test_a_spoiled_plan_fails_under_the_right_name(family: str, spoil: Spoil) -> None:
    spoiled = plan()
    spoil(spoiled)
    found = verify(spoiled)
    assert not found.passed
    assert found.worst_violation > TOLERANCE
    assert family in {v.family for v in found.violations}, "\n".join(v.text for v in found.violations)


def test_what_was_dropped_is_not_held_against_the_plan() -> None:
    small = plan()
    say("sites>east>power_mw", 0.001)(small)
    small["options"]["drop"] = ["power_limit[east,A,*]"]
    left = verify(small)
    assert {(v.family, v.period) for v in left.violations} == {("power_limit", "B")}
    small["options"]["drop"] = ["power_limit"]
    assert verify(small).passed
    assert verify(small).skipped_by_family == {"power_limit": 4}


def test_a_hair_is_let_pass_and_a_thread_is_not() -> None:
    for excess, passes in ((0.2 * TOLERANCE, True), (5 * TOLERANCE, False)):
        p = plan()
        say("apis>front>requests_per_period", 300 / (1 + excess))(p)
        assert verify(p).passed is passes


def test_a_family_of_ones_own_is_checked_too() -> None:
    p = plan()
    p["resources"].append({"family": "licence_limit"})
    seats = {"licence_limit": lambda d: [Row("licence_limit", ("seats",), "A", d.replicas["chat@whole", "A"], "<=", 1)]}
    assert [v.family for v in verify(p, extra=seats).violations] == ["licence_limit"]


def test_every_replica_of_the_plan_has_its_gpus() -> None:
    seats = placement(plan())
    whole = [gpu for placed in seats["whole", "A"] for gpu in placed.gpus]
    assert len(whole) == len(set(whole)) == 16
    assert sorted(len(placed.gpus) for placed in seats["mps", "A"]) == [1, 1, 1]
    assert len({placed.gpus for placed in seats["mps", "A"]}) == 2  # 30 GB each on 75: two and one
    assert seats["mig", "B"] == ()


def test_the_check_shares_nothing_with_what_it_checks() -> None:
    """Directly or through what it imports: no formulation, resolution, speeds or solver."""
    folder = Path(optimizer.verify.__file__).parent
    imported = {name for path in folder.glob("*.py") for name in _imports(path)}
    inside = {name for name in imported if name.startswith("optimizer")}
    assert all(name.startswith(("optimizer.verify", "optimizer.instance")) for name in inside)
    assert not {name.split(".")[0] for name in imported} & {"pyomo", "highspy", "scipy"}
    apart = ("optimizer.formulation", "optimizer.resolve", "optimizer.speed", "pyomo", "highspy")
    behind = [name for path in (folder.parent / "instance").glob("*.py") for name in _imports(path)]
    assert not any(name.startswith(apart) for name in behind)


def _imports(path: Path) -> list[str]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [
        name
        for node in tree
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
