"""Patterns that replicas are counted by, and bounds on replicas."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resolving import data, document

from optimizer.resolve.fleet import _named
from optimizer.resolve.layouts import divides_evenly, kinds_of, packings, partition_layouts

LAYOUTS = {"7s": {"s": 7}, "1m4s": {"m": 1, "s": 4}, "2m": {"m": 2}, "1m3s": {"m": 1, "s": 3}}


def test_layouts_keep_the_slices_in_use_and_the_largest_cuts():
    assert partition_layouts(LAYOUTS, {"s", "m"}) == {"7s": {"s": 7}, "1m4s": {"m": 1, "s": 4}, "2m": {"m": 2}}
    assert partition_layouts(LAYOUTS, {"m"}) == {"2m": {"m": 2}}


def test_packings_are_all_the_maximal_ones():
    assert packings({"a": 50, "b": 30}, 100) == {"1xa+1xb": {"a": 1, "b": 1}, "3xb": {"b": 3}} | {"2xa": {"a": 2}}
    assert packings({"a": 50, "b": 10}, 100, most=2) == {"2xa": {"a": 2}, "1xa+1xb": {"a": 1, "b": 1}, "2xb": {"b": 2}}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True), st.integers(1, 12), st.integers(1, 4))
def test_every_filling_lies_in_a_packing_and_nothing_can_be_added(sizes, room, most):
    found = list(packings({str(s): float(s) for s in sizes}, float(room), most).values())
    for pattern in found:
        used, places = sum(int(k) * n for k, n in pattern.items()), sum(pattern.values())
        assert used <= room
        assert places <= most
        assert places == most or used + min(sizes) > room
    for s in sizes:
        if s <= room:
            assert max(p.get(str(s), 0) for p in found) == min(room // s, most)


@pytest.mark.parametrize(("sizes", "exact"), [({1, 2, 4, 8}, True), ({2, 4}, True), ({6}, False), ({2, 3}, False)])
def test_sizes_that_divide_the_domain_need_no_patterns(sizes, exact):
    assert divides_evenly(sizes, 8) is exact


def test_too_many_sizes_are_rounded_up_never_down():
    kinds = kinds_of([4.1 + k for k in range(9)], 80)
    assert set(kinds.values()) == {8.0, 12.0, 16.0}
    assert all(size <= kind for size, kind in kinds.items())


def test_six_gpus_of_eight_are_counted_by_pattern():
    d = data(
        document(deployments={"d": {"gpus": 6, "hbm_gb": 200}, "e": {**document()["deployments"]["d"], "gpus": 2}})
    )
    pool = d.pools["p"]
    assert (pool.layout_gpus, pool.layouts) == (8, {"1x6g+1x2g": {"6g": 1, "2g": 1}, "4x2g": {"2g": 4}})
    assert d.endpoints["p/d"].slot == "6g"


def test_residents_are_packed_by_memory():
    flows = {"bytes_gb_per_task": 1, "tflop_per_task": 1}
    d = data(
        document(pools={"p": {"sharing": "shared", "max_residents": 3}}, deployments={"d": {**flows, "gpus": 0.3}})
    )
    assert d.pools["p"].layouts == {"2x40GB": {"40GB": 2}}
    assert d.endpoints["p/d"].slot == "40GB"


def test_sizes_are_named_in_as_few_digits_as_tell_them_apart():
    assert _named([20.3608346, 9.0]) == {20.3608346: "20.4GB", 9.0: "9GB"}
    assert list(_named([20.3608346, 20.3609]).values()) == ["20.3608GB", "20.3609GB"]


def test_replicas_are_bounded_by_all_demand_at_its_peak():
    """1,000 tasks x 1.6 / (100 tasks/h x 0.8 x 0.5 up): 40 replica-hours; the short period of 5 h needs 8."""
    work = {"w": {"peak_factor": 1.6, "headroom": 0.8, "min_replicas": 2}}
    periods = [{"id": "T1", "hours": 100}, {"id": "T2", "hours": 5}]
    d = data(document(workflows=work, options={"availability": 0.5}, horizon={"periods": periods}))
    assert d.endpoints["p/d"].max_replicas == {"T1": 1 + 2, "T2": 8 + 2}


def test_batch_work_may_all_fall_into_the_shortest_day_part():
    plain = document(day_parts={"peak": 6, "night": 18}, options={"availability": 1, "headroom": 1})
    plain["deployments"] = {"d": {**plain["deployments"]["d"], "tasks_per_hour": 1}}
    assert data(plain).endpoints["p/d"].max_replicas["T1"] == 10
    plain["workflows"] = {"w": {**plain["workflows"]["w"], "serving": "batch"}}
    assert data(plain).endpoints["p/d"].max_replicas["T1"] == 40


def test_what_is_kept_has_no_bound():
    assert data(document(deployments={"d": {"keep": True}})).endpoints["p/d"].max_replicas is None
