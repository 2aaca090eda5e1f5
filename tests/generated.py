"""Small random `Data`, for laws that must hold on any instance."""

from __future__ import annotations

from dataclasses import replace

import tiny
from hypothesis import strategies as st

from optimizer.formulation.data import ApiLimit, Budget, Data

WORTH = st.sampled_from([0.2, 0.5, 1.0, 2.0, 3.0])
RATES = st.sampled_from([0.5, 1.0, 2.0, 3.5])


@st.composite
def instances(draw, *, single: bool = False) -> Data:
    """One or two periods, sites, pools and day parts; up to three workflows, endpoints and one API.

    `single`: one period, site and day part, whole GPUs, and promises that may be impossible to keep.
    """
    most = 1 if single else 2
    cal = tiny.calendar(draw(st.integers(1, most)), ("peak", "night")[: draw(st.integers(1, most))])
    sites = {s: _site(draw, cal, s) for s in ("east", "west")[: draw(st.integers(1, most))]}
    pools = {
        f"p{i}": _pool(draw, cal, f"p{i}", draw(st.sampled_from(sorted(sites))), whole=single)
        for i in range(draw(st.integers(1, 2)))
    }
    flows = {f"w{i}": _workflow(draw, cal, f"w{i}", must_fund=single) for i in range(draw(st.integers(1, 3)))}
    ends = {}
    for i in range(draw(st.integers(1, 3))):
        pool = pools[draw(st.sampled_from(sorted(pools)))]
        ends[f"e{i}"] = _endpoint(draw, cal, f"e{i}", pool)
    pairs = {(w, e): _pair(draw) for w in flows for e in ends if draw(st.booleans())}
    bought = {(w, "api"): tiny.api(cal, draw(WORTH)) for w in flows if draw(st.booleans())}
    return tiny.data(
        cal,
        sites=sites,
        pools=pools,
        workflows=flows,
        endpoints={e: ends[e] for e in ends if any(e == used for _, used in pairs)},
        pairs=pairs,
        api_pairs=bought,
        api_limits={"api": _api_limit(draw, cal)} if bought else {},
        budgets=_budgets(draw, cal),
        launch_limit=dict.fromkeys(cal.periods, float(draw(st.integers(0, 2)))) if draw(st.booleans()) else {},
        portfolio_limit=dict.fromkeys(cal.periods, float(draw(st.integers(1, 2)))) if draw(st.booleans()) else {},
    )


def _site(draw, cal, name):
    return tiny.site(
        cal,
        name,
        power_kw=draw(st.sampled_from([None, 2.0, 5.0, 9.0])),
        pue=draw(st.sampled_from([1.0, 1.25])),
        usd_per_kwh=tiny.flat(cal, draw(st.sampled_from([0.0, 0.1]))),
        nameplate=draw(st.booleans()),
    )


def _pool(draw, cal, name, site, *, whole):
    plain = tiny.pool(
        cal,
        name,
        count=draw(st.integers(0, 5)),
        at=site,
        idle_kw=draw(st.sampled_from([0.0, 0.5])),
        node=draw(st.sampled_from([1, 2])),
        usd_per_gpu_hour=tiny.flat(cal, draw(st.sampled_from([0.0, 0.1]))),
        paid_when_powered=draw(st.booleans()),
    )
    if whole or not draw(st.booleans()):
        return plain
    return replace(plain, sharing="shared", layouts={"l": {"slot": draw(st.integers(1, 2))}}, bandwidth_gb_s=0.01)


def _endpoint(draw, cal, name, pool):
    shared = pool.sharing == "shared"
    idle = draw(st.sampled_from([0.5, 1.0]))
    return tiny.endpoint(
        cal,
        name,
        on=pool.id,
        gpus=0.5 if shared else draw(st.sampled_from([1, 2])),
        site=pool.site,
        slot="slot" if shared else None,
        hbm_gb=draw(st.sampled_from([10.0, 50.0])),
        idle_kw=idle,
        op_kw=idle + draw(st.sampled_from([0.0, 1.0])),
        availability=draw(st.sampled_from([0.9, 1.0])),
    )


def _workflow(draw, cal, name, *, must_fund):
    worth = sorted((draw(WORTH), draw(WORTH)), reverse=True)
    return tiny.workflow(
        cal,
        name,
        demand=draw(st.sampled_from([50, 300, 900])),
        usd=((0.4, worth[0]), (0.6, worth[1])),
        serving=draw(st.sampled_from(["interactive", "batch", "best_effort"])),
        peak_factor=draw(st.sampled_from([1.0, 1.6])),
        headroom=draw(st.sampled_from([0.8, 1.0])),
        min_service=draw(st.sampled_from([0.0, 0.3, 1.0])),
        must_fund=must_fund and draw(st.booleans()),
        keep=draw(st.booleans()),
        job=draw(st.booleans()),
        launch_usd=tiny.flat(cal, draw(st.sampled_from([0.0, 40.0]))),
        running=draw(st.booleans()),
        min_replicas=draw(st.sampled_from([0, 0, 1])),
    )


def _pair(draw):
    return tiny.pair(draw(RATES), bytes_gb=draw(st.sampled_from([0.0, 20.0])), tflop=draw(st.sampled_from([0.0, 50.0])))


def _api_limit(draw, cal):
    tokens = draw(st.sampled_from([None, 100_000.0]))
    requests = draw(st.sampled_from([None, 60.0]))
    return ApiLimit(
        tokens and dict.fromkeys(cal.periods, tokens),
        requests and dict.fromkeys(cal.periods, requests),
        draw(st.sampled_from([None, 2000.0])),
        draw(st.sampled_from([None, 3.0])),
    )


def _budgets(draw, cal):
    amount = draw(st.sampled_from([None, 1000.0, 120.0]))
    if amount is None:
        return ()
    return (Budget("opex", ("api_tokens", "energy", "launches"), {(t,): amount for t in cal.periods}),)
