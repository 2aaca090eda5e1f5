"""Prices of rows at a placement: what one more of each limit earns while every whole number stays where it is.

They say nothing of scarcity that another replica or another funding would relieve; that takes another solve.
"""

from __future__ import annotations

import threading
import time

import numpy as np

from optimizer.engine.outcome import Values
from optimizer.engine.program import Floats, Program

Tagged = tuple[Floats, Floats]  # price by row, value by column


def placement_prices(program: Program, values: Values, seconds: float) -> Tagged | None:
    """Price of each row (objective per unit of its limit) and the plan as columns; None if not found in time."""
    from optimizer.engine.solver import Control, Highs  # noqa: PLC0415  the solver, only when it is wanted

    x = np.array([values.get(name, {}).get(key, 0.0) for name, key in program.cols], float)
    free = ~program.integer
    if not free.any():
        return np.zeros(program.row_lower.size), x
    held = Highs(program.held(free, x), Control(time.monotonic() + seconds, threading.Event(), lambda _: None))
    held.run()
    if held.bound() is None:  # a linear program has one when it is solved to its optimum
        return None
    prices = np.zeros(program.row_lower.size)
    touched = np.zeros(prices.size, bool)
    touched[program.row_of[free[program.index]]] = True
    prices[touched] = held.prices()
    return prices, x
