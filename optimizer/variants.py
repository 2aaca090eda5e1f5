"""A solved instance and its variants: each changed, stated, laid over the base and solved from its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any

from optimizer.engine.highs import solve_program
from optimizer.engine.outcome import Outcome
from optimizer.engine.progress import Listener
from optimizer.engine.warm import Stopped, Warm, Work
from optimizer.engine.watch import Cancel
from optimizer.formulation.family import Family
from optimizer.instance.arguments import whole, words
from optimizer.instance.faults import BadInput
from optimizer.instance.schema import Instance
from optimizer.plan.plan import Plan
from optimizer.solving import LIMITS, Posed, answered, pose

if TYPE_CHECKING:
    from optimizer.engine.program import Program
    from optimizer.engine.tight import Footing

FEASIBILITY = Work(nodes=200, seconds=10.0)  # for one question of the search for a conflict


@dataclass(frozen=True, slots=True)
class Change:
    """A variant as asked for: scenarios (`a+b` in order), then changes, and families left out."""

    name: str
    scenario: str | None = None
    sets: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """The plan of a variant; why it was `rebuilt` and what `stopped` it, '' if neither; CPU seconds in the solver."""

    change: Change
    plan: Plan
    rebuilt: str
    stopped: Stopped
    solving: float


@dataclass(frozen=True, eq=False)
class Base:
    """An instance with its outcome, from which variants begin."""

    posed: Posed
    outcome: Outcome
    footing: Footing | None = None  # what its variants stand on, where that was found before

    @classmethod
    def solved(
        cls,
        instance: Instance,
        *,
        gap: float = 1e-3,
        time_limit: float = 300.0,
        threads: int | None = 1,
        seed: int = 0,
        change: Change | None = None,
        extra: Sequence[Family] = (),
        progress: Listener | None = None,
        cancel: Cancel | None = None,
    ) -> Base:
        """The base solved by itself, on one thread as its variants always are, unless more (None: every core) are asked
        for. Raises as `solve` does."""
        limits = {"gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed}
        return cls.of(_posed(instance, limits, change or Change("base"), extra), progress, cancel)

    @classmethod
    def of(cls, posed: Posed, progress: Listener | None = None, cancel: Cancel | None = None) -> Base:
        """The base of a question that was posed before."""
        limits: dict[str, Any] = {name: posed.options[name] for name in LIMITS}
        return cls(posed, solve_program(posed.program, **limits, progress=progress, cancel=cancel))

    @cached_property
    def plan(self) -> Plan:
        """The plan of the base, checked as every plan is."""
        document = answered(self.posed, self.outcome)
        return Plan({**document, "seconds": self.outcome.seconds})

    def prepared(self, examples: Iterable[Change] = (), cancel: Cancel | None = None) -> Base:
        """The same with all done that its variants share: else the first of them would take the time for it. Where many
        are to come it pays to look at some `examples` of them first; those that cannot be stated are left out, and
        those that are left when it is cancelled."""
        return Base(self.posed, self.outcome, self._warm.learning(self._stated(examples, cancel)))

    def _stated(self, changes: Iterable[Change], cancel: Cancel | None) -> Iterator[Program]:
        for each in changes:
            if cancel is not None and cancel.is_set():
                return
            with suppress(BadInput):
                yield self._changed(each).program

    def vary(self, change: Change, nodes: int = 2000, cancel: Cancel | None = None) -> Variant:
        """The best plan of a variant of the base within so many search nodes; BadInput for a change or a family that
        does not exist, or a number of nodes that is none."""
        began, options, most = monotonic(), self.posed.options, whole("nodes", nodes)
        posed = self._changed(change)
        work = Work(options["gap"], most, options["time_limit"], options["seed"])
        started = process_time()
        answer = self._warm.solve(posed.program, work, cancel)
        solving = process_time() - started
        document = answered(posed, answer.outcome, lambda without: self._holds(posed, without))
        document |= {"seconds": monotonic() - began, "begun": answer.rebuilt or "base", "stopped": answer.stopped}
        return Variant(change, Plan(document), answer.rebuilt, answer.stopped, solving)

    def _changed(self, change: Change) -> Posed:
        """The question of a variant, whose changes come after those of the base."""
        options = self.posed.options
        limits = {name: options[name] for name in LIMITS} | {"threads": 1}
        sets, drop = (*options["set"], *words("sets", change.sets)), (*options["drop"], *words("drop", change.drop))
        scenario = "+".join(filter(None, (self.posed.scenario, change.scenario))) or None
        return _posed(self.posed.instance, limits, Change(change.name, scenario, sets, drop), self.posed.extra)

    def _holds(self, posed: Posed, without: Iterable[str]) -> bool | None:
        return self._warm.holds(posed.program, frozenset(without), FEASIBILITY)

    @cached_property
    def _warm(self) -> Warm:
        return Warm(self.posed.program, self.outcome, self.footing)


def _posed(instance: Instance, limits: Mapping[str, Any], change: Change, extra: Sequence[Family]) -> Posed:
    return pose(instance, limits, scenario=change.scenario, set=change.sets, drop=change.drop, extra=extra)
