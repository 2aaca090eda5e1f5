"""`solvency formulation`: the mathematics, or for an instance the rows that each family yields."""

from __future__ import annotations

from pathlib import Path

from optimizer.cli.ends import Exit
from optimizer.cli.inputs import read_instance, refusal
from optimizer.instance.arguments import scenarios
from optimizer.instance.changes import apply
from optimizer.report import mathematics
from optimizer.report.text import Page, table
from optimizer.resolve import resolve
from optimizer.solving import formulated


def print_formulation(
    file: Path | None, scenario: str | None, changes: list[str], drop: list[str], *, latex: bool
) -> Exit:
    """Words and formulae of every term and family; with a file, which are on, off and absent, and their rows."""
    if file is None and (scenario is not None or changes or drop):
        raise refusal(None, "--scenario, --set and --drop change an instance, and none is named", "name its FILE")
    if latex or file is None:
        print("\n".join(mathematics.latex() if latex else mathematics.text()))
    if file is not None:
        instance, left_out = read_instance(file, scenario)
        changed, dropped = apply(instance, changes, scenarios(scenario))
        program = formulated(resolve(changed).data, (*drop, *dropped, *left_out))
        table(mathematics.counts(program), Page(stderr=latex))
    return Exit.SOLVED
