"""Published problems with known answers, written as ordinary instances and solved by the whole path."""

from __future__ import annotations

import pytest

from benchmarks.cases import freesh, khan
from optimizer import parse, solve


@pytest.mark.parametrize("name", khan.OPTIMA)
def test_khan_knapsacks_reach_the_published_optimum(name):
    plan = solve(parse(khan.instance(name)), gap=0.0)
    assert plan.status == "optimal"
    assert plan.document["objective_usd"] == pytest.approx(khan.OPTIMA[name], abs=1e-6)


def test_at_most_one_is_another_problem():
    """With 8 of each resource some class must go without: fine if it may, infeasible if it must not."""

    def scarce(choose):
        document = khan.instance("I01", choose)
        for resource in document["resources"].values():
            resource["amount"] = 8
        return solve(parse(document), gap=0.0)

    assert scarce("exactly_one").status == "infeasible"
    assert scarce("at_most_one").document["objective_usd"] == pytest.approx(44.0)


@pytest.mark.parametrize("problem", freesh.answers())
def test_freesh_problems_reach_the_published_answer(problem):
    plan = solve(parse(freesh.instance(problem)), gap=0.0)
    published = freesh.answers()[problem]
    if published is None:
        assert plan.status == "infeasible"
    else:
        assert plan.status == "optimal"
        assert -plan.document["objective_usd"] * freesh.UNIT == pytest.approx(published, rel=1e-6)


def test_a_negative_carbon_signal_is_refused_unless_allowed():
    document = freesh.instance(0)
    document["sites"]["site2"].pop("allow_negative")
    with pytest.raises(Exception, match=r"g_co2_per_kwh.*allow_negative"):
        parse(document)
