"""Purchases, leases, retirements, releases and upgrades: lots, arrivals and cash by hand."""

import pytest
from resolving import data, document

from optimizer.formulation.data import Brings, Flow
from optimizer.instance.faults import BadInput

approx = pytest.approx
HORIZON = {"periods": [{"id": t, "hours": 8760} for t in ("T1", "T2", "T3")], "discount_rate": 0.1}
START = {"T1": 1.0, "T2": 1 / 1.1, "T3": 1 / 1.21}
MIDDLE = {t: f / 1.1**0.5 for t, f in START.items()}
END = 1.1**-3


def offer(**spec):
    plain = document(pools={"p": {"lease_usd_per_gpu_hour": 1}}, offers={"o": spec})
    return data({**plain, "horizon": HORIZON}).offers["o"]


def cash(o, order):
    return [(f.period, f.cash, approx(f.factor)) for f in o.flows if f.order == order]


def test_a_purchase_is_paid_when_ordered_and_worth_something_at_the_end():
    o = offer(kind="purchase", pool="p", usd_per_gpu=[100, 90, 80], lead=1, max_lots=2, residual_usd_per_lot=50)
    assert (o.kind, o.term, o.max_lots, o.lots) == ("purchase", "purchases", 2, {"T1": 2, "T2": 2})
    arrivals = {("T1", "T2"): 8.0, ("T1", "T3"): 8.0, ("T2", "T3"): 8.0}  # a node of 8 a lot
    assert o.brings == (Brings("gpus", "p", arrivals),)
    assert cash(o, "T2") == [("T2", -720, START["T2"]), ("T3", 50, END)]


def test_depreciation_runs_from_arrival_to_the_end():
    o = offer(kind="purchase", pool="p", lot=2, usd_per_lot=1000, lead=1, lots=1, depreciation_per_year=0.5)
    assert cash(o, "T1")[1] == ("T3", approx(250), END)  # two years of use
    assert cash(o, "T2")[1] == ("T3", approx(500), END)


@pytest.mark.parametrize(
    ("stated", "method", "worth"),
    [
        ({"depreciation_per_year": 0.5}, "50% of its worth a year", [1000, 500, 250]),
        ({"life_years": 4}, "straight over 4 years", [1000, 750, 500]),
        ({"life_years": 1}, "straight over 1 year", [1000, 0, 0]),
        ({"life_years": 4, "charge": "annuity"}, "straight over 4 years", [1000, 750, 500]),
        ({"residual_usd_per_lot": 600}, "straight to its residual value", [1000, 800, 600]),
        ({"life_years": 4, "residual_usd_per_lot": 600}, "straight over 4 years", [1000, 750, 500]),
    ],
)
def test_on_the_books_a_lot_keeps_its_price_until_it_arrives(stated, method, worth):
    """Ordered in T1, there from T2 on."""
    books = offer(kind="purchase", pool="p", usd_per_lot=1000, lead=1, lots=1, **stated).books
    assert books.method == method
    lines = [line for line in books.lines if line.order == "T1"]
    assert [line.period for line in lines] == ["T1", "T2", "T3"]
    assert [line.worth for line in lines] == approx(worth)
    assert [line.depreciation for line in lines] == approx([1000 - worth[0], worth[0] - worth[1], worth[1] - worth[2]])


def test_what_states_no_depreciation_has_none_and_no_zero():
    books = offer(kind="purchase", pool="p", usd_per_gpu=10, lots=1).books
    assert books.method == "none stated"
    assert {(line.depreciation, line.worth) for line in books.lines} == {(None, None)}
    assert offer(kind="lease", pool="p", usd_per_gpu_hour=1, lots=1).books is None
    assert offer(kind="retire", pool="p", resale_usd_per_lot=1).books is None


def test_an_annuity_takes_the_place_of_price_and_residual():
    o = offer(kind="purchase", pool="p", usd_per_lot=1000, lots=1, charge="annuity", life_years=2)
    yearly = 1000 * 0.1 / (1 - 1.1**-2)
    assert cash(o, "T1") == [("T1", approx(-yearly), MIDDLE["T1"]), ("T2", approx(-yearly), MIDDLE["T2"])]
    assert cash(o, "T3") == [("T3", approx(-yearly), MIDDLE["T3"])]


def test_a_lease_is_paid_while_it_is_held():
    o = offer(kind="lease", pool="p", lot=4, usd_per_gpu_hour=[2, 3, 4], term=1, lead=1, lots=[5, 0, 9])
    assert o.lots == {"T1": 5}
    assert o.brings == (Brings("gpus", "p", {("T1", "T2"): 4.0}),)
    assert o.flows == (Flow("T1", "T2", -2 * 4 * 8760, approx(MIDDLE["T2"])),)


def test_gpus_sold_leave_after_notice_and_fetch_the_price_of_that_day():
    o = offer(kind="retire", pool="p", resale_usd_per_lot=[30, 20, 10], lead=1)
    assert (o.max_lots, o.lots, o.term) == (2, {"T1": 2, "T2": 2}, "resale")  # 16 GPUs in nodes of 8
    assert o.brings[0].amount == {("T1", "T2"): -8.0, ("T1", "T3"): -8.0, ("T2", "T3"): -8.0}
    assert cash(o, "T1") == [("T2", 20, START["T2"])]


def test_a_lease_given_back_saves_its_rate():
    o = offer(kind="release", pool="p", lot=1, penalty_usd_per_lot=70, max_lots=3)
    saved = [("T2", 8760, MIDDLE["T2"]), ("T3", 8760, MIDDLE["T3"])]
    assert cash(o, "T2") == [("T2", -70, START["T2"]), *saved]


def test_an_upgrade_brings_what_it_says_once():
    site = {"storage_tb": 5, "racks": {"air": 1, "wet": 0}}
    plain = document(sites={"home": site}, rack_classes={"air": {"kw": 40}, "wet": {"kw": 250, "cooling": "liquid"}},
                     resources={"gbps": {"unit": "Gbps", "amount": 10}})  # fmt: skip
    spec = {"kind": "upgrade", "site": "home", "power_mw": 0.5, "racks": {"wet": 4}, "storage_tb": 2,
            "resources": {"gbps": 7}, "usd_per_lot": 1e6, "lead": 1}  # fmt: skip
    d = data({**plain, "offers": {"u": spec}})
    u = d.offers["u"]
    assert (u.lots, u.max_lots, u.term) == ({"T1": 1}, 1, "upgrades")
    at = ("T1", "T2")
    assert {(b.effect, b.owner): b.amount for b in u.brings} == {
        ("power_kw", "home"): {at: 500}, ("racks", "home/wet"): {at: 4}, ("storage_tb", "home"): {at: 2},
        ("resource", "gbps"): {at: 7},
    }  # fmt: skip
    assert d.sites["home"].racks == {"air": {"T1": 1, "T2": 1}, "wet": {"T1": 0, "T2": 0}}


def test_what_would_arrive_after_the_horizon_is_not_offered_and_said():
    d = data(document(offers={"o": {"kind": "lease", "pool": "p", "usd_per_gpu_hour": 1, "lots": 1, "lead": 2}}))
    assert d.offers["o"].lots == {}
    assert any(note.startswith("o: ordered at once") for note in d.notes)


def test_quotas_are_shared_by_offers():
    plain = document(
        limits={"supply": {"hbm": {"unit": "GB", "amount": [640, 1280]}}},
        offers={"o": {"kind": "purchase", "pool": "p", "usd_per_lot": 1, "lots": 1, "needs": {"hbm": 640}}},
    )
    d = data(plain)
    assert d.offers["o"].quotas == {"hbm": 640}
    assert [(q.id, q.unit, q.amount) for q in d.quotas] == [("hbm", "GB", {"T1": 640, "T2": 1280})]


def test_a_purchase_without_a_number_of_lots_is_refused():
    with pytest.raises(BadInput, match=r"offers\.o"):
        offer(kind="purchase", pool="p", usd_per_lot=1)
