"""What a worker does with its request: everything by itself, the proof, or better plans.

On one thread a plan is constructed, each period decided again, a few neighbourhoods searched where the gap asked for
is small, and then all is proved. On more, one worker proves while the others improve, and each hears of the others'
plans.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np

from optimizer.engine.improve import Improver, by_period, take
from optimizer.engine.known import Known
from optimizer.engine.messages import Request, Verdict
from optimizer.engine.program import Floats
from optimizer.engine.proof import proved_beside, proved_from
from optimizer.engine.search import completed, search, solve_held
from optimizer.engine.solver import TOLERANCE, Control, Tell
from optimizer.engine.start import Relaxed, built, relax

CLOSE, TRIES = 5e-4, 12  # of a worker that does both: below this gap it searches so many neighbourhoods first
SHARE = 0.5  # of the time left that better plans may take before the proof
LOOK_SECONDS = 0.05  # between two looks whether another worker has a plan


def served(request: Request, stop: threading.Event, known: Known, tell: Tell) -> Verdict:
    """The last words of a worker; plans and bounds are told on the way."""
    deadline = time.monotonic() + request.seconds
    control = Control(deadline, stop, tell, request.gap, request.floor, request.threads, request.seed)
    program = request.program
    if not program.worth_constructing:
        return search(program, control, request.start, known)
    if request.role == "prove":
        return proved_beside(program, control, _whole_start(request), known)
    if request.role == "improve":
        _improve(request, control, known, np.inf)
        return Verdict("ended", known.x, None)
    _improve(request, control.until(SHARE * control.left), known, TRIES if request.gap < CLOSE else 0)
    x = known.x
    return search(program, control, request.start, known) if x is None else proved_from(program, control, x, known)


def _improve(request: Request, control: Control, known: Known, tries: float) -> None:
    """A first plan, from the start that was given or by construction, then better ones."""
    program = request.program
    relaxed = relax(program, control)
    if relaxed is None:
        return
    take(known, control, _first(request, control, relaxed))
    while request.role == "improve" and known.x is None and not control.over:  # the prover may find one
        time.sleep(LOOK_SECONDS)
    if known.x is not None:
        take(known, control, by_period(program, control, known.x))
        Improver(program, relaxed.guide, known, request.seed).run(control, tries)


def _first(request: Request, control: Control, relaxed: Relaxed) -> Iterator[Floats]:
    """Plans to begin with: the start that was given, else by construction."""
    given = _started(request, control)
    yield from built(request.program, control, relaxed) if given is None else (given,)


def _started(request: Request, control: Control) -> Floats | None:
    """The start that was given, completed, if it leads to a plan."""
    if request.start is None or not request.start[0].size:
        return None
    program, (cols, values) = request.program, completed(request.program, control, *request.start)
    if not cols.size:
        return None
    x = np.zeros(program.cost.size)
    x[cols] = values
    free = np.ones(x.size, bool)
    free[cols] = False
    whole = solve_held(program, control.quietly(control.left), free | ~program.integer, program.rounded(x))
    return None if whole is None or program.violation(whole) > TOLERANCE else whole


def _whole_start(request: Request) -> Floats | None:
    """The start that was given, in the order of columns, if nothing is left to complete."""
    if request.start is None or request.start[0].size < request.program.cost.size:
        return None
    cols, values = request.start
    return values[np.argsort(cols)]
