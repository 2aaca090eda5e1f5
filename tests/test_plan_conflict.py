"""Why nothing can hold, in words: sums over the instance, by hand. Each GPU does 2 tasks/h over 100 h (tiny)."""

from __future__ import annotations

import pytest
from tiny import Infeasible, api, calendar, data, endpoint, optimum, pair, pool, site, workflow

from optimizer.formulation.data import Data, Loss
from optimizer.formulation.families import FAMILIES
from optimizer.plan.conflict import NO_RULE, NO_SUM, arithmetic, conflict

CAL = calendar()


def promised(spare: float, *, recourse: bool = True, **more) -> Data:
    """Half of 800 tasks are promised and must be funded; half of what is served is owed after the loss of home."""
    plain = {
        "sites": {name: site(CAL, name) for name in ("home", "away")},
        "pools": {"gpus": pool(CAL), "spare": pool(CAL, "spare", count=spare, at="away")},
        "endpoints": {"e": endpoint(CAL), "f": endpoint(CAL, "f", on="spare", site="away")},
        "workflows": {"w": workflow(CAL, demand=800, min_service=0.5, must_fund=True)},
        "pairs": {("w", "e"): pair(2.0), ("w", "f"): pair(2.0)},
        "losses": (Loss("site home", frozenset("e"), frozenset(), {"w": 0.5}, recourse),),
    }
    return data(**(plain | more))


@pytest.mark.parametrize("recourse", [True, False])
def test_a_promise_after_a_loss_is_more_than_what_survives(recourse):
    """0.5 x 0.5 x 800 = 200 tasks are owed: one spare GPU does just that, none does nothing."""
    assert optimum(promised(1, recourse=recourse)) > 0
    assert list(arithmetic(promised(1, recourse=recourse))) == []
    short = promised(0, recourse=recourse)
    with pytest.raises(Infeasible):
        optimum(short)
    (reason,) = arithmetic(short)
    assert reason.startswith("after the loss of site home, 200 tasks of w must be served in T1, and nothing that can")


def test_what_survives_is_counted():
    flow = workflow(CAL, demand=800, min_service=1.0, must_fund=True)
    (reason,) = arithmetic(promised(1, workflows={"w": flow}))
    assert reason.endswith("400 tasks of w must be served in T1, and what survives serves 200 at most")
    assert list(arithmetic(promised(0, workflows={"w": flow}, api_pairs={("w", "a"): api(CAL, 0.1)}))) == []
    assert list(arithmetic(promised(0, workflows={"w": workflow(CAL, demand=800, min_service=1.0)}))) == []


def test_there_is_always_a_reason():
    """Where no sum shows it, the reader is sent to where the rows are found."""
    families = [each for each in FAMILIES if each.name == "gpu_capacity"]
    assert conflict(data(), families, lambda out: "gpu_capacity" in out)["reasons"] == [NO_SUM]
    assert conflict(data(), families, lambda out: False)["reasons"] == [NO_RULE]
    found = conflict(promised(0), FAMILIES, lambda out: "resilience_floor" in out)
    assert found["families"] == ["resilience_floor"]
    assert len(found["reasons"]) == 1
