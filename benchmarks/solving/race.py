"""One solver on one instance, in a process of its own: what it told, when, and the memory its family of processes took.

The clock is the parent's last resort: a solver that overruns its own limit is killed, and keeps what it told.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

GRACE = 15.0  # seconds beyond the limit until the kill; parsing and writing back take some
LOOK = 0.2  # seconds between two looks at memory
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Told:
    """Best plan and bound known at a moment."""

    at: float
    plan: float | None
    bound: float | None


@dataclass
class Run:
    """What came out of one process."""

    news: list[Told] = field(default_factory=list)
    peak_gib: float | None = None  # None where the system does not tell
    failure: str | None = None

    def known(self, at: float) -> Told:
        """The best plan and the tightest bound told until then, for a maximisation."""
        told = [t for t in self.news if t.at <= at]
        plans = [t.plan for t in told if t.plan is not None]
        bounds = [t.bound for t in told if t.bound is not None]
        return Told(at, max(plans, default=None), min(bounds, default=None))

    def first_plan(self) -> float | None:
        """Seconds until there was a plan."""
        return next((t.at for t in self.news if t.plan is not None), None)

    def within(self, gap: float) -> float | None:
        """Seconds until plan and bound were that close."""
        for t in self.news:
            now = self.known(t.at)
            if now.plan is not None and now.bound is not None and now.bound - now.plan <= gap * max(abs(now.plan), 1.0):
                return t.at
        return None


def run(module: str, arguments: list[str], seconds: float, *, money: float = 1.0, idle_usd: float | None = None) -> Run:
    """Run `python -m module arguments`. Its figures are times `money`; a plan no better than doing nothing is none."""
    result, began = Run(), monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        errors: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        readers = [
            threading.Thread(target=_listen, args=(process.stdout, result.news, money, idle_usd)),
            threading.Thread(target=errors.extend, args=(process.stderr,)),
        ]
        for reader in readers:
            reader.start()
        while process.poll() is None:
            result.peak_gib = max(filter(None, (result.peak_gib, _resident_gib(process.pid))), default=None)
            if monotonic() - began > 1.1 * seconds + GRACE:
                _kill(process.pid)
            try:
                process.wait(LOOK)
            except subprocess.TimeoutExpired:
                continue
        for reader in readers:
            reader.join()
    if process.returncode:
        killed = process.returncode == -signal.SIGKILL
        result.failure = "killed" if killed else "".join(errors[-1:]).strip()
    return result


def _listen(lines: Iterator[str], news: list[Told], money: float, idle_usd: float | None) -> None:
    for line in lines:
        told = json.loads(line)
        plan, bound = _usd(told["plan"], money), _usd(told["bound"], money)
        idle = plan is not None and idle_usd is not None and plan <= idle_usd + 1e-6 * abs(idle_usd)
        news.append(Told(told["at"], None if idle else plan, bound))


def _usd(figure: Any, money: float) -> float | None:
    return None if figure is None else float(figure) * money


def _resident_gib(pid: int) -> float | None:
    """Memory of a process and all that it started."""
    if not PROC.exists():
        return None
    return sum(_resident_kib(p) for p in _family(pid)) / 2**20


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = [p for task in (PROC / str(pid) / "task").iterdir() for p in (task / "children").read_text().split()]
    except OSError:  # gone meanwhile
        return
    for child in children:
        yield from _family(int(child))


def _resident_kib(pid: int) -> int:
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)


def _kill(pid: int) -> None:
    """End a process and what it started."""
    for each in reversed(list(_family(pid))):
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue
