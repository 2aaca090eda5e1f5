"""Instance and catalogue to the numbers of the program, and back to an instance in which every number is stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from optimizer.formulation.data import Calendar, Data, Part, Period
from optimizer.instance.calendar import Calendar as InstanceCalendar
from optimizer.instance.schema import Instance
from optimizer.resolve import apis, dominance, fleet, workflows
from optimizer.resolve.apis import Bought, buy
from optimizer.resolve.bounds import with_bounds
from optimizer.resolve.defaults import GRIDS, settings
from optimizer.resolve.document import document
from optimizer.resolve.endpoints import Placed, place_all
from optimizer.resolve.gpus import gpus_of_pools
from optimizer.resolve.models import Models, refuse_unknown
from optimizer.resolve.types import Ground, Resolution


def resolve(instance: Instance, *, reduce: bool = True) -> Resolution:
    """Everything that can be decided before the program, decided; `reduce=False` keeps dominated deployments.

    Raises BadInput for names and figures that neither the instance nor the catalogue holds.
    """
    ground = _ground(instance)
    placed, bought = place_all(ground), buy(ground)
    data = _data(ground, placed, bought)
    if reduce:
        before = len(data.endpoints)
        data = dominance.reduce(data)
        if before > len(data.endpoints):
            note = f"{before} endpoints before dominated ones were dropped, {len(data.endpoints)} after"
            data = replace(data, notes=(*data.notes, note))
    data = with_bounds(fleet.with_layouts(data, ground))
    return Resolution(data, document(ground, placed, bought, data))


def _ground(instance: Instance) -> Ground:
    gpus = gpus_of_pools(instance)
    models = Models(instance)
    refuse_unknown(instance, models)
    places = {p: fleet.place(instance, p, gpu) for p, gpu in gpus.items()}
    return Ground(instance, instance.calendar(), settings(instance), places, models)


def _data(ground: Ground, placed: Placed, bought: Bought) -> Data:
    instance, calendar, limits = ground.instance, ground.calendar, ground.instance.limits
    return Data(
        name=instance.name,
        currency=instance.currency,
        calendar=_calendar(calendar),
        sites={s: fleet.site(spec, s, calendar) for s, spec in instance.sites.items()},
        pools={p: fleet.pool(place, calendar, ground.settings) for p, place in ground.places.items()},
        endpoints=placed.endpoints,
        workflows={w: workflows.workflow(spec, w, calendar, ground.settings) for w, spec in instance.workflows.items()},
        pairs=placed.pairs,
        api_pairs=bought.pairs,
        api_limits={a: apis.limits(api, calendar) for a, api in instance.apis.items()},
        budgets=tuple(workflows.budgets(instance, calendar)),
        launch_limit={} if limits.launches is None else fleet.laid(calendar, limits.launches),
        portfolio_limit={} if limits.portfolio is None else fleet.laid(calendar, limits.portfolio),
        candidates=(*placed.candidates, *bought.candidates),
        notes=tuple(dict.fromkeys([*_defaults(ground, placed), *_notes(ground, placed), *bought.notes])),
    )


def _calendar(c: InstanceCalendar) -> Calendar:
    return Calendar(
        periods=tuple(map(Period, c.periods)),
        hours={Period(t): h for t, h in c.hours.items()},
        parts=tuple(map(Part, c.parts)),
        part_hours={(Period(t), Part(b)): h for (t, b), h in c.part_hours.items()},
        discount={Period(t): f for t, f in c.discount.items()},
    )


def _defaults(ground: Ground, placed: Placed) -> Iterator[str]:
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


def _notes(ground: Ground, placed: Placed) -> Iterator[str]:
    """What a reader must know: limits that are not stated, rates that are defaults, speeds that nobody measured."""
    instance = ground.instance
    for s, site in instance.sites.items():
        if site.power_mw is None:
            yield f"{s}: power is not limited, no power_mw is stated"
    if "discount_rate" not in instance.horizon.model_fields_set:
        yield "default discount_rate: 0 (none is stated)"
    for w, workflow in instance.workflows.items():
        anything = workflow.accepts.models is None and workflow.accepts.apis is None and not workflow.quality
        if anything and workflow.tokens_in is not None:
            yield f"{w}: neither accepts nor quality is stated, any AI model and API may serve it"
    if ground.settings.pessimistic:
        yield "speeds are planned at the slow end of their intervals"
    for place in ground.places.values():
        if place.pool.sharing == "shared":
            yield f"{place.id}: arithmetic of shared GPUs is counted in bf16 operations"
    for basis in sorted({w.basis for d in placed.deployments.values() for w in d.work.values()}):
        if basis.startswith("no measurement"):
            yield basis
