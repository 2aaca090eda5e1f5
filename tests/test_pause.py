"""The collector rests while anybody builds, and only then."""

from __future__ import annotations

import gc
import threading

import pytest

from optimizer.formulation.pause import no_garbage_collection


def test_it_comes_back_after_an_error() -> None:
    @no_garbage_collection
    def build() -> None:
        assert not gc.isenabled()
        raise KeyError

    with pytest.raises(KeyError):
        build()
    assert gc.isenabled()


def test_it_rests_until_the_last_thread_is_done() -> None:
    inside, leave = threading.Event(), threading.Event()

    def build() -> None:
        with no_garbage_collection:
            inside.set()
            leave.wait()

    other = threading.Thread(target=build)
    with no_garbage_collection:
        other.start()
        inside.wait()
    assert not gc.isenabled()
    leave.set()
    other.join()
    assert gc.isenabled()


def test_who_has_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with no_garbage_collection:
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
