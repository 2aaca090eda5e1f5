"""One workflow with the whole fleet to itself: does it fit, and if not, which rule is in its way?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from time import monotonic

from optimizer.engine.compile import compile_model
from optimizer.engine.highs import solve_program
from optimizer.engine.watch import Cancel
from optimizer.formulation.build import state
from optimizer.formulation.data import Data

PATIENCE_SECONDS = 2.0  # for one question
GAP = 0.01
DUST = 1e-6  # of money
SPEED = "endpoint_capacity"  # how fast a replica is; no rule that anybody made


def alone(d: Data, name: str) -> Data:
    """The instance with one workflow that nobody has to fund, and no share of anything that others would make up."""
    w = replace(d.workflows[name], must_fund=False, pinned=(), choose="at_most_one")
    pairs = {key: pair for key, pair in d.pairs.items() if key[0] == name}
    ends = {d.behind(source) for _, source in pairs}
    return replace(
        d,
        workflows={name: w},
        pairs=pairs,
        api_pairs={key: pair for key, pair in d.api_pairs.items() if key[0] == name},
        endpoints={e: replace(d.endpoints[e], before=None, pinned={}, keep=False) for e in d.endpoints if e in ends},
        losses=tuple(replace(x, shares={name: x.shares[name]}) for x in d.losses if name in x.shares),
        commitments=(),
        concentrations=(),
        exploration_share={},
    )


def earns(d: Data, until: float, cancel: Cancel | None, without: Iterable[str] = ()) -> bool | None:
    """Whether a plan of an `alone` instance earns more than doing nothing; None if that was not decided in time."""
    seconds = min(PATIENCE_SECONDS, until - monotonic())
    if seconds <= 0:
        return None
    program = compile_model(state(d, without).model)
    found = solve_program(program, gap=GAP, time_limit=seconds, cancel=cancel)
    if found.objective is not None and found.objective > program.offset + DUST:
        return True
    return False if found.status in ("optimal", "infeasible") else None


def in_the_way(d: Data, until: float, cancel: Cancel | None) -> list[str]:
    """Families without any one of which it would earn, as far as there is time to ask."""
    stated = state(d)
    rules = [each.name for each in stated.families if each.kind != "link" and stated.rows[each.name]]
    return [name for name in rules if name != SPEED and earns(d, until, cancel, [name])]
