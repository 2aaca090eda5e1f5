"""Purchases, leases, retirements, releases and upgrades: what one lot brings, and its cash, by period of order.

Purchases and upgrades are paid at the start of the period of order, what is sold or given back settles at the start
of the period in which it leaves, rates are paid during each period, residual value comes at the end of the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from optimizer.formulation.data import Books, Brings, Flow, Offer, Period
from optimizer.instance.faults import BadInput
from optimizer.instance.schema import Lease, Order, Purchase, Release, Retire, Upgrade
from optimizer.resolve.books import books
from optimizer.resolve.clock import Clock
from optimizer.resolve.faults import fault
from optimizer.resolve.fleet import KW_PER_MW, laid
from optimizer.resolve.types import Ground

Spec = Purchase | Lease | Retire | Release | Upgrade
TERMS = {"purchase": "purchases", "lease": "leases", "retire": "resale", "release": "gpu_lease", "upgrade": "upgrades"}


def offer(ground: Ground, name: str) -> Offer:
    """An offer in whole lots; what would take effect after the horizon cannot be ordered."""
    spec, clock = ground.instance.offers[name], ground.clock
    most = _most(ground, name, spec)
    felt = {t: there for t in clock.periods if (there := clock.later(t, spec.lead)) is not None}
    stated = {t: float(most or 0) for t in felt} if spec.lots is None else laid(ground.calendar, spec.lots)
    lots = {t: int(stated[t]) for t in felt if stated[t] > 0}
    cash = _cash(ground, name, spec)
    return Offer(
        id=name,
        kind=spec.kind,
        term=TERMS[spec.kind],
        lots=lots,
        max_lots=most,
        brings=tuple(_brings(ground, spec, {t: felt[t] for t in lots})),
        flows=tuple(flow for t in lots for flow in cash(t, felt[t])),
        quotas=spec.needs,
        books=_books(ground, name, spec, {t: felt[t] for t in lots}),
    )


def _most(ground: Ground, name: str, spec: Spec) -> int | None:
    """Lots over the horizon: as stated; one upgrade; all that is there to part with."""
    if spec.max_lots is not None or spec.lots is not None:
        return spec.max_lots
    if isinstance(spec, Upgrade):
        return 1
    if isinstance(spec, Retire | Release):
        return int(max(laid(ground.calendar, ground.places[spec.pool].pool.count).values()) // _gpus(ground, spec))
    message = f"offers.{name} states neither lots nor max_lots"
    raise BadInput([fault(ground.instance, ("offers", name), message, "add max_lots: 8")])


def _gpus(ground: Ground, spec: Purchase | Lease | Retire | Release) -> int:
    """GPUs of one lot, a node unless stated."""
    return spec.lot or ground.places[spec.pool].node


def _brings(ground: Ground, spec: Spec, felt: Mapping[Period, Period]) -> Iterator[Brings]:
    def over(amount: float, most: int | None = None) -> dict[tuple[Period, Period], float]:
        return {(order, t): amount for order, there in felt.items() for t in ground.clock.since(there, most)}

    if isinstance(spec, Upgrade):
        if spec.power_mw:
            yield Brings("power_kw", str(spec.site), over(KW_PER_MW * spec.power_mw))
        yield from (Brings("racks", f"{spec.site}/{name}", over(n)) for name, n in spec.racks.items())
        if spec.storage_tb:
            yield Brings("storage_tb", str(spec.site), over(spec.storage_tb))
        yield from (Brings("resource", r, over(n)) for r, n in spec.resources.items())
    elif isinstance(spec, Retire | Release):
        yield Brings("gpus", spec.pool, over(-float(_gpus(ground, spec))))
    else:
        most = spec.term if isinstance(spec, Lease) else None
        yield Brings("gpus", spec.pool, over(float(_gpus(ground, spec)), most))


def _cash(ground: Ground, name: str, spec: Spec) -> Callable[[Period, Period], Iterator[Flow]]:
    """Flows of one lot by the periods of its order and of its effect."""
    if isinstance(spec, Lease):
        return lambda order, there: _leased(ground, spec, order, there)
    if isinstance(spec, Retire | Release):
        return lambda order, there: _parted(ground, spec, order, there)
    price = _price(ground, name, spec)
    if spec.charge == "annuity" and spec.life_years is None:
        raise _lacks(ground, name, "life_years, which an annuity runs over")
    return lambda order, there: _paid(ground.clock, spec, price[order], order, there)


def _price(ground: Ground, name: str, spec: Purchase | Upgrade) -> Mapping[Period, float]:
    """What one lot costs, by period of order."""
    if spec.usd_per_lot is not None:
        return laid(ground.calendar, spec.usd_per_lot)
    if isinstance(spec, Purchase) and spec.usd_per_gpu is not None:
        return laid(ground.calendar, spec.usd_per_gpu, float(_gpus(ground, spec)))
    raise _lacks(ground, name, "a price")


def _lacks(ground: Ground, name: str, what: str) -> BadInput:
    return BadInput([fault(ground.instance, ("offers", name), f"offers.{name} lacks {what}")])


def _books(ground: Ground, name: str, spec: Spec, felt: Mapping[Period, Period]) -> Books | None:
    if isinstance(spec, Lease | Retire | Release):
        return None
    return books(ground.clock, spec, _price(ground, name, spec), felt)


def _paid(clock: Clock, spec: Purchase | Upgrade, usd: float, order: Period, there: Period) -> Iterator[Flow]:
    if spec.charge == "annuity":
        yield from _annuity(clock, usd, spec.life_years or 0.0, order)
        return
    yield Flow(order, order, -usd, clock.present_value(clock.start(order)))
    worth = spec.residual_usd_per_lot or 0.0
    if spec.depreciation_per_year is not None:
        worth = usd * (1 - spec.depreciation_per_year) ** (clock.end - clock.start(there))
    if worth:
        yield Flow(order, clock.periods[-1], worth, clock.present_value(clock.end))


def _annuity(clock: Clock, usd: float, life: float, order: Period) -> Iterator[Flow]:
    """The capital recovery factor r / (1 - (1 + r)^-life) of the price a year, until the life is over."""
    recovery = clock.rate / (1 - (1 + clock.rate) ** -life) if clock.rate else 1 / life
    over = clock.start(order) + life
    for t in clock.since(order):
        years = min(clock.span[t][1], over) - clock.start(t)
        if years > 0:
            yield Flow(order, t, -usd * recovery * years, clock.middle[t])


def _leased(ground: Ground, spec: Lease, order: Period, there: Period) -> Iterator[Flow]:
    usd = laid(ground.calendar, spec.usd_per_gpu_hour)[order] * _gpus(ground, spec)
    for t in ground.clock.since(there, spec.term):
        yield Flow(order, t, -usd * ground.calendar.hours[t], ground.clock.middle[t])


def _parted(ground: Ground, spec: Retire | Release, order: Period, there: Period) -> Iterator[Flow]:
    """What a sale fetches; or the penalty of giving back, and the lease rate that ends."""
    clock = ground.clock
    fetched = spec.resale_usd_per_lot if isinstance(spec, Retire) else spec.penalty_usd_per_lot
    usd = laid(ground.calendar, fetched)[there] * (1 if isinstance(spec, Retire) else -1)
    if usd:
        yield Flow(order, there, usd, clock.present_value(clock.start(there)))
    rate = laid(ground.calendar, ground.places[spec.pool].pool.lease_usd_per_gpu_hour)
    for t in clock.since(there) if isinstance(spec, Release) else ():
        if rate[t]:
            yield Flow(order, t, rate[t] * _gpus(ground, spec) * ground.calendar.hours[t], clock.middle[t])


def late(orders: Mapping[str, Order], clock: Clock) -> Iterator[str]:
    """Offers that take effect only after the horizon."""
    for name, spec in orders.items():
        if spec.lead >= len(clock.periods):
            yield f"{name}: ordered at once, it takes effect after the horizon"
