"""The numbers of one instance, resolved: what the families read and nothing else.

Canonical units: GPU, GB (10^9 bytes), kW, kWh, hour, task, token, money of the instance. Everything by
period is a dict keyed by period id; sparse pairs exist only if eligible. `resolve` builds it; families
only look things up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from optimizer.formulation.calendar import Calendar, Part, Period
from optimizer.formulation.fleet import (
    Book,
    Books,
    Brings,
    Endpoint,
    Flow,
    Footprint,
    Loss,
    Offer,
    Pool,
    Quota,
    Resource,
    Sharing,
    Site,
)
from optimizer.formulation.work import (
    ApiLimit,
    ApiPair,
    Band,
    Budget,
    Bundle,
    Candidate,
    Commitment,
    Concentration,
    Pair,
    Pilot,
    Retraining,
    Serving,
    Skill,
    Tool,
    Tranche,
    Variant,
    Workflow,
)

__all__ = [
    "ApiLimit",
    "ApiPair",
    "Band",
    "Book",
    "Books",
    "Brings",
    "Budget",
    "Bundle",
    "Calendar",
    "Candidate",
    "Commitment",
    "Concentration",
    "Data",
    "Endpoint",
    "Flow",
    "Footprint",
    "Loss",
    "Offer",
    "Pair",
    "Part",
    "Period",
    "Pilot",
    "Pool",
    "Quota",
    "Resource",
    "Retraining",
    "Serving",
    "Sharing",
    "Site",
    "Skill",
    "Tool",
    "Tranche",
    "Variant",
    "Workflow",
]


class Work(NamedTuple):
    """One workflow on one source, with its figures there."""

    workflow: Workflow
    source: str
    pair: Pair


class Arrival(NamedTuple):
    """What one lot, ordered then, brings."""

    offer: str
    order: Period
    amount: float


@dataclass(frozen=True)
class Data:
    """One instance, ready to be stated."""

    name: str
    currency: str
    calendar: Calendar
    sites: Mapping[str, Site]
    pools: Mapping[str, Pool]
    endpoints: Mapping[str, Endpoint]
    workflows: Mapping[str, Workflow]
    pairs: Mapping[tuple[str, str], Pair]  # (workflow, endpoint)
    api_pairs: Mapping[tuple[str, str], ApiPair]  # (workflow, api)
    api_limits: Mapping[str, ApiLimit]
    budgets: tuple[Budget, ...]
    launch_limit: Mapping[Period, float]  # absent period: no limit
    portfolio_limit: Mapping[Period, float]
    candidates: tuple[Candidate, ...] = ()
    offers: Mapping[str, Offer] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()
    footprints: tuple[Footprint, ...] = ()
    resources: Mapping[str, Resource] = field(default_factory=dict)
    skills: Mapping[str, Skill] = field(default_factory=dict)
    tools: Mapping[str, Tool] = field(default_factory=dict)
    variants: Mapping[str, Variant] = field(default_factory=dict)  # source with tools -> what is behind it
    commitments: tuple[Commitment, ...] = ()
    concentrations: tuple[Concentration, ...] = ()
    losses: tuple[Loss, ...] = ()
    exploration_share: Mapping[Period, float] = field(default_factory=dict)  # of owned GPU-hours
    model_tb: Mapping[str, float] = field(default_factory=dict)  # AI model -> TB of weights, where storage counts
    notes: tuple[str, ...] = ()  # assumptions a reader must know (defaults used, reductions made)

    def behind(self, source: str) -> str:
        """The endpoint or API that a source stands for, with or without tools."""
        return self.variants[source].source if source in self.variants else source

    @cached_property
    def yields_of(self) -> dict[str, tuple[float, ...]]:
        """Shares of good output that the sources of each workflow have, each once."""
        found: dict[str, set[float]] = {w: set() for w in self.workflows}
        for (w, _), own in self.pairs.items():
            found[w].add(own.good)
        for (w, _), bought in self.api_pairs.items():
            found[w].add(bought.good)
        return {w: tuple(sorted(goods)) or (1.0,) for w, goods in found.items()}

    @cached_property
    def bands_of(self) -> dict[str, tuple[Band, ...]]:
        """Tranches of each workflow, split by yield where its sources differ in it."""
        return {
            name: tuple(
                Band(str(k) if len(goods) == 1 else f"{k} at {good:g}", k, band.width, band.usd, good)
                for k, band in enumerate(self.workflows[name].tranches)
                for good in goods
            )
            for name, goods in self.yields_of.items()
        }

    @cached_property
    def endpoints_of(self) -> dict[str, tuple[str, ...]]:
        """Own sources that may serve each workflow: endpoints, and endpoints with tools."""
        return _group(self.workflows, ((w, e) for w, e in self.pairs))

    @cached_property
    def work_on(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Pairs (workflow, source) that use the replicas of each endpoint."""
        groups: dict[str, list[tuple[str, str]]] = {e: [] for e in self.endpoints}
        for w, source in self.pairs:
            groups[self.behind(source)].append((w, source))
        return {e: tuple(work) for e, work in groups.items()}

    @cached_property
    def work_in(self) -> dict[tuple[str, Period], tuple[Work, ...]]:
        """What may use the replicas of each endpoint in each period."""
        windows = {w: frozenset(flow.periods) for w, flow in self.workflows.items()}
        found: dict[tuple[str, Period], tuple[Work, ...]] = {}
        for e, pairs in self.work_on.items():
            work = [Work(self.workflows[w], source, self.pairs[w, source]) for w, source in pairs]
            found |= {(e, t): tuple(x for x in work if t in windows[x.workflow.id]) for t in self.calendar.periods}
        return found

    @cached_property
    def workflows_on(self) -> dict[str, tuple[str, ...]]:
        """Workflows that may be served by each endpoint."""
        return {e: tuple(dict.fromkeys(w for w, _ in work)) for e, work in self.work_on.items()}

    @cached_property
    def apis_of(self) -> dict[str, tuple[str, ...]]:
        """Bought sources that may serve each workflow: APIs, and APIs with tools."""
        return _group(self.workflows, self.api_pairs)

    @cached_property
    def calls_to(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Pairs (workflow, source) that call each API."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for w, source in self.api_pairs:
            groups.setdefault(self.behind(source), []).append((w, source))
        return {a: tuple(calls) for a, calls in groups.items()}

    @cached_property
    def trained_on(self) -> dict[str, tuple[str, ...]]:
        """Workflows whose retraining may run on each pool."""
        training = ((w.id, w.retraining) for w in self.workflows.values() if w.retraining)
        return _group(self.pools, ((p, w) for w, each in training for p in each.speed))

    @cached_property
    def arrivals(self) -> dict[tuple[str, str, Period], tuple[Arrival, ...]]:
        """What lots bring, by effect, owner and the period in which it is felt."""
        found: dict[tuple[str, str, Period], list[Arrival]] = {}
        for o in self.offers.values():
            for each in o.brings:
                for (order, felt), amount in each.amount.items():
                    if order in o.lots:
                        found.setdefault((each.effect, each.owner, felt), []).append(Arrival(o.id, order, amount))
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def endpoints_at(self) -> dict[str, tuple[str, ...]]:
        """Endpoints of each pool."""
        return _group(self.pools, ((e.pool, i) for i, e in self.endpoints.items()))

    @cached_property
    def pools_at(self) -> dict[str, tuple[str, ...]]:
        """Pools of each site."""
        return _group(self.sites, ((p.site, i) for i, p in self.pools.items()))


def _group(keys: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {k: [] for k in keys}
    for k, member in pairs:
        groups[k].append(member)
    return {k: tuple(v) for k, v in groups.items()}
