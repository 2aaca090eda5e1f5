"""What a constraint family and an objective term are: one function each, with words, formula and unit.

The name's suffix is its grammar: `_capacity` a physical stock, `_limit` an agreed ceiling, `_floor` a
promise, `_link` logic between decisions that is never priced aloud.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from optimizer.formulation.data import Data, Period

Model = Any  # a Pyomo ConcreteModel; Pyomo has no types
Expression = Any  # a Pyomo expression or a number
Key = tuple[str, ...]
Sense = Literal["<=", ">=", "=="]
Kind = Literal["capacity", "limit", "floor", "link"]


class Row(NamedTuple):
    """One row: what is used (or served), against what there is (or was promised)."""

    key: Key
    used: Expression
    sense: Sense
    available: Expression


class Entry(NamedTuple):
    """One cash flow of a term: positive is earned, negative is spent."""

    key: Key
    period: Period
    cash: Expression
    factor: float | None = None  # of present value; None: that of the middle of the period


@dataclass(frozen=True, slots=True)
class _Stated:
    """Something with a name, an index and a docstring that holds its words and its formula."""

    name: str
    index: tuple[str, ...]  # what one row or entry is about; trailing parts of a key may be absent
    text: str

    @property
    def summary(self) -> str:
        """The rule in one sentence."""
        return self.text.strip().splitlines()[0]

    @property
    def formula(self) -> str:
        """LaTeX of the rule, without the dollar signs."""
        found = re.search(r"\$\$(.+?)\$\$", self.text, re.S)
        return " ".join(found.group(1).split()) if found else ""


@dataclass(frozen=True, slots=True)
class Family(_Stated):
    """All rows of one constraint: one name, one switch, one place for its words and formula."""

    unit: str
    price: str  # unit of what one more is worth
    rows: Callable[[Model, Data], Iterator[Row]]

    @property
    def kind(self) -> Kind:
        """Grammar of the family, from its suffix; a family with another name counts as a limit."""
        suffix = self.name.rpartition("_")[2]
        return suffix if suffix in ("capacity", "floor", "link") else "limit"  # type: ignore[return-value]

    @property
    def meaning(self) -> str:
        """What the price means to a planner."""
        found = re.search(r"Price:\s*(.+?)(?:\n\s*\n|\Z)", self.text, re.S)
        return " ".join(found.group(1).split()) if found else ""

    def period(self, key: Key) -> str:
        """Period of a row, or the joined periods of a group, or '' when the row has none."""
        at = self.index.index("period") if "period" in self.index else len(key)
        return key[at] if at < len(key) else ""

    def label(self, key: Key) -> str:
        """Name of a row without its period, as a planner would say it."""
        return " ".join(part for name, part in zip(self.index, key, strict=False) if name != "period")


@dataclass(frozen=True, slots=True)
class Term(_Stated):
    """One named part of the objective; the ledger has a line for each."""

    entries: Callable[[Model, Data], Iterator[Entry]]


def family(*, index: str, unit: str, price: str) -> Callable[[Callable[[Model, Data], Iterator[Row]]], Family]:
    """Turn a generator of rows into a `Family` that is named after it."""

    def make(rows: Callable[[Model, Data], Iterator[Row]]) -> Family:
        return Family(rows.__name__, tuple(index.split()), _dedent(rows.__doc__), unit, price, rows)

    return make


def term(*, index: str) -> Callable[[Callable[[Model, Data], Iterator[Entry]]], Term]:
    """Turn a generator of cash flows into a `Term` that is named after it."""

    def make(entries: Callable[[Model, Data], Iterator[Entry]]) -> Term:
        return Term(entries.__name__, tuple(index.split()), _dedent(entries.__doc__), entries)

    return make


def span(group: tuple[Period, ...]) -> str:
    """Name of a group of periods that share one row."""
    return group[0] if len(group) == 1 else f"{group[0]}..{group[-1]}"


def _dedent(text: str | None) -> str:
    if not text:
        raise ValueError("a family or term needs a docstring: words, formula, meaning of the price")
    return "\n".join(line.strip() for line in text.strip().splitlines())
