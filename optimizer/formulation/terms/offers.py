"""Cash of what is bought, leased, upgraded and sold."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.formulation.data import Data
from optimizer.formulation.family import Entry, Model, term


@term(index="offer period")
def purchases(m: Model, d: Data) -> Iterator[Entry]:
    r"""GPUs bought, paid when ordered or as the annuity of their capital; residual value at the end.

    $$ \sum_t c_{o\tau t} \, \mathrm{buy}_{o\tau} $$
    """
    yield from flows(m, d, "purchases")


@term(index="offer period")
def leases(m: Model, d: Data) -> Iterator[Entry]:
    r"""GPUs leased by decision, paid while they are held.

    $$ - \sum_t l_{o\tau t} \, \mathrm{buy}_{o\tau} $$
    """
    yield from flows(m, d, "leases")


@term(index="offer period")
def upgrades(m: Model, d: Data) -> Iterator[Entry]:
    r"""Power, racks and other upgrades of a site, paid when ordered.

    $$ - c_{o\tau} \, \mathrm{buy}_{o\tau} $$
    """
    yield from flows(m, d, "upgrades")


@term(index="offer period")
def resale(m: Model, d: Data) -> Iterator[Entry]:
    r"""GPUs retired and sold: what they fetch.

    $$ r_{o\tau} \, \mathrm{buy}_{o\tau} $$
    """
    yield from flows(m, d, "resale")


def flows(m: Model, d: Data, name: str) -> Iterator[Entry]:
    """Cash of the offers that are booked under a term, by what is ordered."""
    for o in d.offers.values():
        for flow in o.flows if o.term == name else ():
            if (o.id, flow.order) in m.buy:
                yield Entry((o.id, flow.order), flow.period, flow.cash * m.buy[o.id, flow.order], flow.factor)
