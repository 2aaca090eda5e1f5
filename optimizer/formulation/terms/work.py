"""What work earns and what it costs: value, tokens, people, training, liability."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.environ import quicksum

from optimizer.formulation.data import Data
from optimizer.formulation.family import Entry, Model, term
from optimizer.formulation.load import liability_usd, review_hours
from optimizer.formulation.sums import weighted


@term(index="workflow period")
def value(m: Model, d: Data) -> Iterator[Entry]:
    r"""What good output is worth, the most valuable tranche first; a bundle is worth what it says.

    $$ \sum_{k} y_{wk} \, v_{wkt} \, \mathrm{tranche}_{wkt} + \sum_o v_{wot} \, \mathrm{choose}_{wot} $$
    """
    for w in d.workflows.values():
        for t in w.periods:
            earned = weighted((b.usd[t] * b.good, m.tranche[w.id, b.key, t]) for b in d.bands_of[w.id])
            yield Entry((w.id, t), t, earned + weighted((b.usd[t], m.choose[w.id, b.id, t]) for b in w.bundles))


@term(index="workflow api period")
def api_tokens(m: Model, d: Data) -> Iterator[Entry]:
    r"""Tokens bought from APIs, at the price of the workflow's own tokens per call.

    $$ - \sum_{b} c_{wat} \, \mathrm{api}_{watb} $$
    """
    for (w, a), pair in d.api_pairs.items():
        for t in d.workflows[w].periods:
            yield Entry((w, a, t), t, weighted((-pair.usd_per_task[t], m.api[w, a, t, b]) for b in d.calendar.parts))


@term(index="api period")
def commitments(m: Model, d: Data) -> Iterator[Entry]:
    r"""Committed spend that was not used, and is paid.

    $$ - \mathrm{shortfall}_{at} $$
    """
    for a, t in m.shortfall:
        yield Entry((a, t), t, -m.shortfall[a, t])


@term(index="workflow period")
def launches(m: Model, d: Data) -> Iterator[Entry]:
    r"""One-off cost of starting a workflow.

    $$ - L_{wt} \, \mathrm{launch}_{wt} $$
    """
    for w in d.workflows.values():
        for t in w.periods:
            if w.launch_usd[t]:
                yield Entry((w.id, t), t, -w.launch_usd[t] * m.launch[w.id, t])


@term(index="workflow period")
def review(m: Model, d: Data) -> Iterator[Entry]:
    r"""People: review of sampled output, and the hours that a launch takes.

    $$ - u_{\kappa t} \Big( \sum_{e,b} m_{we} \, \mathrm{serve}_{wetb}
       + \lambda_{w\kappa} \, \mathrm{launch}_{wt} \Big) $$
    """
    for w in d.workflows.values():
        for t in w.periods:
            cost = quicksum(d.skills[k].usd_per_hour[t] * h * m.launch[w.id, t] for k, h in w.launch_hours.items())
            if w.skill is not None:
                cost += d.skills[w.skill].usd_per_hour[t] * review_hours(m, d, w, t)
            yield Entry((w.id, t), t, -cost)


@term(index="workflow period")
def retraining(m: Model, d: Data) -> Iterator[Entry]:
    r"""Cash cost of retraining a funded workflow, beside the GPU-hours it takes.

    $$ - c_{wt} \, \mathrm{fund}_{wt} $$
    """
    for w in d.workflows.values():
        for t in w.periods:
            if w.retraining and w.retraining.usd.get(t):
                yield Entry((w.id, t), t, -w.retraining.usd[t] * m.fund[w.id, t])


@term(index="workflow period")
def liability(m: Model, d: Data) -> Iterator[Entry]:
    r"""Expected cost of bad output that reaches somebody.

    $$ - \sum_{e,b} \ell_{we} \, \mathrm{serve}_{wetb} $$
    """
    for w in d.workflows.values():
        for t in w.periods:
            yield Entry((w.id, t), t, -liability_usd(m, d, w, t))
