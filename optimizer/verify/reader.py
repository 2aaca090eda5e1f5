"""The tables of a plan as decisions, and what is wrong with the tables themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from optimizer.verify.facts import Deployment, Facts, Pool
from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables

Entry = Mapping[str, Any]  # one line of a table, as JSON has it

KINDS = {"purchase": "buy", "lease": "lease", "retire": "retire", "release": "release", "upgrade": "upgrade"}


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
            "site": facts.sites,
            "api": facts.apis,
            "tool": facts.tools,
            "loss": facts.losses,
            "bundle": {b for w in facts.workflows.values() for b in w.needs.bundles},
            "model": {d.model for d in facts.deployments.values()},
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
            self._lots(),
            self._numbers("tools", ("tool", "period"), "adopted", whole=True, most=1),
            self._numbers("bundles", ("workflow", "bundle", "period"), "chosen", whole=True, most=1),
            self._numbers("hosting", ("model", "site", "period"), "hosted", whole=True, most=1),
            self._numbers("retraining", ("workflow", "pool", "period"), "gpu_hours"),
            self._numbers("rescue", ("loss", "workflow", "source", "period", "day_part"), "rescued"),
            self._numbers("moves", ("endpoint", "period"), "up"),
            self._numbers("moves", ("endpoint", "period"), "down"),
            self._numbers("commitments", ("api", "period"), "shortfall"),
        )

    def _lots(self) -> dict[tuple[str, str], float]:
        """Orders among the decisions, each of the kind that its offer is."""
        self.known["name"] = self.facts.offers
        orders = [line for line in self.plan.get("decisions", ()) if line["kind"] not in ("adopt", "launch")]
        lots: dict[tuple[str, str], float] = self._numbers(
            "decisions", ("name", "period"), "amount", orders, whole=True
        )
        for line in orders:
            offer = self.facts.offers.get(str(line["name"]))
            if offer and line["kind"] != KINDS[offer.kind]:
                self._fault("decisions", str(line["name"]), f"is to {offer.kind}, not to {line['kind']}")
        return lots

    def _endpoints(self) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for line in self._lines("endpoints", ("deployment", "pool", "period")):
            name, place = str(line["endpoint"]), (str(line["deployment"]), str(line["pool"]))
            if found.setdefault(name, place) != place:
                self._fault("endpoints", name, "an endpoint is one deployment on one pool")
            if not _belongs(self.facts.deployments[place[0]], place, self.facts.pools[place[1]]):
                self._fault("endpoints", name, f"{place[0]} is no deployment for the GPUs of {place[1]}")
        self.known["endpoint"] = {*found, *(self.facts.change.before or ())}
        return found

    def _lines(self, table: str, columns: Sequence[str], lines: Iterable[Entry] | None = None) -> Iterator[Entry]:
        for line in self.plan.get(table, ()) if lines is None else lines:
            strange = [c for c in columns if c in self.known and not self._knows(c, str(line[c]))]
            for column in strange:
                self._fault(table, str(line[column]), f"the instance has no such {column}")
            if not strange:
                yield line

    def _knows(self, column: str, name: str) -> bool:
        plain, *tools = name.split("+") if column == "source" else [name]
        return plain in self.known[column] and all(tool in self.facts.tools for tool in tools)

    def _numbers(
        self,
        table: str,
        key: Sequence[str],
        column: str,
        lines: Iterable[Entry] | None = None,
        *,
        whole: bool = False,
        most: float | None = None,
    ) -> Any:
        found: dict[tuple[str, ...], float] = {}
        for line in self._lines(table, key, lines):
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
    calls = (tables.at_api.get((a, t, b), {}) for a in tables.facts.apis for b in parts)
    bought = sum(n for made in calls for (v, _), n in made.items() if v == w)
    scale = work.demand.get(t, 0.0)
    yield Row("plan", ("demand", w), t, line["demand"], "==", scale)
    yield Row("plan", ("served", w), t, line["served"], "==", tables.sold(w, t) + _taken(tables, w, t), scale)
    yield Row("plan", ("api", w), t, line["api"], "==", bought, scale)


def _taken(tables: Tables, w: str, t: str) -> float:
    """Bundles taken by a workflow that sells nothing else."""
    work = tables.facts.workflows[w]
    return 0.0 if work.tranches else sum(tables.chosen.get((w, b, t), 0.0) for b in work.needs.bundles)


def _belongs(deployment: Deployment, place: tuple[str, str], pool: Pool) -> bool:
    return bool(deployment.gpu_names & pool.gpu_names) and (deployment.pools is None or place[1] in deployment.pools)
