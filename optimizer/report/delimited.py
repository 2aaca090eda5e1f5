"""One table of a plan as CSV: a header, then a line per row, full precision."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any, TextIO

from optimizer.plan import TABLES, Plan


def write(plan: Plan, table: str, to: TextIO) -> None:
    """Write a table by its name in the plan; what is unknown is empty."""
    lines = csv.DictWriter(to, TABLES[table].columns, extrasaction="ignore", lineterminator="\n")
    lines.writeheader()
    lines.writerows({name: _cell(value) for name, value in row.items()} for row in plan.document[table])


def _cell(value: Any) -> Any:
    """What is not a plain figure as one cell: `a; b`, or `a 0.6; b 0.4`."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {part}" for name, part in value.items())
    return "; ".join(map(str, value)) if isinstance(value, list) else value
