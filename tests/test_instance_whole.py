"""Every section of an instance: read, dumped, changed; every kind of contradiction at its line and column."""

from __future__ import annotations

import pytest
from every_section import WHOLE
from locating import assert_stands_at_mark, faults_of

from optimizer.instance import Instance, parse
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.changes import apply
from optimizer.instance.document import compose
from optimizer.instance.schema import Constant, Lease, Purchase, Upgrade


def edited(old: str, new: str) -> str:
    assert WHOLE.count(old) == 1, old
    return WHOLE.replace(old, new)


@pytest.fixture(scope="module")
def whole() -> Instance:
    return parse(compose(WHOLE).data)


def test_every_section_is_read_in_its_units(whole: Instance) -> None:
    ashburn, offers, support = whole.sites["ashburn"], whole.offers, whole.workflows["support"]
    assert ashburn.storage_tb == ByPeriod(1000.0)
    assert ashburn.power_permits["east"].power_mw == 0.5
    assert ashburn.curtailment == {"peak": ByPeriod(0.1)}
    assert isinstance(offers["buy"], Purchase)
    assert offers["buy"].usd_per_lot == ByPeriod(260_000.0)
    assert isinstance(offers["rent"], Lease)
    assert isinstance(offers["feed"], Upgrade)
    assert support.yield_ == {"default": 0.9, "frontier": 0.95}
    assert whole.workflows["choice"].demand.amount == ByPeriod(0.0)
    assert whole.limits.energy["all"].mwh == ByPeriod(5000.0)
    assert whole.limits.water["here"].m3 == ByPeriod(5000.0)
    assert whole.deployments["chat"].replicas == Constant(constant=(("2027Q1", "2027Q2"), ("2027Q3", "2027Q4")))


def test_every_section_survives_a_dump(whole: Instance) -> None:
    assert parse(whole.dump()) == whole
    assert parse(whole.dump()).dump() == whole.dump()


def test_sections_may_be_lists_with_ids(whole: Instance) -> None:
    data = compose(WHOLE).data
    for section in ("offers", "tools", "skills", "resources", "rack_classes"):
        data[section] = [{"id": name, **entry} for name, entry in data[section].items()]
    assert parse(data) == whole


def test_every_section_can_be_changed_by_path(whole: Instance) -> None:
    changed, _ = apply(
        whole,
        ["sites.ashburn.power_permits.east.from=>>1", "offers.*.usd_per_lot=*2", "limits.carbon.us.t_co2=+100",
         "workflows.support.yield.frontier=99%", "offers.rent.term=3", "offers.rent.lots.2027Q2..=+1",
         "hold.pinned[1].replicas=2", "deployments.chat.replicas=constant"],
        ["late"],
    )  # fmt: skip
    permit = changed.sites["ashburn"].power_permits["east"]
    assert (permit.from_, permit.late) == ("2027Q3", 2)
    assert changed.limits.carbon["us"].t_co2 == ByPeriod(1000.0)
    assert changed.workflows["support"].yield_ == {"default": 0.9, "frontier": 0.99}
    buy, rent = changed.offers["buy"], changed.offers["rent"]
    assert isinstance(buy, Purchase)
    assert buy.usd_per_lot == ByPeriod(572_000.0)
    assert isinstance(rent, Lease)
    assert rent.term == 3
    assert rent.lots == ByPeriod({"2027Q1": 2.0, "2027Q2": 3.0, "2027Q3": 1.0, "2027Q4": 1.0})
    assert changed.hold.pinned[1].replicas == 2
    assert changed.deployments["chat"].replicas == "constant"


# What is changed, into what (the fault stands at the mark §), and how the message begins.
CASES: dict[str, tuple[str, str, str]] = {
    "no kind": ("buy: {kind: purchase, ", "§buy: {", "missing key 'kind' in offers.buy. Maybe add kind: ..."),
    "unknown kind": ("kind: lease", "kind: §leas", "offers.rent.kind is 'leas', expected one of purchase, lease,"
                     " retire, release, upgrade. Maybe lease?"),
    "key of another kind": ("term: 2", "§life_years: 2", "unknown key 'life_years' in offers.rent."),
    "unknown key of an offer": ("max_lots: 4", "§maxlots: 4, lots: 4", "unknown key 'maxlots' in offers.buy. Maybe"
                                " max_lots?"),
    "offer without its price": (" usd_per_gpu_hour: 2.5,", "", "missing key 'usd_per_gpu_hour' in offers.rent."),
    "unknown rack class of a pool": ("rack: air-40kw", "rack: §air-40",
                                     "pools.h100.rack names an unknown rack class 'air-40'. Maybe air-40kw?"),
    "unknown rack class of a site": ("racks: {air-40kw: 10}, ", "racks: {air-40kw: 10, air-50kw: §3}, ",
                                     "sites.ashburn.racks.air-50kw names an unknown rack class 'air-50kw'."),
    "unknown day part of curtailment": ("{peak: 100 kW}", "{peek: §100 kW}",
                                        "sites.ashburn.curtailment.peek names an unknown day part 'peek'."),
    "unknown period of a permit": ("from: 2027Q2", "from: §2027q2",
                                   "sites.ashburn.power_permits.east.from names an unknown period '2027q2'."),
    "unknown pool of an offer": ("lease, pool: h100", "lease, pool: §h10",
                                 "offers.rent.pool names an unknown pool 'h10'. Maybe h100?"),
    "unknown site of an offer": ("upgrade, site: ashburn", "upgrade, site: §ashbrn",
                                 "offers.feed.site names an unknown site 'ashbrn'."),
    "unknown quota": ("needs: {hbm: 640}", "needs: {hmb: §640}",
                      "offers.buy.needs.hmb names an unknown quota 'hmb'. Maybe hbm?"),
    "unknown resource of an upgrade": ("resources: {net: 100}", "resources: {nett: §100}",
                                       "offers.feed.resources.nett names an unknown resource 'nett'. Maybe net?"),
    "unknown resource of a deployment": ("resources: {net: 0.5}", "resources: {nit: §0.5}",
                                         "deployments.chat.resources.nit names an unknown resource 'nit'."),
    "unknown resource of a bundle": ("value_usd: 5, resources: {net", "value_usd: 5, resources: {nets",
                                     "workflows.choice.bundles.options.one.resources.nets names an unknown resource"),
    "unknown period of constant replicas": ("[2027Q3, 2027Q4]]", "[2027Q3, §2027Q5]]",
                                            "deployments.chat.replicas.constant[1][1] names an unknown period"),
    "unknown tools in use": ("rag+cache: {", "rag+cash: §{",
                             "deployments.chat.work.support.tools.rag+cash names an unknown tool 'cash'. Maybe cache?"),
    "unknown skill of a review": ("skill: lawyer", "skill: §lawer",
                                  "workflows.support.review.skill names an unknown skill 'lawer'. Maybe lawyer?"),
    "unknown skill of a launch": ("launch_hours: {lawyer: 20}", "launch_hours: {layer: §20}",
                                  "workflows.support.launch_hours.layer names an unknown skill 'layer'."),
    "unknown skill of a tool": ("staff: {lawyer: 10}", "staff: {lawyers: §10}",
                                "tools.rag.staff.lawyers names an unknown skill 'lawyers'."),
    "unknown source of a yield": ("yield: {default: 90%, frontier", "yield: {default: 90%, frontyer",
                                  "workflows.support.yield.frontyer names an unknown model or API 'frontyer'."),
    "unknown tool": ("requires: [rag]", "requires: [§rug]",
                     "workflows.support.requires[0] names an unknown tool 'rug'. Maybe rag?"),
    "unknown tool of a set": ("[rag, cache]", "[rag, §cash]", "tool_sets[0].tools[1] names an unknown tool 'cash'."),
    "unknown API of an effect": ("effects: [{apis: frontier", "effects: [{apis: §fronter",
                                 "tool_sets[0].effects[0].apis names an unknown API 'fronter'. Maybe frontier?"),
    "unknown pool of a tool": ("gpus: {h100: 1}", "gpus: {h10: §1}", "tools.rag.gpus.h10 names an unknown pool 'h10'."),
    "unknown vendor of a loss": ("vendors: acme, sites", "vendors: §acne, sites",
                                 "resilience.losses[1].vendors names an unknown vendor 'acne'. Maybe acme?"),
    "unknown workflow of a promise": ("shares: {support: 60%}", "shares: {suport: §60%}",
                                      "resilience.shares.suport names an unknown workflow 'suport'. Maybe support?"),
    "more usable than there is": ("hbm_gb: 80, usable_hbm_gb: 78", "hbm_gb: 80, usable_hbm_gb: §88",
                                  "gpus.big.usable_hbm_gb makes 88 GB usable of 80 GB."),
    "unknown site of a footprint": ("here: {sites: ashburn", "here: {sites: §ashbrn",
                                    "limits.water.here.sites names an unknown site 'ashbrn'."),
    "unknown vendor of a share": ("vendors: acme, workflows", "vendors: §acne, workflows",
                                  "limits.concentration.acme.vendors names an unknown vendor 'acne'."),
    "unknown pool of a pin": ("endpoint: h100/chat", "endpoint: §h10/chat",
                              "hold.pinned[1].endpoint names an unknown pool 'h10'. Maybe h100?"),
    "unknown period of a ban": ("[2027Q4]}]", "[§2027Q9]}]", "hold.banned[0].periods[0] names an unknown period"),
    "unknown workflow before": ("funded: support", "funded: §suport",
                                "previous.funded names an unknown workflow 'suport'. Maybe support?"),
    "negative tariff": ("usd_per_mwh: 30", "usd_per_mwh: §-30", "sites.lulea.usd_per_mwh is -30, expected at least 0."
                        " Maybe allow_negative: true at the site"),
    "negative carbon in a period": ("g_co2_per_kwh: 322", "g_co2_per_kwh: {2027Q1: 322, 2027Q2: §-7}",
                                    "sites.ashburn.g_co2_per_kwh.2027Q2 is -7, expected at least 0."),
    "negative carbon price in a list": ("usd_per_t_co2: 50", "usd_per_t_co2: [50, 50, §-1, 50]",
                                        "sites.ashburn.usd_per_t_co2[2] is -1, expected at least 0."),
    "carbon price without carbon": ("usd_per_mwh: 30", "usd_per_mwh: 30, usd_per_t_co2: §9",
                                    "sites.lulea.usd_per_t_co2 stands at a site without g_co2_per_kwh."),
    "permit without a limit": ("usd_per_mwh: 30", "usd_per_mwh: 30, power_permits: §{a: {power_mw: 1, from: 2027Q1}}",
                               "sites.lulea.power_permits changes a limit that the site does not state."),
    "rack too weak": ("{kw: 40, cooling", "{kw: 6, cooling", "pools.h100.rack is a rack of 6 kW, less than the 8 kW"),
    "rack class that the site lacks": ("site: lulea, gpu: big", "site: lulea, rack: §air-40kw, gpu: big",
                                       "pools.hired.rack names a rack class that lulea does not state."
                                       " Maybe add racks: {air-40kw: 0} to sites.lulea"),
    "no lots": ("max_lots: 4, ", "", "offers.buy states neither lots nor max_lots. Maybe add max_lots: 8"),
    "two prices": ("usd_per_lot: $260k", "usd_per_lot: $260k, usd_per_gpu: 30k",
                   "offers.buy states both of usd_per_lot and usd_per_gpu, expected one."),
    "no capital price": ("usd_per_lot: 1M, ", "", "offers.feed states no price: usd_per_lot, expected one."),
    "annuity without life": (", life_years: 10", "", "offers.feed is charged as an annuity but states no life_years."),
    "annuity and residual": ("life_years: 10", "life_years: 10, residual_usd_per_lot: §9",
                             "offers.feed.residual_usd_per_lot stands beside charge: annuity"),
    "two residuals": ("25%,\n", "§25%, residual_usd_per_lot: 9,\n",
                      "offers.buy.depreciation_per_year stands beside residual_usd_per_lot"),
    "nothing leased": ("release, pool: hired", "release, pool: §h100",
                       "offers.return.pool is not leased, so nothing can be given back. Maybe kind: retire"),
    "upgrade of nothing": ("power_mw: 0.5, racks: {air-40kw: 4}, storage_tb: 10, resources: {net: 100},", "",
                           "offers.feed brings nothing."),
    "upgrade without site": ("upgrade, site: ashburn, ", "upgrade, ", "offers.feed brings power_mw to no site."),
    "upgrade of what is no limit": ("storage_tb: 1 PB, ", "", "offers.feed.storage_tb adds to a limit"),
    "empty scope": ("acme: {vendors: acme, ", "acme: §{",
                    "limits.concentration.acme names no sites, vendors or APIs."),
    "two scopes": ("here: {sites: ashburn", "here: {jurisdiction: §US, sites: ashburn",
                   "limits.water.here.jurisdiction stands beside sites"),
    "scope without sites": ("jurisdiction: US, t", "jurisdiction: §DE, t", "limits.carbon.us.jurisdiction is 'DE'"),
    "footprint without figures": ("us: {jurisdiction: US, ", "us: §{",
                                  "limits.carbon.us covers site lulea, which states no g_co2_per_kwh."),
    "no demand": ("  support:\n    demand: 900k per period\n", "  §support:\n",
                  "workflows.support lacks demand. Maybe add demand: ... (Tasks:"),
    "no value": ("value_usd: 0.9\n", "note: none\n", "workflows.support lacks value_usd. Maybe add value_usd: ..."),
    "no bundles": ("{one: {value_usd: 5, resources: {net: 3}}, two: {value_usd: 6}}", "§{}",
                   "workflows.choice.bundles.options is empty, expected at least one bundle."),
    "yield of nothing": ("frontier: 95%", "frontier: §0%",
                         "workflows.support.yield.frontier is '0%', expected more than 0, at most 1."),
    "negative retries": ("retries: 1", "retries: §-1", "workflows.support.retries is -1, expected at least 0."),
    "yield that does not cover": ("yield: {default: 90%, frontier: 95%}", "yield: §{frontier: 95%}",
                                  "workflows.support.yield has no default and does not cover all that may serve."),
    "retries without yield": ("    yield: {default: 90%, frontier: 95%}\n    retries: 1\n    bad_usd: 2\n",
                              "    retries: §1\n", "workflows.support.retries stands at a workflow whose output is all"
                              " good. Maybe add yield: 95%"),
    "retraining on nothing": ("speed: {big: 1}", "speed: §{}",
                              "workflows.support.retraining.speed names no GPU model to train on."),
    "pilot that could never start": ("    retries: 1\n", "    retries: 1\n    min_service: §30%\n",
                                     "workflows.support.min_service is 0.3, more than the pilot's 0.1"),
    "effect of nothing": ("{models: llama, throughput_factor: 1.1}", "§{models: llama}",
                          "tools.cache.effects[0] changes nothing."),
    "set of one": ("[rag, cache]", "§[rag]", "tool_sets[0].tools is no set, expected at least two tools."),
    "tools that exclude each other": ("requires: [rag]", "requires: §[rag, search]",
                                      "workflows.support.requires names rag and search, of which the group 'indexes'"),
    "loss of nothing": ("{each: site},", "§{id: quake},", "resilience.losses[0] states neither or both of each and what"
                        " fails"),
    "loss with two names": ("{each: site},", "{each: site, id: §quake},", "resilience.losses[0].id has no meaning"),
    "promise without a loss": ("  losses: [{each: site}, {id: outage, vendors: acme, sites: lulea}]\n  shares: {",
                               "  shares: §{", "resilience.shares names no losses to bear."),
    "loss without a promise": ("  shares: {support: 60%}\n", "", "resilience.losses promises no workflow anything."),
    "pinned and banned": ("{workflow: choice, periods: [2027Q4]}", "§{workflow: support}",
                          "hold.banned[0] contradicts what is said before of support in 2027Q1."),
    "pinned twice": ("replicas: 3, periods: [2027Q1, 2027Q2]}", "replicas: 3}, §{endpoint: h100/chat, replicas: 4}",
                     "hold.pinned[2] contradicts what is said before of h100/chat in 2027Q1."),
    "pin of nothing": ("{workflow: support, periods: 2027Q1}", "§{periods: 2027Q1}",
                       "hold.pinned[0] states neither or both of workflow and endpoint, expected one."),
    "pin without replicas": ("replicas: 3, periods: [2027Q1", "periods: [2027Q1",
                             "hold.pinned[1] states one of endpoint and replicas"),
    "two previous plans": ("previous: {", "previous: {plan: §plan.json, ", "previous.plan stands beside replicas"),
    "two states": ("replicas: {h100/chat: 2}}\n    res", "replicas: {h100/chat: §1}}\n    res",
                   "workflows.support.state.replicas.h100/chat is 1, previous.replicas says 2."),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_fault_stands_at_its_line_and_column(name: str) -> None:
    old, new, expected = CASES[name]
    assert_stands_at_mark(edited(old, new), expected)


def test_negative_figures_are_taken_where_they_are_allowed() -> None:
    text = edited("usd_per_mwh: 30", "usd_per_mwh: [30, -30, 30, -1], g_co2_per_kwh: -5, allow_negative: true")
    assert parse(compose(text).data).sites["lulea"].g_co2_per_kwh == ByPeriod(-5.0)


def test_references_to_what_is_misshapen_are_no_faults_of_their_own() -> None:
    text = edited("hours: 500, usd_per_hour: 90", "hours: x, usd_per_hour: 90").replace("hbm: {unit: GB, ", "hbm: {")
    assert len(faults_of(text)) == 2
    assert len(faults_of(edited("jurisdiction: US, vendor: acme", "vendor: acme"))) == 1


def test_contradictions_that_agree_are_none() -> None:
    parse(compose(edited("{workflow: choice, periods: [2027Q4]}", "{endpoint: h100/chat, periods: [2027Q4]}")).data)
