"""Deployments the instance states: their own figures, completed by those of the GPU model and the AI model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from optimizer.catalogue.types import AiModel
from optimizer.formulation.data import Candidate
from optimizer.instance.schema import Deployment as Stated
from optimizer.instance.schema import Workflow
from optimizer.resolve import eligibility
from optimizer.resolve.deployments import Size, power_kw
from optimizer.resolve.tokens import Tokens, tokens
from optimizer.resolve.training import MODEL
from optimizer.resolve.types import Deployment, Drop, Ground, Place, Work

UNKNOWN = "unstated"


@dataclass
class StatedOffers:
    """Stated deployments and drops of one resolution, filled pool by pool."""

    ground: Ground
    drops: list[Candidate] = field(default_factory=list)

    def on(self, place: Place, workflows: set[str]) -> Iterator[Deployment]:
        """Stated deployments for this pool, each with the workflows it may serve here."""
        for i, d in self.ground.instance.deployments.items():
            if not place.gpu.names & set(d.gpu) or (d.pools is not None and place.id not in d.pools):
                continue
            asked = asked_for(self.ground, i)
            found = {w: work for w in asked if w in workflows and (work := self._work(i, d, w, place))}
            if found:
                yield self._deployment(i, d, place, found)

    def _work(self, i: str, d: Stated, w: str, place: Place) -> Work | None:
        workflow, model = self.ground.instance.workflows[w], self.ground.models.known(d.model)
        named = w in (d.workflows or ()) or w in d.work
        if not named and d.model not in (workflow.accepts.models or (d.model,)):
            return None
        need = tokens(workflow, d.model, model.output_multiplier if model else 1.0)
        drop = _unfit(workflow, d, model, need, named) or _misplaced(d, place)
        work = None if drop else self._speed(d, w, need)
        if work is not None:
            drop = eligibility.of_latency(workflow, work)
        if drop:
            self.drops.append(Candidate(w, place.id, i, *drop))
            return None
        return work

    def _speed(self, d: Stated, w: str, need: Tokens | None) -> Work | None:
        """What the deployment says of a workflow, its own `work` entry first; None where it states no speed for it."""
        said = _Said(d, w)
        times = (said.of("ttft_ms"), said.of("tpot_ms"))
        rate = said.rate_per_hour()
        if rate is None:
            if need is None or None in times:
                return None
            rate = d.concurrency * 3.6e6 / (times[0] + max(need.out - 1, 0.0) * times[1])
        within = (said.of("interval_low") or 1.0, said.of("interval_high") or 1.0)
        return Work(
            tasks_per_hour=rate / (within[1] if self.ground.settings.pessimistic else 1.0),
            bytes_gb=said.of("bytes_gb_per_task") or 0.0,
            tflop=said.of("tflop_per_task") or 0.0,
            ttft_ms=times[0],
            tpot_ms=times[1],
            ttft_range=within,
            tpot_range=within,
            grade=said.of("grade"),
            bound_by=said.of("bound_by") or UNKNOWN,
            basis=said.of("basis") or d.source or "stated in the instance",
        )

    def _deployment(self, i: str, d: Stated, place: Place, work: dict[str, Work]) -> Deployment:
        gpu = place.gpu
        name = i.removeprefix(f"{gpu.id}/")
        idle, op = _power(d, place)
        slot = place.slices[d.slice] if d.slice else None
        up = self.ground.settings.availability(gpu.measured_as.id)
        return Deployment(
            id=f"{gpu.id}/{name}", name=name, model=d.model, gpu=gpu.id, precision=d.precision,
            gpus=slot.compute_share if slot else d.gpus or 1.0, slice=d.slice, concurrency=d.concurrency,
            context_tokens=d.context_tokens or 0, hbm_gb=d.hbm_gb, idle_kw=idle, op_kw=op,
            availability=up if d.availability is None else d.availability, keep=d.keep, quality=d.quality, work=work,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Said:
    """Figures of one workflow on a stated deployment: those of its `work` entry, else the deployment's."""

    deployment: Stated
    workflow: str

    def of(self, name: str) -> Any:
        own = self.deployment.work.get(self.workflow)
        if own is not None and name in own.model_fields_set:
            return getattr(own, name)
        return getattr(self.deployment, name)

    def rate_per_hour(self) -> float | None:
        for said in (self.deployment.work.get(self.workflow), self.deployment):
            if said is not None and said.tasks_per_hour is not None:
                return said.tasks_per_hour
            if said is not None and said.tasks_per_s is not None:
                return 3600.0 * said.tasks_per_s
        return None


def asked_for(ground: Ground, i: str) -> tuple[str, ...]:
    """Workflows that a stated deployment is meant for: those it names, else all that its rate or times speak of.

    A rate of tasks says nothing of work in GPU-hours, unless it names it.
    """
    d = ground.instance.deployments[i]
    if d.workflows is not None:
        return d.workflows
    general = any(v is not None for v in (d.tasks_per_hour, d.tasks_per_s, d.tpot_ms))
    flows = ground.instance.workflows
    return tuple(w for w in flows if w in d.work or (general and flows[w].gpu_hours is None))


def wins(ground: Ground) -> dict[tuple[str, str, str], frozenset[str]]:
    """Workflows by pool, AI model and precision for which a statement takes the place of the catalogue."""
    found: dict[tuple[str, str, str], frozenset[str]] = {}
    for i, d in ground.instance.deployments.items():
        for p, place in ground.places.items():
            if place.gpu.names & set(d.gpu) and (d.pools is None or p in d.pools):
                key = (p, d.model, d.precision)
                found[key] = found.get(key, frozenset()) | set(asked_for(ground, i))
    return found


def _unfit(w: Workflow, d: Stated, model: AiModel | None, need: Tokens | None, named: bool) -> Drop | None:
    scores = {**(model.quality if model else {}), **d.quality}
    drop = eligibility.of_model(w, d.model, asked_for=named) or eligibility.of_precision(w, d.precision)
    if drop is None and model is not None:
        drop = eligibility.of_licence(w, model.licence, model.commercial_use)
    drop = drop or eligibility.of_quality(w, scores)
    if drop is None and d.context_tokens is not None and need is not None and need.context > d.context_tokens:
        drop = Drop("context", "tokens of one task exceed the context ceiling", need.context, d.context_tokens)
    return drop


def _misplaced(d: Stated, place: Place) -> Drop | None:
    """Why a stated deployment cannot stand on this pool at all."""
    sharing, gpu = place.pool.sharing, place.gpu.model
    if d.slice is not None:
        if sharing != "partitioned" or d.slice not in place.slices:
            return Drop("scale_up", "the pool is not cut into such slices", d.slice, ", ".join(place.slices) or sharing)
        return _over(d.hbm_gb, place.slices[d.slice].hbm_gb)
    return _outsized(d, place) or _over(d.hbm_gb, gpu.usable_hbm_gb * ((d.gpus or 1.0) if sharing == "whole" else 1.0))


def _outsized(d: Stated, place: Place) -> Drop | None:
    sharing, gpus = place.pool.sharing, d.gpus or 1.0
    if sharing == "partitioned":
        return Drop("scale_up", "the pool is cut into slices and the deployment names none", gpus, sharing)
    if sharing == "shared" and gpus > 1:
        return Drop("scale_up", "a replica on a shared pool takes at most one GPU", gpus, 1.0)
    if sharing == "whole" and gpus != int(gpus):
        return Drop("scale_up", "a replica takes whole GPUs unless the pool is shared", gpus, sharing)
    if gpus > place.domain and d.model != MODEL:
        return Drop("scale_up", "replica exceeds the scale-up domain, GPUs", gpus, place.domain)
    return None


def _over(hbm_gb: float, room_gb: float) -> Drop | None:
    return Drop("hbm", "GB of the replica on its GPUs", hbm_gb, room_gb) if hbm_gb > room_gb else None


def _power(d: Stated, place: Place) -> tuple[float, float]:
    """kW without load and at its concurrency: as stated, by the hungriest `work` if only that says, else the GPU's."""
    idle = _most(d, "idle_kw")
    op = _most(d, "op_kw")
    if idle is None and op is None:
        idle = op = _most(d, "kw")
    if idle is not None or op is not None:
        return (idle if idle is not None else op or 0.0), (op if op is not None else idle or 0.0)
    residents = 2 if place.pool.sharing == "shared" else 1
    part = place.slices[d.slice] if d.slice else None
    return power_kw(place, Size("", int(d.gpus or 1), d.gpus or 1.0, part, residents), d.concurrency)


def _most(d: Stated, name: str) -> float | None:
    found = [v for v in (getattr(d, name), *(getattr(own, name) for own in d.work.values())) if v is not None]
    return getattr(d, name) if getattr(d, name) is not None else max(found, default=None)
