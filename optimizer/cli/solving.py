"""`solvency solve`: read, solve, save, print."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from optimizer.cli.ends import STATUS, Exit, say
from optimizer.cli.inputs import read_instance, refusal, save, writable
from optimizer.cli.progress import interruptible, shown
from optimizer.instance.faults import closest
from optimizer.plan import TABLES, Plan
from optimizer.report import delimited
from optimizer.report.text import Page, show
from optimizer.solving import solve


@dataclass(frozen=True, slots=True)
class Request:
    """One solve as asked for on the command line."""

    file: Path
    output: Path | None
    scenario: str | None
    changes: tuple[str, ...]
    drop: tuple[str, ...]
    gap: float
    time_limit: float
    threads: int | None
    seed: int
    cluster: str | None


def solve_file(request: Request, form: str, table: str) -> Exit:
    """Solve and report; the exit code says how it ended."""
    if table not in TABLES:
        raise refusal(None, f"no table is called '{table}'", closest(table, TABLES).rstrip("?") or ", ".join(TABLES))
    if request.output:
        writable(request.output, request.file)
    plan = _solved(request)
    saved = _saved(plan, request.output)
    with suppress(BrokenPipeError):  # a reader that leaves early does not change how the solve ended
        _print(plan, form, table)
    return STATUS[plan.status] if saved else Exit.INTERNAL


def _solved(request: Request) -> Plan:
    instance, left_out = read_instance(request.file, request.scenario)
    if left_out:
        say(f"as in the saved plan, without {', '.join(left_out)}")
    with interruptible() as cancel, shown(instance.currency) as progress:
        return solve(
            instance,
            gap=request.gap,
            time_limit=request.time_limit,
            threads=request.threads,
            seed=request.seed,
            scenario=request.scenario,
            set=request.changes,
            address=request.cluster,
            drop=(*request.drop, *left_out),
            progress=progress,
            cancel=cancel,
        )


def _saved(plan: Plan, output: Path | None) -> bool:
    """Whether what was to be saved is; if not, the plan still goes to stdout."""
    if output is None:
        return True
    try:
        save(plan, output)
    except OSError as error:
        say(f"{output}: could not be written: {error.strerror}")
        return False
    say(f"plan saved to {output}")
    return True


def _print(plan: Plan, form: str, table: str) -> None:
    if form == "json":
        print(plan.to_json())
    elif form == "csv":
        delimited.write(plan, table, sys.stdout)
    else:
        show(plan, Page())
