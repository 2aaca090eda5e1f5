"""A plan on a terminal: the answer first, then the tables, then what was assumed."""

from __future__ import annotations

from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from optimizer.plan import Plan
from optimizer.report.answer import answer
from optimizer.report.blocks import blocks
from optimizer.report.grids import Grid, grids

WIDEST = 100
NOTES = 12  # assumptions that are shown; all of them are in the plan

STYLES = {"title": "bold", "good": "green", "fair": "yellow", "bad": "red", "item": "", "plain": ""}


class Page(Console):
    """Plain words, as wide as the terminal and at most 100 columns; no colours when piped."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)
        self.width = min(self.width, WIDEST) if self.is_terminal else WIDEST

    def on_broken_pipe(self) -> None:
        """A reader that leaves early is the command's business, not the end of the process."""
        raise BrokenPipeError


def show(plan: Plan, to: Console) -> None:
    """Print the whole plan for a person."""
    for style, text in answer(plan):
        paragraph(text, to, STYLES[style], item=style == "item")
    for grid in (*grids(plan), *blocks(plan)):
        table(grid, to)
    _notes(plan, to)
    _footer(plan, to)


def table(grid: Grid, to: Console) -> None:
    """Print one table with its title."""
    to.print()
    paragraph(grid.title, to, "bold")
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    whole = _whole(grid, to.width)
    for i, column in enumerate(grid.columns):
        kept = i >= grid.folds or i in whole
        drawn.add_column(column, justify="left" if i < grid.left else "right", overflow="fold", no_wrap=kept)
    for row in grid.rows:
        drawn.add_row(*row)
    to.print(drawn)
    if grid.note:
        paragraph(grid.note, to, "dim")


def _whole(grid: Grid, width: int) -> set[int]:
    """Columns of single names, which would be split within a word; none where the page has no room for them."""
    columns = list(zip(grid.columns, *grid.rows, strict=True))
    words = [max(len(word) for cell in column for word in (cell.split() or [""])) for column in columns]
    lines = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    least = sum(words[: grid.folds]) + sum(lines[grid.folds :]) + len(columns)
    return {i for i in range(grid.folds) if words[i] == lines[i]} if least <= width else set()


def _notes(plan: Plan, to: Console) -> None:
    notes = plan.document["notes"]
    if not notes:
        return
    to.print()
    paragraph("Assumed where the instance says nothing", to, "bold")
    for note in notes[:NOTES]:
        paragraph(note, to, item=True)
    if len(notes) > NOTES:
        paragraph(f"and {len(notes) - NOTES} more, under `notes` in the plan", to, item=True)


def _footer(plan: Plan, to: Console) -> None:
    check, seconds = plan.document["verification"], plan.document["seconds"]
    checked = f"Checked against the instance: {check['checked_rows']:,} rows hold, and every replica has its GPUs. "
    to.print()
    paragraph(f"{checked if check['passed'] else ''}{seconds:.1f} s.", to, "dim")


def paragraph(words: str, to: Console, style: str = "", *, item: bool = False) -> None:
    """Words wrapped to the page, without the blanks at line ends that padding would leave."""
    first, rest = ("  - ", "    ") if item else ("", "")
    for line in wrap(words, to.width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False):
        to.print(Text(line, style=style))
