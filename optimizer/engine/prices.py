"""Prices of rows at a placement: what one more of each limit earns while every whole number stays where it is.

They say nothing of scarcity that another replica or another funding would relieve; that takes another solve.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from optimizer.engine.outcome import Values
from optimizer.engine.program import Flags, Floats, Program

if TYPE_CHECKING:
    from optimizer.engine.solver import Control

Tagged = tuple[Floats, Floats]  # price by row, value by column


def placement_prices(program: Program, values: Values, seconds: float) -> Tagged | None:
    """Price of each row (objective per unit of its limit) and the plan as columns; None if not found in time."""
    from optimizer.engine.solver import Control  # noqa: PLC0415  the solver, only when it is wanted

    x = np.array([values.get(name, {}).get(key, 0.0) for name, key in program.cols], float)
    free = ~program.integer
    if not free.any():
        return np.zeros(program.row_lower.size), x
    found = held_prices(program, free, x, Control(time.monotonic() + seconds, threading.Event(), lambda _: None))
    return None if found is None else (found[1], x)


def held_prices(program: Program, free: Flags, x: Floats, control: Control) -> tuple[float, Floats] | None:
    """Optimum and price of each row when only the `free` columns, all continuous, may leave x; None if not in time."""
    from optimizer.engine.solver import Highs  # noqa: PLC0415

    part = program.held(free, x)
    highs = Highs(replace(part, integer=np.zeros_like(part.integer)), control)
    highs.run()
    optimum = highs.bound()
    if optimum is None:  # a linear program has one when it is solved to its optimum
        return None
    prices = np.zeros(program.row_lower.size)
    touched = np.zeros(prices.size, bool)
    touched[program.row_of[free[program.index]]] = True
    prices[touched] = highs.prices()
    return optimum, prices
