"""The formulation against brute force: every whole-number choice enumerated, the rest written out by hand.

The oracle knows nothing of `optimizer.formulation`: it is a second reading of the design's formulae for
instances of one period, one site and one day part, with whole GPUs. The inner problem (who is served,
given what stands) is a linear program in matrices.
"""

from __future__ import annotations

from itertools import product
from math import floor

import numpy as np
import pytest
import tiny
from generated import instances
from hypothesis import HealthCheck, given, settings
from scipy.optimize import linprog


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(d=instances(single=True))
def test_the_optimum_is_that_of_brute_force(d):
    expected = brute_force(d)
    if expected is None:
        with pytest.raises(tiny.Infeasible):
            tiny.optimum(d)
    else:
        assert tiny.optimum(d) == pytest.approx(expected, abs=1e-5)


def brute_force(d):
    """Best net value over all replicas, powered nodes and funded sets; None when nothing is feasible."""
    t = d.calendar.periods[0]
    ends, flows = list(d.endpoints.values()), list(d.workflows.values())
    most = [floor(d.pools[e.pool].count[t] / e.gpus) for e in ends]
    best = None
    for counts in product(*(range(n + 1) for n in most)):
        in_use = {p: sum(e.gpus * n for e, n in zip(ends, counts, strict=True) if e.pool == p) for p in d.pools}
        memory = {p: sum(e.hbm_gb * n for e, n in zip(ends, counts, strict=True) if e.pool == p) for p in d.pools}
        if any(in_use[p] > q.count[t] or memory[p] > q.usable_gb * q.count[t] for p, q in d.pools.items()):
            continue
        for funded in product((0, 1), repeat=len(flows)):
            found = serve_best(d, t, ends, counts, flows, funded, in_use)
            if found is not None and (best is None or found > best):
                best = found
    return best


def serve_best(d, t, ends, counts, flows, funded, in_use):
    hours = d.calendar.hours[t]
    launched = [f and not w.running for w, f in zip(flows, funded, strict=True)]
    if sum(launched) > d.launch_limit.get(t, 99) or sum(funded) > d.portfolio_limit.get(t, 99):
        return None
    if any(w.must_fund and not f for w, f in zip(flows, funded, strict=True)):
        return None
    standing = {e.id: n for e, n in zip(ends, counts, strict=True)}
    for w, f in zip(flows, funded, strict=True):
        if f and w.min_replicas > sum(standing[e] for (name, e) in d.pairs if name == w.id):
            return None

    (site,) = d.sites.values()
    nodes = {p: -(-in_use[p] // q.node) for p, q in d.pools.items()}
    idle = sum(q.idle_kw * (q.node * nodes[p] - in_use[p]) for p, q in d.pools.items())
    idle += sum(e.idle_kw * n for e, n in zip(ends, counts, strict=True))
    running = sum(
        q.usd_per_gpu_hour[t] * hours * (q.node * nodes[p] if q.paid_when_powered else q.count[t])
        for p, q in d.pools.items()
    )
    launch_cost = sum(w.launch_usd[t] for w, new in zip(flows, launched, strict=True) if new)
    fixed = running + launch_cost + site.usd_per_kwh[t] * site.pue * idle * hours

    own, bought, sold = list(d.pairs), list(d.api_pairs), [(w.id, k) for w in flows for k in range(len(w.tranches))]
    n = len(own) + len(bought) + len(sold)
    at = {
        key: i
        for i, key in enumerate(
            [("own", *k) for k in own] + [("api", *k) for k in bought] + [("sold", *k) for k in sold]
        )
    }
    kwh = {(w, e): (d.endpoints[e].op_kw - d.endpoints[e].idle_kw) / d.pairs[w, e].tasks_per_hour for w, e in own}
    gain, upper, matrix, limits, equal = np.zeros(n), np.zeros(n), [], [], []
    for w, e in own:
        gain[at["own", w, e]] = -site.usd_per_kwh[t] * site.pue * kwh[w, e]
        upper[at["own", w, e]] = np.inf
    for w, a in bought:
        gain[at["api", w, a]] = -d.api_pairs[w, a].usd_per_task[t]
        upper[at["api", w, a]] = np.inf
    for w, f in zip(flows, funded, strict=True):
        for k, band in enumerate(w.tranches):
            gain[at["sold", w.id, k]] = band.usd[t]
            upper[at["sold", w.id, k]] = band.width * w.demand[t] * f
        row = np.zeros(n)
        for name, i in at.items():
            row[i] = 0 if name[1] != w.id else (-1 if name[0] == "sold" else 1)
        equal.append(row)
        promise = np.zeros(n)
        promise[[at["sold", w.id, k] for k in range(len(w.tranches))]] = -1
        matrix.append(promise)
        limits.append(-w.min_service * w.demand[t] * f)

    def at_most(coefficients, limit):
        row = np.zeros(n)
        for key, value in coefficients.items():
            row[at[key]] = value
        matrix.append(row)
        limits.append(limit)

    for e in ends:
        use = {
            ("own", w, x): d.workflows[w].peak_factor / (d.pairs[w, x].tasks_per_hour * d.workflows[w].headroom)
            for w, x in own
            if x == e.id
        }
        at_most(use, standing[e.id] * hours * e.availability)
    if site.power_kw is not None:
        if site.nameplate:
            plate = sum(e.op_kw * c for e, c in zip(ends, counts, strict=True))
            plate += sum(q.idle_kw * (q.node * nodes[p] - in_use[p]) for p, q in d.pools.items())
            if site.pue * plate > site.power_kw[t] + 1e-9:
                return None
        else:
            at_most(
                {("own", w, e): site.pue * kwh[w, e] * d.workflows[w].peak_factor / hours for w, e in own},
                site.power_kw[t] - site.pue * idle,
            )
    for budget in d.budgets:
        spent = {("own", *k): -gain[at["own", *k]] for k in own} | {("api", *k): -gain[at["api", *k]] for k in bought}
        energy = site.usd_per_kwh[t] * site.pue * idle * hours
        at_most(spent, budget.amount[(t,)] - launch_cost - energy)
    for limit in d.api_limits.values():
        tokens = {("api", *k): d.api_pairs[k].tokens_in + d.api_pairs[k].tokens_out for k in bought}
        peak = {key: d.workflows[key[1]].peak_factor / hours for key in tokens}
        if limit.tokens:
            at_most(tokens, limit.tokens[t])
        if limit.requests:
            at_most(dict.fromkeys(tokens, 1.0), limit.requests[t])
        if limit.tokens_per_hour:
            at_most({key: peak[key] * tokens[key] for key in tokens}, limit.tokens_per_hour)
        if limit.requests_per_hour:
            at_most(peak, limit.requests_per_hour)
    result = linprog(
        -gain, A_ub=np.array(matrix), b_ub=limits, A_eq=np.array(equal), b_eq=np.zeros(len(equal)),
        bounds=[(0, u) for u in upper],
    )  # fmt: skip
    return -result.fun - fixed if result.status == 0 else None
