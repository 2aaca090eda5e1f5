"""What came out of a solve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["optimal", "feasible", "infeasible", "unbounded", "interrupted", "no_plan"]
Values = Mapping[str, Mapping[Any, float]]  # variable -> key -> value


class SolverError(RuntimeError):
    """The solver failed, or contradicted itself; nothing it said may be used."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Status, proof and values; whole numbers are exactly whole.

    `optimal` means a gap no larger than the one asked for. `interrupted` may carry a plan; `objective` is None
    where there is none. `gap` is |bound - objective| / max(|objective|, 1). `notes` say what is unusual in
    how it was found.
    """

    status: Status
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float
    values: Values
    versions: Mapping[str, str]
    options: Mapping[str, float]
    notes: tuple[str, ...] = ()
