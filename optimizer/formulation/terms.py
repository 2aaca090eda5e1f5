"""The objective, one function a term: cash by period; the objective is its present value."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data
from optimizer.formulation.family import Entry, Model, Term, term
from optimizer.formulation.load import energy_kwh


@term(index="workflow period")
def value(m: Model, d: Data) -> Iterator[Entry]:
    r"""What served tasks are worth, the most valuable tranche first.

    $$ \sum_{k} v_{wkt} \, \mathrm{tranche}_{wkt} $$
    """
    for w in d.workflows.values():
        for t in w.periods:
            yield Entry(
                (w.id, t), t, quicksum(band.usd[t] * m.tranche[w.id, str(k), t] for k, band in enumerate(w.tranches))
            )


@term(index="workflow api period")
def api_tokens(m: Model, d: Data) -> Iterator[Entry]:
    r"""Tokens bought from APIs, at the price of the workflow's own tokens per call.

    $$ - \sum_{b} c_{wat} \, \mathrm{api}_{watb} $$
    """
    for (w, a), pair in d.api_pairs.items():
        for t in d.workflows[w].periods:
            yield Entry((w, a, t), t, quicksum(-pair.usd_per_task[t] * m.api[w, a, t, b] for b in d.calendar.parts))


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


@term(index="pool period")
def gpu_running(m: Model, d: Data) -> Iterator[Entry]:
    r"""Running cost of GPUs: of all that are owned, or of those powered where the pool says so.

    $$ - r_{pt} \, h_t \, G_{pt} $$
    """
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            gpus = pool.node * m.powered[p, t] if pool.paid_when_powered else pool.count[t]
            yield Entry((p, t), t, -pool.usd_per_gpu_hour[t] * d.calendar.hours[t] * gpus)


@term(index="pool period")
def gpu_lease(m: Model, d: Data) -> Iterator[Entry]:
    r"""Leases of GPUs, paid whether they are used or not.

    $$ - l_{pt} \, h_t \, G_{pt} $$
    """
    for p, pool in d.pools.items():
        for t in d.calendar.periods:
            if pool.lease_usd_per_gpu_hour[t]:
                yield Entry((p, t), t, -pool.lease_usd_per_gpu_hour[t] * d.calendar.hours[t] * pool.count[t])


@term(index="workflow period")
def launches(m: Model, d: Data) -> Iterator[Entry]:
    r"""One-off cost of starting a workflow.

    $$ - L_{wt} \, \mathrm{launch}_{wt} $$
    """
    for w in d.workflows.values():
        for t in w.periods:
            if w.launch_usd[t]:
                yield Entry((w.id, t), t, -w.launch_usd[t] * m.launch[w.id, t])


TERMS: tuple[Term, ...] = (value, api_tokens, energy, gpu_running, gpu_lease, launches)
