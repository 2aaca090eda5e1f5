"""Speed, memory and power of a replica: hand arithmetic, laws, grades, and how well left-out curves are predicted."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.speed_cv import SPLITS, band, table_of
from benchmarks.speed_file import multipliers
from benchmarks.speed_fit import predict
from benchmarks.speed_rows import believable, curve, disturbed, measured_rows
from optimizer.catalogue.load import gpu, model
from optimizer.speed.coefficients import load_coefficients
from optimizer.speed.estimate import load_speed_model, signature
from optimizer.speed.memory import fits, resident_gb
from optimizer.speed.power import load_share, replica_kw
from optimizer.speed.step import TPOT_TERMS, TTFT_TERMS, Point, terms, weights_read_b

GROUNDS = ("measured", "calibrated dense", "gpu and model known", "gpu known", "architecture known", "no measurement")


def speed(ai="llama-3.1-70b", chip="h100-sxm", precision="fp8", gpus=2, concurrency=24, lengths=(1500, 400), **changes):
    return load_speed_model().estimate(
        replace(model(ai), **changes.pop("model", {})),
        replace(gpu(chip), **changes.pop("gpu", {})),
        precision=precision,
        gpus=gpus,
        concurrency=concurrency,
        tokens_in=lengths[0],
        tokens_out=lengths[1],
        **changes,
    )


@pytest.fixture(scope="module")
def table():
    return table_of([row for row in measured_rows() if believable(row)])


def test_memory_of_llama_70b_on_two_h100():
    """Weights 70.6 x 1.03; 32 sequences of 4096 tokens x 163,840 values x 2 bytes; 3.5 + 0.35 GB a GPU."""
    memory = resident_gb(model("llama-3.1-70b"), "fp8", 2, 32, 4096)
    assert memory.weights_gb == pytest.approx(72.718)
    assert memory.kv_gb == pytest.approx(42.949, abs=1e-3)
    assert memory.overhead_gb == pytest.approx(7.7)
    assert memory.total_gb == pytest.approx(123.367, abs=1e-3)
    assert memory.per_gpu_gb == pytest.approx(61.684, abs=1e-3)
    assert fits(memory, gpu("h100-sxm"))
    assert not fits(resident_gb(model("llama-3.1-70b"), "bf16", 2, 32, 4096), gpu("h100-sxm"))


def test_latent_cache_is_held_by_every_gpu():
    """DeepSeek: 61 layers x 576 values x 2 bytes a token, on each of 8 GPUs."""
    memory = resident_gb(model("deepseek-r1"), "fp8", 8, 10, 1000)
    assert memory.kv_gb == pytest.approx(8 * 10 * 1000 * 35136 * 2 / 1e9)


def test_grouped_cache_is_cut_at_most_into_its_heads():
    """Qwen3-235B has 4 KV heads: on 8 GPUs every part is held twice."""
    four, eight = (resident_gb(model("qwen3-235b-a22b"), "fp8", n, 10, 1000).kv_gb for n in (4, 8))
    assert eight == pytest.approx(2 * four)


def test_slice_holds_what_its_own_memory_allows():
    part = gpu("h100-sxm").slices["1g.10gb"]
    small = resident_gb(model("llama-3.1-8b"), "int4", 1, 1, 1024, sliced=True)
    large = resident_gb(model("llama-3.1-8b"), "fp8", 1, 16, 1024, sliced=True)
    assert fits(small, gpu("h100-sxm"), part)
    assert not fits(large, gpu("h100-sxm"), part)
    assert fits(large, gpu("h100-sxm"))


def test_terms_of_a_dense_step_by_hand():
    """Llama-70B, fp8, 2 H100, 16 sequences of 1000 + 200 tokens."""
    t = terms(Point(model("llama-3.1-70b"), gpu("h100-sxm"), "fp8", 2, 16, 1000, 200))
    named = dict(zip(TPOT_TERMS, t.tpot, strict=True))
    assert named["weights"] == pytest.approx(70.6 * 1.03 / 6.7)
    assert named["cache"] == pytest.approx(16 * 1100 * 163840 * 2 / 1e9 / 6.7)
    assert named["launch"] == pytest.approx(80 * 0.05)
    assert named["batch"] == pytest.approx(0.16)
    assert named["prefill"] == pytest.approx(16 / 200 * t.prefill_gflop / (2 * 1978))
    assert dict(zip(TTFT_TERMS, t.ttft, strict=True))["burst"] == pytest.approx(15 * t.prefill_gflop / (2 * 1978))


def test_experts_read_grow_from_the_active_to_all():
    deepseek = model("deepseek-r1")
    assert weights_read_b(deepseek, 1) == pytest.approx(37)
    assert weights_read_b(deepseek, 2) == pytest.approx(37 + (671 - 37) / 248 * 8 * (1 - 8 / 256))
    assert weights_read_b(deepseek, 1e6) == pytest.approx(671)


def test_fp4_weights_on_a_gpu_without_fp4_multiply_in_bf16():
    compute = TPOT_TERMS.index("compute")
    fp4, bf16 = (
        terms(Point(model("gpt-oss-120b"), gpu("h100-sxm"), p, 1, 8, 500, 500)).tpot[compute] for p in ("fp4", "bf16")
    )
    assert fp4 == bf16


PAIRS = [
    ("llama-3.1-70b", "h100-sxm", "fp8", 2),
    ("gpt-oss-120b", "b200-sxm", "fp4", 1),
    ("qwen3-30b-a3b", "mi300x", "bf16", 1),
    ("deepseek-r1", "b300-sxm", "fp4", 8),
]


@pytest.mark.parametrize(("ai", "chip", "precision", "gpus"), PAIRS)
def test_times_never_fall_with_load_or_length(ai, chip, precision, gpus):
    at = {"ai": ai, "chip": chip, "precision": precision, "gpus": gpus}
    for name, values in (("concurrency", (1, 3, 10, 33, 100)), ("lengths", ((300, 300), (900, 300), (3000, 300)))):
        found = [speed(**{**at, name: value}) for value in values]
        for time in ("tpot_ms", "ttft_ms"):
            times = [getattr(s, time) for s in found]
            assert times == sorted(times)
            assert times[0] < times[-1]


@pytest.mark.parametrize(("ai", "chip", "precision", "gpus"), PAIRS)
def test_faster_memory_never_slows(ai, chip, precision, gpus):
    slow, fast = (speed(ai, chip, precision, gpus, gpu={"bandwidth_tb_s": tb_s}, concurrency=7) for tb_s in (2.0, 4.0))
    assert fast.tpot_ms < slow.tpot_ms
    assert fast.ttft_ms <= slow.ttft_ms


def test_a_slice_is_slower_than_its_gpu():
    part = gpu("h100-sxm").slices["3g.40gb"]
    whole, cut = (speed("llama-3.1-8b", precision="fp8", gpus=1, slice=s) for s in (None, part))
    assert cut.tpot_ms > whole.tpot_ms
    assert (cut.grade, "slice 3g.40gb" in cut.basis) == ("modelled", True)


def test_bytes_and_operations_of_a_task():
    """One sequence of Llama-8B in bf16: the weights once for the prompt and once a token, and its cache."""
    s = speed("llama-3.1-8b", "l4", "bf16", 1, concurrency=1, lengths=(100, 10))
    assert s.bytes_per_task == pytest.approx(11 * 8.03e9 * 2 + 10 * 105 * 65536 * 2)
    assert 2 * 8.03e9 * 110 < s.flops_per_task < 2.2 * 8.03e9 * 110


def test_a_measured_point_is_returned_as_measured():
    s = speed(concurrency=32, lengths=(1024, 1024))
    assert (s.tpot_ms, s.ttft_ms, s.grade) == (23.5381, 272.743, "measured")
    assert "vllm" in s.basis
    assert s.tasks_per_hour(32, 1024) == pytest.approx(32 * 3600 / (0.272743 + 1023 * 0.0235381))


def test_a_network_under_another_name_is_the_same_network():
    assert signature(model("llama-3.3-70b")) == signature(model("llama-3.1-70b"))
    assert speed("llama-3.3-70b") == speed("llama-3.1-70b")


@pytest.mark.parametrize(
    ("ai", "chip", "precision", "grade", "words"),
    [
        ("llama-3.1-70b", "h100-sxm", "fp8", "calibrated", "45 rows|43 rows"),
        ("llama-3.1-8b", "b200-sxm", "fp8", "modelled", "rows on b200-sxm"),
        ("qwen3-8b", "h100-sxm", "bf16", "modelled", "other AI models on h100-sxm"),
        ("llama-3.1-70b", "b300-sxm", "fp8", "modelled", "no measurement of b300-sxm: .* blackwell"),
        ("llama-3.1-70b", "mi300x", "fp8", "modelled", "no measurement of mi300x or its architecture"),
    ],
)
def test_grade_and_basis_say_what_a_figure_rests_on(ai, chip, precision, grade, words):
    s = speed(ai, chip, precision)
    assert s.grade == grade
    assert re.search(words, s.basis)


def test_less_evidence_never_narrows_an_interval():
    bands = load_coefficients().bands
    for better, worse in pairwise(GROUNDS):
        for time in ("tpot", "ttft"):
            (low, high), (lower, higher) = bands[better][time], bands[worse][time]
            assert lower <= low < 1 < high <= higher


def test_what_binds_follows_the_load():
    assert speed("llama-3.1-70b", concurrency=1).bound_by == "bandwidth"
    assert speed("llama-3.1-8b", "h100-sxm", "fp8", 1, 256, (8000, 50)).bound_by == "compute"
    assert speed("gpt-oss-120b", "b200-sxm", "fp4", 8, 1).bound_by == "latency"


def test_power_follows_the_batch():
    assert load_share(0) == 0
    assert load_share(32) == pytest.approx((507 - 301) / (583 - 301))
    assert load_share(128) == load_share(4096) == 1
    shares = [load_share(n) for n in range(1, 200)]
    assert shares == sorted(shares)


def test_a_replica_draws_its_gpus():
    h100 = gpu("h100-sxm")
    assert replica_kw(h100, 4, 128) == pytest.approx((4 * h100.idle_kw, 4 * h100.op_kw))
    part = h100.slices["1g.10gb"]
    assert replica_kw(h100, 1, 128, part)[1] == pytest.approx(h100.op_kw / 7)


def test_no_curve_is_split_between_folds(table):
    for split in SPLITS:
        folds = {}
        for row in table.rows:
            folds.setdefault(curve(row), set()).add(split.test(row))
            assert split.hidden(row, split.test(row))
        assert {len(found) for found in folds.values()} == {1}


def test_one_measurement_is_one_row_and_lies_on_one_curve(table):
    curves = {}
    for row in table.rows:
        m = row.measured
        curves.setdefault((m.gpu, m.precision, m.engine, m.ttft_ms, m.tpot_ms), []).append(curve(row))
    assert max(len(found) for found in curves.values()) == 1


def test_a_run_that_speeds_up_with_load_is_disturbed(table):
    clean = next(r for r in table.rows if curve(r).startswith("llama-3.1-70b|h100-sxm|fp8|vllm|1024|1024|2"))
    odd = replace(
        clean, measured=replace(clean.measured, id="odd", concurrency=999, tpot_ms=clean.measured.tpot_ms / 2)
    )
    assert disturbed([clean]) == set()
    assert disturbed([clean, odd]) == {clean.measured.id, "odd"}


def test_a_band_holds_nine_in_ten():
    errors = np.random.default_rng(0).normal(0, 0.3, 4000)
    low, high = band(errors)
    assert np.mean((np.log(low) <= errors) & (errors <= np.log(high))) == pytest.approx(0.9, abs=0.005)


def test_left_out_curves_are_predicted(table):
    """A guard with slack: the bench's first fold errs 5 % (median) on TPOT, the roofline 45 % and more."""
    fold = table.labels(SPLITS[0].test)
    at = np.flatnonzero(fold == "0")
    tpot = table.fit("tpot", fold != "0")
    error = np.abs(
        predict(tpot, table.terms["tpot"][at], [table.rows[i].group for i in at]) / table.times["tpot"][at] - 1
    )
    assert len(at) > 200
    assert np.median(error) < 0.08
    assert np.quantile(error, 0.9) < 0.30


def test_committed_coefficients_are_what_the_fit_gives(table):
    committed = load_coefficients()
    for time, found in multipliers(table).items():
        kept = getattr(committed, time)
        assert found.base == pytest.approx(kept.base, abs=2e-3)
        groups = {row.group for row in table.rows}
        assert all(found.multipliers(g) == pytest.approx(kept.multipliers(g), rel=0.02) for g in groups)
