"""Unit economics: dollars per million good tokens, owned and bought, and the volume at which owning beats buying."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.formulation.data import Data, Endpoint, Period, Workflow
from optimizer.plan.money import Cash
from optimizer.plan.plan import Row
from optimizer.plan.use import Use

RUNNING = ("energy", "carbon_price", "gpu_running", "gpu_lease", "leases", "moves")
ONCE = ("purchases", "upgrades", "resale")
BOUGHT = ("api_tokens", "commitments")

Made = Mapping[tuple[str, str], float]  # good output tokens in millions, by workflow and period


@dataclass(frozen=True, slots=True)
class Volume:
    """Where one replica of its own costs a workflow as much as an API, in tasks handled per period."""

    source: str
    api: str
    tasks: float
    most: float  # tasks that the replica can handle


def unit_economics(use: Use, cash: Cash) -> Iterator[Row]:
    """A line per workflow and period: what a million good output tokens costs on own GPUs and by API; break-even.

    Cost on own GPUs: electricity, carbon, running cost and leases of the period as shared out, and what is paid or
    fetched once (purchases, upgrades, resale, residual value), spread over all that is made on own GPUs over the
    horizon; by API: tokens and unused commitments. Review, liability and launches are the same either way, or are in
    the income statement.
    Break-even: tasks per period at which a replica of its own, standing all period (running cost, lease, electricity
    at rest), costs as much as the cheapest API, where that is cheapest; owned GPUs count as if they were paid for it.
    """
    own, bought = _mtok(use)
    for w in (w for w in use.data.workflows.values() if w.tranches):
        all_own = sum(own.get((w.id, t), 0.0) for t in w.periods)
        once = -sum(cash.get((w.id, t, term), 0.0) for t in use.data.calendar.periods for term in ONCE)
        for t in w.periods:
            made = own.get((w.id, t), 0.0), bought.get((w.id, t), 0.0)
            found, why = break_even(use.data, w, t)
            yield {
                "workflow": w.id,
                "period": t,
                "own_mtok": made[0],
                "api_mtok": made[1],
                "usd_per_mtok_own": _per(cash, w.id, t, RUNNING, made[0], once / all_own if all_own else 0.0),
                "usd_per_mtok_api": _per(cash, w.id, t, BOUGHT, made[1]),
                "break_even_tasks": found.tasks if found else None,
                "break_even_mtok": found.tasks * use.mtok(w.id, found.source) if found else None,
                "demand": w.demand[t],
                "source": found.source if found else "",
                "api": found.api if found else "",
                "note": why,
            }


def _mtok(use: Use) -> tuple[Made, Made]:
    """Made on own GPUs, and bought."""
    own, bought = defaultdict[tuple[str, str], float](float), defaultdict[tuple[str, str], float](float)
    for (w, source, t, _), tasks in use.serving.items():
        (bought if (w, source) in use.data.api_pairs else own)[w, t] += tasks * use.mtok(w, source)
    return own, bought


def _per(cash: Cash, w: str, t: Period, terms: tuple[str, ...], mtok: float, once: float = 0.0) -> float | None:
    return once - sum(cash.get((w, t, term), 0.0) for term in terms) / mtok if mtok else None


def break_even(d: Data, w: Workflow, t: Period) -> tuple[Volume | None, str]:
    """The smallest break-even volume of its own sources, and why there is none."""
    if not d.endpoints_of[w.id] or not d.apis_of[w.id]:
        return None, "only one way to serve it" if d.endpoints_of[w.id] or d.apis_of[w.id] else "nothing can serve it"
    api = min(d.apis_of[w.id], key=lambda a: _bought(d, w, a, t))
    volumes = [v for e in d.endpoints_of[w.id] if (v := _volume(d, w, e, api, t))]
    reached = [v for v in volumes if v.tasks <= v.most]
    if reached:
        best = min(reached, key=lambda v: v.tasks)
        return best, "" if best.tasks <= w.demand[t] else "beyond its demand"
    return None, "even a replica that is always at work costs more than the API"


def _volume(d: Data, w: Workflow, source: str, api: str, t: Period) -> Volume | None:
    """Volume at which one replica breaks even with the API; None where each task alone costs more."""
    end, pair = d.endpoints[d.behind(source)], d.pairs[w.id, source]
    saved = _bought(d, w, api, t) * pair.good - _people(d, w, pair.review_hours, t) - pair.liability_usd
    saved -= _usd_per_kwh(d, end, t) * (end.op_kw - end.idle_kw) / pair.tasks_per_hour
    if saved <= 0:
        return None
    most = d.calendar.hours[t] * end.availability * w.headroom / w.peak_factor * pair.tasks_per_hour
    return Volume(source, api, standing_usd(d, end, t) / saved, most)


def standing_usd(d: Data, end: Endpoint, t: Period) -> float:
    """What a replica costs in a period without any work: running cost and lease of its GPUs, electricity at rest."""
    pool = d.pools[end.pool]
    gpus = end.gpus * (pool.usd_per_gpu_hour[t] + pool.lease_usd_per_gpu_hour[t])
    return (gpus + _usd_per_kwh(d, end, t) * end.idle_kw) * d.calendar.hours[t]


def _bought(d: Data, w: Workflow, api: str, t: Period) -> float:
    """Cost of one good task by API, with the review and the liability that its output brings."""
    call = d.api_pairs[w.id, api]
    return (call.usd_per_task[t] + call.liability_usd + _people(d, w, call.review_hours, t)) / call.good


def _people(d: Data, w: Workflow, hours: float, t: Period) -> float:
    return hours * d.skills[w.skill].usd_per_hour[t] if w.skill else 0.0


def _usd_per_kwh(d: Data, end: Endpoint, t: Period) -> float:
    """Electricity and its carbon, per kilowatt-hour at the GPU."""
    site = d.sites[end.site]
    carbon = site.usd_per_t_co2.get(t, 0.0) * site.t_co2_per_mwh.get(t, 0.0) / 1000
    return site.pue * (site.usd_per_kwh[t] + carbon)
