"""Sweeps: designs, the promise of one result however they are run, members that fail, frontiers, the table."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pandas as pd
import pytest
import quick

from optimizer import BadInput, Base, Change, solve, sweep
from optimizer.catalogue import load as catalogue
from optimizer.engine import installed
from optimizer.formulation.family import Row, family
from optimizer.report.swept import sentences
from optimizer.solving import Posed
from optimizer.sweeping import course, frontier, member, parallel
from optimizer.sweeping.design import Axis, axis, changed, points
from optimizer.sweeping.sweep import TIMES

POWER, VALUE = "sites.ashburn.power_mw=*0.5:1.5:5", "workflows.*.value_usd=*0.8,*1"
MIXED = "limits.portfolio=0,1,2"  # none, one or two of three workflows at once
FUND = "workflows.code.must_fund=true,false"


def told(swept):
    """Everything but how long it took."""
    return [{k: v for k, v in row.items() if k not in TIMES} for row in swept.rows]


def run(*vary, **options):
    return sweep(quick.instance(), vary, **{"gap": 1e-6, "executor": ThreadPoolExecutor, "workers": 1, **options})


@pytest.fixture(scope="module")
def grid():
    return run(POWER, VALUE)


def test_axes_are_read_as_typed():
    assert axis("a.b=1:2:3") == Axis("a.b", ("1", "1.5", "2"), "", 1.0, 2.0)
    assert axis("a.b=*0.5:1.5:3").values == ("*0.5", "*1", "*1.5")
    assert axis("a.b=+0:2:2").values == ("+0", "+2")
    assert axis("a.b=>>0,>>1").values == (">>0", ">>1")
    assert axis("a.b=[US, CA],[US]").values == ("[US, CA]", "[US]")
    assert axis("a.b={2027Q1: 1, 2027Q2: 2}").values == ("{2027Q1: 1, 2027Q2: 2}",)
    assert changed({"scenario": "a+b", "drop": "x&y", "p": "*2"}) == ("a+b", ("p=*2",), ("x", "y"))
    assert changed({"scenario": "none", "drop": "none"}) == (None, (), ())


@pytest.mark.parametrize(
    ("kind", "axes", "message"),
    [
        ("gird", ["a=1,2"], "no design is called 'gird'.*Maybe grid"),
        ("grid", ["a"], "'a' is no axis"),
        ("grid", ["a=1:x:3"], "spans '1:x:3'"),
        ("grid", ["a=nan:1:3"], "expected finite numbers"),
        ("grid", ["a=1,,2"], "lists a value that is empty"),
        ("grid", ["a=1:2:0"], "asks for 0 values"),
        ("grid", ["a=1,2", "a=3"], "a is varied twice"),
        ("list", ["a=1,2", "b=3"], "the paths differ in number"),
        ("sobol", ["a=1:2:3"], "needs a number of samples"),
        ("grid", ["a=1:2:1000", "b=1:2:1000"], "more than 100,000 members"),
        ("grid", ["a=1:2:100000000000"], "asks for 100,000,000,000 values, and a design has at most 100,000 members"),
    ],
)
def test_designs_that_cannot_be(kind, axes, message):
    with pytest.raises(BadInput, match=message):
        points(kind, [axis(a) for a in axes])


def test_designs_hold_what_they_say():
    a, b = axis("a=0:1:3"), axis("b=x,y")
    assert len(points("grid", [a, b])) == 6
    assert points("list", [axis("a=1,2"), b]) == [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]
    assert points("tornado", [a, b]) == [{}, {"a": "0"}, {"a": "0.5"}, {"a": "1"}, {"b": "x"}, {"b": "y"}]
    for kind in ("random", "sobol"):
        found = points(kind, [a, b], samples=32, seed=7)
        assert found == points(kind, [a, b], samples=32, seed=7) != points(kind, [a, b], samples=32, seed=8)
        assert all(0 <= float(p["a"]) <= 1 for p in found)
    halves = [float(p["a"]) < 0.5 for p in points("sobol", [a, b], samples=32)]
    assert sum(halves) == 16  # balanced, as a random sample hardly is


def test_each_member_is_worth_what_a_cold_solve_finds(grid):
    assert [row["status"] for row in grid.rows] == ["optimal"] * 10
    for point, row in list(zip(grid.points, grid.rows, strict=True))[::3]:
        cold = solve(quick.instance(), gap=1e-6, set=[f"{k}={v}" for k, v in point.items()], judge=False)
        assert row["objective_usd"] == pytest.approx(cold.objective_usd, rel=2e-6)
        assert row["served"] == cold.verdicts.set_index("workflow")["served_share"].to_dict()


def test_nothing_depends_on_workers_order_or_processes(grid, tmp_path):
    backwards = run(POWER.replace("0.5:1.5", "1.5:0.5"), VALUE.replace("*0.8,*1", "*1,*0.8"))
    assert told(backwards)[::-1] == told(grid)
    pool = run(POWER, VALUE, executor=None, workers=2, store=tmp_path / "store")
    assert told(pool) == told(grid)
    assert pool.points == grid.points


def test_a_design_by_seed_is_the_same_bit_for_bit():
    asked = {"design": "random", "samples": 4, "seed": 3}
    assert told(run(POWER, VALUE, **asked)) == told(run(POWER, VALUE, **asked))


def test_members_without_a_plan_carry_their_reason_and_stop_nobody():
    swept = run(MIXED, FUND, "pools.h100.count=16,*0.51")
    by = {tuple(p.values()): row for p, row in zip(swept.points, swept.rows, strict=True)}
    clash = by["0", "true", "16"]
    assert clash["status"] == "infeasible"
    assert "1 workflow must be funded in 2027Q1, 0 may be" in clash["reason"]
    assert "in conflict: service_floor and portfolio_limit" in clash["reason"] or "in conflict" in clash["reason"]
    assert by["2", "false", "16"]["status"] == "optimal"
    broken = by["2", "false", "*0.51"]
    assert broken["status"] == "failed"
    assert "pools.h100.count is 8.16, expected a whole number" in broken["reason"]


def test_a_worker_with_other_solvers_says_so_instead_of_giving_another_row(monkeypatch):
    base = Base.solved(quick.instance())
    study = member.packed(base)
    monkeypatch.setattr(member, "solvers", lambda: {"highs": "0.9"})
    row = member.solve_member(study, {"sites.ashburn.power_mw": "*1.1"}, 100)
    assert row["status"] == "failed"
    assert "this worker has highs 0.9, the base was solved with highs" in row["reason"]


def test_an_axis_that_matches_nothing_is_refused_before_anything_is_solved(tmp_path):
    with pytest.raises(BadInput, match=r"matches nothing.*Maybe sites\.ashburn\.power_mw"):
        run("sites.ashburn.powr_mw=1,2", store=tmp_path / "store")
    with pytest.raises(BadInput, match="no scenario 'late'"):
        run("scenario=late", store=tmp_path / "store")
    with pytest.raises(BadInput, match="'power_limt'"):
        run("drop=power_limt", store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_families_are_toggled_as_an_axis():
    swept = run("drop=none,power_limit,power_limit&gpu_capacity")
    values = [row["objective_usd"] for row in swept.rows]
    assert values == sorted(values)
    assert values[0] == pytest.approx(quick.NET_VALUE, rel=1e-6)
    assert values[1] == pytest.approx(solve(quick.instance(), gap=1e-6, drop=["power_limit"]).objective_usd, rel=2e-6)


@family(index="period", unit="replicas", price="$/replica")
def few_replicas_limit(m, d):
    """No more than one replica stands in a period."""
    for t in d.calendar.periods:
        yield Row((t,), sum(m.replicas[k] for k in m.replicas if k[-1] == t), "<=", 1)


def test_families_of_your_own_hold_in_every_member():
    bare, held = run(POWER), run(POWER, extra=[few_replicas_limit])
    for point, row, free in zip(held.points, held.rows, bare.rows, strict=True):
        cold = solve(quick.instance(), gap=1e-6, extra=[few_replicas_limit], judge=False,
                     set=[f"{k}={v}" for k, v in point.items()])  # fmt: skip
        assert row["objective_usd"] == pytest.approx(cold.objective_usd, rel=2e-6)
        assert row["objective_usd"] < free["objective_usd"]


def test_a_family_that_no_other_process_can_find_is_refused():
    hidden = replace(few_replicas_limit, name="another_limit")
    with pytest.raises(BadInput, match="another_limit cannot be sent to other processes"):
        run(POWER, extra=[hidden])


def test_finished_members_are_kept_and_not_solved_again(grid, tmp_path):
    store = tmp_path / "store"
    first = run(POWER, VALUE, store=store)
    lines = (store / "members.jsonl").read_bytes()
    (store / "members.jsonl").write_bytes(lines[: len(lines) // 2])  # as a kill in the middle of a line leaves it
    kept = lines[: len(lines) // 2].count(b"\n")
    sent: list[object] = []

    class Counting(ThreadPoolExecutor):
        def submit(self, *args, **kwargs):
            sent.append(args)
            return super().submit(*args, **kwargs)

    second = run(POWER, VALUE, store=store, executor=Counting)
    assert len(sent) == 10 - kept > 0
    assert told(second) == told(first) == told(grid)
    with pytest.raises(BadInput, match=r"holds another sweep \(different: options\)"):
        run(POWER, VALUE, store=store, gap=1e-3)


def test_a_store_of_other_figures_is_refused(tmp_path, monkeypatch):
    """The catalogue and families of one's own are no part of the instance, and members depend on them."""
    asked = {"store": tmp_path / "store", "extra": [few_replicas_limit]}
    run("sites.ashburn.power_mw=*1", **asked)
    assert run("sites.ashburn.power_mw=*1", **asked).finished
    with monkeypatch.context() as other:
        other.setattr(course, "digest", lambda: "other")
        with pytest.raises(BadInput, match=r"holds another sweep \(different: catalogue\); name another directory"):
            run("sites.ashburn.power_mw=*1", **asked)
    with monkeypatch.context() as other:
        other.setattr(Posed, "sha256", "other")
        with pytest.raises(BadInput, match="different: figures of the base"):
            run("sites.ashburn.power_mw=*1", **asked)
    monkeypatch.setattr(course, "sources", lambda extra: {"few_replicas_limit": "def few_replicas_limit: ..."})
    with pytest.raises(BadInput, match="different: families of your own"):
        run("sites.ashburn.power_mw=*1", **asked)


def test_the_digest_of_the_catalogue_follows_its_figures(tmp_path, monkeypatch):
    (tmp_path / "gpu.yaml").write_text("hbm_gb: 80")
    monkeypatch.setattr(catalogue, "shared_directory", lambda _: tmp_path)
    before = catalogue.digest()
    (tmp_path / "README.md").write_text("words")
    assert catalogue.digest() == before
    (tmp_path / "gpu.yaml").write_text("hbm_gb: 94")
    assert catalogue.digest() != before


def test_a_worker_with_other_figures_says_so(monkeypatch):
    study = member.packed(Base.solved(quick.instance(), seed=1))
    monkeypatch.setattr(Posed, "sha256", "other")
    row = member.solve_member(study, {"sites.ashburn.power_mw": "*1.1"}, 100)
    assert row["status"] == "failed"
    assert "this worker has other figures in its catalogue" in row["reason"]


def test_a_member_that_failed_for_no_reason_of_its_own_is_solved_again(tmp_path):
    store = tmp_path / "store"
    vary = ("sites.ashburn.power_mw=*0.5:1.5:5", "pools.h100.count=16,*0.51")
    first = run(*vary, store=store, executor=lambda _: Breaking(), workers=2)
    lost = [row for row in first.rows if "its process ended each time" in row.get("reason", "")]
    assert len(lost) == 2
    assert all(row["reason"].endswith("the same sweep solves it again") for row in lost)
    assert 'under `if __name__ == "__main__":`' in lost[0]["reason"]
    assert len((store / "members.jsonl").read_text().splitlines()) == 8  # those that cannot be stated are kept
    again = run(*vary, store=store)
    assert [row["status"] for row in again.rows] == ["optimal", "failed"] * 5
    assert all("expected a whole number" in row["reason"] for row in again.rows[1::2])


@pytest.mark.parametrize("known", [True, False])
def test_a_sweep_that_is_cancelled_before_its_members_solves_none(known, tmp_path):
    cancel, opened = threading.Event(), []
    cancel.set()
    if known:
        run("sites.ashburn.power_mw=*1", store=tmp_path / "store")
    asked = {"cancel": cancel, "store": tmp_path / "store", "executor": opened.append}
    swept = run("sites.ashburn.power_mw=*0.5:0.75:5", **asked)
    assert (swept.rows, swept.finished, opened) == ((), False, [])
    assert swept.table.empty
    assert "sites.ashburn.power_mw" in swept.table.columns
    assert (tmp_path / "store" / "base.pickle").exists() == known  # what was interrupted is no base


def test_a_base_that_is_cancelled_looks_at_no_examples():
    cancel = threading.Event()
    cancel.set()
    assert list(Base.solved(quick.instance())._stated([Change("one")], cancel)) == []


def test_a_store_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="file: cannot hold a sweep: file exists"):
        run("sites.ashburn.power_mw=*1", store=tmp_path / "file")


def test_a_process_that_may_have_none_of_its_own_says_so(monkeypatch):
    monkeypatch.setattr(parallel.multiprocessing, "current_process", lambda: SimpleNamespace(daemon=True))
    with pytest.raises(BadInput, match=r"a process of multiprocessing\.Pool can have none of its own"):
        run("sites.ashburn.power_mw=*1", executor=None)


def test_a_sweep_from_a_tree_that_was_never_installed(monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    posed = Base.solved(quick.instance()).posed
    monkeypatch.setattr(installed, "version", version)
    monkeypatch.setattr(course, "solvers", dict)
    assert course.spec(posed, 100)["versions"]["solvency"] == "unknown"


SCRIPT = """
import sys
from optimizer import load, sweep
if __name__ == "__main__":
    at = lambda advance: print(advance.done, advance.members, flush=True)
    sweep(load(sys.argv[1]), [sys.argv[2], sys.argv[3]], gap=1e-6, workers=2, store=sys.argv[4], told_of=at)
"""


def alive(session: int) -> list[str]:
    shown = subprocess.run(["ps", "-o", "stat=", "-s", str(session)], capture_output=True, text=True, check=False)
    return [line for line in shown.stdout.split() if not line.startswith("Z")]


def test_a_sweep_killed_halfway_goes_on_from_there(tmp_path):
    vary = ("sites.ashburn.power_mw=*0.5:1.5:20", VALUE)
    script, store = tmp_path / "script.py", tmp_path / "store"
    script.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(quick.ROOT)}
    command = [sys.executable, str(script), str(quick.FILE), *vary, str(store)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)
    for line in process.stdout:
        if int(line.split()[0]) >= 10:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 10 <= len((store / "members.jsonl").read_text().splitlines()) < 40
    until = time.monotonic() + 15
    while alive(process.pid) and time.monotonic() < until:
        time.sleep(0.2)
    assert alive(process.pid) == []  # no worker outlives the sweep
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout.split()[0]) >= 10
    resumed = run(*vary, store=store)
    assert resumed.finished
    assert told(resumed) == told(run(*vary))


class Breaking(Executor):
    """An executor that loses its processes at the members that are deadly."""

    deadly = "*0.75"

    def submit(self, fn, study, point, nodes):
        future: Future = Future()
        if self.deadly in point.values():
            future.set_exception(BrokenProcessPool("a process was killed"))
        else:
            future.set_result(fn(study, point, nodes))
        return future


def test_a_member_that_kills_its_process_is_named_and_the_rest_is_solved():
    swept = run("sites.ashburn.power_mw=*0.5:1.5:5", executor=lambda _: Breaking(), workers=2)
    assert [row["status"] for row in swept.rows] == ["optimal", "failed", "optimal", "optimal", "optimal"]
    assert "its process ended each time" in swept.rows[1]["reason"]


def test_frontiers_hold_the_value_of_one_more_and_the_points_of_change(grid):
    found = frontier(grid, "sites.ashburn.power_mw")
    assert len(found) == 8
    at = {tuple(p.values()): row for p, row in zip(grid.points, grid.rows, strict=True)}
    assert {step["sign"] for step in found} == {"*"}
    for step in found:
        others = step["others"].removeprefix("workflows.*.value_usd=")
        low, high = at[f"*{step['from']:g}", others], at[f"*{step['to']:g}", others]
        assert step["marginal_usd"] == pytest.approx((high["objective_usd"] - low["objective_usd"]) / 0.25)
        assert step["low"] <= step["marginal_usd"] <= step["high"]
        assert step["entered"] == sorted({*high["funded"]} - {*low["funded"]})


def test_refinement_closes_in_on_the_points_of_change():
    rough, fine = run(POWER), run(POWER, refine=4)
    assert fine.points[:5] == rough.points

    def widths(swept):
        return [s["to"] - s["from"] for s in frontier(swept) if s["entered"] or s["left"]]

    assert len(widths(rough)) == len(widths(fine)) >= 1
    assert max(widths(fine)) == pytest.approx(max(widths(rough)) / 16)


def test_the_table_is_tidy_and_saved(grid, tmp_path):
    table = grid.table
    assert table["sites.ashburn.power_mw"].tolist() == [x for x in (0.5, 0.75, 1.0, 1.25, 1.5) for _ in range(2)]
    assert (table["usd.value"] > 0).all()
    terms = [name for name in table.columns if name.startswith("usd.")]
    assert table[terms].sum(axis=1).to_numpy() == pytest.approx(table["objective_usd"].to_numpy())
    grid.write(tmp_path / "t.parquet")
    grid.write(str(tmp_path / "t.csv"))
    grid.write(tmp_path / "t.json")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)
    assert len(list(csv.DictReader((tmp_path / "t.csv").open()))) == 10
    assert json.loads((tmp_path / "t.json").read_text())["finished"]
    with pytest.raises(BadInput, match=r"not as '\.xls'"):
        grid.write(str(tmp_path / "t.xls"))


def test_lists_in_one_cell_come_apart_again(grid):
    for row, line in zip(grid.rows, grid.lines(), strict=True):
        for name in ("funded", "full"):
            assert list(filter(None, line[name].split("; "))) == row[name]
    assert any(" " in name for row in grid.rows for name in row["full"])


@pytest.mark.parametrize("sign", ["", "*", "+"])
def test_points_of_change_are_said_as_they_would_be_typed(sign):
    steps = [{"axis": "a.b", "from": 0.4, "to": 0.6, "others": "", "entered": ["code"], "left": [], "sign": sign}]
    base = {"objective_usd": 1.0}
    said = list(sentences({"name": "x", "currency": "USD", "members": [], "base": base}, steps))
    assert said[0] == ("title", "x: 0 members, none is finished.")
    assert said[-1] == ("item", f"a.b between {sign}0.4 and {sign}0.6: code enters.")


def test_members_stopped_before_their_proof_are_marked():
    swept = run(POWER, time_limit=0.0)
    assert {row["stopped"] for row in swept.rows} <= {"clock"} | {""}
    assert any(row["stopped"] == "clock" for row in swept.rows)


def test_the_command_sweeps_and_prints(tmp_path):
    command = [sys.executable, "-m", "optimizer.cli.main", "sweep", str(quick.FILE), "--vary", POWER, "--workers", "1",
               "--store", str(tmp_path / "s"), "-o", str(tmp_path / "t.csv")]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(quick.ROOT), "COLUMNS": "100"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "5 members, 5 optimal" in done.stdout
    assert "invoices enters" in done.stdout
    assert "5 of 5 members" in done.stderr
    assert (tmp_path / "t.csv").exists()
    again = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, env=env, check=True)
    assert json.loads(again.stdout)["frontier"][0]["axis"] == "sites.ashburn.power_mw"
