"""A Pyomo model becomes arrays, once.

Sums of products are walked here, in half the time of `generate_standard_repn`, to which anything else that may
stand in a row is left. Rows stay rows (a two-sided row is one row), the sense stays as written, and the way back is
the list that was walked.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr import (
    DivisionExpression,
    LinearExpression,
    MonomialTermExpression,
    NegationExpression,
    ProductExpression,
    SumExpression,
)
from pyomo.core.expr.numvalue import native_numeric_types
from pyomo.repn import generate_standard_repn

from optimizer.engine.program import Floats, Key, Program, Tag
from optimizer.formulation.pause import no_garbage_collection

INF = float("inf")
SUMS = frozenset({LinearExpression, SumExpression})
PRODUCTS = frozenset({ProductExpression, MonomialTermExpression})


@no_garbage_collection
def compile_model(
    m: pyo.ConcreteModel, *, tags: Mapping[str, Tag] | None = None, periods: Sequence[Hashable] = ()
) -> Program:
    """Active rows, all columns and the one active objective of m.

    `tags` says which variables are strategy and which placement; a column's period is the last part of its
    key that is one of `periods`. Raises ValueError for a row or an objective that is not linear.
    """
    tags = dict(tags or {})
    named = [(var.name, var) for var in m.component_objects(pyo.Var)]
    variables = [(name, key, v) for name, var in named for key, v in var.items()]
    at = {id(v): j for j, (_, _, v) in enumerate(variables)}
    column = np.array([_column(v) for _, _, v in variables], float).reshape(-1, 3)
    free = {i: j for i, j in at.items() if not variables[j][2].fixed}
    cost, offset, maximise = _objective(m, free, len(at))
    return Program(
        **_rows(m, free),
        col_lower=column[:, 0].copy(),
        col_upper=column[:, 1].copy(),
        cost=cost,
        offset=offset,
        maximise=maximise,
        integer=column[:, 2] > 0,
        strategy=np.array([tags.get(name) == "strategy" for name, _, _ in variables], bool),
        period=_periods([key for _, key, _ in variables], periods),
        cols=tuple((name, key) for name, key, _ in variables),
        tags=tags,
    )


class NotLinear(ValueError):
    """A product of decisions, or worse."""


@dataclass(slots=True)
class Linear:
    """A linear expression as it is read: coefficients by column, and a constant."""

    at: Mapping[int, int]  # column of every variable that is not fixed, by identity
    coefs: dict[int, float] = field(default_factory=dict)
    constant: float = 0.0

    def add(self, expression: Any, scale: float = 1.0) -> None:
        """Add `scale` times an expression."""
        kind = expression.__class__
        if kind in SUMS:
            self._add_sum(expression.args, scale)
        elif kind in native_numeric_types:
            self.constant += scale * expression
        elif (j := self.at.get(id(expression))) is not None:
            self.coefs[j] = self.coefs.get(j, 0.0) + scale
        elif kind is NegationExpression:
            self.add(expression.arg(0), -scale)
        elif kind in PRODUCTS and expression.arg(0).__class__ in native_numeric_types:
            self.add(expression.arg(1), scale * expression.arg(0))
        elif kind is DivisionExpression and expression.arg(1).__class__ in native_numeric_types:
            self.add(expression.arg(0), scale / expression.arg(1))
        else:
            self._add_other(expression, scale)

    def _add_sum(self, terms: Sequence[Any], scale: float) -> None:
        at, coefs = self.at, self.coefs
        for term in terms:
            if term.__class__ is MonomialTermExpression:
                coef, v = term.args
                j = at.get(id(v))
                if j is not None and coef.__class__ in native_numeric_types:
                    coefs[j] = coefs.get(j, 0.0) + scale * coef
                    continue
            elif (j := at.get(id(term))) is not None:
                coefs[j] = coefs.get(j, 0.0) + scale
                continue
            self.add(term, scale)

    def _add_other(self, expression: Any, scale: float) -> None:
        linear = generate_standard_repn(expression, compute_values=True)
        if not linear.is_linear():
            raise NotLinear
        self.constant += scale * linear.constant
        for coef, v in zip(linear.linear_coefs, linear.linear_vars, strict=True):
            self.add(v, scale * coef)


def _column(v: Any) -> tuple[float, float, bool]:
    """Bounds and wholeness; a fixed variable, folded into the rows as a constant, is held where it is."""
    if v.fixed:
        return v.value, v.value, False
    lower, upper = v.bounds
    return (-INF if lower is None else lower), (INF if upper is None else upper), not v.is_continuous()


def _rows(m: pyo.ConcreteModel, at: Mapping[int, int]) -> dict[str, Any]:
    keys: list[Key] = []
    start, index, value = array("i", [0]), array("i"), array("d")
    lower, upper = array("d"), array("d")
    for family in m.component_objects(pyo.Constraint, active=True):
        name = family.name
        for key, row in family.items():
            if not row.active:
                continue
            low, body, high = row.to_bounded_expression(evaluate_bounds=True)
            linear = _linear(row, body, at)
            index.extend(linear.coefs)
            value.extend(linear.coefs.values())
            start.append(len(index))
            lower.append(-INF if low is None else low - linear.constant)
            upper.append(INF if high is None else high - linear.constant)
            keys.append((name, key))
    there = np.array(value, float) != 0.0
    return {
        "start": np.append(np.int32(0), np.cumsum(there, dtype=np.int32))[np.array(start, np.int32)],
        "index": np.array(index, np.int32)[there],
        "value": np.array(value, float)[there],
        "row_lower": np.array(lower, float),
        "row_upper": np.array(upper, float),
        "rows": tuple(keys),
    }


def _objective(m: pyo.ConcreteModel, at: Mapping[int, int], columns: int) -> tuple[Floats, float, bool]:
    (objective,) = m.component_data_objects(pyo.Objective, active=True)
    linear = _linear(objective, objective.expr, at)
    cost = np.zeros(columns)
    cost[list(linear.coefs)] = list(linear.coefs.values())
    return cost, linear.constant, objective.sense == pyo.maximize


def _linear(owner: Any, expression: Any, at: Mapping[int, int]) -> Linear:
    linear = Linear(at)
    try:
        linear.add(expression)
    except NotLinear:
        raise NotLinear(f"{owner.name} is not linear") from None
    return linear


def _periods(keys: Sequence[Any], periods: Sequence[Hashable]) -> Any:
    position = {t: i for i, t in enumerate(periods)}
    parts = (key if isinstance(key, tuple) else (key,) for key in keys)
    return np.array([next((position[k] for k in reversed(p) if k in position), -1) for p in parts], np.int32)
