"""Workflows and deployments as an instance file states them, with their economics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf
from statistics import harmonic_mean, median_low
from typing import Any

from benchmarks.generator.chance import Chance, rounded
from benchmarks.generator.fleet import Plain, gpu_usd_per_hour, law
from benchmarks.generator.serving import Models, Pools, Serving, Stream, Use
from benchmarks.generator.silicon import GPUS, Config
from benchmarks.generator.sizes import Size

HEADROOM, AVAILABILITY = 0.8, 0.98
HOURS = 2190.0  # of a quarter, near enough for scaling demand
TRANCHES = ((0.40, 1.25), (0.75, 1.0), (1.0, 0.6))  # (up to this share of demand, factor on the value)
API_FACTOR = 2.5  # price over reference
APIS = {"api-1": "vendor-1", "api-2": "vendor-1", "api-3": "vendor-2"}
API_LAW = "law-of-apis"
SKILL = "reviewers"
REVIEW_USD = 60.0  # per hour


def deployments(serving: Serving, models: Models) -> Plain:
    """Shared deployments with all their users, then those of isolated workflows."""
    users: dict[Config, list[Stream]] = defaultdict(list)
    found: Plain = {}
    for uses in serving.uses.values():
        for use in uses:
            if use.stream.isolated:
                found[f"{use.config.name}/{use.stream.id}"] = _deployment(use.config, use.pools, [use.stream], models)
            else:
                users[use.config].append(use.stream)
    shared = {c.name: _deployment(c, serving.shared[c], flows, models) for c, flows in sorted(users.items())}
    return {**shared, **found}


def reference_usd(serving: Serving, models: Models) -> dict[str, float]:
    """Cost per task of each workflow: what a fleet of equal parts of each GPU type would need; median if none suits."""
    cheapest = {w: list(_cheapest(uses, models).values()) for w, uses in serving.uses.items()}
    found = {w: rounded(harmonic_mean(usd)) for w, usd in cheapest.items() if usd}
    middle = median_low(found.values())
    return {w: found.get(w, middle) for w in cheapest}


def workflows(
    size: Size, fleet: Plain, flows: Sequence[Stream], reference: Mapping[str, float], chance: Chance
) -> Plain:
    """Workflows whose work, at the reference cost, is more than the fleet can do: it covers 55 to 70 % of it."""
    weight = {flow.id: chance.spread(1.0, 1.2) for flow in flows}
    growth = {flow.id: chance.between(0.0, 0.12) for flow in flows}
    mean = {w: sum((1 + g) ** t for t in range(size.periods)) / size.periods for w, g in growth.items()}
    usd = gpu_usd_per_hour(fleet) * HOURS / chance.between(0.55, 0.70)
    scale = usd / sum(weight[w] * mean[w] for w in weight)
    critical = set(chance.some(list(weight), round(0.2 * len(weight))))
    found = {}
    for flow in flows:
        tasks = scale * weight[flow.id] / reference[flow.id]
        demand = [rounded(tasks * (1 + growth[flow.id]) ** t) for t in range(size.periods)]
        found[flow.id] = _workflow(flow, demand, reference[flow.id], flow.id in critical, chance)
    return found


def apis(flows: Mapping[str, Any], reference: Mapping[str, float], chance: Chance) -> Plain:
    """Three APIs of two vendors, at about 2.5 times the reference cost of each workflow that accepts them."""
    found: Plain = {a: {"jurisdiction": API_LAW, "vendor": v, "prices": {}} for a, v in APIS.items()}
    for w, spec in flows.items():
        price = rounded(reference[w] * chance.spread(API_FACTOR, 0.15))
        found[spec["accepts"]["apis"][0]]["prices"][w] = {"usd_per_task": price}
    return {a: api for a, api in found.items() if api["prices"]}


def _workflow(flow: Stream, demand: list[float], reference: float, critical: bool, chance: Chance) -> Plain:
    value = rounded(reference * chance.spread(2.2, 0.6))
    return {
        "demand": demand,
        "tokens_in": flow.tokens_in,
        "tokens_out": flow.tokens_out,
        "value_usd": [{"upto": upto, "usd": rounded(factor * value)} for upto, factor in TRANCHES],
        "accepts": {"models": list(flow.models), "apis": [chance.choice(list(APIS))]},
        "latency": {"tpot_ms": flow.tpot_ms},
        "residency": [*map(law, flow.sites), API_LAW],
        "peak_factor": chance.between(1.0, 1.6),
        "min_service": chance.between(0.2, 0.8),
        "launch_usd": rounded(demand[0] * reference * chance.between(0.05, 0.3)),
        "review": {"skill": SKILL, "share": chance.between(0.01, 0.1), "minutes": _minutes(value, chance)},
        "launch_hours": {SKILL: chance.between(20, 120)},
        **({"isolation": True} if flow.isolated else {}),
        **({"keep_once_launched": True} if chance.odds(0.3) else {}),
        **({"state": {"running": True, "proven": True}} if chance.odds(0.4) else {}),
        **({"resilience": {"site": 0.4}} if critical else {}),  # no site above 60 %
    }


def _minutes(value: float, chance: Chance) -> float:
    """Of review per sampled task, so that people cost some percent of what the task is worth."""
    return rounded(chance.between(0.05, 0.3) * value / REVIEW_USD * 60)


def _deployment(config: Config, pools: Pools, flows: Sequence[Stream], models: Models) -> Plain:
    model, gpu = models[config.model], GPUS[config.gpu]
    idle, op = max(config.gpus, 1e-9) * gpu.idle_kw, config.gpus * gpu.op_kw
    size: Plain = {"gpus": config.gpus} if config.slot is None else {"slice": config.slot}
    return {
        "model": config.model, "gpu": [config.gpu], "pools": pools, "workflows": [flow.id for flow in flows],
        "precision": config.precision, **size, "hbm_gb": config.hbm_gb(model), "concurrency": config.concurrency,
        "idle_kw": rounded(idle), "op_kw": rounded(op), "availability": AVAILABILITY,
        "work": {f.id: {"tasks_per_hour": f.rate(config, model), "tpot_ms": f.tpot(config, model)} for f in flows},
    }  # fmt: skip


def _usd(use: Use, models: Models) -> float:
    """Per task, at the all-in price of the GPU."""
    config = use.config
    rate = use.stream.rate(config, models[config.model]) * HEADROOM * AVAILABILITY
    return config.gpus * GPUS[config.gpu].usd_per_hour / rate


def _cheapest(uses: Sequence[Use], models: Models) -> dict[str, float]:
    """By GPU type."""
    found: dict[str, float] = {}
    for use in uses:
        gpu = use.config.gpu
        found[gpu] = min(found.get(gpu, inf), _usd(use, models))
    return found
