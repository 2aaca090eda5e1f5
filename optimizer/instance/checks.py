"""What the shape alone cannot say about one part, and all such checks together.

Each check yields misfits whose path is that of the shape; messages say where in words once the path is
known as the planner wrote it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from optimizer.instance.by_period import ByPeriod, Demand
from optimizer.instance.calendar import FIRST_YEAR, LAST_YEAR, MONTHS, STARTS, month_of, spans
from optimizer.instance.check_market import gpus, limits, offers, sites
from optimizer.instance.check_names import unknown_names, unknown_periods
from optimizer.instance.check_offers import sources
from optimizer.instance.check_stack import contradictions, decisions, losses, tools
from optimizer.instance.check_work import SUMS, workflows
from optimizer.instance.faults import Misfit, Path, dotted
from optimizer.instance.paths import scenario_paths
from optimizer.instance.relief import misfits
from optimizer.instance.schema import Horizon, Instance
from optimizer.instance.translate import in_data

CHECKS = (unknown_names, sites, gpus, sources, offers, limits, workflows, tools, losses, decisions)


def cross_check(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Every misfit between parts of an instance; `stated` names also what was left out as misshapen."""
    for misfit in _all(instance, stated):
        at = in_data(misfit.at, stated)
        yield replace(misfit, at=at, message=f"{dotted(at)} {misfit.message}")


def _all(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    wrong = list(_horizon(instance))
    yield from wrong
    if not wrong:
        yield from _periods(instance)
        yield from unknown_periods(instance)
        yield from contradictions(instance)
        yield from scenario_paths(instance, stated)
    yield from _day_parts(instance)
    yield from _pools(instance)
    yield from misfits(instance)
    for check in CHECKS:
        yield from check(instance, stated)


def _horizon(instance: Instance) -> Iterator[Misfit]:
    horizon = instance.horizon
    if isinstance(horizon.periods, int):
        if horizon.start is None or month_of(horizon.start, horizon.unit) is None:
            found = "lacks its start" if horizon.start is None else f"starts at '{horizon.start}'"
            at: Path = ("horizon",) if horizon.start is None else ("horizon", "start")
            like = STARTS[horizon.unit]
            yield Misfit(at, f"{found}, expected a {horizon.unit} such as {like}", f"start: {like}")
        else:
            yield from _years(horizon, month_of(horizon.start, horizon.unit) or 0, horizon.periods)
        return
    if not horizon.periods:
        yield Misfit(("horizon", "periods"), "is empty, expected at least one {id, hours}")
    if horizon.start is not None:
        yield Misfit(("horizon", "start"), "has no meaning beside listed periods", "leave it out")
    for n, period in enumerate(horizon.periods):
        if (period.hours is None) == (period.seconds is None):
            yield Misfit(("horizon", "periods", n), "states neither or both of hours and seconds, expected one")
    for name, times in Counter(period.id for period in horizon.periods).items():
        if times > 1:
            yield Misfit(("horizon", "periods"), f"names period '{name}' {times} times")


def _years(horizon: Horizon, first: int, periods: int) -> Iterator[Misfit]:
    """Counted periods lie in years of four digits, which is what their names hold."""
    years = f"expected years from {FIRST_YEAR} to {LAST_YEAR}"
    if first < 12 * FIRST_YEAR:
        yield Misfit(("horizon", "start"), f"starts at '{horizon.start}', {years}")
    if first + MONTHS[horizon.unit] * periods > 12 * LAST_YEAR + 11:  # and a month to measure the last one by
        yield Misfit(("horizon", "periods"), f"is {periods} {horizon.unit}s from {horizon.start}, {years}")


def _periods(instance: Instance) -> Iterator[Misfit]:
    """Lists of the horizon's length, maps that name its periods from the first on, and periods that exist."""
    periods = [period for period, _ in spans(instance.horizon)]
    for path, value in _by_period(instance, ()):
        for misfit in value.misfits(periods):
            yield replace(misfit, at=(*path, *misfit.at))


def _by_period(value: object, path: Path) -> Iterator[tuple[Path, ByPeriod]]:
    if isinstance(value, Demand):
        yield path, value.amount
    elif isinstance(value, ByPeriod):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from _by_period(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _by_period(inner, (*path, key))
    elif isinstance(value, tuple):
        for n, inner in enumerate(value):
            yield from _by_period(inner, (*path, n))


def _day_parts(instance: Instance) -> Iterator[Misfit]:
    hours = sum(instance.day_parts.values())
    if instance.day_parts and abs(hours - 24) > SUMS:
        yield Misfit(("day_parts",), f"sum to {hours:g} h, expected 24 h")


def _pools(instance: Instance) -> Iterator[Misfit]:
    for name, pool in instance.pools.items():
        at = ("pools", name)
        if pool.sharing == "shared" and pool.max_residents is None:
            yield Misfit(at, "is shared but has no max_residents", "add max_residents: 4")
        for key in ("max_residents", "compute_share"):
            if pool.sharing != "shared" and getattr(pool, key) is not None:
                yield Misfit((*at, key), f"has no meaning on a pool whose sharing is {pool.sharing}", "sharing: shared")
        if pool.layouts is not None and pool.sharing != "partitioned":
            yield Misfit((*at, "layouts"), f"has no meaning on a pool whose sharing is {pool.sharing}",
                         "sharing: partitioned")  # fmt: skip
        most = max(pool.count.numbers, default=0.0)
        if pool.node is not None and 0 < most < pool.node:
            yield Misfit((*at, "node"), f"is {pool.node} GPUs, more than the {most:g} there ever are")
