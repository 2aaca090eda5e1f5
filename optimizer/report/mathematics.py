"""The mathematics, printed from the families and terms themselves: words, formula, meaning of the price."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.formulation.build import Formulation
from optimizer.formulation.families import FAMILIES
from optimizer.formulation.terms import TERMS
from optimizer.report.grids import Grid

PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage{amsmath,amssymb}
\begin{document}
\section*{Solvency: the program}
Maximise the present value of the terms, subject to the families."""


def text() -> Iterator[str]:
    """The statement for a terminal, line by line; formulae in LaTeX."""
    yield "Maximise the present value of these terms, subject to the families below."
    for each in TERMS:
        yield from ("", f"term {each.name} [{', '.join(each.index)}]", f"  {each.summary}", f"  {each.formula}")
    for family in FAMILIES:
        yield from ("", f"family {family.name} [{', '.join(family.index)}] in {family.unit}")
        yield from (f"  {family.summary}", f"  {family.formula}", f"  Price ({family.price}): {family.meaning}")


def latex() -> Iterator[str]:
    """The statement as a LaTeX document, line by line."""
    yield PREAMBLE
    yield r"\subsection*{Terms of the objective}"
    for each in TERMS:
        yield from _paragraph(each.name, each.summary, each.formula)
    yield r"\subsection*{Constraint families}"
    for family in FAMILIES:
        yield from _paragraph(family.name, family.summary, family.formula)
        yield _escaped(f"Price, in {family.price}: {family.meaning}")
    yield r"\end{document}"


def counts(stated: Formulation) -> Grid:
    """Rows of each family for one instance: on, off (dropped) or absent (the instance has no data for it)."""
    dropped = {pattern.partition("[")[0] for pattern in stated.dropped if "[" not in pattern}
    lines = []
    for family in stated.families:
        rows = len(stated.rows[family.name])
        state = "off" if family.name in dropped else "on" if rows else "absent"
        lines.append((family.name, state, family.unit, f"{rows:,}"))
    return Grid("Constraint families", ("family", "state", "unit", "rows"), tuple(lines), left=3)


def _paragraph(name: str, summary: str, formula: str) -> Iterator[str]:
    yield rf"\paragraph{{{_escaped(name)}}} {_escaped(summary)}"
    yield rf"\[ {formula} \]"


def _escaped(words: str) -> str:
    for sign in "&%$#_":
        words = words.replace(sign, rf"\{sign}")
    return words
