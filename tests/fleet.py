"""A small fleet of the formulation's shape, for the tests of the engine alone."""

from __future__ import annotations

import random
from typing import Any

import pyomo.environ as pyo

from optimizer.engine.compile import compile_model
from optimizer.engine.program import Program

TAGS = {"fund": "strategy", "launch": "strategy", "replicas": "placement"}


def fleet_model(workflows: int, endpoints: int, periods: int, seed: int = 0, unit: float = 1.0) -> Any:
    """Workflows share endpoints of four pools; `unit` tasks are counted as one, which changes only magnitudes."""
    dice = random.Random(seed)
    m, ws, es, ts = pyo.ConcreteModel(), range(workflows), range(endpoints), range(periods)
    pairs = [(w, e) for w in ws for e in dice.sample(es, min(endpoints, 6))]
    rate = {p: 2160 * dice.uniform(50, 500) / unit for p in pairs}  # tasks per replica and quarter
    gpus = {e: dice.choice([1, 1, 2, 4, 8]) for e in es}
    demand = {w: 2160 * dice.lognormvariate(7, 1.2) / unit for w in ws}
    worth = {w: dice.lognormvariate(0, 0.6) * 30 * unit / 2160 for w in ws}
    pool, floor = {e: e % 4 for e in es}, {w: dice.uniform(0.2, 0.8) for w in ws}
    wanted = sum(demand[w] / max(rate[p] / gpus[p[1]] for p in pairs if p[0] == w) for w in ws)
    m.serve = pyo.Var([(w, e, f"q{t}") for w, e in pairs for t in ts], domain=pyo.NonNegativeReals)
    m.fund = pyo.Var([(w, f"q{t}") for w in ws for t in ts], domain=pyo.Binary)
    m.launch = pyo.Var([(w, f"q{t}") for w in ws for t in ts], domain=pyo.Binary)
    m.replicas = pyo.Var([(e, f"q{t}") for e in es for t in ts], domain=pyo.NonNegativeIntegers, bounds=(0, 200))
    m.endpoint_capacity, m.gpu_capacity = pyo.Constraint(pyo.Any), pyo.Constraint(pyo.Any)
    m.funding_link, m.service_floor, m.launch_link = (pyo.Constraint(pyo.Any) for _ in range(3))
    for t in ts:
        q = f"q{t}"
        for e in es:
            busy = pyo.quicksum(m.serve[w, e, q] / rate[w, e] for w, f in pairs if f == e)
            if any(f == e for _, f in pairs):
                m.endpoint_capacity[e, q] = busy <= m.replicas[e, q]
        for p in range(4):
            used = pyo.quicksum(gpus[e] * m.replicas[e, q] for e in es if pool[e] == p)
            m.gpu_capacity[p, q] = used <= max(8, int(0.15 * wanted))
        for w in ws:
            served = pyo.quicksum(m.serve[w, e, q] for v, e in pairs if v == w)
            m.funding_link[w, q] = served <= demand[w] * m.fund[w, q]
            m.service_floor[w, q] = served >= floor[w] * demand[w] * m.fund[w, q]
            before = m.fund[w, f"q{t - 1}"] if t else 0
            m.launch_link[w, q] = m.launch[w, q] >= m.fund[w, q] - before
    value = pyo.quicksum(worth[w] * m.serve[w, e, t] for w, e, t in m.serve)
    cost = pyo.quicksum(2.0 * gpus[e] * m.replicas[e, t] for e, t in m.replicas) + 10 * pyo.quicksum(m.launch.values())
    m.net_value = pyo.Objective(expr=value - cost, sense=pyo.maximize)
    return m


def fleet(workflows: int, endpoints: int, periods: int, seed: int = 0, unit: float = 1.0) -> Program:
    """The same, compiled, with its strategy and its periods named."""
    m = fleet_model(workflows, endpoints, periods, seed, unit)
    return compile_model(m, tags=TAGS, periods=[f"q{t}" for t in range(periods)])
