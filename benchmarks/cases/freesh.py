"""FREESH: sites x GPU types x replica modes at the least emission; 48 problems, three of them infeasible.

A request class is an isolated workflow that must be served with 10 % to spare; a mode is a user-given deployment
with its own speed and watts by class; the emission signal is a carbon price. One allocation holds for all steps.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "freesh"
STEP = 300  # seconds
MARGIN = 1.1
UNIT = 1e6  # published objectives per unit of ours: signal x W x s
USD_PER_T = 3.6e12 / UNIT  # so that (g/kWh) x kWh x price is signal x W x s / UNIT


def instance(problem: int) -> dict[str, Any]:
    """One problem as an instance document. Net value x -UNIT is the published objective."""
    steps = [row for row in _table("problems.csv") if int(row["problem"]) == problem]
    periods = [f"T{int(row['step']) + 1}" for row in steps]
    classes = sorted({row["class"] for row in _table("profiles.csv")})
    return {
        "schema": "solvency/1",
        "name": f"FREESH {problem}",
        "catalogue": "none",
        "horizon": {"periods": [{"id": t, "seconds": STEP} for t in periods], "discount_rate": 0},
        "gpus": {g: _gpu(g) for g in ("a100", "h100")},
        "sites": {
            row["site"]: {
                "jurisdiction": "none stated",
                "pue": 1,
                "usd_per_mwh": 0,
                "allow_negative": True,
                "usd_per_t_co2": USD_PER_T,
                "g_co2_per_kwh": [float(step[f"e_{row['site']}"]) for step in steps],
            }
            for row in _table("sites.csv")
        },
        "pools": {
            f"{row['site']}-{g}": _pool(row["site"], g, int(row[f"{g}_available"]))
            for row in _table("sites.csv")
            for g in ("a100", "h100")
            if int(row[f"{g}_available"])
        },
        "deployments": {row["mode"]: _mode(row, periods) for row in _table("modes.csv")},
        "workflows": {c: _class([float(step[f"qps_{c}"]) * STEP for step in steps]) for c in classes},
    }


@cache
def answers() -> dict[int, float | None]:
    """Published optimum of each problem; None where it is infeasible."""
    rows = _table("answers.csv")
    return {int(r["problem"]): float(r["objective"]) if r["status"] == "optimal" else None for r in rows}


def _gpu(name: str) -> dict[str, Any]:
    """Draw stands on the replica alone; nothing else of the GPU is read, and a site's GPUs are one domain."""
    return {
        "name": name, "vendor": "NVIDIA", "hbm_gb": 80, "usable_hbm_gb": 80, "bandwidth_tb_s": 1, "tflops": {"bf16": 1},
        "idle_kw": 0, "op_kw": 0, "gpus_per_node": 8, "scale_up_domain": 24, "cooling": "air",
    }  # fmt: skip


def _pool(site: str, gpu: str, count: int) -> dict[str, Any]:
    return {"site": site, "gpu": gpu, "count": count, "node": count, "usd_per_gpu_hour": 0}


def _mode(row: dict[str, str], periods: list[str]) -> dict[str, Any]:
    gpu = "a100" if int(row["a100"]) else "h100"
    work = {
        p["class"]: {"tasks_per_s": float(p["qps"]), "kw": float(p["power_w"]) / 1000}
        for p in _table("profiles.csv")
        if p["mode"] == row["mode"] and float(p["qps"])  # a mode that serves nothing of a class is none of its modes
    }
    return {
        "model": "one per class",
        "gpu": gpu,
        "gpus": int(row[gpu]),
        "precision": "fp8",
        "hbm_gb": 1,
        "work": work,
        "workflows": sorted(work),
        "availability": 1,
        "keep": True,
        "replicas": {"constant": [periods]},
    }


def _class(tasks: list[float]) -> dict[str, Any]:
    return {
        "unit": "request",
        "demand": tasks,
        "value_usd": 0,
        "isolation": True,
        "must_fund": True,
        "min_service": 1,
        "headroom": 1 / MARGIN,
        "serving": "interactive",
    }


@cache
def _table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="") as file:
        return list(csv.DictReader(file))
