"""A small plan written by hand: five workflows, three kinds of pool, two periods; every sum is in the comments."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Document = dict[str, Any]

INSTANCE: Document = {
    "schema": "solvency/1",
    "name": "By hand",
    "catalogue": "none",
    "horizon": {"periods": [{"id": "A", "hours": 240}, {"id": "B", "hours": 240}], "discount_rate": 0.1},
    "day_parts": {"peak": 8, "night": 16},  # 80 h and 160 h
    "options": {"headroom": 0.8, "availability": 0.9, "compute_share": 0.5},
    "sites": {
        "east": {"jurisdiction": "US-VA", "power_mw": 0.02, "pue": 1.25, "usd_per_mwh": 100},
        "west": {"jurisdiction": "US-OR", "pue": 1.2, "usd_per_mwh": 50},
    },
    "gpus": {
        "big": {
            "hbm_gb": 80, "usable_hbm_gb": 75, "bandwidth_tb_s": 3, "tflops": {"bf16": 1000},
            "idle_kw": 0.1, "op_kw": 1,
            "gpus_per_node": 8, "scale_up_domain": 8, "cooling": "air",
        },
        "cut": {
            "hbm_gb": 80, "usable_hbm_gb": 75, "bandwidth_tb_s": 3, "tflops": {"bf16": 1000},
            "idle_kw": 0.1, "op_kw": 1,
            "gpus_per_node": 2, "scale_up_domain": 2, "cooling": "air",
            "slices": {
                "1g": {"hbm_gb": 10, "compute_share": 0.125, "bandwidth_share": 0.125},
                "3g": {"hbm_gb": 40, "compute_share": 0.5, "bandwidth_share": 0.5},
            },
            "layouts": {"seven": {"1g": 7}, "two": {"3g": 2}},
        },
    },
    "pools": {
        "whole": {"site": "east", "gpu": "big", "count": 16, "usd_per_gpu_hour": 1, "lease_usd_per_gpu_hour": 0.1},
        "mig": {
            "site": "east", "gpu": "cut", "count": 2, "usd_per_gpu_hour": 2, "paid": "powered",
            "sharing": "partitioned",
        },
        "mps": {
            "site": "west", "gpu": "cut", "count": 2, "usd_per_gpu_hour": 0.5, "sharing": "shared", "max_residents": 3,
            "bandwidth_share": 0.5,
        },
    },
    "models": {"llama": {"commercial_use": True}},
    "deployments": {
        "llama-2": {
            "model": "llama", "gpu": "big", "precision": "fp8", "gpus": 2, "hbm_gb": 140, "context_tokens": 2048,
            "workflows": ["chat"],
            "idle_kw": 0.4, "op_kw": 2, "quality": {"mmlu": 0.8},
            "work": {"chat": {"tasks_per_hour": 10, "ttft_ms": 300, "tpot_ms": 30, "interval_high": 1.5}},
        },
        "coder-4": {
            "model": "coder", "gpu": "big", "gpus": 4, "hbm_gb": 200, "idle_kw": 0.8, "op_kw": 4,
            "workflows": ["code", "tune"],
            "work": {"code": {"tasks_per_hour": 1}, "tune": {"tasks_per_hour": 0.01}},
        },
        "trainer-8": {
            "model": "trainer", "gpu": "big", "gpus": 8, "hbm_gb": 500, "idle_kw": 1.6, "op_kw": 8,
            "workflows": ["tune"],
            "work": {"tune": {"tasks_per_hour": 0.05}},
        },
        "embedder": {
            "model": "embedder", "gpu": "cut", "slice": "1g", "hbm_gb": 9, "idle_kw": 0.02, "op_kw": 0.1,
            "workflows": ["embed"], "pools": ["mig"],
            "work": {"embed": {"tasks_per_hour": 500}},
        },
        "listener": {
            "model": "listener", "gpu": "cut", "gpus": 0.25, "hbm_gb": 30, "idle_kw": 0.05, "op_kw": 0.25,
            "workflows": ["speech"],
            "work": {"speech": {"tasks_per_hour": 50, "bytes_gb_per_task": 2, "tflop_per_task": 3}},
        },
    },
    "apis": {
        "front": {
            "usd_per_mtok_in": 2, "usd_per_mtok_out": 10, "price_factor": {"A": 1, "B": 0.5}, "jurisdiction": "US",
            "quality": {"mmlu": 0.9}, "ttft_ms": 400, "tpot_ms": 20,
            "tokens_per_minute": 100, "requests_per_minute": 0.1,
            "tokens_per_period": 400_000, "requests_per_period": 320,
        },
    },
    "workflows": {
        "chat": {
            "demand": 1000, "demand_share": {"peak": 0.6, "night": 0.4}, "tokens_in": 1000, "tokens_out": 200,
            "value_usd": [{"upto": 0.5, "usd": 2}, {"upto": 1, "usd": 1}], "peak_factor": 1.5, "launch_usd": 100,
            "latency": {"ttft_ms": 500, "tpot_ms": 50}, "quality": {"mmlu": 0.7}, "residency": ["US"],
            "accepts": {"models": ["llama"], "apis": ["front"], "precisions": ["fp8"], "gpus": ["big"]},
            "min_service": 0.3, "min_replicas": 2,
        },
        "code": {
            "demand": 100, "value_usd": 5, "serving": "best_effort", "isolation": True, "must_fund": True,
            "keep_once_launched": True, "state": {"running": True}, "tokens_in": 10, "tokens_out": 10,
        },
        "embed": {
            "demand": 10_000, "value_usd": 0.01, "serving": "batch", "launch_usd": 10, "tokens_in": 1, "tokens_out": 1,
        },
        "speech": {"demand": 600, "value_usd": 1, "tokens_in": 1, "tokens_out": 1},
        "tune": {
            "demand": "10 per horizon", "deadline": "B", "serving": "batch", "launch_usd": 50, "min_service": 0.5,
            "value_usd": [{"upto": 0.5, "usd": {"A": 30, "B": 20}}, {"upto": 1, "usd": 10}],
            "tokens_in": 1, "tokens_out": 1,
        },
    },
    "limits": {
        "spend": {"opex_usd": {"amount": 6000}, "pilots": {"amount": 200, "per": "horizon", "terms": ["launches"]}},
        "launches": 4,
        "portfolio": 5,
    },
}  # fmt: skip

SERVED = [  # workflow, source, period, peak, night
    ("chat", "chat@whole", "A", 300, 200),
    ("chat", "front", "A", 180, 120),  # with the above 480 : 320 = 60 : 40
    ("chat", "chat@whole", "B", 600, 400),
    ("code", "code@whole", "A", 30, 60),  # best effort: at most 33.3 and 66.7
    ("code", "code@whole", "B", 0, 60),
    ("embed", "embed@mig", "A", 0, 9000),
    ("speech", "speech@mps", "A", 200, 400),  # by hours, 1 : 2
    ("tune", "tune@whole", "A", 0, 4),
    ("tune", "tune@whole", "B", 0, 4),
]
ENDPOINTS = [  # endpoint, deployment, pool, periods, replicas, GPUs, GB
    ("chat@whole", "llama-2", "whole", "AB", 2, 4, 280),
    ("code@whole", "coder-4", "whole", "AB", 1, 4, 200),
    ("tune@whole", "trainer-8", "whole", "AB", 1, 8, 500),
    ("embed@mig", "embedder", "mig", "A", 3, 0.375, 27),
    ("speech@mps", "listener", "mps", "A", 3, 0.75, 90),
]
VALUE = {  # 10 x 30 x 4: the job's first five tasks are worth 30 in A and 20 in B, so A takes four of them
    "A": {"chat": 500 * 2 + 300 * 1, "code": 90 * 5, "embed": 90, "speech": 600, "tune": 4 * 30},
    "B": {"chat": 500 * 2 + 500 * 1, "code": 60 * 5, "embed": 0, "speech": 0, "tune": 1 * 20 + 3 * 10},
}
LAUNCHED = {"chat", "embed", "speech", "tune"}
DEMAND = {"chat": 1000, "code": 100, "embed": 10_000, "speech": 600, "tune": 10}
TOTAL = {
    "A": {"chat": 800, "code": 90, "embed": 9000, "speech": 600, "tune": 4},
    "B": {"chat": 1000, "code": 60, "embed": 0, "speech": 0, "tune": 4},
}
CASH = {  # term -> cash in A, in B
    "value": (1300 + 450 + 90 + 600 + 120, 1500 + 300 + 50),
    "api_tokens": (-300 * (1000 * 2e-6 + 200 * 10e-6), 0.0),
    # east, A: idle 2 x 0.4 + 0.8 + 1.6 + 3 x 0.02 + 0.1 x (2 - 0.375) kW over 240 h, then load: chat 1.6 kW x 50 h,
    # code 3.2 x 90, tune 6.4 x 80, embed 0.08 x 18; west: (3 x 0.05 + 0.1 x 1.25) x 240 + 0.2 x 12
    "energy": (
        -0.1 * 1.25 * (3.4225 * 240 + 80 + 288 + 512 + 1.44) - 0.05 * 1.2 * (0.275 * 240 + 2.4),
        -0.1 * 1.25 * (3.2 * 240 + 160 + 192 + 512),
    ),
    "gpu_running": (-240 * (16 * 1 + 2 * 2 + 2 * 0.5), -240 * (16 * 1 + 2 * 0.5)),  # mig is paid when powered
    "gpu_lease": (-240 * 16 * 0.1, -240 * 16 * 0.1),
    "launches": (-(100 + 10 + 50), 0.0),
}
DISCOUNT = (1.1 ** -(120 / 8760), 1.1 ** -(360 / 8760))


def ledger() -> list[Document]:
    """Terms with present value and cash."""
    return [
        {"term": term, "usd": sum(c * f for c, f in zip(cash, DISCOUNT, strict=True)), "cash_usd": sum(cash)}
        for term, cash in CASH.items()
    ]


def plan() -> Document:
    """A fresh copy of the plan."""
    lines = ledger()
    net = sum(line["usd"] for line in lines)
    return {
        "schema": "solvency/plan/1", "status": "optimal", "objective_usd": net, "bound_usd": net,
        "options": {"drop": []}, "instance": {"resolved": deepcopy(INSTANCE)}, "ledger": lines,
        "workflows": [_workflow(w, t) for w in DEMAND for t in "AB"],
        "endpoints": [
            {"endpoint": e, "deployment": d, "pool": p, "period": t, "replicas": n, "gpus": gpus, "hbm_gb": gb}
            for e, d, p, periods, n, gpus, gb in ENDPOINTS
            for t in periods
        ],
        "serving": [
            {"workflow": w, "source": source, "period": t, "day_part": part, "served": served}
            for w, source, t, *parts in SERVED
            for part, served in zip(("peak", "night"), parts, strict=True)
        ],
        "pools": [
            {"pool": p, "period": t, "powered_nodes": nodes}
            for t, nodes_by_pool in (("A", {"whole": 2, "mig": 1, "mps": 1}), ("B", {"whole": 2, "mig": 0, "mps": 0}))
            for p, nodes in nodes_by_pool.items()
        ],
        "layouts": [{"pool": "mig", "layout": "seven", "period": "A", "gpus": 1}],
        "resources": [{"family": "power_limit", "row": "east", "period": "A"}],
    }  # fmt: skip


def _workflow(w: str, t: str) -> Document:
    served, value = TOTAL[t][w], VALUE[t][w]
    return {
        "workflow": w, "period": t, "funded": int(served > 0), "launched": int(t == "A" and w in LAUNCHED),
        "demand": DEMAND[w], "served": served, "api": 300 if (w, t) == ("chat", "A") else 0, "value_usd": value,
        "cost_usd": 1.0, "net_usd": value - 1.0,
    }  # fmt: skip
