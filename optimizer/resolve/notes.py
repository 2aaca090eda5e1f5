"""What a reader must know of a resolution: defaults that were used, limits not stated, speeds nobody measured."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.resolve.defaults import GRIDS
from optimizer.resolve.endpoints import Placed
from optimizer.resolve.offers import late
from optimizer.resolve.past import Past, gone
from optimizer.resolve.types import Ground


def defaults_used(ground: Ground, placed: Placed) -> Iterator[str]:
    """The defaults that this instance really used."""
    used = set(GRIDS) if placed.generated else set()
    if any(w.headroom is None for w in ground.instance.workflows.values()):
        used.add("headroom")
    if any(p.sharing == "shared" and p.compute_share is None for p in ground.instance.pools.values()):
        used.add("compute_share")
    yield from (note for name, note in ground.settings.defaults.items() if name in used)
    leaving = [d for d in ground.instance.deployments.values() if d.availability is None]
    if ground.settings.stated_availability is None and (placed.generated or leaving):
        names = dict.fromkeys(place.gpu.measured_as.id for place in ground.places.values())
        yield from ground.settings.availability_notes(names)


def assumed(ground: Ground, placed: Placed, before: Past) -> Iterator[str]:
    """What a reader must know: limits that are not stated, rates that are defaults, speeds that nobody measured."""
    instance = ground.instance
    for s, site in instance.sites.items():
        if site.power_mw is None and not site.power_permits:
            yield f"{s}: power is not limited, no power_mw is stated"
    if "discount_rate" not in instance.horizon.model_fields_set:
        yield "default discount_rate: 0 (none is stated)"
    for w, workflow in instance.workflows.items():
        anything = workflow.accepts.models is None and workflow.accepts.apis is None and not workflow.quality
        if anything and workflow.tokens_in is not None:
            yield f"{w}: neither accepts nor quality is stated, any AI model and API may serve it"
    yield from late(instance.offers, ground.clock)
    yield from (
        f"{e}: cannot stand any more, its replicas before are not moves" for e in gone(before, placed.endpoints)
    )
    if ground.settings.pessimistic:
        yield "speeds are planned at the slow end of their intervals"
    for place in ground.places.values():
        if place.pool.sharing == "shared":
            yield f"{place.id}: arithmetic of shared GPUs is counted in bf16 operations"
    for basis in sorted({w.basis for d in placed.deployments.values() for w in d.work.values()}):
        if basis.startswith("no measurement"):
            yield basis
