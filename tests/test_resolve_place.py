"""Sites, racks, footprints, losses and shares: where things are, and what may fail."""

import pytest
from resolving import data, document, drops

from optimizer.formulation.data import Concentration, Footprint, Loss
from optimizer.instance.faults import BadInput

approx = pytest.approx
BOTH = ("T1", "T2")


def flat(x):
    return dict.fromkeys(BOTH, x)


def home(**site):
    return data(document(sites={"home": site}, day_parts={"peak": 6, "night": 18})).sites["home"]


def test_permits_add_power_from_their_date_unless_they_are_late():
    permit = {"power_mw": 0.5, "from": "T2"}
    assert home(power_permits={"grid": permit}).power_kw == {"T1": 1000, "T2": 1500}
    assert home(power_permits={"grid": {**permit, "from": "T1", "late": 1}}).power_kw == {"T1": 1000, "T2": 1500}
    assert home(power_permits={"grid": {**permit, "late": 1}}).power_kw == flat(1000)
    assert home(power_mw=0, power_permits={"grid": permit}).power_kw == {"T1": 0, "T2": 500}


def test_curtailment_takes_power_in_its_day_part():
    assert home(curtailment={"peak": [0.2, 0]}).curtailed_kw == {("T1", "peak"): 200, ("T2", "peak"): 0}


def test_carbon_water_and_storage_in_the_units_of_the_program():
    site = home(g_co2_per_kwh=300, water_l_per_kwh=1.8, usd_per_t_co2=90, storage_tb=12, usd_per_tb_month=20)
    assert (site.t_co2_per_mwh["T1"], site.m3_per_mwh["T1"], site.usd_per_t_co2["T1"]) == (approx(0.3), 1.8, 90)
    assert (site.storage_tb, site.usd_per_tb_month) == (flat(12), flat(20))


def test_racks_hold_nodes_by_their_full_load():
    """A node of 8 GPUs draws 8 kW: a rack of 40 kW carries five."""
    racks = {
        "rack_classes": {"air": {"kw": 40}},
        "pools": {"p": {"rack": "air"}},
        "sites": {"home": {"racks": {"air": 2}}},
    }
    d = data(document(**racks))
    pool = d.pools["p"]
    assert (pool.rack_class, pool.nodes_per_rack, pool.op_kw) == ("air", 5, 1.0)
    assert d.sites["home"].racks == {"air": flat(2)}


def test_a_node_above_its_rack_is_refused():
    with pytest.raises(BadInput, match="rack"):
        data(document(rack_classes={"air": {"kw": 7}}, pools={"p": {"rack": "air"}}))


def test_racks_cool_by_air_or_by_liquid():
    wet = {"wet": {"kw": 250, "cooling": "liquid"}}
    d = data(document(rack_classes=wet, pools={"p": {"rack": "wet"}}, sites={"home": {"racks": {"wet": 2}}}))
    assert [(c.value, c.limit) for c in drops(d, "cooling")] == [("air", "liquid")]


def test_footprints_cover_their_sites_and_periods():
    drawn = {"g_co2_per_kwh": 300, "water_l_per_kwh": 1}
    sites = {"home": drawn, "away": {"jurisdiction": "DE", "pue": 1, "usd_per_mwh": 90, **drawn}}
    limits = {
        "energy": {"grid": {"sites": ["away"], "mwh": [5, 6]}},
        "carbon": {"country": {"jurisdiction": "US", "t_co2": 40, "per": "horizon"}},
        "water": {"all": {"m3": 9, "per": "year"}},
    }
    assert data(document(sites=sites, limits=limits)).footprints == (
        Footprint("grid", "energy", ("away",), {("T1",): 5, ("T2",): 6}),
        Footprint("country", "carbon", ("home",), {BOTH: 40}),
        Footprint("all", "water", ("home", "away"), {BOTH: 9}),
    )


APIS = {
    "big": {"jurisdiction": "US", "vendor": "acme", "usd_per_task": 1},
    "small": {"jurisdiction": "US", "vendor": "acme", "usd_per_task": 2},
    "other": {"jurisdiction": "US", "usd_per_task": 3},
}


def test_concentration_counts_endpoints_of_sites_and_apis_of_vendors():
    limits = {"concentration": {"c": {"sites": ["home"], "vendors": ["acme"], "share": "60%"}}}
    d = data(document(apis=APIS, limits=limits))
    assert d.concentrations == (Concentration("c", frozenset({"p/d", "big", "small"}), frozenset(), flat(0.6)),)


def test_each_of_a_kind_may_fail_in_turn():
    resilience = {
        "losses": [{"each": "vendor"}, {"id": "both", "sites": ["home"], "apis": ["other"]}],
        "shares": {"w": 0.5},
    }
    d = data(document(apis=APIS, resilience=resilience))
    assert d.losses == (
        Loss("vendor acme", frozenset(), frozenset({"big", "small"}), {"w": 0.5}),
        Loss("both", frozenset({"p/d"}), frozenset({"other"}), {"w": 0.5}),
    )


def test_a_workflow_has_its_own_word_on_losses():
    """Its promise for a kind wins over the general share, and brings the losses of that kind."""
    resilience = {"losses": [{"sites": ["home"]}], "shares": {"w": 0.5}, "recourse": "none"}
    own = {"w": {"resilience": {"site": 0.7, "api": 0.2}}}
    d = data(document(apis=APIS, resilience=resilience, workflows=own))
    assert [(loss.id, loss.shares["w"], loss.recourse) for loss in d.losses] == [
        ("site home", 0.7, False), ("api big", 0.2, False), ("api small", 0.2, False), ("api other", 0.2, False),
    ]  # fmt: skip


def test_weights_count_once_at_the_widest_precision_where_storage_does():
    model = {"net": {"params_b": 8, "layers": 32, "kv_values_per_token": 65536, "kv_heads": 8, "context_tokens": 9000,
                     "precisions": ["fp8"]}}  # fmt: skip
    two = {"d": {"precision": "fp8"}, "e": {**document()["deployments"]["d"], "precision": "bf16", "keep": True}}
    assert data(document(models=model, deployments=two)).model_tb == {}
    stored = data(document(models=model, deployments=two, sites={"home": {"storage_tb": 3}}))
    assert stored.model_tb == {"net": approx(8 * 2 / 1000)}
