"""What earns nothing alone and something together: lots of several owners, down to the fewest that still earn."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from optimizer.asking.asker import Asker, Question
from optimizer.asking.interval import Interval
from optimizer.explaining.limits import Limits, more
from optimizer.explaining.lot import Lot

Row = dict[str, Any]
Bundle = Mapping[Lot, int]
STEPS = (1, 2, 4)  # lots of each to begin with
KEEPS = 0.5  # of the gain: a lot that brings less than the rest of it is not of the bundle
WIDEST = 8  # owners that a search begins with


def bundles(limits: Limits, asker: Asker, seconds: float) -> list[Row]:
    """Minimal bundles of lots that earn nothing alone."""
    alone = [lot for lot in limits.lots() if not _earns(asker, lot)][:WIDEST]
    until = time.monotonic() + seconds
    found = []
    while len(alone) > 1 and (bundle := _minimal(limits, asker, alone, until)):
        for lot, n in bundle.items():
            _gain(limits, asker, {lot: n}, until)
        found.append(_row(asker, bundle))
        alone = [lot for lot in alone if lot not in bundle]
    return found


def _minimal(limits: Limits, asker: Asker, lots: Sequence[Lot], until: float) -> Bundle:
    """Enough lots of all of them to earn, then owners and lots left out for as long as the rest still earns."""
    for n in STEPS:
        bundle = {lot: min(n, lot.max_lots) for lot in lots}
        total = _gain(limits, asker, bundle, until)
        if total is not None and total.positive:
            break
    else:
        return {}
    least = KEEPS * total.low
    for lot in lots:
        for many in range(bundle[lot]):
            fewer = {each: many if each is lot else n for each, n in bundle.items() if many or each is not lot}
            gain = _gain(limits, asker, fewer, until) if fewer else None
            if gain is not None and gain.positive and gain.low >= least:
                bundle = fewer
                break
    return bundle


def _gain(limits: Limits, asker: Asker, bundle: Bundle, until: float) -> Interval | None:
    name = together(bundle)
    asker.ask([Question(name, partial(limits.study.with_all, bundle))], until - time.monotonic())
    return asker.gain(name)


def _earns(asker: Asker, lot: Lot) -> bool:
    gain = asker.gain(more(lot))
    return gain is None or gain.positive


def _row(asker: Asker, bundle: Bundle) -> Row:
    lots, gain = list(bundle), asker.gain(together(bundle))
    prices = [None if lot.usd_per_lot is None else n * lot.usd_per_lot for lot, n in bundle.items()]
    return {
        "owners": [lot.owner for lot in lots],
        "lots": [f"{n} x {lot.text}" if n > 1 else lot.text for lot, n in bundle.items()],
        "alone_usd": [alone.json() if (alone := asker.gain(more(lot, n))) else None for lot, n in bundle.items()],
        "together_usd": gain.json() if gain else None,
        "usd_per_bundle": sum(p for p in prices if p is not None) if None not in prices else None,
        **asker.evidence(together(bundle)).json(),
    }


def together(bundle: Bundle) -> str:
    """Name of the question."""
    return " and ".join(more(lot, n) for lot, n in bundle.items())
