"""Reading people, tools, losses and what was decided before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from optimizer.instance.calendar import Calendar
from optimizer.instance.schema import Instance, Site
from optimizer.instance.schema import Loss as LossSpec
from optimizer.instance.schema import Skill as SkillSpec
from optimizer.instance.schema import Tool as ToolSpec
from optimizer.verify.facts_more import Change, Loss, Skill, Tool
from optimizer.verify.given import among, laid

Kind = Literal["site", "vendor", "api"]
Things = tuple[tuple[Kind, str], ...]

KINDS: tuple[Kind, ...] = ("site", "vendor", "api")
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
    """Terabytes of each AI model's weights at the widest precision deployed where a site counts storage."""
    counted = {s for s, site in instance.sites.items() if site.storage_tb is not None or _charged(site)}
    pools = {p for p, pool in instance.pools.items() if pool.site in counted}
    widest: dict[str, float] = defaultdict(float)
    for d in instance.deployments.values():
        if pools.intersection(instance.pools if d.pools is None else d.pools):
            widest[d.model] = max(widest[d.model], WEIGHT_BYTES.get(d.precision, WEIGHT_BYTES["bf16"]))
    size = {name: spec.params_b for name, spec in instance.models.items()}
    return {name: n * wide / GB_PER_TB for name, wide in widest.items() if (n := size.get(name))}


def _charged(site: Site) -> bool:
    return site.usd_per_tb_month is not None and any(site.usd_per_tb_month.numbers)


def losses(instance: Instance) -> Mapping[str, Loss]:
    """Every loss after which some workflow is promised a share, by name; the same things fail under one name only."""
    given = instance.resilience
    own = {kind: _asked(instance, kind) for kind in KINDS}
    each = [LossSpec(each=kind) for kind, shares in own.items() if shares]
    found: dict[Things, tuple[str, Mapping[str, float]]] = {}
    for spec, shares in (*((spec, given.shares) for spec in given.losses), *((spec, {}) for spec in each)):
        for name, things in _things(instance, spec):
            alone = own[things[0][0]] if len(things) == 1 else {}
            found.setdefault(things, (name, {w: share for w, share in {**shares, **alone}.items() if share}))
    return {name: _loss(instance, things, shares) for things, (name, shares) in found.items() if shares}


def _asked(instance: Instance, kind: Kind) -> dict[str, float]:
    """Shares that workflows ask for after any loss of a kind."""
    asked = {w: getattr(spec.resilience, kind) for w, spec in instance.workflows.items()}
    return {w: share for w, share in asked.items() if share is not None}


def _things(instance: Instance, spec: LossSpec) -> Iterator[tuple[str, Things]]:
    """Name of a loss and what fails: every one of a kind in turn, or what is named."""
    if spec.each is not None:
        sellers = [api.seller for api in instance.apis.values() if api.seller]
        every: dict[Kind, Iterable[str]] = {
            "site": instance.sites,
            "vendor": dict.fromkeys(sellers),
            "api": instance.apis,
        }
        yield from ((f"{spec.each} {name}", ((spec.each, name),)) for name in every[spec.each])
        return
    named = zip(KINDS, (spec.sites, spec.vendors, spec.apis), strict=True)
    things = tuple((kind, name) for kind, names in named for name in names)
    yield spec.id or " + ".join(f"{kind} {name}" for kind, name in things), things


def _loss(instance: Instance, things: Things, shares: Mapping[str, float]) -> Loss:
    gone = {a for a, api in instance.apis.items() if ("api", a) in things or ("vendor", api.seller) in things}
    sites = frozenset(name for kind, name in things if kind == "site")
    return Loss(sites, frozenset(gone), shares, instance.resilience.recourse == "full")


def change(instance: Instance, calendar: Calendar) -> Change:
    """The plan before and what is held; replicas count from none for endpoints that a plan before does not name."""
    previous, hold, moves = instance.previous, instance.hold, instance.change
    funded = {(w, t): 0.0 for ban in hold.banned if (w := ban.workflow) for t in among(ban.periods, calendar.periods)}
    kept = {(w, t): 1.0 for pin in hold.pinned if (w := pin.workflow) for t in among(pin.periods, calendar.periods)}
    none = {(e, t): 0.0 for ban in hold.banned if (e := ban.endpoint) for t in among(ban.periods, calendar.periods)}
    pinned = {
        (e, t): float(previous.replicas.get(e, 0) if pin.replicas is None else pin.replicas)
        for pin in hold.pinned
        if (e := pin.endpoint)
        for t in among(pin.periods, calendar.periods)
    }
    before = dict(previous.replicas) if "replicas" in previous.model_fields_set else None
    return Change(before, moves.usd_per_replica, moves.ramp, {**funded, **kept}, {**none, **pinned})
