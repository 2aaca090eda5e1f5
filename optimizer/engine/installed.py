"""Which solvers there are, and the versions of what is installed. Nothing is imported to find out."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

INSTALLED = find_spec("pyscipopt") is not None  # the extra `scip`


def solvers() -> dict[str, str]:
    """Name and version of every solver that may have a hand in an answer."""
    scip = {"scip": version("pyscipopt")} if INSTALLED else {}
    return {"highs": version("highspy")} | scip


def release(distribution: str) -> str:
    """The version of a distribution."""
    try:
        return version(distribution)
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"
