"""Rows and columns brought to one magnitude, exactly.

Tasks run to 10^8 and replica-hours per task to 10^-6, while a solver's tolerances are absolute. Powers of two
change no digit; whole-number columns keep their unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.engine.program import Floats, Ints, Program

PASSES = 4


@dataclass(frozen=True, eq=False)
class Scaled:
    """A program in the solver's units: x = unit * scaled x, objective = money * scaled objective.

    Each row was multiplied by `row`.
    """

    program: Program
    unit: Floats
    money: float
    row: Floats

    def like(self, program: Program) -> Scaled:
        """Another program of the same rows and columns in the same units; further rows at its end come to about one."""
        size = np.log2(np.maximum(np.abs(program.value * self.unit[program.index]), np.finfo(float).tiny))
        row = _balance(size, program.row_of, program.row_lower.size)
        row[: self.row.size] = self.row
        return _in_units(program, row, self.unit, self.money)


def scale(program: Program) -> Scaled:
    """Geometric equilibration of rows and continuous columns, cost to about one."""
    row, unit = _factors(program)
    cost = program.cost * unit
    return _in_units(program, row, unit, _power_of_two(_middle(cost[cost != 0])))


def _in_units(program: Program, row: Floats, unit: Floats, money: float) -> Scaled:
    scaled = replace(
        program,
        value=program.value * row[program.row_of] * unit[program.index],
        row_lower=program.row_lower * row,
        row_upper=program.row_upper * row,
        col_lower=program.col_lower / unit,
        col_upper=program.col_upper / unit,
        cost=program.cost * unit / money,
        offset=program.offset / money,
    )
    return Scaled(scaled, unit, money, row)


def _factors(program: Program) -> tuple[Floats, Floats]:
    row, unit = np.ones(program.row_lower.size), np.ones(program.cost.size)
    keep = program.value != 0
    rows, cols = program.row_of[keep], program.index[keep]
    size = np.log2(np.abs(program.value[keep]))
    for _ in range(PASSES):
        row = _balance(size + np.log2(unit)[cols], rows, row.size)
        unit = np.where(program.integer, 1.0, _balance(size + np.log2(row)[rows], cols, unit.size))
    return row, unit


def _balance(size: Floats, group: Ints, groups: int) -> Floats:
    """Per group the power of two that centres its smallest and largest entry (log2) on zero."""
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(low, group, size)
    np.maximum.at(high, group, size)
    used = np.isfinite(low)
    return np.exp2(np.where(used, -np.round((np.where(used, low, 0) + np.where(used, high, 0)) / 2), 0.0))


def _middle(values: Floats) -> float:
    return float(np.exp(np.log(np.abs(values)).mean())) if values.size else 1.0


def _power_of_two(value: float) -> float:
    return float(np.exp2(np.round(np.log2(value))))
