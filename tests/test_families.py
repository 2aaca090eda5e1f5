"""Hand arithmetic, family by family. The base: 4 GPUs x 2 tasks/h x 100 h = 800 of 1,000 tasks at $1."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import tiny
from tiny import Infeasible, api, calendar, data, endpoint, flat, optimum, pair, pool, site, workflow

from optimizer.formulation.build import NothingToDrop, state
from optimizer.formulation.data import ApiLimit, Budget
from optimizer.formulation.families import FAMILIES
from optimizer.formulation.family import Family, Row, family
from optimizer.formulation.terms import TERMS

approx = pytest.approx
CAL = calendar()
TWO = calendar(2)
PARTS = calendar(parts=("peak", "night"))  # 50 h each
ONE = CAL.periods[0]


def test_base_case():
    assert optimum(data()) == approx(800)


# endpoint_capacity


def test_headroom_availability_and_peak_each_take_their_share():
    derated = data(
        endpoints={"e": endpoint(CAL, availability=0.9)},
        workflows={"w": workflow(CAL, headroom=0.8, peak_factor=1.5)},
    )
    assert optimum(derated) == approx(800 * 0.9 * 0.8 / 1.5)


def test_replicas_are_whole_and_shared_between_workflows():
    """Two workflows of 100 tasks need half a replica each: one shared replica serves both."""
    both = data(
        pools={"gpus": pool(CAL, count=1)},
        workflows={n: workflow(CAL, n, demand=100) for n in "ab"},
        pairs={(n, "e"): pair() for n in "ab"},
    )
    assert optimum(both) == approx(200)


def test_an_isolated_workflow_needs_a_replica_of_its_own():
    ends = {f"e{n}": endpoint(CAL, f"e{n}", owner=n) for n in "ab"}
    apart = data(
        pools={"gpus": pool(CAL, count=1)},
        endpoints=ends,
        workflows={n: workflow(CAL, n, demand=100) for n in "ab"},
        pairs={(n, f"e{n}"): pair() for n in "ab"},
    )
    assert optimum(apart) == approx(100)


# balance_link


def test_interactive_work_is_sold_in_the_proportion_of_its_day_parts():
    """80 % of demand falls in the peak's 50 h, where 4 GPUs serve 400: 500 tasks in all; batch fills both: 800."""
    share = {(ONE, PARTS.parts[0]): 0.8, (ONE, PARTS.parts[1]): 0.2}

    def kind(serving):
        return data(PARTS, workflows={"w": workflow(PARTS, share=share, serving=serving)})

    assert optimum(kind("interactive")) == approx(500)
    assert optimum(kind("batch")) == approx(800)
    assert optimum(kind("best_effort")) == approx(400 + 200)


def test_api_and_own_gpus_add_up():
    assert optimum(data(api_pairs={("w", "a"): api(CAL, 0.25)})) == approx(800 + 200 * 0.75)


# funding_link and tranches


def test_the_most_valuable_tranche_is_served_first():
    assert optimum(data(workflows={"w": workflow(CAL, usd=((0.5, 2.0), (0.5, 0.5)))})) == approx(500 * 2 + 300 * 0.5)


def test_a_job_sells_its_demand_once_over_its_window():
    job = workflow(TWO, demand=1000, job=True)
    assert optimum(data(TWO, workflows={"w": job})) == approx(1000)
    assert optimum(data(TWO, workflows={"w": replace(job, job=False)})) == approx(1600)


# launch_link and launches


def test_a_launch_pays_once_and_what_runs_pays_none():
    def with_launch(**more):
        return data(TWO, workflows={"w": workflow(TWO, launch_usd=flat(TWO, 300), **more)})

    assert optimum(with_launch()) == approx(1600 - 300)
    assert optimum(with_launch(running=True)) == approx(1600)


def test_what_is_kept_stays_funded_although_it_loses():
    """Second-period tasks lose a dollar each at the API; 30 % of them must be served once launched."""
    first, second = TWO.periods
    no_gpus = {"gpus": pool(TWO, count=0)}
    apis = {("w", "a"): replace(api(TWO, 0.5), usd_per_task={first: 0.5, second: 2.0})}
    free = data(TWO, pools=no_gpus, api_pairs=apis, workflows={"w": workflow(TWO, min_service=0.3)})
    kept = replace(free, workflows={"w": workflow(TWO, min_service=0.3, keep=True)})
    assert optimum(free) == approx(500)
    assert optimum(kept) == approx(500 - 300)


# gpu_capacity


def test_replicas_of_two_gpus_leave_the_odd_one_idle():
    assert optimum(data(pools={"gpus": pool(CAL, count=3)}, endpoints={"e": endpoint(CAL, gpus=2)})) == approx(200)


def test_slices_fit_the_layouts_that_gpus_are_cut_into():
    """One GPU: either seven small slices or one half and three small; two halves are not offered."""
    layouts = {"sevenths": {"small": 7}, "mixed": {"half": 1, "small": 3}}
    ends = {
        "s": endpoint(CAL, "s", gpus=1 / 7, slot="small"),
        "h": endpoint(CAL, "h", gpus=3 / 7, slot="half"),
    }
    cut = data(
        pools={"gpus": pool(CAL, count=1, sharing="partitioned", layouts=layouts)},
        endpoints=ends,
        workflows={"w": workflow(CAL, demand=10_000)},
        pairs={("w", "s"): pair(1.0), ("w", "h"): pair(4.5)},
    )
    assert optimum(cut) == approx(max(7 * 100, 450 + 3 * 100))


def test_sizes_that_do_not_divide_a_domain_are_counted_by_pattern():
    """Two domains of 8 GPUs hold two replicas of 6, although 16 GPUs are 2.7 times 6."""
    sized = data(
        pools={"gpus": pool(CAL, count=16, layout_gpus=8, layouts={"one six": {"6": 1}})},
        endpoints={"e": endpoint(CAL, gpus=6, slot="6")},
    )
    assert optimum(sized) == approx(400)


# powered_link, energy, power


def test_nodes_are_powered_whole_and_idle_gpus_draw():
    """One replica on a node of 4: 4 idle GPUs at 1 kW, 100 h, $0.1: $40; unused second node is off."""
    lit = data(
        sites={"home": site(CAL, usd_per_kwh=flat(CAL, 0.1))},
        pools={"gpus": pool(CAL, count=8, node=4, idle_kw=1.0)},
        endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=1.0)},
        workflows={"w": workflow(CAL, demand=200)},
    )
    assert optimum(lit) == approx(200 - 40)


def test_energy_follows_mean_load_and_pue():
    """200 tasks = 100 busy hours at 2 kW over idle 1 kW for 100 h: 300 kWh x PUE 1.5 x $0.2."""
    loaded = data(
        sites={"home": site(CAL, pue=1.5, usd_per_kwh=flat(CAL, 0.2))},
        pools={"gpus": pool(CAL, idle_kw=1.0)},
        endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=3.0)},
        workflows={"w": workflow(CAL, demand=200)},
    )
    assert optimum(loaded) == approx(200 - 300 * 1.5 * 0.2)


def test_power_binds_on_peak_draw():
    """PUE 1.25 x (idle 1 kW + 1 kW at full load) = 2.5 kW a replica: 6 kW carry two full and one at 0.6 - 0.5."""
    dark = data(
        sites={"home": site(CAL, power_kw=6.0, pue=1.25)},
        pools={"gpus": pool(CAL, idle_kw=1.0)},
        endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=2.0)},
    )
    # n replicas idle n kW, the rest of 4.8 kW feeds load: served 200 x min(n, 4.8 - n), best at n = 2 (n whole)
    assert optimum(dark) == approx(200 * 2)
    # with n = 3: 1.8 kW of load = 360; dropping the limit gives all four
    assert optimum(dark, without=("power_limit",)) == approx(800)


def test_nameplate_counts_full_power_whatever_the_load():
    lit = data(
        sites={"home": site(CAL, power_kw=6.0, nameplate=True)},
        pools={"gpus": pool(CAL, idle_kw=1.0)},
        endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=2.0)},
        workflows={"w": workflow(CAL, demand=610)},
    )
    # by load: four replicas would need 4 + 3.05 kW; three need 3 + 3 kW; by plate three need 6 kW
    assert optimum(lit) == approx(600)
    assert optimum(replace(lit, sites={"home": site(CAL, power_kw=5.9, nameplate=True)})) == approx(400)


# hbm_capacity, bandwidth_capacity, compute_capacity


def test_three_replicas_of_50_gb_do_not_fit_two_gpus_of_80():
    """160 GB hold 150 GB in sum, but no GPU holds two: two replicas."""
    shared = data(
        pools={"gpus": pool(CAL, count=2, sharing="shared", layouts={"one": {"50": 1}})},
        endpoints={"e": endpoint(CAL, gpus=0.5, slot="50", hbm_gb=50)},
    )
    assert optimum(shared) == approx(400)
    assert optimum(shared, without=("hbm_capacity",)) == approx(800)


def test_resident_gigabytes_fit_the_pool():
    """Four slots, but 40 GB of memory for replicas of 10.5 GB: three."""
    full = data(
        pools={"gpus": pool(CAL, count=1, usable_gb=40.0, sharing="shared", layouts={"four": {"x": 4}})},
        endpoints={"e": endpoint(CAL, gpus=0.25, slot="x", hbm_gb=10.5)},
    )
    assert optimum(full) == approx(600)


@pytest.mark.parametrize(
    ("family_name", "load"),
    [("bandwidth_capacity", {"bytes_gb": 3600.0}), ("compute_capacity", {"tflop": 3600.0})],
)
def test_shared_gpus_run_out_of_what_work_consumes(family_name, load):
    """A task moves 3,600 GB; 4 GB/s for 100 h at peak factor 2 carry 100 h x 4 / 2 = 200 tasks."""
    slow = pool(CAL, count=4, sharing="shared", bandwidth_gb_s=1.0, tflops=1.0, layouts={"one": {"x": 1}})
    thirsty = data(
        pools={"gpus": slow},
        endpoints={"e": endpoint(CAL, slot="x", max_replicas={ONE: 50})},
        workflows={"w": workflow(CAL, peak_factor=2.0)},
        pairs={("w", "e"): pair(**load)},
    )
    assert optimum(thirsty) == approx(200)
    assert optimum(thirsty, without=(family_name,)) == approx(400)


# money


def test_a_budget_counts_cash_of_the_terms_it_names():
    """$30 of API tokens at $0.1 buy 300 tasks on top of 800."""
    bought = data(
        workflows={"w": workflow(CAL, demand=5000)},
        api_pairs={("w", "a"): api(CAL, 0.1)},
        budgets=(Budget("opex", ("api_tokens",), {(ONE,): 30.0}),),
    )
    assert optimum(bought) == approx(800 + 300 * 0.9)


def test_a_budget_over_the_horizon_is_one_row():
    budget = Budget("opex", ("api_tokens",), {TWO.periods: 30.0})
    bought = data(
        TWO, workflows={"w": workflow(TWO, demand=5000)}, api_pairs={("w", "a"): api(TWO, 0.1)}, budgets=(budget,)
    )
    assert optimum(bought) == approx(1600 + 300 * 0.9)


def test_a_budget_below_what_must_be_paid_is_infeasible():
    costly = pool(CAL, usd_per_gpu_hour=flat(CAL, 1.0))
    broke = data(pools={"gpus": costly}, budgets=(Budget("opex", ("gpu_running",), {(ONE,): 399.0}),))
    with pytest.raises(Infeasible):
        optimum(broke)
    assert optimum(data(pools={"gpus": costly})) == approx(800 - 400)


def test_running_cost_is_of_owned_gpus_unless_paid_when_powered():
    owned = pool(CAL, count=8, usd_per_gpu_hour=flat(CAL, 0.1), lease_usd_per_gpu_hour=flat(CAL, 0.05))
    asked = {"w": workflow(CAL, demand=200)}
    assert optimum(data(pools={"gpus": owned}, workflows=asked)) == approx(200 - 8 * 100 * 0.15)
    powered = replace(owned, paid_when_powered=True)
    assert optimum(data(pools={"gpus": powered}, workflows=asked)) == approx(200 - 1 * 100 * 0.1 - 8 * 100 * 0.05)


def test_present_value_discounts_each_period():
    halved = replace(TWO, discount={TWO.periods[0]: 1.0, TWO.periods[1]: 0.5})
    assert optimum(data(halved)) == approx(800 + 400)


# quotas, promises, portfolio


@pytest.mark.parametrize(
    ("limit", "bought"),
    [
        (ApiLimit({ONE: 50_000.0}, None, None, None), 50),  # 1,000 tokens a task
        (ApiLimit(None, {ONE: 40.0}, None, None), 40),
        (ApiLimit(None, None, 1000.0, None), 50),  # 1,000 tokens/h x 100 h / 1,000 tokens / peak 2
        (ApiLimit(None, None, None, 0.5), 25),  # half a request an hour, 100 h, peak 2
    ],
)
def test_quotas_and_rates_limit_an_api(limit, bought):
    quota = data(
        workflows={"w": workflow(CAL, peak_factor=2.0)},
        pools={"gpus": pool(CAL, count=0)},
        api_pairs={("w", "a"): api(CAL, 0.0)},
        api_limits={"a": limit},
    )
    assert optimum(quota) == approx(bought)


def test_a_floor_that_cannot_be_met_defunds_the_workflow():
    def floor(share, **more):
        return data(workflows={"w": workflow(CAL, min_service=share, **more)})

    assert optimum(floor(0.8)) == approx(800)
    assert optimum(floor(0.81)) == approx(0)
    with pytest.raises(Infeasible):
        optimum(floor(0.81, must_fund=True))
    assert optimum(floor(0.81, must_fund=True), without=("service_floor",)) == approx(800)


def test_a_job_keeps_its_promise_over_the_whole_window():
    job = workflow(TWO, demand=2000, job=True, min_service=0.8)
    assert optimum(data(TWO, workflows={"w": job})) == approx(1600)
    assert optimum(data(TWO, workflows={"w": replace(job, min_service=0.81)})) == approx(0)


def test_standing_replicas_are_kept_although_the_api_is_cheaper():
    """Two replicas stand by at $10 each in energy, while the API serves for nothing."""
    standing = data(
        sites={"home": site(CAL, usd_per_kwh=flat(CAL, 0.1))},
        endpoints={"e": endpoint(CAL, idle_kw=1.0, op_kw=9.0)},
        workflows={"w": workflow(CAL, min_replicas=2)},
        api_pairs={("w", "a"): api(CAL, 0.0)},
    )
    assert optimum(standing) == approx(1000 - 2 * 10)
    assert optimum(standing, without=("replica_floor",)) == approx(1000)


def test_launch_and_portfolio_limits_choose_the_best():
    def three(**more):
        flows = {n: workflow(CAL, n, demand=100, usd=usd) for n, usd in (("a", 1.0), ("b", 2.0), ("c", 4.0))}
        return data(workflows=flows, pairs={(n, "e"): pair() for n in flows}, **more)

    assert optimum(three()) == approx(700)
    assert optimum(three(portfolio_limit={ONE: 1.0})) == approx(400)
    assert optimum(three(launch_limit={ONE: 2.0})) == approx(600)


# the families themselves


@pytest.mark.parametrize("each", FAMILIES, ids=lambda f: f.name)
def test_every_family_says_what_it_means(each: Family):
    assert each.summary.endswith(".")
    assert each.formula
    assert each.meaning
    assert each.unit
    assert each.price
    assert re.search(r"_(capacity|limit|floor|link)$", each.name)
    assert "period" in each.index


@pytest.mark.parametrize("each", TERMS, ids=lambda t: t.name)
def test_every_term_says_what_it_means(each):
    assert each.summary.endswith(".")
    assert each.formula


def test_rows_are_named_and_belong_to_their_family():
    f = state(data())
    assert set(f.rows) == {each.name for each in FAMILIES}
    for each in FAMILIES:
        keys = {row.key for row in f.rows[each.name]}
        assert len(keys) == len(f.rows[each.name]) == len(getattr(f.model, each.name))


def test_absent_data_gives_no_rows():
    f = state(data())
    for name in ("power_limit", "spend_limit", "launch_limit", "portfolio_limit", "api_limit", "service_floor"):
        assert f.rows[name] == ()


def test_single_rows_can_be_dropped():
    dark = data(TWO, sites={"home": site(TWO, power_kw=0.0)}, endpoints={"e": endpoint(TWO, op_kw=1.0, idle_kw=0.5)})
    assert optimum(dark) == approx(0)
    assert optimum(dark, without=("power_limit[home,T2]",)) == approx(800)
    assert optimum(dark, without=("power_limit[home,*]",)) == approx(1600)


def test_an_unknown_family_is_refused_with_a_suggestion():
    with pytest.raises(NothingToDrop, match="Maybe power_limit"):
        state(data(), without=("power_limits",))


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("gpu_capacity[gpux]", r"Maybe gpu_capacity\[gpus,T1\]"),
        ("power_limit[home,*]", "power_limit has no rows in this instance"),
        ("gpu_capacity[*,T9]", "no row matches"),
        ("energy[home]", "term"),
    ],
)
def test_a_row_that_is_not_there_cannot_be_dropped(pattern, hint):
    with pytest.raises(NothingToDrop, match=hint):
        state(data(), without=(pattern,))


def test_executable_unless_logic_was_dropped():
    assert state(data(), without=("power_limit", "launch_link")).executable
    assert not state(data(), without=("balance_link",)).executable


def test_a_family_of_ones_own_joins_the_others():
    @family(index="endpoint period", unit="replica", price="$/replica")
    def licence_limit(m, d):
        r"""No more than one licensed replica. $$ r \\le 1 $$ Price: of a licence."""
        for (e, t), replicas in m.replicas.items():
            yield Row((e, t), replicas, "<=", 1.0)

    assert optimum(data(), extra=(licence_limit,)) == approx(200)
    assert optimum(data(), extra=(licence_limit,), without=("licence_limit",)) == approx(800)
    assert tiny.solved(data(), extra=(licence_limit,)).rows["licence_limit"]
