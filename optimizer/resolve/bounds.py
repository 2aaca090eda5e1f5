"""Replicas beyond which no demand is left to serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from optimizer.formulation.data import Calendar, Data, Endpoint, Pair, Part, Period, Workflow


def with_bounds(data: Data) -> Data:
    """Every endpoint gets its bound; those marked `keep` stay unbounded.

    Bounds come from demand alone, never from GPU counts, so that dropping `gpu_capacity` really drops it.
    """
    endpoints = {
        i: replace(e, max_replicas=None if e.keep else _bounds(e, _served(data, i), data.calendar))
        for i, e in data.endpoints.items()
    }
    return replace(data, endpoints=endpoints)


def _served(data: Data, endpoint: str) -> list[tuple[Workflow, Pair]]:
    return [(data.workflows[w], data.pairs[w, endpoint]) for w in data.workflows_on[endpoint]]


def _bounds(e: Endpoint, served: list[tuple[Workflow, Pair]], calendar: Calendar) -> Mapping[Period, int]:
    floors = sum(w.min_replicas for w, _ in served)
    return {
        t: floors + max(ceil(_load(e, served, calendar, t, b) - 1e-9) for b in calendar.parts) for t in calendar.periods
    }


def _load(e: Endpoint, served: list[tuple[Workflow, Pair]], calendar: Calendar, t: Period, b: Part) -> float:
    """Replicas that all demand of the workflows needs in one day part; batch work may all fall into any one part."""
    hours = calendar.part_hours[t, b] * e.availability
    return sum(
        w.demand[t] * _share(w, t, b) * w.peak_factor / (p.tasks_per_hour * w.headroom * hours) for w, p in served
    )


def _share(w: Workflow, t: Period, b: Part) -> float:
    return 1.0 if w.serving == "batch" else w.share[t, b]
