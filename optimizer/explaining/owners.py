"""What a lot more or less is worth to its owner, alone and in number, and what it earns for its price."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from optimizer.asking.asker import Asker
from optimizer.asking.interval import Interval
from optimizer.explaining.limits import Limits, more, row_only
from optimizer.explaining.lot import Lot

Row = dict[str, Any]


def owners(limits: Limits, asker: Asker) -> list[Row]:
    """One line per owner: what a lot is, costs and earns; the best use of money first."""
    near = [lot for lot in limits.near() if asker.gain(more(lot)) is not None]
    lots = sorted((*limits.lots(), *near), key=partial(_earning, asker), reverse=True)
    return [_owner(limits, asker, lot) for lot in lots]


def _earning(asker: Asker, lot: Lot) -> tuple[float, float]:
    """What a lot surely earns, then what it seems to."""
    gain, average = asker.gain(more(lot)), average_price(asker, lot)
    surely = average[0].low if average else 0.0
    return max(surely, 0.0), gain.middle if gain and np.isfinite(gain.middle) else 0.0


def _owner(limits: Limits, asker: Asker, lot: Lot) -> Row:
    gain, loss = asker.gain(more(lot)), asker.gain(more(lot, -1))
    lost = asker.answers.get(more(lot, -1))
    price, share = lot.usd_per_lot, _share(limits, lot)
    return {
        "owner": lot.owner,
        "families": sorted({row.family.name for row in limits.of(lot) if row.full}),
        "periods": list(dict.fromkeys(row.period for row in limits.of(lot) if row.full)),
        "lot": lot.text,
        "declared": lot.declared,
        "decides": lot.decides,
        "promise": lot.promise,
        "usd_per_lot": price,
        "max_lots": lot.max_lots if lot.declared else None,
        "one_more_usd": gain.json() if gain else None,
        "one_fewer_usd": loss.times(-1.0).json() if loss and lost and not lost.infeasible else None,
        "cannot_lose_one": bool(lost and lost.infeasible),
        "row_only_usd": _row_only(asker, lot),
        "per_usd": gain.times(1 / price).json() if gain and price else None,
        "per_percent_usd": gain.times(1 / share).json() if gain and share else None,
        "net_usd": gain_less(gain, price).json() if gain and price else None,
        "curve": list(_curve(asker, lot)),
        **_steps(asker, lot),
        **asker.evidence(more(lot)).json(),
    }


def gain_less(gain: Interval, price: float) -> Interval:
    """What is left of a gain after the lot is paid."""
    return Interval(gain.low - price, gain.high - price)


def _row_only(asker: Asker, lot: Lot) -> dict[str, Any]:
    found = {family: asker.gain(row_only(lot, family)) for family in lot.families}
    return {family: gain.at_least(0.0).json() for family, gain in found.items() if gain}


def _share(limits: Limits, lot: Lot) -> float:
    """Per cent of its fullest capacity that one lot is."""
    rows = [row for row in limits.of(lot) if row.full and row.capacity]
    return max((100 * lot.families[row.family.name] / abs(row.capacity) for row in rows), default=0.0)


def _curve(asker: Asker, lot: Lot) -> Iterator[Row]:
    for n in range(-2, min(lot.max_lots, 8) + 1):
        gain = Interval(0.0, 0.0) if n == 0 else asker.gain(more(lot, n))
        if gain is not None:
            yield {"lots": n, "usd": gain.json()}


def _steps(asker: Asker, lot: Lot) -> Row:
    """The first number of lots that surely earns, where no more is earned, and the best average per lot."""
    gains = {n: gain for n in range(1, lot.max_lots + 1) if (gain := asker.gain(more(lot, n)))}
    earning = [n for n, gain in gains.items() if gain.positive]
    average = average_price(asker, lot)
    top = max((gain.low for gain in gains.values()), default=0.0)
    flat = [n for n, gain in gains.items() if top > 0.0 and gain.high <= top + asker.noise and len(gains) > 1]
    return {
        "next_increment": min(earning, default=None),
        "saturates_at": min(flat) if flat and max(gains) > min(flat) else None,
        "average_incremental_price": {"usd": average[0].json(), "k": average[1]} if average else None,
    }


def average_price(asker: Asker, lot: Lot) -> tuple[Interval, int] | None:
    """The best average that a lot surely earns, and of how many; None if nothing was answered."""
    gains = {n: gain.times(1 / n) for n in range(1, lot.max_lots + 1) if (gain := asker.gain(more(lot, n)))}
    k = max(gains, key=lambda n: gains[n].low, default=0)
    return (gains[k], k) if k else None
