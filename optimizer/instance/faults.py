"""What is wrong with an input, where, and what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One located defect of an input; line and column count from 1 and are None where there is no text."""

    path: str | None
    line: int | None
    column: int | None
    where: str
    message: str
    maybe: str = ""

    def __str__(self) -> str:
        """The fault on one line, as `PATH:LINE:COL: message Maybe ...`."""
        place = [str(p) for p in (self.path, self.line, self.column) if p is not None]
        hint = f" Maybe {self.maybe}" if self.maybe else ""
        return ": ".join(filter(None, (":".join(place), self.message + "." + hint)))


class BadInput(Exception):
    """The input cannot be used; `faults` lists every defect found, in the order of the text."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


@dataclass(frozen=True, slots=True)
class Misfit:
    """A defect of one value, or of its `key`, before it is known where in which file it stands."""

    at: Path
    message: str
    maybe: str = ""
    key: bool = False


class Misfits(ValueError):
    """A value that its key cannot take; `misfits` are located relative to that value."""

    def __init__(self, *misfits: Misfit) -> None:
        self.misfits = misfits
        super().__init__("; ".join(m.message for m in misfits))


def dotted(path: Path) -> str:
    """A path as planners write it: `workflows.support.value_usd[1].usd`."""
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return text.removeprefix(".")


def closest(word: str, known: Iterable[str]) -> str:
    """The hint `known_word?` for a misspelt word, or nothing."""
    names = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"{names[near[0]]}?" if near else ""
