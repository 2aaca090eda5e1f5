"""Workflows, budgets and ceilings over the periods of the program."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from optimizer.formulation.data import Budget, Part, Period, Tranche, Workflow
from optimizer.instance.calendar import HOURS_PER_YEAR, Calendar
from optimizer.instance.schema import Budget as BudgetSpec
from optimizer.instance.schema import Instance
from optimizer.instance.schema import Workflow as Spec
from optimizer.resolve.defaults import Settings
from optimizer.resolve.fleet import laid

OPEX = ("api_tokens", "energy", "gpu_running", "gpu_lease", "launches")


def workflow(spec: Spec, name: str, calendar: Calendar, settings: Settings) -> Workflow:
    """A stream of work; outside its window it has no demand."""
    return Workflow(
        id=name,
        unit=spec.unit,
        demand=_demand(spec, calendar),
        share=_share(spec, calendar),
        serving=spec.serving,
        tranches=_tranches(spec, calendar),
        peak_factor=spec.peak_factor,
        headroom=settings.headroom if spec.headroom is None else spec.headroom,
        min_service=spec.min_service,
        must_fund=spec.must_fund,
        keep=spec.keep_once_launched,
        job=spec.demand.job,
        launch_usd=laid(calendar, spec.launch_usd),
        running=spec.state.running,
        min_replicas=spec.min_replicas,
    )


def _demand(spec: Spec, calendar: Calendar) -> dict[Period, float]:
    """Tasks in each period from `start` to `deadline`; for a job its total in each."""
    periods = calendar.periods
    first = periods.index(spec.start) if spec.start else 0
    last = periods.index(spec.deadline) if spec.deadline else len(periods) - 1
    tasks = spec.demand.resolve(periods, [calendar.hours[t] for t in periods])
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
        groups = _groups(spec, instance, calendar)
        yield Budget(name, tuple(spec.terms or OPEX), {group: amounts[group[0]] for group in groups})


def _groups(spec: BudgetSpec, instance: Instance, calendar: Calendar) -> list[tuple[Period, ...]]:
    periods = tuple(Period(t) for t in calendar.periods)
    if spec.per == "horizon":
        return [periods]
    if spec.per == "period":
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
