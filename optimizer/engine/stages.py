"""The stages in which a variant is solved: a plan near the base plan, its proof, better plans, the whole search.

Each ends by its work and tells its bound; the first that closes the gap is the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.improve import Improver, by_period, take
from optimizer.engine.known import Known
from optimizer.engine.linear import Relaxed, relax
from optimizer.engine.messages import Ending, Incumbent, Tick, Verdict
from optimizer.engine.near import among_more, near, near_tight
from optimizer.engine.outcome import SolverError
from optimizer.engine.program import Floats, Ints, Program
from optimizer.engine.root import LITTLE, NO_HEURISTICS, at_root
from optimizer.engine.search import polish, unbounded_or_infeasible
from optimizer.engine.solver import Control, Highs
from optimizer.engine.start import built

if TYPE_CHECKING:
    from optimizer.engine.tight import Footing, Tight

SEARCH = {
    "mip_heuristic_run_rens": True, "mip_heuristic_run_rins": True, "mip_heuristic_run_root_reduced_cost": False,
    "mip_heuristic_run_feasibility_jump": True, "mip_heuristic_effort": 0.05,
}  # fmt: skip
PROOF_NODES = 60  # from a good plan most variants are proved within these, without any search for a better one
LOST = 3.0  # times the gap asked for, beyond which a plan near the base is not worth bettering
FAR = 1.2  # of the gap asked for: a root lowers the bound of a variant with cuts by 0.1 to 0.3 of a gap of 1e-3
TRIES = 8  # neighbourhoods searched, after which branching is worth more

ENDED: dict[Any, Ending] = {
    Model.kOptimal: "optimal", Model.kSolutionLimit: "ended", Model.kTimeLimit: "ended", Model.kInterrupt: "ended",
}  # fmt: skip

Start = tuple[Ints, Floats]  # columns, perhaps not all, and their values


def searched(highs: Highs, control: Control, hint: Floats, nodes: int, footing: Footing | None = None) -> Verdict:
    """A plan near the base plan and its proof; where that is not enough better plans, and then the whole search.

    `footing` is what the base leaves to it, where the program has its rows and columns.
    """
    program = highs.program
    known = np.flatnonzero(program.integer & np.isfinite(hint)).astype(np.int32)
    base = program.rounded(np.where(np.isfinite(hint), hint, 0.0))
    cut = None if footing is None else _tight(program, control, footing)
    x = None if cut is None else near_tight(program, control, base, cut)
    if x is None and program.worth_constructing:
        x = _told(control, near(program, control, base))
    if x is not None:
        return _verdict(highs, control, *_of_large(highs, control, x, nodes, cut))
    status, x = _run(highs, control, (known, base[known]), NO_HEURISTICS, min(PROOF_NODES, nodes))
    if status == Model.kSolutionLimit:
        status, x = _run(highs, control, (known, base[known]) if x is None else _whole(x), SEARCH, nodes)
    return _verdict(highs, control, status, x)


def _tight(program: Program, control: Control, footing: Footing) -> Tight | None:
    from optimizer.engine.tight import tight  # noqa: PLC0415  scipy takes a fifth of a second to load

    return tight(program, control, footing)


def _of_tight(program: Program, control: Control, x: Floats, cut: Tight) -> Floats:
    """A better plan, as far as the gap is open after more rounds of cuts: periods decided again among all placement, of
    a plan built anew where x is far off."""
    if control.over:
        return x
    cut.cut_further(control)
    known = Known(program)
    known.offer(x)
    bound, relaxed = cut.found.lp.bound(), None
    assert bound is not None
    if abs(bound - program.objective(x)) > LOST * control.gap * abs(bound):
        relaxed = relax(program, control)
    take(known, control, by_period(program, control, x) if relaxed is None else _anew(program, control, relaxed, x))
    return x if known.x is None else known.x


def _of_large(highs: Highs, control: Control, x: Floats, nodes: int, cut: Tight | None) -> tuple[Model, Floats | None]:
    """From a plan: the root, then better plans, which close the gap sooner than branching, and branching at last.
    Better plans come first where a root takes long or would hardly close the gap."""
    program = highs.program
    last = cut is not None and (program.value.size > LITTLE or _far(program, control, x, cut.found.lp.bound()))
    if cut is not None and last:
        x = _of_tight(program, control, x, cut)
    if control.stop.is_set():
        return Model.kInterrupt, x
    status, found, bound = at_root(program, control, x, None if cut is None else cut.cuts(program))
    control.tell(Tick(None, bound))
    x = x if found is None else found
    if status != Model.kSolutionLimit:
        return status, x
    if cut is not None and not last:
        x = _of_tight(program, control, x, cut)
    if cut is not None:
        x = _among_more(program, control, x, cut)
    return _run(highs, control, _whole(_improved(program, control, x, bound)), SEARCH, nodes)


def _far(program: Program, control: Control, x: Floats, bound: float | None) -> bool:
    """Whether more is open than a root or small changes of a plan would close."""
    return bound is None or abs(bound - program.objective(x)) > FAR * control.gap * abs(bound)


def _among_more(program: Program, control: Control, x: Floats, cut: Tight) -> Floats:
    """Better plans, as far as the gap is still open: all periods among more and more placement, then neighbourhoods."""
    known = Known(program)
    known.offer(among_more(program, control, x, cut.guide))
    Improver(program, cut.guide, known, control.seed).run(control, TRIES)
    return x if known.x is None else known.x


def _run(
    highs: Highs, control: Control, start: Start, stage: Mapping[str, Any], nodes: int
) -> tuple[Model, Floats | None]:
    """One run from a start, unless all is proved already; its bound is told."""
    if control.stop.is_set():
        return Model.kInterrupt, start[1] if start[0].size == highs.program.cost.size else None
    gap = {"mip_rel_gap": control.gap, "mip_abs_gap": max(control.gap * control.floor, 1e-12)}
    highs.set(**stage, **gap, mip_max_nodes=nodes, random_seed=control.seed)
    highs.forget()
    if start[0].size:
        highs.begin_from(*start)
    status = highs.run()
    control.tell(Tick(None, highs.bound()))
    return status, highs.plan()


def _improved(program: Program, control: Control, x: Floats, bound: float | None) -> Floats:
    """Better plans until the gap is closed or all is tried: each period decided again, of x and of a plan built as if
    there were no base, the one that promises more first; then neighbourhoods."""
    known, relaxed = Known(program), relax(program, control)
    known.offer(x)
    for plans in (_anew, _again) if _far(program, control, x, bound) else (_again, _anew):
        if relaxed is not None and not control.over:
            take(known, control, plans(program, control, relaxed, x))
    if relaxed is not None:
        Improver(program, relaxed.guide, known, control.seed).run(control, TRIES)
    return x if known.x is None else known.x


def _again(program: Program, control: Control, _: Relaxed, x: Floats) -> Iterator[Floats]:
    return by_period(program, control, x)


def _anew(program: Program, control: Control, relaxed: Relaxed, _: Floats) -> Iterator[Floats]:
    plans = list(built(program, control, relaxed))
    yield from plans
    yield from by_period(program, control, plans[-1]) if plans else ()


def _told(control: Control, x: Floats | None) -> Floats | None:
    if x is not None:
        control.tell(Incumbent(x))
    return x


def _verdict(highs: Highs, control: Control, status: Model, x: Floats | None) -> Verdict:
    """What a run came to; what presolve called infeasible is looked at without it."""
    if status in (Model.kUnbounded, Model.kUnboundedOrInfeasible):
        return unbounded_or_infeasible(highs.program, control)
    if status == Model.kInfeasible and x is None:
        highs.set(presolve="off")
        highs.forget()
        status, x = highs.run(), highs.plan()
    if status == Model.kInfeasible:
        return Verdict("infeasible", None, None)
    if status not in ENDED:
        raise SolverError(f"HiGHS ended with status {status}")
    return Verdict(ENDED[status], x if x is None else polish(highs.program, control, x), None)


def _whole(x: Floats) -> Start:
    return np.arange(x.size, dtype=np.int32), x
