"""What was measured, as a page: the program, the way to it, and each solver over time."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Any

from benchmarks.solving.race import Run

MARKS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)  # seconds
GAPS = (0.01, 0.003, 0.001)
PACKAGES = ("highspy", "pyscipopt", "pyomo", "numpy")


def machine() -> str:
    """Where and with what it was measured, and whether others were busy there."""
    found = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    place = f"{_processor()}, {cpu_count()} cores, load {getloadavg()[0]:.1f} at the start"
    return f"{place}; Python {platform.python_version()}, {found}."


def program(title: str, built: Mapping[str, Any]) -> Iterator[str]:
    """Size of the whole program, and seconds and memory from file to solver."""
    sizes = ", ".join(f"{built[what]:,} {what}" for what in ("columns", "rows", "nonzeros", "integers"))
    stages = ", ".join(f"{name} {each['seconds']:.1f} s" for name, each in built["stages"].items())
    peak = max(each["peak_gib"] for each in built["stages"].values())
    yield f"### {title}\n"
    yield f"{sizes}. From file to solver: {stages}; {peak:.2f} GiB.\n"


def race(runs: Mapping[str, Run], limit: float) -> Iterator[str]:
    """A line a solver. Plan and bound as distance from the best plan anyone found, in percent of it."""
    marks = [m for m in MARKS if m < limit] + [limit]
    heads = ["first plan", *(f"{m:g} s: plan / bound, gap" for m in marks), *(f"to {g:.1%}" for g in GAPS), "peak"]
    yield f"| | {' | '.join(heads)} |"
    yield "|---" * (len(heads) + 1) + "|"
    plans = [plan for run in runs.values() if (plan := run.known(limit * 2).plan) is not None]
    for name, run in runs.items():
        cells = [_seconds(run.first_plan()), *(_moment(run, m, max(plans, default=None)) for m in marks)]
        cells += [_seconds(run.within(gap)) for gap in GAPS]
        cells.append("-" if run.peak_gib is None else f"{run.peak_gib:.2f} GiB")
        yield f"| {name}{f' ({run.failure})' if run.failure else ''} | {' | '.join(cells)} |"
    yield f"\nBest plan: {max(plans):,.0f} USD.\n" if plans else "\nNo plan.\n"


def _moment(run: Run, at: float, best: float | None) -> str:
    now = run.known(at)
    if now.plan is None or best is None:
        return "no plan" if now.bound is None or best is None else f"no plan / {_off(now.bound, best)}"
    if now.bound is None:
        return f"{_off(now.plan, best)} / no bound"
    gap = (now.bound - now.plan) / max(abs(now.plan), 1.0)
    return f"{_off(now.plan, best)} / {_off(now.bound, best)}, {max(gap, 0.0):.3%}"


def _off(figure: float, best: float) -> str:
    return f"{(figure - best) / max(abs(best), 1.0):+.3%}"


def _seconds(at: float | None) -> str:
    return "-" if at is None else f"{at:.1f} s"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
