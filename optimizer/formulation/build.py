"""State the program: decisions, then each family that is on, then the objective, term by term."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

import pyomo.environ as pyo

from optimizer.formulation.data import Data
from optimizer.formulation.families import FAMILIES
from optimizer.formulation.family import Entry, Expression, Family, Key, Model, Row, Sense
from optimizer.formulation.terms import TERMS
from optimizer.formulation.variables import declare


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


class UnknownFamily(ValueError):
    """A name to be dropped that no family and no term has."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, tuple(known)
        self.close = get_close_matches(name, self.known, n=1)
        maybe = f"Maybe {self.close[0]}?" if self.close else "Known: " + ", ".join(self.known)
        super().__init__(f"no constraint family or term is called {name!r}. {maybe}")


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
        kept = [row for row in each.rows(m, d) if not _is_dropped(each.name, row.key, dropped)]
        rows[each.name] = tuple(kept)
        _add(m, each.name, kept)
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
    """Raise UnknownFamily for a pattern that names neither a family nor a term."""
    known = [each.name for each in (*families, *TERMS)]
    for pattern in patterns:
        if pattern.partition("[")[0] not in known:
            raise UnknownFamily(pattern.partition("[")[0], known)


def _is_dropped(name: str, key: Key, patterns: Iterable[str]) -> bool:
    return any(_matches(pattern, name, key) for pattern in patterns)


def _matches(pattern: str, name: str, key: Key) -> bool:
    """`family`, or `family[a,*]`: each part a name or a wildcard, missing parts match all."""
    head, bracket, inside = pattern.partition("[")
    if head != name:
        return False
    wanted = [part.strip() for part in inside.removesuffix("]").split(",")] if bracket else []
    return len(wanted) <= len(key) and all(fnmatchcase(part, want) for part, want in zip(key, wanted, strict=False))
