"""A part of a program decided again near a plan: by HiGHS, or by SCIP where that extra is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from optimizer.engine.forcing import choice
from optimizer.engine.installed import INSTALLED
from optimizer.engine.narrow import Narrow
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.search import solve_held
from optimizer.engine.solver import TOLERANCE, Control, Highs

if INSTALLED:
    from optimizer.engine.scip import Scip

NODES = {"HiGHS": 50, "SCIP": 200}  # of one search; SCIP's nodes are cheaper, as it separates little
IN_DOUBT = {"HiGHS": 50, "SCIP": 500}  # where all that is free is in doubt, and the gap, not a clock, ends the whole
ANEW_NODES = 20  # of a period with its strategy
ENDED = ("optimal", "gaplimit", "infeasible")
NEARBY = {"separating/maxroundsroot": 3, "separating/maxrounds": 0}  # near a plan branching pays sooner than cuts


class Found(NamedTuple):
    """A plan, if any, whether the search came to its end, and the simplex iterations that it took."""

    x: Floats | None
    ended: bool
    pivots: int


def search_near(program: Program, control: Control, free: Flags, x: Floats) -> Found:
    """The plan x with its `free` columns, all in doubt, chosen again while all others stay."""
    found = near(program.held(free, x), control, x[free], NODES if control.goal is None else IN_DOUBT)
    if found.x is None:
        return found
    y = x.copy()
    y[free] = found.x
    return found._replace(x=y)


def near(part: Program, control: Control, x: Floats, nodes: Mapping[str, int] = NODES) -> Found:
    """A better plan of a sub-problem near the plan x, within a few nodes, and no better than closes the whole's gap."""
    free, settled = choice(part)
    if not free.any():
        return Found(settled, True, 0)
    left = Narrow.to(part, free, np.where(free, x, settled))
    found = (_by_scip if INSTALLED else _by_highs)(left.program, control, x[free], nodes)
    return found if found.x is None else found._replace(x=left.whole(found.x))


def anew(part: Program, control: Control, x: Floats) -> Found:
    """A sub-problem decided again from the whole numbers of x: a period, of which HiGHS has the better plan sooner."""
    highs = Highs(part, control, mip_max_nodes=ANEW_NODES, **_goal("objective_target", part, control))
    whole = np.flatnonzero(part.integer).astype(np.int32)
    highs.begin_from(whole, x[whole])
    return _run(highs)


def _goal(name: str, part: Program, control: Control) -> dict[str, Any]:
    """What a sub-problem, minimised, has to come to and need not better: the setting of a solver."""
    return {} if control.goal is None else {name: -control.goal if part.maximise else control.goal}


def _by_highs(part: Program, control: Control, x: Floats, nodes: Mapping[str, int]) -> Found:
    highs = Highs(part, control, mip_max_nodes=nodes["HiGHS"], **_goal("objective_target", part, control))
    highs.begin_from(np.arange(x.size, dtype=np.int32), x)
    return _run(highs)


def _run(highs: Highs) -> Found:
    ended, found = highs.ended(), highs.plan()
    return Found(found if found is None else highs.program.rounded(found), ended, highs.pivots())


def _by_scip(part: Program, control: Control, x: Floats, nodes: Mapping[str, int]) -> Found:
    scip = Scip(part, control, {"limits/nodes": nodes["SCIP"]} | NEARBY | _goal("limits/primal", part, control))
    scip.begin_from(x)
    ended, found, pivots = scip.run() in ENDED, scip.plan(), scip.pivots()
    scip.free()
    return Found(found if found is None else _clean(part, control, found), ended, pivots)


def _clean(part: Program, control: Control, found: Floats) -> Floats | None:
    """A plan with its whole numbers exactly whole, and what is continuous chosen again if that breaks a row."""
    rounded = part.rounded(found)
    if part.violation(rounded) <= TOLERANCE:
        return rounded
    return solve_held(part, control, ~part.integer, rounded)
