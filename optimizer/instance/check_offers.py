"""Deployments and APIs that state too little or contradict themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optimizer.instance.faults import Misfit, Path
from optimizer.instance.schema import Api, ApiPrice, Deployment, GpuSpec, Instance, Pool, SpeedSpec
from optimizer.instance.schema_offers import LISTED


def sources(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """What keeps a stated deployment or API from serving anything."""
    for name, deployment in instance.deployments.items():
        at = ("deployments", name)
        yield from _speed(deployment, at)
        yield from _deployment(deployment, at)
        if any(_may_share(deployment, p, pool) for p, pool in instance.pools.items()):
            yield from _shared(deployment, at)
    for name, api in instance.apis.items():
        yield from _api(api, ("apis", name))


def _deployment(deployment: Deployment, at: Path) -> Iterator[Misfit]:
    if (deployment.gpus is None) == (deployment.slice is None):
        yield Misfit(at, "states neither or both of gpus and slice, expected one", "gpus: 1")
    with_tools = [spec for own in deployment.work.values() for spec in own.tools.values()]
    if not any(_fast(deployment, spec) for spec in (deployment, *deployment.work.values(), *with_tools)):
        yield Misfit(at, "states no speed", "add ttft_ms and tpot_ms, or tasks_per_s")
    for name, spec in deployment.work.items():
        yield from _speed(spec, (*at, "work", name))


def _fast(deployment: Deployment, spec: SpeedSpec) -> bool:
    """Whether a rate or both times are known; a workflow's own figures stand before the deployment's."""
    stated = {key for part in (deployment, spec) for key, value in part if value is not None}
    return bool(stated & {"tasks_per_s", "tasks_per_hour"}) or {"ttft_ms", "tpot_ms"} <= stated


def _speed(spec: SpeedSpec, at: Path) -> Iterator[Misfit]:
    if spec.tasks_per_s is not None and spec.tasks_per_hour is not None:
        yield Misfit((*at, "tasks_per_hour"), "stands beside tasks_per_s, expected one of the two")
    if spec.kw is not None and (spec.idle_kw is not None or spec.op_kw is not None):
        yield Misfit((*at, "kw"), "stands beside idle_kw or op_kw, expected either kw or those two")
    if spec.idle_kw is not None and spec.op_kw is not None and spec.idle_kw > spec.op_kw:
        yield Misfit((*at, "idle_kw"), f"is {spec.idle_kw:g} kW, more than op_kw of {spec.op_kw:g} kW")
    if (spec.interval_low or 1.0) > 1.0 or (spec.interval_high or 1.0) < 1.0:
        yield Misfit(at, "states an interval that excludes its own figure", "interval_low: 0.8, interval_high: 1.3")


def _may_share(deployment: Deployment, name: str, pool: Pool) -> bool:
    gpu = {pool.gpu.base} if isinstance(pool.gpu, GpuSpec) else {pool.gpu}
    there = deployment.pools is None or name in deployment.pools
    return pool.sharing == "shared" and there and bool(gpu & set(deployment.gpu))


def _shared(deployment: Deployment, at: Path) -> Iterator[Misfit]:
    """On shared GPUs the bytes and operations of a task must be known."""
    for key in ("bytes_gb_per_task", "tflop_per_task"):
        spread = deployment.work and all(getattr(spec, key) is not None for spec in deployment.work.values())
        if getattr(deployment, key) is None and not spread:
            yield Misfit(at, f"may run on a shared pool but does not state {key}", f"add {key}: ...")


def _api(api: Api, at: Path) -> Iterator[Misfit]:
    listed = api.model is not None and api.model.startswith(LISTED)
    if listed and _by_token(api):
        yield Misfit((*at, "model"), "names a list price beside usd_per_mtok, expected one of the two")
    if not (listed or _by_token(api) or api.usd_per_task is not None or api.prices):
        hint = f"model: {LISTED}openai/gpt-5" if api.model is None else f"model: {LISTED}{api.model}"
        yield Misfit(at, "states no price", f"add usd_per_mtok_in and usd_per_mtok_out, usd_per_task, or {hint}")
    for name, price in (("", api), *api.prices.items()):
        if (price.usd_per_mtok_in is None) != (price.usd_per_mtok_out is None):
            yield Misfit((*at, "prices", name) if name else at, "states one of usd_per_mtok_in and usd_per_mtok_out,"
                         " expected both")  # fmt: skip


def _by_token(price: ApiPrice) -> bool:
    return price.usd_per_mtok_in is not None or price.usd_per_mtok_out is not None
