"""Rows that span periods: without them a program falls apart into its periods."""

from __future__ import annotations

import numpy as np

from optimizer.engine.program import Flags, Program


def spanning(program: Program) -> Flags:
    """Rows whose free columns lie in more than one period."""
    free = (program.col_lower < program.col_upper)[program.index]
    of, period = program.row_of[free], program.period[program.index][free]
    first = np.full(program.row_lower.size, np.iinfo(np.int32).max, np.int32)
    last = np.full(program.row_lower.size, -1, np.int32)
    np.minimum.at(first, of, period)
    np.maximum.at(last, of, period)
    return (first < last) & (last >= 0)
