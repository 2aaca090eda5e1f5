"""What a worker does with its request: everything by itself, the proof, or better plans.

On one thread a plan is constructed, each period decided again, the root of branch and cut bounds it, a few
neighbourhoods are searched, and then all is proved, as far as the gap is open. On more, one worker proves while the
others improve, and each hears of the others' plans.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np

from optimizer.engine.improve import Improver, by_period, take
from optimizer.engine.known import Known
from optimizer.engine.linear import Relaxed, relax
from optimizer.engine.messages import Message, Note, Request, Tick, Verdict
from optimizer.engine.narrowly import narrowly, neighbourhoods
from optimizer.engine.program import Floats, Program
from optimizer.engine.proof import proved_beside, proved_from, with_best
from optimizer.engine.root import at_root
from optimizer.engine.scheduler import NoCluster
from optimizer.engine.search import completed, polish, search, solve_held
from optimizer.engine.solver import TOLERANCE, Control, Tell
from optimizer.engine.start import built

TRIES = 12  # neighbourhoods that a worker alone searches between the root and the proof
SHARE = 0.5  # of the time left that better plans may take before the proof
ANOTHER = 1000  # added to the seed of the proof, for a search of plans that no improver goes through as well
LOOK_SECONDS = 0.05  # between two looks whether another worker has a plan


def served(request: Request, stop: threading.Event, known: Known, tell: Tell) -> Verdict:
    """The last words of a worker; plans and bounds are told on the way."""
    deadline = time.monotonic() + request.seconds
    control = Control(deadline, stop, tell, request.gap, request.floor, request.threads, request.seed)
    if not request.program.worth_constructing:
        return search(request.program, control, request.start, known)
    if request.role == "prove":
        return _prove(request, control, known)
    if request.role == "improve":
        with _helped(request, control) as helped:
            _improve(request, helped, known)
        return Verdict("ended", known.x, None)
    return _alone(request, control, known)


@contextmanager
def _helped(request: Request, control: Control) -> Iterator[Control]:
    """With the cluster that was given, if one was and is still there."""
    if request.cluster is None:
        yield control
        return
    from optimizer.engine.cluster import crew  # noqa: PLC0415  an extra, and slow to load

    with ExitStack() as stack:
        try:
            helped = replace(control, crew=stack.enter_context(crew(request.cluster, control.tell)))
        except NoCluster as error:
            control.tell(Note(f"{error}; better plans were searched for here"))
            helped = control
        yield helped


def _prove(request: Request, control: Control, known: Known) -> Verdict:
    """The proof; where it comes to its end before the time does, better plans as well."""
    verdict = proved_beside(request.program, control, _whole_start(request), known)
    if verdict.ending == "ended" and not control.over:
        control.tell(Tick(None, verdict.bound))
        _improve_further(replace(request, seed=request.seed + ANOTHER), control, known)
    return with_best(request.program, control, verdict, known)


def _alone(request: Request, control: Control, known: Known) -> Verdict:
    """A plan, the root, better plans, the proof: each only if the gap is still open."""
    program, closing = request.program, _closing(request.program, control, known)
    planned = narrowly(request, closing.until(SHARE * control.left), known, go_on=0)
    begin = closing.until(SHARE * control.left)
    relaxed = relax(program, begin) if planned else _begun(request, begin, known)
    if relaxed is None or known.x is None:
        return search(program, control, request.start, known)
    if not control.over:
        root = at_root(program, closing, known.x)
        take(known, closing, _clean(program, root.x))
        closing.tell(Tick(None, root.bound))
    Improver(program, relaxed.guide, known, request.seed).run(closing.until(SHARE * control.left), TRIES)
    if control.over:
        return Verdict("ended", polish(program, control, known.x), None)
    return proved_from(program, control, known.x, known)


def _clean(program: Program, x: Floats | None) -> Iterator[Floats]:
    """A plan with its whole numbers exactly whole, if it then still satisfies every row."""
    if x is not None and program.violation(rounded := program.rounded(x)) <= TOLERANCE:
        yield rounded


def _closing(program: Program, control: Control, known: Known) -> Control:
    """The same, that ends as soon as the plans and bounds of whole steps close the gap, never by the clock's ticks."""
    bounds: list[float] = []

    def tell(message: Message) -> None:
        control.tell(message)
        if isinstance(message, Tick) and message.best is None and message.bound is not None:
            bounds.append(message.bound)
        if known.x is not None and bounds:
            best = program.objective(known.x)
            if min(abs(bound - best) for bound in bounds) <= control.gap * max(abs(best), control.floor):
                control.stop.set()

    return replace(control, tell=tell)


def _improve(request: Request, control: Control, known: Known) -> None:
    """A first plan, then better ones until told to end; of a huge program among the placement that is in use."""
    if narrowly(request, control, known, go_on=math.inf):
        return
    relaxed = _begun(request, control, known)
    if relaxed is not None and known.x is not None:
        Improver(request.program, relaxed.guide, known, request.seed).run(control)


def _improve_further(request: Request, control: Control, known: Known) -> None:
    """Better plans than the known one, once there is one, until told to end."""
    _until_planned(control, known)
    if known.x is None:
        return
    if known.paying is not None:
        neighbourhoods(request, control, known, known.paying)
    elif (relaxed := relax(request.program, control)) is not None:
        Improver(request.program, relaxed.guide, known, request.seed).run(control)


def _until_planned(control: Control, known: Known) -> None:
    """Waits for a plan of another worker."""
    while known.x is None and not control.over:
        time.sleep(LOOK_SECONDS)


def _begun(request: Request, control: Control, known: Known) -> Relaxed | None:
    """A first plan, from the start that was given or by construction, its periods decided again; the relaxation."""
    program = request.program
    relaxed = relax(program, control)
    if relaxed is None:
        return None
    take(known, control, _first(request, control, relaxed))
    if request.role == "improve":
        _until_planned(control, known)  # the prover may find one
    if known.x is not None:
        take(known, control, by_period(program, control, known.x))
    return relaxed


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
