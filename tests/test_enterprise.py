"""The README's main job stays hard, is proved, and shows what it is there to show."""

from __future__ import annotations

from collections import defaultdict

import pytest
import quick

from optimizer import load, solve
from optimizer.engine.compile import compile_model
from optimizer.resolve import resolve
from optimizer.solving import formulated

ENDPOINTS, WHOLE_COLUMNS, LEVELS = 150, 1500, 3
PAIRS = 10  # workflow and AI model on a pool, with that many concurrency levels, with several precisions
FULL = 0.999  # share of all demand
NO_ROOM = 0.99  # share of capacity used


@pytest.fixture(scope="module")
def instance():
    return load(quick.ENTERPRISE)


@pytest.fixture(scope="module")
def unreduced(instance):
    return resolve(instance, reduce=False).data


@pytest.fixture(scope="module")
def plan(instance):
    return solve(instance, threads=1)  # plans of equal value fill other limits: on one thread it is always the same


def test_it_is_hard_before_domain_presolve(unreduced):
    assert len(unreduced.endpoints) >= ENDPOINTS
    assert compile_model(formulated(unreduced, ()).model).integer.sum() >= WHOLE_COLUMNS


def test_pairs_admit_several_precisions_and_concurrency_levels(unreduced):
    levels, precisions = defaultdict(set), defaultdict(set)
    for w, e in unreduced.pairs:
        at = unreduced.endpoints[unreduced.behind(e)]
        levels[w, at.pool, at.model].add(at.concurrency)
        precisions[w, at.pool, at.model].add(at.precision)
    assert sum(len(found) >= LEVELS for found in levels.values()) >= PAIRS
    assert sum(len(found) > 1 for found in precisions.values()) >= PAIRS
    assert {p for found in precisions.values() for p in found} >= {"bf16", "fp8", "fp4"}


def test_it_is_proved_and_checked(plan):
    assert plan.status == "optimal"
    assert plan.gap <= 1e-3
    assert plan.document["verification"]["passed"]


def test_some_are_funded_some_in_part_and_some_not(plan):
    total = plan.workflows.groupby("workflow")[["served", "demand"]].sum()
    jobs = {w for w, spec in load(quick.ENTERPRISE).workflows.items() if spec.demand.job}
    share = (total.served / total.demand)[~total.index.isin(jobs)]
    assert (share >= FULL).sum() >= 5
    assert (share == 0).sum() >= 3
    assert ((share > 0) & (share < FULL)).sum() >= 2


def test_own_gpus_and_apis_are_both_used(plan):
    assert plan.workflows.api.sum() > 0
    assert plan.endpoints.replicas.sum() > 0


def test_what_is_new_decides_too(plan):
    """Places, people, discipline, quotas and losses leave no room somewhere; something is sold, something adopted."""
    rows = plan.resources[plan.resources.capacity > 0]
    full = set(rows.family[rows.used / rows.capacity > NO_ROOM])
    assert full >= {"carbon_limit", "review_limit", "exploration_limit", "proof_floor", "resource_capacity"}
    assert {"retire", "adopt"} <= set(plan.decisions.kind)
    assert (plan.ledger.usd != 0).sum() >= 12


def test_gpus_and_power_have_no_room_left(plan):
    rows = plan.resources[plan.resources.capacity > 0]
    full = set(rows.family[rows.used / rows.capacity > NO_ROOM])
    assert {"gpu_capacity", "power_limit"} <= full
