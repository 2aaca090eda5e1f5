"""Replicas beyond which no demand is left to serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from optimizer.formulation.data import Data, Endpoint, Part, Period, Site, Workflow


def with_bounds(data: Data) -> Data:
    """Every endpoint gets its bound; those marked `keep`, or paid to draw power, stay unbounded.

    Bounds come from demand alone, never from GPU counts, so that dropping `gpu_capacity` really drops it. Work that
    is rescued after a loss takes the place of what is served, at most all demand again. Replicas that may not change
    freely are bounded by the busiest period, by what there was, and by what is pinned.
    """
    endpoints = {
        i: replace(e, max_replicas=None if e.keep or paid_to_draw(data.sites[e.site]) else _bounds(data, e))
        for i, e in data.endpoints.items()
    }
    return replace(data, endpoints=endpoints)


def paid_to_draw(site: Site) -> bool:
    """Whether energy or its carbon has a negative price in some period: then idle replicas may earn."""
    carbon = {t: usd * site.t_co2_per_mwh[t] / 1000 for t, usd in site.usd_per_t_co2.items()}
    return any(usd + carbon.get(t, 0.0) < 0 for t, usd in site.usd_per_kwh.items())


def _bounds(data: Data, e: Endpoint) -> Mapping[Period, int]:
    served = [(data.workflows[w], _slowest(data, w, e.id)) for w in data.workflows_on[e.id]]
    floors = sum(w.min_replicas for w, _ in served)
    c = data.calendar
    most = {
        t: max(floors + max(ceil(_load(data, e, served, t, b) - 1e-9) for b in c.parts), e.pinned.get(t, 0))
        for t in c.periods
    }
    if e.constant or e.usd_per_move or e.ramp is not None:
        steady = max(e.before or 0, *most.values())
        return dict.fromkeys(most, steady)
    return most


def _slowest(data: Data, w: str, e: str) -> float:
    """Tasks per replica-hour with whatever tools are in use."""
    return min(data.pairs[w, source].tasks_per_hour for v, source in data.work_on[e] if v == w)


def _load(data: Data, e: Endpoint, served: list[tuple[Workflow, float]], t: Period, b: Part) -> float:
    """Replicas that all demand of the workflows needs in one day part; batch work may all fall into any one part."""
    hours = data.calendar.part_hours[t, b] * e.availability
    return sum(w.demand[t] * _share(w, t, b) * w.peak_factor / (rate * w.headroom * hours) for w, rate in served)


def _share(w: Workflow, t: Period, b: Part) -> float:
    return 1.0 if w.serving == "batch" else w.share[t, b]
