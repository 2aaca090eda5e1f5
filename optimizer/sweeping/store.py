"""Finished members on disk, one line each as they finish: what is there is never solved again."""

from __future__ import annotations

import errno
import json
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from optimizer.engine.outcome import Outcome
from optimizer.instance.faults import BadInput, Fault
from optimizer.plan.figures import listed
from optimizer.sweeping.design import Point
from optimizer.sweeping.member import AGAIN, Row

if sys.platform != "win32":
    import fcntl

SPEC, BASE, MEMBERS, LOCK = "sweep.json", "base.pickle", "members.jsonl", "lock"
LOCKLESS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)
AWAY = "remove the directory, or name another"

WORDS = {"resolved": "figures of the base", "extra": "families of your own", "versions": "releases"}  # in a message


def key(point: Point) -> str:
    """What names a member, whatever its place in the design."""
    return json.dumps(point, sort_keys=True, ensure_ascii=False)


class Store:
    """A directory that holds one sweep: what it is of, its base, and its members so far.

    Without a directory everything is kept in memory alone.
    """

    def __init__(self, directory: Path | None, spec: Mapping[str, Any]) -> None:
        self.directory, self.rows, self.of = directory, dict[str, Row](), ""
        if directory is None:
            return
        with _possible(directory):
            self._hold(directory / SPEC, spec)
            self.rows = self._finished()

    def _hold(self, stated: Path, spec: Mapping[str, Any]) -> None:
        """Say what the sweep is of; BadInput for a directory that holds another."""
        asked = json.dumps(spec, indent=1, sort_keys=True).encode()
        self.of = sha256(asked).hexdigest()
        if not stated.exists():
            _written(stated, asked)
        elif (held := stated.read_bytes()) != asked:
            before, now = _spec(stated, held), json.loads(asked)
            other = listed([WORDS.get(name, name) for name in now if before.get(name) != now[name]])
            raise _refused(stated.parent, f"holds another sweep (different: {other}); name another directory")

    def base(self) -> Outcome | None:
        """The base, if it was solved before."""
        if self.directory is None or not (self.directory / BASE).exists():
            return None
        file = self.directory / BASE
        try:
            of, found = pickle.loads(file.read_bytes())
        except Exception as error:  # bytes that are no pickle can raise anything
            raise _refused(file, "is no base of a sweep: remove it, and the base is solved again") from error
        if of != self.of or not isinstance(found, Outcome):
            raise _refused(file, "is the base of another sweep: remove it, and the base is solved again")
        return found

    def keep_base(self, outcome: Outcome) -> None:
        """Keep the base, whole or not at all."""
        if self.directory is not None:
            _written(self.directory / BASE, pickle.dumps((self.of, outcome)))

    def keep(self, point: Point, row: Row) -> None:
        """Keep a finished member for good; one that failed for no reason of its own only until this sweep ends."""
        self.rows[key(point)] = row
        if self.directory is not None and not row.get(AGAIN):
            with (self.directory / MEMBERS).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"point": point, "row": row}, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())

    def _finished(self) -> dict[str, Row]:
        """Members in the file; a last line that was cut off by a kill is taken back."""
        assert self.directory is not None
        file, rows = self.directory / MEMBERS, dict[str, Row]()
        if not file.exists():
            return rows
        text = file.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            os.truncate(file, len(whole))
        for n, line in enumerate(whole.split(b"\n")[:-1], 1):
            name, row = _member(file, n, line)
            rows[name] = row
        return rows


@contextmanager
def held(directory: Path | None) -> Iterator[None]:
    """A directory for one sweep alone, for as long as the block runs; BadInput where another sweep has it."""
    if directory is None:
        yield
        return
    with _possible(directory):
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / LOCK).open("ab")
    with file:
        _lock(file.fileno(), directory)
        yield


def _lock(handle: int, directory: Path) -> None:
    """The system takes a lock back however a process ends; Windows, and some file systems, have none."""
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _refused(directory, "is in use by another sweep: wait for it, or name another directory") from error
    except OSError as error:
        if error.errno not in LOCKLESS:
            raise


def _spec(stated: Path, text: bytes) -> dict[str, Any]:
    """What a sweep is of, as it is kept."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _refused(stated, f"does not say what the sweep is of: {AWAY}") from error
    if not isinstance(found, dict):
        raise _refused(stated, f"does not say what the sweep is of: {AWAY}")
    return found


def _member(file: Path, number: int, line: bytes) -> tuple[str, Row]:
    """A member as it is kept, and its name."""
    try:
        kept = json.loads(line)
        return key(kept["point"]), {**kept["row"], "status": kept["row"]["status"]}
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(file, f"line {number} is no member of a sweep: remove it, and it is solved again") from error


@contextmanager
def _possible(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refused(directory, f"cannot hold a sweep: {(error.strerror or '').lower()}") from error


def _refused(directory: Path, message: str) -> BadInput:
    return BadInput([Fault(str(directory), None, None, "", message)])


def _written(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
