"""The funnel of the portfolio: asked for, eligible, worth its cost, fits alone, funded, served; and who left where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from optimizer.formulation.data import Data, Period, Workflow
from optimizer.plan.figures import money
from optimizer.plan.plan import Row
from optimizer.plan.use import Use

STAGES = ("asked for", "eligible", "worth its cost", "fits alone", "funded")
SERVED = "served"

Fits = Callable[[str], tuple[bool | None, str]]  # whether a workflow alone fits the fleet (None: not decided), why not


@dataclass(frozen=True, slots=True)
class Exit:
    """The last stage that a workflow reached, and why it went no further."""

    workflow: str
    stage: str
    value_usd: float
    reason: str


def exits(use: Use, verdicts: Iterable[Row], fits: Fits) -> list[Exit]:
    """Where each workflow left the funnel; one that is funded left nowhere."""
    why = {row["workflow"]: row["why"] for row in verdicts}
    return [Exit(w.id, *_reached(use, w, why, fits)) for w in use.data.workflows.values()]


def funnel(found: Iterable[Exit], earned: float) -> Iterator[Row]:
    """Workflows still in at each stage and what all they ask for would be worth, at the last what is earned; cash."""
    left = list(found)
    for i, stage in enumerate(STAGES):
        still = [each for each in left if STAGES.index(each.stage) >= i]
        yield {"stage": stage, "workflows": len(still), "value_usd": sum(each.value_usd for each in still)}
    yield {"stage": SERVED, "workflows": sum(each.stage == STAGES[-1] for each in left), "value_usd": earned}


def told(verdicts: Iterable[Row], found: Iterable[Exit]) -> Iterator[Row]:
    """Verdicts with what the funnel knows better: a workflow that does not fit alone has that as its reason."""
    unfit = {each.workflow: each.reason for each in found if each.stage == STAGES[2]}
    for row in verdicts:
        yield {**row, "why": unfit.get(row["workflow"], row["why"])}


def _reached(use: Use, w: Workflow, why: Mapping[str, str], fits: Fits) -> tuple[str, float, str]:
    d, value = use.data, asked_usd(use.data, w)
    if not w.periods:
        return STAGES[0], value, why[w.id]
    if any(use.of("fund", w.id, t) > 0.5 for t in w.periods):
        return STAGES[-1], value, ""
    if not (d.endpoints_of[w.id] or d.apis_of[w.id] or w.bundles):
        return STAGES[0], value, why[w.id]
    most, once = surplus_usd(d, w), _once(d, w)
    if most <= once:
        best, start = money(most, d.currency), money(once, d.currency)
        against = f"to start it costs {start}" if once else "serving a task costs at least what it is worth"
        return STAGES[1], value, f"alone it could earn {best} at most; {against}"
    fit, reason = fits(w.id)
    if fit is False:
        return STAGES[2], value, reason
    return STAGES[3], value, why[w.id] if fit else f"{why[w.id]} ({reason})"


def blocked(families: list[str], *, undecided: bool = False) -> str:
    """Why a workflow alone does not fit, from the families without which it would."""
    if undecided and not families:
        return "alone on the whole fleet it cannot earn; which rule is in its way was not decided in time"
    if families:
        return f"alone on the whole fleet it fits only without {' or '.join(families)}"
    return "alone on the whole fleet it cannot earn, and no single rule is in its way"


def asked_usd(d: Data, w: Workflow) -> float:
    """What all that a workflow asks for would be worth, in cash; a job is asked for once, when it is worth most."""
    by_period = [_over(d, w, t, cost=False) for t in w.periods]
    return max(by_period, default=0.0) if w.job else sum(by_period)


def surplus_usd(d: Data, w: Workflow) -> float:
    """The same less the least that serving each task adds; a tranche that costs more than it is worth is left."""
    by_period = [_over(d, w, t, cost=True) for t in w.periods]
    return max(by_period, default=0.0) if w.job else sum(by_period)


def _once(d: Data, w: Workflow) -> float:
    """What the cheapest start costs, people included."""
    if w.running:
        return 0.0
    return min(
        w.launch_usd[t] + sum(d.skills[k].usd_per_hour[t] * hours for k, hours in w.launch_hours.items())
        for t in w.periods
    )


def _over(d: Data, w: Workflow, t: Period, *, cost: bool) -> float:
    ways = list(_ways(d, w, t)) or [(1.0, 0.0)]
    tasks = sum(
        each.width * w.demand[t] * max(0.0, *(each.usd[t] * good - usd * cost for good, usd in ways))
        for each in w.tranches
    )
    return tasks + max((bundle.usd[t] for bundle in w.bundles), default=0.0)


def _ways(d: Data, w: Workflow, t: Period) -> Iterator[tuple[float, float]]:
    """Share of good output and the cost that one task adds, by source: of GPUs their electricity, and what is paid
    only while they are powered."""
    people = d.skills[w.skill].usd_per_hour[t] if w.skill else 0.0
    for a in d.apis_of[w.id]:
        call = d.api_pairs[w.id, a]
        yield call.good, call.usd_per_task[t] + call.liability_usd + people * call.review_hours
    for source in d.endpoints_of[w.id]:
        end, pair = d.endpoints[d.behind(source)], d.pairs[w.id, source]
        site, pool = d.sites[end.site], d.pools[end.pool]
        hour = site.usd_per_kwh[t] * site.pue * (end.op_kw - end.idle_kw)
        hour += pool.usd_per_gpu_hour[t] * end.gpus if pool.paid_when_powered else 0.0
        yield pair.good, hour / pair.tasks_per_hour + pair.liability_usd + people * pair.review_hours
