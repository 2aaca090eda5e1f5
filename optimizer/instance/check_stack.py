"""Tools, losses and earlier decisions that contradict themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from optimizer.instance.calendar import spans
from optimizer.instance.faults import Misfit, Path
from optimizer.instance.schema import Ban, Effect, Instance, Loss, Pin

CHANGES = {"tokens_in_factor", "tokens_out_factor", "cached_in", "throughput_factor", "hbm_factor"}


def tools(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Effects that change nothing, and tools asked for together that exclude each other."""
    for name, tool in instance.tools.items():
        yield from _effects(tool.effects, ("tools", name))
    for n, together in enumerate(instance.tool_sets):
        at: Path = ("tool_sets", n)
        if len(set(together.tools)) < 2:
            yield Misfit((*at, "tools"), "is no set, expected at least two tools")
        if not together.effects:
            yield Misfit((*at, "effects"), "is empty, expected what the tools change together")
        yield from _effects(together.effects, at)
        yield from _excluded(instance, together.tools, (*at, "tools"))
    for name, workflow in instance.workflows.items():
        yield from _excluded(instance, workflow.requires, ("workflows", name, "requires"))


def _effects(effects: tuple[Effect, ...], at: Path) -> Iterator[Misfit]:
    for n, effect in enumerate(effects):
        if not effect.model_fields_set & CHANGES:
            yield Misfit((*at, "effects", n), "changes nothing", "add tokens_in_factor: 0.7")


def _excluded(instance: Instance, names: tuple[str, ...], at: Path) -> Iterator[Misfit]:
    for one, other in combinations(dict.fromkeys(names), 2):
        groups = [instance.tools[name].group for name in (one, other) if name in instance.tools]
        if len(groups) == 2 and groups[0] is not None and groups[0] == groups[1]:
            yield Misfit(at, f"names {one} and {other}, of which the group '{groups[0]}' admits one")


def losses(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Losses that name nothing, and promises without a loss."""
    resilience = instance.resilience
    for n, loss in enumerate(resilience.losses):
        yield from _loss(loss, ("resilience", "losses", n))
    if resilience.losses and not resilience.shares:
        yield Misfit(("resilience", "losses"), "promises no workflow anything", "add shares: {workflow: 60%}")
    if resilience.shares and not resilience.losses:
        yield Misfit(("resilience", "shares"), "names no losses to bear", "add losses: [{each: site}]")
    names = [loss.id for loss in resilience.losses if loss.id is not None]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Misfit(("resilience", "losses"), f"names loss '{name}' {names.count(name)} times")


def _loss(loss: Loss, at: Path) -> Iterator[Misfit]:
    named = bool(loss.sites or loss.vendors or loss.apis)
    if (loss.each is None) != named:
        yield Misfit(at, "states neither or both of each and what fails, expected one", "each: site")
    if loss.each is not None and loss.id is not None:
        yield Misfit((*at, "id"), "has no meaning beside each: every loss has the name of what fails")


def decisions(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Pins and bans that say too little or contradict each other; two accounts of the previous plan."""
    previous = instance.previous
    for at, one in instance.hold.each:
        yield from _subject(one, at)
    if previous.plan is not None and (previous.replicas or previous.funded):
        yield Misfit(("previous", "plan"), "stands beside replicas or funded, expected one account of what was")
    for name, workflow in instance.workflows.items():
        for endpoint, running in workflow.state.replicas.items():
            if previous.replicas.get(endpoint, running) != running:
                yield Misfit(("workflows", name, "state", "replicas", endpoint),
                             f"is {running}, previous.replicas says {previous.replicas[endpoint]}")  # fmt: skip


def _subject(one: Pin | Ban, at: Path) -> Iterator[Misfit]:
    if (one.workflow is None) == (one.endpoint is None):
        yield Misfit(at, "states neither or both of workflow and endpoint, expected one")
    elif isinstance(one, Pin) and (one.endpoint is None) != (one.replicas is None):
        yield Misfit(
            at, "states one of endpoint and replicas, expected both or, for a workflow, neither", "replicas: 2"
        )


def contradictions(instance: Instance) -> Iterator[Misfit]:
    """What is held in a period in two ways: pinned and banned, or pinned at different replicas."""
    periods = [period for period, _ in spans(instance.horizon)]
    held: dict[tuple[str | None, str | None, str], int | None] = {}
    for at, one in instance.hold.each:
        wanted = _wanted(one)
        places = [(one.workflow, one.endpoint, period) for period in one.periods or periods]
        torn = [place[2] for place in places if held.setdefault(place, wanted) != wanted]
        if torn:
            yield Misfit(at, f"contradicts what is said before of {one.workflow or one.endpoint} in {torn[0]}")


def _wanted(one: Pin | Ban) -> int | None:
    """Replicas of an endpoint; 1 for a workflow that is funded, 0 for one that is not."""
    if isinstance(one, Ban):
        return 0
    return one.replicas if one.endpoint else 1
