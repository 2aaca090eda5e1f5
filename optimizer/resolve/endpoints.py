"""Deployments placed on pools: endpoints, and the pairs of a workflow with each endpoint that may serve it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from optimizer.formulation.data import Candidate, Endpoint, Pair, Period, Variant
from optimizer.resolve import eligibility
from optimizer.resolve.deployments import Offers, coarse_drops
from optimizer.resolve.outcome import outcome
from optimizer.resolve.stated import StatedOffers, wins
from optimizer.resolve.tokens import good_mtok
from optimizer.resolve.training import training_on
from optimizer.resolve.types import Deployment, Ground, Place, Use, Work


@dataclass
class Placed:
    """All endpoints of an instance with their pairs, and what was dropped on the way."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)  # by id, as the endpoints name them
    candidates: list[Candidate] = field(default_factory=list)
    generated: bool = False  # whether any deployment was worked out from the catalogue

    def put(self, ground: Ground, place: Place, deployment: Deployment) -> None:
        """Place a deployment: shared by its workflows, and a copy for each that wants its replicas to itself."""
        for owner, work in _owners(ground, deployment):
            mine = _owned(deployment, owner, work)
            e = _endpoint(place, mine, owner)
            self.endpoints[e.id] = e
            known = self.deployments.get(mine.id)
            self.deployments[mine.id] = replace(mine, work={**known.work, **work}) if known else mine
            for use, each in work.items():
                source = e.id + use.suffix
                self.pairs[use.workflow, source] = _pair(ground, use.workflow, e.model, each)
                if use.tools:
                    self.variants[source] = Variant(e.id, use.tools)


def place_all(ground: Ground) -> Placed:
    """Every deployment the instance states or the catalogue offers, wherever a workflow may use it."""
    placed = Placed()
    stated, offers = StatedOffers(ground), Offers(ground, wins(ground))
    for place in ground.places.values():
        here, drops = _admitted(ground, place)
        placed.candidates += drops
        found = [*stated.on(place, here), *training_on(ground, place, here, placed.candidates)]
        if ground.catalogued:
            found += offers.on(place, [w for w in ground.instance.workflows if w in here])
        for deployment in found:
            placed.put(ground, place, deployment)
    placed.generated = bool(offers.known)
    if ground.catalogued:
        placed.candidates += coarse_drops(ground)
    placed.candidates += [*stated.drops, *offers.drops]
    return placed


def _admitted(ground: Ground, place: Place) -> tuple[set[str], list[Candidate]]:
    """Workflows with work in tasks that may run on this pool at all."""
    flows = {w: workflow for w, workflow in ground.instance.workflows.items() if workflow.value_usd}
    drops = {w: eligibility.of_place(workflow, place) for w, workflow in flows.items()}
    fallen = [Candidate(w, place.id, place.gpu.id, *drop) for w, drop in drops.items() if drop]
    return {w for w, drop in drops.items() if drop is None}, fallen


def _owners(ground: Ground, deployment: Deployment) -> Iterator[tuple[str | None, Mapping[Use, Work]]]:
    workflows = ground.instance.workflows
    served = dict.fromkeys(use.workflow for use in deployment.work)
    alone = [w for w in served if workflows[w].isolation or workflows[w].gpu_hours is not None]
    common = {use: work for use, work in deployment.work.items() if use.workflow not in alone}
    if common:
        yield None, common
    yield from ((w, {use: work for use, work in deployment.work.items() if use.workflow == w}) for w in alone)


def _owned(deployment: Deployment, owner: str | None, work: Mapping[Use, Work]) -> Deployment:
    suffix = f"/for-{owner}"
    if owner is None or deployment.id.endswith(suffix):
        return replace(deployment, work=work)
    return replace(deployment, id=deployment.id + suffix, name=deployment.name + suffix, work=work)


def _endpoint(place: Place, d: Deployment, owner: str | None) -> Endpoint:
    return Endpoint(
        id=f"{place.id}/{d.name}", deployment=d.id, pool=place.id, site=place.pool.site, model=d.model, gpu=d.gpu,
        precision=d.precision, gpus=d.gpus, slot=d.slice, concurrency=d.concurrency, context_tokens=d.context_tokens,
        hbm_gb=d.hbm_gb, idle_kw=d.idle_kw, op_kw=d.op_kw, availability=d.availability, owner=owner, keep=d.keep,
        bound_by=_commonest(work.bound_by for work in d.work.values()),
        grade=_commonest(work.grade for work in d.work.values()), max_replicas=None, resources=d.resources,
        constant=tuple(tuple(map(Period, group)) for group in d.constant),
    )  # fmt: skip


def _pair(ground: Ground, w: str, model: str, work: Work) -> Pair:
    """A handled task is as many attempts as its yield on the AI model takes."""
    workflow = ground.instance.workflows[w]
    due = outcome(workflow, model)
    return Pair(
        tasks_per_hour=work.tasks_per_hour / due.attempts, bytes_gb=work.bytes_gb * due.attempts,
        tflop=work.tflop * due.attempts, good_mtok=good_mtok(workflow) * due.good, ttft_ms=work.ttft_ms,
        tpot_ms=work.tpot_ms, grade=work.grade, bound_by=work.bound_by, good=due.good,
        liability_usd=due.liability_usd, review_hours=due.review_hours,
    )  # fmt: skip


def _commonest(words: Iterable[str]) -> str:
    found = sorted(words)
    return max(found, key=found.count)
