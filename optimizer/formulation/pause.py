"""Building makes millions of objects and no garbage: looking for some again and again would be half of its time."""

from __future__ import annotations

import gc
from contextlib import ContextDecorator
from threading import Lock


class _Rest(ContextDecorator):
    """The collector is one for all threads: it comes back when the last of those who build is done."""

    def __init__(self) -> None:
        self.lock, self.building, self.was_on = Lock(), 0, True

    def __enter__(self) -> None:
        with self.lock:
            if not self.building:
                self.was_on = gc.isenabled()
                gc.disable()
            self.building += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.building -= 1
            if not self.building and self.was_on:
                gc.enable()


no_garbage_collection = _Rest()
"""Python's cyclic garbage collector rests inside, as a context or as a decorator."""
