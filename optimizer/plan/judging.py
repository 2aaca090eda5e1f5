"""Tools, exploration and its limit judged by the plan without them: net value, and dollars per good token."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum

from optimizer.engine.outcome import Values
from optimizer.formulation.build import Formulation
from optimizer.formulation.data import Data, Period, Workflow
from optimizer.plan.again import FORBIDDEN, Again, Found, Gain, Otherwise, lifted, with_one, without
from optimizer.plan.choices import tool_usd
from optimizer.plan.figures import verdict
from optimizer.plan.loading import load
from optimizer.plan.money import Cash, ledger
from optimizer.plan.plan import Row
from optimizer.plan.use import Use

CAP = "exploration_limit"


def tool_verdicts(stated: Formulation, use: Use, again: Again) -> Iterator[Row]:
    """A line per tool, the adopted ones first: net value and dollars per million good tokens with and without it.

    `usd` is what the tool itself costs over the horizon, in cash. A tool that is not adopted is adopted once in the
    plan it is compared with.
    """
    d = use.data
    costs = {j: sum(tool_usd(use, j, t) for t in d.calendar.periods) for j in d.tools}
    adopted = {j for (j, _), value in use.values.get("adopt", {}).items() if value > 0.5}
    for j in sorted(d.tools, key=lambda j: (j not in adopted, -costs[j])):
        lacking, having = (again.of(each) for each in _choice(j))
        asked, gain = (lacking if j in adopted else having), Gain.of(having, lacking)
        yield {
            "tool": j,
            "adopted": int(j in adopted),
            "usd": costs[j],
            "npv_with": having.value,
            "npv_without": lacking.value,
            "gain_usd": gain.usd,
            "gain_low": gain.low,
            "gain_high": gain.high,
            "usd_per_mtok_with": _usd_per_mtok(stated, d, having.values),
            "usd_per_mtok_without": _usd_per_mtok(stated, d, lacking.values),
            "verdict": verdict(gain.low, gain.high, taken=j in adopted, possible=asked.method != FORBIDDEN),
            "method": asked.method,
            "seconds": asked.seconds,
        }


def questions(use: Use, again: Again) -> Iterator[Otherwise]:
    """What is to be asked about tools, exploration and its limit."""
    for j in use.data.tools:
        yield from _choice(j)
    if names := _exploring(use):
        yield without("fund", *names)
    if _capped(use, again):
        yield lifted(CAP)


def _choice(tool: str) -> tuple[Otherwise, Otherwise]:
    return without("adopt", tool), with_one("adopt", tool)


def _usd_per_mtok(stated: Formulation, d: Data, decided: Values) -> float | None:
    """All cost of a plan by its million good output tokens."""
    mtok = sum(Use(d, decided).good_mtok.values()) if decided else 0.0
    if not mtok:
        return None
    load(stated, decided)
    return -fsum(line["cash_usd"] for line in ledger(stated, d) if line["term"] != "value") / mtok


def exploration(use: Use, present: Cash, again: Again) -> Iterator[Row]:
    """What exploring costs the others: their best without it, less what they earn beside it; one line, or none.

    Exploring are workflows that were funded before they were proven. Their lines of the ledger, in present value
    over the whole horizon, are `net_usd`; `share` is of the GPU-hours that are there while they are not proven.
    """
    hours = {(w.id, t): _gpu_hours(use, w, t) for w in use.data.workflows.values() for t in _unproven(use, w)}
    names = _exploring(use)
    if not names:
        return
    there = sum(
        use.gpus_there(p, t) * use.data.calendar.hours[t] for t in {t for _, t in hours} for p in use.data.pools
    )
    net, plan = sum(usd for (w, _, _), usd in present.items() if w in names), again.plan
    stopped = again.of(without("fund", *names))
    rest = None if plan.value is None else plan.value - net
    cost = Gain.of(stopped, Found(rest, rest, rest, {}, ""))
    yield {
        "workflows": names,
        "gpu_hours": sum(hours.values()),
        "share": sum(hours.values()) / there if there else None,
        "net_usd": net,
        "others_with": rest,
        "others_without": stopped.value,
        "cost_usd": cost.usd,
        "cost_low": cost.low,
        "cost_high": cost.high,
        "method": f"without exploring workflows: {stopped.method}",
        "seconds": stopped.seconds,
    }


def exploration_cap(use: Use, again: Again) -> Iterator[Row]:
    """What the limit on exploration costs: the best without it, less the plan; one line, or none without such a limit.

    `share` is the least of the GPU-hours there are that it allows in any period. Lifting a limit never costs.
    """
    if not _capped(use, again):
        return
    free, plan = again.of(lifted(CAP)), again.plan
    gain = Gain.of(free, plan)
    yield {
        "share": min(use.data.exploration_share.values()),
        "npv_with": plan.value,
        "npv_without": free.value,
        "cost_usd": gain.usd,
        "cost_low": None if gain.low is None else max(gain.low, 0.0),
        "cost_high": gain.high,
        "method": free.method,
        "seconds": free.seconds,
    }


def _capped(use: Use, again: Again) -> bool:
    return bool(use.values.get("exploring")) and any(name == CAP for name, _ in again.program.rows)


def _exploring(use: Use) -> list[str]:
    return [w.id for w in use.data.workflows.values() if _unproven(use, w)]


def _unproven(use: Use, w: Workflow) -> list[Period]:
    """Periods in which it is funded and not yet proven."""
    if w.pilot is None or w.pilot.proven:
        return []
    return [t for t in w.periods if use.of("fund", w.id, t) > 0.5 and use.of("proven", w.id, t) < 0.5]


def _gpu_hours(use: Use, w: Workflow, t: Period) -> float:
    return sum(hours for (_, u, name), hours in use.gpu_hours.items() if (u, name) == (t, w.id))
