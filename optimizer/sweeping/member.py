"""One member of a sweep, solved in whatever process it was sent to, and what is kept of its plan."""

from __future__ import annotations

import inspect
import pickle
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import import_module
from threading import Lock
from time import process_time
from typing import Any

from optimizer.engine.installed import solvers
from optimizer.engine.outcome import Outcome, SolverError
from optimizer.formulation.family import Family
from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.load import parse
from optimizer.plan.figures import listed, named
from optimizer.plan.plan import Document
from optimizer.solving import pose
from optimizer.sweeping.design import Point, changed
from optimizer.variants import Base, Change

Row = dict[str, Any]

AGAIN = "again"  # marks a row that is no answer: nobody keeps it
_SOLVING = Lock()  # one member at a time in a process: its solver holds one program


def sendable(extra: Iterable[Family]) -> list[tuple[str, str]]:
    """Where another process finds each family; BadInput if it cannot."""
    return [_reference(each) for each in extra]


def packed(base: Base) -> bytes:
    """All that another process needs to solve members: the instance as data, the options, the base plan, its cuts; and
    the digest of its figures."""
    posed = base.posed
    named = sendable(posed.extra)
    data = (posed.instance.dump(), dict(posed.options), posed.scenario, base.outcome, base.footing, named, posed.sha256)
    return zlib.compress(pickle.dumps(data, protocol=pickle.HIGHEST_PROTOCOL))


@lru_cache(maxsize=1)
def unpacked(study: bytes) -> Base:
    """The base in this process: read, resolved, stated, compiled and cut once for all its members here."""
    data, options, scenario, outcome, footing, named, figures = pickle.loads(zlib.decompress(study))
    _refuse_other_solvers(outcome)
    extra = [getattr(import_module(module), name) for module, name in named]
    posed = pose(parse(data), options, scenario=scenario, set=options["set"], drop=options["drop"], extra=extra)
    if posed.sha256 != figures:
        raise SolverError(
            "this worker has other figures in its catalogue than the base, or other prices: install the same"
        )
    found: Outcome = outcome
    return Base(posed, found, footing).prepared()


def _refuse_other_solvers(outcome: Outcome) -> None:
    """A worker with other solvers would give other rows, and nobody would see it."""
    theirs = {name: release for name, release in outcome.versions.items() if name != "python"}
    if solvers() != theirs:
        raise SolverError(
            f"this worker has {_listed(solvers())}, the base was solved with {_listed(theirs)}: install the same"
        )


def _listed(releases: Mapping[str, str]) -> str:
    return listed([f"{name} {release}" for name, release in sorted(releases.items())])


def sources(extra: Iterable[Family]) -> dict[str, str]:
    """The rows of families as they are written, by name: what tells a family from another of its name."""
    return {each.name: _source(each) for each in extra}


def _source(each: Family) -> str:
    try:
        return inspect.getsource(each.rows)
    except (OSError, TypeError):  # typed into an interpreter, or made by other code: nobody can say it is the same
        return repr(each.rows)


def _reference(each: Family) -> tuple[str, str]:
    """Where another process finds a family; one that was made inside a function cannot be found."""
    module, name = each.rows.__module__, each.name
    if getattr(import_module(module), name, None) is not each:
        message = f"{name} cannot be sent to other processes: define it at the top of a module, under its own name"
        raise BadInput([Fault(None, None, None, "extra", message)])
    return module, name


def change_at(point: Point) -> Change:
    """A point of a design as a variant of the base."""
    scenario, sets, drop = changed(point)
    return Change("member", scenario, sets, drop)


def solve_member(study: bytes, point: Point, nodes: int) -> Row:
    """The row of a member; one that cannot be stated or solved is a row too, with the reason."""
    with _SOLVING:
        return _solved(study, point, nodes)


def _solved(study: bytes, point: Point, nodes: int) -> Row:
    began, solving = process_time(), 0.0
    try:
        base = unpacked(study)
        began = process_time()
        variant = base.vary(change_at(point), nodes)
        row, solving = told(variant.plan.document), variant.solving
    except BadInput as error:
        row = failed("; ".join(f.message for f in error.faults))
    except Exception as error:  # a member that fails must not stop the rest; its reason goes into its row
        row = unsolved(f"{type(error).__name__}: {error}")
    return {**row, "cpu_seconds": process_time() - began, "solver_seconds": solving}


def failed(reason: str) -> Row:
    """The row of a member that cannot be stated."""
    return {"status": "failed", "reason": reason}


def unsolved(reason: str) -> Row:
    """The row of a member that failed for a reason of where it was solved, which another time may not be there."""
    return {**failed(f"{reason}; not kept: the same sweep solves it again"), AGAIN: True}


def told(document: Document) -> Row:
    """What is kept of a plan: how it ended, its value, who is served, and what it takes."""
    head = {name: document[name] for name in ("status", "objective_usd", "bound_usd", "gap", "stopped", "begun")}
    row = {**head, "reason": _reason(document)}
    if document["objective_usd"] is None:
        return row
    return {
        **row,
        "funded": sorted(r["workflow"] for r in document["verdicts"] if r["served_share"] > 0),
        "full": sorted({named(r) for r in document["resources"] if r["full"]}),
        "served": {r["workflow"]: r["served_share"] for r in document["verdicts"]},
        "ledger": {r["term"]: r["usd"] for r in document["ledger"]},
        "peak_mw": _peaks(document),
        "gpus": _most(document, "pools", "used"),
        "hbm_gb": _most(document, "endpoints", "hbm_gb"),
        "capex_usd": sum(r["usd"] for r in document["decisions"] if r["kind"] in ("buy", "upgrade")),
        "mwh": sum(r["mwh"] for r in document["footprint"]),
        "t_co2": sum(r["t_co2"] or 0.0 for r in document["footprint"]),
    }


def _reason(document: Mapping[str, Any]) -> str:
    conflict = document["conflict"]
    if conflict:
        families = f"in conflict: {listed(conflict['families'])}" if conflict["families"] else ""
        return "; ".join(filter(None, (*conflict["reasons"], families)))
    return "" if document["status"] == "optimal" else f"ended by its {document['stopped'] or 'status'}"


def _peaks(document: Document) -> dict[str, float]:
    peaks: dict[str, float] = defaultdict(float)
    for row in document["power"]:
        peaks[row["site"]] = max(peaks[row["site"]], row["kw"] / 1000)
    return dict(peaks)


def _most(document: Document, table: str, column: str) -> float:
    """The largest sum over one period."""
    sums: dict[str, float] = defaultdict(float)
    for row in document[table]:
        sums[row["period"]] += row[column]
    return max(sums.values(), default=0.0)
