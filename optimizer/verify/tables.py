"""The decisions of a plan, and the sums over them that many rules need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from optimizer.verify.facts import Deployment, Facts, Speed
from optimizer.verify.facts_more import Outcome

Served = Mapping[tuple[str, str, str, str], float]  # tasks by workflow, source, period, day part
Work = Mapping[tuple[str, str], float]  # tasks by workflow and source


@dataclass(frozen=True)
class Tables:
    """What a plan decides. Numbers by key; what a table does not list is zero."""

    facts: Facts
    endpoints: Mapping[str, tuple[str, str]]  # endpoint -> deployment, pool
    replicas: Mapping[tuple[str, str], float]
    served: Served
    funded: Mapping[tuple[str, str], float]
    launched: Mapping[tuple[str, str], float]
    powered: Mapping[tuple[str, str], float]  # nodes
    cut: Mapping[tuple[str, str, str], float]  # pool, layout, period -> GPUs
    lots: Mapping[tuple[str, str], float]  # offer, period of order
    adopted: Mapping[tuple[str, str], float]  # tool, period
    chosen: Mapping[tuple[str, str, str], float]  # workflow, bundle, period
    hosted: Mapping[tuple[str, str, str], float]  # AI model, site, period
    trained: Mapping[tuple[str, str, str], float]  # workflow, pool, period -> GPU-hours
    rescued: Mapping[tuple[str, str, str, str, str], float]  # loss, workflow, source, period, day part
    up: Mapping[tuple[str, str], float]  # endpoint, period -> replicas more than before
    down: Mapping[tuple[str, str], float]
    shortfall: Mapping[tuple[str, str], float]  # API, period -> committed money that was not spent

    def behind(self, source: str) -> str:
        """The endpoint or API that a source stands for, with or without tools."""
        return source.partition("+")[0]

    def name(self, source: str) -> str:
        """The AI model or API that a source is."""
        plain = self.behind(source)
        return self.deployment(plain).model if plain in self.endpoints else plain

    def site(self, source: str) -> str | None:
        """Where a source stands; None for an API."""
        plain = self.behind(source)
        return self.facts.pools[self.endpoints[plain][1]].site if plain in self.endpoints else None

    def speed(self, w: str, source: str) -> Speed | None:
        """Speed of one task handled, all attempts counted; None where none is stated for the pair."""
        plain, _, tools = source.partition("+")
        once = self.deployment(plain).work.get(f"{w}+{tools}" if tools else w)
        return once.times(self.outcome(w, source).attempts) if once else None

    def tokens(self, w: str, source: str) -> tuple[float, float]:
        """Tokens in and out of one attempt at a task."""
        plain, _, tools = source.partition("+")
        api = self.facts.apis.get(plain)
        changed = api.tokens_with.get(f"{w}+{tools}") if api else None
        return changed or self.facts.workflows[w].tokens(self.name(source))

    def outcome(self, w: str, source: str) -> Outcome:
        """What becomes of a task handled by a source."""
        return self.facts.workflows[w].outcome(self.name(source))

    def deployment(self, endpoint: str) -> Deployment:
        """The deployment behind an endpoint."""
        return self.facts.deployments[self.endpoints[endpoint][0]]

    def gpus(self, endpoint: str) -> float:
        """GPUs of one replica; a slot counts as the part of the GPU that it is."""
        deployment, pool = self.deployment(endpoint), self.facts.pools[self.endpoints[endpoint][1]]
        return deployment.gpus if deployment.slot is None else pool.slot_gpus.get(deployment.slot, 1.0)

    def brought(self, what: str, owner: str, t: str) -> float:
        """What the lots ordered so far add to a limit in a period; what leaves is taken off."""
        return sum(
            lots * offer.brings.get((what, owner), 0.0)
            for (o, order), lots in self.lots.items()
            if t in (offer := self.facts.offers[o]).there.get(order, ())
        )

    @cached_property
    def at_pool(self) -> Mapping[str, list[str]]:
        """Endpoints of each pool."""
        return _grouped(self.endpoints, lambda e: self.endpoints[e][1])

    @cached_property
    def pools_at(self) -> Mapping[str, list[str]]:
        """Pools of each site."""
        return _grouped(self.facts.pools, lambda p: self.facts.pools[p].site)

    @cached_property
    def on_endpoint(self) -> Mapping[tuple[str, str, str], Work]:
        """Tasks by workflow and source on each endpoint, period and day part."""
        return self.by_place(self.served, lambda place: place in self.endpoints)

    @cached_property
    def at_api(self) -> Mapping[tuple[str, str, str], Work]:
        """Calls by workflow and source to each API, period and day part."""
        return self.by_place(self.served, lambda place: place not in self.endpoints)

    @cached_property
    def totals(self) -> Mapping[tuple[str, str, str], float]:
        """Tasks of each workflow by period and day part, from every source."""
        total: dict[tuple[str, str, str], float] = defaultdict(float)
        for (w, _, t, b), tasks in self.served.items():
            total[w, t, b] += tasks
        return total

    @cached_property
    def by_source(self) -> Mapping[tuple[str, str], Mapping[str, float]]:
        """Tasks of each workflow and period by source."""
        found: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for (w, source, t, _), tasks in self.served.items():
            found[w, t][source] += tasks
        return found

    def handled(self, w: str, t: str) -> Iterable[tuple[str, float]]:
        """Sources of a workflow in a period, with their tasks."""
        return self.by_source.get((w, t), {}).items()

    def sold(self, w: str, t: str) -> float:
        """Tasks of a workflow in a period."""
        return sum(self.totals.get((w, t, b), 0.0) for b in self.facts.time.parts)

    def proven(self, w: str, t: str) -> bool:
        """Whether a workflow is no pilot, or was one in enough earlier periods."""
        pilot, periods = self.facts.workflows[w].needs.pilot, self.facts.time.periods
        earlier = periods[: periods.index(t)]
        return pilot is None or sum(self.funded.get((w, u), 0.0) for u in earlier) >= pilot.periods

    def wanted(self, e: str) -> bool:
        """Whether any workflow of an endpoint ever has demand; without, it has no replicas to hold or to move."""
        known, name = self.facts.deployments, e.partition("/")[2]
        empty = known.get(name, known.get(name.rpartition("/for-")[0]))  # of which no replica stands in any period
        deployment = self.deployment(e) if e in self.endpoints else empty
        names = {w.partition("+")[0] for w in (deployment.work if deployment else ())}
        return any(max(self.facts.workflows[w].demand.values()) > 0 for w in names)

    def by_place(self, tasks: Served, wanted: Callable[[str], bool]) -> Mapping[tuple[str, str, str], Work]:
        """Tasks by the endpoint or API that they use, its tools aside."""
        found: dict[tuple[str, str, str], dict[tuple[str, str], float]] = defaultdict(dict)
        for (w, source, t, b), handled in tasks.items():
            if wanted(self.behind(source)):
                found[self.behind(source), t, b][w, source] = handled
        return found


def _grouped(names: Iterable[str], of: Callable[[str], str]) -> Mapping[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[of(name)].append(name)
    return groups
