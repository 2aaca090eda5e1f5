"""The answer to one instance: a self-contained document whose tables are also data frames."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

from optimizer.plan.reading import plan_document

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "solvency/plan/1"
FIRST = ("ledger", "workflows", "endpoints", "serving", "resources", "decisions", "candidates")  # in every plan ever
UNALLOCATED = "unallocated"  # the line of the allocation for costs that no workflow causes

Row = dict[str, Any]
Document = dict[str, Any]


class Documented(Protocol):
    """Anything whose tables are those of a document."""

    @property
    def document(self) -> Document:
        """Plain JSON data."""


class Table:
    """One table of a document: its columns stated here, its rows a data frame when asked for.

    Every access makes a fresh frame, so changing one never changes the document.
    """

    def __init__(self, *columns: str) -> None:
        self.columns = columns

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, of: None, owner: type) -> Self: ...
    @overload
    def __get__(self, of: Documented, owner: type) -> pd.DataFrame: ...
    def __get__(self, of: Documented | None, owner: type) -> Self | pd.DataFrame:
        if of is None:
            return self
        import pandas as pd  # noqa: PLC0415  most of a second, which a plan written as JSON never pays

        return pd.DataFrame(list(of.document[self.name]), columns=list(self.columns))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, over the whole horizon: funded workflows, endpoints, decisions, and the ledger they earn.

    Money is the instance's currency: `usd` in the ledger is present value, all else is cash of its period.
    """

    document: Document

    ledger = Table("term", "usd", "cash_usd")
    workflows = Table(
        "workflow", "period", "funded", "launched", "demand", "served", "api", "unit",
        "value_usd", "cost_usd", "net_usd", "usd_per_mtok",
    )  # fmt: skip
    endpoints = Table(
        "endpoint", "pool", "site", "model", "gpu", "period", "replicas", "gpus", "hbm_gb", "kw",
        "utilisation", "bound_by", "grade", "deployment", "precision", "concurrency", "context_tokens",
        "tokens_per_s",
    )  # fmt: skip
    serving = Table("workflow", "source", "period", "day_part", "served")
    resources = Table("family", "row", "period", "unit", "capacity", "used", "slack", "full")
    decisions = Table("kind", "name", "period", "amount", "usd")
    candidates = Table("workflow", "pool", "deployment", "stage", "reason", "value", "limit")
    pools = Table("pool", "site", "gpu", "period", "gpus", "used", "powered_nodes", "idle_gpus", "usd")
    layouts = Table("pool", "layout", "period", "gpus")
    power = Table("site", "period", "day_part", "kw", "limit")
    allocation = Table("workflow", "period", "term", "cash_usd")
    verdicts = Table("workflow", "verdict", "served_share", "net_usd", "why")
    tools = Table("tool", "period", "adopted", "usd")
    bundles = Table("workflow", "period", "bundle", "chosen")
    hosting = Table("model", "site", "period", "hosted")
    retraining = Table("workflow", "pool", "period", "gpu_hours")
    rescue = Table("loss", "workflow", "source", "period", "day_part", "rescued")
    moves = Table("endpoint", "period", "up", "down")
    depreciation = Table("offer", "order", "period", "lots", "method", "usd", "book_usd")
    commitments = Table("api", "period", "usd", "shortfall")
    changes = Table("kind", "name", "period", "against", "before", "now", "up", "down")
    footprint = Table("site", "period", "mwh", "t_co2", "m3")
    stranded = Table(
        "pool", "endpoint", "period", "gpu_hours", "fed_share", "stranded_share", "stranded_usd", "bound_by"
    )

    statement = Table("workflow", "line", "period", "cash_usd", "in_net", "note")
    unit_economics = Table(
        "workflow", "period", "own_mtok", "api_mtok", "usd_per_mtok_own", "usd_per_mtok_api", "break_even_tasks",
        "break_even_mtok", "demand", "source", "api", "note",
    )  # fmt: skip
    funnel = Table("stage", "workflows", "value_usd")
    funnel_exits = Table("workflow", "stage", "value_usd", "reason")
    investments = Table(
        "offer", "kind", "lots", "capex_usd", "serves", "payback_periods", "npv_with", "npv_without", "gain_usd",
        "gain_low", "gain_high", "gap", "method", "seconds",
    )  # fmt: skip
    tool_verdicts = Table(
        "tool", "adopted", "usd", "npv_with", "npv_without", "gain_usd", "gain_low", "gain_high", "usd_per_mtok_with",
        "usd_per_mtok_without", "verdict", "method", "seconds",
    )  # fmt: skip
    exploration = Table(
        "workflows", "gpu_hours", "share", "net_usd", "others_with", "others_without", "cost_usd", "cost_low",
        "cost_high", "method", "seconds",
    )  # fmt: skip
    exploration_cap = Table(
        "share", "npv_with", "npv_without", "cost_usd", "cost_low", "cost_high", "method", "seconds"
    )  # fmt: skip

    @property
    def status(self) -> str:
        """`optimal`, `feasible`, `infeasible`, `unbounded`, `interrupted` or `no_plan`."""
        return str(self.document["status"])

    @property
    def answered(self) -> bool:
        """Whether there is an allocation to act on."""
        return self.document["objective_usd"] is not None

    @property
    def objective_usd(self) -> float:
        """Net present value; not a number without an allocation."""
        return _number(self.document["objective_usd"])

    @property
    def bound_usd(self) -> float:
        """No plan of this instance is worth more; not a number if nothing was proved."""
        return _number(self.document["bound_usd"])

    @property
    def gap(self) -> float:
        """How far the bound is above the objective, relative; not a number if either is missing."""
        return _number(self.document["gap"])

    @property
    def conflict(self) -> Document | None:
        """What cannot hold together, when nothing can."""
        conflict: Document | None = self.document["conflict"]
        return conflict

    def to_json(self) -> str:
        """The document as JSON, full precision, nothing that is not JSON."""
        return json.dumps(self.document, indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def read(cls, path: str | Path) -> Plan:
        """The plan saved in a file; BadInput if it is not one."""
        return cls(plan_document(path, SCHEMA, {name: table.columns for name, table in TABLES.items()}, FIRST))


TABLES: Mapping[str, Table] = {name: member for name, member in vars(Plan).items() if isinstance(member, Table)}


def jsonable(document: Mapping[str, Any]) -> Document:
    """Plain JSON data: tuples become lists, numbers that are not finite become null."""
    return {str(key): _jsonable(value) for key, value in document.items()}


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return jsonable(value)
    if isinstance(value, (list, tuple)):
        return [_jsonable(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
