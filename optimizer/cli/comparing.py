"""`solvency compare`: two saved plans, or two instances that are solved first, also in one of their scenarios."""

from __future__ import annotations

import csv
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from optimizer.cli.ends import STATUS, Exit, say
from optimizer.cli.inputs import is_plan, read_instance, refusal
from optimizer.cli.progress import interruptible, shown
from optimizer.cli.whatif import table_named
from optimizer.comparing import Comparison, compare
from optimizer.comparing.tables import COLUMNS
from optimizer.instance import Instance
from optimizer.plan.plan import Plan
from optimizer.report.compared import show_comparison
from optimizer.report.text import Page
from optimizer.solving import refuse_unknown_changes, solve

UNPROVED = {
    "feasible": "its time was over",
    "no_plan": "its time was over before there was a plan",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A comparison as asked for on the command line; what is changed is changed in each side that is solved."""

    before: str
    after: str
    scenario: str | None
    changes: tuple[str, ...]
    drop: tuple[str, ...]
    gap: float
    time_limit: float
    threads: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class Unsolved:
    """A side that is to be solved."""

    name: str
    instance: Instance
    scenario: str | None
    drop: tuple[str, ...]


def compare_files(request: Request, form: str, name: str) -> Exit:
    """Print what is different in the second; the exit code is the worst of the sides that were solved."""
    table_named(name)
    sides = [_side(side, request) for side in (request.before, request.after)]  # both, before either is solved
    unsolved = [side for side in sides if isinstance(side, Unsolved)]
    if (request.scenario or request.changes or request.drop) and not unsolved:
        raise refusal(None, "both are saved plans, of which nothing can be changed: compare instances, or ask whatif")
    with interruptible() as cancel:
        plans = [_solved(side, request, cancel) if isinstance(side, Unsolved) else side for side in sides]
    _print(compare(*plans), form, name)
    ended = _ended((side, plan) for side, plan in zip(sides, plans, strict=True) if isinstance(side, Unsolved))
    return Exit.INTERRUPTED if cancel.is_set() else ended


def _ended(solved: Iterable[tuple[Unsolved, Plan]]) -> Exit:
    """The worst of how sides ended, each of which is named that is not proved."""
    worst = Exit.SOLVED
    for side, plan in solved:
        worst = max(worst, STATUS[plan.status])
        if plan.status in UNPROVED:
            say(f"{side.name} is not proved: {UNPROVED[plan.status]}")
    return worst


def _print(compared: Comparison, form: str, name: str) -> None:
    """As text, as JSON, or one table as CSV."""
    if form == "json":
        print(compared.to_json())
    elif form == "csv":
        lines = csv.DictWriter(sys.stdout, COLUMNS[name], lineterminator="\n")
        lines.writeheader()
        lines.writerows(compared.document[name])
    else:
        show_comparison(compared.document, Page())


def _side(side: str, request: Request) -> Plan | Unsolved:
    """A saved plan, or an instance to be solved, as FILE or FILE@SCENARIO."""
    path, named = Path(side), None
    if not path.exists() and "@" in side:
        name, _, named = side.rpartition("@")
        path = Path(name)
    if named is None and is_plan(path):
        return Plan.read(path)
    scenario = "+".join(filter(None, (named, request.scenario))) or None
    instance, left_out = read_instance(path, scenario)
    drop = (*request.drop, *left_out)
    refuse_unknown_changes(instance, scenario, request.changes, drop)
    return Unsolved(side, instance, scenario, drop)


def _solved(side: Unsolved, request: Request, cancel: threading.Event) -> Plan:
    say(f"{side.name} is no saved plan: solving it")
    with shown(side.instance.currency) as progress:
        return solve(
            side.instance,
            gap=request.gap,
            time_limit=request.time_limit,
            threads=request.threads,
            seed=request.seed,
            scenario=side.scenario,
            set=request.changes,
            drop=side.drop,
            judge=False,
            progress=progress,
            cancel=cancel,
        )
