"""Solvency: which AI workflows survive the unit economics, on which hardware, when, and why.

    from optimizer import load, solve
    plan = solve(load("fleet.yaml"))
    plan.workflows

Names are imported when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.comparing import Comparison, compare
    from optimizer.engine.outcome import SolverError
    from optimizer.engine.progress import Progress
    from optimizer.explaining import Explanation, explain
    from optimizer.formulation.families import FAMILIES
    from optimizer.formulation.family import Family, Row, family
    from optimizer.formulation.terms import TERMS
    from optimizer.instance import BadInput, Fault, Instance, load, parse
    from optimizer.plan import Plan
    from optimizer.solving import InternalError, formulate, solve
    from optimizer.sweeping import Sweep, sweep
    from optimizer.variants import Base, Change, Variant
    from optimizer.verify import NoPlacement, Verification, placement

_HOMES = {
    "optimizer.comparing": ("Comparison", "compare"),
    "optimizer.engine.outcome": ("SolverError",),
    "optimizer.engine.progress": ("Progress",),
    "optimizer.explaining": ("Explanation", "explain"),
    "optimizer.formulation.families": ("FAMILIES",),
    "optimizer.formulation.family": ("Family", "Row", "family"),
    "optimizer.formulation.terms": ("TERMS",),
    "optimizer.instance": ("BadInput", "Fault", "Instance", "load", "parse"),
    "optimizer.plan": ("Plan",),
    "optimizer.solving": ("InternalError", "formulate", "solve"),
    "optimizer.sweeping": ("Sweep", "sweep"),
    "optimizer.variants": ("Base", "Change", "Variant"),
    "optimizer.verify": ("NoPlacement", "Verification", "placement"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "FAMILIES", "TERMS", "BadInput", "Base", "Change", "Comparison", "Explanation", "Family", "Fault",
    "Instance", "InternalError", "NoPlacement", "Plan", "Progress", "Row", "SolverError", "Sweep", "Variant",
    "Verification", "compare", "explain", "family", "formulate", "load", "parse", "placement", "solve", "sweep",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
