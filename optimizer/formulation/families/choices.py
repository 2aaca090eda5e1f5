"""Logic of choices: tools, bundles, moves, pins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from pyomo.environ import quicksum

from optimizer.formulation.data import Data, Endpoint, Part, Period, Workflow
from optimizer.formulation.family import Expression, Model, Row, family
from optimizer.formulation.variables import moving, rescuable


@family(index="tool period rule", unit="adoption", price="$/adoption")
def tool_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A workflow that needs a tool, or profits from one, has it adopted; redundant tools exclude each other.

    $$ \mathrm{fund}_{wt} \le \mathrm{adopt}_{jt}, \qquad
       \sum_{s \ni j} x_{wstb} \le \sigma_{wtb} \, D_{wt} \, \mathrm{adopt}_{jt}, \qquad
       \sum_{j \in g} \mathrm{adopt}_{jt} \le 1 $$

    Work that is not interactive may fall anywhere in the period, and is summed over its day parts.

    Price: none is quoted; a tool is judged by solving with and without it.
    """
    for t in d.calendar.periods:
        for w in d.workflows.values():
            if (w.id, t) in m.fund:
                yield from (Row((j, t, f"needed by {w.id}"), m.fund[w.id, t], "<=", m.adopt[j, t]) for j in w.requires)
        for j in d.tools:
            yield from _variants(m, d, j, t)
            yield from _rescued(m, d, j, t)
            yield Row((j, t, "start"), m.adopt[j, t], "<=", _started(m, d, j, t))
            yield Row((j, t, "adopted"), m.start[j, t], "<=", m.adopt[j, t])
        for group in sorted({j.group for j in d.tools.values() if j.group}):
            adopted = quicksum(m.adopt[j.id, t] for j in d.tools.values() if j.group == group)
            yield Row((group, t, "one of"), adopted, "<=", 1.0)


@family(index="workflow period rule", unit="bundle", price="$/bundle")
def bundle_link(m: Model, d: Data) -> Iterator[Row]:
    r"""A workflow offered in bundles takes one of them while funded; `exactly_one` must be funded.

    $$ \sum_o \mathrm{choose}_{wot} = \mathrm{fund}_{wt} $$

    Price: none is quoted; it is logic.
    """
    for w in d.workflows.values():
        for t in w.periods if w.bundles else ():
            yield Row((w.id, t), quicksum(m.choose[w.id, b.id, t] for b in w.bundles), "==", m.fund[w.id, t])
            if w.choose == "exactly_one":
                yield Row((w.id, t, "exactly one"), m.fund[w.id, t], ">=", 1.0)


@family(index="name period rule", unit="replica", price="$/replica")
def change_link(m: Model, d: Data) -> Iterator[Row]:
    r"""Replicas change by moves that cost and are capped; what is pinned, banned or constant stays so.

    $$ \mathrm{replicas}_{et} - \mathrm{replicas}_{e,t-1} = \mathrm{up}_{et} - \mathrm{down}_{et}, \qquad
       \mathrm{up}_{et} + \mathrm{down}_{et} \le \bar m_e $$

    Price: none is quoted; dropping the family tells what stability costs.
    """
    for e in d.endpoints.values():
        yield from _moves(m, d, e) if moving(d, e.id) else ()
        yield from _held(m, e)
    for w in d.workflows.values():
        yield from (Row((w.id, t, "banned"), m.fund[w.id, t], "<=", 0.0) for t in w.banned if (w.id, t) in m.fund)
        yield from (Row((w.id, t, "pinned"), m.fund[w.id, t], ">=", 1.0) for t in w.pinned if (w.id, t) in m.fund)


def _moves(m: Model, d: Data, e: Endpoint) -> Iterator[Row]:
    before: Expression = e.before
    for t in d.calendar.periods:
        now: Expression = m.replicas[e.id, t] if (e.id, t) in m.replicas else 0.0  # noqa: SIM401 - a Var has no get
        if (e.id, t) in m.up and before is not None:
            yield Row((e.id, t, "change"), now - before, "==", m.up[e.id, t] - m.down[e.id, t])
            if e.ramp is not None:
                yield Row((e.id, t, "ramp"), m.up[e.id, t] + m.down[e.id, t], "<=", float(e.ramp))
        before = now


def _held(m: Model, e: Endpoint) -> Iterator[Row]:
    for group in e.constant:
        for earlier, t in pairwise(t for t in group if (e.id, t) in m.replicas):
            yield Row((e.id, t, "constant"), m.replicas[e.id, t], "==", m.replicas[e.id, earlier])
    for t, n in e.pinned.items():
        if (e.id, t) in m.replicas:
            yield Row((e.id, t, "pinned"), m.replicas[e.id, t], "==", float(n))


def _variants(m: Model, d: Data, j: str, t: Period) -> Iterator[Row]:
    using = {source for source, variant in d.variants.items() if j in variant.tools}
    for w in d.workflows.values() if using else ():
        if (w.id, t) not in m.fund:
            continue
        ends, apis = ([source for source in of[w.id] if source in using] for of in (d.endpoints_of, d.apis_of))
        for when, parts, share in _balanced(d, w, t) if ends or apis else ():
            own = [m.serve[w.id, e, t, b] for e in ends for b in parts]
            bought = [m.api[w.id, a, t, b] for a in apis for b in parts]
            yield Row(
                (j, t, f"used by {w.id}{when}"), quicksum(own + bought), "<=", share * w.demand[t] * m.adopt[j, t]
            )


def _balanced(d: Data, w: Workflow, t: Period) -> Iterator[tuple[str, tuple[Part, ...], float]]:
    """What demand falls into: day parts by their share if interactive, else the whole period."""
    if w.serving == "interactive":
        yield from ((f" by {b}", (b,), w.share[t, b]) for b in d.calendar.parts)
    else:
        yield "", d.calendar.parts, 1.0


def _rescued(m: Model, d: Data, j: str, t: Period) -> Iterator[Row]:
    """What takes work over after a loss with a tool in use has it adopted before."""
    using = {source for source, variant in d.variants.items() if j in variant.tools}
    taken: dict[tuple[str, str], list[Expression]] = defaultdict(list)
    for loss, w, source in rescuable(d) if using else ():
        if source in using and (w, t) in m.fund:
            taken[loss, w] += [m.rescue[w, source, t, b, loss] for b in d.calendar.parts]
    for (loss, w), tasks in taken.items():
        most = d.workflows[w].demand[t] * m.adopt[j, t]
        yield Row((j, t, f"used by {w} after {loss}"), quicksum(tasks), "<=", most)


def _started(m: Model, d: Data, j: str, t: Period) -> Expression:
    """Whether a tool was brought in by then; it is once."""
    periods = d.calendar.periods
    return float(d.tools[j].running) + quicksum(m.start[j, u] for u in periods[: periods.index(t) + 1])
