"""A small stated instance, round figures, for the tests of resolving: one site, one GPU model, one deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.formulation.data import Candidate, Data
from optimizer.instance.load import parse
from optimizer.resolve import Resolution, resolve

GPU = {
    "hbm_gb": 86, "usable_hbm_gb": 80, "bandwidth_tb_s": 2, "tflops": {"bf16": 400, "fp8": 800}, "idle_kw": 0.4,
    "op_kw": 1.0, "gpus_per_node": 8, "scale_up_domain": 8, "cooling": "air",
    "slices": {"half": {"hbm_gb": 40, "compute_share": 0.5, "bandwidth_share": 0.5},
               "quarter": {"hbm_gb": 20, "compute_share": 0.25, "bandwidth_share": 0.25}},
    "layouts": {"2h": {"half": 2}, "1h2q": {"half": 1, "quarter": 2}, "4q": {"quarter": 4}},
}  # fmt: skip
AI = {
    "params_b": 8, "layers": 32, "kv_values_per_token": 65536, "kv_heads": 8, "context_tokens": 32768,
    "precisions": ["fp8"], "licence": "Apache-2.0", "commercial_use": True, "quality": {"mmlu_pro": 0.5},
}  # fmt: skip
STATED = {"model": "net", "gpu": ["chip"], "gpus": 1, "hbm_gb": 40, "kw": 1.0, "tasks_per_hour": 100}
WORK = {"demand": 1000, "tokens_in": 1000, "tokens_out": 100, "value_usd": 1.0}


def document(**changes: Any) -> dict[str, Any]:
    """The plain instance with sections changed: a mapping is merged into what stands there, `None` removes it."""
    plain: dict[str, Any] = {
        "schema": "solvency/1",
        "name": "small",
        "horizon": {"periods": [{"id": "T1", "hours": 100}, {"id": "T2", "hours": 50}], "discount_rate": 0},
        "sites": {"home": {"jurisdiction": "US-VA", "power_mw": 1, "pue": 1.25, "usd_per_mwh": 80}},
        "pools": {"p": {"site": "home", "gpu": "chip", "count": 16, "usd_per_gpu_hour": 0.5}},
        "gpus": {"chip": GPU},
        "deployments": {"d": STATED},
        "workflows": {"w": WORK},
        "catalogue": "none",
    }
    return _merge(plain, changes)


def generated(**changes: Any) -> dict[str, Any]:
    """The same with deployments of one AI model generated instead of stated: one size, concurrency and ceiling each."""
    options = {"concurrency": [8], "gpus": [1], "context_tokens": [2048], "precisions": ["fp8"]}
    work = {"accepts": {"models": ["net"]}}
    grown = document(catalogue="builtin", deployments=None, models={"net": AI}, options=options, workflows={"w": work})
    return _merge(grown, changes)


def resolved(plain: Mapping[str, Any], *, reduce: bool = True) -> Resolution:
    return resolve(parse(plain), reduce=reduce)


def data(plain: Mapping[str, Any], *, reduce: bool = True) -> Data:
    return resolved(plain, reduce=reduce).data


def drops(d: Data, stage: str) -> list[Candidate]:
    return [c for c in d.candidates if c.stage == stage]


def _merge(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged
