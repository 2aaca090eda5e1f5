"""Sites and pools in the units of the program: kW, kWh, GPUs, GB."""

from __future__ import annotations

from dataclasses import replace

from optimizer.formulation.data import Data, Endpoint, Period, Pool, Site
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.calendar import Calendar
from optimizer.instance.schema import Instance
from optimizer.instance.schema import Pool as PoolSpec
from optimizer.instance.schema import Site as SiteSpec
from optimizer.resolve.defaults import Settings
from optimizer.resolve.gpus import Gpu
from optimizer.resolve.layouts import divides_evenly, kinds_of, packings, partition_layouts
from optimizer.resolve.types import Ground, Place

KW_PER_MW = 1000.0
KWH_PER_MWH = 1000.0
GB_PER_TB = 1000.0


def laid(calendar: Calendar, given: ByPeriod, factor: float = 1.0) -> dict[Period, float]:
    """One number for each period."""
    values = given.resolve(calendar.periods)
    return {Period(t): factor * v for t, v in zip(calendar.periods, values, strict=True)}


def place(instance: Instance, pool_id: str, gpu: Gpu) -> Place:
    """A pool with its site, its GPU model and the slices its layouts may cut."""
    pool = instance.pools[pool_id]
    layouts = _allowed(pool, gpu) if pool.sharing == "partitioned" else {}
    cut = {s for slots in layouts.values() for s in slots}
    slices = {name: s for name, s in gpu.model.slices.items() if name in cut}
    return Place(pool_id, pool, instance.sites[pool.site], gpu, slices, layouts)


def _allowed(pool: PoolSpec, gpu: Gpu) -> dict[str, dict[str, int]]:
    known = gpu.model.layouts
    if pool.layouts is None:
        return {name: dict(slots) for name, slots in known.items()}
    if isinstance(pool.layouts, tuple):
        return {name: dict(known[name]) for name in pool.layouts}
    return {name: dict(slots) for name, slots in pool.layouts.items()}


def site(spec: SiteSpec, name: str, calendar: Calendar) -> Site:
    """Power in kW at the meter and money per kWh."""
    return Site(
        id=name,
        power_kw=None if spec.power_mw is None else laid(calendar, spec.power_mw, KW_PER_MW),
        pue=spec.pue,
        usd_per_kwh=laid(calendar, spec.usd_per_mwh, 1 / KWH_PER_MWH),
        nameplate=spec.power_basis == "nameplate",
    )


def pool(where: Place, calendar: Calendar, settings: Settings) -> Pool:
    """A pool without layouts yet; arithmetic of shared GPUs is counted in bf16 operations."""
    spec, gpu = where.pool, where.gpu.model
    compute = settings.compute_share if spec.compute_share is None else spec.compute_share
    return Pool(
        id=where.id,
        site=spec.site,
        gpu=gpu.id,
        count=laid(calendar, spec.count),
        node=where.node,
        idle_kw=gpu.idle_kw,
        usable_gb=gpu.usable_hbm_gb,
        bandwidth_gb_s=gpu.bandwidth_tb_s * GB_PER_TB * spec.bandwidth_share,
        tflops=gpu.tflops.get("bf16", min(gpu.tflops.values())) * compute,
        sharing=spec.sharing,
        layout_gpus=1,
        layouts={},
        usd_per_gpu_hour=laid(calendar, spec.usd_per_gpu_hour),
        lease_usd_per_gpu_hour=laid(calendar, spec.lease_usd_per_gpu_hour),
        paid_when_powered=spec.paid == "powered",
    )


def with_layouts(data: Data, ground: Ground) -> Data:
    """Pools get the layouts that the endpoints still on them need, and endpoints the slots they take."""
    for where in ground.places.values():
        here = {i: data.endpoints[i] for i in data.endpoints_at[where.id]}
        if here:
            cut, slotted = _layouts(data.pools[where.id], where, here)
            data = replace(data, pools={**data.pools, where.id: cut}, endpoints={**data.endpoints, **slotted})
    return data


def _layouts(p: Pool, where: Place, here: dict[str, Endpoint]) -> tuple[Pool, dict[str, Endpoint]]:
    if p.sharing == "partitioned":
        used = {e.slot for e in here.values() if e.slot is not None}
        return replace(p, layouts=partition_layouts(where.layouts, used)), {}
    if p.sharing == "shared":
        kinds = kinds_of([e.hbm_gb for e in here.values()], p.usable_gb)
        slots = {i: f"{kinds[e.hbm_gb]:.9g}GB" for i, e in here.items()}
        packed = packings({slots[i]: kinds[e.hbm_gb] for i, e in here.items()}, p.usable_gb, where.pool.max_residents)
        return replace(p, layouts=packed), {i: replace(e, slot=slots[i]) for i, e in here.items()}
    inside = {i: int(e.gpus) for i, e in here.items() if e.gpus <= where.domain}
    if divides_evenly(set(inside.values()), where.domain):
        return p, {}
    packed = packings({f"{g}g": float(g) for g in inside.values()}, float(where.domain))
    slotted = {i: replace(here[i], slot=f"{g}g") for i, g in inside.items()}
    return replace(p, layouts=packed, layout_gpus=where.domain), slotted
