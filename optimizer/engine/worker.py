"""The process that solves: a request on stdin, messages on stdout, killed without harm at any moment.

`python -m optimizer.engine.worker` rather than multiprocessing, so that a caller's script needs no `__main__` guard.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import traceback
from typing import BinaryIO

from optimizer.engine.messages import STOP, Crash, Incumbent, Message, Request, Verdict
from optimizer.engine.search import search
from optimizer.engine.solver import Control, Tell
from optimizer.engine.start import construct


def main() -> None:
    """Serve one request."""
    outbox = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not fall into the messages

    def tell(message: Message) -> None:
        pickle.dump(message, outbox, protocol=pickle.HIGHEST_PROTOCOL)
        outbox.flush()

    inbox = sys.stdin.buffer
    request: Request = pickle.load(inbox)
    stop = threading.Event()
    threading.Thread(target=_listen, args=(inbox, stop), daemon=True).start()
    try:
        verdict: Message = _solve(request, stop, tell)
    except Exception:
        verdict = Crash(traceback.format_exc())
    tell(verdict)
    os._exit(0)  # the listener still waits on stdin; there is nothing to tidy


def _solve(request: Request, stop: threading.Event, tell: Tell) -> Verdict:
    deadline = time.monotonic() + request.seconds
    control = Control(deadline, stop, tell, request.gap, request.floor, request.threads, request.seed)
    start = request.start or construct(request.program, control)
    if request.start is None and start is not None:
        tell(Incumbent(start[1]))
    return search(request.program, control, start)


def _listen(inbox: BinaryIO, stop: threading.Event) -> None:
    """Stop when told to; vanish with the parent."""
    while inbox.read(1) == STOP:
        stop.set()
    os._exit(1)


if __name__ == "__main__":
    main()
