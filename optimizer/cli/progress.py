"""How far the solve has come, on stderr: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from optimizer.cli.ends import say
from optimizer.plan.figures import money, percent
from optimizer.report.text import Page

if TYPE_CHECKING:
    from optimizer.engine.progress import Progress

FIRST_SECONDS = 2.0  # before the first plain line; most solves are over by then
QUIET_SECONDS = 10.0  # between two plain lines


@contextmanager
def shown(currency: str) -> Iterator[Callable[[Progress], None]]:
    """A listener that shows progress for as long as the block runs."""
    to = Page(stderr=True)
    if not to.is_terminal:
        yield _Plain(currency)
        return
    with to.status("reading the instance, stating the program") as status:
        yield lambda progress: status.update(_line(progress, currency))


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """A token that the first Ctrl-C or SIGTERM sets, so that what was found is kept; the second one ends at once."""
    cancel = threading.Event()

    def once(signum: int, frame: FrameType | None) -> None:
        cancel.set()
        signal.signal(signum, signal.default_int_handler)

    before = {signum: signal.signal(signum, once) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


class _Plain:
    """A line soon after there is a plan, and from then on now and then."""

    def __init__(self, currency: str) -> None:
        self.currency, self.next = currency, FIRST_SECONDS

    def __call__(self, progress: Progress) -> None:
        if progress.seconds >= self.next and progress.best is not None:
            self.next = progress.seconds + QUIET_SECONDS
            say(_line(progress, self.currency))


def _line(progress: Progress, currency: str) -> str:
    best, bound = money(progress.best, currency), money(progress.bound, currency)
    return f"{progress.seconds:.0f} s  best {best}  bound {bound}  gap {percent(progress.gap)}"
