"""Sites, offers and limits that contradict themselves or bring what nothing counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor
from typing import Any

from optimizer.instance.faults import Misfit, Path
from optimizer.instance.known import DEFAULT, Known
from optimizer.instance.schema import Footprint, GpuSpec, Instance, Purchase, Release, Site, Upgrade

SIGNED = ("usd_per_mwh", "g_co2_per_kwh", "usd_per_t_co2")
FOOTPRINTS = {"energy": None, "carbon": "g_co2_per_kwh", "water": "water_l_per_kwh"}  # what a site has to state


def sites(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """What is wrong with each site, and with the racks its pools stand in."""
    for name, site in instance.sites.items():
        at = ("sites", name)
        yield from _signs(site, at)
        for key in ("power_permits", "curtailment"):
            if getattr(site, key) and site.power_mw is None:
                yield Misfit((*at, key), "changes a limit that the site does not state", "add power_mw: 0")
        if site.usd_per_t_co2 is not None and site.g_co2_per_kwh is None:
            yield Misfit((*at, "usd_per_t_co2"), "stands at a site without g_co2_per_kwh", "add g_co2_per_kwh: ...")
    yield from _racks(instance, Known(instance, stated))


def _signs(site: Site, at: Path) -> Iterator[Misfit]:
    """Negative figures are refused one by one unless the site allows them."""
    for key in SIGNED if not site.allow_negative else ():
        value = getattr(site, key)
        given = value.given if value is not None else 0.0
        steps = list(given.items()) if isinstance(given, Mapping) else list(enumerate(value.numbers if value else ()))
        for step, number in steps:
            if number < 0:
                here = (*at, key) if isinstance(given, float) else (*at, key, step)
                yield Misfit(here, f"is {number:g}, expected at least 0", "allow_negative: true at the site")


def _racks(instance: Instance, known: Known) -> Iterator[Misfit]:
    for name, pool in instance.pools.items():
        at, site = ("pools", name), instance.sites.get(pool.site)
        kind = instance.rack_classes.get(pool.rack or "")
        if kind is None or site is None:
            continue
        if pool.rack not in site.racks:
            yield Misfit((*at, "rack"), f"names a rack class that {pool.site} does not state",
                         f"add racks: {{{pool.rack}: 0}} to sites.{pool.site}")  # fmt: skip
        gpus, kw = pool.node or known.figure(pool.gpu, "gpus_per_node"), known.figure(pool.gpu, "op_kw")
        if kw == 0:
            yield Misfit((*at, "rack"), "is filled by kW, and the GPU model draws none", "state op_kw")
        if gpus and kw and floor(kind.kw / (gpus * kw) + 1e-9) < 1:
            yield Misfit((*at, "rack"), f"is a rack of {kind.kw:g} kW, less than the {gpus * kw:.4g} kW of one node")


def gpus(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """GPU models with more usable memory than there is, be it their own or that of the one they are based on."""
    known = Known(instance, stated)
    pools = instance.pools.items()
    inline = ((("pools", p, "gpu"), pool.gpu) for p, pool in pools if isinstance(pool.gpu, GpuSpec))
    for at, spec in (*((("gpus", name), gpu) for name, gpu in instance.gpus.items()), *inline):
        nominal, usable = known.figure(spec, "hbm_gb"), known.figure(spec, "usable_hbm_gb")
        if nominal and usable and usable > nominal * (1 + 1e-9):
            key = "hbm_gb" if spec.usable_hbm_gb is None else "usable_hbm_gb"
            yield Misfit((*at, key), f"makes {usable:g} GB usable of {nominal:g} GB", "state both of them")


def offers(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """What keeps an offer from being an order."""
    for name, offer in instance.offers.items():
        at = ("offers", name)
        if offer.kind in ("purchase", "lease") and offer.lots is None and offer.max_lots is None:
            yield Misfit(at, "states neither lots nor max_lots", "add max_lots: 8")
        if isinstance(offer, Purchase | Upgrade):
            yield from _capital(offer, at)
        if isinstance(offer, Upgrade):
            yield from _upgrade(offer, instance, at)
        pool = instance.pools.get(offer.pool) if isinstance(offer, Release) else None
        if pool and not any(pool.lease_usd_per_gpu_hour.numbers):
            yield Misfit((*at, "pool"), "is not leased, so nothing can be given back", "kind: retire")


def _capital(offer: Purchase | Upgrade, at: Path) -> Iterator[Misfit]:
    prices = [offer.usd_per_lot, offer.usd_per_gpu if isinstance(offer, Purchase) else None]
    if sum(price is not None for price in prices) != 1:
        keys = "usd_per_lot and usd_per_gpu" if isinstance(offer, Purchase) else "usd_per_lot"
        found = "states both of" if all(price is not None for price in prices) else "states no price:"
        yield Misfit(at, f"{found} {keys}, expected one", "usd_per_lot: 260_000")
    if offer.charge == "annuity" and offer.life_years is None:
        yield Misfit(at, "is charged as an annuity but states no life_years", "add life_years: 5")
    residuals = [key for key in ("residual_usd_per_lot", "depreciation_per_year") if getattr(offer, key) is not None]
    if offer.charge == "annuity" and residuals:
        yield Misfit((*at, residuals[0]), "stands beside charge: annuity, which leaves no residual value")
    elif len(residuals) > 1:
        yield Misfit((*at, residuals[1]), f"stands beside {residuals[0]}, expected one of the two")


def _upgrade(offer: Upgrade, instance: Instance, at: Path) -> Iterator[Misfit]:
    brings = {"power_mw": offer.power_mw, "racks": offer.racks, "storage_tb": offer.storage_tb}
    local = [key for key, amount in brings.items() if amount]
    if not local and not offer.resources:
        yield Misfit(at, "brings nothing", "add power_mw, racks, storage_tb or resources")
    if offer.site is None and local:
        yield Misfit(at, f"brings {local[0]} to no site", "add site: ...")
    site = instance.sites.get(offer.site or "")
    for key in ("power_mw", "storage_tb"):
        if site and key in local and getattr(site, key) is None:
            yield Misfit((*at, key), "adds to a limit that the site does not state", f"add {key}: 0 to its site")
    for name in offer.racks:
        if site and name in instance.rack_classes and name not in site.racks:
            yield Misfit((*at, "racks", name), f"adds to a rack class that {offer.site} does not state",
                         f"add racks: {{{name}: 0}} to sites.{offer.site}")  # fmt: skip


def limits(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Limits whose scope is empty, doubly stated, or without the figures it counts."""
    for kind, figure in FOOTPRINTS.items():
        for name, footprint in getattr(instance.limits, kind).items():
            yield from _footprint(footprint, figure, instance, ("limits", kind, name))
    for name, c in instance.limits.concentration.items():
        if not (c.sites or c.vendors or c.apis):
            yield Misfit(("limits", "concentration", name), "names no sites, vendors or APIs", "add vendors: [...]")
    yield from _uncounted(instance)


def _uncounted(instance: Instance) -> Iterator[Misfit]:
    """Workflows whose share of tokens is limited and whose tokens are not stated but by AI model or API."""
    limited = list(instance.limits.concentration.values())
    for w, workflow in instance.workflows.items():
        out = workflow.tokens_out
        counted = any(c.workflows is None or w in c.workflows for c in limited) and not instance.resolved_from
        if counted and isinstance(out, Mapping) and DEFAULT not in out:
            yield Misfit(("workflows", w, "tokens_out"), "has no default, by which limits.concentration counts",
                             "add default: ...")  # fmt: skip


def _footprint(footprint: Footprint, figure: str | None, instance: Instance, at: Path) -> Iterator[Misfit]:
    law = footprint.jurisdiction
    if law is not None and footprint.sites is not None:
        yield Misfit((*at, "jurisdiction"), "stands beside sites, expected one of the two")
    inside = [s for s, site in instance.sites.items() if law is None or within(site.jurisdiction, law)]
    if law is not None and not inside:
        yield Misfit((*at, "jurisdiction"), f"is '{law}', where no site is")
    for name in footprint.sites or inside:
        site = instance.sites.get(name)
        if site and figure and getattr(site, figure) is None:
            yield Misfit(at, f"covers site {name}, which states no {figure}", f"add {figure}: ... to sites.{name}")


def within(jurisdiction: str, law: str) -> bool:
    """Whether a law holds in a jurisdiction: US-VA is within US."""
    return jurisdiction == law or jurisdiction.startswith(f"{law}-")
