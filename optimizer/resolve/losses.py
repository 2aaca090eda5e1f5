"""Losses that a plan must survive, with the share of each workflow that is then still served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from optimizer.formulation.data import Data, Loss
from optimizer.instance.schema import Instance
from optimizer.resolve.scarce import apis_of, endpoints_at
from optimizer.resolve.types import Ground

KINDS = ("site", "vendor", "api")


class Failing(NamedTuple):
    """What fails together; `declared` in the instance's own list, and not only through a workflow's promise."""

    id: str
    sites: tuple[str, ...]
    vendors: tuple[str, ...]
    apis: tuple[str, ...]
    declared: bool

    @property
    def kind(self) -> str | None:
        """The kind of thing, where it is one thing."""
        named = dict(zip(KINDS, (self.sites, self.vendors, self.apis), strict=True))
        one = sum(map(len, named.values())) == 1
        return next(kind for kind, names in named.items() if names) if one else None


def losses(ground: Ground, d: Data) -> Iterator[Loss]:
    """Each loss with the endpoints and APIs that go; those that nothing must survive are left out."""
    resilience = ground.instance.resilience
    for each in failing(ground.instance):
        shares = {w: share for w in d.workflows if (share := _share(ground.instance, w, each))}
        if shares:
            gone = apis_of(ground.instance, each.vendors, each.apis)
            yield Loss(each.id, endpoints_at(d, each.sites), gone, shares, resilience.recourse == "full")


def failing(instance: Instance) -> Iterator[Failing]:
    """What may fail: as declared, and every one of a kind that some workflow must survive."""
    seen: set[tuple[tuple[str, ...], ...]] = set()
    for each in (*_declared(instance), *_promised(instance)):
        if each[1:4] not in seen:
            seen.add(each[1:4])
            yield each


def _declared(instance: Instance) -> Iterator[Failing]:
    for loss in instance.resilience.losses:
        if loss.each is not None:
            yield from _every(instance, loss.each, declared=True)
        else:
            named = zip(KINDS, (loss.sites, loss.vendors, loss.apis), strict=True)
            name = " + ".join(f"{kind} {one}" for kind, names in named for one in names)
            yield Failing(loss.id or name, loss.sites, loss.vendors, loss.apis, declared=True)


def _promised(instance: Instance) -> Iterator[Failing]:
    for kind in KINDS:
        if any(getattr(w.resilience, kind) is not None for w in instance.workflows.values()):
            yield from _every(instance, kind, declared=False)


def _every(instance: Instance, kind: str, *, declared: bool) -> Iterator[Failing]:
    vendors = dict.fromkeys(api.seller for api in instance.apis.values() if api.seller is not None)
    names = {"site": tuple(instance.sites), "vendor": tuple(vendors), "api": tuple(instance.apis)}
    for name in names[kind]:
        gone = [(name,) if each == kind else () for each in KINDS]
        yield Failing(f"{kind} {name}", gone[0], gone[1], gone[2], declared)


def _share(instance: Instance, w: str, each: Failing) -> float | None:
    own = getattr(instance.workflows[w].resilience, each.kind) if each.kind else None
    if own is not None:
        return float(own)
    return instance.resilience.shares.get(w) if each.declared else None
