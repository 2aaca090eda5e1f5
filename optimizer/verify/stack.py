"""Reading people, tools, losses and what was decided before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from optimizer.instance.calendar import Calendar
from optimizer.instance.schema import Instance
from optimizer.instance.schema import Loss as LossSpec
from optimizer.instance.schema import Skill as SkillSpec
from optimizer.instance.schema import Tool as ToolSpec
from optimizer.verify.facts_more import Change, Loss, Skill, Tool
from optimizer.verify.given import among, laid

GB_PER_TB = 1000.0

# Bytes of a parameter with its scales, as published checkpoints weigh; a precision nobody knows counts as bf16.
WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.03, "int8": 1.03, "fp4": 0.60, "int4": 0.58}


def skill(spec: SkillSpec, calendar: Calendar) -> Skill:
    """People of one skill."""
    return Skill(None if spec.hours is None else laid(spec.hours, calendar), laid(spec.usd_per_hour, calendar))


def tool(spec: ToolSpec, calendar: Calendar) -> Tool:
    """A tool by what it costs and takes."""
    return Tool(
        usd=laid(spec.usd_per_period, calendar),
        adopt_usd=spec.adopt_usd,
        gpus=spec.gpus,
        hbm_gb=spec.hbm_gb,
        storage_tb=spec.storage_tb,
        hours=spec.staff,
        resources=spec.resources,
        group=spec.group,
        running=spec.running,
    )


def model_tb(instance: Instance) -> Mapping[str, float]:
    """Terabytes of each AI model's weights at the widest precision deployed; empty where no site counts storage."""
    if all(site.storage_tb is None and site.usd_per_tb_month is None for site in instance.sites.values()):
        return {}
    widest: dict[str, float] = defaultdict(float)
    for d in instance.deployments.values():
        widest[d.model] = max(widest[d.model], WEIGHT_BYTES.get(d.precision, WEIGHT_BYTES["bf16"]))
    size = {name: spec.params_b for name, spec in instance.models.items()}
    return {name: n * wide / GB_PER_TB for name, wide in widest.items() if (n := size.get(name))}


def losses(instance: Instance) -> Mapping[str, Loss]:
    """Every loss of which some workflow is promised a share, by name; `each` is one loss per site, vendor or API."""
    given = instance.resilience
    found: dict[str, Loss] = {}
    for spec in given.losses:
        for name, kind, loss in _losses(instance, spec):
            shares = {**given.shares, **_own(instance, kind)}
            found[name] = replace(loss, shares={**shares, **(found[name].shares if name in found else {})})
    for spec in (LossSpec(each="site"), LossSpec(each="vendor"), LossSpec(each="api")):
        own = _own(instance, spec.each)
        for name, _, loss in _losses(instance, spec) if own else ():
            found.setdefault(name, replace(loss, shares=own))
    return {name: loss for name, loss in found.items() if loss.shares}


def _own(instance: Instance, kind: str | None) -> dict[str, float]:
    """Shares that workflows ask for after any loss of a kind."""
    asked = {w: getattr(spec.resilience, kind) for w, spec in instance.workflows.items()} if kind else {}
    return {w: share for w, share in asked.items() if share is not None}


def _losses(instance: Instance, spec: LossSpec) -> Iterator[tuple[str, str | None, Loss]]:
    """Name, kind (None if mixed) and what fails."""
    sellers = sorted({api.seller for api in instance.apis.values() if api.seller})
    every = {"site": instance.sites, "vendor": sellers, "api": instance.apis}
    if spec.each is not None:
        yield from ((name, spec.each, _loss(instance, {spec.each: (name,)})) for name in every[spec.each])
        return
    named = {kind: names for kind, names in zip(every, (spec.sites, spec.vendors, spec.apis), strict=True) if names}
    name = spec.id or "+".join(n for names in named.values() for n in names)
    yield name, next(iter(named)) if len(named) == 1 else None, _loss(instance, named)


def _loss(instance: Instance, named: Mapping[str, tuple[str, ...]]) -> Loss:
    vendors, apis = named.get("vendor", ()), named.get("api", ())
    gone = {a for a, api in instance.apis.items() if a in apis or api.seller in vendors}
    return Loss(frozenset(named.get("site", ())), frozenset(gone), {}, instance.resilience.recourse == "full")


def change(instance: Instance, calendar: Calendar) -> Change:
    """The plan before and what is held; replicas count from none for endpoints that a plan before does not name."""
    previous, hold, moves = instance.previous, instance.hold, instance.change
    funded = {(w, t): 0.0 for ban in hold.banned if (w := ban.workflow) for t in among(ban.periods, calendar.periods)}
    kept = {(w, t): 1.0 for pin in hold.pinned if (w := pin.workflow) for t in among(pin.periods, calendar.periods)}
    none = {(e, t): 0.0 for ban in hold.banned if (e := ban.endpoint) for t in among(ban.periods, calendar.periods)}
    pinned = {
        (e, t): float(pin.replicas)
        for pin in hold.pinned
        if (e := pin.endpoint) and pin.replicas is not None
        for t in among(pin.periods, calendar.periods)
    }
    before = dict(previous.replicas) if "replicas" in previous.model_fields_set else None
    return Change(before, moves.usd_per_replica, moves.ramp, {**funded, **kept}, {**none, **pinned})
