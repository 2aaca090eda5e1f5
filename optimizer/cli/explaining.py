"""`solvency explain`: read an instance or a saved plan, ask what would change it, print what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from optimizer.cli.ends import STATUS, Exit, say
from optimizer.cli.inputs import read_plan_or_instance
from optimizer.cli.progress import interruptible
from optimizer.explaining import Explanation, explain
from optimizer.report.explained import show_explanation
from optimizer.report.text import Page

QUIET_SECONDS = 10.0  # between two plain lines


@dataclass(frozen=True, slots=True)
class Request:
    """One explanation as asked for on the command line."""

    file: Path
    scenario: str | None
    changes: tuple[str, ...]
    drop: tuple[str, ...]
    explain_time: float
    threads: int
    seed: int


def explain_file(request: Request, form: str) -> Exit:
    """Explain and print; the exit code says how the solve behind it ended."""
    of = read_plan_or_instance(request.file)
    with interruptible() as cancel, _shown() as progress:
        found = explain(
            of,
            explain_time=request.explain_time,
            threads=request.threads,
            seed=request.seed,
            scenario=request.scenario,
            set=request.changes,
            drop=request.drop,
            progress=progress,
            cancel=cancel,
        )
    with suppress(BrokenPipeError):  # a reader that leaves early does not change how it ended
        _print(found, form)
    return STATUS[found.status]


def _print(found: Explanation, form: str) -> None:
    if form == "json":
        print(found.to_json())
    else:
        show_explanation(found.document, Page())


@contextmanager
def _shown() -> Iterator[Callable[[str, int, int], None]]:
    """The question just answered: a live line on a terminal, a plain line now and then elsewhere."""
    to = Page(stderr=True)
    if not to.is_terminal:
        yield _Plain()
        return
    with to.status("solving, and proving the base as tightly as time allows") as status:
        yield lambda name, done, asked: status.update(f"{done} of {asked} questions: {name}")


class _Plain:
    def __init__(self) -> None:
        self.next = time.monotonic() + QUIET_SECONDS

    def __call__(self, name: str, done: int, asked: int) -> None:
        if time.monotonic() >= self.next:
            self.next = time.monotonic() + QUIET_SECONDS
            say(f"{done} of {asked} questions: {name}")
