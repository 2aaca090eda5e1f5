"""The decisions. Bounds come from demand alone, so that a family that is switched off really is off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

import pyomo.environ as pyo

from optimizer.formulation.data import Data, Part, Period, Workflow
from optimizer.formulation.family import Key, Model

STRATEGY = ("fund", "launch")  # whole-number decisions about what to do
PLACEMENT = ("replicas", "powered", "layout")  # and about where it runs


def declare(m: Model, d: Data) -> None:
    """Add every decision to the model, sparse: only what an eligible pair can use."""
    m.serve = _continuous(dict(_serve_bounds(d, d.pairs)))
    m.api = _continuous(dict(_serve_bounds(d, d.api_pairs)))
    m.tranche = _continuous(
        {(w.id, str(k), t): band.width * w.demand[t] for w, t in _active(d) for k, band in enumerate(w.tranches)}
    )
    m.fund = _whole({(w.id, t): 1 for w, t in _active(d)}, pyo.Binary)
    m.launch = _whole({(w.id, t): 1 for w, t in _active(d)}, pyo.Binary)
    m.replicas = _whole(dict(_replica_bounds(d)), pyo.NonNegativeIntegers)
    m.powered = _whole({(p, t): _nodes(d, p, t) for p in d.pools for t in d.calendar.periods}, pyo.NonNegativeIntegers)
    m.layout = _whole(
        {(p.id, name, t): None for p in d.pools.values() for name in p.layouts for t in d.calendar.periods},
        pyo.NonNegativeIntegers,
    )
    m.nothing = pyo.Var(bounds=(0, 0))  # gives a row without decisions something to be written in


def peak_tasks(w: Workflow, t: Period, b: Part) -> float:
    """Most tasks of `w` that day part `b` can see: its share, or for batch work all of the period's."""
    return w.demand[t] * (1.0 if w.serving == "batch" else w.share[t, b])


def _active(d: Data) -> Iterator[tuple[Workflow, Period]]:
    return ((w, t) for w in d.workflows.values() for t in w.periods)


def _serve_bounds(d: Data, pairs: Mapping[tuple[str, str], object]) -> Iterator[tuple[Key, float]]:
    for name, source in pairs:
        w = d.workflows[name]
        for t in w.periods:
            for b in d.calendar.parts:
                yield (name, source, t, b), peak_tasks(w, t, b)


def _replica_bounds(d: Data) -> Iterator[tuple[Key, int | None]]:
    for e in d.endpoints.values():
        for t in sorted(
            {t for w in d.workflows_on[e.id] for t in d.workflows[w].periods}, key=d.calendar.periods.index
        ):
            yield (e.id, t), None if e.max_replicas is None else e.max_replicas[t]


def _nodes(d: Data, pool: str, t: Period) -> int | None:
    """Nodes that all the replicas the pool could ever want would fill."""
    wanted = [(d.endpoints[e].gpus, d.endpoints[e].max_replicas) for e in d.endpoints_at[pool]]
    if any(cap is None for _, cap in wanted):
        return None
    gpus = sum(max(g, 1) * cap.get(t, 0) for g, cap in wanted if cap is not None)
    return ceil(gpus / d.pools[pool].node)


def _continuous(upper: Mapping[Key, float]) -> Model:
    return pyo.Var(list(upper), domain=pyo.NonNegativeReals, bounds=lambda m, *key: (0, upper[key]))


def _whole(upper: Mapping[Key, int | None], domain: object) -> Model:
    return pyo.Var(list(upper), domain=domain, bounds=lambda m, *key: (0, upper[key]))
