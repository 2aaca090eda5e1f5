"""Workflows that contradict themselves, or that nothing could serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from optimizer.instance.by_period import ByPeriod
from optimizer.instance.calendar import spans
from optimizer.instance.faults import Misfit, Misfits, Path
from optimizer.instance.known import DEFAULT
from optimizer.instance.schema import Instance, Workflow

SUMS = 1e-5  # as typed by hand: 33.3333 % three times is not refused


def workflows(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """What is wrong with each workflow by itself."""
    for name, workflow in instance.workflows.items():
        at = ("workflows", name)
        yield from _stated(workflow, at)
        yield from _tranches(instance, workflow, at)
        yield from _job(workflow, at)
        yield from _work(instance, workflow, at)
        yield from _economics(workflow, at, resolved=instance.resolved_from is not None)
        shares = workflow.demand_share
        if shares is not None and abs(sum(shares.values()) - 1) > SUMS:
            yield Misfit((*at, "demand_share"), f"sums to {sum(shares.values()):.6g}, expected 1 (100%)")


def _stated(workflow: Workflow, at: Path) -> Iterator[Misfit]:
    """Demand and value, unless bundles stand for both."""
    for key in ("demand", "value_usd"):
        if key not in workflow.model_fields_set and workflow.bundles is None:
            yield Misfit(at, f"lacks {key}", f"add {key}: ... ({Workflow.model_fields[key].description})")


def _tranches(instance: Instance, workflow: Workflow, at: Path) -> Iterator[Misfit]:
    tranches = workflow.value_usd
    for n, (before, after) in enumerate(pairwise(tranches), start=1):
        if after.upto <= before.upto:
            yield Misfit((*at, "value_usd", n, "upto"), f"is {after.upto:.6g}, expected more than {before.upto:.6g}")
        if _rises(instance, before.usd, after.usd):
            yield Misfit((*at, "value_usd", n, "usd"), "is above the tranche before it, expected falling values",
                         "the most valuable tranche stands first")  # fmt: skip
    if tranches and abs(tranches[-1].upto - 1) > SUMS and max(t.upto for t in tranches) == tranches[-1].upto:
        last = (*at, "value_usd", len(tranches) - 1, "upto")
        yield Misfit(last, f"is {tranches[-1].upto:.6g} in the last tranche, expected 100%")
    if not tranches and "value_usd" in workflow.model_fields_set:
        yield Misfit((*at, "value_usd"), "is empty, expected at least one tranche")


def _rises(instance: Instance, before: ByPeriod, after: ByPeriod) -> bool:
    try:
        periods = [period for period, _ in spans(instance.horizon)]
        return any(a > b for b, a in zip(before.resolve(periods), after.resolve(periods), strict=True))
    except (Misfits, ValueError):
        return False  # the check of periods and values over them has its own word on this


def _job(workflow: Workflow, at: Path) -> Iterator[Misfit]:
    if workflow.demand.job and workflow.deadline is None:
        yield Misfit(at, "is a job (demand per horizon) without a deadline", "add deadline: its last period")
    if not workflow.demand.job and workflow.deadline is not None:
        yield Misfit((*at, "deadline"), "stands at a workflow that is no job", "demand: ... per horizon")


def _work(instance: Instance, workflow: Workflow, at: Path) -> Iterator[Misfit]:
    """Work is stated in tokens, in GPU-hours, or by whatever serves it at a stated rate."""
    tokens = {key: getattr(workflow, key) for key in ("tokens_in", "tokens_out")}
    missing = [key for key, value in tokens.items() if value is None]
    if workflow.gpu_hours and len(missing) < len(tokens):
        yield Misfit((*at, "gpu_hours"), "stands beside tokens, expected one of the two")
    if len(missing) == 1:
        yield Misfit(at, "states only one of tokens_in and tokens_out, expected both", f"add {missing[0]}: 0")
    stated = len(missing) < len(tokens) or workflow.gpu_hours or workflow.bundles
    if not stated and not _served_by_rate(instance, at[1]):
        yield Misfit(at, "states no work per task", "add tokens_in and tokens_out, or gpu_hours")
    for key, value in tokens.items():
        yield from _covers(workflow, value, (*at, key))


def _covers(workflow: Workflow, by_source: Mapping[str, float] | None, at: Path) -> Iterator[Misfit]:
    wanted = [*(workflow.accepts.models or ()), *(workflow.accepts.apis or ())]
    if by_source and DEFAULT not in by_source and not (wanted and set(wanted) <= set(by_source)):
        yield Misfit(at, "has no default and does not cover all that may serve", "add default: ...")


def _economics(workflow: Workflow, at: Path, *, resolved: bool) -> Iterator[Misfit]:
    """Yields, reviews, retraining, pilots and bundles that could never mean anything."""
    yield from _covers(workflow, workflow.yield_, (*at, "yield"))
    if workflow.review:
        yield from _covers(workflow, workflow.review.share, (*at, "review", "share"))
    for key in ("retries", "bad_usd"):
        if getattr(workflow, key) and workflow.yield_ is None:
            yield Misfit((*at, key), "stands at a workflow whose output is all good", "add yield: 95%")
    if workflow.retraining and not workflow.retraining.speed and not resolved:  # there, of the pools that can train it
        yield Misfit((*at, "retraining", "speed"), "names no GPU model to train on", "speed: {h100-sxm: 1}")
    if workflow.bundles and not workflow.bundles.options:
        yield Misfit((*at, "bundles", "options"), "is empty, expected at least one bundle")
    pilot = workflow.pilot
    if pilot and not workflow.state.proven and workflow.min_service > pilot.share:
        yield Misfit((*at, "min_service"), f"is {workflow.min_service:g}, more than the pilot's {pilot.share:g}:"
                     " it could never start")  # fmt: skip


def _served_by_rate(instance: Instance, workflow: str | int) -> bool:
    """Whether a stated deployment gives its tasks per hour, or an API its price per task."""
    for deployment in instance.deployments.values():
        admitted = deployment.workflows is None or workflow in deployment.workflows
        spec = deployment.work.get(str(workflow), deployment)
        if admitted and (
            spec.tasks_per_s or spec.tasks_per_hour or deployment.tasks_per_s or deployment.tasks_per_hour
        ):
            return True
    prices = (api.prices.get(str(workflow), api) for api in instance.apis.values())
    return any(price.usd_per_task is not None for price in prices)
