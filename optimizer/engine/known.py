"""What anyone has told of a program, shared by all who search: its best plan, and the columns that pay."""

from __future__ import annotations

import threading

from optimizer.engine.messages import Paying
from optimizer.engine.program import Floats, Program


class Known:
    """Holds the best plan; those that offer and those that look may be in different threads. `paying` is None until
    another worker has found the columns that pay."""

    paying: Paying | None = None

    def __init__(self, program: Program) -> None:
        self._program, self._lock = program, threading.Lock()
        self._best: tuple[float, Floats] | None = None

    @property
    def x(self) -> Floats | None:
        """The best plan, None before the first."""
        return None if self._best is None else self._best[1]

    def offer(self, x: Floats) -> bool:
        """Keep x if it is better than all before it. The caller has looked that it satisfies every row."""
        value = self._value(self._program.objective(x))
        with self._lock:
            if self._best is not None and value <= self._best[0]:
                return False
            self._best = value, x
            return True

    def better_than(self, objective: float | None) -> Floats | None:
        """The best plan, if it beats an objective (any does where there is none) by more than rounding."""
        best = self._best
        if best is None or (objective is not None and best[0] <= self._value(objective) + 1e-9 * abs(objective)):
            return None
        return best[1]

    def _value(self, objective: float) -> float:
        return objective if self._program.maximise else -objective
