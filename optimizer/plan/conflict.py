"""Why nothing can hold: arithmetic on the instance first, then the smallest set of families that conflict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from math import inf
from time import monotonic

from optimizer.formulation.data import Data, Loss, Period, Pool, Workflow
from optimizer.formulation.family import Family
from optimizer.plan.figures import counted, listed, number

PATIENCE_SECONDS = 30.0  # for the whole search for the smallest conflict
DUST = 1e-9  # relative

NO_SUM = "none of the sums that were looked at shows it; `solvency explain` finds the rows that conflict, and repairs"
NO_RULE = "the decisions contradict each other whatever is dropped"

Row = dict[str, object]
Feasible = Callable[[Iterable[str]], bool | None]  # without these families; None: not decided in time


def conflict(d: Data, families: Iterable[Family], feasible: Feasible) -> Row:
    """`reasons` in words, `families` that cannot all hold, `smallest` if none of these can be left out."""
    names, smallest = _families([f.name for f in families if f.kind != "link"], feasible)
    return {"families": names, "smallest": smallest, "reasons": list(arithmetic(d)) or [NO_SUM if names else NO_RULE]}


def _families(names: list[str], feasible: Feasible) -> tuple[list[str], bool]:
    """Leave out one family after the other for as long as nothing can hold; those left are in conflict."""
    until, proved = monotonic() + PATIENCE_SECONDS, True
    left_out: list[str] = []
    for name in names:
        holds = feasible((*left_out, name)) if monotonic() < until else None
        proved &= holds is not None
        if holds is False:
            left_out.append(name)
    return [name for name in names if name not in left_out], proved


def arithmetic(d: Data) -> Iterator[str]:
    """What adding up the instance already rules out, in words."""
    for t in d.calendar.periods:
        must = [w for w in d.workflows.values() if w.must_fund and t in w.periods]
        if len(must) > d.portfolio_limit.get(t, len(must)):
            yield f"{counted(len(must), 'workflow')} must be funded in {t}, {d.portfolio_limit[t]:g} may be"
        new = [w for w in must if not w.running and w.periods[0] == t]
        if len(new) > d.launch_limit.get(t, len(new)):
            yield f"{counted(len(new), 'workflow')} must be launched in {t}, {d.launch_limit[t]:g} may be"
    yield from _unserved(d)
    yield from _promised(d)
    yield from _lost(d)
    yield from _fixed_cost(d)


def _unserved(d: Data) -> Iterator[str]:
    for w in d.workflows.values():
        if not w.must_fund:
            continue
        if w.min_replicas and not d.endpoints_of[w.id]:
            yield f"{w.id} must be funded with {w.min_replicas} standing replicas, and no deployment can serve it"
        elif w.min_service and not (d.endpoints_of[w.id] or d.apis_of[w.id]):
            yield f"{w.id} must be funded and served {w.min_service:.0%} of its demand, and nothing can serve it"


def _lost(d: Data) -> Iterator[str]:
    """Promises that hold after a loss, of work that must be served before it: more than what survives can do."""
    for loss in d.losses:
        for w in (d.workflows[name] for name in loss.shares if d.workflows[name].must_fund):
            for t in w.periods if not w.job else ():
                owed, most = loss.shares[w.id] * w.min_service * w.demand[t], _survives(d, loss, w, t)
                if owed > most * (1 + DUST):
                    able = f"what survives serves {most:,.0f} at most" if most else "nothing that can serve it survives"
                    tasks = f"{owed:,.0f} {w.unit}s of {w.id}"
                    yield f"after the loss of {loss.id}, {tasks} must be served in {t}, and {able}"
                    break


def _promised(d: Data) -> Iterator[str]:
    """Promises that need more GPUs than all pools that could serve them have, each alone or several of the same pools
    together; once for the same promises, in the first period."""
    said: set[tuple[str, ...]] = set()
    for t in d.calendar.periods:
        needs = {w.id: need for w in d.workflows.values() if (need := _needed(d, w, t))}
        for pools in dict.fromkeys(at for at, _ in needs.values()):
            within = {w: gpus for w, (at, gpus) in needs.items() if at <= pools}
            there = sum(d.pools[p].count[t] for p in pools)
            alone: list[tuple[str, ...]] = [(w,) for w, gpus in within.items() if gpus > there * (1 + DUST)]
            for names in alone or [tuple(within)]:
                gpus = sum(within[w] for w in names)
                if gpus > there * (1 + DUST) and names not in said:
                    said.add(names)
                    yield _too_many(names, gpus, pools, there, t)


def _too_many(names: tuple[str, ...], gpus: float, pools: frozenset[str], there: float, t: Period) -> str:
    promise = f"the promise{'s' * (len(names) > 1)} to {listed(names)} need{'s' * (len(names) == 1)}"
    return f"{promise} at least {number(gpus)} GPUs of {listed(sorted(pools))} in {t}, {number(there)} are there"


def _needed(d: Data, w: Workflow, t: Period) -> tuple[frozenset[str], float] | None:
    """The pools that can keep the promise to a workflow and the fewest GPUs it takes; None where APIs, orders or slices
    may help."""
    if not (w.must_fund and w.min_service and t in w.periods) or w.job or d.apis_of[w.id] or not d.endpoints_of[w.id]:
        return None
    best = _gpu_tasks(d, w, t, frozenset())
    if best is None or not all(best.values()):
        return None
    return frozenset(best), w.min_service * w.demand[t] / max(best.values())


def _survives(d: Data, loss: Loss, w: Workflow, t: Period) -> float:
    """Tasks that all GPUs there are could do for one workflow alone; no limit where APIs, orders or slices may help."""
    if any(d.behind(a) not in loss.apis for a in d.apis_of[w.id]):
        return inf
    best = _gpu_tasks(d, w, t, loss.endpoints)
    return inf if best is None else sum(tasks * d.pools[p].count[t] for p, tasks in best.items())


def _gpu_tasks(d: Data, w: Workflow, t: Period, lost: Collection[str]) -> dict[str, float] | None:
    """By pool the most tasks that one of its GPUs can do; None where GPUs are ordered or cut."""
    best: dict[str, float] = {}
    for source in d.endpoints_of[w.id]:
        end = d.endpoints[d.behind(source)]
        if end.id not in lost:
            rate = d.pairs[w.id, source].tasks_per_hour * end.availability * w.headroom / (end.gpus * w.peak_factor)
            best[end.pool] = max(rate * d.calendar.hours[t], best.get(end.pool, 0.0))
    ordered = {each.owner for offer in d.offers.values() for each in offer.brings if each.effect == "gpus"}
    return None if any(p in ordered or d.pools[p].layouts for p in best) else best


def _fixed_cost(d: Data) -> Iterator[str]:
    """Running cost and leases of owned GPUs are paid whatever is decided: a budget must hold at least that."""
    for budget in d.budgets:
        for group, amount in budget.amount.items():
            owed = sum(_owed(d, term, t) for term in budget.terms for t in group)
            if owed > amount:
                yield f"budget {budget.id} of {amount:,.0f} in {_name(group)}: owned GPUs alone cost {owed:,.0f}"


def _owed(d: Data, term: str, t: Period) -> float:
    hours = d.calendar.hours[t]
    if term == "gpu_lease":
        return sum(p.lease_usd_per_gpu_hour[t] * _kept(d, p, t, ("release",)) for p in d.pools.values()) * hours
    if term == "gpu_running":
        owned = (p for p in d.pools.values() if not p.paid_when_powered)
        return sum(p.usd_per_gpu_hour[t] * _kept(d, p, t, ("release", "retire")) for p in owned) * hours
    return 0.0


def _kept(d: Data, pool: Pool, t: Period, parting: tuple[str, ...]) -> float:
    """GPUs of a pool that no order can take away by then."""
    gone = 0.0
    for offer in (o for o in d.offers.values() if o.kind in parting):
        lots = sum(offer.lots.values()) if offer.max_lots is None else offer.max_lots
        gone += lots * max((-each.amount.get((o, t), 0.0) for each in offer.brings if each.owner == pool.id
                            for o in offer.lots), default=0.0)  # fmt: skip
    return max(pool.count[t] - gone, 0.0)


def _name(group: tuple[Period, ...]) -> str:
    return group[0] if len(group) == 1 else f"{group[0]}..{group[-1]}"
