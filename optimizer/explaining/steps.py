"""Rows that are not full and yet have no room for one more whole step: a replica, a node, a lot on order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.engine.program import Flags, Floats, Program
from optimizer.explaining.study import Used

NODES = "nodes"  # of a pool, rounded up to whole ones: its GPUs are a row of their own
EXACTLY = 1 - 1e-9  # a step that fits exactly fits


def short_of_a_step(program: Program, x: Floats, rows: Sequence[Used]) -> frozenset[int]:
    """Rows of stocks and limits with less room than the largest step of a whole-number column that could go up."""
    open_yet = program.integer & (x < program.col_upper - 0.5)
    stocks = (row for row in rows if row.family.kind != "floor" and not row.full and row.key[-1] != NODES)
    return frozenset(row.at for row in stocks if row.slack < EXACTLY * _largest(program, open_yet, row.at))


def _largest(program: Program, open_yet: Flags, at: int) -> float:
    """A node is powered for the sake of a replica, so that its step has the smallest replica in it."""
    cols = program.index[program.start[at] : program.start[at + 1]]
    takes = program.value[program.start[at] : program.start[at + 1]]
    named = [program.cols[int(j)][0] for j in cols]
    replicas = [float(v) for name, v in zip(named, takes, strict=True) if name == "replicas" and v > 0]
    node = np.array([name == "powered" for name in named], bool) * min(replicas, default=0.0)
    return float(np.max((takes + node)[open_yet[cols]], initial=0.0))
