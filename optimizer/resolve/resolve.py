"""Instance and catalogue to the numbers of the program, and back to an instance in which every number is stated."""

from __future__ import annotations

from dataclasses import replace

from optimizer.formulation.data import Calendar, Data, Part, Period
from optimizer.formulation.pause import no_garbage_collection
from optimizer.instance.calendar import Calendar as InstanceCalendar
from optimizer.instance.schema import Instance
from optimizer.resolve import apis, dominance, fleet, scarce, workflows
from optimizer.resolve.apis import Bought, buy
from optimizer.resolve.bounds import with_bounds
from optimizer.resolve.defaults import settings
from optimizer.resolve.document import document
from optimizer.resolve.endpoints import Placed, place_all
from optimizer.resolve.gpus import gpus_of_pools
from optimizer.resolve.losses import losses
from optimizer.resolve.models import Models, refuse_unknown
from optimizer.resolve.notes import assumed, defaults_used
from optimizer.resolve.offers import offer
from optimizer.resolve.past import Past, held, past
from optimizer.resolve.tools import tool
from optimizer.resolve.types import Ground, Resolution


@no_garbage_collection
def resolve(instance: Instance, *, reduce: bool = True) -> Resolution:
    """Everything that can be decided before the program, decided; `reduce=False` keeps dominated deployments.

    Raises BadInput for names and figures that neither the instance nor the catalogue holds.
    """
    ground, before = _ground(instance), past(instance)
    placed, bought = place_all(ground), buy(ground)
    data = _data(ground, placed, bought, before)
    if reduce:
        data = _reduced(_with_scopes(data, ground))
    data = with_bounds(fleet.with_layouts(_with_scopes(data, ground), ground))
    return Resolution(data, document(ground, placed, bought, before, data))


def _ground(instance: Instance) -> Ground:
    gpus = gpus_of_pools(instance)
    models = Models(instance)
    refuse_unknown(instance, models)
    places = {p: fleet.place(instance, p, gpu) for p, gpu in gpus.items()}
    return Ground(instance, instance.calendar(), settings(instance), places, models)


def _data(ground: Ground, placed: Placed, bought: Bought, before: Past) -> Data:
    instance, calendar, limits = ground.instance, ground.calendar, ground.instance.limits
    return Data(
        name=instance.name,
        currency=instance.currency,
        calendar=_calendar(calendar),
        sites={s: fleet.site(ground, s) for s in instance.sites},
        pools={p: fleet.pool(ground, place) for p, place in ground.places.items()},
        endpoints=held(ground, placed.endpoints, before),
        workflows={w: workflows.workflow(ground, w, before.funded) for w in instance.workflows},
        pairs=placed.pairs,
        api_pairs=bought.pairs,
        api_limits={a: apis.limits(api, calendar) for a, api in instance.apis.items()},
        budgets=tuple(workflows.budgets(instance, calendar)),
        launch_limit={} if limits.launches is None else fleet.laid(calendar, limits.launches),
        portfolio_limit={} if limits.portfolio is None else fleet.laid(calendar, limits.portfolio),
        candidates=(*placed.candidates, *bought.candidates),
        offers={o: offer(ground, o) for o in instance.offers},
        quotas=tuple(scarce.quotas(ground)),
        footprints=tuple(scarce.footprints(ground)),
        resources=scarce.resources(ground),
        skills=scarce.skills(ground),
        tools={j: tool(ground, j) for j in instance.tools},
        variants={**placed.variants, **bought.variants},
        commitments=tuple(scarce.commitments(ground)),
        exploration_share={} if limits.exploration is None else fleet.laid(calendar, limits.exploration),
        notes=tuple(dict.fromkeys([*defaults_used(ground, placed), *assumed(ground, placed, before), *bought.notes])),
    )


def _with_scopes(data: Data, ground: Ground) -> Data:
    """What is said of all endpoints of a site, for those that are there."""
    return replace(
        data,
        concentrations=tuple(scarce.concentrations(ground, data)),
        losses=tuple(losses(ground, data)),
        model_tb=scarce.model_tb(ground, data),
    )


def _reduced(data: Data) -> Data:
    left = dominance.reduce(with_bounds(data))
    if len(left.endpoints) == len(data.endpoints):
        return left
    note = f"{len(data.endpoints)} endpoints before dominated ones were dropped, {len(left.endpoints)} after"
    return replace(left, notes=(*data.notes, note))


def _calendar(c: InstanceCalendar) -> Calendar:
    return Calendar(
        periods=tuple(map(Period, c.periods)),
        hours={Period(t): h for t, h in c.hours.items()},
        parts=tuple(map(Part, c.parts)),
        part_hours={(Period(t), Part(b)): h for (t, b), h in c.part_hours.items()},
        discount={Period(t): f for t, f in c.discount.items()},
    )
