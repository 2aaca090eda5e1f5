"""What is limited beside GPUs and power: footprints, market supply, people, further resources, shares, promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from optimizer.formulation.data import (
    Commitment,
    Concentration,
    Data,
    Footprint,
    Period,
    Quota,
    Resource,
    Skill,
)
from optimizer.instance.schema import Footprint as FootprintSpec
from optimizer.instance.schema import Instance
from optimizer.resolve.eligibility import within
from optimizer.resolve.fleet import laid
from optimizer.resolve.types import Ground
from optimizer.resolve.workflows import periods_per
from optimizer.speed.memory import WEIGHT_BYTES

GB_PER_TB = 1000.0


def footprints(ground: Ground) -> Iterator[Footprint]:
    """Allowances of energy, carbon and water over their sites and groups of periods."""
    limits = ground.instance.limits
    for name, energy in limits.energy.items():
        mwh = laid(ground.calendar, energy.mwh)
        yield Footprint(name, "energy", _sites(ground, energy), _over(ground, energy, mwh))
    for name, carbon in limits.carbon.items():
        tonnes = laid(ground.calendar, carbon.t_co2)
        yield Footprint(name, "carbon", _sites(ground, carbon), _over(ground, carbon, tonnes))
    for name, water in limits.water.items():
        yield Footprint(name, "water", _sites(ground, water), _over(ground, water, laid(ground.calendar, water.m3)))


def _over(ground: Ground, spec: FootprintSpec, amount: Mapping[Period, float]) -> dict[tuple[Period, ...], float]:
    return {group: amount[group[0]] for group in periods_per(spec.per, ground.instance, ground.calendar)}


def _sites(ground: Ground, spec: FootprintSpec) -> tuple[str, ...]:
    return tuple(
        s
        for s, site in ground.instance.sites.items()
        if (spec.sites is None or s in spec.sites)
        and (spec.jurisdiction is None or within(site.jurisdiction, spec.jurisdiction))
    )


def quotas(ground: Ground) -> Iterator[Quota]:
    """What the market delivers of what several offers need."""
    for name, spec in ground.instance.limits.supply.items():
        yield Quota(name, spec.unit, laid(ground.calendar, spec.amount))


def skills(ground: Ground) -> dict[str, Skill]:
    """People's hours and their price."""
    return {
        name: Skill(
            name,
            None if spec.hours is None else laid(ground.calendar, spec.hours),
            laid(ground.calendar, spec.usd_per_hour),
        )
        for name, spec in ground.instance.skills.items()
    }


def resources(ground: Ground) -> dict[str, Resource]:
    """Whatever else the planner counts."""
    given = ground.instance.resources.items()
    return {name: Resource(name, spec.unit, laid(ground.calendar, spec.amount)) for name, spec in given}


def commitments(ground: Ground) -> Iterator[Commitment]:
    """Spend that is paid whether it is used or not."""
    for a, api in ground.instance.apis.items():
        if api.commitment_usd is not None:
            yield Commitment(a, laid(ground.calendar, api.commitment_usd))


def concentrations(ground: Ground, d: Data) -> Iterator[Concentration]:
    """Shares of tokens that sites, vendors and APIs may carry, by the endpoints and APIs behind them."""
    for name, spec in ground.instance.limits.concentration.items():
        carriers = endpoints_at(d, spec.sites) | apis_of(ground.instance, spec.vendors, spec.apis)
        share = laid(ground.calendar, spec.share)
        yield Concentration(name, carriers, frozenset(spec.workflows or ()), share)


def endpoints_at(d: Data, sites: Iterable[str]) -> frozenset[str]:
    """Endpoints that stand at these sites."""
    named = set(sites)
    return frozenset(i for i, e in d.endpoints.items() if e.site in named)


def apis_of(instance: Instance, vendors: Iterable[str], apis: Iterable[str]) -> frozenset[str]:
    """These APIs, and all that these vendors sell."""
    sellers, named = set(vendors), set(apis)
    return frozenset(a for a, api in instance.apis.items() if a in named or api.seller in sellers)


def model_tb(ground: Ground, d: Data) -> dict[str, float]:
    """TB of weights of each AI model where storage counts, at the widest precision deployed there."""
    counted = {s for s, site in d.sites.items() if site.storage_tb is not None or any(site.usd_per_tb_month.values())}
    found: dict[str, float] = {}
    for e in d.endpoints.values():
        model = ground.models.known(e.model) if e.site in counted else None
        if model is not None:
            tb = model.params_b * WEIGHT_BYTES.get(e.precision, WEIGHT_BYTES["bf16"]) / GB_PER_TB
            found[e.model] = max(tb, found.get(e.model, 0.0))
    return dict(sorted(found.items()))
