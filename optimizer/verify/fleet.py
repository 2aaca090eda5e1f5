"""GPUs of the fleet, recomputed: replica time, GPUs, memory, traffic, arithmetic, and the placement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, floor
from typing import TypeVar

from optimizer.verify.facts import Pool, Speed
from optimizer.verify.placement import Group, NoPlacement, Placed, Room, crowding, place
from optimizer.verify.rows import Row, is_dropped
from optimizer.verify.tables import Tables, Work

SECONDS = 3600.0

T = TypeVar("T")
Of = Callable[[T], float]


def endpoint_time(d: Tables) -> Iterator[Row]:
    """Replica-hours in use, peaks and headroom counted, against those that stand."""
    for (e, t, b), tasks in d.on_endpoint.items():
        yield Row("endpoint_capacity", (e, t, b), t, kept_hours(d, tasks), "<=", up_hours(d, e, t, b))


def kept_hours(d: Tables, tasks: Work) -> float:
    """Replica-hours that work asks for, with its peaks and its headroom."""
    return sum(
        n * d.facts.workflows[w].peak_factor / (speed.tasks_per_hour * d.facts.workflows[w].headroom)
        for (w, source), n in tasks.items()
        if (speed := d.speed(w, source))
    )


def up_hours(d: Tables, e: str, t: str, b: str) -> float:
    """Replica-hours that an endpoint is up in a day part."""
    return d.replicas.get((e, t), 0.0) * d.facts.time.part_hours[t, b] * d.deployment(e).availability


def gpus(d: Tables) -> Iterator[Row]:
    """GPUs taken and nodes powered against those owned; slots against the layouts that GPUs are cut into."""
    for p, pool in d.facts.pools.items():
        for t in d.facts.time.periods:
            there = gpus_there(d, p, t)
            yield Row("gpu_capacity", (p, t), t, _taken_gpus(d, p, t), "<=", there)
            nodes = d.powered.get((p, t), 0.0)
            yield Row("gpu_capacity", (p, t, "nodes"), t, nodes, "<=", ceil(there / pool.node), text="powered nodes")
            yield from _slots(d, p, pool, t)


def gpus_powered(d: Tables) -> Iterator[Row]:
    """GPUs taken stand on powered nodes."""
    for p, pool in d.facts.pools.items():
        for t in d.facts.time.periods:
            lit = pool.node * d.powered.get((p, t), 0.0)
            yield Row("powered_link", (p, t), t, _taken_gpus(d, p, t), "<=", lit)


def gpus_there(d: Tables, p: str, t: str) -> float:
    """GPUs of a pool: owned, plus those arrived, less those gone."""
    return d.facts.pools[p].count[t] + d.brought("gpus", p, t)


def other_gpus(d: Tables, p: str, t: str) -> float:
    """GPUs that adopted tools take, and retraining as a mean over the period."""
    trained = sum(hours for (_, q, u), hours in d.trained.items() if (q, u) == (p, t))
    return _tool_gpus(d, p, t) + trained / d.facts.time.hours[t]


def _tool_gpus(d: Tables, p: str, t: str) -> float:
    return sum(tool.gpus.get(p, 0.0) * d.adopted.get((j, t), 0.0) for j, tool in d.facts.tools.items())


def _taken_gpus(d: Tables, p: str, t: str) -> float:
    """GPUs that replicas, cuts, tools and retraining take from the pool: a cut GPU is taken whole."""
    pool, others = d.facts.pools[p], other_gpus(d, p, t)
    if pool.sharing != "partitioned":
        return used_gpus(d, p, t) + others
    whole = sum(d.gpus(e) * d.replicas.get((e, t), 0.0) for e in d.at_pool[p] if d.deployment(e).slot is None)
    return whole + others + sum(_cut(d, p, pool, t).values())


def _slots(d: Tables, p: str, pool: Pool, t: str) -> Iterator[Row]:
    cut = _cut(d, p, pool, t)
    for kind in sorted({kind for slots in pool.layouts.values() for kind in slots}):
        taken = sum(d.replicas.get((e, t), 0.0) for e in d.at_pool[p] if d.deployment(e).slot == kind)
        there = sum(gpus * pool.layouts[name].get(kind, 0) for name, gpus in cut.items() if name in pool.layouts)
        yield Row("gpu_capacity", (p, t, kind), t, taken, "<=", there)


def _cut(d: Tables, p: str, pool: Pool, t: str) -> dict[str, float]:
    return {name: n for (q, name, u), n in d.cut.items() if (q, u) == (p, t)} if pool.sharing == "partitioned" else {}


def used_gpus(d: Tables, p: str, t: str) -> float:
    """GPUs of the replicas in a pool."""
    return sum(d.gpus(e) * d.replicas.get((e, t), 0.0) for e in d.at_pool[p])


def memory(d: Tables) -> Iterator[Row]:
    """Resident GB against the usable GB of the pool; the placement then looks at each GPU."""
    for p, pool in d.facts.pools.items():
        for t in d.facts.time.periods:
            resident = sum(d.deployment(e).hbm_gb * d.replicas.get((e, t), 0.0) for e in d.at_pool[p])
            tools = sum(tool.hbm_gb.get(p, 0.0) * d.adopted.get((j, t), 0.0) for j, tool in d.facts.tools.items())
            yield Row("hbm_capacity", (p, t), t, resident + tools, "<=", pool.usable_gb * gpus_there(d, p, t))


def bandwidth(d: Tables) -> Iterator[Row]:
    """On shared GPUs, GB/s at the peak against what its powered GPUs move."""
    yield from _flows(d, "bandwidth_capacity", lambda speed: speed.gb_per_task, lambda pool: pool.gb_per_s)


def compute(d: Tables) -> Iterator[Row]:
    """On shared GPUs, TFLOP/s at the peak against what its powered GPUs compute."""
    yield from _flows(d, "compute_capacity", lambda speed: speed.tflop_per_task, lambda pool: pool.tflop_per_s)


def _flows(d: Tables, family: str, per_task: Of[Speed], per_gpu: Of[Pool]) -> Iterator[Row]:
    for p, pool in d.facts.pools.items():
        for t, b in d.facts.time.part_hours if pool.sharing == "shared" else ():
            seconds = SECONDS * d.facts.time.part_hours[t, b]
            peak = sum(
                n * d.facts.workflows[w].peak_factor * per_task(speed)
                for e in d.at_pool[p]
                for (w, source), n in d.on_endpoint.get((e, t, b), {}).items()
                if (speed := d.speed(w, source))
            )
            lit = pool.node * d.powered.get((p, t), 0.0)
            yield Row(family, (p, t, b), t, peak / seconds, "<=", per_gpu(pool) * lit)


def placements(d: Tables, drop: tuple[str, ...]) -> Iterator[Row]:
    """A row for each pool and period: 0 when every replica has found its GPUs."""
    for p in d.facts.pools:
        for t in d.facts.time.periods:
            if any(is_dropped(name, (p, t), drop) for name in ("gpu_capacity", "hbm_capacity", "powered_link")):
                continue
            try:
                worst = max(crowding(placed(d, p, t)).values(), default=0.0)
            except NoPlacement as refused:
                yield Row(refused.family, (p, t), t, 1.0, "<=", 0.0, text=str(refused))
            else:
                yield Row("hbm_capacity", (p, t), t, worst, "<=", d.facts.pools[p].usable_gb, text="fullest GPU")


def placed(d: Tables, p: str, t: str) -> tuple[Placed, ...]:
    """The replicas of one pool in one period, GPU by GPU; raises NoPlacement."""
    pool = d.facts.pools[p]
    groups = [
        Group(e, round(n), d.gpus(e), d.deployment(e).hbm_gb, d.deployment(e).slot, d.deployment(e).spans)
        for e in d.at_pool[p]
        if (n := d.replicas.get((e, t), 0.0)) > 0
    ]
    return place(_room(d, p, pool, t), [*groups, *_tool_groups(d, p, pool, t)])


def _tool_groups(d: Tables, p: str, pool: Pool, t: str) -> list[Group]:
    """GPUs that tools have to themselves; a part of a GPU is counted, and not placed."""
    whole = floor(_tool_gpus(d, p, t))
    return [Group("tools", whole, 1.0, pool.usable_gb)] if whole else []


def _room(d: Tables, p: str, pool: Pool, t: str) -> Room:
    nodes, owned = round(d.powered.get((p, t), 0.0)), round(gpus_there(d, p, t))
    return Room(
        p,
        owned if pool.domain > pool.node else min(owned, nodes * pool.node),
        pool.node,
        pool.domain,
        pool.usable_gb,
        nodes,
        pool.max_residents,
        pool.layouts,
        pool.slot_gb,
        {name: round(n) for name, n in _cut(d, p, pool, t).items()},
    )
