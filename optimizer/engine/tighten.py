"""Bounds of whole numbers and their coefficients, tightened by single rows: the same plans, fewer fractions.

In a row  a x + c y <= b  with y whole and at the bound where it asks most of the row, let `over` be how far a x + c y
can go beyond b with every column at its worst. If |c| > over, then the row asks for nothing once y is one step away,
and |c| cut to `over`, with b moved so that nothing changes at the bound, says just the same of whole y and more of
fractions (Savelsbergh, ORSA Journal on Computing 6, 1994). So an endpoint for whose work a third of a replica is
enough is a third as large.

Bounds of continuous columns are tightened on the way only: what a row says of them it goes on saying.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.engine.program import Flags, Floats, Ints, Program

ROUNDS = 10  # over all rows, for bounds; and for bounds and coefficients in turn
ENOUGH = 1e-3  # by which a continuous bound has to be better, relative
WHOLE = 1e-6  # below a whole number that counts as that number
SAFE = 1e-9  # left of what is cut, relative to what a row can come to
SMALLEST = 1e-4  # of a coefficient that is left of it


def tightened(program: Program) -> Program:
    """A program of the same plans; the program itself where its rows contradict each other."""
    for _ in range(ROUNDS):
        bounds = _bounds(program)
        if (bounds.lower > bounds.upper).any():
            return program
        program, cut = _cut(program, bounds)
        if not cut:
            break
    return program


@dataclass(frozen=True, eq=False)
class _Bounds:
    lower: Floats
    upper: Floats


@dataclass(frozen=True, eq=False)
class _Reach:
    """Least and most that each row can come to: finite terms and how many are not; and both of each nonzero."""

    low: Floats
    low_open: Ints
    high: Floats
    high_open: Ints
    term_low: Floats
    term_high: Floats

    @classmethod
    def of(cls, program: Program, row_of: Ints, at: _Bounds) -> _Reach:
        low, up, value = at.lower[program.index], at.upper[program.index], program.value
        with np.errstate(invalid="ignore"):  # zero times a bound that is not there
            least, most = np.where(value > 0, low, up) * value, np.where(value > 0, up, low) * value
        rows = program.row_lower.size
        return cls(*_total(row_of, least, rows), *_total(row_of, most, rows), least, most)

    def without(self, row_of: Ints) -> tuple[Floats, Floats]:
        """Least and most of a row without each of its nonzeros."""
        return (
            _rest(self.low[row_of], self.low_open[row_of], self.term_low, -np.inf),
            _rest(self.high[row_of], self.high_open[row_of], self.term_high, np.inf),
        )


def _total(row_of: Ints, terms: Floats, rows: int) -> tuple[Floats, Ints]:
    finite = np.isfinite(terms)
    return (np.bincount(row_of, np.where(finite, terms, 0.0), rows).astype(np.float64, copy=False),
            np.bincount(row_of, ~finite, rows).astype(np.int32))  # fmt: skip


def _rest(total: Floats, open_: Ints, term: Floats, infinite: float) -> Floats:
    finite = np.isfinite(term)
    return np.where(open_ - ~finite == 0, total - np.where(finite, term, 0.0), infinite)


def _bounds(program: Program) -> _Bounds:
    """What rows leave to each column, round after round, until it comes to little."""
    row_of, at = program.row_of, _Bounds(program.col_lower, program.col_upper)
    for _ in range(ROUNDS):
        better = _left(program, row_of, at)
        if (better.lower > better.upper).any() or not _gained(program, at, better).any():
            return better
        at = better
    return at


def _left(program: Program, row_of: Ints, at: _Bounds) -> _Bounds:
    low, high = _Reach.of(program, row_of, at).without(row_of)
    value, integer = program.value, program.integer
    with np.errstate(invalid="ignore", divide="ignore"):
        most, least = (program.row_upper[row_of] - low) / value, (program.row_lower[row_of] - high) / value
    upper, lower = at.upper.copy(), at.lower.copy()
    np.fmin.at(upper, program.index, np.where(value > 0, most, np.where(value < 0, least, np.inf)))
    np.fmax.at(lower, program.index, np.where(value > 0, least, np.where(value < 0, most, -np.inf)))
    upper = np.where(integer, np.floor(upper + WHOLE * np.maximum(1.0, np.abs(upper))), upper)
    lower = np.where(integer, np.ceil(lower - WHOLE * np.maximum(1.0, np.abs(lower))), lower)
    return _kept(program, at, _Bounds(lower, upper))


def _kept(program: Program, at: _Bounds, better: _Bounds) -> _Bounds:
    """Only what is better by enough."""
    gained = _gained(program, at, better)
    return _Bounds(np.where(gained, better.lower, at.lower), np.where(gained, better.upper, at.upper))


def _gained(program: Program, at: _Bounds, better: _Bounds) -> Flags:
    size = np.maximum(1.0, np.where(np.isfinite(at.upper), np.abs(at.upper), 1.0))
    enough = np.where(program.integer, 0.5, ENOUGH * size)
    return (better.upper < at.upper - enough) | (better.lower > at.lower + enough)


def _cut(program: Program, at: _Bounds) -> tuple[Program, bool]:
    """The program with bounds of whole numbers and coefficients cut, and whether any coefficient was."""
    row_of, value = program.row_of, program.value
    over = _over(program, _Reach.of(program, row_of, at))[row_of]
    size = np.abs(value)
    long = program.integer[program.index] & (over < size) & (over > SMALLEST * size)
    less = np.where(long, np.sign(value) * (size - over), 0.0)
    capped = np.isfinite(program.row_upper)[row_of]
    worst = np.where((value > 0) == capped, at.upper[program.index], at.lower[program.index])
    moved = np.bincount(row_of, np.where(long, less * np.where(long, worst, 0.0), 0.0), program.row_lower.size)
    whole = program.integer
    return replace(
        program, value=value - less, row_lower=program.row_lower - moved, row_upper=program.row_upper - moved,
        col_lower=np.where(whole, at.lower, program.col_lower), col_upper=np.where(whole, at.upper, program.col_upper),
    ), bool(long.any())  # fmt: skip


def _over(program: Program, reach: _Reach) -> Floats:
    """How far each row can go beyond its one limit; infinite for equations, ranges and rows that hold anyway."""
    capped, floored = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    above = np.where(reach.high_open == 0, reach.high - program.row_upper, np.inf)
    below = np.where(reach.low_open == 0, program.row_lower - reach.low, np.inf)
    over = np.where(capped & ~floored, above, np.where(floored & ~capped, below, np.inf))
    safe = SAFE * np.maximum(1.0, np.where(capped, np.abs(reach.high), np.abs(reach.low)))
    return np.where(over > safe, over + safe, np.inf)
