"""A sweep on a Dask cluster started for real: a worker killed in its midst loses nothing and changes nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import quick
from fleet import fleet
from test_sweeping import told

from benchmarks.generate import instance as generated
from benchmarks.generate import write
from optimizer import BadInput, load, solve, sweep
from optimizer.engine import scheduler
from optimizer.engine.messages import Message, Note, Request
from optimizer.engine.roles import _helped
from optimizer.engine.solver import Control

Client = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed").Client
POWER = "sites.ashburn.power_mw=*0.5:1.5:40"


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two worker processes on loopback: its address, and the workers."""
    env = {**os.environ, "PYTHONPATH": str(quick.ROOT)}
    dask = [sys.executable, "-m", "dask"]
    loopback = ["--host", "127.0.0.1"]
    started = [subprocess.Popen([*dask, "scheduler", *loopback, "--port", "0", "--no-dashboard"], env=env,
                                stderr=subprocess.PIPE, text=True, cwd=tmp_path)]  # fmt: skip
    try:
        address = next(found[0] for line in started[0].stderr if (found := re.search(r"tcp://[\d.]+:\d+", line)))
        one = ["--nthreads", "1", "--no-dashboard", "--no-nanny", *loopback]
        started += [subprocess.Popen([*dask, "worker", address, *one], env=env, cwd=tmp_path,
                                     stderr=subprocess.DEVNULL) for _ in range(2)]  # fmt: skip
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_worker_killed_in_mid_sweep_loses_nothing(cluster, tmp_path):
    address, workers = cluster
    killed: list[int] = []

    def advance(at):
        if at.done >= 5 and not killed:
            workers[0].send_signal(signal.SIGKILL)
            killed.append(at.done)

    asked = {"gap": 1e-6, "store": tmp_path / "store"}
    there = sweep(quick.instance(), [POWER], address=address, told_of=advance, **asked)
    assert 5 <= killed[0] < 40
    assert there.finished
    here = sweep(quick.instance(), [POWER], gap=1e-6, executor=ThreadPoolExecutor, workers=1)
    assert told(there) == told(here)
    assert {row["status"] for row in there.rows} == {"optimal"}


def test_no_scheduler_at_the_address_is_said_before_the_base_is_solved(monkeypatch):
    monkeypatch.setattr(scheduler, "CONNECT_SECONDS", 1.0)
    begun = []
    told_of_base = begun.append  # called as soon as the base has a plan
    with pytest.raises(BadInput, match="no scheduler answers at tcp://127"):
        sweep(quick.instance(), ["sites.ashburn.power_mw=*1"], address="tcp://127.0.0.1:9", progress=told_of_base)
    assert not begun


def test_a_solve_goes_on_when_the_workers_of_its_cluster_are_killed(cluster, tmp_path):
    """One is killed while it solves, the other a little later; what was out is lost, the rest is solved here."""
    address, workers = cluster
    file, cancel, killed = tmp_path / "s.json", threading.Event(), list[float]()
    with file.open("w") as out:
        write(generated("S", 1), out, as_json=True)

    def progress(at):
        if len(killed) < 2 and at.seconds > (killed[-1] + 2.0 if killed else 0.0) and any(client.processing().values()):
            workers[len(killed)].send_signal(signal.SIGKILL)
            killed.append(at.seconds)
        if len(killed) == 2 and at.seconds > killed[-1] + 5.0:
            cancel.set()

    with Client(address, set_as_default=False) as client:
        plan = solve(load(file), gap=1e-6, time_limit=90, threads=1, judge=False, address=address, progress=progress,
                     cancel=cancel)  # fmt: skip
    assert len(killed) == 2
    assert plan.document["verification"]["passed"]
    note = next(note for note in plan.document["notes"] if "cluster" in note)
    found = re.search(rf"^(\d+) sub-problems were sent to the cluster at {address}; .* (\d+) were solved here", note)
    assert found, note
    assert all(int(count) > 0 for count in found.groups())


def test_a_cluster_that_went_while_the_program_was_built_is_done_without(monkeypatch):
    """The worker process finds none at the address, says so, and improves by itself."""
    monkeypatch.setattr(scheduler, "CONNECT_SECONDS", 1.0)
    request = Request(fleet(2, 4, 1), 0.0, 1.0, 10.0, 1, 0, None, "improve", "tcp://127.0.0.1:9")
    told = list[Message]()
    with _helped(request, Control(0.0, threading.Event(), told.append)) as helped:
        assert helped.crew is None
    assert isinstance(told[0], Note)
    assert re.match("no scheduler answers at tcp://127.* better plans were searched for here", told[0].text)


def test_no_scheduler_at_the_address_is_said_before_a_solve(monkeypatch):
    monkeypatch.setattr(scheduler, "CONNECT_SECONDS", 1.0)
    with pytest.raises(BadInput, match="no scheduler answers at tcp://127"):
        solve(quick.instance(), address="tcp://127.0.0.1:9")


@pytest.mark.parametrize("address", ["nonsense", "10.0.0.1:8786", "tcp://10.0.0.1", "http://10.0.0.1:8786"])
def test_what_is_no_address_is_said_at_once(address):
    with pytest.raises(BadInput, match=f"'{address}' is no address of a scheduler, as tcp://10.0.0.1:8786 is"):
        solve(quick.instance(), address=address)


def test_a_worker_that_cannot_solve_is_said_before_a_solve(cluster, monkeypatch):
    monkeypatch.setattr(scheduler, "solvers", lambda: 1 / 0)
    with pytest.raises(BadInput, match="cannot solve: division by zero"):
        solve(quick.instance(), address=cluster[0])


def test_a_small_program_is_solved_here(cluster):
    assert solve(quick.instance(), address=cluster[0]).document["objective_usd"] == pytest.approx(quick.NET_VALUE)
