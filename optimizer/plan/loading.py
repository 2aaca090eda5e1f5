"""The values of decisions, put into the model that they are the values of."""

from __future__ import annotations

import pyomo.environ as pyo

from optimizer.engine.outcome import Values
from optimizer.formulation.build import Formulation


def load(stated: Formulation, decided: Values) -> None:
    """Give every decision of the model its value; what the solver never saw is zero."""
    for variable in stated.model.component_objects(pyo.Var):
        values = decided.get(variable.name, {})
        for key, decision in variable.items():
            decision.set_value(values.get(key, 0.0), skip_validation=True)
