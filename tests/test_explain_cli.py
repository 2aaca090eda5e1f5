"""`solvency explain` from a file and from a plan, and the explanation in the library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer import explain, load, solve

INSTANCES = Path(__file__).parent.parent / "instances"
CONFLICT = """\
schema: solvency/1
name: Two promises, one feeder
horizon: {periods: [{id: 2027Q1, hours: 1000}]}
sites:
  lab: {jurisdiction: US, pue: 1.0, usd_per_mwh: 0, power_mw: 0.012}
pools:
  h100: {site: lab, gpu: h100-sxm, count: 16, node: 1, usd_per_gpu_hour: 0}
deployments:
  chat-1g: {model: chat-model, gpu: h100-sxm, gpus: 1, hbm_gb: 60, kw: 1, tasks_per_hour: 100}
workflows:
  support: {demand: 800 per hour, tokens_in: 1000, tokens_out: 200, value_usd: 0.1, must_fund: true, min_service: 100%,
            accepts: {models: [chat-model]}}
  fraud: {demand: 600 per hour, tokens_in: 1000, tokens_out: 200, value_usd: 0.1, must_fund: true, min_service: 100%,
          accepts: {models: [chat-model]}}
options: {headroom: 100%, availability: 100%}
"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optimizer.cli.main", "explain", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_text_says_first_what_limits():
    done = run(INSTANCES / "stories" / "power-permit.yaml")
    assert done.returncode == 0, done.stderr
    first = "\n".join(done.stdout.splitlines()[:6])
    assert "What limits us" in first
    assert "sites.lab" in first


def test_json_has_every_table_and_nothing_else():
    done = run(INSTANCES / "stories" / "portfolio.yaml", "--format", "json")
    document = json.loads(done.stdout)
    tables = {"constraints", "bundles", "workflows", "tools", "offers", "policies", "conflict"}
    assert tables <= set(document)
    (limit,) = document["limits"]
    assert limit["owner"] == "limits.portfolio"
    assert limit["one_more_usd"] == pytest.approx([1000.0, 1000.0])  # minutes: 1000 x ($2 - $1)


def test_a_saved_plan_gives_what_its_instance_gives(tmp_path):
    instance = load(INSTANCES / "stories" / "power-permit.yaml")
    file = tmp_path / "plan.json"
    file.write_text(solve(instance, gap=1e-6).to_json())
    from_plan = json.loads(run(file, "--format", "json").stdout)
    direct = explain(instance, explain_time=20).document
    for a, b in zip(from_plan["limits"], direct["limits"], strict=True):
        assert a["one_more_usd"] == pytest.approx(b["one_more_usd"])


def test_a_conflict_is_said_in_words_with_file_and_line(tmp_path):
    file = tmp_path / "conflict.yaml"
    file.write_text(CONFLICT)
    done = run(file)
    assert done.returncode == 3
    said = " ".join(done.stdout.split())
    assert "the promises to support and fraud in 2027Q1 together need 14 kW of power at lab in 2027Q1, 12" in said
    assert f"{file.name}:5:" in said
    assert "a plan then exists" in said


def test_an_explanation_gives_frames():
    found = explain(load(INSTANCES / "stories" / "portfolio.yaml"), explain_time=20)
    assert not found.partial
    assert list(found.workflows["workflow"]) == ["claims", "letters", "minutes"]
    assert set(found.constraints["class"]) == {"scarce"}
    assert found.conflict is None


def test_a_promise_after_a_loss_that_nobody_can_keep_is_said_and_located(tmp_path):
    """60 % of 200 tasks an hour after the loss of the main site; one GPU at the second does 100."""
    story = (INSTANCES / "stories" / "site-loss.yaml").read_text()
    story = story.replace("count: 2, node: 1, usd_per_gpu_hour: 2", "count: 1, node: 1, usd_per_gpu_hour: 2")
    file = tmp_path / "loss.yaml"
    file.write_text(story.replace("{site: 50%}", "{site: 60%}, must_fund: true, min_service: 100%"))
    found = explain(load(file), explain_time=20).conflict
    assert found is not None
    assert found["reasons"] == ["after the loss of site main, 120,000 tasks of chat must be served in 2027Q1, and what "
                                "survives serves 100,000 at most"]  # fmt: skip
    places = {member["family"]: member["where"] for member in found["members"]}
    assert places["resilience_floor"] == f"{file}:17:22"
    assert len(found["repairs"]) == 3
    assert all(repair["verified"] for repair in found["repairs"])
    assert not any("chat-1g" in repair["words"] for repair in found["repairs"])  # no hours out of nothing


def test_a_smaller_promise_is_not_one_more():
    done = run(INSTANCES / "stories" / "exploration.yaml")
    assert "workflows.agents.pilot.periods: proven 1 period sooner earns $40K." in done.stdout
    assert "pools.h100: 1 node more earns $6,000" in done.stdout
    assert "Scarcity rent at the margin" in done.stdout
