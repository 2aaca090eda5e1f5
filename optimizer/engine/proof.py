"""The proof of a program of which others find plans.

HiGHS proves what is easy within seconds. Where SCIP is installed it goes on with what is small and is not easy, with
cuts of our own beside those it finds. Of a larger program HiGHS solves the first linear program five times as fast, and
its root has proved more by the time that SCIP's is at its end. A huge program is tightened and sifted first, which
branch and cut cannot; where the time left is too short for branch and cut to come to anything, rounds of cuts go on
from there.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from optimizer.engine.installed import INSTALLED
from optimizer.engine.known import Known
from optimizer.engine.linear import whole
from optimizer.engine.messages import Tick, Verdict
from optimizer.engine.program import Floats, Program
from optimizer.engine.root import LITTLE
from optimizer.engine.search import polish, search
from optimizer.engine.sifting import Sifted, sifted
from optimizer.engine.solver import Control
from optimizer.engine.tighten import tightened

if INSTALLED:
    from optimizer.engine.scip import Scip

BESIDE = {"mip_heuristic_effort": 0.01, "mip_heuristic_run_rens": False, "mip_heuristic_run_rins": False}
"""Of HiGHS beside workers that find better plans."""
SOON_SECONDS = 3.0  # of HiGHS before SCIP: enough for what is easy, for which SCIP would take three times as long
AGAIN = 10.0  # times what sifting or a root took, below which branch and cut would come to nothing


def proved_beside(program: Program, control: Control, start: Floats | None, known: Known) -> Verdict:
    """The proof while other workers find plans, to its end or until nothing more comes of it in time."""
    if program.worth_narrowing:
        began, tight = time.monotonic(), tightened(program)
        found = _bounded(tight, control, known)
        if control.left <= AGAIN * (time.monotonic() - began):
            return _cut_down(tight, control, found)
        if found is not None:
            found.lp.free()
    if program.value.size > LITTLE:
        return _rooted(program, control, start, known)
    if not INSTALLED:
        return _by_highs(program, control, start, known)
    soon = _by_highs(program, control.until(SOON_SECONDS), start, known)
    if soon.ending != "ended" or control.over:
        return soon
    control.tell(Tick(None, soon.bound))
    return _by_scip(program, control, known, start)


def _rooted(program: Program, control: Control, start: Floats | None, known: Known) -> Verdict:
    """The root, and then all of branch and cut if there is time enough for it to come to something: from the root once
    more, as HiGHS does not go on from where a limit ended it."""
    began = time.monotonic()
    root = _by_highs(program, control, start, known, mip_max_nodes=1)
    if root.ending != "ended" or control.left <= AGAIN * (time.monotonic() - began):
        return root
    control.tell(Tick(None, root.bound))
    return _by_highs(program, control, start, known)


def _by_highs(program: Program, control: Control, start: Floats | None, known: Known, **options: Any) -> Verdict:
    whole = None if start is None else (np.arange(start.size, dtype=np.int32), start)
    return search(program, control, whole, known, **BESIDE, **options)


def _bounded(program: Program, control: Control, known: Known) -> Sifted | None:
    """The linear program's bound and the columns that pay told; how it was sifted, None if it had to be solved whole or
    was not in time."""
    found = sifted(program, control)
    solved = found or whole(program, control)
    if solved is not None:
        control.tell(Tick(None, solved.lp.bound()))
    if found is not None:
        control.tell(paying := found.paying())
        known.paying = paying
    return found


def _cut_down(program: Program, control: Control, found: Sifted | None) -> Verdict:
    """Cuts as long as they come to something; then there is nothing more to prove in time."""
    if found is not None:
        from optimizer.engine.cutting import cut_down  # noqa: PLC0415  scipy takes a fifth of a second to load
        from optimizer.engine.rounding import flattened  # noqa: PLC0415

        cut_down(program, control, found, making=flattened)
    return Verdict("ended", None, None)


def proved_from(program: Program, control: Control, x: Floats, known: Known) -> Verdict:
    """The proof of one worker alone that has a plan: no clock decides who proves, so that one seed gives one plan."""
    if not INSTALLED or program.value.size > LITTLE:
        return search(program, control, (np.arange(x.size, dtype=np.int32), x), known)
    return with_best(program, control, _by_scip(program, control, known), known)


def with_best(program: Program, control: Control, verdict: Verdict, known: Known) -> Verdict:
    """What was not proved to its end, with the best plan of anyone, polished."""
    x = known.x
    if verdict.ending != "ended" or x is None:
        return verdict
    return Verdict("ended", polish(program, control, x), verdict.bound)


def _by_scip(program: Program, control: Control, known: Known, start: Floats | None = None) -> Verdict:
    """With cuts of our own beside SCIP's; what it calls infeasible or unbounded, HiGHS looks at again."""
    from optimizer.engine.cutting import cut_at_once  # noqa: PLC0415  scipy takes a fifth of a second to load

    cut = cut_at_once(program, control)
    scip = Scip(program, control, {}, known, heuristics="few")
    if cut is not None:
        scip.separate(cut.cuts)
    if (x := start if known.x is None else known.x) is not None:
        scip.begin_from(x)
    status = scip.run()
    if status in ("infeasible", "unbounded", "inforunbd"):
        return search(program, control, None, known, **BESIDE)
    x, bound = scip.plan(), scip.bound()
    if status not in ("optimal", "gaplimit"):
        return Verdict("ended", x, bound)
    return Verdict("optimal", x if x is None else polish(program, control, x), bound)
