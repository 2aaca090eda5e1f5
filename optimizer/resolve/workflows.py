"""Workflows and budgets over the periods of the program."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from optimizer.formulation.data import Budget, Bundle, Part, Period, Pilot, Retraining, Tranche, Workflow
from optimizer.instance.by_period import ByPeriod, Demand
from optimizer.instance.calendar import HOURS_PER_YEAR, Calendar
from optimizer.instance.schema import Ban, Instance, Pin
from optimizer.instance.schema import Budget as BudgetSpec
from optimizer.instance.schema import Workflow as Spec
from optimizer.resolve.eligibility import of_residency
from optimizer.resolve.fleet import laid
from optimizer.resolve.types import Ground

ONCE = Demand(ByPeriod(1.0))  # what a workflow in bundles asks for in each period
CAPEX = ("purchases", "upgrades")
OPEX = ("api_tokens", "commitments", "energy", "carbon_price", "gpu_running", "gpu_lease", "leases", "launches",
        "review", "retraining", "storage", "tools", "moves")  # fmt: skip


def workflow(ground: Ground, name: str, funded: Collection[str] = ()) -> Workflow:
    """A stream of work; outside its window it has no demand. `funded`: those that the previous plan left running."""
    spec, calendar, instance = ground.instance.workflows[name], ground.calendar, ground.instance
    return Workflow(
        id=name,
        unit=spec.unit,
        demand=_demand(spec, calendar),
        share=_share(spec, calendar),
        serving=spec.served_as,
        tranches=_tranches(spec, calendar),
        peak_factor=spec.peak_factor,
        headroom=ground.settings.headroom if spec.headroom is None else spec.headroom,
        min_service=spec.min_service,
        must_fund=spec.must_fund,
        keep=spec.keep_once_launched,
        job=spec.demand.job,
        launch_usd=laid(calendar, spec.launch_usd),
        running=spec.state.running or name in funded,
        min_replicas=spec.min_replicas,
        skill=spec.review.skill if spec.review else None,
        launch_hours=spec.launch_hours,
        pilot=Pilot(spec.pilot.share, spec.pilot.periods, spec.state.proven) if spec.pilot else None,
        retraining=_retraining(ground, spec),
        storage_tb=spec.storage_tb,
        resources=spec.resources,
        task_resources=spec.task_resources,
        requires=spec.requires,
        bundles=tuple(_bundles(spec, calendar)),
        choose=spec.bundles.choose if spec.bundles else "at_most_one",
        banned=_held(ground, name, instance.hold.banned),
        pinned=_held(ground, name, instance.hold.pinned),
    )


def _retraining(ground: Ground, spec: Spec) -> Retraining | None:
    """GPU-hours and cash by period, and the pools of whole GPUs that may do it where the data may be."""
    training = spec.retraining
    if training is None:
        return None
    hours = ground.calendar.hours
    years = {Period(t): hours[t] / HOURS_PER_YEAR if training.per == "year" else 1.0 for t in ground.calendar.periods}
    gpu_hours, usd = laid(ground.calendar, training.gpu_hours), laid(ground.calendar, training.usd)
    speed = {
        p: training.speed[min(place.gpu.names & training.speed.keys())]
        for p, place in ground.places.items()
        if place.gpu.names & training.speed.keys()
        and place.pool.sharing == "whole"
        and not of_residency(spec, place.site.jurisdiction)
    }
    return Retraining({t: years[t] * n for t, n in gpu_hours.items()}, speed, {t: years[t] * n for t, n in usd.items()})


def _bundles(spec: Spec, calendar: Calendar) -> Iterator[Bundle]:
    for name, way in spec.bundles.options.items() if spec.bundles else ():
        yield Bundle(name, laid(calendar, way.value_usd), way.resources)


def _held(ground: Ground, name: str, held: Iterable[Pin | Ban]) -> tuple[Period, ...]:
    """Periods in which it is decided already that a workflow is, or is not, funded."""
    stated = [each.periods or ground.calendar.periods for each in held if each.workflow == name]
    return tuple(t for t in ground.clock.periods if any(t in periods for periods in stated))


def _demand(spec: Spec, calendar: Calendar) -> dict[Period, float]:
    """Tasks in each period from `start` to `deadline`; for a job its total in each."""
    periods = calendar.periods
    first = periods.index(spec.start) if spec.start else 0
    last = periods.index(spec.deadline) if spec.deadline else len(periods) - 1
    demand = spec.demand if spec.bundles is None or "demand" in spec.model_fields_set else ONCE
    tasks = demand.resolve(periods, [calendar.hours[t] for t in periods])
    window = {t: n for t, n in zip(periods, tasks, strict=True) if first <= periods.index(t) <= last}
    return {Period(t): window.get(t, 0.0) for t in periods}


def _share(spec: Spec, calendar: Calendar) -> dict[tuple[Period, Part], float]:
    stated = spec.demand_share
    return {
        (Period(t), Part(b)): stated.get(b, 0.0) if stated else calendar.part_hours[t, b] / calendar.hours[t]
        for t in calendar.periods
        for b in calendar.parts
    }


def _tranches(spec: Spec, calendar: Calendar) -> tuple[Tranche, ...]:
    ends = (0.0, *(band.upto for band in spec.value_usd))
    widths = [end - start for start, end in pairwise(ends)]
    return tuple(Tranche(width, laid(calendar, band.usd)) for width, band in zip(widths, spec.value_usd, strict=True))


def budgets(instance: Instance, calendar: Calendar) -> Iterator[Budget]:
    """Each budget with its amount for every group of periods that shares one."""
    for name, spec in instance.limits.spend.items():
        amounts = laid(calendar, spec.amount)
        groups = periods_per(spec.per, instance, calendar)
        yield Budget(name, terms(name, spec), {group: amounts[group[0]] for group in groups})


def terms(name: str, spec: BudgetSpec) -> tuple[str, ...]:
    """Terms that a budget covers: as stated, else capital or all running cost, by its name."""
    return tuple(spec.terms or (CAPEX if name.startswith("capex") else OPEX))


def periods_per(per: str, instance: Instance, calendar: Calendar) -> list[tuple[Period, ...]]:
    """Groups of periods that share one amount: each alone, those of a year, or all."""
    periods = tuple(Period(t) for t in calendar.periods)
    if per == "horizon":
        return [periods]
    if per == "period":
        return [(t,) for t in periods]
    years: dict[object, tuple[Period, ...]] = {}
    for t, year in zip(periods, _years(instance, calendar), strict=True):
        years[year] = (*years.get(year, ()), t)
    return list(years.values())


def _years(instance: Instance, calendar: Calendar) -> Iterator[object]:
    """Calendar year of each period, or, where periods have names of their own, which 8,760 hours it begins in."""
    elapsed = 0.0
    for t in calendar.periods:
        yield t[:4] if isinstance(instance.horizon.periods, int) else elapsed // HOURS_PER_YEAR
        elapsed += calendar.hours[t]
