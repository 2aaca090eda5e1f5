"""From hand-made `Data` to the tables of its plan, without a file and without the check against one."""

from __future__ import annotations

from time import monotonic
from typing import Any

from optimizer.engine.compile import compile_model
from optimizer.engine.highs import solve_program
from optimizer.formulation.build import state
from optimizer.formulation.data import Data
from optimizer.plan.build import allocation
from optimizer.plan.studies import studies
from optimizer.solving import TAGS

Document = dict[str, Any]


def planned(d: Data, *, judge: bool = False, seconds: float = 20.0) -> Document:
    """The tables of the best plan; with `judge` also those that take further solves."""
    stated = state(d)
    program = compile_model(stated.model, tags=TAGS, periods=d.calendar.periods)
    outcome = solve_program(program, gap=1e-9)
    document = allocation(d, stated, program, outcome, 1e-9)
    until = monotonic() + seconds
    return {**document, **studies(d, stated, program, outcome, document, until)} if judge else document


def rows(document: Document, table: str, **where: Any) -> list[Document]:
    """Lines of a table with these values."""
    return [row for row in document[table] if all(row[key] == value for key, value in where.items())]


def row(document: Document, table: str, **where: Any) -> Document:
    """The only line of a table with these values."""
    (found,) = rows(document, table, **where)
    return found
