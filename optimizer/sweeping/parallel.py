"""Members on an executor: a process pool here, or any other, such as a Dask cluster's; lost processes cost nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager

from optimizer.engine.scheduler import connected
from optimizer.engine.watch import Cancel
from optimizer.instance.arguments import refused
from optimizer.solving import missing_as_bad_input
from optimizer.sweeping.design import Point
from optimizer.sweeping.member import Row, solve_member, unsolved

AHEAD = 3  # members sent per worker, so that none waits and little is lost
LOOK_SECONDS = 0.2
LOST = (
    "its process ended each time: out of memory, or killed, or it never began, as where a script does not call sweep "
    'under `if __name__ == "__main__":`, or is read from standard input'
)

Open = Callable[[int], AbstractContextManager[Executor]]
Finished = tuple[Point, Row]


def solve_all(
    study: bytes, points: Sequence[Point], nodes: int, opened: Open, workers: int, cancel: Cancel | None
) -> Iterator[Finished]:
    """Members as they finish. When a pool breaks, what was not finished is sent again; then one by one."""
    left = list(points)
    for width in (workers, workers, 1):
        if not left or (cancel is not None and cancel.is_set()):
            return
        lost: list[Point] = []
        batches = [left] if width > 1 or workers == 1 else [[point] for point in left]
        for batch in batches:
            broken = False
            with opened(width) as executor:
                for point, row in _results(executor, study, batch, nodes, width, cancel):
                    if row is None:
                        lost, broken = [*lost, point], True
                    else:
                        yield point, row
            if cancel is not None and cancel.is_set():
                return
            if broken and len(batches) > 1:
                yield batch[0], unsolved(LOST)
                lost.remove(batch[0])
        left = lost
    yield from ((point, unsolved(LOST)) for point in left)


def _results(
    executor: Executor, study: bytes, points: Sequence[Point], nodes: int, workers: int, cancel: Cancel | None
) -> Iterator[tuple[Point, Row | None]]:
    """Rows as they finish, when cancelled those of members that are under way; None for what a broken executor lost."""
    waiting, running, stopped = list(reversed(points)), dict[Future[Row], Point](), False
    try:
        while waiting or running:
            if cancel is not None and cancel.is_set() and not stopped:
                waiting, stopped = [], True
                _stop(executor, running)
            while waiting and len(running) < AHEAD * workers:
                with _unheard():
                    running[executor.submit(solve_member, study, waiting[-1], nodes)] = waiting[-1]
                waiting.pop()
            wait(running, LOOK_SECONDS, FIRST_COMPLETED)
            for future in [each for each in running if each.done()]:
                if not future.cancelled():
                    yield running[future], _row(future)
                running.pop(future)
    except BrokenExecutor:
        yield from ((point, None) for point in (*running.values(), *reversed(waiting)))


def _stop(executor: Executor, running: Iterable[Future[Row]]) -> None:
    """Take back what has not begun; a pool does so itself, or a future cancelled by others ends its thread later."""
    if isinstance(executor, ProcessPoolExecutor):
        executor.shutdown(wait=False, cancel_futures=True)
    else:
        for future in running:
            future.cancel()


@contextmanager
def _unheard() -> Iterator[None]:
    """Processes that start meanwhile do not hear Ctrl-C, not even before they run a line of their own."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _row(future: Future[Row]) -> Row:
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # what a cluster makes of a member that killed its workers
        return unsolved(f"{type(error).__name__}: {error}")


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """A pool of processes here, which end when this one does, however it ends; BadInput where there can be none.

    A second Ctrl-C, or a consumer that is gone, waits for no member.
    """
    if multiprocessing.current_process().daemon:
        raise refused("workers", "a process of multiprocessing.Pool can have none of its own: sweep elsewhere")
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    try:
        yield executor
    except (KeyboardInterrupt, GeneratorExit):
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        raise
    finally:
        executor.shutdown()


def cluster(address: str) -> Open:
    """The executor of a Dask cluster, by the address of its scheduler; a worker that is lost is made good there."""

    @contextmanager
    def opened(_: int) -> Iterator[Executor]:
        with missing_as_bad_input(), connected(address) as client, client.get_executor() as executor:
            yield executor

    return opened


def _end_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which keeps what is finished
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
