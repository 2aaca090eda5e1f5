"""The resolved instance: the public schema with `catalogue: none`, every figure and price stated.

`resolve(parse(document))` gives the same Data. Deployments are those with a pair left after dropping; speeds and
prices are those of one attempt, with each set of tools apart, so that tools state no effects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from typing import Any

from optimizer.formulation.data import Data
from optimizer.resolve.apis import Bought, Offered
from optimizer.resolve.endpoints import Placed
from optimizer.resolve.gpus import Gpu
from optimizer.resolve.models import Models
from optimizer.resolve.past import Past
from optimizer.resolve.tokens import DEFAULT, tokens
from optimizer.resolve.types import Deployment, Ground, Use, Work
from optimizer.resolve.workflows import terms

Plain = dict[str, Any]

AS_STATED = ("schema", "name", "note", "currency", "horizon", "day_parts", "rack_classes", "offers", "skills",
             "resources", "resilience", "change", "hold")  # fmt: skip
BY_SOURCE = ("tokens_in", "tokens_out", "cached_in", "yield")  # what a workflow may state by AI model or API
GPU_FIELDS = ("name", "vendor", "hbm_gb", "usable_hbm_gb", "bandwidth_tb_s", "tflops", "tdp_w", "idle_kw", "op_kw",
              "gpus_per_node", "scale_up_domain", "cooling", "layouts")  # fmt: skip
MODEL_FIELDS = ("name", "params_b", "active_params_b", "layers", "experts", "experts_per_token", "attention",
                "kv_values_per_token", "kv_heads", "context_tokens", "precisions", "licence", "commercial_use",
                "quality", "output_multiplier")  # fmt: skip


def document(ground: Ground, placed: Placed, bought: Bought, before: Past, data: Data) -> Plain:
    """Plain data of the resolved instance, fit for JSON."""
    instance = ground.instance
    stated = instance.dump()
    used = _used(placed, data)
    serving = _serving(used)
    known = {*ground.models, *instance.apis, *(d.model for d in used.values()), DEFAULT}
    accepted = {name for w in instance.workflows.values() for name in w.accepts.models or ()}
    models = ({d.model for d in used.values()} | accepted) & set(ground.models)
    parts = {
        "sites": stated["sites"],
        "pools": {p: _pool(ground, p, spec) for p, spec in stated["pools"].items()},
        "gpus": {place.gpu.id: _gpu(place.gpu) for place in ground.places.values()},
        "models": {name: _model(ground.models, name) for name in sorted(models)},
        "deployments": {i: _deployment(d, sorted(pools)) for (i, pools), d in _by_pools(used, data).items()},
        "apis": {a: _api(bought, data, a, spec) for a, spec in stated.get("apis", {}).items()},
        "workflows": {
            w: _workflow(ground, serving[w], known, data, w, spec) for w, spec in stated["workflows"].items()
        },
        "tools": {j: _without(spec, "effects") for j, spec in stated.get("tools", {}).items()},
        "limits": _limits(ground, stated.get("limits", {})),
        "previous": _previous(before),
    }
    return {
        **{k: stated[k] for k in AS_STATED if k in stated},
        "schema": instance.schema_,
        "currency": instance.currency,
        "horizon": {**stated["horizon"], "discount_rate": instance.horizon.discount_rate},
        "resolved_from": instance.source or instance.resolved_from or instance.name,
        "catalogue": "none",
        **{k: v for k, v in parts.items() if v or k in stated},
        "options": _options(ground),
    }


def _without(spec: Plain, *keys: str) -> Plain:
    return {k: v for k, v in spec.items() if k not in keys}


def _limits(ground: Ground, spec: Plain) -> Plain:
    """Budgets with the terms they cover."""
    budgets = ground.instance.limits.spend
    full = {name: {**each, "terms": list(terms(name, budgets[name]))} for name, each in spec.get("spend", {}).items()}
    return {**spec, "spend": full} if full else spec


def _previous(before: Past) -> Plain:
    replicas = {} if before.replicas is None else {"replicas": dict(before.replicas)}
    return {**replicas, **({"funded": list(before.funded)} if before.funded else {})}


def _used(placed: Placed, data: Data) -> dict[str, Deployment]:
    kept = {e.deployment for e in data.endpoints.values()}
    return {i: d for i, d in placed.deployments.items() if i in kept}


def _serving(used: Mapping[str, Deployment]) -> dict[str, set[str]]:
    """AI models that may serve each workflow."""
    found: dict[str, set[str]] = defaultdict(set)
    for d in used.values():
        for use in d.work:
            found[use.workflow].add(d.model)
    return found


def _by_pools(used: Mapping[str, Deployment], data: Data) -> dict[tuple[str, tuple[str, ...]], Deployment]:
    pools: dict[str, set[str]] = defaultdict(set)
    for e in data.endpoints.values():
        pools[e.deployment].add(e.pool)
    return {(i, tuple(sorted(pools[i]))): used[i] for i in used}


def _pool(ground: Ground, p: str, spec: Plain) -> Plain:
    place = ground.places[p]
    full = {**spec, "gpu": place.gpu.id}
    if place.pool.sharing == "shared":
        share = place.pool.compute_share
        full["compute_share"] = ground.settings.compute_share if share is None else share
        full["bandwidth_share"] = place.pool.bandwidth_share
    return full


def _gpu(gpu: Gpu) -> Plain:
    slices = {
        s.name: {"hbm_gb": s.hbm_gb, "compute_share": s.compute_share, "bandwidth_share": s.bandwidth_share}
        for s in gpu.model.slices.values()
    }
    return {**_plain(gpu.model, GPU_FIELDS), "slices": slices, "source": gpu.source}


def _model(models: Models, name: str) -> Plain:
    return {**_plain(models[name], MODEL_FIELDS), "source": models.source(name)}


def _plain(figures: object, names: tuple[str, ...]) -> Plain:
    values = {name: getattr(figures, name) for name in names}
    return {k: _copy(v) for k, v in values.items() if v is not None}


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _copy(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _deployment(d: Deployment, pools: list[str]) -> Plain:
    place = {"slice": d.slice} if d.slice else {"gpus": d.gpus}
    ceiling = {"context_tokens": d.context_tokens} if d.context_tokens else {}
    constant = {"replicas": {"constant": [list(group) for group in d.constant]}} if d.constant else {}
    served = list(dict.fromkeys(use.workflow for use in d.work))
    return {
        "model": d.model, "gpu": [d.gpu], "pools": pools, "workflows": served, "precision": d.precision, **place,
        "hbm_gb": d.hbm_gb, "concurrency": d.concurrency, **ceiling, "idle_kw": d.idle_kw, "op_kw": d.op_kw,
        "availability": d.availability, "keep": d.keep, "quality": dict(d.quality), **constant,
        **({"resources": dict(d.resources)} if d.resources else {}),
        "work": {w: _work_of(d, w) for w in served},
    }  # fmt: skip


def _work_of(d: Deployment, w: str) -> Plain:
    """Plain figures, where it serves without tools, and those with each set of tools."""
    tools = {"+".join(use.tools): _work(work) for use, work in d.work.items() if use.workflow == w and use.tools}
    plain = d.work.get(Use(w))
    if plain is not None:
        return {**_work(plain), **({"tools": tools} if tools else {})}
    known = {k: next(iter(tools.values()))[k] for k in ("bytes_gb_per_task", "tflop_per_task")}
    return {**known, "tools": tools}


def _work(work: Work) -> Plain:
    times = {k: v for k, v in (("ttft_ms", work.ttft_ms), ("tpot_ms", work.tpot_ms)) if v is not None}
    bound = {"bound_by": work.bound_by} if work.bound_by in ("bandwidth", "hbm", "compute", "latency") else {}
    return {
        "tasks_per_hour": work.tasks_per_hour, **times, "bytes_gb_per_task": work.bytes_gb,
        "tflop_per_task": work.tflop, **bound, "grade": work.grade,
        "interval_low": max(work.ttft_range[0], work.tpot_range[0]),
        "interval_high": min(work.ttft_range[1], work.tpot_range[1]),
        "ttft_high": work.ttft_range[1], "tpot_high": work.tpot_range[1], "basis": _basis(work),
    }  # fmt: skip


def _basis(work: Work) -> str:
    if work.ttft_range == work.tpot_range or "TTFT x" in work.basis:
        return work.basis
    (a, b), (c, d) = work.ttft_range, work.tpot_range
    return f"{work.basis}; nine in ten within TTFT x{a:.2f}..{b:.2f}, TPOT x{c:.2f}..{d:.2f}"


def _api(bought: Bought, data: Data, a: str, spec: Plain) -> Plain:
    """Prices per call of each workflow: price path, discounts and caches are in them."""
    periods = data.calendar.periods

    def price(offered: Offered) -> Plain:
        return {"usd_per_task": [offered.usd[t] for t in periods]}

    prices: dict[str, Plain] = {}
    for (b, use), offered in bought.prices.items():
        if b == a and use.tools:
            sizes = {"tokens_in": offered.into, "tokens_out": offered.out}
            tools = prices.setdefault(use.workflow, {}).setdefault("tools", {})
            tools["+".join(use.tools)] = {**price(offered), **sizes}
        elif b == a:
            prices.setdefault(use.workflow, {}).update(price(offered))
    return {**_without(spec, "price_factor", "batch_discount"), "prices": prices}


def _workflow(ground: Ground, models: Set[str], known: Set[str], data: Data, w: str, spec: Plain) -> Plain:
    """The workflow with its tokens on each AI model, its headroom, and its accepted GPUs by the names of the pools."""
    workflow = ground.instance.workflows[w]
    full = {**spec, "headroom": data.workflows[w].headroom}
    full |= {k: _of(known, full[k]) for k in BY_SOURCE if isinstance(full.get(k), dict)}
    if workflow.review is not None:
        full["review"] = {k: _of(known, v) if isinstance(v, dict) else v for k, v in spec["review"].items()}
    if workflow.accepts.models is not None:  # a model of the planner's own is known by its deployments, if any are left
        full["accepts"] = {**spec["accepts"], "models": [n for n in workflow.accepts.models if n in known]}
    if workflow.tokens_out is not None:
        full["tokens_out"] = {**full["tokens_out"], **_tokens_out(ground, models, w)}
    places = ground.places.values()
    if workflow.accepts.gpus is not None:
        names = [p.gpu.id for p in places if p.gpu.names & set(workflow.accepts.gpus)]
        full["accepts"] = {**full["accepts"], "gpus": sorted(set(names))}
    if workflow.gpu_hours is not None and workflow.gpu_hours.speed:
        speeds = {p.gpu.id: x for p in places for name, x in workflow.gpu_hours.speed.items() if name in p.gpu.names}
        full["gpu_hours"] = {**spec["gpu_hours"], "speed": speeds}
    training = data.workflows[w].retraining
    if training is not None:
        speed = {ground.places[p].gpu.id: factor for p, factor in training.speed.items()}
        full["retraining"] = {**spec["retraining"], "speed": speed}
    return full


def _of(known: Set[str], by_source: Plain) -> Plain:
    """What is stated of the AI models and APIs that are left."""
    return {name: x for name, x in by_source.items() if name in known}


def _tokens_out(ground: Ground, models: Set[str], w: str) -> dict[str, float]:
    """Output tokens on each AI model that may serve the workflow, its multiplier applied."""
    workflow = ground.instance.workflows[w]
    found = {}
    for name in sorted(models & set(ground.models)):
        need = tokens(workflow, name, ground.models[name].output_multiplier)
        if need is not None and name != DEFAULT:
            found[name] = need.out
    return found


def _options(ground: Ground) -> Plain:
    s = ground.settings
    stated = {} if s.stated_availability is None else {"availability": s.stated_availability}
    return {
        "headroom": s.headroom, **stated, "compute_share": s.compute_share, "concurrency": list(s.concurrency),
        "gpus": list(s.gpus), "precisions": list(s.precisions), "context_tokens": list(s.context_tokens),
        "speed": "expected",
    }  # fmt: skip
