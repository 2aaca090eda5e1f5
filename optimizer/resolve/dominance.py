"""Deployments that another one beats in everything the program reads, dropped before it is stated.

**What is dropped.** Endpoint B, if an endpoint A of the same pool and the same owner has, for a whole k >= 1 with
g_B = k g_A GPUs (k = 1 and the same slice on partitioned, k = 1 on shared pools):

- every use of B, a workflow plain or with the same tools, with k rate_A availability_A >= rate_B availability_B, no
  smaller share of good output, no more liability and no more review per handled task; the same good tokens where
  shares of tokens are limited, and no more GPU-hours per task where exploration is;
- k idle_A <= idle_B, (op - idle)_A / rate_A <= (op - idle)_B / rate_B, and k op_A <= op_B where the site counts
  nameplates;
- idle_A no less than what its GPUs draw without a replica;
- on shared pools hbm_A <= hbm_B, and no more bytes and operations per task; k hbm_A <= hbm_B where tools reside beside;
- k times its further resources at most B's; the same AI model where weights take storage; the same losses;
- replicas that need not be constant, or in B's own groups; none that are pinned, on either side;
- where moves are capped, A's bound within its cap, and none of B stood before; where they cost, k = 1 and neither did.

Sites that are paid to draw power, or whose capped carbon is negative, keep all their endpoints: less is not better.

**Why the optimum stays.** Take any plan and put k replicas of A in the place of each replica of B, serving the same
tasks with the same tools. `endpoint_capacity`: A gains at least the replica-hours per task that B gave, for each use,
in normal operation as after a loss. `gpu_capacity`, `rack_capacity`: the same GPUs, hence the same powered nodes and
the same idle GPUs; layouts: the same slice, or smaller residents in the place of a larger one, and patterns list every
maximal packing of what survives. `hbm_capacity`: on whole and partitioned pools each replica fits the GPUs it
occupies, so the row cannot bind through replicas alone and HBM is compared only beside tools; on shared pools it is.
`bandwidth_capacity`, `compute_capacity`: no more bytes and operations. `power_limit`, energy, carbon and water, also of
what survives a loss: idle draw and draw per task do not grow, at peak as at mean load. `balance_link`, `tool_link`:
the same tasks with the same tools, and tasks of better yield move to the band of that yield, which `funding_link`
counts together with B's and which earns no less, as values are not negative. `review_limit`, `resource_capacity`,
`storage_capacity`, `concentration_limit`, `exploration_limit`: the conditions above; `resilience_floor`: the same site
fails. `change_link`: k times a constant is constant; where moves cost, A's changes become at most A's and B's
together; no change of A is larger than its bound. Replica floors: k >= 1 replicas for each one. Money: no term grows.
If A then stands above its own bound, replicas above it serve nothing and go, which frees GPUs, by the third condition
never raises the draw, and adds no move, as the bound is then the same in all periods. The relation is transitive, and
each one dropped is beaten by one alive at that moment, so the last one alive is never dropped. Ties fall to the
smaller id.

A later row that reads something else must join the list above.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.formulation.data import Candidate, Data, Endpoint
from optimizer.resolve.bounds import paid_to_draw
from optimizer.resolve.types import Tools

SLACK = 1e-9  # relative: rounding of sums, far below any figure's own error

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class _Group:
    """Endpoints of one pool and owner as columns; uses by row of `rate` and its companions (0 where no pair)."""

    ends: tuple[Endpoint, ...]
    gpus: Vector
    idle: Vector
    op: Vector
    hbm: Vector
    floor: Vector
    resources: Vector  # by resource and endpoint
    serves: NDArray[np.bool_]
    rate: Vector
    more: Vector  # by measure of which more is better, use and endpoint
    less: Vector  # by measure of which less is better
    shared: bool
    whole: bool
    nameplate: bool
    beside_tools: bool  # which take HBM of the pool
    stored: frozenset[str]  # AI models whose weights take storage
    losses: tuple[frozenset[str], ...]


def reduce(data: Data) -> Data:
    """The same program without dominated endpoints; what went is listed with the endpoint that beats it."""
    beaten = {b: a for group in _groups(data) for b, a in _beaten(group)}
    endpoints = {i: e for i, e in data.endpoints.items() if i not in beaten}
    pairs = {(w, i): p for (w, i), p in data.pairs.items() if data.behind(i) not in beaten}
    variants = {i: v for i, v in data.variants.items() if v.source not in beaten}
    dropped = tuple(_candidates(data, beaten))
    return replace(data, endpoints=endpoints, pairs=pairs, variants=variants, candidates=data.candidates + dropped)


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
    best = max(data.pairs[w, source].tasks_per_hour for v, source in data.work_on[e] if v == w)
    return best / data.endpoints[e].gpus


def _groups(data: Data) -> Iterator[_Group]:
    members: dict[tuple[str, str | None], list[Endpoint]] = defaultdict(list)
    for e in data.endpoints.values():
        if not _better_to_draw(data, e.site):
            members[e.pool, e.owner].append(e)
    return (_group(data, sorted(es, key=lambda e: e.id)) for es in members.values() if len(es) > 1)


def _better_to_draw(data: Data, s: str) -> bool:
    """Whether more draw may help: it is paid for, or takes carbon off a cap."""
    capped = any(f.kind == "carbon" and s in f.sites for f in data.footprints)
    negative = any(tonnes < 0 for tonnes in data.sites[s].t_co2_per_mwh.values())
    return paid_to_draw(data.sites[s]) or (capped and negative)


def _group(data: Data, es: list[Endpoint]) -> _Group:
    pool, gpus = data.pools[es[0].pool], np.array([e.gpus for e in es])
    resources = sorted({r for e in es for r in e.resources})
    rate, more, less = _uses(data, es)
    return _Group(
        ends=tuple(es),
        gpus=gpus,
        idle=np.array([e.idle_kw for e in es]),
        op=np.array([e.op_kw for e in es]),
        hbm=np.array([e.hbm_gb for e in es]),
        floor=gpus * pool.idle_kw,
        resources=np.array([[e.resources.get(r, 0.0) for e in es] for r in resources]).reshape(-1, len(es)),
        serves=rate > 0,
        rate=rate,
        more=more,
        less=less,
        shared=pool.sharing == "shared",
        whole=pool.sharing == "whole",
        nameplate=data.sites[pool.site].nameplate,
        beside_tools=any(pool.id in tool.hbm_gb for tool in data.tools.values()),
        stored=frozenset(data.model_tb),
        losses=tuple(loss.endpoints for loss in data.losses),
    )


def _uses(data: Data, es: list[Endpoint]) -> tuple[Vector, Vector, Vector]:
    """Rates by use and endpoint, and the measures of which more, or less, is better."""
    uses = [{(w, _tools(data, source)): data.pairs[w, source] for w, source in data.work_on[e.id]} for e in es]
    rows = {use: k for k, use in enumerate(sorted({use for each in uses for use in each}))}
    shared, counted = data.pools[es[0].pool].sharing == "shared", bool(data.concentrations)
    rate, more, less = (np.zeros((n, len(rows), len(es))) for n in (1, 2, 7))
    for j, (e, each) in enumerate(zip(es, uses, strict=True)):
        for use, p in each.items():
            mtok, busy = p.good_mtok * counted, e.gpus / p.tasks_per_hour * bool(data.exploration_share)
            draw = (e.op_kw - e.idle_kw) / p.tasks_per_hour
            rate[0, rows[use], j] = p.tasks_per_hour * e.availability
            more[:, rows[use], j] = p.good, mtok
            less[:, rows[use], j] = (draw, p.bytes_gb * shared, p.tflop * shared, p.liability_usd, p.review_hours,
                                     mtok, busy)  # fmt: skip
    return rate[0], more, less


def _tools(data: Data, source: str) -> Tools:
    return data.variants[source].tools if source in data.variants else ()


def _beaten(g: _Group) -> Iterator[tuple[str, str]]:
    """Pairs (dropped, by which), later ids first so that of equals the first stays."""
    alive = np.ones(len(g.ends), dtype=bool)
    for b in reversed(range(len(g.ends))):
        if g.ends[b].keep or g.ends[b].pinned:
            continue
        winners = np.flatnonzero(_beats(g, b) & alive)
        if winners.size:
            alive[b] = False
            yield g.ends[b].id, g.ends[int(winners[0])].id


def _beats(g: _Group, b: int) -> NDArray[np.bool_]:
    """Which endpoints beat endpoint b."""
    k = np.rint(g.gpus[b] / g.gpus)
    w = g.serves[:, b]
    wins = (k >= 1) & _close(k * g.gpus, g.gpus[b]) & g.serves[w].all(axis=0)
    if not g.whole:
        wins &= (k == 1) & np.array([g.shared or e.slot == g.ends[b].slot for e in g.ends])
    wins &= _at_most(g.rate[w, b][:, None], k * g.rate[w]).all(axis=0)
    wins &= _at_most(g.more[:, w, b][:, :, None], g.more[:, w]).all(axis=(0, 1))
    wins &= _at_most(g.less[:, w], g.less[:, w, b][:, :, None]).all(axis=(0, 1))
    wins &= _at_most(k * g.idle, g.idle[b]) & _at_most(g.floor, g.idle)
    wins &= _at_most(k * g.resources, g.resources[:, b][:, None]).all(axis=0)
    if g.nameplate:
        wins &= _at_most(k * g.op, g.op[b])
    if g.shared or g.beside_tools:
        wins &= _at_most(k * g.hbm, g.hbm[b])
    for j in np.flatnonzero(wins):
        wins[j] = j != b and _may_stand_for(g, g.ends[int(j)], g.ends[b], int(k[j]))
    return np.asarray(wins, dtype=bool)


def _may_stand_for(g: _Group, a: Endpoint, b: Endpoint, k: int) -> bool:
    """Whether nothing but the figures compared tells k replicas of one from one of the other."""
    fresh = k == 1 and a.usd_per_move <= b.usd_per_move and not a.before and not b.before and a.before == b.before
    return (
        (fresh or not (a.usd_per_move or b.usd_per_move))
        and _never_capped(a, b)
        and not a.pinned
        and (not a.constant or a.constant == b.constant)
        and (a.model == b.model or a.model not in g.stored)
        and all((a.id in gone) == (b.id in gone) for gone in g.losses)
    )


def _never_capped(a: Endpoint, b: Endpoint) -> bool:
    """Whether no cap on moves is ever reached by a, nor left behind by what stood of b."""
    most = np.inf if a.max_replicas is None else max(a.max_replicas.values())
    return (a.ramp is None or most <= a.ramp) and (b.ramp is None or not b.before)


def _at_most(small: Vector, large: Vector | float) -> NDArray[np.bool_]:
    return small <= large + SLACK * np.abs(large)


def _close(a: Vector, b: float) -> NDArray[np.bool_]:
    return np.abs(a - b) <= SLACK * abs(b)
