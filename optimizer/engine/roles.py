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
from itertools import islice

import numpy as np

from optimizer.engine.basis import Basis
from optimizer.engine.improve import Improver, by_period, take
from optimizer.engine.known import Known
from optimizer.engine.linear import Guide, Relaxed, relax, whole
from optimizer.engine.messages import Incumbent, Message, Note, Paying, Request, Tick, Verdict
from optimizer.engine.narrow import ROUGH, USED, Narrow, narrowed, with_placement
from optimizer.engine.program import Floats, Program
from optimizer.engine.proof import proved_beside, proved_from
from optimizer.engine.root import at_root
from optimizer.engine.scheduler import NoCluster
from optimizer.engine.search import completed, polish, search, solve_held
from optimizer.engine.sifting import sifted_from
from optimizer.engine.solver import TOLERANCE, Control, Tell
from optimizer.engine.start import SOON, built

TRIES = 12  # neighbourhoods that a worker alone searches between the root and the proof
SHARE = 0.5  # of the time left that better plans may take before the proof
NEAR = (ROUGH, SOON)  # of the best that the first plans of a huge program are placed: at L in a second, in twenty
HOLDS = 1e-6  # of a plan of the whole as one of a part of it, which must not lack what it uses
LOOK_SECONDS = 0.05  # between two looks whether another worker has a plan


def served(request: Request, stop: threading.Event, known: Known, tell: Tell) -> Verdict:
    """The last words of a worker; plans and bounds are told on the way."""
    deadline = time.monotonic() + request.seconds
    control = Control(deadline, stop, tell, request.gap, request.floor, request.threads, request.seed)
    if not request.program.worth_constructing:
        return search(request.program, control, request.start, known)
    if request.role == "prove":
        return proved_beside(request.program, control, _whole_start(request), known)
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


def _alone(request: Request, control: Control, known: Known) -> Verdict:
    """A plan, the root, better plans, the proof: each only if the gap is still open."""
    program, closing = request.program, _closing(request.program, control, known)
    narrowly = _narrowly(request, closing.until(SHARE * control.left), known, go_on=0)
    begin = closing.until(SHARE * control.left)
    relaxed = relax(program, begin) if narrowly else _begun(request, begin, known)
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
    if _narrowly(request, control, known, go_on=math.inf):
        return
    relaxed = _begun(request, control, known)
    if relaxed is not None and known.x is not None:
        Improver(request.program, relaxed.guide, known, request.seed).run(control)


def _narrowly(request: Request, control: Control, known: Known, go_on: float) -> bool:
    """Plans of a huge program among the placement in use, then `go_on` neighbourhoods; whether there are any plans.

    The first two come from what the periods use. What the linear program of the whole lets in beside is worth a lot to
    whole replicas (at L 0.1 %), but takes a minute to find at XL. With it each period is decided again at once: a
    better strategy to begin from would cost more time than it saves.
    """
    huge = request.start is None and request.program.worth_narrowing
    narrow = narrowed(request.program, control) if huge else None
    relaxed = None if narrow is None else whole(narrow.program, control)
    if narrow is None or relaxed is None:
        return False
    basis = relaxed.lp.basis()
    _among_used(request, control, narrow, relaxed, known)
    paying = _paying(request.program, control, narrow, basis, known)
    x = known.x
    if paying is None:
        return _go_on(request, control, narrow, relaxed.guide, known, x, go_on)
    used = narrow.cols if x is None else narrow.cols | (x > USED)  # a plan without its replicas is none
    wide = with_placement(request.program, paying.cols | used)
    return _go_on(request, control, wide, Guide(paying.x[wide.cols], paying.reduced[wide.cols]), known, x, go_on)


def _among_used(request: Request, control: Control, narrow: Narrow, relaxed: Relaxed, known: Known) -> None:
    """The first plans; beside a prover, periods decided again until it has found what pays."""
    inside, inner = _inside(narrow, control, known), Known(narrow.program)
    take(inner, inside, islice(built(narrow.program, inside, relaxed, NEAR), len(NEAR)))
    relaxed.lp.free()
    if request.role == "improve":
        _until_told(narrow.program, inside, inner, known)


def _go_on(request: Request, control: Control, narrow: Narrow, guide: Guide, known: Known, x: Floats | None,
           tries: float) -> bool:  # fmt: skip
    """From the plan x of the whole each period decided again, then so many neighbourhoods; where x is none of the
    narrow program, from one by construction; False where there is none either."""
    program, inside, inner = narrow.program, _inside(narrow, control, known), Known(narrow.program)
    if x is not None and program.violation(x[narrow.cols]) <= HOLDS:
        inner.offer(x[narrow.cols])
    if inner.x is None and (relaxed := whole(program, control)) is not None:
        take(inner, inside, built(program, inside, relaxed))
        relaxed.lp.free()
    if inner.x is None:
        return False
    take(inner, inside, by_period(program, inside, inner.x))
    Improver(program, guide, inner, request.seed).run(inside, tries)
    return True


def _until_told(program: Program, control: Control, inner: Known, known: Known) -> None:
    """Better plans of the narrow program, while the prover still looks for the columns that pay."""
    if known.paying is None and inner.x is not None:
        for x in by_period(program, control, inner.x):
            take(inner, control, (x,))
            if known.paying is not None:
                return


def _paying(program: Program, control: Control, narrow: Narrow, basis: Basis, known: Known) -> Paying | None:
    """The columns that pay: as the prover found them, else from the narrow program; None if not in time."""
    if known.paying is not None or (found := sifted_from(program, control, narrow, basis)) is None:
        return known.paying
    paying = found.paying()
    found.lp.free()
    return paying


def _inside(narrow: Narrow, control: Control, known: Known) -> Control:
    """The same for the narrow program: its plans are told as plans of the whole, its bounds are none of the whole."""

    def tell(message: Message) -> None:
        if isinstance(message, Incumbent) and known.offer(x := narrow.whole(message.x)):
            control.tell(Incumbent(x))

    return replace(control, tell=tell)


def _begun(request: Request, control: Control, known: Known) -> Relaxed | None:
    """A first plan, from the start that was given or by construction, its periods decided again; the relaxation."""
    program = request.program
    relaxed = relax(program, control)
    if relaxed is None:
        return None
    take(known, control, _first(request, control, relaxed))
    while request.role == "improve" and known.x is None and not control.over:  # the prover may find one
        time.sleep(LOOK_SECONDS)
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
