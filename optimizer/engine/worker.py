"""The process that solves: a request on stdin, messages on stdout, killed without harm at any moment.

`python -m optimizer.engine.worker` rather than multiprocessing, so that a caller's script needs no `__main__` guard.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from contextlib import suppress
from typing import BinaryIO

from optimizer.engine.known import Known
from optimizer.engine.messages import STOP, Crash, Incumbent, Message, Paying, Request
from optimizer.engine.roles import served


def main() -> None:
    """Serve one request."""
    outbox = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not fall into the messages
    sending = threading.Lock()

    def tell(message: Message) -> None:
        with sending:
            pickle.dump(message, outbox, protocol=pickle.HIGHEST_PROTOCOL)
            outbox.flush()

    inbox = sys.stdin.buffer
    request: Request = pickle.load(inbox)
    stop, known = threading.Event(), Known(request.program)
    threading.Thread(target=_listen, args=(inbox, stop, known), daemon=True).start()
    try:
        verdict: Message = served(request, stop, known, tell)
    except Exception:
        verdict = Crash(traceback.format_exc())
    tell(verdict)
    os._exit(0)  # the listener still waits on stdin; there is nothing to tidy


def _listen(inbox: BinaryIO, stop: threading.Event, known: Known) -> None:
    """Stop when told to, take what others found; vanish with the parent."""
    with suppress(EOFError, OSError):
        while True:
            order = pickle.load(inbox)
            if order == STOP:
                stop.set()
            elif isinstance(order, Incumbent):
                known.offer(order.x)
            elif isinstance(order, Paying):
                known.paying = order
    os._exit(1)


if __name__ == "__main__":
    main()
