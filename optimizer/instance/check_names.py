"""Names that nothing answers to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from optimizer.instance.calendar import spans
from optimizer.instance.check_names_work import Reference, stack_references, work_references
from optimizer.instance.faults import Misfit, Path
from optimizer.instance.known import Known, strange
from optimizer.instance.schema import Constant, GpuSpec, Instance, ModelSpec, Pool


def unknown_names(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Every reference to a part of the instance or of the catalogue that is not there."""
    known = Known(instance, stated)
    for references in (_fleet, _sources, _offers, _limits, work_references, stack_references):
        for at, kind, names in references(instance):
            yield from known.unknown(at, kind, names)
    yield from _circles("gpus", instance.gpus, known.catalogue.gpus if known.catalogue else ())
    yield from _circles("models", instance.models, known.catalogue.models if known.catalogue else ())
    for name, pool in instance.pools.items():
        yield from _layouts(pool, ("pools", name), known)


def unknown_periods(instance: Instance) -> Iterator[Misfit]:
    """Periods named outside the horizon."""
    periods = [period for period, _ in spans(instance.horizon)]
    for at, period in _periods(instance):
        yield from strange(at, "period", period, periods)


def _periods(instance: Instance) -> Iterator[tuple[Path, str]]:
    for name, workflow in instance.workflows.items():
        for key in ("start", "deadline"):
            if (period := getattr(workflow, key)) is not None:
                yield ("workflows", name, key), period
    for name, site in instance.sites.items():
        yield from ((("sites", name, "power_permits", i, "from"), p.from_) for i, p in site.power_permits.items())
    for name, deployment in instance.deployments.items():
        groups = deployment.replicas.constant if isinstance(deployment.replicas, Constant) else ()
        for g, group in enumerate(groups):
            yield from ((("deployments", name, "replicas", "constant", g, n), p) for n, p in enumerate(group))
    for at, one in instance.hold.each:
        yield from (((*at, "periods", n), p) for n, p in enumerate(one.periods or ()))


def _fleet(instance: Instance) -> Iterator[Reference]:
    for name, site in instance.sites.items():
        yield ("sites", name, "racks"), "rack class", site.racks
        yield ("sites", name, "curtailment"), "day part", site.curtailment
    for name, pool in instance.pools.items():
        at = ("pools", name)
        yield (*at, "site"), "site", pool.site
        yield (*at, "rack"), "rack class", pool.rack
        yield (*at, "gpu"), "GPU model", pool.gpu if isinstance(pool.gpu, str) else None
        yield (*at, "gpu", "base"), "GPU model", pool.gpu.base if isinstance(pool.gpu, GpuSpec) else None
    for name, gpu in instance.gpus.items():
        yield ("gpus", name, "base"), "GPU model", gpu.base
    for name, model in instance.models.items():
        yield ("models", name, "base"), "AI model", model.base


def _circles(section: str, own: Mapping[str, GpuSpec | ModelSpec], others: Collection[str]) -> Iterator[Misfit]:
    """Entries that lead back to themselves; one that changes the catalogue's entry of its own name does not."""
    for name, spec in own.items():
        chain, base = [name], spec.base
        while base is not None and base in own and base not in chain:
            chain.append(base)
            base = own[base].base
        if base == name and (len(chain) > 1 or name not in others):
            circle = " -> ".join([*chain, name])
            yield Misfit((section, name, "base"), f"leads back to itself: {circle}", "name one of the catalogue")


def _layouts(pool: Pool, at: Path, known: Known) -> Iterator[Misfit]:
    name = pool.gpu.base if isinstance(pool.gpu, GpuSpec) else pool.gpu
    if isinstance(pool.layouts, tuple) and (name is None or name in known.of("GPU model")):
        for n, layout in enumerate(pool.layouts):
            yield from strange((*at, "layouts", n), "layout", layout, known.layouts(pool.gpu))


def _sources(instance: Instance) -> Iterator[Reference]:
    for name, deployment in instance.deployments.items():
        at = ("deployments", name)
        yield (*at, "gpu"), "GPU model", deployment.gpu
        yield (*at, "pools"), "pool", deployment.pools
        yield (*at, "workflows"), "workflow", deployment.workflows
        yield (*at, "work"), "workflow", deployment.work
        yield (*at, "resources"), "resource", deployment.resources
        for w, own in deployment.work.items():
            yield from _with_tools((*at, "work", w), own.tools)
    for name, api in instance.apis.items():
        yield ("apis", name, "prices"), "workflow", api.prices
        for w, price in api.prices.items():
            yield from _with_tools(("apis", name, "prices", w), price.tools)


def _with_tools(at: Path, figures: Mapping[str, object]) -> Iterator[Reference]:
    """Figures with tools in use are keyed by the tools, joined by +."""
    for together in figures:
        yield from (((*at, "tools", together), "tool", tool) for tool in together.split("+"))


def _offers(instance: Instance) -> Iterator[Reference]:
    for name, offer in instance.offers.items():
        at = ("offers", name)
        yield (*at, "needs"), "quota", offer.needs
        if offer.kind != "upgrade":
            yield (*at, "pool"), "pool", offer.pool
        else:
            yield (*at, "site"), "site", offer.site
            yield (*at, "racks"), "rack class", offer.racks
            yield (*at, "resources"), "resource", offer.resources


def _limits(instance: Instance) -> Iterator[Reference]:
    limits = instance.limits
    for name, budget in limits.spend.items():
        yield ("limits", "spend", name, "terms"), "term", budget.terms
    for key in ("energy", "carbon", "water"):
        for name, footprint in getattr(limits, key).items():
            yield ("limits", key, name, "sites"), "site", footprint.sites
    for name, c in limits.concentration.items():
        at = ("limits", "concentration", name)
        yield (*at, "sites"), "site", c.sites
        yield (*at, "vendors"), "vendor", c.vendors
        yield (*at, "apis"), "API", c.apis
        yield (*at, "workflows"), "workflow", c.workflows
