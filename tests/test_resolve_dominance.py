"""Dominated deployments go, and the optimum stays."""

from dataclasses import replace

import pytest
import tiny
from generated import instances
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.formulation.data import Loss, Tool, Variant
from optimizer.resolve.bounds import with_bounds
from optimizer.resolve.dominance import reduce

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
NOISE = 1e-4
CAL = tiny.calendar()


def two(a=None, b=None, pair_a=None, pair_b=None, **more):
    """Two endpoints of one GPU, equal but for what is said; `a` comes first."""
    plain = {"idle_kw": 1.0, "op_kw": 2.0}
    ends = {
        "a": tiny.endpoint(CAL, "a", **{**plain, **(a or {})}),
        "b": tiny.endpoint(CAL, "b", **{**plain, **(b or {})}),
    }
    pairs = {("w", "a"): replace(tiny.pair(), **(pair_a or {})), ("w", "b"): replace(tiny.pair(), **(pair_b or {}))}
    return tiny.data(CAL, endpoints=ends, pairs=pairs, **more)


def left(d):
    return set(reduce(d).endpoints)


def test_of_equals_the_first_stays():
    assert left(two()) == {"a"}


def test_the_faster_stays():
    assert left(two(pair_b={"tasks_per_hour": 3.0})) == {"b"}


def test_two_small_replicas_beat_one_of_twice_the_size():
    d = two(b={"gpus": 2, "idle_kw": 2.0, "op_kw": 4.0}, pair_b={"tasks_per_hour": 3.9})
    assert left(d) == {"a"}


@pytest.mark.parametrize(
    "better",
    [
        {"pair_b": {"tasks_per_hour": 3.0}, "b": {"idle_kw": 1.1}},
        {"pair_b": {"tasks_per_hour": 3.0}, "b": {"op_kw": 3.1}},
        {"pair_b": {"tasks_per_hour": 3.0}, "b": {"gpus": 3}},
        {"pair_b": {"tasks_per_hour": 3.0}, "b": {"availability": 0.5}},
        {"pair_b": {"tasks_per_hour": 3.0}, "b": {"keep": True}, "a": {"keep": True}},
        {"pair_b": {"tasks_per_hour": 3.0}, "b": {"owner": "w"}},
    ],
)
def test_what_is_better_in_one_way_and_worse_in_another_stays(better):
    assert left(two(**better)) == {"a", "b"}


FASTER = {"tasks_per_hour": 3.0}
ONE = CAL.periods[0]
DEAR = {"home": tiny.site(CAL, usd_per_kwh=tiny.flat(CAL, -0.1))}


@pytest.mark.parametrize(
    "case",
    [
        {"pair_b": {**FASTER, "good": 0.9}},
        {"pair_b": {**FASTER, "liability_usd": 0.1}},
        {"pair_b": {**FASTER, "review_hours": 0.1}},
        {"pair_b": FASTER, "b": {"resources": {"seat": 1.0}}},
        {"pair_b": FASTER, "b": {"pinned": {ONE: 1}}},
        {"pair_b": FASTER, "a": {"pinned": {ONE: 1}}},
        {"pair_b": FASTER, "b": {"constant": ((ONE,),)}},
        {"pair_b": FASTER, "a": {"ramp": 1}, "b": {"ramp": 1}},
        {"pair_b": FASTER, "a": {"ramp": 2}, "b": {"ramp": 2, "max_replicas": {ONE: 3}}},
        {"pair_b": FASTER, "a": {"ramp": 3, "before": 1}, "b": {"ramp": 3, "before": 0, "max_replicas": {ONE: 3}}},
        {"pair_b": FASTER, "a": {"usd_per_move": 1.0, "before": 2}, "b": {"usd_per_move": 1.0, "before": 0}},
        {"pair_b": FASTER, "b": {"model": "other"}, "model_tb": {"other": 1.0}},
        {
            "pair_b": FASTER,
            "b": {"hbm_gb": 11.0},
            "tools": {"j": Tool("j", tiny.flat(CAL, 1.0), 0.0, hbm_gb={"gpus": 1})},
        },
        {"pair_b": FASTER, "losses": (Loss("l", frozenset({"b"}), frozenset(), {"w": 0.5}),)},
        {"pair_b": FASTER, "sites": DEAR},
    ],
)
def test_what_a_later_row_reads_tells_endpoints_apart(case):
    assert left(two(**case)) == {"a", "b"}


@pytest.mark.parametrize(
    "case",
    [
        {"pair_a": {"good": 0.9}},
        {"pair_a": {"liability_usd": 0.1, "review_hours": 0.1}},
        {"a": {"resources": {"seat": 1.0}}},
        {"a": {"constant": ((ONE,),)}, "b": {"constant": ((ONE,),)}},
        {"a": {"usd_per_move": 1.0, "before": 0}, "b": {"usd_per_move": 1.0, "before": 0}},
        {"a": {"ramp": 3}, "b": {"ramp": 3, "max_replicas": {ONE: 3}}},
        {"b": {"model": "other"}},
    ],
)
def test_better_or_equal_in_it_wins(case):
    assert left(two(**{**case, "pair_b": FASTER})) == {"b"}


def test_a_tool_on_one_endpoint_alone_keeps_it():
    d = two(pair_b=FASTER)
    variants = {"a+j": Variant("a", ("j",)), "b+j": Variant("b", ("j",))}
    tools = {"j": Tool("j", tiny.flat(CAL, 1.0), 0.0)}
    one = replace(d, tools=tools, variants={"a+j": variants["a+j"]}, pairs={**d.pairs, ("w", "a+j"): tiny.pair(4.0)})
    assert left(one) == {"a", "b"}
    both = replace(one, variants=variants, pairs={**one.pairs, ("w", "b+j"): tiny.pair(5.0)})
    assert left(both) == {"b"}
    assert set(reduce(both).pairs) == {("w", "b"), ("w", "b+j")}
    assert set(reduce(both).variants) == {"b+j"}


def test_an_endpoint_that_serves_more_workflows_is_not_replaced():
    d = two(pair_b={"tasks_per_hour": 3.0})
    d = replace(d, workflows={**d.workflows, "x": tiny.workflow(CAL, "x")}, pairs={**d.pairs, ("x", "a"): tiny.pair()})
    assert left(d) == {"a", "b"}


@pytest.mark.parametrize(("worse", "both"), [({"hbm_gb": 11.0}, True), ({}, False)])
def test_memory_counts_where_gpus_are_shared(worse, both):
    shared = {"gpus": tiny.pool(CAL, sharing="shared", layouts={"l": {"s": 2}})}
    d = two(b=worse, pair_b={"tasks_per_hour": 3.0}, pools=shared)
    assert left(d) == ({"a", "b"} if both else {"b"})
    assert left(two(b=worse, pair_b={"tasks_per_hour": 3.0})) == {"b"}


def test_what_went_is_listed_with_what_beats_it():
    (gone,) = [c for c in reduce(two(pair_b={"tasks_per_hour": 3.0})).candidates if c.stage == "dominated"]
    assert (gone.workflow, gone.deployment, gone.value, gone.limit) == ("w", "a", 2.0, 3.0)
    assert "b" in gone.reason


@st.composite
def crowded(draw):
    """A generated instance with near copies of its endpoints, better, worse or as good in each respect."""
    d = draw(instances().filter(lambda d: d.endpoints))
    near = st.sampled_from([0.5, 1.0, 1.0, 1.0, 1.5])
    ends, pairs = dict(d.endpoints), dict(d.pairs)
    for i in range(draw(st.integers(1, 3))):
        like = draw(st.sampled_from(sorted(d.endpoints)))
        e, k = d.endpoints[like], draw(st.sampled_from([1, 1, 2])) if d.endpoints[like].gpus >= 1 else 1
        name, idle = f"n{i}", e.idle_kw * k * draw(near)
        dynamic = (e.op_kw - e.idle_kw) * k * draw(near)
        ends[name] = replace(
            e, id=name, gpus=e.gpus * k, idle_kw=idle, op_kw=idle + dynamic, hbm_gb=e.hbm_gb * draw(near)
        )
        for (w, on), p in d.pairs.items():
            if on == like:
                good, liability = draw(st.sampled_from([1.0, 1.0, 0.8])), draw(st.sampled_from([0.0, 0.0, 0.1]))
                rate = p.tasks_per_hour * k * draw(near)
                pairs[w, name] = replace(p, tasks_per_hour=rate, good=good * p.good, liability_usd=liability)
    ramp, usd = draw(st.sampled_from([None, None, 1, 3])), draw(st.sampled_from([0.0, 0.0, 0.5]))
    if ramp is not None or usd:
        stood = {i: draw(st.sampled_from([0, 0, 0, 1, 2])) for i in ends}
        ends = {i: replace(e, ramp=ramp, usd_per_move=usd, before=stood[i]) for i, e in ends.items()}
    return with_bounds(replace(d, endpoints=ends, pairs=pairs))


def best(d):
    try:
        return tiny.optimum(d)
    except tiny.Infeasible:
        return None


@FEW
@given(d=crowded().filter(lambda d: len(reduce(d).endpoints) < len(d.endpoints)))
def test_the_optimum_is_the_same_without_the_dominated(d):
    before, after = best(d), best(with_bounds(reduce(d)))
    assert (before is None) == (after is None)
    if before is not None:
        assert after == pytest.approx(before, abs=NOISE, rel=1e-6)


@FEW
@given(d=instances())
def test_bounds_from_demand_cut_no_optimum(d):
    free = replace(d, pools={p: replace(pool, idle_kw=0.0) for p, pool in d.pools.items()})
    wide = replace(free, endpoints={i: replace(e, max_replicas=None) for i, e in free.endpoints.items()})
    before, after = best(wide), best(with_bounds(free))
    assert (before is None) == (after is None)
    if before is not None:
        assert after == pytest.approx(before, abs=NOISE, rel=1e-6)
