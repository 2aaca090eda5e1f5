"""What the fleet costs to run: electricity, carbon, GPUs, storage, tools, moves."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.formulation.data import Data
from optimizer.formulation.family import Entry, Model, term
from optimizer.formulation.load import energy_kwh, gpus_there, stored_tb
from optimizer.formulation.terms.offers import flows

MONTH = 8760 / 12  # hours


@term(index="site period")
def energy(m: Model, d: Data) -> Iterator[Entry]:
    r"""Electricity at the site's meter, at mean load.

    $$ - u_{st} \, \mathrm{PUE}_s
       \Big( \sum_{e,b} (o_e - i_e) \, \mathrm{busy}_{etb} + h_t \, \mathrm{idle}_{st} \Big) $$
    """
    for s, site in d.sites.items():
        for t in d.calendar.periods:
            if site.usd_per_kwh[t]:
                yield Entry((s, t), t, -site.usd_per_kwh[t] * energy_kwh(m, d, s, t))


@term(index="site period")
def carbon_price(m: Model, d: Data) -> Iterator[Entry]:
    r"""Price of the carbon that the site's electricity carries.

    $$ - q_{st} \, g_{st} \, E_{st} $$
    """
    for s, site in d.sites.items():
        for t, usd in site.usd_per_t_co2.items():
            if usd:
                yield Entry((s, t), t, -usd * site.t_co2_per_mwh[t] / 1000 * energy_kwh(m, d, s, t))


@term(index="pool period")
def gpu_running(m: Model, d: Data) -> Iterator[Entry]:
    r"""Running cost of GPUs: of all that are owned, or of those powered where the pool says so.

    $$ - r_{pt} \, h_t \, G_{pt} $$
    """
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            gpus = pool.node * m.powered[p, t] if pool.paid_when_powered else gpus_there(m, d, p, t)
            yield Entry((p, t), t, -pool.usd_per_gpu_hour[t] * d.calendar.hours[t] * gpus)


@term(index="pool period")
def gpu_lease(m: Model, d: Data) -> Iterator[Entry]:
    r"""Leases of GPUs, paid whether they are used or not, until they are given back; what giving back costs.

    $$ - l_{pt} \, h_t \, G_{pt} + \sum_t (l_{pt} \, h_t \, n_o - c_{ot}) \, \mathrm{buy}_{o\tau} $$
    """
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            if pool.lease_usd_per_gpu_hour[t]:
                yield Entry((p, t), t, -pool.lease_usd_per_gpu_hour[t] * d.calendar.hours[t] * pool.count[t])
    yield from flows(m, d, "gpu_lease")


@term(index="site period")
def storage(m: Model, d: Data) -> Iterator[Entry]:
    r"""Storage of weights, indexes and training sets, by the month.

    $$ - u_{st} \, \mu_t \, \mathrm{TB}_{st} $$
    """
    for s, site in d.sites.items():
        for t, usd in site.usd_per_tb_month.items():
            if usd:
                yield Entry((s, t), t, -usd * d.calendar.hours[t] / MONTH * stored_tb(m, d, s, t))


@term(index="tool period")
def tools(m: Model, d: Data) -> Iterator[Entry]:
    r"""Licences and staff of the tools adopted, and what it takes to bring one in.

    $$ - c_{jt} \, \mathrm{adopt}_{jt} - C_j \, \mathrm{start}_{jt} $$
    """
    for j, tool in d.tools.items():
        for t in d.calendar.periods:
            staff = sum(d.skills[k].usd_per_hour[t] * hours for k, hours in tool.hours.items())
            yield Entry((j, t), t, -(tool.usd[t] + staff) * m.adopt[j, t] - tool.adopt_usd * m.start[j, t])


@term(index="endpoint period")
def moves(m: Model, d: Data) -> Iterator[Entry]:
    r"""Replicas brought up or taken down between periods.

    $$ - c_e \, (\mathrm{up}_{et} + \mathrm{down}_{et}) $$
    """
    for e, t in m.up:
        if d.endpoints[e].usd_per_move:
            yield Entry((e, t), t, -d.endpoints[e].usd_per_move * (m.up[e, t] + m.down[e, t]))
