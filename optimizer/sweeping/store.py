"""Finished members on disk, one line each as they finish: what is there is never solved again."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.engine.outcome import Outcome
from optimizer.instance.faults import BadInput, Fault
from optimizer.plan.figures import listed
from optimizer.sweeping.design import Point
from optimizer.sweeping.member import AGAIN, Row

SPEC, BASE, MEMBERS = "sweep.json", "base.pickle", "members.jsonl"

WORDS = {"resolved": "figures of the base", "extra": "families of your own", "versions": "releases"}  # in a message


def key(point: Point) -> str:
    """What names a member, whatever its place in the design."""
    return json.dumps(point, sort_keys=True, ensure_ascii=False)


class Store:
    """A directory that holds one sweep: what it is of, its base, and its members so far.

    Without a directory everything is kept in memory alone.
    """

    def __init__(self, directory: Path | None, spec: Mapping[str, Any]) -> None:
        self.directory, self.rows = directory, dict[str, Row]()
        if directory is None:
            return
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._hold(directory / SPEC, spec)
            self.rows = self._finished()
        except OSError as error:
            raise _refused(directory, f"cannot hold a sweep: {(error.strerror or '').lower()}") from error

    def _hold(self, stated: Path, spec: Mapping[str, Any]) -> None:
        """Say what the sweep is of; BadInput for a directory that holds another."""
        asked = json.dumps(spec, indent=1, sort_keys=True)
        if not stated.exists():
            _written(stated, asked.encode())
        elif (held := stated.read_text(encoding="utf-8")) != asked:
            before, now = json.loads(held), json.loads(asked)
            other = listed([WORDS.get(name, name) for name in now if before.get(name) != now[name]])
            raise _refused(stated.parent, f"holds another sweep (different: {other}); name another directory")

    def base(self) -> Outcome | None:
        """The base, if it was solved before."""
        if self.directory is None or not (self.directory / BASE).exists():
            return None
        found: Outcome = pickle.loads((self.directory / BASE).read_bytes())
        return found

    def keep_base(self, outcome: Outcome) -> None:
        """Keep the base, whole or not at all."""
        if self.directory is not None:
            _written(self.directory / BASE, pickle.dumps(outcome))

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
        for line in whole.decode("utf-8").splitlines():
            kept = json.loads(line)
            rows[key(kept["point"])] = kept["row"]
        return rows


def _refused(directory: Path, message: str) -> BadInput:
    return BadInput([Fault(str(directory), None, None, "", message)])


def _written(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
