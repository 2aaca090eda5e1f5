"""One line per workflow: served in full, in part or not at all, and what stood in the way.

A reason is arithmetic on the instance and the plan, not a proof: the price of a limit takes another solve.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from optimizer.formulation.data import Candidate, Data, Period, Workflow
from optimizer.formulation.families import FAMILIES
from optimizer.plan.figures import listed, money, named, percent, spans
from optimizer.plan.money import Cash
from optimizer.plan.plan import Row
from optimizer.plan.use import Use

INDEX = {family.name: family.index[0] for family in FAMILIES}
TELLING = 0.25  # of the periods in which a workflow is short; a limit full in fewer of them explains little
SHOWN = 3  # limits named in one reason
WHOLE = 0.9995  # of demand served counts as all of it
STAGES = (
    "accepted", "licence", "quality", "residency", "cooling", "context", "hbm", "scale_up", "latency",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Margin:
    """What a task is worth at most and costs at least in one period; cost counts only what serving it adds."""

    period: Period
    usd: float
    cost: float


def verdicts(use: Use, cash: Cash, full: Iterable[Row], gap: float) -> Iterator[Row]:
    """A verdict on each workflow, in the order of the instance."""
    full, d = list(full), use.data
    noise = gap * abs(sum(cash.values()))
    net: dict[str, float] = defaultdict(float)
    for (owner, _, _), amount in cash.items():
        net[owner] += amount
    for w in d.workflows.values():
        share = _served_share(use, w)
        verdict = "full" if share >= WHOLE else "partly" if share > 0 else "none"
        yield {
            "workflow": w.id,
            "verdict": verdict,
            "served_share": share,
            "net_usd": net[w.id],
            "why": "" if verdict == "full" else "; ".join(_why(use, w, share, full, noise)),
        }


def _served_share(use: Use, w: Workflow) -> float:
    served = sum(use.served.get((w.id, t), 0.0) for t in w.periods)
    asked = sum(w.demand[t] for t in (w.periods[:1] if w.job else w.periods))
    return served / asked if asked else 0.0


def _why(use: Use, w: Workflow, share: float, full: list[Row], noise: float) -> Iterator[str]:
    d, unit = use.data, use.data.currency
    if not w.periods:
        yield "nothing of it is asked for in any period"
        return
    if not (d.endpoints_of[w.id] or d.apis_of[w.id] or w.bundles):
        yield f"nothing can serve it: {fallen([c for c in d.candidates if c.workflow == w.id])}"
        return
    margins = [] if w.bundles else [_margin(d, w, t) for t in w.periods]
    potential = sum(max(m.usd - m.cost, 0.0) * w.demand[m.period] for m in margins)
    launch = 0.0 if w.running else min(w.launch_usd[t] for t in w.periods)
    if share == 0 and margins and potential == 0:
        best = max(margins, key=lambda m: m.usd - m.cost)
        yield f"a {w.unit} is worth {money(best.usd, unit)} and costs at least {money(best.cost, unit)}"
    elif share == 0 and margins and potential <= launch:
        yield f"it earns {money(potential, unit)} at most, no more than its launch costs ({money(launch, unit)})"
    else:
        yield _short(use, w, full)
        if share == 0 and 0 < potential <= noise:
            yield f"it earns {money(potential, unit)} at most, less than the gap of the proof"
        if share > 0 and margins and all(w.tranches[-1].usd[m.period] <= m.cost for m in margins):
            yield f"the last {percent(w.tranches[-1].width)} of its {w.unit}s are worth less than they cost"


def _margin(d: Data, w: Workflow, t: Period) -> Margin:
    """The most valuable task against the cheapest way: an API, or the electricity of a GPU that stands anyway."""
    ways = [d.api_pairs[w.id, a].usd_per_task[t] for a in d.apis_of[w.id]]
    for source in d.endpoints_of[w.id]:
        end, rate = d.endpoints[d.behind(source)], d.pairs[w.id, source].tasks_per_hour
        site = d.sites[end.site]
        ways.append(site.usd_per_kwh[t] * site.pue * (end.op_kw - end.idle_kw) / rate)
    return Margin(t, w.tranches[0].usd[t], min(ways))


def _short(use: Use, w: Workflow, full: list[Row]) -> str:
    """Where demand is left, and which full limits the workflow would need more of there."""
    order = use.data.calendar.periods
    short = [t for t in w.periods if use.served.get((w.id, t), 0.0) < WHOLE * w.demand[t]]
    needed = _needs(use.data, w)
    between: dict[str, list[str]] = {}
    for row in full:
        about = INDEX.get(row["family"], "")
        name = row["family"] if about == "period" else row["row"].split(" ")[0]
        if row["period"] in short and name in needed.get(about, ()):
            between.setdefault(named(row), []).append(row["period"])
    if not between:
        return f"what is left ({spans(short, order)}) does not pay for whole replicas and nodes, or has no room for one"
    ranked = sorted(between.items(), key=lambda item: -len(item[1]))
    telling = [item for item in ranked if len(item[1]) >= TELLING * len(short)] or ranked[:1]
    found = listed([f"{name} ({spans(periods, order)})" for name, periods in telling[:SHOWN]])
    return f"others earn more with what is full: {found}"


def _needs(d: Data, w: Workflow) -> Mapping[str, Collection[str]]:
    """What the workflow would draw on, by the notion that a family's rows are about; of periods, the family itself."""
    ends = [d.endpoints[d.behind(source)] for source in d.endpoints_of[w.id]]
    trying = w.pilot is not None and not w.pilot.proven
    return {
        "period": {"portfolio_limit", *(["launch_limit"] * (not w.running)), *(["exploration_limit"] * trying)},
        "pool": {end.pool for end in ends},
        "site": {end.site for end in ends},
        "api": {d.behind(a) for a in d.apis_of[w.id]},
        "budget": {budget.id for budget in d.budgets},
        "skill": {*w.launch_hours, *filter(None, [w.skill])},
        "resource": {*w.resources, *w.task_resources, *(r for end in ends for r in end.resources)},
    }


def fallen(candidates: list[Candidate]) -> str:
    """How many candidates fell at which stage, and the one that came furthest."""
    if not candidates:
        return "no deployment and no API is offered to it"
    stages: Mapping[str, int] = Counter(c.stage for c in candidates)
    furthest = max(candidates, key=lambda c: STAGES.index(c.stage) if c.stage in STAGES else -1)
    counts = ", ".join(f"{n} at {stage}" for stage, n in stages.items())
    where = " on ".join(filter(None, (furthest.deployment, furthest.pool)))
    return f"candidates fell {counts}; nearest: {where}: {furthest.reason}"
