"""Deployments the catalogue offers on a pool: AI model x precision x size x concurrency x context ceiling.

One candidate is reported per workflow, AI model, precision and size at the first stage that stops it; where only
the higher concurrencies fall, the lowest that falls stands for those above it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from optimizer.catalogue.types import AiModel
from optimizer.formulation.data import Candidate
from optimizer.resolve import eligibility
from optimizer.resolve.tokens import Tokens, tokens
from optimizer.resolve.types import Deployment, Drop, Ground, Place, Tools, Use, Work
from optimizer.resolve.ways import Need, Way, needs_of, power_kw, sizes
from optimizer.speed.estimate import load_speed_model
from optimizer.speed.memory import Memory
from optimizer.speed.step import peak_tflops

NARROW = ("fp4", "int4")  # read narrow and multiplied in bf16 where the GPU has no such units: weight-only quantisation


@dataclass
class Offers:
    """Deployments and drops of one resolution, filled pool by pool; speeds are worked out once."""

    ground: Ground
    stated: Mapping[tuple[str, str, str], frozenset[str]]  # (pool, AI model, precision) -> workflows already served
    known: dict[tuple[object, ...], Work] = field(default_factory=dict)
    drops: list[Candidate] = field(default_factory=list)

    def on(self, place: Place, workflows: Iterable[str]) -> Iterator[Deployment]:
        """Every deployment that at least one of these workflows may use here."""
        names = tuple(workflows)
        for model_id in self.ground.models:
            fitting = [w for w in names if w in self._fitting[model_id]]
            if fitting:
                model = self.ground.models[model_id]
                yield from self._of_model(place, model, fitting)

    @cached_property
    def _fitting(self) -> dict[str, set[str]]:
        """Workflows that each AI model may serve wherever it fits."""
        flows = self.ground.instance.workflows
        return {name: {w for w in flows if model_fits(self.ground, w, name) is None} for name in self.ground.models}

    def _of_model(self, place: Place, model: AiModel, names: list[str]) -> Iterator[Deployment]:
        needs = {use: need for w in names for use, need in needs_of(self.ground, w, model)}
        for precision in model.precisions:
            if precision not in self.ground.settings.precisions:
                continue
            wanted = set(self._wanting(place, model, precision, dict.fromkeys(use.workflow for use in needs)))
            for size in sizes(place, self.ground.settings.gpus) if wanted else ():
                way = Way(place, model, precision, size)
                yield from self._of_way(way, {use: need for use, need in needs.items() if use.workflow in wanted})

    def _wanting(self, place: Place, model: AiModel, precision: str, names: Iterable[str]) -> Iterator[str]:
        served = self.stated.get((place.id, model.id, precision), frozenset())
        for w in names:
            drop: Drop | None = eligibility.of_precision(self.ground.instance.workflows[w], precision)
            if drop is None and precision not in place.gpu.model.tflops and precision not in NARROW:
                drop = Drop("precision", "GPU model has no units for it", precision, ", ".join(place.gpu.model.tflops))
            if drop is None and w in served:
                drop = Drop("accepted", "the instance states its own deployment", precision)
            if drop:
                self.drops.append(Candidate(w, place.id, f"{model.id}/{precision}", *drop))
            else:
                yield w

    def _of_way(self, way: Way, needs: Mapping[Use, Need]) -> Iterator[Deployment]:
        if way.size.gpus > way.place.domain:
            drop = Drop("scale_up", "replica exceeds the scale-up domain, GPUs", way.size.gpus, way.place.domain)
            for w in dict.fromkeys(use.workflow for use in needs):
                self._note(Use(w), way, "", drop)
            return
        groups: dict[tuple[Tools, float], dict[Use, Need]] = defaultdict(dict)
        for use, need in needs.items():
            groups[(use.tools, need.hbm) if need.hbm != 1 else ((), 1.0)][use] = need
        for (tools, hbm), group in groups.items():
            yield from self._of_group(replace(way, tools=tools, hbm=hbm), group)

    def _of_group(self, way: Way, needs: Mapping[Use, Need]) -> Iterator[Deployment]:
        """Every concurrency and ceiling at which the replica holds what it must and is quick enough for some use."""
        ceilings = {use: self._ceiling(way.model, need.tokens) for use, need in needs.items()}
        fallen: set[Use] = set()
        for concurrency in sorted(self.ground.settings.concurrency):
            memory = {k: way.memory(concurrency, k) for k in set(ceilings.values())}
            work: dict[Use, Work] = {}
            for use, need in needs.items():
                found = _full(way, memory[ceilings[use]]) or self._quick(way, concurrency, use, need)
                if isinstance(found, Work):
                    work[use] = found
                elif use not in fallen:
                    fallen.add(use)
                    self._note(use, way, f"/c{concurrency}/k{ceilings[use] // 1024}", found)
            for ceiling in sorted({ceilings[use] for use in work}):
                served = {use: each for use, each in work.items() if ceilings[use] <= ceiling}
                yield self._deployment(way, concurrency, ceiling, served)

    def _quick(self, way: Way, concurrency: int, use: Use, need: Need) -> Work | Drop:
        """The work, or why it is too slow."""
        work = self._work(way, concurrency, need.tokens)
        late = eligibility.of_latency(self.ground.instance.workflows[use.workflow], work)
        if late or need.throughput == 1:
            return late or work
        return replace(work, tasks_per_hour=work.tasks_per_hour * need.throughput)

    def _ceiling(self, model: AiModel, need: Tokens) -> int:
        grid = (k for k in sorted(self.ground.settings.context_tokens) if need.context <= k < model.context_tokens)
        return next(grid, model.context_tokens)

    def _work(self, way: Way, concurrency: int, need: Tokens) -> Work:
        key = (way.place.gpu.id, way.model.id, way.precision, way.size, concurrency, need)
        if key not in self.known:
            self.known[key] = self._estimated(way, concurrency, need)
        return self.known[key]

    def _estimated(self, way: Way, concurrency: int, need: Tokens) -> Work:
        gpu = way.place.gpu
        speed = load_speed_model().estimate(
            way.model, gpu.measured_as, precision=way.precision, gpus=way.size.gpus, concurrency=concurrency,
            tokens_in=need.into, tokens_out=max(need.out, 1.0), cached_in=need.cached, slice=way.size.part,
        )  # fmt: skip
        planned = speed
        if self.ground.settings.pessimistic:
            planned = replace(speed, ttft_ms=speed.ttft_ms * speed.ttft_high, tpot_ms=speed.tpot_ms * speed.tpot_high)
        shared = way.size.residents > 1
        in_bf16 = gpu.model.tflops["bf16"] / peak_tflops(gpu.model, way.precision) if shared else 1.0
        return Work(
            tasks_per_hour=planned.tasks_per_hour(concurrency, need.out),
            bytes_gb=speed.bytes_per_task / 1e9,
            tflop=speed.flops_per_task / 1e12 * in_bf16,
            ttft_ms=speed.ttft_ms,
            tpot_ms=speed.tpot_ms,
            ttft_range=(speed.ttft_low, speed.ttft_high),
            tpot_range=(speed.tpot_low, speed.tpot_high),
            grade=speed.grade,
            bound_by=speed.bound_by,
            basis=speed.basis,
        )

    def _deployment(self, way: Way, concurrency: int, ceiling: int, work: Mapping[Use, Work]) -> Deployment:
        gpu, size = way.place.gpu, way.size
        name = f"{way.stem}/c{concurrency}/k{ceiling // 1024}{way.ending}"
        idle, op = power_kw(way.place, size, concurrency)
        return Deployment(
            id=f"{gpu.id}/{name}", name=name, model=way.model.id, gpu=gpu.id, precision=way.precision,
            gpus=size.share, slice=size.part.name if size.part else None, concurrency=concurrency,
            context_tokens=ceiling, hbm_gb=way.memory(concurrency, ceiling).total_gb, idle_kw=idle, op_kw=op,
            availability=self.ground.settings.availability(gpu.measured_as.id), keep=False, quality={}, work=work,
        )  # fmt: skip

    def _note(self, use: Use, way: Way, load: str, drop: Drop) -> None:
        if not use.tools:  # what tools would change is told by the variants that exist
            self.drops.append(Candidate(use.workflow, way.place.id, f"{way.stem}{load}", *drop))


def model_fits(ground: Ground, w: str, model_id: str) -> Drop | None:
    """Whether an AI model may serve a workflow anywhere: accepted, licensed, good enough, long enough."""
    workflow = ground.instance.workflows[w]
    if drop := eligibility.of_model(workflow, model_id, asked_for=False):
        return drop
    model = ground.models[model_id]
    if drop := eligibility.of_licence(workflow, model.licence, model.commercial_use):
        return drop
    if drop := eligibility.of_quality(workflow, model.quality):
        return drop
    need = tokens(workflow, model.id, model.output_multiplier)
    if need is not None and not any(True for _ in needs_of(ground, w, model)):
        return Drop("context", "tokens of one task exceed the model's context", need.context, model.context_tokens)
    return None


def _full(way: Way, memory: Memory) -> Drop | None:
    if memory.per_gpu_gb <= way.room_gb:
        return None
    figures = round(memory.per_gpu_gb, 3), round(way.room_gb, 3)
    return Drop("hbm", "GB per GPU for weights, overhead and KV cache", *figures)


def coarse_drops(ground: Ground) -> Iterator[Candidate]:
    """AI models that may serve a workflow on no pool: those it does not accept as one, the others one by one."""
    for w, workflow in ground.instance.workflows.items():
        drops = [(name, model_fits(ground, w, name)) for name in ground.models if workflow.tokens_in is not None]
        refused = [drop for _, drop in drops if drop and drop.stage == "accepted"]
        if refused:
            yield Candidate(w, "", f"{len(refused)} AI models", *refused[0]._replace(value=None))
        yield from (Candidate(w, "", name, *drop) for name, drop in drops if drop and drop.stage != "accepted")
