"""A plan on a terminal: the answer first, then the tables, then what was assumed."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from optimizer.plan import Plan
from optimizer.report.answer import answer
from optimizer.report.grids import Grid, grids

WIDEST = 100
NOTES = 12  # assumptions that are shown; all of them are in the plan

STYLES = {"title": "bold", "good": "green", "fair": "yellow", "bad": "red", "item": "", "plain": ""}


def console(*, stderr: bool = False) -> Console:
    """Where text goes: as wide as the terminal and at most 100 columns; plain when piped."""
    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    return Console(
        stderr=stderr,
        highlight=False,
        markup=False,
        emoji=False,
        width=min(found.width, WIDEST) if found.is_terminal else WIDEST,
    )


def show(plan: Plan, to: Console) -> None:
    """Print the whole plan for a person."""
    for style, text in answer(plan):
        line = Text(f"- {text}" if style == "item" else text, style=STYLES[style])
        to.print(Padding(line, (0, 0, 0, 2 if style == "item" else 0)))
    for grid in grids(plan):
        table(grid, to)
    _notes(plan, to)
    _footer(plan, to)


def table(grid: Grid, to: Console) -> None:
    """Print one table with its title."""
    to.print()
    to.print(Text(grid.title, style="bold"))
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for i, column in enumerate(grid.columns):
        drawn.add_column(column, justify="left" if i < grid.left else "right", overflow="fold")
    for row in grid.rows:
        drawn.add_row(*row)
    to.print(drawn)
    if grid.note:
        to.print(Text(grid.note, style="dim"))


def _notes(plan: Plan, to: Console) -> None:
    notes = plan.document["notes"]
    if not notes:
        return
    to.print()
    to.print(Text("Assumed where the instance says nothing", style="bold"))
    for note in notes[:NOTES]:
        to.print(Padding(Text(f"- {note}"), (0, 0, 0, 2)))
    if len(notes) > NOTES:
        to.print(Text(f"  and {len(notes) - NOTES} more, under `notes` in the plan", style="dim"))


def _footer(plan: Plan, to: Console) -> None:
    to.print()
    check, seconds = plan.document["verification"], plan.document["seconds"]
    if check["passed"]:
        checked = f"Checked against the instance: {check['checked_rows']:,} rows hold, and every replica has its GPUs."
        to.print(Text(f"{checked} {seconds:.1f} s.", style="dim"))
    else:
        to.print(Text(f"{seconds:.1f} s.", style="dim"))
