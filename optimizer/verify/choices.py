"""Logic of choices, recomputed: tools, bundles, moves, and what is held by decree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables

NOTHING = 1e-6  # tasks; less is the solver's dust


def tools(d: Tables) -> Iterator[Row]:
    """Tools that are needed or used are adopted; of a redundant group, one at most."""
    for w, work in d.facts.workflows.items():
        for t in work.periods:
            for j in work.needs.tools:
                adopted, fund = d.adopted.get((j, t), 0.0), d.funded.get((w, t), 0.0)
                yield Row("tool_link", (j, t, f"needed by {w}"), t, fund, "<=", adopted)
    for (j, w, t), tasks in _tooled(d).items():
        most = d.facts.workflows[w].demand[t] * d.adopted.get((j, t), 0.0)
        yield Row("tool_link", (j, t, f"used by {w}"), t, tasks, "<=", most, d.facts.workflows[w].demand[t])
    for (loss, w, source, t, b), tasks in d.rescued.items():
        for j in source.split("+")[1:] if tasks > NOTHING else ():
            adopted = d.adopted.get((j, t), 0.0)
            yield Row("tool_link", (j, t, f"used by {w} after {loss}", b), t, adopted, ">=", 1.0)
    for group in sorted({j.group for j in d.facts.tools.values() if j.group}):
        members = [name for name, j in d.facts.tools.items() if j.group == group]
        for t in d.facts.time.periods:
            adopted = sum(d.adopted.get((j, t), 0.0) for j in members)
            yield Row("tool_link", (group, t, "one of"), t, adopted, "<=", 1.0)


def _tooled(d: Tables) -> dict[tuple[str, str, str], float]:
    """Tasks by tool, workflow and period that use the tool."""
    used: dict[tuple[str, str, str], float] = defaultdict(float)
    for (w, source, t, _), tasks in d.served.items():
        for j in source.split("+")[1:]:
            used[j, w, t] += tasks
    return used


def bundles(d: Tables) -> Iterator[Row]:
    """A workflow in bundles takes one of its own while funded, and always where one must be taken."""
    for w, work in d.facts.workflows.items():
        own = work.needs.bundles
        for t in work.periods if own else ():
            fund = d.funded.get((w, t), 0.0)
            yield Row("bundle_link", (w, t), t, sum(d.chosen.get((w, b, t), 0.0) for b in own), "==", fund)
            if work.needs.exactly_one:
                yield Row("bundle_link", (w, t, "exactly one"), t, fund, ">=", 1.0)
    for (w, b, t), chosen in d.chosen.items():
        if b not in d.facts.workflows[w].needs.bundles:
            yield Row("bundle_link", (w, t, b), t, chosen, "<=", 0.0, text="not one of its bundles")


def change(d: Tables) -> Iterator[Row]:
    """Replicas change by the moves stated, within the ramp; what is constant, pinned or banned stays so."""
    change = d.facts.change
    for e in sorted({*d.endpoints, *(change.before or ())}):
        yield from _moves(d, e)
        yield from _constant(d, e)
    for (e, t), n in change.replicas.items():
        if d.wanted(e):
            yield Row("change_link", (e, t, "pinned"), t, d.replicas.get((e, t), 0.0), "==", n)
    for (w, t), held in change.funded.items():
        if d.facts.workflows[w].demand[t]:
            rule, fund = "pinned" if held else "banned", d.funded.get((w, t), 0.0)
            yield Row("change_link", (w, t, rule), t, fund, "==", held)


def _moves(d: Tables, e: str) -> Iterator[Row]:
    change = d.facts.change
    if not change.usd_per_replica and change.ramp is None:
        return
    before = None if change.before is None else change.before.get(e, 0.0)
    for t in d.facts.time.periods:
        now, up, down = (table.get((e, t), 0.0) for table in (d.replicas, d.up, d.down))
        if before is not None and d.wanted(e):
            yield Row("change_link", (e, t, "change"), t, now - before, "==", up - down)
            if change.ramp is not None:
                yield Row("change_link", (e, t, "ramp"), t, up + down, "<=", change.ramp)
        before = now


def _constant(d: Tables, e: str) -> Iterator[Row]:
    for group in d.deployment(e).constant if e in d.endpoints else ():
        for earlier, t in pairwise(group if d.wanted(e) else ()):
            now, then = d.replicas.get((e, t), 0.0), d.replicas.get((e, earlier), 0.0)
            yield Row("change_link", (e, t, "constant"), t, now, "==", then)
