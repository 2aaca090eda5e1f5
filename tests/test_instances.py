"""The instances that are shipped: they load, keep to their hand arithmetic, and are refused when spoilt."""

from __future__ import annotations

import re
from pathlib import Path

import fields
import pytest
from typer.testing import CliRunner

from optimizer import load, solve
from optimizer.cli.main import app
from optimizer.instance.changes import apply
from optimizer.instance.json_schema import json_schema
from optimizer.resolve import resolve

FOLDER = Path(__file__).parents[1] / "instances"
FILES = sorted(FOLDER.rglob("*.yaml"))
ENTERPRISE = FOLDER / "enterprise.yaml"

FAULTS = (  # what is spoilt, how, and where and as what it is found
    ("    g_co2_per_kwh: 345", "    g_co2_kwh: 345", "g_co2_kwh", "Maybe g_co2_per_kwh?"),
    ("    usd_per_mwh: 207", "    usd_per_mwh: 207 kg", "usd_per_mwh", "USD/MWh"),
    ("gpu: l40s, count: 64", "gpu: l40s, count: -64", "count", "at least 0"),
    ("  translation:", "  code-review:", "code-review", "first on line"),
    ("models: [deepseek-v3], apis: []", "models: [deepsek-v3], apis: []", "deepsek-v3", "Maybe deepseek-v3?"),
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_instance_resolves_to_a_program_with_something_to_decide(path):
    data = resolve(load(path)).data
    assert data.pairs or data.api_pairs or any(w.bundles for w in data.workflows.values())
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 120


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_scenario_changes_what_is_there(path):
    instance = load(path)
    for name, scenario in instance.scenarios.items():
        changed, dropped = apply(instance, (), [name])
        assert bool(dropped) == bool(scenario.drop)
        assert bool(scenario.changes) == (changed.dump() != instance.dump())


def test_quickstart_is_worth_what_its_comments_say():
    plan = solve(load(FOLDER / "quickstart.yaml"), gap=1e-6)
    told = re.findall(r"\$([\d,.]+)$", (FOLDER / "quickstart.yaml").read_text(encoding="utf-8").rstrip())
    assert plan.objective_usd == pytest.approx(429_732.672)
    assert [float(usd.replace(",", "")) for usd in told] == [429_732.672]
    replicas = {(e.pool, e.period): e.replicas for e in plan.endpoints.itertuples() if e.replicas}
    assert replicas == {("h100", "2027Q1"): 6, ("h100", "2027Q2"): 8, ("l40s", "2027Q2"): 8}


def test_quickstart_serves_what_its_comments_say():
    served = solve(load(FOLDER / "quickstart.yaml"), gap=1e-6).workflows.set_index(["workflow", "period"])
    hours = {"2027Q1": 2160, "2027Q2": 2184}
    told = {
        ("support", "2027Q1"): (3200, 0),
        ("support", "2027Q2"): (6400, 1600),
        ("code", "2027Q1"): (4000, 0),
        ("code", "2027Q2"): (4000, 0),
        ("invoices", "2027Q1"): (0, 0),
        ("invoices", "2027Q2"): (2400, 0),
    }
    for (workflow, period), (all_of_it, bought) in told.items():
        row = served.loc[(workflow, period)]
        assert (row.served, row.api) == pytest.approx((all_of_it * hours[period], bought * hours[period]))


def test_a_spoilt_enterprise_is_refused_with_every_fault_at_its_place(tmp_path):
    text = ENTERPRISE.read_text(encoding="utf-8")
    for good, bad, _, _ in FAULTS:
        assert text.count(good) == 1
        text = text.replace(good, bad)
    path = tmp_path / "spoilt.yaml"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["solve", str(path)])
    assert done.exit_code == 2
    messages = [line for line in done.stderr.splitlines() if line.startswith(str(path))]
    assert len(messages) == len(FAULTS)
    for _, bad, name, words in FAULTS:
        line = 1 + text[: text.index(bad) if name != "code-review" else text.rindex(bad)].count("\n")
        assert any(re.match(rf"{re.escape(str(path))}:{line}:\d+: .*{re.escape(name)}", m) for m in messages), bad
        assert words in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "demand", "tokens_in", "tokens_out", "value_usd", "launch_usd", "power_mw", "pue", "water_l_per_kwh", "racks",
        "storage_tb", "usd_per_t_co2", "usd_per_tb_month", "cached_in", "yield", "bad_usd", "review", "retraining",
        "pilot", "launch_hours", "network", "trainers", "exploration",
    ],
)  # fmt: skip
def test_every_figure_of_the_enterprise_names_its_source_or_says_illustrative(line):
    lines = ENTERPRISE.read_text(encoding="utf-8").splitlines()
    stated = [text for text in lines if text.lstrip().startswith(f"{line}:")]
    assert stated
    for text in stated:
        assert re.search(r"#.*(\[\w[\w.]*\]|illustrative)", text), text


def test_the_page_of_fields_is_the_schema():
    page = fields.PAGE.read_text(encoding="utf-8")
    assert page.endswith(fields.tables()), "the schema has changed: run python tests/fields.py"
    for section, key in fields.keys(json_schema()):
        assert f"| `{key}` |" in page, f"{section}.{key}"


def test_the_page_tells_of_every_file():
    page = fields.PAGE.read_text(encoding="utf-8")
    for path in FILES:
        assert f"({path.relative_to(FOLDER)})" in page
