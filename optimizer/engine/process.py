"""The worker process seen from the parent: messages out of a queue, a polite stop, a kill that always works."""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

from optimizer.engine.messages import STOP, Crash, Incumbent, Message, Paying, Request

COMMAND = (sys.executable, "-P", "-m", "optimizer.engine.worker")
ROOT = str(Path(__file__).resolve().parents[2])
STDERR_TAIL = 2000
THRIFTY = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 20))
"""What a large solver gives back goes to the system at once; glibc would keep it, at XL 0.4 of 0.8 GB."""


class Worker:
    """One running solve. Leaving the context kills whatever is left of it."""

    def __init__(self, request: Request) -> None:
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115, closed when the context is left
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=(THRIFTY if request.program.worth_narrowing else {}) | os.environ | {"PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C reaches the parent only, which asks for the best plan
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._orders: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._orders.put(request)
        self._threads = [threading.Thread(target=talk, daemon=True) for talk in (self._send, self._listen)]
        for thread in self._threads:
            thread.start()

    def next(self, seconds: float) -> Message | None:
        """The next message, or None if none came in time."""
        try:
            return self._messages.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Ask for an end with the best plan so far, without ever waiting for a worker that does not read."""
        self._orders.put(STOP)

    def tell(self, found: Incumbent | Paying) -> None:
        """Hand over what another worker found, without waiting either."""
        self._orders.put(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._orders.put(None)
        for thread in self._threads:
            thread.join()
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(BrokenPipeError):
                pipe.close()

    def _send(self) -> None:
        """The request, then every order, to a worker that may be gone."""
        with suppress(OSError, ValueError):  # its last words are in the queue
            while (order := self._orders.get()) is not None:
                pickle.dump(order, self._stdin, protocol=pickle.HIGHEST_PROTOCOL)
                self._stdin.flush()
                del order  # the program of a request, perhaps, which is large

    def _listen(self) -> None:
        """Queue what comes back until the worker is gone."""
        try:
            while True:
                self._messages.put(pickle.load(self._stdout))
        except (EOFError, OSError, pickle.UnpicklingError):
            self._messages.put(Crash(self._last_words()))

    def _last_words(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        return f"worker ended with code {code}\n" + self._stderr.read().decode(errors="replace")[-STDERR_TAIL:]
