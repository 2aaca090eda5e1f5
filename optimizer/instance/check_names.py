"""Names that nothing answers to."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from optimizer.instance.calendar import spans
from optimizer.instance.faults import Misfit, Path, closest
from optimizer.instance.known import Known
from optimizer.instance.schema import Deployment, GpuSpec, Instance, Pool, Workflow


def unknown_names(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Every reference to a site, model, GPU, API, workflow, day part or benchmark that is not there."""
    known = Known(instance, stated)
    for name, pool in instance.pools.items():
        yield from _pool(pool, ("pools", name), known)
    for section, specs, names in (("gpus", instance.gpus, known.gpus), ("models", instance.models, known.models)):
        kind = "GPU model" if section == "gpus" else "AI model"
        for name, spec in specs.items():
            if spec.base is not None and spec.base not in names:
                yield _unknown((section, name, "base"), kind, spec.base, names)
    for name, deployment in instance.deployments.items():
        yield from _deployment(deployment, ("deployments", name), known)
    for name, api in instance.apis.items():
        yield from _each(("apis", name, "prices"), "workflow", api.prices, known.section("workflows"))
    for name, workflow in instance.workflows.items():
        yield from _workflow(workflow, ("workflows", name), known)


def unknown_periods(instance: Instance) -> Iterator[Misfit]:
    """Starts and deadlines outside the horizon."""
    periods = [period for period, _ in spans(instance.horizon)]
    for name, workflow in instance.workflows.items():
        for key in ("start", "deadline"):
            period = getattr(workflow, key)
            if period is not None and period not in periods:
                yield _unknown(("workflows", name, key), "period", period, periods)


def _pool(pool: Pool, at: Path, known: Known) -> Iterator[Misfit]:
    sites = known.section("sites")
    if pool.site not in sites:
        yield _unknown((*at, "site"), "site", pool.site, sites)
    name = pool.gpu.base if isinstance(pool.gpu, GpuSpec) else pool.gpu
    where = (*at, "gpu", "base") if isinstance(pool.gpu, GpuSpec) else (*at, "gpu")
    if name is not None and name not in known.gpus:
        yield _unknown(where, "GPU model", name, known.gpus)
    elif isinstance(pool.layouts, tuple):
        yield from _each((*at, "layouts"), "layout", pool.layouts, known.layouts(pool.gpu))


def _deployment(deployment: Deployment, at: Path, known: Known) -> Iterator[Misfit]:
    workflows = known.section("workflows")
    yield from _each((*at, "gpu"), "GPU model", deployment.gpu, known.gpus)
    yield from _each((*at, "pools"), "pool", deployment.pools, known.section("pools"))
    yield from _each((*at, "workflows"), "workflow", deployment.workflows, workflows)
    yield from _each((*at, "work"), "workflow", deployment.work, workflows)


def _workflow(workflow: Workflow, at: Path, known: Known) -> Iterator[Misfit]:
    accepts = workflow.accepts
    for key, kind, names, there in (
        ("models", "AI model", accepts.models, known.models),
        ("apis", "API", accepts.apis, known.section("apis")),
        ("gpus", "GPU model", accepts.gpus, known.gpus),
        ("precisions", "precision", accepts.precisions, known.precisions),
    ):
        yield from _each((*at, "accepts", key), kind, names, there)
    sources = {"default"} | known.models | known.section("apis")
    for key in ("tokens_in", "tokens_out"):
        yield from _each((*at, key), "model or API", getattr(workflow, key), sources)
    if workflow.gpu_hours:
        yield from _each((*at, "gpu_hours", "speed"), "GPU model", workflow.gpu_hours.speed, known.gpus)
    yield from _each((*at, "demand_share"), "day part", workflow.demand_share, known.section("day_parts"))
    for bench in workflow.quality:
        if bench not in known.benches():
            yield _unknown((*at, "quality", bench), "benchmark", bench, known.benches())


def _each(at: Path, kind: str, names: Iterable[str] | None, known: Iterable[str]) -> Iterator[Misfit]:
    """Unknown ones of several names: keys of a mapping, or entries of a list."""
    there: Container[str] = set(known)
    for n, name in enumerate(names or ()):
        if name not in there:
            yield _unknown((*at, name if isinstance(names, Mapping) else n), kind, name, known)


def _unknown(at: Path, kind: str, name: str, known: Iterable[str]) -> Misfit:
    some = sorted(set(known))
    listed = f"one of {', '.join(some)}" if 0 < len(some) <= 6 else ""
    return Misfit(at, f"names an unknown {kind} '{name}'", closest(name, some) or listed)
