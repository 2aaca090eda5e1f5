"""Promises that could be smaller: floors have no price to buy them off, so their lots are a usual small step.

One percentage point of demand, one replica, one period of a pilot, 5 % of a commitment; what must be funded is
funded or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

from optimizer.explaining.lot import Lot, lot, with_member
from optimizer.formulation.data import Data, Period, Pilot, Workflow

POINT = 0.01  # of demand
SHARE = 0.05  # of a commitment


def promises(d: Data) -> Iterator[Lot]:
    """A lot for every promise of the instance."""
    for w in d.workflows.values():
        yield from _service(w)
        if w.pilot is not None and not w.pilot.proven:
            yield from _proof(w, w.pilot)
        if any(w.id in loss.shares for loss in d.losses):
            points = _points(w, "resilience_floor")
            yield lot(f"workflows.{w.id}.resilience", "1 percentage point less after a loss", points, (None, w.id),
                      None, partial(_after_loss, w.id), lasting=True)  # fmt: skip
    for i, commitment in enumerate(d.commitments):
        usd = SHARE * max(commitment.usd.values(), default=0.0) or 1.0
        yield lot(f"apis.{commitment.api}.commitment_usd", f"{usd:,.0f} {d.currency} less ({SHARE:.0%})",
                  {"commitment_floor": usd}, (commitment.api,), None, partial(_committed, i, usd))  # fmt: skip


def _service(w: Workflow) -> Iterator[Lot]:
    at = f"workflows.{w.id}"
    if w.must_fund:
        yield lot(f"{at}.must_fund", "no longer owed", {"service_floor": 1.0}, (w.id, None, "must fund"), None,
                  partial(_owed, w.id), lasting=True)  # fmt: skip
    if w.min_service:
        yield lot(f"{at}.min_service", "1 percentage point less", _points(w, "service_floor"), (w.id, None), None,
                  partial(_served, w.id), whole=True, lasting=True)  # fmt: skip
    if w.min_replicas:
        yield lot(f"{at}.min_replicas", "1 replica fewer", {"replica_floor": 1.0}, (w.id,), None,
                  partial(_standing, w.id), lasting=True)  # fmt: skip


def _proof(w: Workflow, pilot: Pilot) -> Iterator[Lot]:
    at = f"workflows.{w.id}.pilot"
    yield lot(f"{at}.share", "1 percentage point more before the proof", _points(w, "proof_floor"),
              (w.id, None, "scale"), None, partial(_tried, w.id), lasting=True)  # fmt: skip
    yield lot(f"{at}.periods", "proven 1 period sooner", {"proof_floor": 1.0}, (w.id, None, "proof"), None,
              partial(_proven, w.id), lasting=True)  # fmt: skip


def _points(w: Workflow, family: str) -> dict[str, float]:
    return {family: POINT * max(w.demand.values(), default=0.0)}


def _owed(w: str, d: Data, n: int, at: Collection[Period]) -> Data:
    return with_member(d, "workflows", w, must_fund=n < 1)


def _served(w: str, d: Data, n: int, at: Collection[Period]) -> Data:
    return with_member(d, "workflows", w, min_service=_share(d.workflows[w].min_service, -n))


def _standing(w: str, d: Data, n: int, at: Collection[Period]) -> Data:
    return with_member(d, "workflows", w, min_replicas=max(0, d.workflows[w].min_replicas - n))


def _tried(w: str, d: Data, n: int, at: Collection[Period]) -> Data:
    pilot = d.workflows[w].pilot
    assert pilot is not None
    return with_member(d, "workflows", w, pilot=replace(pilot, share=_share(pilot.share, n)))


def _proven(w: str, d: Data, n: int, at: Collection[Period]) -> Data:
    pilot = d.workflows[w].pilot
    assert pilot is not None
    return with_member(d, "workflows", w, pilot=replace(pilot, periods=max(0, pilot.periods - n)))


def _after_loss(w: str, d: Data, n: int, at: Collection[Period]) -> Data:
    kept = (x if w not in x.shares else replace(x, shares={**x.shares, w: _share(x.shares[w], -n)}) for x in d.losses)
    return replace(d, losses=tuple(kept))


def _committed(i: int, usd: float, d: Data, n: int, at: Collection[Period]) -> Data:
    rows = list(d.commitments)
    less = {t: max(0.0, owed - n * usd) if t in at else owed for t, owed in rows[i].usd.items()}
    rows[i] = replace(rows[i], usd=less)
    return replace(d, commitments=tuple(rows))


def _share(of: float, points: int) -> float:
    return min(1.0, max(0.0, of + points * POINT))
