"""A first plan of a program of the tests, as good as a placement within 5 % of its strategy's best is."""

from __future__ import annotations

from optimizer.engine.linear import relax
from optimizer.engine.program import Floats, Program
from optimizer.engine.solver import Control
from optimizer.engine.start import dived, placed


def started(program: Program, control: Control) -> Floats:
    """The strategy of the linear program, placed."""
    relaxed = relax(program, control)
    assert relaxed is not None
    strategy = dived(relaxed)
    assert strategy is not None
    x = placed(program, control, strategy, 0.05)
    assert x is not None
    return x
