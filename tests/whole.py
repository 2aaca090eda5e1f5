"""The quickstart with everything that a plan can say more about, solved once."""

from __future__ import annotations

from functools import cache

import quick

from optimizer import Instance, Plan, parse, solve


@cache
def instance() -> Instance:
    data = quick.instance().dump()
    data["sites"]["ashburn"] |= {"g_co2_per_kwh": 300, "usd_per_t_co2": 50, "water_l_per_kwh": 1.8}
    data["offers"] = {
        "more-h100": {
            "kind": "purchase",
            "pool": "h100",
            "lot": 4,
            "usd_per_gpu": 2_000,
            "max_lots": 2,
            "residual_usd_per_lot": 6_000,
        },
        "feed": {"kind": "upgrade", "site": "ashburn", "power_mw": 0.02, "usd_per_lot": 500_000},
    }
    data["tools"] = {"cache": {"usd_per_period": 500, "adopt_usd": 2_000}}
    data["workflows"]["code"] |= {"requires": ["cache"], "pilot": {"share": 0.5, "periods": 1}}
    data["previous"] = {"replicas": {"h100/large": 4}}
    data["resilience"] = {"losses": [{"each": "api"}], "shares": {"support": 0.5}}
    data["workflows"]["legal"] = {**data["workflows"]["code"], "value_usd": 0.0001, "requires": [], "pilot": None}
    return parse(data)


@cache
def plan() -> Plan:
    return solve(instance(), gap=1e-6)
