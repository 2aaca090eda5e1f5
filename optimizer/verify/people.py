"""What work takes beside machines, recomputed: people, retraining, and whatever else the planner counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables


def review_limit(d: Tables) -> Iterator[Row]:
    """Hours of each skill spent on review, launches and tools, against those there are."""
    for k, skill in d.facts.skills.items():
        for t, hours in (skill.hours or {}).items():
            work = sum(spent.get(k, 0.0) for w in d.facts.workflows for spent in [hours_of(d, w, t)])
            care = sum(j.hours.get(k, 0.0) * d.adopted.get((name, t), 0.0) for name, j in d.facts.tools.items())
            yield Row("review_limit", (k, t), t, work + care, "<=", hours)


def hours_of(d: Tables, w: str, t: str) -> Mapping[str, float]:
    """People's hours that a workflow takes in a period, by skill: its launch and the review of its output."""
    needs = d.facts.workflows[w].needs
    hours = {k: each * d.launched.get((w, t), 0.0) for k, each in needs.launch_hours.items()}
    if needs.skill is not None:
        review = sum(d.outcome(w, source).review_hours * n for source, n in d.handled(w, t))
        hours[needs.skill] = hours.get(needs.skill, 0.0) + review
    return hours


def retraining(d: Tables) -> Iterator[Row]:
    """A funded workflow has its GPU-hours of retraining, on pools where it may be trained."""
    done: dict[tuple[str, str], float] = defaultdict(float)
    for (w, p, t), hours in d.trained.items():
        needed = d.facts.workflows[w].needs.retraining
        speed = needed.speed.get(p, 0.0) if needed else 0.0
        done[w, t] += speed * hours
        if not speed:
            yield Row("retraining_link", (w, p, t), t, hours, "<=", 0.0, text="not trained there")
    for w, work in d.facts.workflows.items():
        for t in work.periods:
            if needed := work.needs.retraining:
                least = needed.gpu_hours[t] * d.funded.get((w, t), 0.0)
                yield Row("retraining_link", (w, t), t, done[w, t], ">=", least)


def resources(d: Tables) -> Iterator[Row]:
    """Each further resource: taken by replicas, workflows, tasks, bundles and tools, against what there is."""
    for r, amount in d.facts.resources.items():
        for t, there in amount.items():
            replicas = sum(d.deployment(e).resources.get(r, 0.0) * n for (e, u), n in d.replicas.items() if u == t)
            tools = sum(j.resources.get(r, 0.0) * d.adopted.get((name, t), 0.0) for name, j in d.facts.tools.items())
            work = sum(_taken(d, w, r, t) for w in d.facts.workflows)
            used = replicas + tools + work
            yield Row("resource_capacity", (r, t), t, used, "<=", there + d.brought("resource", r, t))


def _taken(d: Tables, w: str, r: str, t: str) -> float:
    needs = d.facts.workflows[w].needs
    bundles = sum(b.resources.get(r, 0.0) * d.chosen.get((w, name, t), 0.0) for name, b in needs.bundles.items())
    tasks = needs.task_resources.get(r, 0.0) * d.sold(w, t)
    return needs.resources.get(r, 0.0) * d.funded.get((w, t), 0.0) + tasks + bundles
