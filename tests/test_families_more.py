"""Hand arithmetic for buying, places, people, discipline, tools, losses and moves. Base as in test_families."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyomo.core.expr.visitor import identify_variables
from tiny import Infeasible, api, calendar, data, endpoint, flat, optimum, pair, pool, relaxed, site, workflow

from optimizer.formulation.build import state
from optimizer.formulation.data import (
    Brings,
    Bundle,
    Commitment,
    Concentration,
    Flow,
    Footprint,
    Loss,
    Offer,
    Pilot,
    Quota,
    Resource,
    Retraining,
    Skill,
    Tool,
    Variant,
)

approx = pytest.approx
CAL = calendar()
TWO = calendar(2)
THREE = calendar(3)
PARTS = calendar(parts=("peak", "night"))
ONE = CAL.periods[0]
FIRST, SECOND = TWO.periods
ASKED = {"w": workflow(TWO, demand=2000)}


def gpu_offer(cal, *, lots, cash, lead=0, kind="purchase", term="purchases", gpus=1.0, max_lots=9, **more):
    """One lot of GPUs a period, paid when ordered, there from `lead` periods later."""
    orders = dict.fromkeys(cal.periods, lots)
    at = list(cal.periods)
    amount = {(o, t): gpus for o in at for t in at if at.index(t) >= at.index(o) + lead}
    flows = tuple(Flow(o, o, cash, 1.0) for o in at)
    return Offer("o", kind, term, orders, max_lots, (Brings("gpus", "gpus", amount),), flows, **more)


# supply_limit, purchases, leases, resale, upgrades


def test_a_purchase_pays_if_what_it_earns_in_time_exceeds_its_price():
    """A GPU earns $200 a period: bought first it earns $400, with a lead of one period $200."""

    def fleet(cash, lead=0, lots=1):
        return data(TWO, workflows=ASKED, offers={"o": gpu_offer(TWO, lots=lots, cash=cash, lead=lead)})

    assert optimum(fleet(-390)) == approx(1600 + 10)
    assert optimum(fleet(-390, lead=1)) == approx(1600)
    assert optimum(fleet(-190, lead=1)) == approx(1600 + 10)
    assert optimum(fleet(-190, lots=2)) == approx(1600 + 2 * 210 + 2 * 10)


def test_supply_and_quotas_cap_what_can_be_ordered():
    bought = gpu_offer(TWO, lots=1, cash=-10, quotas={"hbm": 80.0})
    fleet = data(TWO, workflows=ASKED, offers={"o": bought})
    assert optimum(fleet) == approx(1600 + 390 + 190)
    assert optimum(replace(fleet, quotas=(Quota("hbm", "GB", {FIRST: 79.0}),))) == approx(1600 + 190)
    assert optimum(replace(fleet, offers={"o": replace(bought, max_lots=1)})) == approx(1600 + 390)
    assert optimum(fleet, without=("supply_limit",)) == approx(2 * 2000 - 6 * 10)


def test_bought_gpus_cost_what_gpus_cost_to_run():
    running = {"gpus": pool(TWO, usd_per_gpu_hour=flat(TWO, 0.5))}
    fleet = data(TWO, workflows=ASKED, pools=running, offers={"o": gpu_offer(TWO, lots=1, cash=-190, lead=1)})
    assert optimum(fleet) == approx(1600 - 2 * 4 * 100 * 0.5)


def test_retired_gpus_fetch_money_and_save_running_cost():
    idle = {"w": workflow(TWO, demand=200)}
    running = {"gpus": pool(TWO, usd_per_gpu_hour=flat(TWO, 0.5))}
    sale = gpu_offer(TWO, lots=9, cash=30, kind="retire", term="resale", gpus=-1.0, max_lots=4)
    assert optimum(data(TWO, workflows=idle, pools=running, offers={"o": sale})) == approx(400 - 2 * 50 + 3 * 30)


def test_an_upgrade_brings_power_after_its_lead_time():
    """2 kW carry two replicas; 2 kW more from the second period carry four for $300."""
    more = Offer(
        "u", "upgrade", "upgrades", {FIRST: 1}, 1,
        (Brings("power_kw", "home", {(FIRST, SECOND): 2.0}),), (Flow(FIRST, FIRST, -300.0, 1.0),),
    )  # fmt: skip
    dark = data(
        TWO,
        sites={"home": site(TWO, power_kw=2.0)},
        endpoints={"e": endpoint(TWO, idle_kw=1.0, op_kw=1.0)},
        offers={"u": more},
    )
    assert optimum(dark) == approx(400 + 800 - 300)
    assert optimum(replace(dark, offers={})) == approx(800)


# places


def test_curtailment_bites_in_its_day_part_because_draw_follows_load():
    """3 kW by day, 1 kW less at the peak: idle is nothing, so two replicas work at the peak and three at night."""
    part = {(ONE, PARTS.parts[0]): 1.0}
    dim = data(
        PARTS,
        sites={"home": site(PARTS, power_kw=3.0, curtailed_kw=part)},
        endpoints={"e": endpoint(PARTS, idle_kw=0.0, op_kw=1.0)},
        workflows={"w": workflow(PARTS, serving="batch")},
    )
    assert optimum(dim) == approx(50 * 2 * 2 + 50 * 2 * 3)


def test_racks_hold_the_nodes_that_are_powered():
    racks = data(
        sites={"home": site(CAL, racks={"air": flat(CAL, 1.5)})},
        pools={"gpus": pool(CAL, rack_class="air", nodes_per_rack=2.0)},
    )
    assert optimum(racks) == approx(600)
    assert optimum(racks, without=("rack_capacity",)) == approx(800)


@pytest.mark.parametrize(
    ("family", "kind", "amount"),
    [("energy_limit", "energy", 0.2), ("carbon_limit", "carbon", 0.1), ("water_limit", "water", 0.6)],
)
def test_a_footprint_caps_the_energy_of_its_sites_over_its_periods(family, kind, amount):
    """A replica at full load draws 1 kW for 100 h = 0.1 MWh = 0.05 t = 0.3 m3: two replica-periods of the eight."""
    place = site(TWO, t_co2_per_mwh=flat(TWO, 0.5), m3_per_mwh=flat(TWO, 3.0))
    capped = data(
        TWO,
        sites={"home": place},
        endpoints={"e": endpoint(TWO, idle_kw=0.0, op_kw=1.0)},
        footprints=(Footprint("cap", kind, ("home",), {TWO.periods: amount}),),
    )
    assert optimum(capped) == approx(400)
    assert optimum(capped, without=(family,)) == approx(1600)


def test_a_carbon_price_is_paid_on_energy():
    priced = data(
        sites={"home": site(CAL, t_co2_per_mwh=flat(CAL, 0.5), usd_per_t_co2=flat(CAL, 100.0))},
        endpoints={"e": endpoint(CAL, idle_kw=0.0, op_kw=1.0)},
    )
    assert optimum(priced) == approx(800 - 4 * 0.1 * 0.5 * 100)


def test_storage_holds_weights_once_and_indexes_while_funded():
    """Weights of 0.5 TB and an index of 1 TB at $730 per TB and month: 100 h are 100/730 months."""
    stored = data(
        sites={"home": site(CAL, storage_tb=flat(CAL, 1.5), usd_per_tb_month=flat(CAL, 73.0))},
        workflows={"w": workflow(CAL, storage_tb={"home": 1.0})},
        model_tb={"toy-7b": 0.5},
    )
    assert optimum(stored) == approx(800 - 1.5 * 10)
    cramped = replace(stored, sites={"home": site(CAL, storage_tb=flat(CAL, 1.4))})
    assert optimum(cramped) == approx(0)
    assert optimum(cramped, without=("storage_capacity",)) == approx(800)


# APIs


def test_committed_spend_is_paid_whether_used_or_not():
    """The API at $0.9 earns $0.1 a task over the 200 the GPUs leave; $450 are committed, so 300 tasks move to it."""
    bought = data(api_pairs={("w", "a"): api(CAL, 0.9)}, commitments=(Commitment("a", flat(CAL, 450.0)),))
    assert optimum(bought) == approx(1000 - 450)
    assert optimum(bought, without=("commitment_floor",)) == approx(800 + 200 * 0.1)


def test_a_vendor_carries_no_more_than_its_share_of_tokens():
    """The API serves for nothing, but may carry half of the tokens: as many tasks as the GPUs."""
    half = Concentration("vendor", frozenset({"a"}), frozenset(), flat(CAL, 0.5))
    shared = data(
        pools={"gpus": pool(CAL, count=2)},
        pairs={("w", "e"): replace(pair(), good_mtok=0.0005)},
        api_pairs={("w", "a"): api(CAL, 0.0)},  # 500 output tokens
        concentrations=(half,),
    )
    assert optimum(shared) == approx(400 + 400)
    assert optimum(shared, without=("concentration_limit",)) == approx(1000)


# people, yield, liability, training, bundles, resources


def test_bad_output_earns_nothing_and_may_cost():
    """Of 800 handled tasks 90 % are good; each handled task carries $0.05 of expected liability."""
    fallible = data(pairs={("w", "e"): replace(pair(), good=0.9, liability_usd=0.05)})
    assert optimum(fallible) == approx(800 * 0.9 - 800 * 0.05)


def test_sources_of_different_yield_share_the_tranches():
    """The better source takes the tranche at $2: 500 x 2 x 1.0; the API at half yield earns 0.5 x 1 on 500 at $0.1."""
    mixed = data(
        pools={"gpus": pool(CAL, count=2.5)},
        workflows={"w": workflow(CAL, usd=((0.4, 2.0), (0.6, 1.0)))},
        api_pairs={("w", "a"): replace(api(CAL, 0.1), good=0.5)},
    )
    # two replicas handle 400 tasks: the first tranche at full yield; the API the other 600 at half
    assert optimum(mixed) == approx(400 * 2 + 600 * (0.5 - 0.1))


def test_reviewers_are_paid_and_limited():
    """A minute... 0.01 h a task at $20: $0.2; 5 h allow 500 tasks."""
    reviewed = data(
        workflows={"w": workflow(CAL, skill="clerk")},
        pairs={("w", "e"): replace(pair(), review_hours=0.01)},
        skills={"clerk": Skill("clerk", flat(CAL, 5.0), flat(CAL, 20.0))},
    )
    assert optimum(reviewed) == approx(500 * 0.8)
    assert optimum(reviewed, without=("review_limit",)) == approx(800 * 0.8)


def test_one_figure_for_all_sources_is_said_once_and_figures_that_differ_apart():
    """The slow one takes half the review: two replicas of it for 200 tasks, two of the other for 400."""
    skills, flows = {"clerk": Skill("clerk", flat(CAL, 5.0), flat(CAL, 20.0))}, {"w": workflow(CAL, skill="clerk")}
    same = {("w", e): replace(pair(), review_hours=0.01) for e in "ef"}
    apart = {**same, ("w", "f"): replace(pair(1.0), review_hours=0.005)}
    for pairs, decision, worth in ((same, "tranche", 500 * 0.8), (apart, "serve", 200 * 0.9 + 400 * 0.8)):
        ends = {e: endpoint(CAL, e) for e in "ef"}
        d = data(endpoints=ends, workflows=flows, pairs=pairs, skills=skills)
        stated = state(d)
        (row,) = stated.rows["review_limit"]
        assert {v.parent_component().name for v in identify_variables(row.used)} == {decision}
        assert optimum(d) == approx(worth)


def test_retraining_takes_gpus_and_cash_while_funded():
    """150 GPU-hours on GPUs of speed 1.5 take one GPU for the 100 h; $50 in cash."""
    trained = data(
        workflows={"w": workflow(CAL, retraining=Retraining(flat(CAL, 150.0), {"gpus": 1.5}, flat(CAL, 50.0)))},
    )
    assert optimum(trained) == approx(600 - 50)
    assert optimum(trained, without=("retraining_link",)) == approx(800 - 50)


def bundled(choose, **usd):
    options = tuple(Bundle(name, flat(CAL, worth), {"slots": need}) for name, (worth, need) in usd.items())
    flow = workflow(CAL, demand=1, usd=(), bundles=options, choose=choose)
    resource = {"slots": Resource("slots", "slot", flat(CAL, 5.0))}
    return data(workflows={"w": flow}, pairs={}, endpoints={}, resources=resource)


def test_a_bundle_is_taken_whole_or_not_at_all():
    assert optimum(bundled("at_most_one", small=(3.0, 2.0), large=(9.0, 6.0))) == approx(3)
    fits = bundled("at_most_one", small=(3.0, 2.0), large=(9.0, 6.0))
    assert optimum(fits, without=("resource_capacity",)) == approx(9)


def test_exactly_one_bundle_is_taken_although_it_loses():
    assert optimum(bundled("exactly_one", bad=(-3.0, 2.0), worse=(-5.0, 1.0))) == approx(-3)
    assert optimum(bundled("at_most_one", bad=(-3.0, 2.0), worse=(-5.0, 1.0))) == approx(0)


def test_named_resources_are_taken_by_replicas_and_tasks():
    licensed = data(
        endpoints={"e": endpoint(CAL, resources={"seat": 2.0})},
        resources={"seat": Resource("seat", "seat", flat(CAL, 6.0))},
    )
    assert optimum(licensed) == approx(600)
    metered = data(
        workflows={"w": workflow(CAL, task_resources={"gb": 0.5})},
        resources={"gb": Resource("gb", "GB", flat(CAL, 100.0))},
    )
    assert optimum(metered) == approx(200)


# discipline


def test_a_pilot_stays_small_until_it_is_proven():
    """10 % of 1,000 for one period, then all the GPUs do."""
    pilot = {"w": workflow(THREE, pilot=Pilot(0.1, 1, proven=False))}
    assert optimum(data(THREE, workflows=pilot)) == approx(100 + 800 + 800)
    longer = {"w": workflow(THREE, pilot=Pilot(0.1, 2, proven=False))}
    assert optimum(data(THREE, workflows=longer)) == approx(100 + 100 + 800)
    assert optimum(data(THREE, workflows={"w": workflow(THREE, pilot=Pilot(0.1, 2, proven=True))})) == approx(2400)
    assert optimum(data(THREE, workflows=longer), without=("proof_floor",)) == approx(2400)


def test_half_a_pilot_is_half_as_large():
    """Funded by half: 50, then as proven as it was funded, 50 + 450, then 500 of all 1,000."""
    half = data(
        THREE, workflows={"w": workflow(THREE, pilot=Pilot(0.1, 1, proven=False))}, portfolio_limit=flat(THREE, 0.5)
    )
    assert relaxed(half) == approx(50 + 500 + 500)


def test_exploration_keeps_to_its_share_of_owned_gpu_hours():
    """A tenth of 4 GPUs x 100 h = 40 GPU-hours = 80 tasks while unproven; then no limit."""
    shy = data(TWO, workflows={"w": workflow(TWO, pilot=Pilot(0.5, 1, proven=False))}, exploration_share=flat(TWO, 0.1))
    assert optimum(shy) == approx(80 + 800)
    assert optimum(shy, without=("exploration_limit",)) == approx(500 + 800)


# tools


def tooled(**more):
    """A cache doubles the endpoint's speed for $100 a period and $50 to bring in."""
    cache = Tool("cache", flat(TWO, 100.0), 50.0, **more)
    return data(
        TWO,
        workflows=ASKED,
        pairs={("w", "e"): pair(2.0), ("w", "e+cache"): pair(4.0)},
        variants={"e+cache": Variant("e", ("cache",))},
        tools={"cache": cache},
    )


def test_a_tool_is_adopted_if_it_earns_its_cost():
    assert optimum(tooled()) == approx(2 * 1600 - 2 * 100 - 50)
    assert optimum(tooled(running=True)) == approx(2 * 1600 - 2 * 100)
    assert optimum(tooled(gpus={"gpus": 1.0})) == approx(2 * 1200 - 250)
    assert optimum(tooled(gpus={"gpus": 3.0})) == approx(1600)


def test_a_tool_used_in_one_day_part_is_adopted_for_it():
    """800 of 1,000 tasks fall into the peak, where 4 GPUs do 400 without the cache and all 800 with it: adopted in
    full, though over both parts it would be used for 800 of 1,000 only."""
    w = replace(
        workflow(PARTS), share={(PARTS.periods[0], b): part for b, part in zip(PARTS.parts, (0.8, 0.2), strict=True)}
    )
    cached = data(
        PARTS,
        workflows={"w": w},
        pairs={("w", "e"): pair(2.0), ("w", "e+cache"): pair(4.0)},
        variants={"e+cache": Variant("e", ("cache",))},
        tools={"cache": Tool("cache", flat(PARTS, 100.0), 0.0)},
    )
    assert optimum(cached) == approx(900)
    assert relaxed(cached) == approx(900)


def test_redundant_tools_exclude_each_other_and_needed_ones_are_had():
    needed = {"w": workflow(CAL, requires=("store", "index"))}
    pair_of = {n: Tool(n, flat(CAL, 10.0), 0.0) for n in ("store", "index")}
    assert optimum(data(workflows=needed, tools=pair_of)) == approx(800 - 20)
    rivals = {n: replace(tool, group="db") for n, tool in pair_of.items()}
    assert optimum(data(workflows=needed, tools=rivals)) == approx(0)
    assert optimum(data(workflows=needed, tools=rivals), without=("tool_link",)) == approx(800)


# losses


def two_sites(loss, **more):
    """Two sites of two GPUs each; half of what is served must survive the loss of either."""
    return data(
        sites={s: site(CAL, s) for s in ("east", "west")},
        pools={s: pool(CAL, s, count=2, at=s) for s in ("east", "west")},
        endpoints={s: endpoint(CAL, s, on=s, site=s) for s in ("east", "west")},
        pairs={("w", s): pair() for s in ("east", "west")},
        workflows={"w": workflow(CAL, **more)},
        losses=loss,
    )


def losses(share, recourse):
    return tuple(Loss(f"loss of {s}", frozenset({s}), frozenset(), {"w": share}, recourse) for s in ("east", "west"))


@pytest.mark.parametrize("recourse", [True, False])
def test_the_promised_share_survives_any_one_loss(recourse):
    assert optimum(two_sites(losses(0.5, recourse))) == approx(800)


def test_what_survives_takes_over_within_its_hours():
    """A site alone serves 400 tasks: with 80 % promised, 500 may be served in all, with recourse or not."""
    assert optimum(two_sites(losses(0.8, True))) == approx(500)
    assert optimum(two_sites(losses(0.8, False))) == approx(0)  # neither site may hold more than a fifth
    assert optimum(two_sites(losses(0.8, True)), without=("resilience_floor",)) == approx(800)


def test_power_left_after_a_loss_bounds_the_rescue():
    """Each site may run 1 kW, a replica draws 1 kW at load: 200 tasks rescued, 400 served at 50 %... of 400."""
    dim = two_sites(losses(0.8, True))
    dim = replace(
        dim,
        sites={s: site(CAL, s, power_kw=1.0) for s in ("east", "west")},
        endpoints={s: replace(e, op_kw=1.0) for s, e in dim.endpoints.items()},
    )
    assert optimum(dim) == approx(200 / 0.8)


def test_rescue_with_a_tool_needs_the_tool():
    """Each site alone serves 400 tasks, 800 with a tool at $10: all 800 of both sites then survive."""
    bare = two_sites(losses(1.0, True))
    with_tool = replace(
        bare,
        pairs={**bare.pairs, **{("w", f"{s}+j"): pair(4.0) for s in ("east", "west")}},
        variants={f"{s}+j": Variant(s, ("j",)) for s in ("east", "west")},
        tools={"j": Tool("j", flat(CAL, 10.0), 0.0)},
    )
    assert optimum(bare) == approx(400)
    assert optimum(with_tool) == approx(800 - 10)
    dear = replace(with_tool, tools={"j": Tool("j", flat(CAL, 500.0), 0.0)})
    assert optimum(dear) == approx(400)


# stability


def test_moves_cost_and_ramps_are_capped():
    """Demand for one replica, then for three: two moves at $15; from none with a ramp of one, 200 tasks less."""
    grows = {FIRST: 200.0, SECOND: 600.0}
    flow = replace(workflow(TWO), demand=grows)
    base = data(TWO, workflows={"w": flow}, endpoints={"e": endpoint(TWO, usd_per_move=15.0, before=1)})
    assert optimum(base) == approx(800 - 2 * 15)
    assert optimum(replace(base, endpoints={"e": endpoint(TWO, before=0, ramp=1)})) == approx(600)
    fresh = replace(base, endpoints={"e": endpoint(TWO, usd_per_move=15.0, before=0)})
    assert optimum(fresh) == approx(800 - 3 * 15)
    assert optimum(fresh, without=("change_link",)) == approx(800)


def test_constant_replicas_pins_and_bans_hold():
    grows = replace(workflow(TWO), demand={FIRST: 200.0, SECOND: 600.0})
    lit = site(TWO, usd_per_kwh=flat(TWO, 1.0))
    end = endpoint(TWO, idle_kw=0.5, op_kw=0.5)
    still = data(TWO, sites={"home": lit}, workflows={"w": grows}, endpoints={"e": end})
    assert optimum(still) == approx(800 - 4 * 50)
    assert optimum(replace(still, endpoints={"e": replace(end, constant=(TWO.periods,))})) == approx(800 - 6 * 50)
    assert optimum(replace(still, endpoints={"e": replace(end, pinned={SECOND: 1})})) == approx(400 - 2 * 50)
    assert optimum(replace(still, workflows={"w": replace(grows, banned=(SECOND,))})) == approx(150)
    forced = replace(grows, pinned=(FIRST,), min_service=1.0, tranches=())
    with pytest.raises(Infeasible):
        optimum(replace(still, workflows={"w": forced}))
