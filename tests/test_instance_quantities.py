"""Numbers with units, values by period, demand and the calendar."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.instance.by_period import ByPeriod, Demand
from optimizer.instance.calendar import calendar, spans
from optimizer.instance.faults import Misfits
from optimizer.instance.quantity import Unit
from optimizer.instance.schema import Horizon, Instance, PeriodSpec

MW, USD, SHARE, HOURS = Unit("MW"), Unit("USD"), Unit("%", high=1.0), Unit("h", above=0.0)
PERIODS = ("2027Q1", "2027Q2", "2027Q3", "2027Q4")
numbers = st.floats(0, 1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (MW, 12, 12.0), (MW, "12 MW", 12.0), (MW, "12", 12.0), (MW, "500 kW", 0.5), (HOURS, "8h", 8.0),
        (HOURS, "30 min", 0.5), (SHARE, "50%", 0.5), (SHARE, 0.3, 0.3), (USD, "2M", 2e6), (USD, "900k", 9e5),
        (USD, "$260_000", 260_000.0), (USD, "1.5B", 1.5e9), (USD, "2M USD", 2e6), (Unit("USD/MWh"), "$89/MWh", 89.0),
        (Unit("USD/MWh"), "0.09 USD/kWh", 90.0), (Unit("USD/Mtoken"), "2 USD/Mtoken", 2.0),
        (Unit("GB"), "1 GiB", 1.073741824),
        (Unit("TB/s"), "3350 GB/s", 3.35), (Unit("ms"), "2 s", 2000.0), (Unit("token"), "16k", 16_000.0),
        (Unit("USD/GPU/h"), "0.6 USD/h", 0.6), (Unit(low=1.0), "125%", 1.25),
        (Unit("USD/GPU/h"), "14.4 USD/GPU/day", 0.6), (Unit("USD/lot"), "5 USD", 5.0), (Unit("GPU"), "8 GPUs", 8.0),
        (Unit("GB"), "80 Gbit", 10.0), (Unit("m3"), "2 m**3", 2.0), (Unit("MWh"), "5 GW h", 5000.0),
        (Unit("USD/TB/month"), "5 USD/GB/month", 5000.0), (SHARE, "30 percent", 0.3),
    ],
)  # fmt: skip
def test_quantities_are_read_in_the_unit_of_their_key(unit: Unit, text: object, value: float) -> None:
    assert unit.read(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "value", "message"),
    [
        (MW, "12 GB", "is '12 GB', expected a number in MW"),
        (MW, "12 parsec", "is '12 parsec', expected a number in MW"),
        (MW, "12k", "is '12k', expected a number in MW"),
        (MW, True, "is true, expected a number in MW"),
        (MW, None, "is nothing, expected a number in MW"),
        (MW, [1], "is [1], expected a number in MW"),
        (MW, -3, "is -3, expected at least 0 MW"),
        (MW, math.inf, "is inf, expected a finite number in MW"),
        (MW, "_", "is '_', expected a number in MW"),
        (USD, "260,000", "is '260,000', expected a number in USD"),
        (USD, "3 MW**999", "is '3 MW**999', expected a number in USD"),
        (SHARE, "130%", "is '130%', expected between 0 and 1"),
        (HOURS, 0, "is 0, expected more than 0 h"),
        (Unit("task"), "10%", "is '10%', expected a number in task"),
        (Unit("GPU"), "8 racks", "is '8 racks', expected a number in GPU"),
        (Unit("GPU", whole=True), 1.5, "is 1.5, expected a whole number in GPU"),
        (Unit("task"), "5 GB", "is '5 GB', expected a number in task"),
        (Unit("GPU"), "16 GB", "is '16 GB', expected a number in GPU"),
        (Unit("GB"), "80 GPU", "is '80 GPU', expected a number in GB"),
        (Unit("TB/s"), "5 Hz", "is '5 Hz', expected a number in TB/s"),
        (Unit("USD/GPU"), "5 USD/rack", "is '5 USD/rack', expected a number in USD/GPU"),
        (Unit(), "1 byte", "is '1 byte', expected a number"),
        (SHARE, "40 deg", "is '40 deg', expected a number such as 0.3 or 30%"),
        (SHARE, "30 ppm", "is '30 ppm', expected a number such as 0.3 or 30%"),
        (MW, "5 MW*deg", "is '5 MW*deg', expected a number in MW"),
        (MW, "1 dBm", "is '1 dBm', expected a number in MW"),
        (MW, "1 MW/0", "is '1 MW/0', expected a number in MW"),
        (MW, "1 MW*9**9**9**9", "is '1 MW*9**9**9**9', expected a number in MW"),
        (MW, 1e300, "is 1e+300, expected a number of at most 1e+15 in MW"),
        (MW, 10**400, f"is 1{'0' * 56}..., expected a number of at most 1e+15 in MW"),
        (MW, "1e15 GW", "is '1e15 GW', expected a number of at most 1e+15 in MW"),
    ],
)
def test_what_does_not_fit_says_what_was_found_and_expected(unit: Unit, value: object, message: str) -> None:
    with pytest.raises(Misfits) as raised:
        unit.read(value)
    assert str(raised.value) == message


@given(numbers)
def test_a_number_means_the_same_bare_as_text_and_with_its_unit(number: float) -> None:
    assert MW.read(number) == MW.read(repr(number)) == MW.read(f"{number!r} MW") == number


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_a_misfit(text: str) -> None:
    try:
        found: float | tuple[object, ...] = USD.read(text)
    except Misfits as error:
        found = error.misfits
    assert len(found) == 1 if isinstance(found, tuple) else math.isfinite(found)


@given(st.dictionaries(st.sampled_from(PERIODS[1:]), numbers), numbers)
def test_steps_hold_until_the_next(later: dict[str, float], first: float) -> None:
    steps = {PERIODS[0]: first, **later}
    values = ByPeriod.read(steps, MW).resolve(PERIODS)
    for n, period in enumerate(PERIODS):
        assert values[n] == (steps[period] if period in steps else values[n - 1])


@given(
    st.one_of(numbers, st.lists(numbers, min_size=1), st.dictionaries(st.sampled_from(PERIODS), numbers, min_size=1))
)
def test_by_period_survives_its_own_dump(given_: object) -> None:
    read = ByPeriod.read(given_, MW)
    assert ByPeriod.read(read.dump(), MW) == read


def test_every_wrong_entry_is_named() -> None:
    with pytest.raises(Misfits) as raised:
        ByPeriod.read({"2027Q1": -1, "2027Q2": 2, "2027Q3": "x"}, MW)
    assert [m.at for m in raised.value.misfits] == [("2027Q1",), ("2027Q3",)]


@pytest.mark.parametrize(
    ("given_", "message", "maybe"),
    [
        ([1, 2], "lists 2 values, expected 4, one per period", ""),
        ({"2027Q2": 1}, "says nothing before 2027Q2", "add 2027Q1: 0"),
        ({"2027Q1": 1, "2027q3": 2}, "names period '2027q3', which the horizon 2027Q1 to 2027Q4 has not", "2027Q3?"),
    ],
)
def test_what_cannot_be_laid_over_the_horizon(given_: object, message: str, maybe: str) -> None:
    with pytest.raises(Misfits) as raised:
        ByPeriod.read(given_, MW).resolve(PERIODS)
    (misfit,) = raised.value.misfits
    assert (misfit.message, misfit.maybe) == (message, maybe)


def test_demand_is_tasks_in_each_period() -> None:
    hours = (2160.0, 2184.0, 2208.0, 2208.0)
    assert Demand.read("900k per period").resolve(PERIODS, hours) == (900_000.0,) * 4
    assert Demand.read(5).resolve(PERIODS, hours) == (5.0,) * 4
    assert Demand.read("24 per day").resolve(PERIODS, hours) == pytest.approx(hours)
    assert Demand.read("8760 per year").resolve(PERIODS, hours) == pytest.approx(hours)
    steps = Demand.read({"2027Q1": "1 per hour", "2027Q3": "2 per hour"})
    assert steps.resolve(PERIODS, hours) == (2160, 2184, 4416, 4416)
    job = Demand.read("40k per horizon")
    assert job.job
    assert job.resolve(PERIODS, hours) == (40_000.0,) * 4
    for demand in (steps, job, Demand.read([1, 2, 3, 4])):
        assert Demand.read(demand.dump()) == demand


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("9 per fortnight", "expected per one of period, horizon, second"),
        ({"2027Q1": "9 per day", "2027Q2": 7}, "mixes day and period"),
        ({"2027Q1": "9 per horizon"}, "expected one amount for all of it"),
        ("many per day", "is 'many', expected a number in task"),
    ],
)
def test_demand_that_cannot_be_read(value: object, message: str) -> None:
    with pytest.raises(Misfits, match=message):
        Demand.read(value)


@pytest.mark.parametrize(
    ("start", "unit", "expected"),
    [
        ("2027Q1", "quarter", {"2027Q1": 2160, "2027Q2": 2184}),
        ("2028Q1", "quarter", {"2028Q1": 2184, "2028Q2": 2184}),
        ("2027Q4", "quarter", {"2027Q4": 2208, "2028Q1": 2184}),
        ("2027-12", "month", {"2027-12": 744, "2028-01": 744}),
        ("2028-02", "month", {"2028-02": 696, "2028-03": 744}),
        ("2027", "year", {"2027": 8760, "2028": 8784}),
    ],
)
def test_hours_are_those_of_the_calendar(start: str, unit: str, expected: dict[str, float]) -> None:
    assert dict(spans(Horizon.model_validate({"start": start, "periods": 2, "unit": unit}))) == expected


def test_listed_periods_have_the_hours_stated() -> None:
    horizon = Horizon(periods=(PeriodSpec(id="a", hours=1), PeriodSpec(id="b", seconds=1800)))
    assert dict(spans(horizon)) == {"a": 1.0, "b": 0.5}


def test_the_calendar_splits_days_and_discounts_at_mid_period() -> None:
    horizon = {"periods": [{"id": "a", "hours": 8760}, {"id": "b", "hours": 8760}], "discount_rate": "10%"}
    day = {"peak": "8h", "night": 16}
    instance = Instance(name="x", horizon=horizon, day_parts=day, sites={}, pools={}, workflows={})
    found = calendar(instance)
    assert found.part_hours["a", "peak"] == pytest.approx(2920)
    assert found.discount == pytest.approx({"a": 1.1**-0.5, "b": 1.1**-1.5})
    assert found.shift("a", 1) == "b"
    assert found.shift("b", 1) is None
    assert calendar(Instance(name="x", horizon=horizon, sites={}, pools={}, workflows={})).parts == ("day",)
