"""Plans of a huge program, among the placement that is in use.

The first two come from what the periods use. What the linear program of the whole lets in beside is worth a lot to
whole replicas (at L 0.1 %), but takes a minute to find at XL. With it each period is decided again at once: a better
strategy to begin from would cost more time than it saves.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from optimizer.engine.basis import Basis
from optimizer.engine.improve import Improver, by_period, take
from optimizer.engine.known import Known
from optimizer.engine.linear import Guide, Relaxed, whole
from optimizer.engine.messages import Incumbent, Message, Paying, Request
from optimizer.engine.narrow import ROUGH, USED, Narrow, narrowed, with_placement
from optimizer.engine.program import Flags, Floats, Program
from optimizer.engine.sifting import sifted_from
from optimizer.engine.solver import Control
from optimizer.engine.start import SOON, built

NEAR = (ROUGH, SOON)  # of the best that the first plans are placed: at L in a second, in twenty
HOLDS = 1e-6  # of a plan of the whole as one of a part of it, which must not lack what it uses


def narrowly(request: Request, control: Control, known: Known, go_on: float) -> bool:
    """Plans of a huge program among the placement in use, then `go_on` neighbourhoods; whether there are any plans."""
    huge = request.start is None and request.program.worth_narrowing
    narrow = narrowed(request.program, control) if huge else None
    relaxed = None if narrow is None else whole(narrow.program, control)
    if narrow is None or relaxed is None:
        return False
    basis = relaxed.lp.basis()
    _among_used(request, control, narrow, relaxed, known)
    paying = _paying(request.program, control, narrow, basis, known)
    if paying is None:
        return _go_on(request, control, narrow, relaxed.guide, known, go_on)
    wide, guide = _wide(request.program, paying, narrow.cols, known.x)
    return _go_on(request, control, wide, guide, known, go_on)


def neighbourhoods(request: Request, control: Control, known: Known, paying: Paying) -> None:
    """Better plans than the one that is known, among its placement and what pays, until told to end."""
    assert known.x is not None
    wide, guide = _wide(request.program, paying, paying.cols, known.x)
    inner = Inside(wide, known)
    if inner.x is not None:
        Improver(wide.program, guide, inner, request.seed).run(_as_whole(wide, control, known))


def _wide(program: Program, paying: Paying, cols: Flags, x: Floats | None) -> tuple[Narrow, Guide]:
    """The program with the placement of these columns, of those that pay, and of the plan, which has to hold in it."""
    wide = with_placement(program, paying.cols | cols if x is None else paying.cols | cols | (x > USED))
    return wide, Guide(paying.x[wide.cols], paying.reduced[wide.cols])


class Inside(Known):
    """The best plan of a part of a program: one found there, or one of the whole that is better and holds in it."""

    def __init__(self, narrow: Narrow, whole: Known) -> None:
        super().__init__(narrow.program)
        self._narrow, self._whole = narrow, whole
        self._looked: Floats | None = None

    @property
    def x(self) -> Floats | None:
        """The best plan, None before the first."""
        outside = self._whole.x
        if outside is not None and outside is not self._looked:
            self._looked, x = outside, outside[self._narrow.cols]
            if self._narrow.program.violation(x) <= HOLDS:
                self.offer(x)
        return super().x


def _among_used(request: Request, control: Control, narrow: Narrow, relaxed: Relaxed, known: Known) -> None:
    """The first plans; beside a prover, periods decided again until it has found what pays."""
    inside, inner = _as_whole(narrow, control, known), Known(narrow.program)
    take(inner, inside, islice(built(narrow.program, inside, relaxed, NEAR), len(NEAR)))
    relaxed.lp.free()
    if request.role == "improve":
        _until_told(narrow.program, inside, inner, known)


def _go_on(request: Request, control: Control, narrow: Narrow, guide: Guide, known: Known, tries: float) -> bool:
    """From the known plan each period decided again, then so many neighbourhoods; where that is none of the narrow
    program, from one by construction; False where there is none either."""
    program, inside, inner = narrow.program, _as_whole(narrow, control, known), Inside(narrow, known)
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


def _as_whole(narrow: Narrow, control: Control, known: Known) -> Control:
    """The same for the narrow program: its plans are told as plans of the whole, its bounds are none of the whole."""

    def tell(message: Message) -> None:
        if isinstance(message, Incumbent) and known.offer(x := narrow.whole(message.x)):
            control.tell(Incumbent(x))

    return replace(control, tell=tell)
