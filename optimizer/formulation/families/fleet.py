"""What the GPUs hold: replicas, memory, bandwidth, compute."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Period, Pool
from optimizer.formulation.family import Expression, Model, Row, family
from optimizer.formulation.load import gpus_there, other_gpus, replica_gpus
from optimizer.formulation.sums import weighted

SECONDS = 3600.0


@family(index="pool period slot", unit="GPU", price="$/GPU")
def gpu_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""GPUs of replicas, tools and retraining fit the GPUs of the pool; slices fit the layouts that GPUs are cut into.

    No more nodes are powered than there are; the last may be partly filled. Replicas that take no slot, because they
    span scale-up domains, stand on GPUs that no layout cuts.

    $$ \sum_{e} g_e \, \mathrm{replicas}_{et} + \mathrm{others}_{pt} \le G_{pt}, \qquad
       \sum_{e \in \kappa} \mathrm{replicas}_{et} \le \sum_{l} n_{l\kappa} \, \mathrm{layout}_{plt}, \qquad
       \sum_l \gamma_p \, \mathrm{layout}_{plt} + \sum_{e \in \varnothing} g_e \, \mathrm{replicas}_{et}
       \le G_{pt} $$

    Price: what one more GPU in the pool would earn over the period.
    """
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            there, others = gpus_there(m, d, p, t), other_gpus(m, d, p, t)
            if pool.layouts and pool.sharing != "shared":
                taken = pool.layout_gpus * _cut(m, pool, t) + _uncut_gpus(m, d, p, t)
                yield Row((p, t), taken + others, "<=", there)
                yield from _slots(m, d, pool, t)
            else:
                yield Row((p, t), replica_gpus(m, d, p, t) + others, "<=", there)
            yield Row((p, t, "nodes"), pool.node * m.powered[p, t], "<=", there + (pool.node - 1))


@family(index="pool period rule", unit="GPU", price="$/GPU")
def powered_link(m: Model, d: Data) -> Iterator[Row]:
    r"""Replicas stand only on powered nodes, and nodes are powered whole.

    $$ \sum_{e} g_e \, \mathrm{replicas}_{et} \le N_p \, \mathrm{powered}_{pt} $$

    Price: none is quoted; it is logic.
    """
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            others = other_gpus(m, d, p, t)
            yield Row((p, t), replica_gpus(m, d, p, t) + others, "<=", pool.node * m.powered[p, t])
            if pool.layouts:
                taken = pool.layout_gpus * _cut(m, pool, t) + _uncut_gpus(m, d, p, t)
                yield Row((p, t, "cut"), taken + others, "<=", pool.node * m.powered[p, t])


@family(index="pool period slot", unit="GB", price="$/GB")
def hbm_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""Weights, overhead and KV cache of resident replicas fit the usable memory, GPU by GPU where they share.

    $$ \sum_{e} b_e \, \mathrm{replicas}_{et} \le H_p \, G_{pt}, \qquad
       \sum_{e \in \kappa} \mathrm{replicas}_{et} \le \sum_{l} n_{l\kappa} \, \mathrm{layout}_{plt} $$

    Price: what one more gigabyte in the pool would earn over the period.
    """
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            resident = weighted(
                (d.endpoints[e].hbm_gb, m.replicas[e, t]) for e in d.endpoints_at[p] if (e, t) in m.replicas
            )
            resident += quicksum(j.hbm_gb[p] * m.adopt[j.id, t] for j in d.tools.values() if p in j.hbm_gb)
            there = gpus_there(m, d, p, t)
            yield Row((p, t), resident, "<=", pool.usable_gb * there)
            if pool.layouts and pool.sharing == "shared":
                yield Row((p, t, "packed GPUs"), _cut(m, pool, t) + other_gpus(m, d, p, t), "<=", there)
                yield from _slots(m, d, pool, t)


@family(index="pool period part", unit="GB/s", price="$/(GB/s)")
def bandwidth_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""On shared GPUs, memory traffic at the peak stays within the usable bandwidth of those powered.

    $$ \sum_{e,w} \frac{f_w \, \beta_{we}}{3600 \, h_{tb}} \, \mathrm{serve}_{wetb}
       \le B_p \, N_p \, \mathrm{powered}_{pt} $$

    Price: what one more gigabyte per second in the pool would earn over the period.
    """
    yield from _flow(m, d, "bytes_gb", "bandwidth_gb_s")


@family(index="pool period part", unit="TFLOP/s", price="$/(TFLOP/s)")
def compute_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""On shared GPUs, arithmetic at the peak stays within the usable compute of those powered.

    $$ \sum_{e,w} \frac{f_w \, \phi_{we}}{3600 \, h_{tb}} \, \mathrm{serve}_{wetb}
       \le F_p \, N_p \, \mathrm{powered}_{pt} $$

    Price: what one more TFLOP/s in the pool would earn over the period.
    """
    yield from _flow(m, d, "tflop", "tflops")


def _cut(m: Model, pool: Pool, t: Period) -> Expression:
    return quicksum(m.layout[pool.id, name, t] for name in pool.layouts)


def _uncut_gpus(m: Model, d: Data, p: str, t: Period) -> Expression:
    return weighted(
        (d.endpoints[e].gpus, m.replicas[e, t])
        for e in d.endpoints_at[p]
        if d.endpoints[e].slot is None and (e, t) in m.replicas
    )


def _slots(m: Model, d: Data, pool: Pool, t: Period) -> Iterator[Row]:
    for kind in sorted({kind for slots in pool.layouts.values() for kind in slots}):
        taken = quicksum(
            m.replicas[e, t] for e in d.endpoints_at[pool.id] if d.endpoints[e].slot == kind and (e, t) in m.replicas
        )
        there = quicksum(n[kind] * m.layout[pool.id, name, t] for name, n in pool.layouts.items() if n.get(kind))
        yield Row((pool.id, t, kind), taken, "<=", there)


def _flow(m: Model, d: Data, per_task: str, per_gpu: str) -> Iterator[Row]:
    """Rows of a resource that work consumes as it runs, at its peak, on shared pools."""
    for p, pool in d.pools.items():
        if pool.sharing != "shared":
            continue
        for t in d.calendar.periods:
            for b in d.calendar.parts:
                seconds = SECONDS * d.calendar.part_hours[t, b]
                used = weighted(
                    (w.peak_factor * getattr(pair, per_task) / seconds, m.serve[w.id, source, t, b])
                    for e in d.endpoints_at[p]
                    for w, source, pair in d.work_in[e, t]
                )
                yield Row((p, t, b), used, "<=", getattr(pool, per_gpu) * pool.node * m.powered[p, t])
