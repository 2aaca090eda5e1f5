"""What-ifs: every kind of change, scenarios in order, and paths that match nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import SMALL

from optimizer.instance import BadInput, Instance, load, parse
from optimizer.instance.changes import apply
from optimizer.instance.document import compose

INSTANCE = parse(compose(SMALL).data)
PERIODS = ("2027Q1", "2027Q2", "2027Q3", "2027Q4")


def after(*sets: str) -> Instance:
    return apply(INSTANCE, sets)[0]


def power(instance: Instance) -> tuple[float, ...]:
    stated = instance.sites["ashburn"].power_mw
    assert stated is not None
    return stated.resolve(PERIODS)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("power_mw=3 MW", (3, 3, 3, 3)),
        ("power_mw== 3", (3, 3, 3, 3)),
        ("power_mw={2027Q1: 1, 2027Q4: 2}", (1, 1, 1, 2)),
        ("power_mw=+500 kW", (1.7, 1.7, 2.3, 2.3)),
        ("power_mw=+-0.2", (1.0, 1.0, 1.6, 1.6)),
        ("power_mw=*50%", (0.6, 0.6, 0.9, 0.9)),
        ("power_mw.2027Q2=5", (1.2, 5, 1.8, 1.8)),
        ("power_mw.2027Q2..=5", (1.2, 5, 5, 5)),
        ("power_mw.2027Q2..=*2", (1.2, 2.4, 3.6, 3.6)),
        ("power_mw.2027Q4=+1", (1.2, 1.2, 1.8, 2.8)),
        ("power_mw=>>1", (1.2, 1.2, 1.2, 1.8)),
        ("power_mw=>>9", (1.2, 1.2, 1.2, 1.2)),
        ("power_mw=<<1", (1.2, 1.8, 1.8, 1.8)),
    ],
)
def test_changes_to_numbers_by_period(change: str, expected: tuple[float, ...]) -> None:
    assert power(after(f"sites.ashburn.{change}")) == pytest.approx(expected)
    assert power(after(f"sites.*.{change}")) == pytest.approx(expected)


def test_a_factor_on_value_scales_money_and_never_widths() -> None:
    tranches = after("workflows.*.value_usd=*0.8").workflows["support"].value_usd
    assert [t.upto for t in tranches] == [0.5, 1.0]
    assert [t.usd.given for t in tranches] == pytest.approx([0.792, 0.48])
    later = after("workflows.support.value_usd.2027Q2=*0.5").workflows["support"].value_usd
    assert [t.upto for t in later] == [0.5, 1.0]
    assert later[0].usd.resolve(PERIODS) == pytest.approx((0.99, 0.495, 0.99, 0.99))
    one = after("workflows.support.value_usd[1].usd=0.5").workflows["support"].value_usd
    assert [t.usd.given for t in one] == [0.99, 0.5]


def test_demand_keeps_its_rate() -> None:
    demand = after("workflows.support.demand=20k per day", "workflows.support.demand=*1.5").workflows["support"].demand
    assert (demand.per, demand.amount.given) == ("day", 30_000.0)
    shifted = after("workflows.support.demand.2027Q1=0", "workflows.support.demand=>>2").workflows["support"].demand
    assert shifted.amount.resolve(PERIODS) == (0, 0, 0, 900_000)
    assert after("workflows.tuning.demand=*2").workflows["tuning"].demand.dump() == "80 per horizon"


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        ("pools.h100.gpu={base: big, hbm_gb: 96}", ("pools", "h100", "gpu", "hbm_gb"), 96),
        ("pools.*.count=*1.5", ("pools", "mig", "count"), 12),
        ("pools.h*.count=*1.5", ("pools", "mig", "count"), 8),
        ("workflows.support.must_fund=true", ("workflows", "support", "must_fund"), True),
        ("workflows.support.residency=[US, CA]", ("workflows", "support", "residency"), ["US", "CA"]),
        ("workflows.support.tokens_in.default=*2", ("workflows", "support", "tokens_in", "default"), 4096),
        ("workflows.support.tokens_in=4k", ("workflows", "support", "tokens_in", "default"), 4000),
        ("workflows.support.min_service=+10%", ("workflows", "support", "min_service"), 0.4),
        ("workflows.tuning.deadline=>>1", ("workflows", "tuning", "deadline"), "2027Q4"),
        ("pools.h100.lease_usd_per_gpu_hour=2", ("pools", "h100", "lease_usd_per_gpu_hour"), 2),
        ("limits.spend.capex_usd.amount=*0.5", ("limits", "spend", "capex_usd", "amount"), 500_000),
        ("options.speed=pessimistic", ("options", "speed"), "pessimistic"),
        ("horizon.discount_rate=12%", ("horizon", "discount_rate"), 0.12),
        ("gpus.big.slices.half.hbm_gb=+1", ("gpus", "big", "slices", "half", "hbm_gb"), 41),
    ],
)
def test_changes_to_single_values(change: str, path: tuple[str, ...], expected: Any) -> None:
    value: Any = after(change).dump()
    for step in path:
        value = value[step]
    assert value == expected


def test_ids_with_dots_are_matched_whole() -> None:
    data = {**INSTANCE.dump(), "models": {"m": {"base": "m-3.1", "params_b": 7}, "m-3.1": {"params_b": 8}}}
    changed, _ = apply(parse(data), ["models.m-3.1.params_b=*2"])
    assert [m.params_b for m in changed.models.values()] == [7.0, 16.0]


def test_scenarios_compose_in_order_and_then_what_is_typed() -> None:
    changed, drops = apply(INSTANCE, {"sites.ashburn.power_mw": "*2"}, ["late-permit", "poor"])
    assert power(changed) == pytest.approx((2.4, 2.4, 2.4, 2.4))
    assert changed.workflows["tuning"].value_usd[0].usd.given == pytest.approx(720)
    assert drops == ("spend_limit", "power_limit[ashburn,*]")


def test_no_change_is_the_same_instance() -> None:
    assert apply(INSTANCE) == (INSTANCE, ())


@given(st.floats(0.01, 100), st.sampled_from(["sites.ashburn.power_mw", "workflows.*.value_usd", "workflows.*.demand"]))
def test_scaling_there_and_back_changes_nothing(factor: float, path: str) -> None:
    back = after(f"{path}=*{factor!r}", f"{path}=*{1 / factor!r}")
    assert power(back) == pytest.approx(power(INSTANCE))
    for name, workflow in INSTANCE.workflows.items():
        assert back.workflows[name].demand.amount.numbers == pytest.approx(workflow.demand.amount.numbers)
        assert [t.upto for t in back.workflows[name].value_usd] == [t.upto for t in workflow.value_usd]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sites.ashburn.powr_mw=3", "sites.ashburn.powr_mw matches nothing. Maybe sites.ashburn.power_mw?"),
        ("sites.ashburn.power_mw.2029Q1=3", "sites.ashburn.power_mw.2029Q1 matches nothing."),
        ("workflows.support.residency=*2", "workflows.support.residency holds no number that could be changed so."),
        ("pools.h100.lease_usd_per_gpu_hour=*2", "holds no number that could be changed so."),
        ("sites.ashburn.power_mw=+2 GB", "sites.ashburn.power_mw is '2 GB', expected a number in MW."),
        ("sites.ashburn.power_mw.2027Q2=>>1", "shifts a single period, expected all of them."),
        ("workflows.tuning.deadline=>>2", "workflows.tuning.deadline moves '2027Q3' out of the horizon."),
        ("pools.h100.count=*1.01", "pools.h100.count is 64.64, expected a whole number in GPU (after pools.h100.count"),
        (
            "pools.h100.gpu=bag",
            "pools.h100.gpu names an unknown GPU model 'bag' (after pools.h100.gpu=bag). Maybe big?",
        ),
        ("pools.h100.count", "'pools.h100.count' is no change, expected PATH=VALUE."),
        ("=5", "'=5' is no change, expected PATH=VALUE."),
        ("name=", "name is nothing, expected a value. Maybe null, where it shall not be stated"),
        ("sites.ashburn.power_mw=>>x", "is '>>x', expected >> and a number of periods. Maybe >>2"),
        ("sites.ashburn.power_mw=*1e308", "sites.ashburn.power_mw is '1e308', expected a number of at most 1e+15."),
        ("name={", "name is '{': not valid YAML"),
    ],
)
def test_changes_that_cannot_be_made(change: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        after(change)
    (fault,) = raised.value.faults
    assert message in str(fault)


def test_all_faults_of_a_set_of_changes_are_named() -> None:
    with pytest.raises(BadInput) as raised:
        after("a.b=1", "name=Other", "c.d=2")
    assert [f.where for f in raised.value.faults] == ["a.b", "c.d"]


def test_faults_of_scenarios_stand_where_the_change_is_written(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.replace('">>2"', '"+2 GB"'))
    instance = load(file)
    with pytest.raises(BadInput) as raised:
        apply(instance, (), ["late-permit"])
    line = SMALL[: SMALL.index("late-permit")].count("\n") + 1
    assert str(raised.value).startswith(f"{file}:{line}:")
    with pytest.raises(BadInput, match="no scenario 'late'"):
        apply(instance, (), ["late"])


def test_a_changed_instance_still_knows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    changed, _ = apply(load(file), ["name=Other"])
    assert changed.source == str(file)
    assert changed.locate("sites", "ashburn", "pue") == load(file).locate("sites", "ashburn", "pue")
