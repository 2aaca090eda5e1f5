"""What a program is worth, and the base that changes of it are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from optimizer.engine.program import Floats, Program
from optimizer.engine.progress import relative_gap

if TYPE_CHECKING:
    from optimizer.engine.laid import BaseCuts

Method = Literal[
    "solved again", "branch and cut", "bounded at the root", "bounded by the base's cuts",
    "bounded at the base's prices",
]  # fmt: skip
SOLVED: Method = "solved again"
SEARCHED: Method = "branch and cut"
AT_ROOT: Method = "bounded at the root"
BY_CUTS: Method = "bounded by the base's cuts"
AT_PRICES: Method = "bounded at the base's prices"


@dataclass(frozen=True, eq=False)
class Worth:
    """The optimum lies in [low, high]; `x` attains low. An infeasible program is worth -inf."""

    low: float
    high: float
    x: Floats | None
    method: Method
    seconds: float

    @property
    def infeasible(self) -> bool:
        """Proved that no plan exists."""
        return self.high == -np.inf

    @property
    def unknown(self) -> bool:
        """Neither a plan nor a proof that there is none."""
        return self.x is None and not self.infeasible


@dataclass(frozen=True, eq=False)
class Base:
    """The program that changes are measured against, and what was proved of it; `exact` if it is small. `prices` are
    those of its linear program, None where it was not solved; `cuts` how it was cut, None where it was not."""

    program: Program
    worth: Worth
    exact: bool
    prices: Floats | None = None
    cuts: BaseCuts | None = None

    @property
    def gap(self) -> float:
        """Between its best plan and its bound, in parts of the plan."""
        gap = relative_gap(self.worth.low, self.worth.high)
        assert gap is not None
        return gap
