"""Sites, pools, workflows, budgets, stated deployments and APIs: each figure by hand."""

import json

import pytest
from resolving import AI, data, document, drops, generated, resolved

from optimizer.instance.faults import BadInput
from optimizer.instance.load import load, parse
from optimizer.resolve import resolve


def test_megawatts_and_tariffs_become_kilowatts():
    site = data(document()).sites["home"]
    assert site.power_kw == {"T1": 1000.0, "T2": 1000.0}
    assert site.usd_per_kwh == {"T1": 0.08, "T2": 0.08}


def test_absent_power_is_no_limit_and_is_said():
    d = data(document(sites={"home": {"power_mw": None}}))
    assert d.sites["home"].power_kw is None
    assert any("home: power is not limited" in note for note in d.notes)


def test_a_pool_takes_the_figures_of_its_gpu_model():
    pool = data(document()).pools["p"]
    assert (pool.node, pool.usable_gb, pool.idle_kw, pool.bandwidth_gb_s) == (8, 80, 0.4, 1600.0)
    assert pool.layouts == {}


def test_a_gpu_model_changed_in_place_keeps_the_rest():
    d = data(document(pools={"p": {"gpu": {"base": "chip", "usable_hbm_gb": 70}}}))
    assert (d.pools["p"].usable_gb, d.pools["p"].idle_kw, d.pools["p"].gpu) == (70, 0.4, "chip-p")
    assert "p/d" in d.endpoints


def test_an_unknown_gpu_model_is_located(tmp_path):
    file = tmp_path / "fleet.yaml"
    file.write_text(json.dumps(document(pools={"p": {"gpu": "chop"}}), indent=1))
    with pytest.raises(BadInput, match=r"fleet.yaml:\d+:\d+: .*'chop'.*Maybe chip"):
        resolve(load(file))


def test_an_incomplete_gpu_model_is_refused():
    with pytest.raises(BadInput, match="bandwidth_tb_s"):
        data(document(gpus={"chip": {"bandwidth_tb_s": None}}))


def test_demand_by_the_day_counts_the_hours_of_the_period():
    w = data(document(workflows={"w": {"demand": "24 per day"}})).workflows["w"]
    assert w.demand == {"T1": 100.0, "T2": 50.0}


def test_demand_starts_and_ends_with_its_window():
    w = data(document(workflows={"w": {"start": "T2"}})).workflows["w"]
    assert w.demand == {"T1": 0.0, "T2": 1000.0}
    assert w.periods == ("T2",)


def test_a_job_states_its_total_in_each_period_of_its_window():
    w = data(document(workflows={"w": {"demand": "40 per horizon", "deadline": "T1"}})).workflows["w"]
    assert w.job
    assert w.demand == {"T1": 40.0, "T2": 0.0}


def test_demand_shares_default_to_hours():
    d = data(document(day_parts={"peak": 6, "night": 18}))
    assert d.workflows["w"].share["T1", "peak"] == 0.25
    assert d.calendar.part_hours["T2", "night"] == 37.5


def test_tranches_become_widths():
    bands = [{"upto": "40%", "usd": 3}, {"upto": "100%", "usd": [2, 1]}]
    first, second = data(document(workflows={"w": {"value_usd": bands}})).workflows["w"].tranches
    assert (first.width, second.width) == (0.4, pytest.approx(0.6))
    assert second.usd == {"T1": 2.0, "T2": 1.0}


@pytest.mark.parametrize(
    ("per", "groups"),
    [
        ("period", {("2027Q4",): 5.0, ("2028Q1",): 7.0}),
        ("year", {("2027Q4",): 5.0, ("2028Q1",): 7.0}),
        ("horizon", {("2027Q4", "2028Q1"): 5.0}),
    ],
)
def test_budgets_cover_their_groups_of_periods(per, groups):
    horizon = {"start": "2027Q4", "periods": 2, "unit": "quarter", "discount_rate": 0}
    amount = 5 if per == "horizon" else [5, 7]
    plain = document(horizon={"periods": 2}, limits={"spend": {"opex_usd": {"amount": amount, "per": per}}})
    (budget,) = data({**plain, "horizon": horizon}).budgets
    assert budget.amount == groups
    assert "energy" in budget.terms


def test_a_stated_deployment_keeps_its_figures():
    d = data(document())
    e, p = d.endpoints["p/d"], d.pairs["w", "p/d"]
    assert (e.gpus, e.hbm_gb, e.idle_kw, e.op_kw, e.grade, e.deployment) == (1, 40, 1.0, 1.0, "user", "chip/d")
    assert (p.tasks_per_hour, p.good_mtok) == (100, 1e-4)


def test_times_give_the_rate_at_the_tokens_of_the_workflow():
    stated = {"tasks_per_hour": None, "ttft_ms": 1000, "tpot_ms": 20, "concurrency": 8}
    pair = data(document(deployments={"d": stated})).pairs["w", "p/d"]
    assert pair.tasks_per_hour == pytest.approx(8 * 3600 / (1.0 + 99 * 0.020))


def test_reasoning_multiplies_output_unless_tokens_are_stated():
    stated = {"tasks_per_hour": None, "ttft_ms": 1000, "tpot_ms": 20}
    plain = document(deployments={"d": stated}, models={"net": {**AI, "output_multiplier": 3}})
    assert data(plain).pairs["w", "p/d"].tasks_per_hour == pytest.approx(3600 / (1.0 + 299 * 0.020))
    plain["workflows"] = {"w": {**plain["workflows"]["w"], "tokens_out": {"default": 100, "net": 50}}}
    assert data(plain).pairs["w", "p/d"].tasks_per_hour == pytest.approx(3600 / (1.0 + 49 * 0.020))


def test_pessimistic_speeds_are_those_at_the_slow_end():
    plain = document(deployments={"d": {"interval_high": 1.25}}, options={"speed": "pessimistic"})
    assert data(plain).pairs["w", "p/d"].tasks_per_hour == 80.0


def test_a_workflow_may_have_its_own_figures_on_a_deployment():
    other = {"x": {"demand": 10, "tokens_in": 1, "tokens_out": 1, "value_usd": 1}}
    plain = document(workflows=other, deployments={"d": {"work": {"x": {"tasks_per_hour": 7, "grade": "measured"}}}})
    d = data(plain)
    assert (d.pairs["w", "p/d"].tasks_per_hour, d.pairs["x", "p/d"].tasks_per_hour) == (100, 7)
    assert d.pairs["x", "p/d"].grade == "measured"


def test_an_isolated_workflow_has_endpoints_of_its_own():
    other = {"x": {**document()["workflows"]["w"], "isolation": True}}
    d = data(document(workflows=other))
    assert set(d.pairs) == {("w", "p/d"), ("x", "p/d/for-x")}
    assert d.endpoints["p/d/for-x"].owner == "x"


def test_work_in_gpu_hours_runs_on_whole_gpus_at_full_power():
    tune = {"demand": "4 per horizon", "deadline": "T2", "value_usd": 9,
            "gpu_hours": {"per_task": 120, "gpus": 12, "speed": {"chip": 1.5}}}  # fmt: skip
    d = data(document(workflows={"tune": tune}))
    e = d.endpoints["p/gpu-hours/12g/for-tune"]
    assert (e.gpus, e.op_kw, e.hbm_gb, e.owner) == (12, 12.0, 960, "tune")
    assert d.pairs["tune", e.id].tasks_per_hour == pytest.approx(12 * 1.5 / 120)


def test_a_rate_of_tasks_says_nothing_of_work_in_gpu_hours():
    tune = {"demand": 4, "value_usd": 9, "gpu_hours": {"gpus": 1}}
    assert set(data(document(workflows={"tune": tune})).pairs) == {("w", "p/d"), ("tune", "p/gpu-hours/1g/for-tune")}


def test_speeds_of_gpu_hours_are_resolved_to_the_gpu_models_of_the_pools():
    tune = {"demand": 4, "value_usd": 9, "gpu_hours": {"gpus": 1, "speed": {"h100-sxm": 2}}}
    own = {"p": {"gpu": {"base": "h100-sxm", "cooling": "liquid"}}}
    plain = document(catalogue="builtin", pools=own, deployments=None, workflows={"tune": tune, "w": None})
    spelt = resolved(plain).document
    assert spelt["workflows"]["tune"]["gpu_hours"]["speed"] == {spelt["pools"]["p"]["gpu"]: 2}
    assert data(spelt).pairs == data(plain).pairs != {}


def test_gpu_hours_need_a_speed_on_the_gpu_model():
    tune = {"demand": 4, "value_usd": 9, "gpu_hours": {"gpus": 1, "speed": {"h100-sxm": 1}}}
    d = data(document(workflows={"tune": tune}, catalogue="builtin"))
    assert [c.workflow for c in drops(d, "accepted")] == ["tune"]


def test_api_prices_per_mtok_follow_the_price_path():
    api = {"usd_per_mtok_in": 2, "usd_per_mtok_out": [10, 20], "price_factor": [1, 0.5], "jurisdiction": "US"}
    pair = data(document(apis={"a": api})).api_pairs["w", "a"]
    assert pair.usd_per_task == pytest.approx({"T1": 0.003, "T2": 0.002})
    assert (pair.tokens_in, pair.tokens_out) == (1000, 100)


def test_a_price_per_workflow_wins():
    api = {"usd_per_mtok_in": 2, "usd_per_mtok_out": 10, "jurisdiction": "US", "prices": {"w": {"usd_per_task": 0.5}}}
    assert data(document(apis={"a": api})).api_pairs["w", "a"].usd_per_task == {"T1": 0.5, "T2": 0.5}


def test_list_prices_follow_the_length_of_the_call():
    api = {"a": {"model": "genai-prices:google/gemini-2.5-pro", "jurisdiction": "US"}}
    short, long = (
        data(document(apis=api, workflows={"w": {"tokens_in": n, "tokens_out": 100}})).api_pairs["w", "a"]
        for n in (100_000, 300_000)
    )
    assert short.usd_per_task["T1"] == pytest.approx(100_000 * 1.25e-6 + 100 * 10e-6)
    assert long.usd_per_task["T1"] == pytest.approx(300_000 * 2.5e-6 + 100 * 15e-6)


def test_an_unlisted_api_is_refused():
    with pytest.raises(BadInput, match=r"apis\.a\.model"):
        data(document(apis={"a": {"model": "genai-prices:openai/gpt-nope", "jurisdiction": "US"}}))


def test_api_rates_are_per_hour():
    api = {"usd_per_task": 1, "jurisdiction": "US", "requests_per_minute": 2, "tokens_per_period": 5000}
    limit = data(document(apis={"a": api})).api_limits["a"]
    assert (limit.requests_per_hour, limit.tokens, limit.tokens_per_hour) == (120, {"T1": 5000, "T2": 5000}, None)


@pytest.mark.parametrize(
    ("api", "stage"),
    [({"jurisdiction": "DE"}, "residency"), ({"ttft_ms": 900}, "latency"), ({"quality": {"mmlu_pro": 0.1}}, "quality")],
)
def test_an_api_that_misses_a_rule_is_a_candidate_with_its_reason(api, stage):
    rules = {"residency": ["US"], "latency": {"ttft_ms": 500}, "quality": {"mmlu_pro": ">= 0.4"}}
    good = {"usd_per_task": 1, "jurisdiction": "US", "quality": {"mmlu_pro": 0.9}}
    d = data(document(apis={"a": {**good, **api}}, workflows={"w": rules}))
    assert not d.api_pairs
    assert ("w", "a") in {(c.workflow, c.deployment) for c in drops(d, stage)}


def test_availability_of_h100_and_a100_come_from_the_defaults():
    pools = {"h": {"site": "home", "gpu": "h100-sxm", "count": 8, "usd_per_gpu_hour": 1},
             "a": {"site": "home", "gpu": "a100-sxm-80gb", "count": 8, "usd_per_gpu_hour": 1}}  # fmt: skip
    gpus = {"gpu": ["h100-sxm", "a100-sxm-80gb"]}
    d = data(document(pools=pools, deployments={"d": gpus}, catalogue="builtin"))
    assert (d.endpoints["h/d"].availability, d.endpoints["a/d"].availability) == (0.95, 0.987)
    assert any(note.startswith("default availability of a100") for note in d.notes)


def test_every_default_that_is_used_is_listed():
    notes = data(document()).notes
    assert any(note.startswith("default headroom: 0.85") for note in notes)
    assert not any(note.startswith("default headroom") for note in data(document(options={"headroom": 0.5})).notes)


EXTRA = {
    "mig": {"site": "home", "gpu": "chip", "count": 8, "usd_per_gpu_hour": 1, "sharing": "partitioned"},
    "mps": {"site": "home", "gpu": {"base": "chip", "idle_kw": 0.3}, "count": 8, "usd_per_gpu_hour": 1,
            "sharing": "shared", "max_residents": 3},
}  # fmt: skip
RICH = {
    "x": {**document()["workflows"]["w"], "isolation": True, "accepts": {"gpus": ["chip"]}, "headroom": 0.7},
    "tune": {"demand": "4 per horizon", "deadline": "T2", "value_usd": 9, "gpu_hours": {"per_task": 9, "gpus": 2}},
}
ROUND = {
    "stated": document(
        pools=EXTRA,
        workflows=RICH,
        deployments={"d": {"bytes_gb_per_task": 1, "tflop_per_task": 1, "keep": True}},
        apis={"a": {"usd_per_task": 1, "jurisdiction": "US"}},
    ),
    "generated": generated(
        pools=EXTRA,
        workflows={**RICH, "w": {"accepts": {"apis": ["a"]}}},
        models={"net": {"output_multiplier": 2}},
        options={"concurrency": [8, 32], "gpus": [1, 2, 6], "context_tokens": [2048, 8192]},
        apis={"a": {"model": "genai-prices:openai/gpt-5", "jurisdiction": "US", "price_factor": [1, 0.9]}},
    ),
    "pessimistic": generated(pools=EXTRA, options={"speed": "pessimistic", "availability": 0.9}),
}


@pytest.mark.parametrize("name", ROUND)
def test_the_resolved_document_resolves_to_the_same_data(name):
    first = resolved(ROUND[name])
    again = resolve(parse(json.loads(json.dumps(first.document)))).data
    for part in ("calendar", "sites", "pools", "endpoints", "workflows", "pairs", "api_pairs", "api_limits", "budgets"):
        assert getattr(again, part) == getattr(first.data, part), part


def test_the_resolved_document_states_what_the_program_used():
    document = resolved(ROUND["generated"]).document
    assert document["catalogue"] == "none"
    assert set(document["gpus"]) == {"chip", "chip-mps"}
    assert all(d["work"] and d["pools"] for d in document["deployments"].values())
    assert document["apis"]["a"]["prices"]["w"]["usd_per_task"][1] == pytest.approx(
        0.9 * (1000 * 1.25 + 100 * 10) / 1e6
    )
    assert document["workflows"]["w"]["tokens_out"] == {"default": 100, "net": 200}
