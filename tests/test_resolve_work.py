"""Yields, review, retraining, bundles, tools, caches, holds and the plan in force: figures by hand."""

import json

import pytest
from resolving import AI, data, document, generated

from optimizer.formulation.data import Bundle, Pilot, Retraining, Skill, Variant
from optimizer.instance.faults import BadInput
from optimizer.instance.load import parse
from optimizer.resolve import resolve

approx = pytest.approx
API = {"a": {"jurisdiction": "US", "usd_per_mtok_in": 2, "usd_per_mtok_out": 10}}


def flat(x):
    return {"T1": x, "T2": x}


def work(**w):
    return document(workflows={"w": w}, apis=API)


def test_bad_output_is_tried_again():
    """Yield 80 % and one retry: 1.2 attempts, 96 % good; the API at 50 %: 1.5 attempts, 75 % good."""
    d = data(work(**{"yield": {"default": 0.8, "a": 0.5}, "retries": 1, "bad_usd": 2}))
    own, bought = d.pairs["w", "p/d"], d.api_pairs["w", "a"]
    assert (own.good, own.tasks_per_hour, own.good_mtok) == (approx(0.96), approx(100 / 1.2), approx(0.96e-4))
    assert own.liability_usd == approx(2 * 0.04)
    assert (bought.good, bought.liability_usd) == (approx(0.75), approx(0.5))
    assert (bought.tokens_in, bought.tokens_out, bought.requests) == (approx(1500), approx(150), 1.5)
    assert bought.usd_per_task["T1"] == approx(1.5 * (1000 * 2 + 100 * 10) / 1e6)


def test_bytes_and_operations_follow_attempts():
    plain = document(
        deployments={"d": {"bytes_gb_per_task": 4, "tflop_per_task": 2}},
        workflows={"w": {"yield": {"default": 1, "net": 0.5}, "retries": 1}},
    )
    pair = data(plain).pairs["w", "p/d"]
    assert (pair.bytes_gb, pair.tflop, pair.good) == (6, 3, 0.75)


def test_review_of_a_sample_by_skill():
    plain = work(
        review={"skill": "clerk", "share": {"default": 0.1, "a": 0.5}, "minutes": 6}, launch_hours={"clerk": 9}
    )
    d = data({**plain, "skills": {"clerk": {"hours": 50, "usd_per_hour": [20, 21]}}})
    assert d.skills == {"clerk": Skill("clerk", flat(50), {"T1": 20, "T2": 21})}
    assert (d.workflows["w"].skill, d.workflows["w"].launch_hours) == ("clerk", {"clerk": 9})
    assert (d.pairs["w", "p/d"].review_hours, d.api_pairs["w", "a"].review_hours) == (approx(0.01), approx(0.05))


def test_retraining_runs_on_whole_gpus_where_the_data_may_be():
    training = {"gpu_hours": 876, "per": "year", "usd": 87.6, "speed": {"chip": 1.5}}
    pools = {"far": {"site": "away", "gpu": "chip", "count": 8, "usd_per_gpu_hour": 1}}
    sites = {"away": {"jurisdiction": "DE", "pue": 1, "usd_per_mwh": 1}}
    plain = document(workflows={"w": {"retraining": training, "residency": ["US"]}}, pools=pools, sites=sites)
    hours = {"T1": approx(10), "T2": approx(5)}  # 100 h and 50 h of a year
    usd = {"T1": approx(1), "T2": approx(0.5)}
    assert data(plain).workflows["w"].retraining == Retraining(hours, {"p": 1.5}, usd)


def test_bundles_ask_for_no_tasks():
    options = {"full": {"value_usd": [5, 6], "resources": {"seat": 2}}}
    flow = {"bundles": {"choose": "exactly_one", "options": options}}
    plain = document(workflows={"w": None, "b": flow}, resources={"seat": {"unit": "seat", "amount": 3}})
    b = data(plain).workflows["b"]
    assert (b.demand, b.tranches, b.choose) == (flat(1), (), "exactly_one")
    assert b.bundles == (Bundle("full", {"T1": 5, "T2": 6}, {"seat": 2}),)
    assert not data(plain).pairs


def test_pilots_resources_and_requirements_are_kept():
    plain = work(pilot={"share": "10%", "periods": 2}, state={"proven": True}, requires=["store"],
                 storage_tb={"home": 3}, resources={"seat": 1}, task_resources={"seat": 0.1})  # fmt: skip
    w = data({**plain, "tools": {"store": {}}, "resources": {"seat": {"unit": "s", "amount": 3}}}).workflows["w"]
    assert w.pilot == Pilot(0.1, 2, proven=True)
    assert (w.requires, w.storage_tb, w.resources, w.task_resources) == (
        ("store",), {"home": 3}, {"seat": 1}, {"seat": 0.1},
    )  # fmt: skip


# caches and discounts


def test_apis_sell_cached_input_and_batches_for_less():
    api = {"a": {**API["a"], "usd_per_mtok_cached_in": 0.5, "batch_discount": "50%"}}
    plain = document(workflows={"w": {"cached_in": 0.6}}, apis=api)
    per_call = (400 * 2 + 600 * 0.5 + 100 * 10) / 1e6
    assert data(plain).api_pairs["w", "a"].usd_per_task == approx(flat(per_call))
    batch = document(workflows={"w": {"cached_in": 0.6, "serving": "batch"}}, apis=api)
    assert data(batch).api_pairs["w", "a"].usd_per_task == approx(flat(per_call / 2))


def test_list_prices_know_cached_input():
    plain = document(
        workflows={"w": {"cached_in": 0.4}}, apis={"a": {"model": "genai-prices:openai/gpt-5", "jurisdiction": "US"}}
    )
    assert data(plain).api_pairs["w", "a"].usd_per_task["T1"] == approx((600 * 1.25 + 400 * 0.125 + 100 * 10) / 1e6)


def test_own_gpus_skip_the_prefill_of_what_is_cached():
    name = ("w", "p/net/fp8x1g/c8/k2")
    cold = data(generated()).pairs[name]
    warm = data(generated(workflows={"w": {"cached_in": 0.9}})).pairs[name]
    assert warm.ttft_ms < cold.ttft_ms
    assert warm.tasks_per_hour > cold.tasks_per_hour
    weights, attention = 2 * 8e9, 4 * 32 * (8e9 / (12 * 32)) ** 0.5 * 450  # operations for each of 900 cached tokens
    assert cold.tflop - warm.tflop == approx(900 * (weights + attention) / 1e12)


def test_what_a_planner_measured_is_not_corrected_for_caches():
    assert data(work(cached_in=0.9)).pairs["w", "p/d"].tasks_per_hour == 100


# tools


def tools(*effects, **more):
    return {"cache": {"usd_per_period": 7, "adopt_usd": 3, "effects": list(effects), **more}}


def test_a_tool_makes_a_variant_of_each_source_it_changes():
    effect = {"tokens_in_factor": 0.5, "throughput_factor": 2}
    d = data(
        {**work(), "tools": tools(effect, staff={"clerk": 4}, gpus={"p": 1}), "skills": {"clerk": {"usd_per_hour": 1}}}
    )
    assert d.variants == {"p/d+cache": Variant("p/d", ("cache",)), "a+cache": Variant("a", ("cache",))}
    assert (d.pairs["w", "p/d"].tasks_per_hour, d.pairs["w", "p/d+cache"].tasks_per_hour) == (100, 200)
    assert d.api_pairs["w", "a+cache"].usd_per_task["T1"] == approx((500 * 2 + 100 * 10) / 1e6)
    tool = d.tools["cache"]
    assert (tool.usd, tool.adopt_usd, tool.hours, tool.gpus) == (flat(7), 3, {"clerk": 4}, {"p": 1})


@pytest.mark.parametrize(
    ("effect", "sources"),
    [
        ({"models": ["net"]}, {"p/d+cache"}),
        ({"apis": ["a"]}, {"a+cache"}),
        ({"workflows": ["x"]}, set()),
        ({"throughput_factor": 2, "tokens_out_factor": 1}, {"p/d+cache"}),
    ],
)
def test_effects_reach_what_they_name(effect, sources):
    other = {"x": {"demand": 1, "tokens_in": 1, "tokens_out": 1, "value_usd": 1, "accepts": {"models": ["none"]}}}
    plain = document(
        workflows=other, apis={**API}, deployments={"d": {"workflows": ["w"]}}, models={"net": AI, "none": AI}
    )
    spec = {"throughput_factor": 2, "tokens_out_factor": 0.5, **effect}
    assert set(data({**plain, "tools": tools(spec)}).variants) == sources


def test_tools_together_do_what_is_declared_for_the_set():
    plain = work()
    pair = {name: {"effects": [{"models": ["net"], "throughput_factor": 2}]} for name in ("cache", "batcher")}
    assert "p/d+batcher+cache" not in data({**plain, "tools": pair}).variants
    both = [{"tools": ["cache", "batcher"], "effects": [{"models": ["net"], "throughput_factor": 3}]}]
    d = data({**plain, "tools": pair, "tool_sets": both})
    assert d.variants["p/d+batcher+cache"].tools == ("batcher", "cache")
    assert d.pairs["w", "p/d+batcher+cache"].tasks_per_hour == 300


def test_a_tool_that_saves_memory_makes_a_deployment_possible():
    """60 GB do not fit the 50 GB of a GPU; with the tool they are 45 GB, on replicas of their own."""
    plain = document(deployments={"d": {"hbm_gb": 60}}, gpus={"chip": {"usable_hbm_gb": 50}})
    assert not data(plain).pairs
    d = data({**plain, "tools": tools({"hbm_factor": 0.75})})
    assert [(e.id, e.hbm_gb) for e in d.endpoints.values()] == [("p/d/with-cache-0.75", 45)]
    assert list(d.pairs) == [("w", "p/d/with-cache-0.75+cache")]


def test_generated_deployments_are_estimated_with_the_tool():
    d = data({**generated(), "tools": tools({"models": ["net"], "tokens_out_factor": 0.5})})
    plain, less = d.pairs["w", "p/net/fp8x1g/c8/k2"], d.pairs["w", "p/net/fp8x1g/c8/k2+cache"]
    assert less.tasks_per_hour == approx(8 * 3.6e6 / (less.ttft_ms + 49 * less.tpot_ms))
    assert less.tasks_per_hour > plain.tasks_per_hour
    assert less.good_mtok == plain.good_mtok


# what is decided already


def test_the_plan_in_force_sets_where_moves_start():
    plain = document(
        previous={"replicas": {"p/d": 3}, "funded": ["w"]},
        change={"usd_per_replica": 50, "ramp": 2},
        hold={"pinned": [{"endpoint": "p/d", "periods": ["T2"], "replicas": 20}, {"workflow": "w", "periods": ["T1"]}]},
    )
    d = data(plain)
    e, w = d.endpoints["p/d"], d.workflows["w"]
    assert (e.before, e.usd_per_move, e.ramp, e.pinned) == (3, 50, 2, {"T2": 20})
    assert (w.running, w.pinned, w.banned) == (True, ("T1",), ())
    assert e.max_replicas == flat(20)


def test_without_a_plan_in_force_the_first_replicas_are_no_moves():
    assert data(document(change={"usd_per_replica": 50})).endpoints["p/d"].before is None
    assert data(document(previous={"replicas": {}})).endpoints["p/d"].before == 0


def test_bans_keep_workflows_unfunded_and_endpoints_empty():
    banned = [{"workflow": "w", "periods": ["T2"]}, {"endpoint": "p/d"}]
    d = data(document(hold={"banned": banned}))
    assert d.workflows["w"].banned == ("T2",)
    assert d.endpoints["p/d"].pinned == flat(0)


def test_a_pin_on_an_endpoint_that_cannot_stand_is_refused():
    with pytest.raises(BadInput, match=r"hold\.pinned.*'p/x'.*Maybe p/d"):
        data(document(hold={"pinned": [{"endpoint": "p/x", "replicas": 1}]}))


def test_a_plan_document_is_read_in_its_last_period(tmp_path, monkeypatch):
    plan = {
        "instance": {"name": "before", "path": None, "sha256": None, "resolved": document()},
        "endpoints": [
            {"endpoint": "p/d", "period": "T1", "replicas": 9},
            {"endpoint": "p/d", "period": "T2", "replicas": 4},
        ],
        "workflows": [{"workflow": "w", "period": "T2", "funded": 1}],
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    monkeypatch.chdir(tmp_path)
    d = data(document(previous={"plan": "plan.json"}))
    assert (d.endpoints["p/d"].before, d.workflows["w"].running) == (4, True)
    with pytest.raises(BadInput, match=r"previous\.plan"):
        data(document(previous={"plan": "plans.json"}))
    (tmp_path / "plan.json").write_text(json.dumps({**plan, "workflows": [5]}))
    with pytest.raises(BadInput, match=r"previous\.plan: 'plan.json' is no plan that can be read"):
        data(document(previous={"plan": "plan.json"}))


def test_replicas_may_be_constant_and_then_have_one_bound():
    """20,000 tasks at 100 an hour, half of it planned with: four replicas in the 100 h of T1, eight in 50 h."""
    plain = {"workflows": {"w": {"demand": 20_000}}, "options": {"availability": 1, "headroom": 0.5}}
    assert data(document(**plain)).endpoints["p/d"].max_replicas == {"T1": 4, "T2": 8}
    still = data(document(**plain, deployments={"d": {"replicas": "constant"}})).endpoints["p/d"]
    assert still.constant == (("T1", "T2"),)
    assert still.max_replicas == flat(8)


def test_an_isolated_workflow_draws_its_own_power():
    flows = {"w": {"isolation": True}, "x": {**document()["workflows"]["w"], "isolation": True}}
    own = {"w": {"op_kw": 2, "idle_kw": 2}, "x": {"op_kw": 3, "idle_kw": 3}}
    d = data(document(workflows=flows, deployments={"d": {"kw": None, "work": own}}))
    assert {e.owner: e.op_kw for e in d.endpoints.values()} == {"w": 2, "x": 3}


# round trip

EVERYTHING = {
    "sites": {"home": {"racks": {"air": 3, "wet": 0}, "storage_tb": 50, "usd_per_tb_month": 20, "g_co2_per_kwh": 300,
                       "usd_per_t_co2": 50, "curtailment": {"peak": 0.1},
                       "power_permits": {"grid": {"power_mw": 1, "from": "T2"}}}},
    "day_parts": {"peak": 6, "night": 18},
    "rack_classes": {"air": {"kw": 40}, "wet": {"kw": 250, "cooling": "liquid"}},
    "pools": {"p": {"rack": "air"},
              "few": {"site": "home", "gpu": {"base": "chip", "idle_kw": 0.3}, "count": 2, "usd_per_gpu_hour": 1}},
    "apis": {"a": {**API["a"], "usd_per_mtok_cached_in": 1, "batch_discount": 0.5, "price_factor": [1, 2],
                   "commitment_usd": 9}},
    "offers": {"buy": {"kind": "purchase", "pool": "p", "usd_per_gpu": 9, "max_lots": 2, "needs": {"hbm": 8}},
               "grow": {"kind": "upgrade", "site": "home", "racks": {"wet": 2}, "usd_per_lot": 5}},
    "workflows": {"w": {"yield": {"default": 0.8, "net": 0.9}, "retries": 2, "bad_usd": 1, "cached_in": 0.3,
                        "review": {"skill": "clerk", "share": 0.1, "minutes": 5}, "pilot": {"share": 0.1, "periods": 1},
                        "retraining": {"gpu_hours": 5, "speed": {"chip": 2}}, "resilience": {"site": 0.3},
                        "state": {"replicas": {"few/d": 1}}, "serving": "batch"},
                  "b": {"bundles": {"options": {"one": {"value_usd": 1, "resources": {"seat": 1}}}}}},
    "skills": {"clerk": {"hours": 5, "usd_per_hour": 30}},
    "resources": {"seat": {"unit": "seat", "amount": 3}},
    "tools": {"cache": {"effects": [{"throughput_factor": 1.5, "tokens_in_factor": 0.8, "cached_in": 0.7}]},
              "tiny": {"effects": [{"hbm_factor": 0.5, "models": ["net"]}]}},
    "tool_sets": [{"tools": ["tiny", "cache"], "effects": [{"throughput_factor": 1.8, "hbm_factor": 0.5}]}],
    "resilience": {"losses": [{"each": "api"}], "shares": {"w": 0.4}},
    "limits": {"spend": {"opex_usd": 5000, "capex_usd": 100}, "supply": {"hbm": {"unit": "GB", "amount": 9}},
               "exploration": 0.2, "concentration": {"c": {"sites": ["home"], "share": 0.9}},
               "carbon": {"all": {"t_co2": 4, "per": "horizon"}}},
    "previous": {"replicas": {"p/d": 2}, "funded": ["w"]},
    "change": {"usd_per_replica": 5},
    "hold": {"banned": [{"workflow": "b", "periods": ["T1"]}]},
}  # fmt: skip
ROUND = {
    "stated": document(**EVERYTHING, deployments={"d": {"replicas": "constant", "resources": {"seat": 0.1}}}),
    "generated": generated(**{**EVERYTHING, "previous": {"funded": ["w"]}}, options={"concurrency": [8, 32]}),
}


@pytest.mark.parametrize("name", ROUND)
def test_the_resolved_document_resolves_to_the_same_data(name):
    first = resolve(parse(ROUND[name]))
    again = resolve(parse(json.loads(json.dumps(first.document)))).data
    assert any(v.tools for v in first.data.variants.values())
    for part in first.data.__dataclass_fields__:
        if part not in ("candidates", "notes"):
            assert getattr(again, part) == getattr(first.data, part), part


def test_latency_intervals_stay_apart():
    times = {"tasks_per_hour": 100, "ttft_ms": 900, "tpot_ms": 20, "ttft_high": 2, "tpot_high": 1.1}
    first = resolve(parse(document(deployments={"d": times})))
    (stated,) = first.document["deployments"].values()
    assert (stated["work"]["w"]["ttft_high"], stated["work"]["w"]["tpot_high"]) == (2, 1.1)
    tight = document(deployments={"d": times}, workflows={"w": {"latency": {"ttft_ms": 1000}}})
    assert not data(tight).pairs
