"""The check of a whole plan. It shares no code with the formulation: what both say, both had to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from optimizer.instance.faults import BadInput
from optimizer.verify import (
    choices,
    discipline,
    eligibility,
    fleet,
    losses,
    money,
    people,
    power,
    promises,
    site,
)
from optimizer.verify.facts import Facts
from optimizer.verify.given import Unresolved
from optimizer.verify.placement import Placed
from optimizer.verify.reader import Reader, reported
from optimizer.verify.reading import read
from optimizer.verify.rows import Row, Verification, judge
from optimizer.verify.tables import Tables

Rule = Callable[[Tables], Iterable[Row]]

RULES: Mapping[str, Rule] = {
    "endpoint_capacity": fleet.endpoint_time,
    "balance_link": promises.demand,
    "funding_link": promises.funding,
    "launch_link": promises.launches,
    "gpu_capacity": fleet.gpus,
    "powered_link": fleet.gpus_powered,
    "hbm_capacity": fleet.memory,
    "bandwidth_capacity": fleet.bandwidth,
    "compute_capacity": fleet.compute,
    "power_limit": power.limit,
    "rack_capacity": site.racks,
    "storage_capacity": site.storage,
    "hosting_link": site.hosting,
    "energy_limit": power.energy_limit,
    "carbon_limit": power.carbon_limit,
    "water_limit": power.water_limit,
    "spend_limit": promises.budgets,
    "review_limit": people.review_limit,
    "retraining_link": people.retraining,
    "supply_limit": discipline.supply,
    "parting_link": discipline.parting,
    "api_limit": promises.quotas,
    "commitment_floor": discipline.commitments,
    "concentration_limit": discipline.concentration,
    "proof_floor": discipline.proof,
    "exploration_limit": discipline.exploration,
    "launch_limit": promises.launch_limit,
    "portfolio_limit": promises.portfolio_limit,
    "service_floor": promises.service_floor,
    "replica_floor": promises.replica_floor,
    "resilience_floor": losses.floor,
    "tool_link": choices.tools,
    "bundle_link": choices.bundles,
    "change_link": choices.change,
    "resource_capacity": people.resources,
    "eligibility": eligibility.pairs,
}

RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "balance_link": ("funding_link", "proof_floor", "service_floor", "resilience_floor", "resource_capacity"),
    "proof_floor": ("exploration_limit",),
}
"""Families about what is sold, which the tables of a plan tell only as what is served; and about what is not proven."""


def verify(plan: Mapping[str, Any], extra: Mapping[str, Rule] | None = None) -> Verification:
    """Every row of every family, term and pair, recomputed from the instance inside the plan and its tables alone.

    `extra` holds the rules of families that a caller added to the formulation, by name.
    """
    try:
        facts = read(plan["instance"]["resolved"])
    except (BadInput, Unresolved) as error:
        return judge([Row("plan", ("instance",), "", 1.0, "<=", 0.0, text=str(error))], ())
    resting = (family for head, families in RESTS_ON.items() if _loosened(plan, head) for family in families)
    unchecked = (*_dropped(plan), *resting)
    return judge(_rows(plan, facts, {**RULES, **(extra or {})}), unchecked)


def placement(plan: Mapping[str, Any]) -> dict[tuple[str, str], tuple[Placed, ...]]:
    """Where every replica sits, by pool and period; raises NoPlacement where it can sit nowhere."""
    facts = read(plan["instance"]["resolved"])
    tables = Reader(plan, facts).read()
    return {(p, t): fleet.placed(tables, p, t) for p in facts.pools for t in facts.time.periods}


def _rows(plan: Mapping[str, Any], facts: Facts, rules: Mapping[str, Rule]) -> Iterator[Row]:
    reader = Reader(plan, facts)
    tables, drop = reader.read(), _dropped(plan)
    yield from reader.rows
    yield from _unknown(plan, rules)
    yield from chain.from_iterable(rule(tables) for rule in rules.values())
    yield from fleet.placements(tables, drop)
    yield from reported(plan, tables)
    if not _loosened(plan, "balance_link"):  # else what was sold is not what was served
        yield from money.ledger(plan, tables, drop)
        yield from money.values(plan, tables) if "value" not in drop else ()


def _dropped(plan: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(plan.get("options", {}).get("drop", ()))


def _loosened(plan: Mapping[str, Any], family: str) -> bool:
    """Whether rows of a family were dropped, some or all."""
    return any(pattern.partition("[")[0] == family for pattern in _dropped(plan))


def _unknown(plan: Mapping[str, Any], rules: Mapping[str, Rule]) -> Iterator[Row]:
    """Families, or terms dropped, that the plan names and that nothing here can check."""
    listed = {str(line["family"]) for line in plan.get("resources", ())}
    dropped = {pattern.partition("[")[0] for pattern in _dropped(plan)}
    for name in sorted((listed | dropped) - rules.keys() - {line["term"] for line in plan["ledger"]}):
        yield Row("plan", ("family", name), "", 1.0, "<=", 0.0, text="no such family is known to the check")
