"""The decisions. Bounds come from demand alone, so that a family that is switched off really is off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

import pyomo.environ as pyo

from optimizer.formulation.data import Data, Part, Period, Workflow
from optimizer.formulation.family import Key, Model

STRATEGY = ("fund", "launch", "buy", "adopt", "proven", "choose")  # whole-number decisions about what to do
PLACEMENT = ("replicas", "powered", "layout", "hosted")  # and about where it runs


def declare(m: Model, d: Data) -> None:
    """Add every decision to the model, sparse: only what an eligible pair can use."""
    _declare_work(m, d)
    _declare_fleet(m, d)
    _declare_choices(m, d)
    m.nothing = pyo.Var(bounds=(0, 0))  # gives a row without decisions something to be written in


def peak_tasks(w: Workflow, t: Period, b: Part) -> float:
    """Most tasks of `w` that day part `b` can see: its share, or for batch work all of the period's."""
    return w.demand[t] * (1.0 if w.serving == "batch" else w.share[t, b])


def rescuable(d: Data) -> Iterator[tuple[str, str, str]]:
    """(loss, workflow, source) that survives the loss and may take over."""
    for loss in d.losses:
        lost = loss.endpoints | loss.apis
        for w in loss.shares if loss.recourse else ():
            for source in (*d.endpoints_of[w], *d.apis_of[w]):
                if d.behind(source) not in lost:
                    yield loss.id, w, source


def moving(d: Data, e: str) -> bool:
    """Whether changes of this endpoint between periods cost or are capped."""
    return bool(d.endpoints[e].usd_per_move) or d.endpoints[e].ramp is not None


def _declare_work(m: Model, d: Data) -> None:
    m.serve = _decisions(dict(_serve_bounds(d, d.pairs)))
    m.api = _decisions(dict(_serve_bounds(d, d.api_pairs)))
    bands = ((w, t, band) for w, t in _active(d) for band in d.bands_of[w.id])
    m.tranche = _decisions({(w.id, band.key, t): band.width * w.demand[t] for w, t, band in bands})
    m.rescue = _decisions(
        {
            (w, source, t, b, loss): peak_tasks(d.workflows[w], t, b)
            for loss, w, source in rescuable(d)
            for t in d.workflows[w].periods
            for b in d.calendar.parts
        }
    )
    m.retrain = _decisions(
        {
            (w.id, p, t): None
            for w, t in _active(d)
            if w.retraining and w.retraining.gpu_hours.get(t)
            for p in w.retraining.speed
        }
    )
    m.exploring = _decisions({(w.id, t): None for w, t in _active(d) if t in d.exploration_share and _unproven(w)})
    m.shortfall = _decisions({(c.api, t): usd for c in d.commitments for t, usd in c.usd.items()})


def _declare_fleet(m: Model, d: Data) -> None:
    m.replicas = _decisions(dict(_replica_bounds(d)), pyo.NonNegativeIntegers)
    m.powered = _decisions(
        {(p, t): _nodes(d, p, t) for p in d.pools for t in d.calendar.periods}, pyo.NonNegativeIntegers
    )
    m.layout = _decisions(
        {(p.id, name, t): None for p in d.pools.values() for name in p.layouts for t in d.calendar.periods},
        pyo.NonNegativeIntegers,
    )
    stored: dict[Key, int | None] = {
        (e.model, e.site, t): 1 for e in d.endpoints.values() if e.model in d.model_tb for t in d.calendar.periods
    }
    m.hosted = _decisions(stored, pyo.Binary)
    first = d.calendar.periods[0]
    known = (key for key in m.replicas if key[1] != first or d.endpoints[key[0]].before is not None)
    moves = {key: None for key in known if moving(d, key[0])}
    m.up, m.down = _decisions(moves), _decisions(moves)


def _declare_choices(m: Model, d: Data) -> None:
    m.fund = _decisions({(w.id, t): 1 for w, t in _active(d)}, pyo.Binary)
    m.launch = _decisions({(w.id, t): 1 for w, t in _active(d)}, pyo.Binary)
    m.proven = _decisions({(w.id, t): 1 for w, t in _active(d) if _unproven(w)}, pyo.Binary)
    m.choose = _decisions({(w.id, b.id, t): 1 for w, t in _active(d) for b in w.bundles}, pyo.Binary)
    m.buy = _decisions({(o.id, t): o.max_lots for o in d.offers.values() for t in o.lots}, pyo.NonNegativeIntegers)
    m.adopt = _decisions({(j, t): 1 for j in d.tools for t in d.calendar.periods}, pyo.Binary)
    m.start = _decisions({(j, t): 1.0 for j in d.tools for t in d.calendar.periods})


def _unproven(w: Workflow) -> bool:
    return w.pilot is not None and not w.pilot.proven


def _active(d: Data) -> Iterator[tuple[Workflow, Period]]:
    return ((w, t) for w in d.workflows.values() for t in w.periods)


def _serve_bounds(d: Data, pairs: Mapping[tuple[str, str], object]) -> Iterator[tuple[Key, float]]:
    for name, source in pairs:
        w = d.workflows[name]
        for t in w.periods:
            for b in d.calendar.parts:
                yield (name, source, t, b), peak_tasks(w, t, b)


def _replica_bounds(d: Data) -> Iterator[tuple[Key, int | None]]:
    """Periods in which an endpoint may stand: those with demand for it; all if it is kept against reductions, or if
    what stands in one period bears on the next."""
    for e in d.endpoints.values():
        wanted = {t for w in d.workflows_on[e.id] for t in d.workflows[w].periods}
        lasting = e.keep or (bool(wanted) and (moving(d, e.id) or bool(e.constant) or bool(e.pinned)))
        for t in (t for t in d.calendar.periods if t in wanted or lasting):
            yield (e.id, t), None if e.max_replicas is None else e.max_replicas[t]


def _nodes(d: Data, pool: str, t: Period) -> int | None:
    """Nodes that all the replicas the pool could ever want would fill; unbounded beside tools and retraining, and where
    replicas share the bandwidth and compute of whatever is powered."""
    others = any(pool in j.gpus for j in d.tools.values())
    others |= any(pool in w.retraining.speed for w in d.workflows.values() if w.retraining)
    wanted = [(d.endpoints[e].gpus, d.endpoints[e].max_replicas) for e in d.endpoints_at[pool]]
    if others or d.pools[pool].sharing == "shared" or any(cap is None for _, cap in wanted):
        return None
    gpus = sum(max(g, 1) * cap.get(t, 0) for g, cap in wanted if cap is not None)
    return ceil(gpus / d.pools[pool].node)


def _decisions(upper: Mapping[Key, float | None], domain: object = pyo.NonNegativeReals) -> Model:
    """One decision for each key; bounds are set one by one because Pyomo's own rule for them takes twice as long."""
    found = pyo.Var(list(upper), domain=domain)
    found.construct()
    for decision, most in zip(found.values(), upper.values(), strict=True):
        decision.setub(most)
    return found
