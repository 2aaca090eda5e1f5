"""Sites and pools in the units of the program: kW, kWh, GPUs, GB."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from optimizer.formulation.data import Data, Endpoint, Part, Period, Pool, Site
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.calendar import Calendar
from optimizer.instance.faults import BadInput
from optimizer.instance.schema import Instance
from optimizer.instance.schema import Pool as PoolSpec
from optimizer.instance.schema import Site as SiteSpec
from optimizer.resolve.faults import fault
from optimizer.resolve.gpus import Gpu
from optimizer.resolve.layouts import divides_evenly, kinds_of, packings, partition_layouts
from optimizer.resolve.types import Ground, Place

KW_PER_MW = 1000.0
KWH_PER_MWH = 1000.0
GB_PER_TB = 1000.0
T_PER_KG = 1e-3  # g/kWh are kg/MWh; litres per kWh are cubic metres per MWh
ROUNDING = 1e-9


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
    rack = instance.rack_classes[pool.rack] if pool.rack is not None else None
    return Place(pool_id, pool, instance.sites[pool.site], gpu, slices, layouts, rack)


def _allowed(pool: PoolSpec, gpu: Gpu) -> dict[str, dict[str, int]]:
    known = gpu.model.layouts
    if pool.layouts is None:
        return {name: dict(slots) for name, slots in known.items()}
    if isinstance(pool.layouts, tuple):
        return {name: dict(known[name]) for name in pool.layouts}
    return {name: dict(slots) for name, slots in pool.layouts.items()}


def site(ground: Ground, name: str) -> Site:
    """Power in kW at the meter, money per kWh, tonnes and cubic metres per MWh."""
    spec, calendar = ground.instance.sites[name], ground.calendar

    def over(given: ByPeriod | None, factor: float = 1.0) -> dict[Period, float]:
        return {} if given is None else laid(calendar, given, factor)

    return Site(
        id=name,
        power_kw=_power_kw(ground, spec),
        pue=spec.pue,
        usd_per_kwh=laid(calendar, spec.usd_per_mwh, 1 / KWH_PER_MWH),
        nameplate=spec.power_basis == "nameplate",
        curtailed_kw={(t, Part(b)): kw for b, mw in spec.curtailment.items() for t, kw in over(mw, KW_PER_MW).items()},
        t_co2_per_mwh=over(spec.g_co2_per_kwh, T_PER_KG),
        m3_per_mwh=over(spec.water_l_per_kwh),
        usd_per_t_co2=over(spec.usd_per_t_co2),
        racks={kind: over(racks) for kind, racks in spec.racks.items()},
        storage_tb=None if spec.storage_tb is None else over(spec.storage_tb),
        usd_per_tb_month=over(spec.usd_per_tb_month),
        jurisdiction=spec.jurisdiction,
    )


def _power_kw(ground: Ground, spec: SiteSpec) -> dict[Period, float] | None:
    """What is energised, and what dated permits add once they are there."""
    if spec.power_mw is None and not spec.power_permits:
        return None
    kw = laid(ground.calendar, spec.power_mw or ByPeriod(0.0), KW_PER_MW)
    for permit in spec.power_permits.values():
        first = ground.clock.later(Period(permit.from_), permit.late)
        for t in ground.clock.since(first) if first else ():
            kw[t] += KW_PER_MW * permit.power_mw
    return kw


def nodes_per_rack(ground: Ground, where: Place) -> float:
    """Nodes at full load that one rack of the pool's class carries."""
    rack, node_kw = where.rack, where.node * where.gpu.model.op_kw
    if rack is None:
        return 1.0
    nodes = int(rack.kw / node_kw + ROUNDING)
    if nodes < 1:
        at = ("pools", where.id, "rack")
        message = f"pools.{where.id}.rack: a node draws {node_kw:g} kW, a rack {where.pool.rack} carries {rack.kw:g} kW"
        raise BadInput([fault(ground.instance, at, message, "a rack class of more kW, or a smaller node")])
    return float(nodes)


def pool(ground: Ground, where: Place) -> Pool:
    """A pool without layouts yet; arithmetic of shared GPUs is counted in bf16 operations."""
    spec, gpu, calendar = where.pool, where.gpu.model, ground.calendar
    compute = ground.settings.compute_share if spec.compute_share is None else spec.compute_share
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
        rack_class=spec.rack,
        nodes_per_rack=nodes_per_rack(ground, where),
        op_kw=gpu.op_kw,
    )


def with_layouts(data: Data, ground: Ground) -> Data:
    """Pools get the layouts that the endpoints still on them need, and endpoints the slots they take."""
    for where in ground.places.values():
        here = {i: data.endpoints[i] for i in data.endpoints_at[where.id]}
        if here:
            cut, slotted = _layouts(data.pools[where.id], where, here)
            data = replace(data, pools={**data.pools, where.id: cut}, endpoints={**data.endpoints, **slotted})
    return data


def _named(sizes: Iterable[float]) -> dict[float, str]:
    """Each size in as few digits, three at least, as tell all of them apart."""
    different = set(sizes)
    names = ({gb: f"{gb:.{digits}g}GB" for gb in different} for digits in range(3, 18))
    return next(each for each in names if len(set(each.values())) == len(different))


def _layouts(p: Pool, where: Place, here: dict[str, Endpoint]) -> tuple[Pool, dict[str, Endpoint]]:
    if p.sharing == "partitioned":
        used = {e.slot for e in here.values() if e.slot is not None}
        return replace(p, layouts=partition_layouts(where.layouts, used)), {}
    if p.sharing == "shared":
        kinds = kinds_of([e.hbm_gb for e in here.values()], p.usable_gb)
        names = _named(kinds.values())
        slots = {i: names[kinds[e.hbm_gb]] for i, e in here.items()}
        packed = packings({slots[i]: kinds[e.hbm_gb] for i, e in here.items()}, p.usable_gb, where.pool.max_residents)
        return replace(p, layouts=packed), {i: replace(e, slot=slots[i]) for i, e in here.items()}
    inside = {i: int(e.gpus) for i, e in here.items() if e.gpus <= where.domain}
    if divides_evenly(set(inside.values()), where.domain):
        return p, {}
    packed = packings({f"{g}g": float(g) for g in inside.values()}, float(where.domain))
    slotted = {i: replace(here[i], slot=f"{g}g") for i, g in inside.items()}
    return replace(p, layouts=packed, layout_gpus=where.domain), slotted
