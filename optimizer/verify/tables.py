"""The decisions of a plan, read from its tables, and what is wrong with the tables themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

from optimizer.verify.facts import Deployment, Facts, Pool
from optimizer.verify.rows import Row

Entry = Mapping[str, Any]  # one line of a table, as JSON has it
Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Tables:
    """What a plan decides. Numbers by key; what a table does not list is zero."""

    facts: Facts
    endpoints: Mapping[str, tuple[str, str]]  # endpoint -> deployment, pool
    replicas: Mapping[tuple[str, str], float]
    served: Mapping[tuple[str, str, str, str], float]  # workflow, source, period, day part
    funded: Mapping[tuple[str, str], float]
    launched: Mapping[tuple[str, str], float]
    powered: Mapping[tuple[str, str], float]  # nodes
    cut: Mapping[tuple[str, str, str], float]  # pool, layout, period -> GPUs

    def deployment(self, endpoint: str) -> Deployment:
        """The deployment behind an endpoint."""
        return self.facts.deployments[self.endpoints[endpoint][0]]

    def gpus(self, endpoint: str) -> float:
        """GPUs of one replica; a slot counts as the part of the GPU that it is."""
        deployment, pool = self.deployment(endpoint), self.facts.pools[self.endpoints[endpoint][1]]
        return deployment.gpus if deployment.slot is None else pool.slot_gpus.get(deployment.slot, 1.0)

    @cached_property
    def at_pool(self) -> Mapping[str, list[str]]:
        """Endpoints of each pool."""
        return _grouped(self.endpoints, lambda e: self.endpoints[e][1])

    @cached_property
    def on_endpoint(self) -> Mapping[tuple[str, str, str], dict[str, float]]:
        """Tasks by workflow on each endpoint, period and day part."""
        return self._by_source(lambda source: source in self.endpoints)

    @cached_property
    def at_api(self) -> Mapping[tuple[str, str, str], dict[str, float]]:
        """Calls by workflow to each API, period and day part."""
        return self._by_source(lambda source: source not in self.endpoints)

    @cached_property
    def totals(self) -> Mapping[tuple[str, str, str], float]:
        """Tasks of each workflow by period and day part, from every source."""
        total: dict[tuple[str, str, str], float] = defaultdict(float)
        for (w, _, t, b), tasks in self.served.items():
            total[w, t, b] += tasks
        return total

    def sold(self, w: str, t: str) -> float:
        """Tasks of a workflow in a period."""
        return sum(self.totals.get((w, t, b), 0.0) for b in self.facts.time.parts)

    def _by_source(self, wanted: Callable[[str], bool]) -> Mapping[tuple[str, str, str], dict[str, float]]:
        found: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
        for (w, source, t, b), tasks in self.served.items():
            if wanted(source):
                found[source, t, b][w] = tasks
        return found


class Reader:
    """Reads the tables of one plan; lines it cannot take are `rows` that fail."""

    def __init__(self, plan: Mapping[str, Any], facts: Facts) -> None:
        self.plan, self.facts = plan, facts
        self.rows: list[Row] = []
        self.known: dict[str, Iterable[str]] = {
            "workflow": facts.workflows,
            "pool": facts.pools,
            "deployment": facts.deployments,
            "period": facts.time.periods,
            "day_part": facts.time.parts,
        }

    def read(self) -> Tables:
        """The decisions of the plan."""
        self.endpoints = self._endpoints()
        self.known["source"] = {*self.endpoints, *self.facts.apis}
        return Tables(
            self.facts,
            self.endpoints,
            self._numbers("endpoints", ("endpoint", "period"), "replicas", whole=True),
            self._numbers("serving", ("workflow", "source", "period", "day_part"), "served"),
            self._numbers("workflows", ("workflow", "period"), "funded", whole=True, most=1),
            self._numbers("workflows", ("workflow", "period"), "launched", whole=True, most=1),
            self._numbers("pools", ("pool", "period"), "powered_nodes", whole=True),
            self._numbers("layouts", ("pool", "layout", "period"), "gpus", whole=True),
        )

    def _endpoints(self) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for line in self._lines("endpoints", ("deployment", "pool", "period")):
            name, place = str(line["endpoint"]), (str(line["deployment"]), str(line["pool"]))
            if found.setdefault(name, place) != place:
                self._fault("endpoints", name, "an endpoint is one deployment on one pool")
            if not _belongs(self.facts.deployments[place[0]], place, self.facts.pools[place[1]]):
                self._fault("endpoints", name, f"{place[0]} is no deployment for the GPUs of {place[1]}")
        self.known["endpoint"] = found
        return found

    def _lines(self, table: str, columns: Sequence[str]) -> Iterator[Entry]:
        for line in self.plan.get(table, ()):
            strange = [c for c in columns if c in self.known and str(line[c]) not in self.known[c]]
            for column in strange:
                self._fault(table, str(line[column]), f"the instance has no such {column}")
            if not strange:
                yield line

    def _numbers(
        self, table: str, key: Sequence[str], column: str, *, whole: bool = False, most: float | None = None
    ) -> Any:
        found: dict[tuple[str, ...], float] = {}
        for line in self._lines(table, key):
            at, value = tuple(str(line[k]) for k in key), float(line[column])
            if at in found:
                self._fault(table, ",".join(at), "listed twice")
            if not isfinite(value) or value < -1e-9 or (whole and value != round(value)) or value > (most or value):
                self._fault(table, ",".join(at), f"{column} is {value:g}")
            found[at] = value
        return found

    def _fault(self, table: str, name: str, text: str) -> None:
        self.rows.append(Row("plan", (table, name), "", 1.0, "<=", 0.0, text=text))


def reported(plan: Mapping[str, Any], tables: Tables) -> Iterator[Row]:
    """What the tables say of themselves agrees with the decisions: GPUs, GB, tasks, status and bound."""
    for line in plan.get("endpoints", ()):
        e, t = str(line["endpoint"]), str(line["period"])
        if e in tables.endpoints:
            replicas = tables.replicas.get((e, t), 0.0)
            yield Row("plan", ("gpus", e), t, line["gpus"], "==", tables.gpus(e) * replicas)
            yield Row("plan", ("hbm_gb", e), t, line["hbm_gb"], "==", tables.deployment(e).hbm_gb * replicas)
    for line in plan.get("workflows", ()):
        w, t = str(line["workflow"]), str(line["period"])
        if w in tables.facts.workflows and t in tables.facts.time.periods:
            yield from _reported_work(line, tables, w, t)
    bound, objective = plan.get("bound_usd"), float(plan["objective_usd"])
    if bound is not None:
        yield Row("plan", ("bound",), "", objective, "<=", float(bound))
    twice = Counter(str(line["term"]) for line in plan["ledger"])
    yield from (Row("plan", ("ledger", term), "", n, "<=", 1.0) for term, n in twice.items())


def _reported_work(line: Entry, tables: Tables, w: str, t: str) -> Iterator[Row]:
    work, parts = tables.facts.workflows[w], tables.facts.time.parts
    bought = sum(tables.at_api.get((a, t, b), {}).get(w, 0.0) for a in tables.facts.apis for b in parts)
    scale = work.demand.get(t, 0.0)
    yield Row("plan", ("demand", w), t, line["demand"], "==", scale)
    yield Row("plan", ("served", w), t, line["served"], "==", tables.sold(w, t), scale)
    yield Row("plan", ("api", w), t, line["api"], "==", bought, scale)


def _belongs(deployment: Deployment, place: tuple[str, str], pool: Pool) -> bool:
    return bool(deployment.gpu_names & pool.gpu_names) and (deployment.pools is None or place[1] in deployment.pools)


def _grouped(names: Iterable[str], of: Callable[[str], str]) -> Mapping[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[of(name)].append(name)
    return groups
