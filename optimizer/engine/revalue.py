"""What a changed program is worth, as an interval: a plan that was checked below, a proved bound above.

Small programs are solved to the end. A large one is bounded by the cuts of its base, and a plan is looked for beside
the base's as its linear program with cuts would have it (`laid.py`). Where it does not fit in, or the base has no
cuts, the bound is that of the root of branch and cut, or what the base's prices prove at once; the plan is the base's
as far as the relaxation agrees with it, and the rest is decided again, then once more from the plan that was found.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from highspy import HighsModelStatus as Model

from optimizer.engine.duality import bound_at
from optimizer.engine.known import Known
from optimizer.engine.linear import Guide, relax
from optimizer.engine.program import FEW, Floats, Key, Program
from optimizer.engine.root import LITTLE, at_root
from optimizer.engine.scale import Scaled, scale
from optimizer.engine.search import search, solve_held
from optimizer.engine.solver import Control, Highs
from optimizer.engine.start import built
from optimizer.engine.worth import AT_PRICES, AT_ROOT, BY_CUTS, SEARCHED, SOLVED, Base, Worth

if TYPE_CHECKING:
    from optimizer.engine.laid import BaseCuts

FEASIBLE = 1e-6
CLOSED = 1e-5  # relative: the base is not tightened beyond
EXACT = 1e-9

DOUBT = (0.02, 1e-6)  # of plan and relaxation, from which on a whole number is decided again; the wider if need be
NEAR = 1e-4  # of such a search
ROUNDS = 2  # of deciding again, each from the plan of the last
SEARCHING = 0.65  # share of a question's time for a plan, where the base plan does not hold
LEFT_OPEN = 3.0  # times the gap of the base, that its whole numbers may leave open in a program where they can be kept
ROOT_SECONDS = 4.0  # of a question asked once more, that are left for its root
ENOUGH = 0.8  # of these: with less the root is not begun


def settle(program: Program, x: Floats | None, control: Control, bound: float | None = None, seconds: float = 0.0,
           prices: Floats | None = None) -> Base:  # fmt: skip
    """The base: solved to the end where it is small, else as the plan and the `bound` that `seconds` have found."""
    if x is None or small(program):
        return Base(program, _solved(program, x, control), exact=True)
    return based(program, x, control, bound, seconds, prices)


def based(program: Program, x: Floats, control: Control, bound: float | None, seconds: float,
          prices: Floats | None = None) -> Base:  # fmt: skip
    """The base as `seconds` have found it, whatever its size."""
    low = program.objective(x)
    worth = Worth(low, max(low, np.inf if bound is None else bound), x, SEARCHED, seconds)
    if small(program):
        return Base(program, worth, exact=True)
    from optimizer.engine.laid import BaseCuts  # noqa: PLC0415  scipy takes a fifth of a second to load

    cuts = BaseCuts.of(program, control)
    return Base(program, worth, exact=False, prices=prices, cuts=cuts)


def small(program: Program) -> bool:
    """Whether every question about a program can be solved to its end."""
    periods = np.unique(program.period[program.col_lower < program.col_upper])
    return int(program.integer.sum()) < FEW or periods.size <= 1


def revalue(base: Base, program: Program, control: Control) -> Worth:
    """What the changed program is worth, in the time of `control`.

    Where the base plan still holds it is the plan, and all time goes into the bound; `bettered` has a better plan.
    """
    if base.exact:
        return _solved(program, base.worth.x, control)
    began, x = time.monotonic(), _carried(base, program)
    cut = _by_cuts(base, program, x, control, began)
    if cut is not None and (cut.x is not None or control.over):
        return cut
    worth = _without_cuts(base, program, x, control, began)
    return worth if cut is None or worth.infeasible or cut.high >= worth.high else _bounded_by(worth, cut.high)


def _without_cuts(base: Base, program: Program, x: Floats, control: Control, began: float) -> Worth:
    if program.violation(x) <= FEASIBLE:
        return _bounded(base, program, x, control, began)
    found, possible = _planned(program, x, control.until(SEARCHING * control.left))
    if not possible and _impossible(program, control):
        return Worth(-np.inf, -np.inf, None, SOLVED, time.monotonic() - began)
    return _bounded(base, program, found, control, began)


def bettered(base: Base, program: Program, worth: Worth, control: Control) -> Worth:
    """The same with a better plan, if one is found, and where cuts are known with a tighter bound."""
    if base.exact or worth.infeasible:
        return worth
    if worth.x is None:
        again = revalue(base, program, control)
        return replace(again, high=max(again.low, min(again.high, worth.high)), seconds=again.seconds + worth.seconds)
    began = time.monotonic() - worth.seconds
    known = worth.x if worth.x is not None and worth.x.size == program.cost.size else None
    laid = None if base.cuts is None else base.cuts.laid(program)
    if base.cuts is None or laid is None or known is None:
        found, _ = _planned(program, _carried(base, program) if known is None else known, control)
        better = _with_plan(program, worth, found)
    else:
        better = _by_cuts_again(base, base.cuts, program, laid, worth, known, control)
    return replace(better, seconds=time.monotonic() - began)


def _by_cuts_again(
    base: Base, cuts: BaseCuts, program: Program, laid: Scaled, worth: Worth, x: Floats, control: Control
) -> Worth:
    """A better plan than x, and of a program that is not too large the root in what time that leaves."""
    spared = ROOT_SECONDS if program.value.size <= LITTLE else 0.0
    found = cuts.better(laid, control, x, _carried(base, program), spared)
    worth = worth if found.bound >= worth.high else _bounded_by(worth, found.bound)
    worth = _with_plan(program, worth, found.x)
    return _rooted(cuts, program, laid, worth, control) if spared and control.left >= ENOUGH * spared else worth


def _by_cuts(base: Base, program: Program, x: Floats, control: Control, began: float) -> Worth | None:
    """The same by the base's cuts, perhaps without a plan; None where the program does not fit in, or where the linear
    program with cuts was not solved."""
    laid = None if base.cuts is None else base.cuts.laid(program)
    if base.cuts is None or laid is None:
        return None
    if program.violation(x) <= FEASIBLE:
        promising = 2.0 * base.worth.high - base.worth.low  # a change that earns less than the gap stays unresolved
        found, plans = base.cuts.beside(laid, control, x, promising), [x]
    else:
        found, plans = base.cuts.near(laid, control, x, LEFT_OPEN * base.gap), []
    if not np.isfinite(found.bound):
        return None
    worth = Worth(-np.inf, found.bound, None, BY_CUTS, time.monotonic() - began)
    for plan in (*plans, found.x):
        worth = _with_plan(program, worth, plan)
    return worth


def _bounded_by(worth: Worth, high: float) -> Worth:
    return replace(worth, high=max(high, worth.low), method=BY_CUTS)


def _with_plan(program: Program, worth: Worth, x: Floats | None) -> Worth:
    """With a plan, if it is a better one."""
    if x is None or program.violation(x := program.rounded(x)) > FEASIBLE or program.objective(x) <= worth.low:
        return worth
    low = program.objective(x)
    return replace(worth, low=low, high=max(low, worth.high), x=x)


def _rooted(cuts: BaseCuts, program: Program, laid: Scaled, worth: Worth, control: Control) -> Worth:
    """With the bound of the root, if it is the tighter one, and with its plan."""
    assert worth.x is not None
    near = control.quietly(control.left, CLOSED)
    root = at_root(laid.program, near, laid.program.rounded(worth.x / laid.unit), cuts.cuts(laid))
    worth = _with_plan(program, worth, None if root.x is None else root.x * laid.unit)
    high = np.inf if root.bound is None else root.bound * laid.money
    if high < worth.high:
        worth = replace(worth, high=max(high, worth.low), method=AT_ROOT)
    return worth


def _planned(program: Program, x: Floats, control: Control) -> tuple[Floats | None, bool]:
    """A good plan near x, if one is found; False beside it if not even the relaxation can hold."""
    scaled = scale(program)
    relaxed = relax(scaled.program, control)
    if relaxed is None:
        return None, control.over
    known, near = Known(program), np.clip(x, program.col_lower, program.col_upper)
    _offer(known, program, near)
    for left in range(ROUNDS, 0, -1):
        until = control.until(control.left / left)
        _offer(known, program, _decided_again(scaled, relaxed.guide, near if known.x is None else known.x, until))
    if known.x is None and program.worth_constructing:
        for plan in built(scaled.program, control, relaxed):
            _offer(known, program, plan * scaled.unit)
    return known.x, True


def _decided_again(scaled: Scaled, guide: Guide, x: Floats, control: Control) -> Floats | None:
    """x with all whole numbers decided again that the relaxation would rather have elsewhere."""
    program, at = scaled.program, x / scaled.unit
    for doubt in DOUBT:
        away = np.abs(at - guide.x) > doubt
        free = (program.col_lower < program.col_upper) & (~program.integer | away)
        found = solve_held(program, control.quietly(control.left, NEAR), free, at, hint=at)
        if found is not None:
            return found * scaled.unit
    return None


def _offer(known: Known, program: Program, x: Floats | None) -> None:
    if x is not None and program.violation(program.rounded(x)) <= FEASIBLE:
        known.offer(program.rounded(x))


def _bounded(base: Base, program: Program, x: Floats | None, control: Control, began: float) -> Worth:
    """The bound at the root of branch and cut, that of the base's prices if it is tighter; the root's plan if that is
    the better one."""
    scaled, known = scale(program), Known(program)
    _offer(known, program, x)
    status, found, bound = at_root(
        scaled.program, control.quietly(control.left, CLOSED), None if known.x is None else known.x / scaled.unit
    )
    if status == Model.kInfeasible and known.x is None and _impossible(program, control):
        return Worth(-np.inf, -np.inf, None, SOLVED, time.monotonic() - began)
    _offer(known, program, None if found is None else found * scaled.unit)
    root = np.inf if bound is None else bound * scaled.money
    high, method = min((root, AT_ROOT), (_at_prices(base, program), AT_PRICES))
    low = -np.inf if known.x is None else program.objective(known.x)
    return Worth(low, max(high, low), known.x, method, time.monotonic() - began)


def _at_prices(base: Base, program: Program) -> float:
    """What the base's prices prove of a changed program; a row that the base has not has none."""
    if base.prices is None:
        return np.inf
    if program.rows == base.program.rows:
        return bound_at(program, base.prices)
    price: dict[Key, float] = dict(zip(base.program.rows, base.prices.tolist(), strict=True))
    return bound_at(program, np.array([price.get(row, 0.0) for row in program.rows]))


def _impossible(program: Program, control: Control) -> bool:
    """Proved without presolve, which has called feasible programs infeasible."""
    return bool(Highs(scale(program).program, control.quietly(control.left), presolve="off").run() == Model.kInfeasible)


def _carried(base: Base, program: Program) -> Floats:
    """The base plan in the columns of a changed program, as near to nothing as may be where the base has none."""
    assert base.worth.x is not None
    if program.cols == base.program.cols:
        return base.worth.x
    value: dict[Key, float] = dict(zip(base.program.cols, base.worth.x.tolist(), strict=True))
    return np.clip([value.get(col, 0.0) for col in program.cols], program.col_lower, program.col_upper)


def _solved(program: Program, x: Floats | None, control: Control) -> Worth:
    began, scaled = time.monotonic(), scale(program)
    start = None if x is None else (np.arange(x.size, dtype=np.int32), x / scaled.unit)
    verdict = search(scaled.program, replace(control, gap=EXACT, floor=1 / scaled.money), start)
    seconds = time.monotonic() - began
    if verdict.ending == "infeasible":
        return Worth(-np.inf, -np.inf, None, SOLVED, seconds)
    found = None if verdict.x is None else program.rounded(verdict.x * scaled.unit)
    if found is None or program.violation(found) > FEASIBLE:
        found = x if x is not None and program.violation(x) <= FEASIBLE else None
    low = -np.inf if found is None else program.objective(found)
    high = np.inf if verdict.bound is None else verdict.bound * scaled.money
    return Worth(low, max(high, low), found, SOLVED, seconds)
