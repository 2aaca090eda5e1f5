"""Physical families, recomputed: replica time, GPUs, memory, traffic, arithmetic, power, and the placement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import TypeVar

from optimizer.verify.facts import Pool, Speed
from optimizer.verify.placement import Group, NoPlacement, Placed, Room, crowding, place
from optimizer.verify.rows import Row, is_dropped
from optimizer.verify.tables import Tables

SECONDS = 3600.0

T = TypeVar("T")
Of = Callable[[T], float]


def endpoint_time(d: Tables) -> Iterator[Row]:
    """Replica-hours in use, peaks and headroom counted, against those that stand."""
    for (e, t, b), tasks in d.on_endpoint.items():
        used = sum(
            n * d.facts.workflows[w].peak_factor / (speed.tasks_per_hour * d.facts.workflows[w].headroom)
            for w, n in tasks.items()
            if (speed := d.deployment(e).work.get(w))
        )
        there = d.replicas.get((e, t), 0.0) * d.facts.time.part_hours[t, b] * d.deployment(e).availability
        yield Row("endpoint_capacity", (e, t, b), t, used, "<=", there)


def gpus(d: Tables) -> Iterator[Row]:
    """GPUs taken and nodes powered against those owned; slots against the layouts that GPUs are cut into."""
    for p, pool in d.facts.pools.items():
        for t in d.facts.time.periods:
            yield Row("gpu_capacity", (p, t), t, _taken_gpus(d, p, t), "<=", pool.count[t])
            nodes, there = d.powered.get((p, t), 0.0), ceil(pool.count[t] / pool.node)
            yield Row("gpu_capacity", (p, t, "nodes"), t, nodes, "<=", there, text="powered nodes")
            yield from _slots(d, p, pool, t)


def gpus_powered(d: Tables) -> Iterator[Row]:
    """GPUs taken stand on powered nodes."""
    for p, pool in d.facts.pools.items():
        for t in d.facts.time.periods:
            lit = pool.node * d.powered.get((p, t), 0.0)
            yield Row("powered_link", (p, t), t, _taken_gpus(d, p, t), "<=", lit)


def _taken_gpus(d: Tables, p: str, t: str) -> float:
    """GPUs that replicas or cuts take from the pool: a cut GPU is taken whole."""
    pool = d.facts.pools[p]
    if pool.sharing != "partitioned":
        return used_gpus(d, p, t)
    whole = sum(d.gpus(e) * d.replicas.get((e, t), 0.0) for e in d.at_pool[p] if d.deployment(e).slot is None)
    return whole + sum(_cut(d, p, pool, t).values())


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
            yield Row("hbm_capacity", (p, t), t, resident, "<=", pool.usable_gb * pool.count[t])


def bandwidth(d: Tables) -> Iterator[Row]:
    """On shared GPUs, GB/s at the peak against what the pool moves."""
    yield from _flows(d, "bandwidth_capacity", lambda speed: speed.gb_per_task, lambda pool: pool.gb_per_s)


def compute(d: Tables) -> Iterator[Row]:
    """On shared GPUs, TFLOP/s at the peak against what the pool computes."""
    yield from _flows(d, "compute_capacity", lambda speed: speed.tflop_per_task, lambda pool: pool.tflop_per_s)


def _flows(d: Tables, family: str, per_task: Of[Speed], per_gpu: Of[Pool]) -> Iterator[Row]:
    for p, pool in d.facts.pools.items():
        for t, b in d.facts.time.part_hours if pool.sharing == "shared" else ():
            seconds = SECONDS * d.facts.time.part_hours[t, b]
            peak = sum(n * d.facts.workflows[w].peak_factor * per_task(speed) for w, n, _, speed in work(d, p, t, b))
            yield Row(family, (p, t, b), t, peak / seconds, "<=", per_gpu(pool) * pool.count[t])


def work(d: Tables, p: str, t: str, b: str) -> Iterator[tuple[str, float, str, Speed]]:
    """What the endpoints of a pool serve in a day part: workflow, tasks, endpoint, speed."""
    for e in d.at_pool[p]:
        for w, tasks in d.on_endpoint.get((e, t, b), {}).items():
            if speed := d.deployment(e).work.get(w):
                yield w, tasks, e, speed


def power(d: Tables) -> Iterator[Row]:
    """Peak draw at each site's meter against the energised power."""
    for s, site in d.facts.sites.items():
        if site.power_kw is not None:
            for t in d.facts.time.periods:
                for b in d.facts.time.parts:
                    yield Row("power_limit", (s, t, b), t, site.pue * _peak_kw(d, s, t, b), "<=", site.power_kw[t])


def _peak_kw(d: Tables, s: str, t: str, b: str) -> float:
    site, hours = d.facts.sites[s], d.facts.time.part_hours[t, b]
    pools = [p for p, pool in d.facts.pools.items() if pool.site == s]
    if site.nameplate:
        plate = sum(d.deployment(e).op_kw * d.replicas.get((e, t), 0.0) for p in pools for e in d.at_pool[p])
        return plate + sum(bare_kw(d, p, t) for p in pools)
    peaks = {w: work.peak_factor for w, work in d.facts.workflows.items()}
    return sum(load_kwh(d, p, t, b, peaks) / hours + idle_kw(d, p, t) for p in pools)


def load_kwh(d: Tables, p: str, t: str, b: str, factor: Mapping[str, float]) -> float:
    """Energy that work adds to idle in a day part, before PUE, each workflow's work times its factor."""
    return sum(
        (d.deployment(e).op_kw - d.deployment(e).idle_kw) * n * factor[w] / speed.tasks_per_hour
        for w, n, e, speed in work(d, p, t, b)
    )


def idle_kw(d: Tables, p: str, t: str) -> float:
    """Draw of a pool at rest, before PUE: its replicas, and its powered GPUs that carry none."""
    return bare_kw(d, p, t) + sum(d.deployment(e).idle_kw * d.replicas.get((e, t), 0.0) for e in d.at_pool[p])


def bare_kw(d: Tables, p: str, t: str) -> float:
    """Draw of the powered GPUs without a replica, before PUE."""
    pool = d.facts.pools[p]
    return pool.idle_kw * (pool.node * d.powered.get((p, t), 0.0) - used_gpus(d, p, t))


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
    return place(_room(d, p, pool, t), groups)


def _room(d: Tables, p: str, pool: Pool, t: str) -> Room:
    nodes, owned = round(d.powered.get((p, t), 0.0)), round(pool.count[t])
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
