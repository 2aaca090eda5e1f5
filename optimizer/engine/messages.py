"""What parent and worker say to each other, pickled over the worker's own pipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from optimizer.engine.program import Flags, Floats, Ints, Program

Ending = Literal["optimal", "infeasible", "unbounded", "ended"]  # ended: by the clock or when told to
Role = Literal["all", "prove", "improve"]  # of a worker: a start and its proof, the proof alone, better plans alone


@dataclass(frozen=True, slots=True)
class Request:
    """One program in the solver's units, and how to solve it. `seconds` is what is left on the clock."""

    program: Program
    gap: float  # relative to max(|objective|, floor)
    floor: float
    seconds: float
    threads: int
    seed: int
    start: tuple[Ints, Floats] | None  # columns and their values, perhaps not all
    role: Role = "all"
    cluster: str | None = None  # address of the scheduler to whose workers sub-problems go


@dataclass(frozen=True, slots=True)
class Tick:
    """Best objective and bound so far."""

    best: float | None
    bound: float | None


@dataclass(frozen=True, slots=True)
class Incumbent:
    """A better plan, as the solver sees it: to be checked."""

    x: Floats


@dataclass(frozen=True, slots=True)
class Paying:
    """Columns among which the linear program of the whole has its optimum, its plan, and what one more of each column
    would add there."""

    cols: Flags
    x: Floats
    reduced: Floats


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the search ended."""

    ending: Ending
    x: Floats | None
    bound: float | None


@dataclass(frozen=True, slots=True)
class Note:
    """What whoever reads the plan should know of how it was found, so far: the last one stays."""

    text: str


@dataclass(frozen=True, slots=True)
class Crash:
    """The worker failed; `text` is its traceback."""

    text: str


STOP = "stop"  # what the parent may say after the request, beside what another worker found: a plan, or what pays
Message = Tick | Incumbent | Paying | Note | Verdict | Crash
