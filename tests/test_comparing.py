"""Variants side by side, and plans of different instances: what is said is what the plans say."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest
import quick

from optimizer import BadInput, Base, Change, Comparison, compare, parse, solve, solving, variants
from optimizer.cli.main import app
from optimizer.comparing.tables import COLUMNS, MAKERS
from optimizer.plan.plan import Table
from optimizer.report.compared import _told

BASE = Base.solved(quick.instance(), gap=1e-6)
PATHS = (
    "sites.ashburn.power_mw=*0.75",
    "sites.ashburn.power_mw.2027Q2=0.02",
    "sites.ashburn.power_mw.2027Q2..=+5 kW",
    "sites.ashburn.power_mw=>>1",
    "workflows.*.value_usd=*0.8",
    "workflows.support.demand=*1.5",
    "pools.h100.count=8",
    "pools.h100.usd_per_gpu_hour=*1.5",
    "apis.*.usd_per_mtok_out=*2",
    "limits.launches=1",
)


@pytest.mark.parametrize("change", PATHS)
def test_every_kind_of_change_is_worth_the_same_warm_and_cold(change):
    variant, cold = BASE.vary(Change(change, None, (change,))).plan, solve(quick.instance(), gap=1e-6, set=[change])
    assert variant.status == cold.status == "optimal"
    assert variant.objective_usd == pytest.approx(cold.objective_usd, rel=2e-6)
    assert variant.document["verification"]["passed"]
    assert variant.document["options"]["set"] == [change]


@pytest.mark.parametrize("drop", ["power_limit", "power_limit[ashburn,*]", "gpu_capacity", "launch_limit"])
def test_what_is_dropped_is_worth_the_same_warm_and_cold(drop):
    variant, cold = BASE.vary(Change(drop, drop=(drop,))).plan, solve(quick.instance(), gap=1e-6, drop=[drop])
    assert variant.objective_usd == pytest.approx(cold.objective_usd, rel=2e-6)


def test_what_is_new_is_stated_anew_and_says_why():
    assert BASE.vary(Change("fewer", None, ("pools.h100.count=8",))).rebuilt == ""
    other = BASE.vary(Change("gpu", None, ("limits.portfolio=1",)))
    assert other.rebuilt == "2 new rows in portfolio_limit"
    assert other.plan.document["begun"] == other.rebuilt


def test_a_path_that_matches_nothing_is_an_error_with_a_hint():
    with pytest.raises(BadInput, match=r"matches nothing.*Maybe sites\.ashburn\.power_mw"):
        BASE.vary(Change("typo", None, ("sites.ashburn.powr_mw=3",)))
    with pytest.raises(BadInput, match="no constraint family or term is called 'power_limt'"):
        BASE.vary(Change("typo", drop=("power_limt",)))


def test_an_instance_is_varied_as_on_the_command_line():
    varied = quick.instance().vary("sites.ashburn.power_mw=*0.75")
    asked = BASE.vary(Change("less", None, ("sites.ashburn.power_mw=*0.75",)))
    assert solve(varied, gap=1e-6).objective_usd == pytest.approx(asked.plan.objective_usd, rel=2e-6)


def test_the_comparison_adds_up():
    after = BASE.vary(Change("less", None, ("sites.ashburn.power_mw=*0.5", "workflows.*.value_usd=*0.9"))).plan
    compared = compare(BASE.plan, after)
    assert compared.change_usd == pytest.approx(after.objective_usd - BASE.plan.objective_usd)
    assert compared.ledger["change_usd"].sum() == pytest.approx(compared.change_usd)
    shares = compared.workflows.set_index("workflow")
    for plan, side in ((BASE.plan, "before"), (after, "after")):
        found = plan.verdicts.set_index("workflow")["served_share"]
        assert shares[f"share_{side}"].to_dict() == found.to_dict()
    used = {(r["pool"], r["period"]): r["used"] for r in after.document["pools"]}
    for row in compared.document["moved"]:
        if (row["kind"], row["unit"]) == ("pool", "GPU"):
            assert row["after"] == used[row["name"], row["period"]]
            assert row["change"] == row["after"] - row["before"] != 0
    full = {(r["family"], r["row"], r["period"]) for r in after.document["resources"] if r["full"]}
    said = compared.limits
    now = said[said["binds"].isin(["now", "still"])]
    assert set(zip(now["family"], now["row"], now["period"], strict=True)) == full
    assert compared.document["net"]["low"] <= compared.change_usd <= compared.document["net"]["high"]


def test_a_side_has_the_gap_that_it_reached():
    loose = solve(quick.instance(), gap=0.5)
    side = compare(loose, BASE.plan).document["plans"][0]
    assert side["gap"] == loose.gap != loose.document["options"]["gap"]


def test_the_tables_of_a_comparison_are_stated():
    same = compare(BASE.plan, BASE.plan)
    assert {*MAKERS} == {*COLUMNS} == {name for name in dir(Comparison) if isinstance(getattr(Comparison, name), Table)}
    assert all(list(getattr(same, name).columns) == list(COLUMNS[name]) for name in COLUMNS)
    assert not hasattr(same, "workflow")


def test_shares_that_differ_look_different():
    row = {"workflow": "docs", "share_before": 0.4149, "share_after": 0.4101, "why_before": "", "why_after": ""}
    assert _told(row) == "docs: 41.49 % -> 41.01 % of its demand."
    assert _told({**row, "share_after": 0.3}) == "docs: 41 % -> 30 % of its demand."


def test_a_plan_against_itself_shows_nothing():
    same = compare(BASE.plan, BASE.plan).document
    assert same["net"]["change"] == 0
    assert {row["change"] for row in same["workflows"]} == {"same"}
    assert [same[name] for name in ("served", "moved", "endpoints", "decisions")] == [[], [], [], []]


def test_what_entered_left_and_is_new():
    before = solve(quick.instance().vary("workflows.invoices.value_usd=0"), gap=1e-6)
    rows = {r["workflow"]: r for r in compare(before, BASE.plan).document["workflows"]}
    assert rows["invoices"]["change"] == "entered"
    assert rows["invoices"]["why_before"]
    renamed = json.loads(json.dumps(quick.instance().dump()).replace('"code"', '"chat"'))
    other = {r["workflow"]: r["change"] for r in compare(BASE.plan, solve(parse(renamed))).document["workflows"]}
    assert (other["chat"], other["code"]) == ("new", "gone")
    back = {r["workflow"]: r["change"] for r in compare(BASE.plan, before).document["workflows"]}
    assert back["invoices"] == "left"


def test_an_infeasible_side_carries_its_conflict():
    variant = BASE.vary(Change("clash", None, quick.CLASH))
    compared = compare(BASE.plan, variant.plan).document
    assert variant.plan.status == "infeasible"
    assert compared["net"]["change"] is None
    assert compared["conflicts"][1]["families"] == quick.infeasible().conflict["families"]
    assert compared["conflicts"][1]["smallest"]
    assert not compared["ledger"]  # what does not exist is not worth nothing
    assert not compared["moved"]
    assert not compared["decisions"]
    assert {row["share_after"] for row in compared["workflows"]} == {None}
    assert {row["share_before"] for row in compared["workflows"]} != {None}


def test_a_base_without_a_plan_has_variants_that_may_have_one(tmp_path):
    clash = json.loads(json.dumps(quick.instance().dump()))
    clash["limits"] = clash.get("limits", {}) | {"portfolio": 0}
    clash["workflows"]["code"]["must_fund"] = True
    (tmp_path / "clash.json").write_text(json.dumps(clash))
    command = [sys.executable, "-m", "optimizer.cli.main", "whatif", str(tmp_path / "clash.json")]
    env = {**os.environ, "PYTHONPATH": str(quick.ROOT), "COLUMNS": "100"}
    asked = [*command, "--set", "limits.portfolio=3"]
    done = subprocess.run(asked, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.returncode == 3
    assert "base: infeasible\n" in done.stderr
    assert "Net value: no plan before" in done.stdout
    assert "infeasible  optimal" in done.stdout
    assert "Ledger" not in done.stdout


def test_whatif_and_compare_on_the_command_line(tmp_path):
    def solvency(*words):
        command = [sys.executable, "-m", "optimizer.cli.main", *map(str, words)]
        env = {**os.environ, "PYTHONPATH": str(quick.ROOT), "COLUMNS": "100"}
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=60)

    asked = ("whatif", quick.FILE, "--set", "sites.ashburn.power_mw=*0.5", "--drop", "launch_limit", "--each")
    text = solvency(*asked)
    assert text.returncode == 0, text.stderr
    assert "Base and variants" in text.stdout
    assert "What if (2): without launch_limit" in text.stdout
    found = json.loads(solvency(*asked, "--format", "json").stdout)
    assert [v["name"] for v in found["variants"]] == ["sites.ashburn.power_mw=*0.5", "without launch_limit"]
    for n, plan in enumerate((found["base"], found["variants"][0]["plan"])):
        (tmp_path / f"{n}.json").write_text(json.dumps(plan))
    compared = json.loads(solvency("compare", tmp_path / "0.json", tmp_path / "1.json", "--format", "json").stdout)
    assert compared["net"] == found["variants"][0]["comparison"]["net"]
    lines = solvency("compare", tmp_path / "0.json", tmp_path / "1.json", "--format", "csv", "--table", "ledger")
    rows = list(csv.DictReader(io.StringIO(lines.stdout)))
    assert sum(float(r["change_usd"]) for r in rows) == pytest.approx(compared["net"]["change"])
    assert solvency("whatif", quick.FILE).returncode == 2
    assert solvency("compare", tmp_path / "0.json", tmp_path / "1.json", "--table", "wat").returncode == 2
    infeasible = solvency("whatif", quick.FILE, *(w for change in quick.CLASH for w in ("--set", change)))
    assert infeasible.returncode == 3
    assert "no plan exists" in infeasible.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["whatif", quick.FILE, "--set", "sites.ashburn.powr_mw=1"], "matches nothing"),
        (["whatif", quick.FILE, "--scenario", "late"], "has no scenario 'late'"),
        (["whatif", quick.FILE, "--drop", "power_limt"], "Maybe power_limit?"),
        (["whatif", quick.FILE, "--drop", "power_limit[x]"], "no row matches 'power_limit[x]'"),
        (["compare", quick.FILE, f"{quick.FILE}@late"], "has no scenario 'late'"),
        (["compare", quick.FILE, quick.FILE, "--set", "sites.ashburn.powr_mw=1"], "matches nothing"),
        (["solve", "PLAN", "--scenario", "late"], "plan.json: is a saved plan, which has no scenario 'late'"),
        (["whatif", "PLAN", "--scenario", "late"], "plan.json: is a saved plan, which has no scenario 'late'"),
        (["compare", "PLAN", "PLAN", "--drop", "power_limit"], "both are saved plans"),
    ],
)
def test_a_mistake_is_told_before_anything_is_solved(words, said, tmp_path, monkeypatch, capsys):
    def solved(*_, **__):
        raise AssertionError("something was solved")

    for module in (solving, variants):
        monkeypatch.setattr(module, "solve_program", solved)
    (tmp_path / "plan.json").write_text(BASE.plan.to_json())
    asked = [str(tmp_path / "plan.json") if word == "PLAN" else str(word) for word in words]
    with pytest.raises(SystemExit) as ended:
        app(asked, prog_name="solvency")
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_compare_takes_the_options_of_a_solve(capsys):
    words = ["compare", quick.FILE, quick.FILE, "--set", "pools.h100.count=8", "--drop", "launch_limit", "--seed", "3"]
    with pytest.raises(SystemExit) as ended:
        app([str(w) for w in [*words, "--threads", "1", "--scenario", "early-permit", "--format", "json"]])
    assert ended.value.code == 0
    for side in json.loads(capsys.readouterr().out)["plans"]:
        assert (side["set"], side["drop"]) == (["pools.h100.count=8"], ["launch_limit"])
        assert side["scenario"] == "early-permit"


def test_the_base_of_a_whatif_may_have_more_threads(capsys):
    words = ["whatif", quick.FILE, "--set", "pools.h100.count=8", "--threads", "2", "--format", "json"]
    with pytest.raises(SystemExit):
        app([str(w) for w in words])
    found = json.loads(capsys.readouterr().out)
    assert found["base"]["options"]["threads"] == 2
    assert found["variants"][0]["plan"]["options"]["threads"] == 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (f"whatif {quick.FILE} --set sites.ashburn.pow", "sites.ashburn.power_mw="),
        (f"whatif {quick.FILE} --set workflows.", "workflows.support."),
        (f"whatif {quick.FILE} --drop power_", "power_limit"),
        (f"whatif {quick.FILE} --drop carbon_p", "carbon_price"),
        (f"whatif {quick.FILE} --drop power_limit[", "power_limit[ashburn,*]"),
        (f"sweep {quick.FILE} --vary pools.h", "pools.h100."),
    ],
)
def test_the_shell_completes_ids_and_families(typed, expected):
    words = f"solvency {typed}"
    env = {
        **os.environ, "PYTHONPATH": str(quick.ROOT), "_SOLVENCY_COMPLETE": "complete_zsh",
        "_TYPER_COMPLETE_ARGS": words,
    }  # fmt: skip
    run = "from optimizer.cli.main import app; app(prog_name='solvency')"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, env=env, check=False, timeout=60)
    assert expected in done.stdout, done.stderr
