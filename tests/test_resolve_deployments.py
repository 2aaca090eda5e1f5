"""Deployments the catalogue offers: what fits, what is dropped and at which stage."""

import pytest
from resolving import data, document, drops, generated

from optimizer.speed.memory import resident_gb
from optimizer.speed.power import load_share

NAME = "p/net/fp8x1g/c8/k2"


def only(d, stage):
    """The single candidate of a stage, and nothing left to serve with."""
    assert not d.pairs
    (found,) = drops(d, stage)
    return found


def test_one_grid_point_gives_one_endpoint():
    d = data(generated())
    e = d.endpoints[NAME]
    assert list(d.pairs) == [("w", NAME)]
    assert (e.deployment, e.gpus, e.concurrency, e.context_tokens) == ("chip/net/fp8x1g/c8/k2", 1, 8, 2048)
    weights, overhead, cache = 8 * 1.03, 3.5, 8 * 2048 * 65536 * 2 / 1e9
    assert e.hbm_gb == pytest.approx(weights + overhead + cache)
    assert e.idle_kw == 0.4
    assert e.op_kw == pytest.approx(0.4 + 0.6 * load_share(8))


def test_the_rate_is_concurrency_over_the_time_of_a_task():
    p = data(generated()).pairs["w", NAME]
    assert p.tasks_per_hour == pytest.approx(8 * 3.6e6 / (p.ttft_ms + 99 * p.tpot_ms))


def test_the_ceiling_is_the_smallest_that_holds_the_task():
    long = {"w": {"tokens_in": 3000}}
    d = data(generated(workflows=long, options={"context_tokens": [2048, 8192, 16384]}))
    assert {e.context_tokens for e in d.endpoints.values()} == {8192}


def test_a_short_task_may_use_the_endpoint_of_a_long_one():
    long = {"x": {**generated()["workflows"]["w"], "tokens_in": 3000}}
    d = data(generated(workflows=long, options={"context_tokens": [2048, 8192]}), reduce=False)
    assert set(d.pairs) == {("w", NAME), ("w", "p/net/fp8x1g/c8/k8"), ("x", "p/net/fp8x1g/c8/k8")}


@pytest.mark.parametrize(
    ("changes", "stage", "limit"),
    [
        ({"workflows": {"w": {"accepts": {"gpus": ["l4"]}}}}, "accepted", "l4"),
        ({"workflows": {"w": {"accepts": {"precisions": ["bf16"]}}}}, "accepted", "bf16"),
        ({"models": {"net": {"commercial_use": False}}}, "licence", "commercial use"),
        ({"workflows": {"w": {"quality": {"mmlu_pro": ">= 0.6"}}}}, "quality", 0.6),
        ({"workflows": {"w": {"residency": ["DE"]}}}, "residency", "DE"),
        ({"gpus": {"chip": {"cooling": "liquid"}}, "sites": {"home": {"cooling": ["air"]}}}, "cooling", "air"),
        ({"workflows": {"w": {"tokens_in": 40_000}}}, "context", 32768),
        ({"gpus": {"chip": {"usable_hbm_gb": 12}}}, "hbm", 12),
        ({"options": {"gpus": [16]}}, "scale_up", 8),
        ({"workflows": {"w": {"latency": {"ttft_ms": 0.1}}}}, "latency", 0.1),
        ({"workflows": {"w": {"latency": {"tpot_ms": 0.1}}}}, "latency", 0.1),
        ({"gpus": {"chip": {"tflops": {"fp8": None}}}}, "precision", "bf16"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_each_stage_keeps_its_reason(changes, stage, limit):
    found = [c for c in drops(data(generated(**changes)), stage) if c.limit == limit]
    assert [(c.workflow, bool(c.reason)) for c in found] == [("w", True)]
    assert not data(generated(**changes)).pairs


def test_an_unlisted_ai_model_is_one_of_those_not_accepted():
    (refused,) = drops(data(generated()), "accepted")
    assert (refused.workflow, refused.pool, refused.limit) == ("w", "", "net")


def test_latency_is_judged_at_the_slow_end_of_the_interval():
    d = data(generated(workflows={"w": {"latency": {"tpot_ms": 1000}}}))
    expected = d.pairs["w", NAME].tpot_ms
    strict = data(generated(workflows={"w": {"latency": {"tpot_ms": expected * 1.01}}}))
    assert only(strict, "latency").value > expected * 1.01


def test_only_the_lowest_concurrency_that_falls_is_named():
    big = {"chip": {"usable_hbm_gb": 25}}
    d = data(generated(gpus=big, options={"concurrency": [8, 256, 512]}))
    assert [c.deployment for c in drops(d, "hbm")] == ["net/fp8x1g/c256/k2"]


def test_four_bit_weights_run_where_there_are_no_such_units():
    d = data(generated(models={"net": {"precisions": ["int4"]}}, options={"precisions": ["int4"]}))
    assert "p/net/int4x1g/c8/k2" in d.endpoints


def test_a_statement_takes_the_place_of_the_catalogue_for_the_same_precision():
    stated = {"d": {**document()["deployments"]["d"], "precision": "fp8"}}
    d = data(generated(deployments=stated))
    assert set(d.pairs) == {("w", "p/d")}
    assert any(c.reason == "the instance states its own deployment" for c in drops(d, "accepted"))


def test_slices_have_their_own_memory_and_share_of_power():
    d = data(generated(pools={"p": {"sharing": "partitioned"}}), reduce=False)
    half, quarter = d.endpoints["p/net/fp8xhalf/c8/k2"], d.endpoints["p/net/fp8xquarter/c8/k2"]
    assert (half.gpus, half.slot, half.idle_kw) == (0.5, "half", 0.2)
    assert (quarter.gpus, quarter.idle_kw) == (0.25, 0.1)
    assert d.pairs["w", half.id].tasks_per_hour > d.pairs["w", quarter.id].tasks_per_hour


def test_a_slice_that_is_too_small_is_dropped_by_memory():
    d = data(generated(pools={"p": {"sharing": "partitioned"}}, gpus={"chip": {"slices": {"quarter": {"hbm_gb": 10}}}}))
    assert {c.deployment.split("/c")[0] for c in drops(d, "hbm")} == {"net/fp8xquarter"}


def test_residents_of_a_shared_gpu_run_at_its_full_bandwidth():
    d = data(generated(pools={"p": {"sharing": "shared", "max_residents": 4}}))
    shared, whole = d.endpoints["p/net/fp8x1of4/c8/k2"], data(generated()).endpoints[NAME]
    assert (shared.gpus, shared.idle_kw) == (0.25, 0.1)
    assert shared.op_kw - shared.idle_kw == pytest.approx(whole.op_kw - whole.idle_kw)
    alone, among = data(generated()).pairs["w", NAME], d.pairs["w", shared.id]
    assert among.tasks_per_hour == alone.tasks_per_hour
    assert among.tflop == pytest.approx(alone.tflop / 2)  # fp8 operations take half the time of bf16 ones


def test_memory_of_the_catalogue_is_that_of_the_speed_package():
    from optimizer.catalogue.load import model  # noqa: PLC0415

    plain = generated(pools={"p": {"gpu": "h100-sxm"}}, workflows={"w": {"accepts": {"models": ["llama-3.1-8b"]}}})
    e = data(plain).endpoints["p/llama-3.1-8b/fp8x1g/c8/k2"]
    assert e.hbm_gb == resident_gb(model("llama-3.1-8b"), "fp8", 1, 8, 2048).total_gb


@pytest.mark.parametrize(
    ("stated", "pool", "stage"),
    [
        ({"gpus": 16, "hbm_gb": 40}, {}, "scale_up"),
        ({"gpus": 0.5}, {}, "scale_up"),
        ({"hbm_gb": 81}, {}, "hbm"),
        ({"context_tokens": 1000}, {}, "context"),
        ({"gpus": None, "slice": "half"}, {}, "scale_up"),
        ({}, {"sharing": "partitioned"}, "scale_up"),
        ({"gpus": None, "slice": "quarter"}, {"sharing": "partitioned"}, "hbm"),
    ],
)
def test_a_stated_deployment_that_cannot_stand_keeps_its_reason(stated, pool, stage):
    assert only(data(document(deployments={"d": stated}, pools={"p": pool})), stage).deployment == "d"


def test_a_node_smaller_than_usual_cuts_the_domain():
    d = data(document(deployments={"d": {"gpus": 8}}, pools={"p": {"node": 4}}))
    assert only(d, "scale_up").limit == 4


def test_a_statement_is_reported_only_to_the_workflows_it_is_for():
    other = {"x": {**document()["workflows"]["w"], "accepts": {"models": ["other"]}}}
    second = {"e": {**document()["deployments"]["d"], "model": "other", "gpus": 16}}
    d = data(document(workflows=other, deployments=second))
    assert {(c.workflow, c.deployment, c.stage) for c in d.candidates} >= {("x", "e", "scale_up")}
    assert not any((c.workflow, c.deployment) == ("x", "d") for c in d.candidates)
    named = data(document(workflows=other, deployments={**second, "d": {"workflows": ["w", "x"]}}))
    assert ("x", "d", "accepted") in {(c.workflow, c.deployment, c.stage) for c in named.candidates}
