"""A variant of a program laid out as the program itself: same columns, rows and coefficients, other numbers.

What the variant lacks is held or freed (a column at zero, a row without bounds); what it adds cannot be laid out, and
then it has to be solved as a program of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimizer.engine.program import Floats, Ints, Key, Program

Longs = NDArray[np.int64]
NAMED = 3  # kinds of row or column that a reason names


class NewStructure(ValueError):
    """The variant has rows, columns or coefficients that the program lacks; the message names them."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each column, row and coefficient of a program stands."""

    program: Program

    def align(self, variant: Program) -> Program:
        """The variant in this layout; NewStructure if it does not fit in."""
        base = self.program
        cols = _positions(variant.cols, self._cols, same=variant.cols == base.cols, what="decisions")
        rows = _positions(variant.rows, self._rows, same=variant.rows == base.rows, what="rows")
        if (base.integer[cols] != variant.integer).any():
            raise NewStructure("decisions became whole numbers")
        return replace(
            base,
            value=self._values(variant, cols, rows),
            row_lower=_filled(-np.inf, base.row_lower.size, rows, variant.row_lower),
            row_upper=_filled(np.inf, base.row_upper.size, rows, variant.row_upper),
            col_lower=_filled(0.0, base.cost.size, cols, variant.col_lower),
            col_upper=_filled(0.0, base.cost.size, cols, variant.col_upper),
            cost=_filled(0.0, base.cost.size, cols, variant.cost),
            offset=variant.offset,
        )

    @cached_property
    def _cols(self) -> Mapping[Key, int]:
        return {key: j for j, key in enumerate(self.program.cols)}

    @cached_property
    def _rows(self) -> Mapping[Key, int]:
        return {key: i for i, key in enumerate(self.program.rows)}

    @cached_property
    def _entries(self) -> tuple[Longs, Longs]:
        """Place of each coefficient (row times columns, plus column), sorted, and the order that sorts them."""
        at = _places(self.program.row_of, self.program.index, self.program.cost.size)
        order = np.argsort(at, kind="stable").astype(np.int64)
        return at[order], order

    def _values(self, variant: Program, cols: Ints, rows: Ints) -> Floats:
        base, (places, order) = self.program, self._entries
        wanted = _places(rows[variant.row_of], cols[variant.index], base.cost.size)
        found = np.minimum(np.searchsorted(places, wanted), max(places.size - 1, 0))
        unknown = places[found] != wanted if places.size else np.ones(wanted.size, bool)
        present = np.zeros(base.value.size, bool)
        present[order[found[~unknown]]] = True
        live = np.isin(base.row_of, rows) & np.isin(base.index, cols) & (base.value != 0)
        if unknown.any() or (live & ~present).any():
            kinds = {variant.rows[i][0] for i in variant.row_of[unknown]}
            kinds |= {base.rows[i][0] for i in base.row_of[live & ~present]}
            raise NewStructure(f"other coefficients in {_listed(kinds)}")
        value = base.value.copy()
        value[order[found]] = variant.value
        if ((value == 0) != (base.value == 0)).any():
            raise NewStructure("coefficients that became zero, or were")
        return value


def _positions(keys: Sequence[Key], known: Mapping[Key, int], *, same: bool, what: str) -> Ints:
    if same:
        return np.arange(len(keys), dtype=np.int32)
    new = [key for key in keys if key not in known]
    if new:
        raise NewStructure(f"{len(new)} new {what} in {_listed({name for name, _ in new})}")
    return np.array([known[key] for key in keys], np.int32)


def _places(row: Ints, col: Ints, width: int) -> Longs:
    return row.astype(np.int64) * width + col


def _filled(otherwise: float, size: int, at: Ints, values: Floats) -> Floats:
    filled = np.full(size, otherwise)
    filled[at] = values
    return filled


def _listed(names: set[Hashable] | set[str]) -> str:
    shown = sorted(map(str, names))
    return ", ".join(shown[:NAMED]) + (f" and {len(shown) - NAMED} more" if len(shown) > NAMED else "")
