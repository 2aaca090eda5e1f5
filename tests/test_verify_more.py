"""A plan by hand with offers, racks, people, tools, losses and moves passes; each way of spoiling it is caught."""

from __future__ import annotations

from typing import Any

import pytest
from plans_more import AT_ONCE, CASH, Document, plan
from spoils import Spoil, add, both, drop, put, say, serve

from optimizer.formulation.families import FAMILIES
from optimizer.formulation.terms import TERMS
from optimizer.verify import placement, verify
from optimizer.verify.check import RULES
from optimizer.verify.money import TERMS as CHECKED_TERMS
from optimizer.verify.rows import TOLERANCE

CHAT = "workflows>chat>"


def decision(offered: str, **values: Any) -> Spoil:
    return put("decisions", {"name": offered}, **values)


def offer(offered: str, **values: Any) -> Spoil:
    return lambda p: p["instance"]["resolved"]["offers"][offered].update(values)


def rescued(loss: str, source: str, t: str, part: str, tasks: float) -> Spoil:
    return put("rescue", {"loss": loss, "source": source, "period": t, "day_part": part}, rescued=tasks)


def stood(e: str, replicas: int) -> Spoil:
    return lambda p: p["instance"]["resolved"]["previous"]["replicas"].update({e: replicas})


def nobody_asks(p: Document) -> None:
    """A workflow that no loss is promised to, and recourse that is not there."""
    p["instance"]["resolved"]["resilience"]["recourse"] = "none"
    p["rescue"].clear()


SPOILED: list[tuple[str, str, Spoil]] = [
    # offers
    ("supply_limit", "more lots than there are", decision("more", amount=2)),
    ("supply_limit", "none to be had then", decision("rent", period="A")),
    ("supply_limit", "more than in all", both(decision("sell", amount=1), add(
        "decisions", kind="retire", name="sell", period="B", amount=1))),
    ("supply_limit", "takes effect too late", offer("more", lead=2)),
    ("supply_limit", "a smaller quota", say("limits>supply>hbm>amount", 319)),
    ("supply_limit", "one upgrade is one", decision("line", amount=2)),
    ("parting_link", "more given back than was leased", decision("return", amount=2)),
    ("parting_link", "more sold than was owned", decision("sell", amount=9)),
    ("gpu_capacity", "what was bought is not there yet", decision("more", period="B")),
    ("gpu_capacity", "what was bought comes later", both(offer("more", lots={"A": 0, "B": 1}), decision(
        "more", period="B"))),
    ("gpu_capacity", "sold and used", offer("sell", lot=4)),
    ("gpu_capacity", "given back and not replaced", drop("decisions", name="rent")),
    ("gpu_capacity", "leased for other GPUs", offer("rent", pool="old")),
    ("gpu_capacity", "nodes that were sold", put("pools", {"pool": "old", "period": "A"}, powered_nodes=2)),
    ("hbm_capacity", "what was not bought holds nothing", both(drop("decisions", name="more"), say(
        "tools>cache>hbm_gb>main", 41))),
    ("ledger", "a dearer purchase", offer("more", usd_per_lot=1001)),
    ("ledger", "another residual", offer("more", depreciation_per_year=0.3)),
    ("ledger", "a residual in money", lambda p: p["instance"]["resolved"]["offers"]["more"].update(
        depreciation_per_year=None, residual_usd_per_lot=900)),
    ("ledger", "a dearer lease", offer("rent", usd_per_gpu_hour=0.31)),
    ("ledger", "a lower resale", offer("sell", resale_usd_per_lot=99)),
    ("ledger", "a higher penalty", offer("return", penalty_usd_per_lot=51)),
    ("ledger", "another lease rate that ends", say("pools>far>lease_usd_per_gpu_hour", 0.21)),
    ("ledger", "an annuity over a longer life", offer("line", life_years=3)),
    ("ledger", "an upgrade paid at once", offer("line", charge="cash")),
    ("spend_limit", "a smaller capital budget", say("limits>spend>capex_usd", 1005)),
    ("plan", "an offer nobody made", decision("more", name="less")),
    ("plan", "a lease that is a purchase", decision("rent", kind="buy")),
    ("plan", "half a lot", decision("more", amount=0.5)),
    # places
    ("power_limit", "more curtailed at the peak", say("sites>east>curtailment>peak", 0.0013)),
    ("power_limit", "a permit that is late", say("sites>east>power_permits>feeder>late", 2)),
    ("power_limit", "an upgrade that brings less", offer("line", power_mw=0)),
    ("power_limit", "a tool on hungrier GPUs", say("gpus>big>op_kw", 2)),
    ("power_limit", "longer retraining", put("retraining", {"period": "A"}, gpu_hours=200)),
    ("rack_capacity", "no racks", say("sites>east>racks>air", 0)),
    ("rack_capacity", "racks that were not built", drop("decisions", name="line")),
    ("rack_capacity", "smaller racks", say("rack_classes>air>kw", 7)),
    ("eligibility", "racks of another cooling", say("rack_classes>air>cooling", "liquid")),
    ("storage_capacity", "less storage", say("sites>east>storage_tb", 0.4)),
    ("storage_capacity", "a larger index", say(CHAT + "storage_tb>east", 0.25)),
    ("storage_capacity", "wider weights", say("deployments>m-2>precision", "bf16")),
    ("storage_capacity", "a larger tool", say("tools>cache>storage_tb>east", 0.15)),
    ("hosting_link", "weights that are not there", drop("hosting", site="east", period="A")),
    ("energy_limit", "less energy", say("limits>energy>east>mwh", 2.2)),
    ("energy_limit", "more sites", say("limits>energy>east>sites", ["east", "west"])),
    ("carbon_limit", "less carbon", say("limits>carbon>us>t_co2", 0.88)),
    ("carbon_limit", "dirtier power", say("sites>east>g_co2_per_kwh", {"A": 400, "B": 420})),
    ("carbon_limit", "dirtier power abroad", say("sites>west>g_co2_per_kwh", 50)),
    ("water_limit", "less water", say("limits>water>all>m3", {"A": 2.1, "B": 2.33})),
    ("water_limit", "thirstier cooling", say("sites>east>water_l_per_kwh", 2.1)),
    # people and what else work takes
    ("review_limit", "fewer reviewers", say("skills>clerk>hours", 11.9)),
    ("review_limit", "more to review", say(CHAT + "review>share", {"default": 0.1, "front": 0.2})),
    ("review_limit", "a launch that takes longer", say(CHAT + "launch_hours>engineer", 7)),
    ("review_limit", "a tool that takes more care", say("tools>cache>staff>engineer", 5)),
    ("retraining_link", "too little training", put("retraining", {"period": "B"}, gpu_hours=119)),
    ("retraining_link", "more to train", say(CHAT + "retraining>gpu_hours", 241)),
    ("retraining_link", "trained where it may not be", say(CHAT + "residency", ["US-OR"])),
    ("resource_capacity", "less bandwidth", say("resources>gbps>amount", 16)),
    ("resource_capacity", "replicas that take more", say("deployments>m-2>resources>gbps", 3.5)),
    ("resource_capacity", "a bundle that takes more", say("resources>calls>amount", 1249)),
    ("resource_capacity", "tasks that take more", say(CHAT + "task_resources>calls", 1.1)),
    ("resource_capacity", "a tool that takes more", say("tools>cache>resources>gbps", 3)),
    ("endpoint_capacity", "slower with the tool", say("deployments>m-2>work>chat>tools>cache>tasks_per_hour", 1.4)),
    ("endpoint_capacity", "more attempts", both(say("deployments>m-2>work>chat>tools>cache>tasks_per_hour", 1.45), say(
        CHAT + "yield>default", 0.7))),
    ("api_limit", "more attempts at the API", say(CHAT + "yield>front", 0.5)),
    ("api_limit", "more tokens without the tool", say("apis>front>tokens_per_period", {"A": 33_000, "B": 15_119})),
    # market and discipline
    ("commitment_floor", "a shortfall not paid", drop("commitments", period="B")),
    ("commitment_floor", "a larger commitment", say("apis>front>commitment_usd", 16)),
    ("concentration_limit", "a smaller share", say("limits>concentration>acme>share", 0.14)),
    ("concentration_limit", "at the sites too", say("limits>concentration>acme>sites", ["west"])),
    ("concentration_limit", "of fewer workflows", both(say("limits>concentration>acme>workflows", ["chat"]), say(
        "limits>concentration>acme>share", 0.1455))),
    ("proof_floor", "a smaller pilot", say("workflows>trial>pilot>share", 0.09)),
    ("proof_floor", "proven later", say("workflows>trial>pilot>periods", 2)),
    ("exploration_limit", "less exploration", say("limits>exploration", 0.0002)),
    ("exploration_limit", "slower exploration", say("deployments>c-1>work>trial>tasks_per_hour", 2)),
    # tools, bundles, moves
    ("tool_link", "needed and not there", put("tools", {"period": "A"}, adopted=0)),
    ("tool_link", "two of one kind", add("tools", tool="rival", period="A", adopted=1)),
    ("tool_link", "used after a loss and not there", both(drop("tools", period="A"), say(CHAT + "requires", []), drop(
        "serving", source="main/m-2+cache", period="A"))),
    ("plan", "an unknown tool", serve("chat", "main/m-2+magic", "A", "peak", 1)),
    ("eligibility", "no speed with the tool", serve("chat", "main/m-2+rival", "A", "peak", 1)),
    ("eligibility", "no price with the tool", serve("chat", "front+rival", "A", "peak", 1)),
    ("gpu_capacity", "a tool that takes more GPUs", say("tools>cache>gpus>main", 2)),
    ("hbm_capacity", "a tool that takes more memory", say("tools>cache>hbm_gb>main", 181)),
    ("bundle_link", "none of exactly one", both(drop("bundles", period="A"), put(
        "workflows", {"workflow": "pick", "period": "A"}, funded=0))),
    ("bundle_link", "two of one", add("bundles", workflow="pick", bundle="small", period="B", chosen=1)),
    ("bundle_link", "taken unfunded", put("workflows", {"workflow": "pick", "period": "B"}, funded=0)),
    ("bundle_link", "of another workflow", add("bundles", workflow="chat", bundle="small", period="B", chosen=1)),
    ("change_link", "a move not counted", drop("moves", period="B")),
    ("change_link", "another start", say("previous>replicas", {"main/m-2": 1, "far/m-2": 2, "old/c-1": 1})),
    ("change_link", "nothing before", say("previous>replicas", {})),
    ("change_link", "what stood is gone, uncounted", stood("old/m-2", 2)),
    ("change_link", "a steeper ramp", say("change>ramp", 0)),
    ("change_link", "pinned elsewhere", say("hold>pinned", [{"endpoint": "far/m-2", "replicas": 1}])),
    ("change_link", "banned and there", say("hold>banned", [{"endpoint": "old/c-1", "periods": ["B"]}])),
    ("change_link", "banned and funded", say("hold>banned", [{"workflow": "chat", "periods": ["B"]}])),
    ("change_link", "pinned and not funded", both(say("hold>banned", []), say("hold>pinned", [
        {"workflow": "gone", "periods": ["B"]}]))),
    ("change_link", "not constant", say("deployments>m-2>replicas", "constant")),
    ("change_link", "not constant in a group", say("deployments>m-2>replicas", {"constant": [["A", "B"]]})),
    # losses
    ("resilience_floor", "too little rescued", rescued("site west", "main/m-2+cache", "B", "night", 239)),
    ("resilience_floor", "nothing rescued", drop("rescue", loss="no-acme")),
    ("resilience_floor", "a larger promise", say(CHAT + "resilience>site", 0.31)),
    ("resilience_floor", "a larger share for all", say("resilience>shares>chat", 0.51)),
    ("resilience_floor", "rescued by what is lost", put("rescue", {"loss": "no-acme"}, source="front")),
    ("resilience_floor", "rescued in no time", say("deployments>m-2>work>chat>tasks_per_hour", 1)),
    ("resilience_floor", "rescued without power", say("sites>west>power_mw", 0.00091)),
    ("resilience_floor", "rescued beyond the quota", say("apis>front>requests_per_period", 215)),
    ("resilience_floor", "no recourse", both(nobody_asks, say(CHAT + "resilience>site", 0.3))),
    ("eligibility", "rescued too slowly", say(CHAT + "latency", {"ttft_ms": 1000})),
    ("plan", "a loss nobody fears", put("rescue", {"loss": "no-acme"}, loss="flood")),
    # money
    *[("ledger", f"{term} misstated", put("ledger", {"term": term}, usd=1.0)) for term in CASH],
    ("ledger", "another yield", say(CHAT + "yield>front", 0.79)),
    ("ledger", "no second try", say(CHAT + "retries", 0)),
    ("ledger", "another liability", say(CHAT + "bad_usd", 3)),
    ("ledger", "dearer reviewers", say("skills>clerk>usd_per_hour", 21)),
    ("ledger", "another price of carbon", say("sites>east>usd_per_t_co2", 51)),
    ("ledger", "dearer storage", say("sites>east>usd_per_tb_month", 74)),
    ("ledger", "dearer training", say(CHAT + "retraining>usd", 31)),
    ("ledger", "a dearer tool", say("tools>cache>usd_per_period", 101)),
    ("ledger", "a tool that ran before", say("tools>cache>running", True)),
    ("ledger", "dearer moves", say("change>usd_per_replica", 11)),
    ("ledger", "a cheaper API with the tool", say("apis>front>prices>chat>tools>cache>usd_per_task", 0.02)),
    ("ledger", "another bundle", say("workflows>pick>bundles>options>large>value_usd", 91)),
    ("ledger", "another shortfall", put("commitments", {"period": "B"}, shortfall=10)),
]  # fmt: skip


def test_the_plan_by_hand_passes() -> None:
    found = verify(plan())
    assert found.violations == ()
    assert found.passed
    assert found.worst_violation < 1e-12
    assert set(AT_ONCE) < set(CASH)


@pytest.mark.parametrize(("family", "spoil"), [pytest.param(f, s, id=f"{f}: {what}") for f, what, s in SPOILED])
def test_a_spoiled_plan_fails_under_the_right_name(family: str, spoil: Spoil) -> None:
    spoiled = plan()
    spoil(spoiled)
    found = verify(spoiled)
    assert not found.passed
    assert found.worst_violation > TOLERANCE
    assert family in {v.family for v in found.violations}, "\n".join(v.text for v in found.violations)


@pytest.mark.parametrize(
    ("family", "spoil"),
    [
        ("rack_capacity", say("sites>east>racks>air", 0)),
        ("carbon_limit", say("limits>carbon>us>t_co2", 0.1)),
        ("change_link", say("change>ramp", 0)),
        ("resilience_floor", drop("rescue", loss="no-acme")),
    ],
)
def test_what_was_dropped_is_not_held_against_the_plan(family: str, spoil: Spoil) -> None:
    spoiled = plan()
    spoil(spoiled)
    assert {v.family for v in verify(spoiled).violations} == {family}
    spoiled["options"]["drop"] = [family]
    assert verify(spoiled).passed


def test_every_family_and_term_of_the_program_is_checked() -> None:
    assert {each.name for each in FAMILIES} <= set(RULES)
    assert [each.name for each in TERMS] == list(CHECKED_TERMS)


def test_bought_gpus_and_tools_have_their_places() -> None:
    seats = placement(plan())
    later = [gpu for placed in seats["main", "B"] for gpu in placed.gpus]
    assert len(later) == len(set(later)) == 4 * 2 + 1  # four replicas and the cache
    assert max(gpu.node for gpu in later) == 2  # the third node was bought
    assert [placed.endpoint for placed in seats["main", "A"]].count("tools") == 1
