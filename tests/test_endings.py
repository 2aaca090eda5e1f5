"""How comparisons and sweeps end: exit codes, what stderr says of it, and what is refused before anything is solved."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import quick

from optimizer import BadInput, sweep
from optimizer.cli.main import app
from optimizer.report.grids import _net
from optimizer.sweeping import member, parallel
from optimizer.sweeping.design import axis, points
from optimizer.sweeping.store import held

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


def test_members_that_finish_while_a_sweep_ends_are_kept():
    cancel = threading.Event()

    def late(*_: object) -> member.Row:
        cancel.set()
        time.sleep(3 * parallel.LOOK_SECONDS)
        return {"status": "optimal"}

    class Late(ThreadPoolExecutor):
        def submit(self, fn, *args):
            return super().submit(late, *args)

    points = [{"a": str(n)} for n in range(9)]
    kept = list(parallel.solve_all(b"", points, 1, Late, 1, cancel))
    assert kept == [(points[0], {"status": "optimal"})]


@pytest.mark.parametrize("end", [KeyboardInterrupt, GeneratorExit])
def test_a_second_interruption_of_a_sweep_waits_for_no_member(end, tmp_path):
    """A member that would go on for a minute; a process of somebody else's lives on."""
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    other.start()
    under_way = []

    def interrupted():
        with parallel.processes(1) as executor:
            executor.submit(Path.touch, tmp_path / "begun").result(timeout=60)
            under_way.append(executor.submit(time.sleep, 60))
            raise end

    began = time.monotonic()
    with pytest.raises(end):
        interrupted()
    assert time.monotonic() - began < 40
    assert under_way[0].exception() is not None
    assert other.is_alive()
    other.kill()


@pytest.mark.skipif(os.name == "nt", reason="no masks of signals there")
def test_a_process_of_a_sweep_never_hears_an_interrupt_not_even_while_it_starts():
    asked = [sys.executable, "-c", "import signal; print(signal.SIGINT in signal.pthread_sigmask(0, []))"]
    with parallel._unheard():
        assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "True\n"
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("base.pickle", b"", "base.pickle: is no base of a sweep: remove it"),
        ("base.pickle", b"garbage", "base.pickle: is no base of a sweep: remove it"),
        ("base.pickle", pickle.dumps(("other", None)), "base.pickle: is the base of another sweep: remove it"),
        ("members.jsonl", b"{}\n", "members.jsonl: line 1 is no member of a sweep: remove it"),
        ("members.jsonl", b"\xff\n", "members.jsonl: line 1 is no member of a sweep: remove it"),
        ("sweep.json", b"\xff", "sweep.json: does not say what the sweep is of: remove the directory"),
        ("sweep.json", b"[]", "sweep.json: does not say what the sweep is of: remove the directory"),
    ],
)
def test_a_store_that_is_damaged_is_refused_by_the_name_of_its_file(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=re.escape(said)):
        sweep(quick.instance(), ["sites.ashburn.power_mw=*1"], store=tmp_path, executor=ThreadPoolExecutor)


@pytest.mark.skipif(os.name == "nt", reason="no locks there")
def test_a_store_holds_one_sweep_at_a_time(tmp_path):
    with held(tmp_path), pytest.raises(BadInput, match="is in use by another sweep"), held(tmp_path):
        pass
    with held(tmp_path):
        pass


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_samples_are_counted_before_they_are_drawn(kind):
    with pytest.raises(BadInput, match="1,000,000,000 samples are asked for, and a design has at most 100,000"):
        points(kind, [axis("a=1:2:3")], 1_000_000_000)


def test_members_that_failed_are_said(tmp_path, capsys):
    vary = "sites.ashburn.power_mw=0.02,5 GB"
    assert ended("sweep", quick.FILE, "--vary", vary, "--workers", 1, "--store", tmp_path / "store") == 0
    said = capsys.readouterr().err
    assert "1 of 2 members failed, the first for this: " in said
    assert "5 GB" in said.splitlines()[-1]


def test_dust_of_a_solver_is_no_money():
    assert _net(0.0, 5.97e-13, "USD") == ("$0", "$0", "$0")
    assert _net(0.0, -0.004, "USD") == ("$0", "$0", "$0")
    assert _net(1.0, 0.25, "USD") == ("$1", "$0.25", "$0.75")
