"""The catalogue is complete, sourced, physically sensible, and says what is wrong with a name or a price."""

from __future__ import annotations

import csv
import time
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from optimizer.catalogue.load import load_catalogue, shared_directory
from optimizer.catalogue.names import UnknownName
from optimizer.catalogue.prices import NoPrice, api_price
from optimizer.catalogue.schema import AiFile, GpuFile, Number
from optimizer.catalogue.sources import entries, figures
from optimizer.catalogue.types import AiModel, GpuModel

CATALOGUE = load_catalogue()
GPUS = list(CATALOGUE.gpus.values())
MODELS = list(CATALOGUE.models.values())
PRICED_ON = date(2026, 11, 1)
BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5, "int8": 1.0, "int4": 0.5}

each_gpu = pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.id)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)


def test_the_gpus_planners_own_are_there() -> None:
    wanted = (
        "h100-sxm h100-pcie h200-sxm b200-sxm gb200 b300-sxm a100-sxm-80gb l40s l4 rtx-pro-6000 "
        "mi300x mi325x mi355x tpu-v5e tpu-v6e trainium2"
    )
    assert set(wanted.split()) <= set(CATALOGUE.gpus)


def test_ai_models_span_small_to_large_dense_and_experts() -> None:
    assert len(MODELS) >= 14
    assert min(model.params_b for model in MODELS) < 9
    assert sum(model.params_b > 600 for model in MODELS) >= 3
    assert sum(model.experts > 1 for model in MODELS) >= 6
    assert {model.attention for model in MODELS} == {"gqa", "mla"}


@pytest.mark.parametrize("entry", [*GPUS, *MODELS], ids=lambda entry: entry.id)
def test_every_figure_has_unit_source_and_reason(entry: GpuModel | AiModel) -> None:
    for path, figure in entry.figures.items():
        assert figure.unit, path
        assert len(figure.source) > 3, path
        assert figure.grade in {"measured", "vendor", "analyst", "press", "assumed"}, path
        assert figure.note or figure.grade != "assumed", path


@each_gpu
def test_every_number_of_a_gpu_has_its_figure(gpu: GpuModel) -> None:
    names = ["hbm_gb", "usable_hbm_gb", "bandwidth_tb_s", "idle_kw", "op_kw", "gpus_per_node", "scale_up_domain"]
    assert {name: gpu.figures[name].value for name in names} == {name: getattr(gpu, name) for name in names}
    assert {f"tflops.{precision}" for precision in gpu.tflops} <= set(gpu.figures)
    assert ("partition" in gpu.figures) == bool(gpu.slices)


@each_model
def test_every_number_of_an_ai_model_has_its_figure(model: AiModel) -> None:
    names = [
        "params_b",
        "active_params_b",
        "layers",
        "experts",
        "experts_per_token",
        "context_tokens",
        "output_multiplier",
    ]
    names += ["output_multiplier", "kv_values_per_token"]
    assert {name: model.figures[name].value for name in names} == {name: getattr(model, name) for name in names}
    assert {f"quality.{benchmark}" for benchmark in model.quality} <= set(model.figures)


@each_gpu
def test_a_gpu_obeys_physics(gpu: GpuModel) -> None:
    assert 0.85 * gpu.hbm_gb < gpu.usable_hbm_gb < gpu.hbm_gb
    assert 0 < gpu.idle_kw < gpu.op_kw
    assert gpu.tdp_w is None or 0.8 < gpu.op_kw * 1000 / gpu.tdp_w < 1.7
    assert gpu.tflops["bf16"] == min(gpu.tflops.values())
    ordered = [gpu.tflops[precision] for precision in ("bf16", "fp8", "fp4") if precision in gpu.tflops]
    assert ordered == sorted(ordered)
    assert gpu.cooling in {"air", "liquid"}
    assert gpu.scale_up_domain >= gpu.gpus_per_node or gpu.scale_up_domain % 4 == 0


@each_gpu
def test_no_layout_is_larger_than_its_gpu(gpu: GpuModel) -> None:
    for layout, counts in gpu.layouts.items():
        cut = [gpu.slices[name] for name, count in counts.items() for _ in range(count)]
        assert sum(piece.hbm_gb for piece in cut) <= gpu.usable_hbm_gb + 1e-9, layout
        assert sum(piece.compute_share for piece in cut) <= 1 + 1e-9, layout
        assert sum(piece.bandwidth_share for piece in cut) <= 1 + 1e-9, layout
        assert layout == "+".join(f"{count}x{name}" for name, count in counts.items())


def test_three_halves_do_not_fit_on_one_h100() -> None:
    assert not any(counts.get("3g.40gb", 0) > 2 for counts in CATALOGUE.gpus["h100-sxm"].layouts.values())
    assert CATALOGUE.gpus["h100-sxm"].slices["3g.40gb"].hbm_gb == pytest.approx(79.03 / 2)


@each_model
def test_an_ai_model_obeys_its_architecture(model: AiModel) -> None:
    assert 0 < model.active_params_b <= model.params_b
    assert (model.experts == 1) == (model.active_params_b == model.params_b)
    assert 1 <= model.experts_per_token <= model.experts
    assert model.kv_values_per_token % model.kv_heads == 0
    assert all(0 < score < 1 for score in model.quality.values())
    assert set(model.precisions) <= set(BYTES)
    for precision, weights_gb in model.weights_gb.items():
        assert 1 <= weights_gb / (model.params_b * BYTES[precision]) < 1.5, "smaller than its parameters"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("llama-3.1-70b", 2 * 8 * 128 * 80),
        ("deepseek-r1", (512 + 64) * 61),
        ("gpt-oss-120b", 2 * 8 * 64 * 18),  # the other 18 layers keep a window of 128 tokens
        ("qwen3.5-397b-a17b", 2 * 2 * 256 * 15),  # the other 45 layers are linear attention
    ],
)
def test_cache_per_token_by_hand(name: str, values: int) -> None:
    assert CATALOGUE.models[name].kv_values_per_token == values


def test_quality_floors_can_be_used() -> None:
    scored = [model for model in MODELS if "mmlu_pro" in model.quality]
    assert len(scored) >= 14
    assert CATALOGUE.models["llama-3.1-8b"].quality["mmlu_pro"] < CATALOGUE.models["deepseek-r1"].quality["mmlu_pro"]


def test_measurements_name_known_models_and_add_up() -> None:
    assert len(CATALOGUE.measurements) > 2000
    assert len({point.id for point in CATALOGUE.measurements}) == len(CATALOGUE.measurements)
    for point in CATALOGUE.measurements:
        gpu, model = CATALOGUE.gpus[point.gpu], CATALOGUE.models[point.model]
        assert point.precision in model.precisions, point.id
        assert point.tensor_parallel * point.data_parallel == point.gpus <= gpu.scale_up_domain, point.id
        assert 1 <= point.expert_parallel <= point.gpus, point.id
        assert min(point.concurrency, point.tokens_in, point.tokens_out, point.ttft_ms, point.tpot_ms) > 0, point.id
        assert point.engine, point.id
        assert point.version or point.date, point.id  # 617 rows of one export state no version, only the day


def test_no_measurement_is_faster_than_its_memory() -> None:
    for point in CATALOGUE.measurements:
        gpu, model = CATALOGUE.gpus[point.gpu], CATALOGUE.models[point.model]
        read_gb = model.active_params_b * BYTES[point.precision] / point.data_parallel
        floor_ms = read_gb / (point.tensor_parallel * gpu.bandwidth_tb_s)
        assert point.tpot_ms > 0.5 * floor_ms, point.id  # speculative decoding may beat one pass per token


def test_measurements_stand_in_the_file_of_their_model() -> None:
    for path in (shared_directory("models") / "measurements").glob("*.csv"):
        with path.open(newline="") as lines:
            assert {row["model"] for row in csv.DictReader(lines)} == {path.stem}


def test_measured_models_weigh_less_than_the_gpus_they_ran_on() -> None:
    for point in CATALOGUE.measurements:
        weights_gb = CATALOGUE.models[point.model].params_b * BYTES[point.precision]
        assert weights_gb < point.gpus * CATALOGUE.gpus[point.gpu].hbm_gb, point.id


def test_an_assumption_without_reasoning_is_refused() -> None:
    with pytest.raises(ValidationError, match="reasoning"):
        Number.model_validate({"value": 1.0, "unit": "kW", "grade": "assumed", "source": "guess"})


def _gpu_file() -> dict[str, object]:
    path = shared_directory("models") / "gpus" / "h100-sxm.yaml"
    loaded = YAML(typ="safe", pure=True).load(Path(path).read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bandwidht_tb_s", {}),
        ("hbm_gb", 80),
        ("tdp_w", {"value": -1, "unit": "W", "grade": "vendor", "source": "any"}),
    ],
)
def test_a_wrong_file_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        GpuFile.model_validate(_gpu_file() | {key: value})


@pytest.mark.parametrize("folder", ["gpus", "ai"])
def test_ids_are_file_names(folder: str) -> None:
    shape = GpuFile if folder == "gpus" else AiFile
    for path in (shared_directory("models") / folder).glob("*.yaml"):
        assert shape.model_validate(YAML(typ="safe", pure=True).load(path.read_text())).id == path.stem


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as raised:
        CATALOGUE.gpus["h100-smx"]
    assert raised.value.close[0] == "h100-sxm"
    assert "Maybe h100-sxm" in str(raised.value)
    assert "h100-smx" not in CATALOGUE.gpus
    with pytest.raises(UnknownName, match=r"llama-3\.1-70b"):
        figures("llama-3-70b")


def test_the_listing_has_every_model_and_counts_its_points() -> None:
    listed = {entry.id: entry for entry in entries()}
    assert set(listed) == {*CATALOGUE.gpus, *CATALOGUE.models}
    assert sum(listed[gpu].measurements for gpu in CATALOGUE.gpus) == len(CATALOGUE.measurements)
    assert listed["tpu-v5e"].measurements == 0


def test_figures_are_found_by_name_whichever_kind() -> None:
    assert figures("h100-sxm")["bandwidth_tb_s"].value == pytest.approx(3.35)
    assert figures("gpt-oss-120b")["licence"].value == "Apache-2.0"


def test_prices_follow_the_tier_of_the_call() -> None:
    short = api_price("genai-prices:anthropic/claude-sonnet-4-5", 2_000, 300, PRICED_ON)
    long = api_price("genai-prices:anthropic/claude-sonnet-4-5", 1_000_000, 300, PRICED_ON)
    assert (short.usd_per_mtok_in, short.usd_per_mtok_out) == (3.0, 15.0)
    assert (long.usd_per_mtok_in, long.usd_per_mtok_out) == (6.0, 22.5)
    assert short.usd_per_mtok_cached_in == pytest.approx(0.3)
    assert short.as_of == "2026-11-01"
    assert "genai-prices" in short.source


def test_an_unrecorded_cache_discount_is_none() -> None:
    price = api_price("genai-prices:openrouter/01-ai/yi-large", 1000, 100, PRICED_ON)
    assert price.usd_per_mtok_cached_in == price.usd_per_mtok_in > 0


def test_a_free_model_is_no_price() -> None:
    with pytest.raises(NoPrice, match="usd_per_mtok_in"):
        api_price("genai-prices:azure/mai-ds-r1:free", 1000, 100, PRICED_ON)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("openai/gpt5", "openai/gpt-5"), ("opnai/gpt-5", "openai/gpt-5"), ("gpt-5", "openai/gpt-5")]
)
def test_an_unknown_price_is_met_with_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(UnknownName) as raised:
        api_price(f"genai-prices:{wrong}", 1000, 100, PRICED_ON)
    assert f"genai-prices:{meant}" in raised.value.close


def test_a_name_costs_only_its_own_file() -> None:
    load_catalogue.cache_clear()
    began = time.perf_counter()
    assert load_catalogue().gpus["h100-sxm"].hbm_gb == pytest.approx(85.9)
    assert time.perf_counter() - began < 0.25
