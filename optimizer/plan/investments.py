"""Prove it pays before you build: each purchase, lease and upgrade, with it and without it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import pyomo.environ as pyo

from optimizer.engine.outcome import Values
from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Data, Offer, Period
from optimizer.plan.again import Again, Gain, Otherwise, with_one, without
from optimizer.plan.choices import WORDS, outlay
from optimizer.plan.loading import load
from optimizer.plan.plan import Row
from optimizer.plan.sharing import serves
from optimizer.plan.use import Use

BRING = ("purchase", "lease", "upgrade")


def investments(stated: Formulation, use: Use, again: Again) -> Iterator[Row]:
    """A line per offer that brings something, those taken first, the dearest first.

    An offer that is taken is left out and the rest decided again (`npv_without`); one that is not is ordered at
    least once (`npv_with`). `gain_low` to `gain_high` is what the two proofs leave of the gain. Capex is what is
    paid for it, residual value not taken off; payback counts periods from the first order until the cash gained
    stays above what was paid.
    """
    for offer in sorted(judged(use.data), key=lambda o: (-_paid(use, o), -_cheapest(o))):
        orders = {t: lots for (o, t), lots in use.lots.items() if o == offer.id}
        lacking, having = (again.of(each) for each in _choice(offer))
        asked = lacking if orders else having
        gain, proof = Gain.of(having, lacking), _gap(asked.value, asked.bound)
        pays = _payback(stated, use, lacking.values, min(orders)) if orders and lacking.values else None
        yield {
            "offer": offer.id,
            "kind": WORDS.get(offer.kind, offer.kind),
            "lots": sum(orders.values()),
            "capex_usd": _paid(use, offer) if orders else _cheapest(offer),
            "serves": _serves(use, offer, orders),
            "payback_periods": pays,
            "npv_with": having.value,
            "npv_without": lacking.value,
            "gain_usd": gain.usd,
            "gain_low": gain.low,
            "gain_high": gain.high,
            "gap": proof,
            "method": asked.method,
            "seconds": asked.seconds,
        }


def questions(d: Data) -> Iterator[Otherwise]:
    """What is to be asked about them."""
    for offer in judged(d):
        yield from _choice(offer)


def judged(d: Data) -> list[Offer]:
    """Offers that bring something and can be ordered."""
    return [o for o in d.offers.values() if o.kind in BRING and o.lots]


def _choice(offer: Offer) -> tuple[Otherwise, Otherwise]:
    return without("buy", offer.id), with_one("buy", offer.id)


def _paid(use: Use, offer: Offer) -> float:
    return sum(outlay(offer, t) * lots for (o, t), lots in use.lots.items() if o == offer.id)


def _cheapest(offer: Offer) -> float:
    """One lot, when it costs least."""
    return min(outlay(offer, t) for t in offer.lots)


def _gap(value: float | None, bound: float | None) -> float | None:
    return None if value is None or bound is None else max(bound - value, 0.0) / max(abs(value), 1.0)


def _serves(use: Use, offer: Offer, orders: Mapping[Period, int]) -> dict[str, float]:
    """Workflows on the GPUs that the orders feed, with their share of the hours used there."""
    total: dict[str, float] = defaultdict(float)
    for t, lots in orders.items():
        for w, part in serves(use, offer, t).items():
            total[w] += lots * part
    whole = sum(total.values())
    return {w: part / whole for w, part in sorted(total.items(), key=lambda item: -item[1])}


def _payback(stated: Formulation, use: Use, without: Values, first: Period) -> int | None:
    """Periods until the cash gained is above what was paid and stays there; None if not within the horizon."""
    periods, order = use.data.calendar.periods, use.data.calendar.periods.index(first)
    lacking, having = (_cash(stated, use.data, decided) for decided in (without, use.values))
    balance, since = 0.0, None
    for i, t in enumerate(periods):
        balance += having[t] - lacking[t]
        if i >= order:
            since = None if balance < 0 else i if since is None else since
    return None if since is None else since - order + 1


def _cash(stated: Formulation, d: Data, decided: Values) -> dict[Period, float]:
    load(stated, decided)
    cash = dict.fromkeys(d.calendar.periods, 0.0)
    for entries in stated.terms.values():
        for entry in entries:
            cash[entry.period] += float(pyo.value(entry.cash))
    return cash
