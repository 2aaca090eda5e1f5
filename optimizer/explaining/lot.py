"""One lot more: a physical change at its owner, and how the numbers of an instance change by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from optimizer.explaining.relief import Relief
from optimizer.formulation.data import Data, Period
from optimizer.formulation.family import Key

MOST = 4  # lots of a value curve where the instance does not say how many there are

Add = Callable[[Data, int, Collection[Period]], Data]


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """What one more would be, of whom, and at what price. `add` changes the data by so many lots in some periods."""

    owner: str  # as in the instance: pools.ash-h100
    text: str
    families: Mapping[str, float]  # families it feeds -> amount per lot in the unit of their rows
    key: tuple[str | None, ...]  # how the keys of these rows begin; None: anything
    add: Add
    usd_per_lot: float | None = None
    max_lots: int = MOST
    declared: bool = False
    decides: str | None = None
    whole: bool = False  # the keys of these rows have no further parts
    lasting: bool = False  # one number for all periods, whichever are asked about
    estimated: bool = False  # the row is a share of what is decided: the amount per lot is its most

    @property
    def promise(self) -> bool:
        """Whether it is a smaller promise and not more of anything."""
        return all(name.endswith("_floor") for name in self.families)

    def owns(self, family: str, key: Key) -> bool:
        """Whether a row is fed by this owner."""
        fits = all(part in (None, there) for part, there in zip(self.key, key, strict=False))
        long_enough = len(key) == len(self.key) if self.whole else len(key) >= len(self.key)
        return family in self.families and fits and long_enough


def lot(owner: str, text: str, feeds: Mapping[str, float], key: tuple[str | None, ...], relief: Relief | None, add: Add,
        *, whole: bool = False, lasting: bool = False, estimated: bool = False) -> Lot:  # fmt: skip
    """A lot as it is declared, else the default that `text` names."""
    usual = Lot(owner, text, feeds, key, add, whole=whole, lasting=lasting, estimated=estimated)
    if relief is None:
        return usual
    most, who = max(1, relief.max_lots), relief.decides
    return replace(usual, usd_per_lot=relief.usd_per_lot, max_lots=most, declared=True, decides=who)


def raised(amounts: Mapping[Period, float], by: float, at: Collection[Period]) -> dict[Period, float]:
    """Amounts of some periods more or less, never below nothing."""
    return {t: max(0.0, amount + by) if t in at else amount for t, amount in amounts.items()}


def in_field(name: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    """A limit that is a number by period."""
    changed: Any = {name: raised(getattr(d, name), n * amount, at)}
    return replace(d, **changed)


def in_named(table: str, name: str, field: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    """A number by period of one member of a table that is keyed by id."""
    rows = getattr(d, table)
    return with_member(d, table, name, **{field: raised(getattr(rows[name], field), n * amount, at)})


def in_nested(table: str, name: str, field: str, key: str, amount: float, d: Data, n: int, at: Collection[Period]
              ) -> Data:  # fmt: skip
    """A number by period under a key of one member."""
    there = getattr(getattr(d, table)[name], field)
    return with_member(d, table, name, **{field: {**there, key: raised(there[key], n * amount, at)}})


def in_listed(table: str, i: int, field: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    """A number by period of one member of a list; of groups of periods, every group that has any of them."""
    rows = list(getattr(d, table))
    there = getattr(rows[i], field)
    touched = [t for t in there if (set(t) & set(at) if isinstance(t, tuple) else t in at)]
    rows[i] = replace(rows[i], **{field: raised(there, n * amount, touched)})
    changed: Any = {table: tuple(rows)}
    return replace(d, **changed)


def in_rate(a: str, field: str, amount: float, d: Data, n: int, at: Collection[Period]) -> Data:
    """A rate limit of an API."""
    return with_member(d, "api_limits", a, **{field: max(0.0, getattr(d.api_limits[a], field) + n * amount)})


def in_offer(o: str, d: Data, n: int, at: Collection[Period]) -> Data:
    """Lots on offer."""
    offer = d.offers[o]
    lots = {t: max(0, many + n) if t in at else many for t, many in offer.lots.items()}
    most = None if offer.max_lots is None else max(0, offer.max_lots + n)
    return with_member(d, "offers", o, lots=lots, max_lots=most)


def with_member(d: Data, table: str, name: str, **fields: Any) -> Data:
    """The data with some fields of one member of a table changed."""
    rows = getattr(d, table)
    changed: Any = {table: {**rows, name: replace(rows[name], **fields)}}
    return replace(d, **changed)
