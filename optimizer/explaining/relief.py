"""Relief as an instance declares it: what one lot is, what it costs, how many there are, who decides."""

from __future__ import annotations

from typing import NamedTuple

from optimizer.formulation.data import Pool
from optimizer.instance.relief import declared, lot_amount
from optimizer.instance.schema import Instance


class Relief(NamedTuple):
    """One lot: its amount and unit (`20`, `kW`), money per lot, lots that can be had, and who decides about it."""

    amount: float
    unit: str
    usd_per_lot: float
    max_lots: int
    decides: str | None = None


def reliefs(instance: Instance) -> dict[str, Relief]:
    """Declared lots by owner, as `pools.ash-h100` or `limits.spend.opex_usd`."""
    return {
        each.owner: Relief(*lot_amount(each.relief.lot, each.units), each.relief.usd_per_lot, each.relief.max_lots,
                           each.relief.owner)
        for each in declared(instance)
    }  # fmt: skip


def lots_of_gpus(pool: Pool, relief: Relief | None) -> float:
    """GPUs of one lot: whole nodes unless the lot counts GPUs."""
    if relief is None:
        return float(pool.node)
    return relief.amount * (1.0 if relief.unit == "GPU" else pool.node)
