"""How comparisons and sweeps end: exit codes, what stderr says of it, and what is refused before anything is solved."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import quick

from optimizer.cli.main import app

COMMAND = [sys.executable, "-m", "optimizer.cli.main"]
ENV = {**os.environ, "PYTHONPATH": str(quick.ROOT), "COLUMNS": "100"}


def ended(*words: object) -> object:
    """The exit code of a command that runs in this process."""
    with pytest.raises(SystemExit) as end:
        app([str(word) for word in words], prog_name="solvency")
    return end.value.code


def test_a_comparison_ends_as_the_worst_of_its_sides(tmp_path, capsys):
    plan = tmp_path / "plan.json"
    plan.write_text(quick.plan().to_json())
    assert ended("compare", plan, quick.FILE, "--time-limit", "0") == 6
    assert f"{quick.FILE} is not proved: its time was over before there was a plan" in capsys.readouterr().err
    assert ended("compare", plan, quick.FILE, *(w for change in quick.CLASH for w in ("--set", change))) == 3
    assert "In conflict" in capsys.readouterr().out
    assert ended("compare", plan, quick.FILE) == 0
    assert "not proved" not in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to a single process there")
def test_an_interrupted_comparison_is_printed_and_ends_with_130(tmp_path):
    (tmp_path / "plan.json").write_text(quick.plan().to_json())
    words = [*COMMAND, "compare", str(tmp_path / "plan.json"), str(quick.ENTERPRISE), "--gap", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as process:
        assert process.stderr is not None
        assert "solving it" in process.stderr.readline()
        assert "best $" in process.stderr.readline()  # there is a plan
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "enterprise.yaml is not proved: interrupted" in said
    assert "Net value" in out or "net value" in out


def test_a_sweep_never_overwrites_its_input_nor_solves_for_a_place_it_cannot_write(tmp_path, capsys):
    plan, store = tmp_path / "plan.json", tmp_path / "store"
    plan.write_text(before := quick.plan().to_json())
    (tmp_path / "dir.csv").mkdir()
    vary = ("--vary", "sites.ashburn.power_mw=*1", "--store", store)
    assert ended("sweep", plan, *vary, "-o", plan) == 2
    assert "plan.json: would overwrite the input" in capsys.readouterr().err
    assert plan.read_text() == before
    assert ended("sweep", quick.FILE, *vary, "-o", tmp_path / "dir.csv") == 2
    assert "dir.csv: cannot be written: is a directory" in capsys.readouterr().err
    assert not store.exists()
