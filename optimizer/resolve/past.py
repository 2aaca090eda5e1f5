"""The plan in force and what is decided already: replicas before, cost and cap of moves, pins and bans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optimizer.formulation.data import Endpoint, Period
from optimizer.instance.faults import BadInput
from optimizer.instance.load import parse
from optimizer.instance.schema import Instance
from optimizer.resolve.faults import fault, unknown
from optimizer.resolve.types import Ground


@dataclass(frozen=True, slots=True)
class Past:
    """Replicas by endpoint (None: nobody says) and workflows funded in the last period before this instance."""

    replicas: Mapping[str, int] | None
    funded: tuple[str, ...]


def past(instance: Instance) -> Past:
    """What the previous plan left, what the instance says of it, and what workflows say of their replicas."""
    said = instance.previous
    planned = _planned(instance, said.plan) if said.plan is not None else Past(None, ())
    own = {e: n for w in instance.workflows.values() for e, n in w.state.replicas.items()}
    known = planned.replicas is not None or "replicas" in said.model_fields_set or own
    replicas = {**(planned.replicas or {}), **said.replicas, **own} if known else None
    return Past(replicas, tuple(dict.fromkeys([*planned.funded, *said.funded])))


def _planned(instance: Instance, path: str) -> Past:
    """Last period of a plan document, whose path is seen from the instance's file."""
    file = Path(instance.source).parent / path if instance.source else Path(path)
    try:
        plan: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        last = parse(plan["instance"]["resolved"]).calendar().periods[-1]
        standing = {row["endpoint"]: round(row["replicas"]) for row in plan["endpoints"] if row["period"] == last}
        funded = [row["workflow"] for row in plan["workflows"] if row["period"] == last and row["funded"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, BadInput) as error:
        at = ("previous", "plan")
        message = f"previous.plan: '{path}' is no plan that can be read: {' '.join(str(error).split())}"
        raise BadInput([fault(instance, at, message, "solvency solve FILE -o plan.json writes one")]) from error
    return Past(standing, tuple(funded))


def held(ground: Ground, endpoints: Mapping[str, Endpoint], before: Past) -> dict[str, Endpoint]:
    """Endpoints with what they had, what a move of theirs costs, and the replicas that are decreed."""
    change, decreed = ground.instance.change, _decreed(ground, endpoints, before)
    return {
        i: replace(
            e,
            before=None if before.replicas is None else before.replicas.get(i, 0),
            usd_per_move=change.usd_per_replica,
            ramp=change.ramp,
            pinned=decreed.get(i, {}),
        )
        for i, e in endpoints.items()
    }


def _decreed(ground: Ground, endpoints: Mapping[str, Endpoint], before: Past) -> dict[str, dict[Period, int]]:
    """Replicas by endpoint and period: pinned at a number, else at what there was; none where banned."""
    hold, found = ground.instance.hold, dict[str, dict[Period, int]]()
    for n, pin in enumerate(hold.pinned):
        if pin.endpoint is not None:
            if pin.endpoint not in endpoints:
                raise unknown(ground.instance, ("hold", "pinned", str(n)), "endpoint", pin.endpoint, endpoints)
            number = (before.replicas or {}).get(pin.endpoint, 0) if pin.replicas is None else pin.replicas
            found.setdefault(pin.endpoint, {}).update(_each(ground, pin.periods, number))
    for ban in hold.banned:
        if ban.endpoint in endpoints:
            found.setdefault(str(ban.endpoint), {}).update(_each(ground, ban.periods, 0))
    return found


def _each(ground: Ground, periods: tuple[str, ...] | None, number: int) -> dict[Period, int]:
    return {t: number for t in ground.clock.periods if periods is None or t in periods}


def gone(before: Past, endpoints: Mapping[str, Endpoint]) -> list[str]:
    """Endpoints of the previous plan that cannot stand any more: taking them down is not counted as moves."""
    return [e for e, n in (before.replicas or {}).items() if n and e not in endpoints]
