"""The command as planners and scripts meet it: real processes, exit codes, what goes to which stream."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import quick

COMMAND = [sys.executable, "-m", "optimizer.cli.main"]
ENV = {**os.environ, "PYTHONPATH": str(quick.ROOT), "COLUMNS": "100"}
CLASH = [word for change in quick.CLASH for word in ("--set", change)]


def solvency(*words, **options):
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, env=ENV, check=False, timeout=60, **options
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    done = solvency("solve", quick.FILE, "-o", path)
    return done, path


def test_help_is_quick_and_lists_the_commands():
    took = []
    for _ in range(3):  # the best of three: the machine may be busy with other tests
        began = time.perf_counter()
        done = solvency("--help")
        took.append(time.perf_counter() - began)
    assert min(took) < 1
    assert done.returncode == 0
    for command in (
        "new",
        "check",
        "solve",
        "explain",
        "whatif",
        "compare",
        "sweep",
        "schema",
        "catalogue",
        "formulation",
    ):
        assert f"\n  {command} " in done.stdout


def test_solve_prints_the_answer_and_saves_the_plan(saved):
    done, path = saved
    assert done.returncode == 0
    assert done.stdout.startswith("Two pools, three workflows\nNet value $429.7K")
    assert "proved within 0.1 %" in done.stdout
    assert f"plan saved to {path}" in done.stderr
    assert json.loads(path.read_text())["objective_usd"] == pytest.approx(quick.NET_VALUE, rel=1e-3)
    assert sorted(p.name for p in path.parent.iterdir()) == ["plan.json"]


def test_json_is_one_document_and_nothing_else():
    done = solvency("solve", quick.FILE, "--format", "json", "--gap", "1e-6")
    document = json.loads(done.stdout)
    assert (document["schema"], document["status"]) == ("solvency/plan/1", "optimal")
    assert document["instance"]["path"] == str(quick.FILE)
    assert len(document["instance"]["sha256"]) == 64
    assert done.returncode == 0


def test_a_saved_plan_is_solved_again(saved, tmp_path):
    done = solvency("solve", saved[1], "--format", "csv", "--table", "ledger")
    lines = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sum(float(line["usd"]) for line in lines) == pytest.approx(quick.NET_VALUE, rel=1e-3)


def test_faults_are_located_all_at_once_one_a_line(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(quick.FILE.read_text().replace("pue:", "puee:").replace("count: 16", "count: -16"))
    done = solvency("solve", bad)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith(f"{bad}:") and line.split(":")[1].isdigit() for line in lines)
    checked = solvency("check", bad, "--format", "json")
    assert checked.returncode == 2
    assert len(json.loads(checked.stdout)["faults"]) == len(lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["solve", "missing.yaml"], "missing.yaml: "),
        (["solve", quick.FILE, "--drop", "powerlimit"], "Maybe power_limit?"),
        (["solve", quick.FILE, "--scenario", "early-permits"], "Maybe early-permit"),
        (["solve", quick.FILE, "--gap", "-1"], "--gap"),
        (["solve", quick.FILE, "--gap", "nan"], "--gap"),
        (["solve", quick.FILE, "--time-limit", "inf"], "time_limit is inf"),
        (["solve", quick.FILE, "--format", "csv", "--table", "workflow"], "Maybe workflows?"),
        (["solve", quick.FILE, "-o", "nowhere/plan.json"], "cannot be written"),
        (["solve", quick.FILE, "-o", "/"], "is a directory"),
        (["solve", quick.FILE, "-o", "plan.xlsx"], "saved as JSON"),
        (["solve", quick.FILE, "-o", quick.FILE], "saved as JSON"),
        (["catalogue", "h100sxm"], "Maybe h100-sxm?"),
        (["catalogue", "genai-prices:openai/gpt-nope"], "unknown API price"),
        (["new", "x.yaml", "--template", "quikstart"], "Maybe quickstart?"),
        (["sovle"], "sovle"),
        (["check", quick.FILE, "--scenario="], "has no scenario ''"),
        (["check", quick.FILE, "--scenario", "early-permit+late"], "has no scenario 'late'"),
        (["formulation", "--set", "a=1"], "change an instance, and none is named"),
        (["solve", quick.FILE, "--seed", "2147483648"], "--seed"),
        (["solve", quick.FILE, "--threads", "99999999999"], "--threads"),
    ],
)
def test_bad_use_and_bad_input_end_with_2(words, said, tmp_path):
    done = solvency(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_infeasible_ends_with_3_and_names_the_conflict():
    done = solvency("solve", quick.FILE, *CLASH, "--format", "json")
    assert done.returncode == 3
    assert "portfolio_limit" in json.loads(done.stdout)["conflict"]["families"]


def test_no_time_ends_with_6():
    done = solvency("solve", quick.FILE, "--time-limit", "0")
    assert done.returncode == 6
    assert "No plan was found in 0 s" in done.stdout


def test_an_internal_error_is_one_line_and_ends_with_1():
    code = (
        "import optimizer.solving as s\n"
        "def verify(*a): raise RuntimeError('a row\\nwas lost')\n"
        "s.verify = verify\n"
        "from optimizer.cli.main import run\n"
        "run()"
    )
    words = [sys.executable, "-c", code, "solve", str(quick.FILE)]
    done = subprocess.run(words, capture_output=True, text=True, env=ENV, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("solvency: internal error: RuntimeError: a row was lost. ")
    assert done.stderr.count("\n") == 1
    shown = subprocess.run(words, capture_output=True, text=True, env={**ENV, "SOLVENCY_DEBUG": "1"}, check=False)
    assert "Traceback" in shown.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")  # noqa: PTH110
@pytest.mark.parametrize("words", [["check", quick.FILE], ["--version"], ["catalogue", "--format", "json"]])
def test_a_full_disk_is_said_and_is_no_defect(words):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [*COMMAND, *map(str, words)], stdout=full, stderr=subprocess.PIPE, text=True, env=ENV, check=False
        )
    assert (done.returncode, done.stderr) == (1, "solvency: cannot write the output: No space left on device\n")


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_closed_stdout_is_no_error():
    line = f"{' '.join(COMMAND)} check {quick.FILE} >&-"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=ENV, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_json_stays_json_where_the_encoding_lacks_a_character(tmp_path):
    path = tmp_path / "name.yaml"
    path.write_text(quick.FILE.read_text().replace("Two pools", "Zwei P\u00f6ools \U0001f680"), encoding="utf-8")
    words = [*COMMAND, "solve", str(path), "--format", "json"]
    ascii_ = {**ENV, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, text=True, env=ascii_, check=False)
    assert json.loads(done.stdout)["instance"]["name"].startswith("Zwei P\u00f6ools \U0001f680")


def test_scenarios_one_after_the_other_are_checked_and_counted():
    twice = ["--scenario", "early-permit+early-permit"]
    assert "no faults" in solvency("check", quick.FILE, *twice).stdout
    assert "power_limit" in solvency("formulation", quick.FILE, *twice).stdout


@pytest.mark.skipif(os.name == "nt", reason="no named pipes there")
def test_a_pipe_is_refused_as_output_before_anything_is_solved(tmp_path):
    os.mkfifo(tmp_path / "plan.json")
    done = solvency("solve", quick.FILE, "-o", tmp_path / "plan.json")
    assert (done.returncode, "is a pipe" in done.stderr) == (2, True)


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to a single process there")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_keeps_the_best_plan_and_ends_with_130(tmp_path, stop):
    path = tmp_path / "plan.json"
    words = [*COMMAND, "solve", str(quick.ENTERPRISE), "--gap", "0", "-o", str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as process:
        assert process.stderr is not None
        assert "best $" in process.stderr.readline()  # there is a plan
        process.send_signal(stop)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in out.splitlines()[1]
    saved = json.loads(path.read_text())
    assert saved["status"] == "interrupted"
    assert saved["verification"]["passed"] is True


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_closed_pipe_is_no_error():
    line = f"{' '.join(COMMAND)} solve {quick.FILE} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=ENV, check=False)
    assert done.stdout.strip() == "0"
    assert done.stderr == ""


@pytest.mark.parametrize("template", ["quickstart", "blank"])
def test_new_writes_what_check_accepts_and_never_overwrites(tmp_path, template):
    path = tmp_path / "mine.yaml"
    assert solvency("new", path, "--template", template).returncode == 0
    checked = solvency("check", path)
    assert checked.returncode == 0
    assert "no faults" in checked.stdout
    again = solvency("new", path)
    assert again.returncode == 2
    assert "not overwritten" in again.stderr


def test_check_looks_into_every_scenario_and_budget(tmp_path):
    """What a scenario would only say once it is asked for, and a term that no ledger has, with line and column."""
    path = tmp_path / "mine.yaml"
    more = """
scenarios:
  less: {set: {pools.h100.count: "*-1"}}
  lost: {set: {pools.h1000.count: 8}}
  free: {drop: [power_limt, "energy[x]"]}
"""
    text = quick.FILE.read_text().partition("scenarios:")[0]
    path.write_text(text + more)
    faults = solvency("check", path)
    assert faults.returncode == 2
    assert [line.partition(": ")[2] for line in faults.stderr.splitlines()] == [
        "scenarios.lost.set.pools.h1000.count matches nothing. Maybe pools.h100.count?"
    ]
    path.write_text(text + more.replace("h1000", "h100"))
    faults = solvency("check", path)
    assert faults.returncode == 2
    assert [line.partition(": ")[2] for line in faults.stderr.splitlines()] == [
        "scenarios.less: pools.h100.count is -16, expected at least 0 GPU (after pools.h100.count=*-1).",
        "scenarios.free.drop[0]: no constraint family or term is called 'power_limt'. Maybe power_limit?",
        "scenarios.free.drop[1]: 'energy[x]': energy is a term, which is dropped whole. Maybe energy?",
    ]
    path.write_text(text + "limits: {spend: {opex_usd: {amount: 1M, terms: [enrgy]}}}\n")
    assert "names an unknown term 'enrgy'. Maybe energy?" in solvency("check", path).stderr


def test_the_reference_commands_print_their_documents():
    schema = json.loads(solvency("schema").stdout)
    assert "workflows" in schema["properties"]
    entry = json.loads(solvency("catalogue", "h100-sxm", "--format", "json").stdout)
    assert entry["id"] == "h100-sxm"
    assert "(vendor" in solvency("catalogue", "h100-sxm").stdout
    assert "per million tokens in" in solvency("catalogue", "genai-prices:openai/gpt-5").stdout
    counts = solvency("formulation", quick.FILE, "--drop", "power_limit").stdout
    assert [line.split()[1] for line in counts.splitlines() if line.startswith("power_limit")] == ["off"]
    assert "\\documentclass" in solvency("formulation", "--latex").stdout
