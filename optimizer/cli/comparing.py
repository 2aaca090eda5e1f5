"""`solvency compare`: two saved plans, or two instances that are solved first, also in one of their scenarios."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from optimizer.cli.ends import Exit, say
from optimizer.cli.inputs import is_plan, read_instance
from optimizer.cli.whatif import table_named
from optimizer.comparing import compare
from optimizer.comparing.tables import COLUMNS
from optimizer.plan.plan import Plan
from optimizer.report.compared import show_comparison
from optimizer.report.text import Page
from optimizer.solving import solve


def compare_files(before: str, after: str, gap: float, time_limit: float, form: str, name: str) -> Exit:
    """Print what is different in the second: as text, as JSON, or one table as CSV."""
    table_named(name)
    compared = compare(_plan(before, gap, time_limit), _plan(after, gap, time_limit))
    if form == "json":
        print(compared.to_json())
    elif form == "csv":
        lines = csv.DictWriter(sys.stdout, COLUMNS[name], lineterminator="\n")
        lines.writeheader()
        lines.writerows(compared.document[name])
    else:
        show_comparison(compared.document, Page())
    return Exit.SOLVED


def _plan(side: str, gap: float, time_limit: float) -> Plan:
    """A saved plan; an instance, as FILE or FILE@SCENARIO, is solved."""
    path, scenario = Path(side), None
    if not path.exists() and "@" in side:
        name, _, scenario = side.rpartition("@")
        path = Path(name)
    if scenario is None and is_plan(path):
        return Plan.read(path)
    say(f"{side} is no saved plan: solving it")
    instance, left_out = read_instance(path)
    return solve(instance, gap=gap, time_limit=time_limit, scenario=scenario, drop=left_out, judge=False)
