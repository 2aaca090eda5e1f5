"""What the decisions amount to: who is served where, and whose work fills which replica-hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from optimizer.formulation.data import Data, Endpoint, Part, Period

Sums = Mapping[tuple[str, ...], float]
Values = Mapping[str, Mapping[tuple[str, ...], float]]  # variable -> key -> value

NOTHING = 1e-9  # tasks; below it a served figure is the solver's dust


@dataclass(frozen=True)
class Use:
    """The values of all decisions, read the way a planner asks."""

    data: Data
    values: Values

    def of(self, variable: str, *key: str) -> float:
        """Value of one decision; 0 where the program has none."""
        return self.values.get(variable, {}).get(key, 0.0)

    @cached_property
    def serving(self) -> dict[tuple[str, str, str, str], float]:
        """Tasks by workflow, source (endpoint or API), period and day part, where there are any."""
        both = (*self.values.get("serve", {}).items(), *self.values.get("api", {}).items())
        return {(w, source, t, b): tasks for (w, source, t, b), tasks in both if tasks > NOTHING}

    @cached_property
    def standing(self) -> dict[tuple[str, Period], int]:
        """Replicas by endpoint and period, where there are any."""
        return {(e, Period(t)): round(n) for (e, t), n in self.values.get("replicas", {}).items() if n > 0.5}

    @cached_property
    def lots(self) -> dict[tuple[str, Period], int]:
        """Lots ordered by offer and period of order, where there are any."""
        return {(o, Period(t)): round(n) for (o, t), n in self.values.get("buy", {}).items() if n > 0.5}

    @cached_property
    def served(self) -> Sums:
        """Tasks by workflow and period, from every source; of a workflow in bundles, the bundles taken."""
        taken = self.values.get("choose", {}).items()
        amounts: Sums = {(w, t, s, b): n for (w, s, t, b), n in self.serving.items()}
        bundles: Sums = {(w, t, b): n for (w, b, t), n in taken if self.data.workflows[w].in_bundles}
        return _summed({**amounts, **bundles}, 2)

    @cached_property
    def bought(self) -> Sums:
        """Tasks by workflow and period that an API serves."""
        return _summed(
            {(w, t, s, b): n for (w, s, t, b), n in self.serving.items() if (w, s) in self.data.api_pairs}, 2
        )

    @cached_property
    def busy(self) -> Sums:
        """Replica-hours at work, at the mean load, by endpoint, period and workflow."""
        own = {key: tasks for key, tasks in self.serving.items() if key[:2] in self.data.pairs}
        hours: Sums = {
            (self.data.behind(source), t, w, source, b): tasks / self.data.pairs[w, source].tasks_per_hour
            for (w, source, t, b), tasks in own.items()
        }
        return _summed(hours, 3)

    @cached_property
    def good_mtok(self) -> Sums:
        """Million good output tokens by workflow and period, from every source."""
        return _summed({(w, t, s, b): self.mtok(w, s) * n for (w, s, t, b), n in self.serving.items()}, 2)

    @cached_property
    def made_in(self) -> Mapping[str, list[tuple[str, str, float]]]:
        """By period, each workflow with a source that serves it and the million good tokens of that."""
        made: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
        for (w, source, t, _), tasks in self.serving.items():
            made[t].append((w, source, tasks * self.mtok(w, source)))
        return made

    @cached_property
    def own_mtok(self) -> Sums:
        """Million good output tokens by endpoint and period."""
        own = {key: tasks for key, tasks in self.serving.items() if key[:2] in self.data.pairs}
        made: Sums = {(self.data.behind(s), t, w, s, b): self.mtok(w, s) * n for (w, s, t, b), n in own.items()}
        return _summed(made, 2)

    @cached_property
    def gpu_hours(self) -> Sums:
        """GPU-hours by pool, period and workflow: those kept to serve it, and those that retrain it."""
        ends = self.data.endpoints
        kept: Sums = {(ends[e].pool, t, w, e): ends[e].gpus * hours for (e, t, w), hours in self.held.items()}
        trained: Sums = {(p, t, w, ""): hours for (w, p, t), hours in self.values.get("retrain", {}).items()}
        return _summed({**kept, **trained}, 3)

    @cached_property
    def held(self) -> Sums:
        """Replica-hours kept for a workflow, its peaks, headroom and outages included, by endpoint, period, workflow.

        Together never more than the replica-hours that stand, so that what is charged is never more than what is paid.
        """
        wanted = {key: hours * self._margin(key[2], key[0]) for key, hours in self.busy.items()}
        claimed = _summed(wanted, 2)
        return {key: hours * min(1.0, self.there(*key[:2]) / claimed[key[:2]]) for key, hours in wanted.items()}

    def mtok(self, w: str, source: str) -> float:
        """Million good output tokens of one task."""
        if (w, source) in self.data.pairs:
            return self.data.pairs[w, source].good_mtok
        return self.data.api_pairs[w, source].good_mtok

    def tools_of(self, source: str) -> tuple[str, ...]:
        """Tools in use at a source."""
        return self.data.variants[source].tools if source in self.data.variants else ()

    def gpus_there(self, p: str, t: Period) -> float:
        """GPUs of a pool: owned or leased, plus arrived, less retired."""
        return self.data.pools[p].count[t] + self._brought(p, t, self.data.offers)

    def gpus_leased(self, p: str, t: Period) -> float:
        """GPUs for which a pool's own lease is paid: those it began with, less what was given back."""
        back = {o for o, offer in self.data.offers.items() if offer.kind == "release"}
        return self.data.pools[p].count[t] + self._brought(p, t, back)

    def _brought(self, p: str, t: Period, offers: Container[str]) -> float:
        return sum(
            lots * each.amount.get((order, t), 0.0)
            for (o, order), lots in self.lots.items()
            if o in offers
            for each in self.data.offers[o].brings
            if each.effect == "gpus" and each.owner == p
        )

    def there(self, e: str, t: str) -> float:
        """Replica-hours that stand at an endpoint in a period."""
        return self.standing.get((e, Period(t)), 0) * self.data.calendar.hours[Period(t)]

    def at_work(self, e: str, t: str) -> float:
        """Replica-hours at work at an endpoint in a period, at the mean load."""
        return sum(self.busy.get((e, t, w), 0.0) for w in self.data.workflows_on[e])

    def peak_kw(self, end: Endpoint, t: Period) -> float:
        """Draw of an endpoint at the site's meter in its fullest day part."""
        site, replicas = self.data.sites[end.site], self.standing.get((end.id, t), 0)
        if site.nameplate:
            return site.pue * end.op_kw * replicas
        load = max(self._peak_load(end.id, t, b) for b in self.data.calendar.parts)
        return site.pue * (end.idle_kw * replicas + (end.op_kw - end.idle_kw) * load)

    def _peak_load(self, e: str, t: Period, b: Part) -> float:
        work = (
            self.serving.get((w, source, t, b), 0.0)
            * self.data.workflows[w].peak_factor
            / self.data.pairs[w, source].tasks_per_hour
            for w, source in self.data.work_on[e]
        )
        return sum(work) / self.data.calendar.part_hours[t, b]

    def _margin(self, w: str, e: str) -> float:
        workflow = self.data.workflows[w]
        return workflow.peak_factor / (workflow.headroom * self.data.endpoints[e].availability)


def _summed(numbers: Sums, parts: int) -> Sums:
    """Numbers added up over all but the first parts of their key."""
    total: dict[tuple[str, ...], float] = defaultdict(float)
    for key, number in numbers.items():
        total[key[:parts]] += number
    return total
