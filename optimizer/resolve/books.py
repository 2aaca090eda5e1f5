"""What is bought, on the books: what it loses in a period and what it is still worth. Reported, never optimised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from optimizer.formulation.data import Book, Books, Period
from optimizer.instance.schema import Purchase, Upgrade
from optimizer.resolve.clock import Clock

UNSTATED = "none stated"


def books(
    clock: Clock, spec: Purchase | Upgrade, price: Mapping[Period, float], felt: Mapping[Period, Period]
) -> Books:
    """Worth of one lot by period of order, at its price until it takes effect."""
    lines = (line for order, there in felt.items() for line in _lines(clock, spec, price[order], order, there))
    return Books(_method(spec), tuple(lines))


def _method(spec: Purchase | Upgrade) -> str:
    """As stated: a share a year, else straight over its life, else straight to what it is worth at the end."""
    if spec.depreciation_per_year is not None:
        return f"{100 * spec.depreciation_per_year:g}% of its worth a year"
    if spec.life_years is not None:
        return f"straight over {spec.life_years:g} year{'' if spec.life_years == 1 else 's'}"
    return UNSTATED if spec.residual_usd_per_lot is None else "straight to its residual value"


def _lines(clock: Clock, spec: Purchase | Upgrade, usd: float, order: Period, there: Period) -> Iterator[Book]:
    before: float | None = usd
    for t in clock.since(order):
        years = max(clock.span[t][1] - clock.start(there), 0.0)
        worth = _worth(spec, usd, years, clock.end - clock.start(there))
        yield Book(order, t, None if before is None or worth is None else before - worth, worth)
        before = worth


def _worth(spec: Purchase | Upgrade, usd: float, years: float, left: float) -> float | None:
    """After so many `years` of use, of the `left` until the horizon ends."""
    if spec.depreciation_per_year is not None:
        return usd * math.pow(1 - spec.depreciation_per_year, years)
    if spec.life_years is not None:
        return usd * max(1 - years / spec.life_years, 0.0)
    if spec.residual_usd_per_lot is not None:
        return usd - (usd - spec.residual_usd_per_lot) * years / left
    return None
