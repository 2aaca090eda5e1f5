"""State the program: decisions, then each family that is on, then the objective, term by term."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

import pyomo.environ as pyo

from optimizer.formulation.data import Data
from optimizer.formulation.families import FAMILIES
from optimizer.formulation.family import Entry, Expression, Family, Key, Model, Row, Sense
from optimizer.formulation.pause import no_garbage_collection
from optimizer.formulation.terms import TERMS
from optimizer.formulation.variables import declare

SHOWN = 40  # names that a message lists at most


@dataclass(frozen=True)
class Formulation:
    """The model and the way back from its rows and its objective to the words of the planner."""

    model: Model
    families: tuple[Family, ...]
    rows: Mapping[str, tuple[Row, ...]]  # by family; absent data gives none
    terms: Mapping[str, tuple[Entry, ...]]
    dropped: tuple[str, ...]

    @property
    def executable(self) -> bool:
        """False when logic was dropped to study the formulation: such a plan cannot be carried out."""
        free = {"tool_link", "launch_link", "change_link"}
        names = {pattern.partition("[")[0] for pattern in self.dropped}
        return not any(name.endswith("_link") and name not in free for name in names)


class NothingToDrop(ValueError):
    """What was to be dropped is not there: a family or term by that name, or a row that the pattern matches."""

    def __init__(self, what: str, asked: str, known: Iterable[str]) -> None:
        names = tuple(known)
        close = get_close_matches(asked, names, n=1)
        self.what, self.maybe = what, f"{close[0]}?" if close else f"one of {', '.join(names[:SHOWN])}" if names else ""
        super().__init__(f"{what}. Maybe {self.maybe}" if self.maybe else what)


@no_garbage_collection
def state(d: Data, without: Iterable[str] = (), extra: Iterable[Family] = ()) -> Formulation:
    """The program of an instance. `without` names families, rows (`power_limit[ashburn,*]`) or terms.

    A dropped term is not counted in the net value; budgets still see its cash.
    """
    families, dropped = (*FAMILIES, *extra), tuple(without)
    refuse_unknown(dropped, families)
    m = pyo.ConcreteModel(name=d.name)
    declare(m, d)
    rows = {}
    for each in families:
        there = list(each.rows(m, d))
        _refuse_unmatched(each.name, [row.key for row in there], dropped)
        rows[each.name] = tuple(row for row in there if not _is_dropped(each.name, row.key, dropped))
        _add(m, each.name, rows[each.name])
    terms = {each.name: () if each.name in dropped else tuple(each.entries(m, d)) for each in TERMS}
    present = (present_value(d, entry) for entries in terms.values() for entry in entries)
    m.net_value = pyo.Objective(expr=pyo.quicksum(present), sense=pyo.maximize)
    return Formulation(m, families, rows, terms, dropped)


def build(d: Data, without: Iterable[str] = (), extra: Iterable[Family] = ()) -> Model:
    """The Pyomo model alone, to extend or to inspect."""
    return state(d, without, extra).model


def present_value(d: Data, entry: Entry) -> Expression:
    """Cash of an entry as the objective counts it."""
    return (d.calendar.discount[entry.period] if entry.factor is None else entry.factor) * entry.cash


def _add(m: Model, name: str, rows: Iterable[Row]) -> None:
    component = pyo.Constraint(pyo.Any)  # keys of one family may differ in length
    m.add_component(name, component)
    for row in rows:
        component[row.key] = _relation(m, row)


def _relation(m: Model, row: Row) -> Expression:
    relation = _compare(row.used, row.sense, row.available)
    if isinstance(relation, bool):  # no decision in it: written on a column that is zero
        return _compare(row.used + m.nothing, row.sense, row.available)
    return relation


def _compare(used: Expression, sense: Sense, available: Expression) -> Expression:
    if sense == "<=":
        return used <= available
    return used >= available if sense == ">=" else used == available


def refuse_unknown(patterns: Iterable[str], families: Iterable[Family]) -> None:
    """Raise NothingToDrop for a pattern that names neither a family nor a term; a term has no rows to name."""
    heads, whole = [each.name for each in families], [each.name for each in TERMS]
    for pattern in patterns:
        name, bracket, _ = pattern.partition("[")
        if name not in (*heads, *whole):
            raise NothingToDrop(f"no constraint family or term is called {name!r}", name, (*heads, *whole))
        if bracket and name in whole:
            raise NothingToDrop(f"{pattern!r}: {name} is a term, which is dropped whole", name, whole)


def _refuse_unmatched(name: str, keys: Collection[Key], patterns: Iterable[str]) -> None:
    """A pattern for rows that matches none is a mistake, not a wish without effect."""
    for pattern in patterns:
        if pattern.startswith(f"{name}[") and not any(_matches(pattern, name, key) for key in keys):
            what = f"no row matches {pattern!r}" if keys else f"{name} has no rows in this instance"
            raise NothingToDrop(what, pattern, [f"{name}[{','.join(key)}]" for key in keys])


def _is_dropped(name: str, key: Key, patterns: Iterable[str]) -> bool:
    return any(_matches(pattern, name, key) for pattern in patterns)


def _matches(pattern: str, name: str, key: Key) -> bool:
    """`family`, or `family[a,*]`: each part a name or a wildcard, missing parts match all."""
    head, bracket, inside = pattern.partition("[")
    if head != name:
        return False
    wanted = [part.strip() for part in inside.removesuffix("]").split(",")] if bracket else []
    return len(wanted) <= len(key) and all(fnmatchcase(part, want) for part, want in zip(key, wanted, strict=False))
