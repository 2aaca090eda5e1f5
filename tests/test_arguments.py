"""What is asked for beside the instance: what is no number or no word is refused by name, what is meant is taken."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import quick

from optimizer import BadInput, Base, Change, NoPlacement, formulate, parse, solve, sweep
from optimizer.solving import pose
from optimizer.verify.placement import NoPlacement as Raised

POWER, COUNT = "sites.ashburn.power_mw", "pools.h100.count"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("gap", (-1, "0.1", None, math.nan, True)),
        ("time_limit", (-1, "60", None, math.inf)),
        ("threads", (0, -1, 1.5, "2", True)),
        ("seed", (-1, 2**40, 1.5, None, "a")),
        ("scenario", (["late"],)),
        ("drop", (None, [1], 3)),
        ("set", (None, 3, [("pools.h100.count", 8)])),
    ],
)
def test_a_wrong_argument_is_refused_by_its_name(name, values):
    for value in values:
        with pytest.raises(BadInput, match="no change" if name == "set" else f"^{name} (is|holds) "):
            solve(quick.instance(), **{name: value})


@pytest.mark.parametrize("asked", [{"nodes": -1}, {"nodes": "a"}, {"workers": -1}, {"workers": 0}, {"refine": -1},
                                   {"seed": -1}, {"samples": 1.5}])  # fmt: skip
def test_a_wrong_argument_of_a_sweep_is_refused_before_anything_is_solved(asked):
    with pytest.raises(BadInput, match=f"^{next(iter(asked))} is "):
        sweep(quick.instance(), [f"{POWER}=*0.5:1:2"], **asked)


def test_numbers_of_numpy_are_numbers():
    limits = {"gap": np.float64(1e-3), "time_limit": np.float32(5), "threads": np.int64(2), "seed": np.array(3)}
    options = pose(quick.instance(), limits).options
    found = {name: (type(options[name]), options[name]) for name in limits}
    assert found == {"gap": (float, 1e-3), "time_limit": (float, 5.0), "threads": (int, 2), "seed": (int, 3)}


def test_a_single_text_is_one_entry():
    limits = {"gap": 1e-3, "time_limit": 5, "threads": 1, "seed": 0}
    posed = pose(quick.instance(), limits, set=f"{POWER}=1", drop="power_limit")
    assert (posed.options["set"], posed.options["drop"]) == ([f"{POWER}=1"], ["power_limit"])
    base = Base.solved(quick.instance())
    assert base.vary(Change("one", sets=f"{POWER}=1")).plan.document["options"]["set"] == [f"{POWER}=1"]
    assert base.vary(Change("one", drop="power_limit")).plan.document["options"]["drop"] == ["power_limit"]
    with pytest.raises(BadInput, match="nodes is -1"):
        base.vary(Change("none"), nodes=-1)


def test_the_name_of_a_file_is_no_instance():
    for called in (solve, formulate, Base.solved, lambda of: sweep(of, [f"{POWER}=1,2"])):
        with pytest.raises(BadInput, match=r"'fleet\.yaml' is no instance: load\(path\) reads one"):
            called("fleet.yaml")


@pytest.mark.parametrize("value", [np.int64(8), np.float32(8), np.array(8), Decimal(8)])
def test_values_of_numpy_and_decimals_are_values(value):
    varied = quick.instance().vary({COUNT: value})
    assert varied == quick.instance().vary(f"{COUNT}=8")
    data = quick.instance().dump()
    data["pools"]["h100"]["count"] = value
    assert parse(data) == parse(varied.dump())


@pytest.mark.parametrize("value", [np.array([1.0, 2.0]), pd.Series([1.0, 2.0], ["2027Q1", "2027Q2"])])
def test_arrays_and_series_are_values_by_period(value):
    assert quick.instance().vary({POWER: value}).sites["ashburn"].power_mw.resolve(("2027Q1", "2027Q2")) == (1.0, 2.0)


def test_truth_is_no_number():
    for value in (True, np.bool_(True), np.array(True)):
        with pytest.raises(BadInput, match="is true, expected a number"):
            quick.instance().vary({COUNT: value})


def test_the_plan_of_a_varied_instance_says_what_was_changed():
    instance = quick.instance()
    varied = instance.vary({COUNT: np.int64(8)}).vary(f"{POWER}=*0.5", scenario="early-permit")
    assert instance.varied == ()
    plain, plan = (solve(each, judge=False).document for each in (instance, varied))
    assert plain["options"]["set"] == []
    scenario = [f"{path}={what}" for path, what in instance.scenarios["early-permit"].changes.items()]
    assert plan["options"]["set"] == [f"{COUNT}=8", *scenario, f"{POWER}=*0.5"]
    assert plan["instance"]["path"] == plain["instance"]["path"]
    assert plan["instance"]["resolved_sha256"] != plain["instance"]["resolved_sha256"]
    assert (
        solve(parse(instance.dump()), judge=False).document["instance"]["resolved_sha256"]
        == (plain["instance"]["resolved_sha256"])
    )


def test_what_was_varied_is_changed_once():
    """Variants of a varied instance repeat its changes in what they say, not in what they do."""
    varied = quick.instance().vary(f"{COUNT}=*0.5")
    plan = Base.solved(varied).vary(Change("power", sets=(f"{POWER}=1",))).plan.document
    assert plan["options"]["set"] == [f"{COUNT}=*0.5", f"{POWER}=1"]
    assert plan["instance"]["resolved"]["pools"]["h100"]["count"] == varied.dump()["pools"]["h100"]["count"]


def test_what_placement_raises_can_be_caught_by_its_name():
    assert NoPlacement is Raised
