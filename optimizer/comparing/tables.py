"""The tables of a comparison: rows of two plans matched by their keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from optimizer.plan.plan import Document, Row

Key = tuple[Any, ...]

SAME = 1e-6  # relative; less is rounding
SHARE = 5e-4  # of demand; less is not a change of what is served

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "workflows": (
        "workflow", "change", "share_before", "share_after", "net_usd_before", "net_usd_after", "why_before",
        "why_after",
    ),
    "served": ("workflow", "period", "unit", "before", "after", "api_before", "api_after"),
    "ledger": ("term", "before_usd", "after_usd", "change_usd"),
    "moved": ("kind", "name", "period", "unit", "before", "after", "change"),
    "endpoints": (
        "endpoint", "pool", "model", "period", "replicas_before", "replicas_after", "gpus_before", "gpus_after",
        "hbm_gb_before", "hbm_gb_after", "kw_before", "kw_after",
    ),
    "limits": (
        "family", "row", "period", "unit", "binds", "capacity_before", "capacity_after", "used_before", "used_after",
    ),
    "decisions": ("kind", "name", "period", "before", "after"),
}  # fmt: skip


def net(a: Document, b: Document) -> Row:
    """Net values and their difference, with the interval that both proofs leave to the difference of the optima."""
    before, after = a["objective_usd"], b["objective_usd"]
    return {
        "before": before,
        "after": after,
        "change": _less(after, before),
        "low": _less(after, a["bound_usd"]),
        "high": _less(b["bound_usd"], before),
    }


def workflows(a: Document, b: Document) -> Iterator[Row]:
    """Every workflow: whether it entered or left, gets more or less of its demand, and what either plan says why."""
    for (name,), before, after in _matched(a["verdicts"], b["verdicts"], "workflow"):
        yield {
            "workflow": name,
            "change": _change(before, after),
            **_both("share", before, after, "served_share"),
            **_both("net_usd", before, after, "net_usd"),
            **_both("why", before, after, "why"),
        }


def served(a: Document, b: Document) -> Iterator[Row]:
    """Tasks served by workflow and period where they differ; the part that is bought beside them."""
    for (name, period), before, after in _matched(a["workflows"], b["workflows"], "workflow", "period"):
        old, new, unit = _amount(before, "served"), _amount(after, "served"), (after or before or {})["unit"]
        bought = _amount(before, "api"), _amount(after, "api")
        if _differ(old, new) or _differ(*bought):
            amounts = {"before": old, "after": new, "api_before": bought[0], "api_after": bought[1]}
            yield {"workflow": name, "period": period, "unit": unit, **amounts}


def ledger(a: Document, b: Document) -> Iterator[Row]:
    """Each term of the objective; the changes add up to the change of net value."""
    for (term,), before, after in _matched(a["ledger"], b["ledger"], "term"):
        old, new = _amount(before, "usd"), _amount(after, "usd")
        yield {"term": term, "before_usd": old, "after_usd": new, "change_usd": new - old}


def moved(a: Document, b: Document) -> Iterator[Row]:
    """Where GPUs, HBM and MW moved: by pool, AI model and site, per period, where they differ."""
    for kind, unit, old, new in zip(KINDS, UNITS, _standing(a), _standing(b), strict=True):
        for name, period in dict.fromkeys((*old, *new)):
            before, after = old.get((name, period), 0.0), new.get((name, period), 0.0)
            if _differ(before, after):
                amounts = {"before": before, "after": after, "change": after - before}
                yield {"kind": kind, "name": name, "period": period, "unit": unit, **amounts}


def endpoints(a: Document, b: Document) -> Iterator[Row]:
    """Endpoints whose replicas differ in a period."""
    for (name, period), before, after in _matched(a["endpoints"], b["endpoints"], "endpoint", "period"):
        if _amount(before, "replicas") != _amount(after, "replicas"):
            row = after or before or {}
            amounts = {
                f"{column}_{side}": _amount(of, column)
                for column in ("replicas", "gpus", "hbm_gb", "kw")
                for side, of in (("before", before), ("after", after))
            }
            yield {"endpoint": name, "pool": row["pool"], "model": row["model"], "period": period, **amounts}


def limits(a: Document, b: Document) -> Iterator[Row]:
    """Capacities and limits that are full in either plan: `now`, `no longer` or `still`."""
    for (family, row, period), before, after in _matched(a["resources"], b["resources"], "family", "row", "period"):
        was, now = (bool(side and side["full"]) for side in (before, after))
        if was or now:
            binds = "still" if was and now else "now" if now else "no longer"
            unit = (after or before or {})["unit"]
            amounts = {**_both("capacity", before, after, "capacity"), **_both("used", before, after, "used")}
            yield {"family": family, "row": row, "period": period, "unit": unit, "binds": binds, **amounts}


def decisions(a: Document, b: Document) -> Iterator[Row]:
    """Purchases, upgrades, adoptions and launches that differ."""
    for (kind, name, period), before, after in _matched(a["decisions"], b["decisions"], "kind", "name", "period"):
        old, new = _amount(before, "amount"), _amount(after, "amount")
        if old != new:
            yield {"kind": kind, "name": name, "period": period, "before": old, "after": new}


MAKERS: Mapping[str, Callable[[Document, Document], Iterator[Row]]] = {
    "workflows": workflows, "served": served, "ledger": ledger, "moved": moved, "endpoints": endpoints,
    "limits": limits, "decisions": decisions,
}  # fmt: skip
KINDS = ("pool", "pool", "AI model", "AI model", "site")
UNITS = ("GPU", "GB", "GPU", "GB", "MW")


def _standing(plan: Document) -> tuple[dict[tuple[str, str], float], ...]:
    """Amounts by name and period, in the order of KINDS."""
    gpus: dict[tuple[str, str], float] = {(r["pool"], r["period"]): r["used"] for r in plan["pools"]}
    by: dict[tuple[str, str], dict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
    for row in plan["endpoints"]:
        for about in ("pool", "model"):
            for amount in ("gpus", "hbm_gb"):
                by[about, amount][row[about], row["period"]] += row[amount]
    peak: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan["power"]:
        at = (row["site"], row["period"])
        peak[at] = max(peak[at], row["kw"] / 1000)
    return gpus, by["pool", "hbm_gb"], by["model", "gpus"], by["model", "hbm_gb"], peak


def _change(before: Row | None, after: Row | None) -> str:
    if before is None or after is None:
        return "new" if after else "gone"
    old, new = before["served_share"], after["served_share"]
    if old == 0 or new == 0:
        return "same" if old == new else "entered" if new else "left"
    return "same" if abs(new - old) <= SHARE else "more" if new > old else "less"


def _matched(a: Iterable[Row], b: Iterable[Row], *keys: str) -> Iterator[tuple[Key, Row | None, Row | None]]:
    """Rows of both by key, in the order of the first and then of the second."""
    old, new = ({tuple(row[k] for k in keys): row for row in rows} for rows in (a, b))
    for key in dict.fromkeys((*old, *new)):
        yield key, old.get(key), new.get(key)


def _both(name: str, before: Row | None, after: Row | None, column: str) -> Row:
    return {f"{name}_{side}": row[column] if row else None for side, row in (("before", before), ("after", after))}


def _amount(row: Row | None, column: str) -> float:
    return float(row[column] or 0.0) if row else 0.0


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > SAME * max(1.0, abs(a), abs(b))


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else float(a) - float(b)
