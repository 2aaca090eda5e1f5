"""Which solvers there are, and their versions. Nothing is imported to find out."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

INSTALLED = find_spec("pyscipopt") is not None  # the extra `scip`


def solvers() -> dict[str, str]:
    """Name and version of every solver that may have a hand in an answer."""
    scip = {"scip": version("pyscipopt")} if INSTALLED else {}
    return {"highs": version("highspy")} | scip
