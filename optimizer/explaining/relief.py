"""Relief as an instance declares it: what one lot is, what it costs, how many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from optimizer.formulation.data import Pool
from optimizer.instance.schema import Instance

KW = {"kw": 1.0, "mw": 1000.0}


class Relief(NamedTuple):
    """One lot: its amount and thing (`20`, `kw`), money per lot, lots that can be had."""

    amount: float
    thing: str
    usd_per_lot: float
    max_lots: int


def reliefs(instance: Instance) -> dict[str, Relief]:
    """Declared lots by owner, as `pools.ash-h100`."""
    return dict(_declared(instance))


def lots_of_gpus(pool: Pool, relief: Relief | None) -> float:
    """GPUs of one lot: whole nodes unless the lot counts GPUs."""
    if relief is None:
        return float(pool.node)
    return relief.amount * (1.0 if relief.thing.startswith("gpu") else pool.node)


def kw_per_lot(relief: Relief | None) -> float | None:
    """Kilowatts of one lot of power, None if it is not stated in any unit of power."""
    if relief is None or relief.thing not in KW:
        return None
    return relief.amount * KW[relief.thing]


def _declared(instance: Instance) -> Iterator[tuple[str, Relief]]:
    owners: dict[str, Mapping[str, object]] = {"pools": instance.pools, "sites": instance.sites}
    for kind, members in owners.items():
        for name, member in members.items():
            relief = getattr(member, "relief", None)
            if relief is not None and (found := re.match(r"([\d_.]+)\s+(\S+)", relief.lot)):
                amount = float(found[1].replace("_", ""))
                yield f"{kind}.{name}", Relief(amount, found[2].lower(), relief.usd_per_lot, relief.max_lots)
