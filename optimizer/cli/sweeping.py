"""`solvency sweep`: many variants in parallel, resumable, as one tidy table with its frontiers."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from optimizer.cli.ends import Exit, say
from optimizer.cli.inputs import read_instance, refuse_overwriting
from optimizer.cli.progress import interruptible, shown
from optimizer.plan.figures import counted
from optimizer.report.swept import show_sweep
from optimizer.report.text import Page
from optimizer.sweeping import Sweep, frontier, sweep
from optimizer.sweeping.course import Advance
from optimizer.sweeping.frontier import COLUMNS
from optimizer.sweeping.sweep import writable

QUIET_SECONDS = 10.0  # between two plain lines


@dataclass(frozen=True, slots=True)
class Request:
    """A sweep as asked for on the command line."""

    file: Path
    vary: tuple[str, ...]
    design: str
    samples: int
    refine: int
    scenario: str | None
    changes: tuple[str, ...]
    drop: tuple[str, ...]
    gap: float
    time_limit: float
    nodes: int
    seed: int
    workers: int | None
    cluster: str | None
    store: Path | None
    output: Path | None


def sweep_file(request: Request, form: str, table: str) -> Exit:
    """Solve what is not solved yet, save the table, print it or the frontiers."""
    if request.output:
        writable(request.output)
        refuse_overwriting(request.output, request.file)
    instance, left_out = read_instance(request.file, request.scenario)
    store = request.store or request.file.with_suffix(".sweep")
    say(f"finished members are kept in {store}")
    with interruptible() as cancel, _shown(instance.currency) as (advance, progress):
        swept = sweep(
            instance,
            request.vary,
            design=request.design,
            samples=request.samples,
            refine=request.refine,
            scenario=request.scenario,
            set=request.changes,
            drop=(*request.drop, *left_out),
            gap=request.gap,
            time_limit=request.time_limit,
            nodes=request.nodes,
            seed=request.seed,
            workers=request.workers,
            address=request.cluster,
            store=store,
            told_of=advance,
            progress=progress,
            cancel=cancel,
        )
    if request.output:
        swept.write(request.output)
        say(f"table saved to {request.output}")
    _print(swept, form, table)
    _say_failed(swept)
    if not swept.finished:
        say(f"interrupted: {len(swept.rows)} of {len(swept.points)} members are finished; the same command goes on")
        return Exit.INTERRUPTED
    return Exit.SOLVED


def _say_failed(swept: Sweep) -> None:
    """How many members failed, and why the first did: the others are an answer all the same."""
    reasons = [row["reason"] for row in swept.rows if row["status"] == "failed"]
    if reasons:
        say(f"{len(reasons)} of {counted(len(swept.points), 'member')} failed, the first for this: {reasons[0]}")


def _print(swept: Sweep, form: str, table: str) -> None:
    if form == "json":
        found = {**swept.document, "frontier": frontier(swept)}
        print(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False))
    elif form == "csv":
        lines = list(swept.lines()) if table == "members" else frontier(swept)
        writer = csv.DictWriter(sys.stdout, swept.columns if table == "members" else COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    else:
        show_sweep(swept.document, frontier(swept), Page())


@contextmanager
def _shown(currency: str) -> Iterator[tuple[Callable[[Advance], None], Callable[..., None]]]:
    """A bar on a terminal, a plain line now and then elsewhere; before the first member, the progress of the base."""
    to = Page(stderr=True)
    if not to.is_terminal:
        with shown(currency) as progress:
            yield _Plain(), progress
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=to) as bar:
        task = bar.add_task("solving the base", total=None)

        def advance(at: Advance) -> None:
            bar.update(task, description=_line(at), completed=at.done, total=at.members)

        yield advance, lambda _: None


class _Plain:
    def __init__(self) -> None:
        self.next = 0.0

    def __call__(self, at: Advance) -> None:
        if at.seconds >= self.next or at.done == at.members:
            self.next = at.seconds + QUIET_SECONDS
            say(f"{at.done} of {at.members} members, {_line(at)}")


def _line(at: Advance) -> str:
    return f"{at.seconds:.0f} s" if at.left is None else f"{at.seconds:.0f} s, about {at.left:.0f} s to go"
