"""What a solver tells while it runs: a JSON line for every better plan or tighter bound."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from time import monotonic

GAP = 1e-6  # asked of every solver: all run until the clock
UNKNOWN = 1e19  # what solvers say when they have no plan or bound yet
ENOUGH = 1e-7  # relative change worth a line


@dataclass
class News:
    """Lines on stdout, with seconds since the clock began."""

    began: float
    plan: float | None = None
    bound: float | None = None

    def tell(self, plan: float | None, bound: float | None) -> None:
        """Say what is new, if it is."""
        plan, bound = _known(plan), _known(bound)
        if _moved(self.plan, plan) or _moved(self.bound, bound):
            self.plan, self.bound = plan, bound
            print(json.dumps({"at": round(monotonic() - self.began, 3), "plan": plan, "bound": bound}), flush=True)


def _known(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) and abs(value) < UNKNOWN else None


def _moved(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is not new
    return abs(new - old) > ENOUGH * max(abs(old), 1.0)
