"""The workers of a Dask cluster as a crew for sub-problems."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from optimizer.engine.crew import Here, Task, apart
from optimizer.engine.messages import Note
from optimizer.engine.parts import Found
from optimizer.engine.program import Floats, Program
from optimizer.engine.scheduler import connected
from optimizer.engine.solver import Control, Tell

if TYPE_CHECKING:
    from distributed import Client

COUNT_SECONDS = 1.0  # between two looks how many workers there are
LOST = Found(None, ended=False, pivots=0)


@contextmanager
def crew(address: str, tell: Tell) -> Iterator[Cluster]:
    """All threads of a cluster as a crew."""
    from distributed import KilledWorker  # noqa: PLC0415

    with connected(address) as client:
        yield Cluster(client, address, tell, (OSError, CancelledError, KilledWorker))


class Cluster:
    """A crew of all threads of a cluster. What is lost with a worker Dask gives to another, three times at most; where
    no worker is left this process goes on alone."""

    def __init__(self, client: Client, address: str, tell: Tell, losses: tuple[type[Exception], ...]) -> None:
        self.client, self.address, self.tell, self.losses = client, address, tell, losses
        self.sent = self.lost = self.here = 0
        self._executor = client.get_executor(pure=False)
        self._out = set[Future[Found]]()
        self._threads, self._counted = 0, float("-inf")

    @property
    def hands(self) -> int:
        """Threads of the workers that are there."""
        return max(self._many(), 1)

    def submit(self, task: Task, part: Program, control: Control, x: Floats) -> Future[Found]:
        """The answer of some worker, or nothing found where it was lost for good; without workers, of this process."""
        if not self._many():
            self.here += 1
            self.tell(Note(self.report()))
            return Here().submit(task, part, control, x)
        self.sent += 1
        answer, settings = Future[Found](), (control.gap, control.floor, control.seed)
        self._out.add(answer)
        sent = self._executor.submit(apart, task, part, x, control.left, settings)
        sent.add_done_callback(lambda done: self._answered(done, answer))
        return answer

    def report(self) -> str:
        """What was solved where, for the notes of a plan."""
        lost = f"; {self.lost} were lost with their workers" if self.lost else ""
        here = f"; {self.here} were solved here, as there was no worker" if self.here else ""
        return f"{self.sent} sub-problems were sent to the cluster at {self.address}{lost}{here}"

    def _many(self) -> int:
        """Threads of the workers that are there; where there are none nobody will answer."""
        if time.monotonic() - self._counted >= COUNT_SECONDS:
            self._counted = time.monotonic()
            self._threads = self._count()
            for answer in () if self._threads else tuple(self._out):
                self._lose(answer)
        return self._threads

    def _count(self) -> int:
        if self.client.status != "running":
            return 0
        try:
            return sum(self.client.nthreads().values())
        except self.losses:
            return 0

    def _answered(self, done: Future[Found], answer: Future[Found]) -> None:
        """An answer, or what became of it: what is lost is counted, a defect is one here as well."""
        try:
            self._settle(answer, done.result())
        except self.losses:
            self._lose(answer)
        except Exception as error:  # told where the answer is looked at
            self._settle(answer, error)
        self.tell(Note(self.report()))

    def _lose(self, answer: Future[Found]) -> None:
        self.lost += self._settle(answer, LOST)

    def _settle(self, answer: Future[Found], found: Found | Exception) -> bool:
        """Once, by whoever comes first: the worker, or the look that finds no workers."""
        self._out.discard(answer)
        with suppress(InvalidStateError):
            answer.set_result(found) if isinstance(found, Found) else answer.set_exception(found)
            return True
        return False
