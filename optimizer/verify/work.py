"""Reading what is served and what serves it: workflows, deployments, APIs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optimizer.instance.calendar import Calendar
from optimizer.instance.schema import Api as ApiSpec
from optimizer.instance.schema import ApiPrice, Constant, Instance, SpeedSpec
from optimizer.instance.schema import Deployment as DeploymentSpec
from optimizer.instance.schema import Workflow as WorkflowSpec
from optimizer.verify.facts import Api, Deployment, Speed, Tranche, Workflow
from optimizer.verify.facts_more import ByPeriod
from optimizer.verify.given import laid, stated
from optimizer.verify.needs import needs, outcomes

MTOK = 1e6
MINUTES = 60.0
SPEED = ("ttft_ms", "tpot_ms", "bytes_gb_per_task", "tflop_per_task")


def deployment(instance: Instance, name: str, spec: DeploymentSpec, calendar: Calendar) -> Deployment:
    """A deployment with its speed for each workflow that it may serve."""
    where, model = f"deployments.{name}", instance.models.get(spec.model)
    idle, op = (kw if kw is not None else spec.kw for kw in (spec.idle_kw, spec.op_kw))
    availability = spec.availability if spec.availability is not None else instance.options.availability
    rates = _rates(spec, spec.workflows or tuple(instance.workflows))
    return Deployment(
        model=spec.model,
        precision=spec.precision,
        gpu_names=frozenset(spec.gpu),
        pools=None if spec.pools is None else frozenset(spec.pools),
        gpus=0.0 if spec.slice else stated(spec.gpus, where, "gpus"),
        slot=spec.slice,
        hbm_gb=spec.hbm_gb,
        context_tokens=spec.context_tokens,
        idle_kw=stated(idle if idle is not None else op, where, "kw"),
        op_kw=stated(op if op is not None else idle, where, "kw"),
        availability=stated(availability, where, "availability"),
        quality={**((model.quality or {}) if model else {}), **spec.quality},
        commercial=model is None or model.commercial_use is not False,
        spans=bool(rates) and all(instance.workflows[w.partition("+")[0]].gpu_hours for w in rates),
        work=rates,
        resources=spec.resources,
        constant=_constant(spec, calendar),
    )


def _rates(spec: DeploymentSpec, workflows: Iterable[str]) -> dict[str, Speed]:
    """Speed by workflow, and by workflow with tools in use (`chat+cache`), for one attempt at a task."""
    found: dict[str, Speed | None] = {}
    for w in workflows:
        own = spec.work.get(w)
        found[w] = _speed((own, spec) if own else (spec,))
        found.update({f"{w}+{tools}": _speed((each, own, spec)) for tools, each in own.tools.items()} if own else {})
    return {name: speed for name, speed in found.items() if speed}


def _speed(specs: Sequence[SpeedSpec]) -> Speed | None:
    """Figures from the nearest that states them; times at the slow end of their intervals."""
    rate = _first(*(r for s in specs for r in (s.tasks_per_hour, _hourly(s.tasks_per_s))))
    if rate is None:
        return None
    ttft, tpot, moved, done = (_first(*(getattr(s, name) for s in specs)) for name in SPEED)
    slow = [_first(*(_first(getattr(s, name), s.interval_high) for s in specs)) for name in ("ttft_high", "tpot_high")]
    ttft, tpot = (None if ms is None else ms * (high or 1.0) for ms, high in zip((ttft, tpot), slow, strict=True))
    return Speed(rate, ttft, tpot, moved or 0.0, done or 0.0)


def _constant(spec: DeploymentSpec, calendar: Calendar) -> tuple[tuple[str, ...], ...]:
    """Groups of periods in which the replicas are the same."""
    if spec.replicas is None:
        return ()
    return spec.replicas.constant if isinstance(spec.replicas, Constant) else (calendar.periods,)


def _hourly(per_second: float | None) -> float | None:
    return None if per_second is None else per_second * 3600


def _first(*values: Any) -> Any:
    return next((v for v in values if v is not None), None)


def api(instance: Instance, spec: ApiSpec, calendar: Calendar) -> Api:
    """An API with its price of one task of each workflow."""
    name = next(a for a, each in instance.apis.items() if each is spec)
    prices = {w: _usd_per_task(instance, name, w, calendar) for w in instance.workflows}
    tooled = {f"{w}+{j}": each for w, own in spec.prices.items() for j, each in own.tools.items()}
    prices.update({key: laid(p.usd_per_task, calendar) for key, p in tooled.items() if p.usd_per_task is not None})
    tokens = {key: (p.tokens_in, p.tokens_out) for key, p in tooled.items()}
    return Api(
        jurisdiction=spec.jurisdiction,
        committed=laid(spec.commitment_usd, calendar) if spec.commitment_usd else {},
        quality=spec.quality,
        ttft_ms=spec.ttft_ms,
        tpot_ms=spec.tpot_ms,
        usd_per_task={w: usd for w, usd in prices.items() if usd is not None},
        tokens_with={key: (i, o) for key, (i, o) in tokens.items() if i is not None and o is not None},
        tokens_per_hour=None if spec.tokens_per_minute is None else spec.tokens_per_minute * MINUTES,
        requests_per_hour=None if spec.requests_per_minute is None else spec.requests_per_minute * MINUTES,
        tokens=None if spec.tokens_per_period is None else laid(spec.tokens_per_period, calendar),
        requests=None if spec.requests_per_period is None else laid(spec.requests_per_period, calendar),
    )


def _usd_per_task(instance: Instance, a: str, w: str, calendar: Calendar) -> ByPeriod | None:
    """The workflow's own price where one is stated, else the API's, times the price path, less the batch discount."""
    spec, work = instance.apis[a], instance.workflows[w]
    charged = 1 - spec.batch_discount if work.served_as == "batch" else 1.0
    factor = {t: charged * path for t, path in laid(spec.price_factor, calendar).items()}
    for price in (spec.prices.get(w), spec):
        usd = None if price is None else _price(price, work, a, calendar)
        if usd is not None:
            return {t: usd[t] * factor[t] for t in calendar.periods}
    return None


def _price(price: ApiPrice, work: WorkflowSpec, a: str, calendar: Calendar) -> ByPeriod | None:
    if price.usd_per_task is not None:
        return laid(price.usd_per_task, calendar)
    if None in (price.usd_per_mtok_in, price.usd_per_mtok_out, work.tokens_in, work.tokens_out):
        return None
    kept = (work.cached_in or {}).get(a, (work.cached_in or {}).get("default", 0.0))
    cached = kept if price.usd_per_mtok_cached_in is not None else 0.0
    rates = (
        (1 - cached, work.tokens_in, price.usd_per_mtok_in),
        (cached, work.tokens_in, price.usd_per_mtok_cached_in),
        (1.0, work.tokens_out, price.usd_per_mtok_out),
    )
    parts = [
        (share * tokens.get(a, tokens.get("default", 0.0)) / MTOK, laid(usd, calendar))
        for share, tokens, usd in rates
        if tokens is not None and usd is not None
    ]
    return {t: sum(mtok * usd[t] for mtok, usd in parts) for t in calendar.periods}


def workflow(instance: Instance, name: str, calendar: Calendar) -> Workflow:
    """A workflow with its demand laid over its own window."""
    spec = instance.workflows[name]
    headroom = spec.headroom if spec.headroom is not None else instance.options.headroom
    starts = (0.0, *(band.upto for band in spec.value_usd))
    bands = zip(spec.value_usd, starts, strict=False)
    accepts = {kind: getattr(spec.accepts, kind) for kind in ("models", "apis", "gpus", "precisions")}
    return Workflow(
        demand=_demand(spec, calendar),
        job=spec.demand.job,
        share=spec.demand_share or _by_hours(calendar),
        serving=spec.served_as,
        tokens_in=spec.tokens_in or {},
        tokens_out=spec.tokens_out or {},
        tranches=tuple(Tranche(band.upto - start, laid(band.usd, calendar)) for band, start in bands),
        accepts={kind: frozenset(names) for kind, names in accepts.items() if names is not None},
        quality=spec.quality,
        ttft_ms=spec.latency.ttft_ms,
        tpot_ms=spec.latency.tpot_ms,
        peak_factor=spec.peak_factor,
        headroom=stated(headroom, f"workflows.{name}", "headroom"),
        residency=spec.residency or (),
        launch_usd=laid(spec.launch_usd, calendar),
        min_service=spec.min_service,
        must_fund=spec.must_fund,
        keep=spec.keep_once_launched,
        isolation=spec.isolation,
        min_replicas=spec.min_replicas,
        running=spec.state.running or name in instance.previous.funded,
        commercial=spec.commercial,
        outcomes=outcomes(spec),
        needs=needs(instance, spec, calendar),
    )


def _demand(spec: WorkflowSpec, calendar: Calendar) -> Mapping[str, float]:
    """Tasks by period, none before the start and, for a job, none after the deadline."""
    periods = calendar.periods
    first = periods.index(spec.start) if spec.start else 0
    last = periods.index(spec.deadline) if spec.deadline else len(periods) - 1
    tasks = spec.demand.resolve(periods, [calendar.hours[t] for t in periods])
    if spec.bundles is not None and not any(tasks):
        tasks = (1.0,) * len(periods)
    return {t: n if first <= i <= last else 0.0 for i, (t, n) in enumerate(zip(periods, tasks, strict=True))}


def _by_hours(calendar: Calendar) -> dict[str, float]:
    first = calendar.periods[0]
    return {b: calendar.part_hours[first, b] / calendar.hours[first] for b in calendar.parts}
