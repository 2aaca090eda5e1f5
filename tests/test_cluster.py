"""A sweep on a Dask cluster started for real: a worker killed in its midst loses nothing and changes nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import quick
from test_sweeping import told

from optimizer import BadInput, sweep
from optimizer.sweeping import parallel

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
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
    monkeypatch.setattr(parallel, "CONNECT_SECONDS", 1.0)
    begun = []
    told_of_base = begun.append  # called as soon as the base has a plan
    with pytest.raises(BadInput, match="no scheduler answers at tcp://127"):
        sweep(quick.instance(), ["sites.ashburn.power_mw=*1"], address="tcp://127.0.0.1:9", progress=told_of_base)
    assert not begun
