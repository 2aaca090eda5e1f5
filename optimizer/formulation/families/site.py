"""What a site holds: power, racks, storage; what it may draw, emit and evaporate over a year."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Period
from optimizer.formulation.family import Model, Row, family, span
from optimizer.formulation.load import brought, draw_kw, energy_kwh, stored_tb


@family(index="site period part", unit="kW", price="$/kW")
def power_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Peak draw at the meter stays within the energised power: the permit and the substation decide.

    $$ \mathrm{PUE}_s \Big( \sum_e i_e \, \mathrm{replicas}_{et} + \sum_e (o_e - i_e)
       \frac{\mathrm{busy}^{\max}_{etb}}{h_{tb}}
       + \sum_p i_p \, (N_p \, \mathrm{powered}_{pt} - \sum_{e \in p} g_e \, \mathrm{replicas}_{et}) \Big)
       \le P_{st} - C_{stb} + U_{st} $$

    Price: what one more kilowatt at the meter would earn over the period.
    """
    for s, site in d.sites.items():
        if site.power_kw is not None:
            for t in d.calendar.periods:
                for b in d.calendar.parts:
                    there = site.power_kw[t] - site.curtailed_kw.get((t, b), 0.0)
                    energised = there + brought(m, d, "power_kw", s, t)
                    yield Row((s, t, b), draw_kw(m, d, s, t, b), "<=", energised)


@family(index="site class period", unit="rack", price="$/rack")
def rack_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""Powered nodes fit the racks of their class: a rack is a circuit and a cooling loop.

    $$ \sum_{p \in c} \mathrm{powered}_{pt} / n_p \le R_{sct} $$

    Price: what one more rack of the class would earn over the period.
    """
    for s, site in d.sites.items():
        for name, racks in site.racks.items():
            pools = [d.pools[p] for p in d.pools_at[s] if d.pools[p].rack_class == name]
            for t in d.calendar.periods:
                used = quicksum(m.powered[p.id, t] / p.nodes_per_rack for p in pools)
                yield Row((s, name, t), used, "<=", racks[t] + brought(m, d, "racks", f"{s}/{name}", t))


@family(index="site period", unit="TB", price="$/TB")
def storage_capacity(m: Model, d: Data) -> Iterator[Row]:
    r"""Weights, indexes and training sets fit the storage of the site.

    $$ \sum_a z_a \, \mathrm{hosted}_{ast} + \sum_w z_{ws} \, \mathrm{fund}_{wt} + \sum_j z_{js} \, \mathrm{adopt}_{jt}
       \le Z_{st} $$

    Price: what one more terabyte would earn over the period.
    """
    for s, site in d.sites.items():
        for t, tb in (site.storage_tb or {}).items():
            yield Row((s, t), stored_tb(m, d, s, t), "<=", tb + brought(m, d, "storage_tb", s, t))


@family(index="endpoint period", unit="replica", price="$/replica")
def hosting_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A replica runs only at a site that stores the weights of its AI model.

    $$ \mathrm{replicas}_{et} \le \bar n_{et} \, \mathrm{hosted}_{ast} $$

    Price: none is quoted; it is logic.
    """
    for (e, t), replicas in m.replicas.items():
        end = d.endpoints[e]
        if (end.model, end.site, t) in m.hosted:
            most = replicas.ub if replicas.ub is not None else d.pools[end.pool].count[t] / end.gpus
            yield Row((e, t), replicas, "<=", most * m.hosted[end.model, end.site, t])


@family(index="scope period", unit="MWh", price="$/MWh")
def energy_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Energy of a site, country or all stays within its allowance over the year or the horizon.

    $$ \sum_{s \in S} \sum_{t \in T}  \, E_{st} \le \bar Q_{ST} $$

    Price: what one more megawatt-hour would earn.
    """
    yield from _footprint(m, d, "energy")


@family(index="scope period", unit="t CO2e", price="$/t CO2e")
def carbon_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Carbon of the electricity stays within its cap over the year or the horizon.

    $$ \sum_{s \in S} \sum_{t \in T} g_{st} \, E_{st} \le \bar Q_{ST} $$

    Price: what one more tonne would earn.
    """
    yield from _footprint(m, d, "carbon")


@family(index="scope period", unit="m3", price="$/m3")
def water_limit(m: Model, d: Data) -> Iterator[Row]:
    r"""Water of cooling and generation stays within its allowance over the year or the horizon.

    $$ \sum_{s \in S} \sum_{t \in T} \omega_{st} \, E_{st} \le \bar Q_{ST} $$

    Price: what one more cubic metre would earn.
    """
    yield from _footprint(m, d, "water")


def _footprint(m: Model, d: Data, kind: str) -> Iterator[Row]:
    for f in (f for f in d.footprints if f.kind == kind):
        for group, amount in f.amount.items():
            used = quicksum(_per_mwh(d, s, t, kind) / 1000 * energy_kwh(m, d, s, t) for s in f.sites for t in group)
            yield Row((f.id, span(group)), used, "<=", amount)


def _per_mwh(d: Data, s: str, t: Period, kind: str) -> float:
    if kind == "energy":
        return 1.0
    return d.sites[s].t_co2_per_mwh[t] if kind == "carbon" else d.sites[s].m3_per_mwh[t]
