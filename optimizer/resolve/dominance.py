"""Deployments that another one beats in everything the program reads, dropped before it is stated.

**What is dropped.** Endpoint B, if an endpoint A of the same pool and the same owner has, for a whole k >= 1 with
g_B = k g_A GPUs (k = 1 and the same slice on partitioned, k = 1 on shared pools):

- every workflow w of B, with k rate_A[w] availability_A >= rate_B[w] availability_B;
- k idle_A <= idle_B, (op - idle)_A / rate_A[w] <= (op - idle)_B / rate_B[w], and k op_A <= op_B where the site counts
  nameplates;
- idle_A no less than what its GPUs draw without a replica;
- on shared pools hbm_A <= hbm_B, and no more bytes and operations per task.

**Why the optimum stays.** Take any plan and put k replicas of A in the place of each replica of B, serving the same
tasks. `endpoint_capacity`: A gains at least the replica-hours per task that B gave, for each workflow.
`gpu_capacity`: the same GPUs, hence the same powered nodes and the same idle GPUs; layouts: the same slice, or smaller
residents in the place of a larger one, and patterns list every maximal packing of what survives. `hbm_capacity`: on
whole and partitioned pools each replica fits the GPUs it occupies, so the row cannot bind through replicas and HBM is
not compared; on shared pools it is. `bandwidth_capacity`, `compute_capacity`: no more bytes and operations.
`power_limit` and energy: idle draw and draw per task do not grow, at peak as at mean load. Replica floors: k >= 1
replicas for each one. Money: GPUs, energy and tokens per task do not grow, value is per task. If A then stands above
its own bound, replicas above it serve nothing and go, which frees GPUs and, by the third condition, never raises the
draw. The relation is transitive, and each one dropped is beaten by one alive at that moment, so the last one alive is
never dropped. Ties fall to the smaller id.

A later row that reads something else (weights in storage, a move's cost, a vendor's share) must join the list above.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.formulation.data import Candidate, Data, Endpoint

SLACK = 1e-9  # relative: rounding of sums, far below any figure's own error

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class _Group:
    """Endpoints of one pool and owner as columns; workflows by row of `rate` and its companions (0 where no pair)."""

    ids: tuple[str, ...]
    gpus: Vector
    idle: Vector
    op: Vector
    hbm: Vector
    floor: Vector
    slots: tuple[str | None, ...]
    keep: tuple[bool, ...]
    serves: NDArray[np.bool_]
    rate: Vector
    kwh: Vector
    moved: Vector
    flop: Vector
    shared: bool
    whole: bool
    nameplate: bool


def reduce(data: Data) -> Data:
    """The same program without dominated endpoints; what went is listed with the endpoint that beats it."""
    beaten = {b: a for group in _groups(data) for b, a in _beaten(group)}
    endpoints = {i: e for i, e in data.endpoints.items() if i not in beaten}
    pairs = {(w, i): p for (w, i), p in data.pairs.items() if i not in beaten}
    dropped = tuple(_candidates(data, beaten))
    return replace(data, endpoints=endpoints, pairs=pairs, candidates=data.candidates + dropped)


def _candidates(data: Data, beaten: Mapping[str, str]) -> Iterator[Candidate]:
    """One for each workflow, pool, AI model and precision: the fastest of those beaten, and how many they are."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for b in sorted(beaten):
        e = data.endpoints[b]
        for w in data.workflows_on[b]:
            groups[w, e.pool, e.model, e.precision].append(b)
    for (w, pool, *_), losers in groups.items():
        best = max(losers, key=lambda b: _per_gpu(data, w, b))
        winner = data.endpoints[beaten[best]]
        others = f"; so are {len(losers) - 1} like it" if len(losers) > 1 else ""
        reason = f"tasks per GPU-hour: beaten by {winner.deployment} for every workflow, for no more power{others}"
        rates = round(_per_gpu(data, w, best), 3), round(_per_gpu(data, w, winner.id), 3)
        yield Candidate(w, pool, data.endpoints[best].deployment, "dominated", reason, *rates)


def _per_gpu(data: Data, w: str, e: str) -> float:
    return data.pairs[w, e].tasks_per_hour / data.endpoints[e].gpus


def _groups(data: Data) -> Iterator[_Group]:
    members: dict[tuple[str, str | None], list[Endpoint]] = defaultdict(list)
    for e in data.endpoints.values():
        members[e.pool, e.owner].append(e)
    return (_group(data, sorted(es, key=lambda e: e.id)) for es in members.values() if len(es) > 1)


def _group(data: Data, es: list[Endpoint]) -> _Group:
    pool = data.pools[es[0].pool]
    rows = {w: k for k, w in enumerate(sorted({w for e in es for w in data.workflows_on[e.id]}))}
    rate, kwh, moved, flop = (np.zeros((len(rows), len(es))) for _ in range(4))
    for j, e in enumerate(es):
        for w in data.workflows_on[e.id]:
            p = data.pairs[w, e.id]
            rate[rows[w], j] = p.tasks_per_hour * e.availability
            kwh[rows[w], j] = (e.op_kw - e.idle_kw) / p.tasks_per_hour
            moved[rows[w], j], flop[rows[w], j] = p.bytes_gb, p.tflop
    gpus = np.array([e.gpus for e in es])
    return _Group(
        ids=tuple(e.id for e in es),
        gpus=gpus,
        idle=np.array([e.idle_kw for e in es]),
        op=np.array([e.op_kw for e in es]),
        hbm=np.array([e.hbm_gb for e in es]),
        floor=gpus * pool.idle_kw,
        slots=tuple(e.slot for e in es),
        keep=tuple(e.keep for e in es),
        serves=rate > 0,
        rate=rate,
        kwh=kwh,
        moved=moved,
        flop=flop,
        shared=pool.sharing == "shared",
        whole=pool.sharing == "whole",
        nameplate=data.sites[pool.site].nameplate,
    )


def _beaten(g: _Group) -> Iterator[tuple[str, str]]:
    """Pairs (dropped, by which), later ids first so that of equals the first stays."""
    alive = np.ones(len(g.ids), dtype=bool)
    for b in reversed(range(len(g.ids))):
        if g.keep[b]:
            continue
        winners = np.flatnonzero(_beats(g, b) & alive)
        if winners.size:
            alive[b] = False
            yield g.ids[b], g.ids[int(winners[0])]


def _beats(g: _Group, b: int) -> NDArray[np.bool_]:
    """Which endpoints beat endpoint b."""
    k = np.rint(g.gpus[b] / g.gpus)
    w = g.serves[:, b]
    wins = (k >= 1) & _close(k * g.gpus, g.gpus[b]) & g.serves[w].all(axis=0)
    if not g.whole:
        wins &= (k == 1) & np.array([g.shared or slot == g.slots[b] for slot in g.slots])
    wins &= _at_most(g.rate[w, b][:, None], k * g.rate[w]).all(axis=0)
    wins &= _at_most(g.kwh[w], g.kwh[w, b][:, None]).all(axis=0)
    wins &= _at_most(k * g.idle, g.idle[b]) & _at_most(g.floor, g.idle)
    if g.nameplate:
        wins &= _at_most(k * g.op, g.op[b])
    if g.shared:
        wins &= _at_most(g.hbm, g.hbm[b])
        wins &= (_at_most(g.moved[w], g.moved[w, b][:, None]) & _at_most(g.flop[w], g.flop[w, b][:, None])).all(axis=0)
    wins[b] = False
    return np.asarray(wins, dtype=bool)


def _at_most(small: Vector, large: Vector | float) -> NDArray[np.bool_]:
    return small <= large + SLACK * np.abs(large)


def _close(a: Vector, b: float) -> NDArray[np.bool_]:
    return np.abs(a - b) <= SLACK * abs(b)
