"""The proof of a program of which others find plans.

HiGHS begins: it solves the first linear program five times as fast as SCIP. Where that extra is installed SCIP goes
on once HiGHS' bound stalls, as its own are tighter from there, unless the time left is too short for that; else HiGHS
goes on itself, and always with a huge program, of which SCIP's first linear program takes minutes. Such a program is
tightened and sifted first, which branch and cut cannot; where the time left is too short for branch and cut to come to
anything, rounds of cuts go on from there.
"""

from __future__ import annotations

import time

import numpy as np

from optimizer.engine.installed import INSTALLED
from optimizer.engine.known import Known
from optimizer.engine.linear import whole
from optimizer.engine.messages import Tick, Verdict
from optimizer.engine.program import Floats, Program
from optimizer.engine.search import polish, search
from optimizer.engine.sifting import Sifted, sifted
from optimizer.engine.solver import Control
from optimizer.engine.stall import Stall
from optimizer.engine.tighten import tightened

if INSTALLED:
    from optimizer.engine.scip import Scip

BESIDE = {"mip_heuristic_effort": 0.01, "mip_heuristic_run_rens": False, "mip_heuristic_run_rins": False}
"""Of HiGHS beside workers that find better plans."""
AGAIN = 10.0  # times what sifting took, below which branch and cut would come to nothing: at L its root begins after 4
LOOK_SECONDS = 0.25


def proved_beside(program: Program, control: Control, start: Floats | None, known: Known) -> Verdict:
    """The proof while other workers find plans, and at its end the best plan of anyone, polished."""
    if program.worth_narrowing:
        began, tight = time.monotonic(), tightened(program)
        found = _bounded(tight, control)
        if control.left <= AGAIN * (time.monotonic() - began):
            return _with_best(program, control, _cut_down(tight, control, found, known), known)
        if found is not None:
            found.lp.free()
    whole = None if start is None else (np.arange(start.size, dtype=np.int32), start)
    stall = Stall(control.deadline) if INSTALLED and not program.worth_narrowing else None
    verdict = search(program, control, whole, known, stall=stall, **BESIDE)
    if verdict.ending == "ended" and not control.over:
        control.tell(Tick(None, verdict.bound))
        verdict = _by_scip(program, control, known)
    return _with_best(program, control, verdict, known)


def _bounded(program: Program, control: Control) -> Sifted | None:
    """The linear program's bound and the columns that pay told; how it was sifted, None if it had to be solved whole or
    was not in time."""
    found = sifted(program, control)
    solved = found or whole(program, control)
    if solved is not None:
        control.tell(Tick(None, solved.lp.bound()))
    if found is not None:
        control.tell(found.paying())
    return found


def _cut_down(program: Program, control: Control, found: Sifted | None, known: Known) -> Verdict:
    """Cuts as long as they come to something; then there is nothing more to prove in time, and the others go on."""
    if found is not None:
        from optimizer.engine.cutting import cut_down  # noqa: PLC0415  scipy takes a fifth of a second to load

        cut_down(program, control, found)
    while not control.over:
        time.sleep(LOOK_SECONDS)
    return Verdict("ended", known.x, None)


def proved_from(program: Program, control: Control, x: Floats, known: Known) -> Verdict:
    """The proof of one worker alone that has a plan: no clock decides who proves, so that one seed gives one plan."""
    if not INSTALLED:
        return search(program, control, (np.arange(x.size, dtype=np.int32), x), known)
    return _with_best(program, control, _by_scip(program, control, known), known)


def _with_best(program: Program, control: Control, verdict: Verdict, known: Known) -> Verdict:
    x = known.x
    if verdict.ending != "ended" or x is None:
        return verdict
    return Verdict("ended", polish(program, control, x), verdict.bound)


def _by_scip(program: Program, control: Control, known: Known) -> Verdict:
    """What SCIP calls infeasible or unbounded, HiGHS looks at again."""
    scip = Scip(program, control, {}, known, heuristics="few")
    if known.x is not None:
        scip.begin_from(known.x)
    status = scip.run()
    if status in ("infeasible", "unbounded", "inforunbd"):
        return search(program, control, None, known, **BESIDE)
    x, bound = scip.plan(), scip.bound()
    if status not in ("optimal", "gaplimit"):
        return Verdict("ended", x, bound)
    return Verdict("optimal", x if x is None else polish(program, control, x), bound)
