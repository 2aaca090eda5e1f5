"""One table of a plan as CSV: a header, then a line per row, full precision."""

from __future__ import annotations

import csv
from typing import TextIO

from optimizer.plan import TABLES, Plan


def write(plan: Plan, table: str, to: TextIO) -> None:
    """Write a table by its name in the plan; what is unknown is empty."""
    lines = csv.DictWriter(to, TABLES[table].columns, extrasaction="ignore", lineterminator="\n")
    lines.writeheader()
    lines.writerows(plan.document[table])
