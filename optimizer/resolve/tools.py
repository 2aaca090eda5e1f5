"""Tools: what they cost and take, and what they change where they are used.

Effects of several tools together are those declared for the set; they are never multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.formulation.data import Tool
from optimizer.instance.schema import Effect
from optimizer.resolve.fleet import laid
from optimizer.resolve.types import Ground, Tools


def tool(ground: Ground, name: str) -> Tool:
    """Costs and needs by period while adopted."""
    spec = ground.instance.tools[name]
    return Tool(
        id=name,
        usd=laid(ground.calendar, spec.usd_per_period),
        adopt_usd=spec.adopt_usd,
        gpus=spec.gpus,
        hbm_gb=spec.hbm_gb,
        storage_tb=spec.storage_tb,
        hours=spec.staff,
        resources=spec.resources,
        group=spec.group,
        running=spec.running,
    )


def on_model(ground: Ground, w: str, model: str) -> Iterator[tuple[Tools, Effect]]:
    """Tools, alone or as a declared set, that change something for a workflow on an AI model."""
    for tools, effects in ground.effects:
        yield from ((tools, e) for e in _first(e for e in effects if _for(e, w) and _on(model, e.models, e.apis)))


def on_api(ground: Ground, w: str, api: str) -> Iterator[tuple[Tools, Effect]]:
    """Tools that change something for a workflow on an API."""
    for tools, effects in ground.effects:
        yield from ((tools, e) for e in _first(e for e in effects if _for(e, w) and _on(api, e.apis, e.models)))


def _first(effects: Iterator[Effect]) -> Iterator[Effect]:
    found = next(effects, None)
    if found is not None:
        yield found


def _for(effect: Effect, w: str) -> bool:
    return effect.workflows is None or w in effect.workflows


def _on(name: str, own: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    return name in own if own is not None else other is None
