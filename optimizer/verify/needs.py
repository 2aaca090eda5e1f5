"""Reading what work takes beside GPUs and tokens, and what becomes of a task."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.instance.calendar import Calendar
from optimizer.instance.schema import Instance
from optimizer.instance.schema import Retraining as RetrainingSpec
from optimizer.instance.schema import Workflow as WorkflowSpec
from optimizer.verify.facts_more import Bundle, Needs, Outcome, Pilot, Retraining
from optimizer.verify.given import laid, lies_in

HOURS_PER_YEAR = 8760.0
MINUTES_PER_HOUR = 60.0


def outcomes(spec: WorkflowSpec) -> Mapping[str, Outcome]:
    """What becomes of a task by AI model or API, and by `default`."""
    review = spec.review.share if spec.review else {}
    names = {"default", *(spec.yield_ or {}), *review}
    return {name: _outcome(spec, name, review) for name in names}


def _outcome(spec: WorkflowSpec, name: str, review: Mapping[str, float]) -> Outcome:
    """Bad output is tried again; what is bad after the last attempt reaches somebody."""
    fit = _by(spec.yield_ or {}, name, 1.0)
    good = 1 - (1 - fit) ** (spec.retries + 1)
    minutes = spec.review.minutes if spec.review else 0.0
    looked_at = _by(review, name, 0.0) * minutes / MINUTES_PER_HOUR
    return Outcome(good / fit, good, spec.bad_usd * (1 - good), looked_at)


def _by(given: Mapping[str, float], name: str, otherwise: float) -> float:
    return given.get(name, given.get("default", otherwise))


def needs(instance: Instance, spec: WorkflowSpec, calendar: Calendar) -> Needs:
    """People, training, storage, resources, tools, the pilot and the bundles of a workflow."""
    bundles = spec.bundles.options if spec.bundles else {}
    proven = spec.pilot is None or spec.state.proven
    return Needs(
        skill=spec.review.skill if spec.review else None,
        launch_hours=spec.launch_hours,
        retraining=_retraining(instance, spec, spec.retraining, calendar) if spec.retraining else None,
        storage_tb=spec.storage_tb,
        resources=spec.resources,
        task_resources=spec.task_resources,
        tools=spec.requires,
        pilot=None if proven or spec.pilot is None else Pilot(spec.pilot.share, spec.pilot.periods),
        bundles={b: Bundle(laid(each.value_usd, calendar), each.resources) for b, each in bundles.items()},
        exactly_one=spec.bundles is not None and spec.bundles.choose == "exactly_one",
    )


def _retraining(instance: Instance, spec: WorkflowSpec, training: RetrainingSpec, calendar: Calendar) -> Retraining:
    """GPU-hours and money by period, and the pools of whole GPUs that may do it."""
    share = {t: calendar.hours[t] / HOURS_PER_YEAR if training.per == "year" else 1.0 for t in calendar.periods}
    hours, usd = laid(training.gpu_hours, calendar), laid(training.usd, calendar)
    speed = {}
    for p, pool in instance.pools.items():
        place = instance.sites[pool.site].jurisdiction
        admitted = spec.residency is None or any(lies_in(place, law) for law in spec.residency)
        if admitted and pool.sharing == "whole" and isinstance(pool.gpu, str) and pool.gpu in training.speed:
            speed[p] = training.speed[pool.gpu]
    return Retraining({t: hours[t] * share[t] for t in hours}, speed, {t: usd[t] * share[t] for t in usd})
