"""Rows that span periods: without them a program falls apart into its periods."""

from __future__ import annotations

import numpy as np

from optimizer.engine.program import Flags, Ints, Program


def spanning(program: Program, free: Flags) -> tuple[Flags, Ints]:
    """Rows whose free columns lie in more than one period, and the first period of every row's."""
    of, period = program.row_of[free[program.index]], program.period[program.index][free[program.index]]
    first = np.full(program.row_lower.size, np.iinfo(np.int32).max, np.int32)
    last = np.full(program.row_lower.size, -1, np.int32)
    np.minimum.at(first, of, period)
    np.maximum.at(last, of, period)
    return (first < last) & (last >= 0), first
