"""The benchmark's instances: frozen, real, and as large as they say; what the race reads off a run."""

from __future__ import annotations

import io
import json
from hashlib import sha256

import pytest

from benchmarks.generate import instance, write
from benchmarks.generator.sizes import SIZES
from benchmarks.solve import REPORTED
from benchmarks.solving.race import Run, Told, run
from optimizer import parse
from optimizer.engine.compile import compile_model
from optimizer.formulation.build import state
from optimizer.instance.document import compose
from optimizer.resolve import resolve

FROZEN = {
    "S": {101: "c37bd70ecc5cedb5", 102: "8b1413aa0cf37a8b", 103: "adedb658dc323db1"},
    "M": {101: "ea761a9237e2e517", 102: "82140c22469ab128", 103: "e6b2075ef6a6435c"},
}
"""Results are published for these files: a change of the generator makes all of them void."""

STANDS_FOR = {"columns": 11_235, "rows": 5_739, "integers": 3_030}  # of S, before presolve


@pytest.mark.parametrize("size", FROZEN)
def test_reported_instances_are_frozen(size):
    digests = {seed: sha256(json.dumps(instance(size, seed)).encode()).hexdigest()[:16] for seed in REPORTED}
    assert digests == FROZEN[size]


@pytest.mark.parametrize("seed", REPORTED)
def test_a_size_is_within_a_fifth_of_what_it_stands_for(seed):
    data = resolve(parse(instance("S", seed)), reduce=False).data
    program = compile_model(state(data).model)
    found = {"columns": program.cost.size, "rows": program.row_lower.size, "integers": int(program.integer.sum())}
    assert {name: pytest.approx(count, rel=0.2) for name, count in STANDS_FOR.items()} == found
    assert len(data.workflows) == SIZES["S"].workflows
    assert sum(next(iter(p.count.values())) for p in data.pools.values()) == pytest.approx(SIZES["S"].gpus, rel=0.1)


def test_yaml_and_json_say_the_same():
    document, file = instance("S", 1), io.StringIO()
    write(document, file, as_json=False)
    assert parse(compose(file.getvalue(), "s.yaml").data) == parse(document)


def test_the_best_known_at_a_moment():
    news = Run([Told(1.0, None, 10.0), Told(2.0, 5.0, 9.0), Told(3.0, 4.0, 9.5), Told(4.0, 8.0, 8.0)])
    assert news.known(3.5) == Told(3.5, 5.0, 9.0)
    assert news.first_plan() == 2.0
    assert news.within(0.5) == 4.0
    assert Run([Told(1.0, None, 10.0)]).within(1.0) is None


def test_a_run_that_fails_says_why():
    failed = run("benchmarks.solving.ours", ["nowhere.yaml", "1", "1", "0"], 1.0)
    assert not failed.news
    assert "nowhere.yaml" in str(failed.failure)


def test_a_plan_no_better_than_doing_nothing_is_none(tmp_path, monkeypatch):
    lines = [{"at": 0.1, "plan": -2.0, "bound": 9.0}, {"at": 0.2, "plan": -1.0, "bound": 8.0}]
    (tmp_path / "solver.py").write_text(f"import json\nfor line in {lines}: print(json.dumps(line))\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = run("solver", [], 1.0, money=10.0, idle_usd=-20.0).news
    assert told == [Told(0.1, None, 90.0), Told(0.2, -10.0, 80.0)]
