"""What workflows, tools and earlier decisions refer to by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from optimizer.instance.faults import Path
from optimizer.instance.schema import Effect, Instance, Workflow

Reference = tuple[Path, str, str | Iterable[str] | None]  # where, the kind of thing, and the names of it given there


def work_references(instance: Instance) -> Iterator[Reference]:
    """What each workflow names."""
    for name, workflow in instance.workflows.items():
        at = ("workflows", name)
        yield from _accepts(workflow, at)
        for key in ("tokens_in", "tokens_out", "cached_in"):
            yield (*at, key), "model or API", getattr(workflow, key)
        yield (*at, "yield"), "model or API", workflow.yield_
        if workflow.gpu_hours:
            yield (*at, "gpu_hours", "speed"), "GPU model", workflow.gpu_hours.speed
        yield (*at, "demand_share"), "day part", workflow.demand_share
        yield (*at, "quality"), "benchmark", workflow.quality
        yield from _economics(workflow, at)


def _accepts(workflow: Workflow, at: Path) -> Iterator[Reference]:
    accepts = workflow.accepts
    yield (*at, "accepts", "models"), "AI model", accepts.models
    yield (*at, "accepts", "apis"), "API", accepts.apis
    yield (*at, "accepts", "gpus"), "GPU model", accepts.gpus
    yield (*at, "accepts", "precisions"), "precision", accepts.precisions


def _economics(workflow: Workflow, at: Path) -> Iterator[Reference]:
    if workflow.review:
        yield (*at, "review", "skill"), "skill", workflow.review.skill
        yield (*at, "review", "share"), "model or API", workflow.review.share
    yield (*at, "launch_hours"), "skill", workflow.launch_hours
    if workflow.retraining:
        yield (*at, "retraining", "speed"), "GPU model", workflow.retraining.speed
    yield (*at, "storage_tb"), "site", workflow.storage_tb
    yield (*at, "resources"), "resource", workflow.resources
    yield (*at, "task_resources"), "resource", workflow.task_resources
    yield (*at, "requires"), "tool", workflow.requires
    for name, bundle in workflow.bundles.options.items() if workflow.bundles else ():
        yield (*at, "bundles", "options", name, "resources"), "resource", bundle.resources
    yield (*at, "state", "replicas"), "endpoint", workflow.state.replicas


def stack_references(instance: Instance) -> Iterator[Reference]:
    """What tools, losses and earlier decisions name."""
    for name, tool in instance.tools.items():
        at = ("tools", name)
        yield (*at, "staff"), "skill", tool.staff
        yield (*at, "gpus"), "pool", tool.gpus
        yield (*at, "hbm_gb"), "pool", tool.hbm_gb
        yield (*at, "storage_tb"), "site", tool.storage_tb
        yield (*at, "resources"), "resource", tool.resources
        yield from _effects(tool.effects, at)
    for n, together in enumerate(instance.tool_sets):
        yield ("tool_sets", n, "tools"), "tool", together.tools
        yield from _effects(together.effects, ("tool_sets", n))
    yield from _losses(instance)
    yield from _before(instance)


def _effects(effects: Iterable[Effect], above: Path) -> Iterator[Reference]:
    for n, effect in enumerate(effects):
        at = (*above, "effects", n)
        yield (*at, "workflows"), "workflow", effect.workflows
        yield (*at, "models"), "AI model", effect.models
        yield (*at, "apis"), "API", effect.apis


def _losses(instance: Instance) -> Iterator[Reference]:
    yield ("resilience", "shares"), "workflow", instance.resilience.shares
    for n, loss in enumerate(instance.resilience.losses):
        at = ("resilience", "losses", n)
        yield (*at, "sites"), "site", loss.sites
        yield (*at, "vendors"), "vendor", loss.vendors
        yield (*at, "apis"), "API", loss.apis


def _before(instance: Instance) -> Iterator[Reference]:
    yield ("previous", "replicas"), "endpoint", instance.previous.replicas
    yield ("previous", "funded"), "workflow", instance.previous.funded
    for at, one in instance.hold.each:
        yield (*at, "workflow"), "workflow", one.workflow
        yield (*at, "endpoint"), "endpoint", one.endpoint
