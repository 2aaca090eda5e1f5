"""Deployments the instance states: their own figures, completed by those of the GPU model and the AI model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from optimizer.catalogue.types import AiModel
from optimizer.formulation.data import Candidate
from optimizer.instance.schema import Constant, Effect, SpeedSpec, Workflow
from optimizer.instance.schema import Deployment as Stated
from optimizer.resolve import eligibility
from optimizer.resolve.tokens import PLAIN, Tokens, tokens
from optimizer.resolve.tools import on_model
from optimizer.resolve.training import MODEL
from optimizer.resolve.types import Deployment, Drop, Ground, Place, Tools, Use, Work
from optimizer.resolve.ways import Size, power_kw, with_tools

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
            asked = [w for w in asked_for(self.ground, i) if w in workflows]
            yield from self._together(i, d, place, [each for w in asked for each in self._uses(i, d, w, place)])

    def _together(self, i: str, d: Stated, place: Place, served: list[_Served]) -> Iterator[Deployment]:
        """One deployment for all, one more for each that wants its own, and for tools that change its memory."""
        flows = self.ground.instance.workflows
        groups: dict[tuple[Tools, float, str], dict[Use, Work]] = defaultdict(dict)
        for each in served:
            owner = each.workflow if flows[each.workflow].isolation else ""
            kept = (each.tools, each.hbm) if each.hbm != 1 else ((), 1.0)
            groups[*kept, owner][Use(each.workflow, each.tools)] = each.work
        for (tools, hbm, _), work in groups.items():
            yield self._deployment(i, d, place, work, tools, hbm)

    def _uses(self, i: str, d: Stated, w: str, place: Place) -> Iterator[_Served]:
        """The workflow on the deployment, plain and with tools, as far as it may be served so."""
        stated = d.work[w].tools if w in d.work else {}
        work = self._work(i, d, w, place)
        if work is not None:
            yield _Served((), 1.0, w, work)
        for name in stated:
            tools = tuple(name.split("+"))
            if work := self._work(i, d, w, place, tools):
                yield _Served(tools, 1.0, w, work)
        for tools, effect in on_model(self.ground, w, d.model):
            if "+".join(tools) not in stated and (work := self._work(i, d, w, place, tools, effect)):
                yield _Served(tools, effect.hbm_factor, w, work)

    def _work(self, i: str, d: Stated, w: str, place: Place, tools: Tools = (), effect: Effect = PLAIN) -> Work | None:
        workflow, model = self.ground.instance.workflows[w], self.ground.models.known(d.model)
        named = w in (d.workflows or ()) or w in d.work
        if not named and d.model not in (workflow.accepts.models or (d.model,)):
            return None
        need = tokens(workflow, d.model, model.output_multiplier if model else 1.0, effect)
        told = tools and effect is PLAIN  # its own figures, of tasks that are shorter than they are without tools
        drop = _unfit(workflow, d, model, None if told else need, named) or _misplaced(d, place, effect.hbm_factor)
        work = None if drop else self._speed(_said(d, w, tools), need, effect)
        if work is not None:
            drop = eligibility.of_latency(workflow, work)
        if drop and not tools:
            self.drops.append(Candidate(w, place.id, i, *drop))
        return None if drop else work

    def _speed(self, said: _Said, need: Tokens | None, effect: Effect) -> Work | None:
        """What is said of a workflow, the closest word first; None where no speed is stated for it.

        A stated rate is what it is: of tools, only the factor on the rate counts. Times follow the tokens.
        """
        times = (said.of("ttft_ms"), said.of("tpot_ms"))
        rate, changed = said.rate_per_hour(), False
        if rate is None:
            if need is None or None in times:
                return None
            rate = said.of("concurrency") * 3.6e6 / (times[0] + max(need.out - 1, 0.0) * times[1])
            changed = effect.tokens_out_factor != 1
        if effect is not PLAIN and not changed and effect.throughput_factor == effect.hbm_factor == 1:
            return None
        low, high = said.of("interval_low") or 1.0, said.of("interval_high") or 1.0
        late = [said.of(name) or high for name in ("ttft_high", "tpot_high")]
        return Work(
            tasks_per_hour=rate * effect.throughput_factor / (late[1] if self.ground.settings.pessimistic else 1.0),
            bytes_gb=said.of("bytes_gb_per_task") or 0.0,
            tflop=said.of("tflop_per_task") or 0.0,
            ttft_ms=times[0],
            tpot_ms=times[1],
            ttft_range=(low, late[0]),
            tpot_range=(low, late[1]),
            grade=said.of("grade"),
            bound_by=said.of("bound_by") or UNKNOWN,
            basis=said.of("basis") or said.of("source") or "stated in the instance",
        )

    def _deployment(
        self, i: str, d: Stated, place: Place, work: dict[Use, Work], tools: Tools, hbm: float
    ) -> Deployment:
        gpu = place.gpu
        name = i.removeprefix(f"{gpu.id}/") + with_tools(tools, hbm)
        idle, op = _power(d, place, [use.workflow for use in work])
        slot = place.slices[d.slice] if d.slice else None
        up = self.ground.settings.availability(gpu.measured_as.id)
        return Deployment(
            id=f"{gpu.id}/{name}", name=name, model=d.model, gpu=gpu.id, precision=d.precision,
            gpus=slot.compute_share if slot else d.gpus or 1.0, slice=d.slice, concurrency=d.concurrency,
            context_tokens=d.context_tokens or 0, hbm_gb=hbm * d.hbm_gb, idle_kw=idle, op_kw=op,
            availability=up if d.availability is None else d.availability, keep=d.keep, quality=d.quality, work=work,
            constant=_constant(d, self.ground), resources=d.resources,
        )  # fmt: skip


class _Served(NamedTuple):
    """One workflow that a stated deployment may serve, with the tools in use and what they make of its memory."""

    tools: Tools
    hbm: float
    workflow: str
    work: Work


@dataclass(frozen=True, slots=True)
class _Said:
    """Figures of one workflow on a stated deployment: those of its `work` entry, else the deployment's."""

    deployment: Stated
    closest_first: tuple[SpeedSpec, ...]

    def of(self, name: str) -> Any:
        for said in self.closest_first:
            if name in said.model_fields_set:
                return getattr(said, name)
        return getattr(self.deployment, name)

    def rate_per_hour(self) -> float | None:
        for said in (*self.closest_first, self.deployment):
            if said.tasks_per_hour is not None:
                return said.tasks_per_hour
            if said.tasks_per_s is not None:
                return 3600.0 * said.tasks_per_s
        return None


def _said(d: Stated, w: str, tools: Tools) -> _Said:
    own = d.work.get(w)
    if own is None:
        return _Said(d, ())
    with_them = own.tools.get("+".join(tools))
    return _Said(d, (own,) if with_them is None else (with_them, own))


def _constant(d: Stated, ground: Ground) -> tuple[tuple[str, ...], ...]:
    if d.replicas is None:
        return ()
    return d.replicas.constant if isinstance(d.replicas, Constant) else (ground.calendar.periods,)


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


def _misplaced(d: Stated, place: Place, hbm: float = 1.0) -> Drop | None:
    """Why a stated deployment cannot stand on this pool at all."""
    sharing, gpu = place.pool.sharing, place.gpu.model
    if d.slice is not None:
        if sharing != "partitioned" or d.slice not in place.slices:
            return Drop("scale_up", "the pool is not cut into such slices", d.slice, ", ".join(place.slices) or sharing)
        return _over(hbm * d.hbm_gb, place.slices[d.slice].hbm_gb)
    room = gpu.usable_hbm_gb * ((d.gpus or 1.0) if sharing == "whole" else 1.0)
    return _outsized(d, place) or _over(hbm * d.hbm_gb, room)


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


def _power(d: Stated, place: Place, workflows: Iterable[str]) -> tuple[float, float]:
    """kW without load and at its concurrency: as stated, by the hungriest of its workflows, else the GPU model's."""
    said = [_said(d, w, ()) for w in workflows]

    def most(name: str) -> float | None:
        return max((kw for each in said if (kw := each.of(name)) is not None), default=None)

    idle, op = most("idle_kw"), most("op_kw")
    if idle is None and op is None:
        idle = op = most("kw")
    if idle is not None or op is not None:
        return (idle if idle is not None else op or 0.0), (op if op is not None else idle or 0.0)
    residents = 2 if place.pool.sharing == "shared" else 1
    part = place.slices[d.slice] if d.slice else None
    return power_kw(place, Size("", int(d.gpus or 1), d.gpus or 1.0, part, residents), d.concurrency)
