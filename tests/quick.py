"""The quickstart instance and its plan, solved once for all tests that only look at it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from optimizer import Instance, Plan, load, solve

ROOT = Path(__file__).parents[1]
FILE = ROOT / "instances" / "quickstart.yaml"
ENTERPRISE = ROOT / "instances" / "enterprise.yaml"
NET_VALUE = 429_732.672  # the hand arithmetic at the end of the file
CLASH = ("limits.portfolio=0", "workflows.code.must_fund=true")  # nothing may be funded, and code must be


@cache
def instance() -> Instance:
    return load(FILE)


@cache
def plan() -> Plan:
    return solve(instance(), gap=1e-6)


@cache
def infeasible() -> Plan:
    return solve(instance(), set=CLASH)
