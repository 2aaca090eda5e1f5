"""The rules that decide, before the program, which source may serve which workflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from optimizer.instance.schema import Workflow
from optimizer.resolve.types import Drop, Place, Work

Scores = Mapping[str, float]


def of_place(w: Workflow, place: Place) -> Drop | None:
    """GPU model accepted, site where the data may be, site that can cool the GPU."""
    accepted, gpu = w.accepts.gpus, place.gpu
    if accepted is not None and not gpu.names & set(accepted):
        return Drop("accepted", "GPU model not accepted", gpu.id, _list(accepted))
    if where := of_residency(w, place.site.jurisdiction):
        return where
    if place.pool.sharing == "partitioned" and not place.slices:
        return Drop("scale_up", "the pool is partitioned and its GPU model has no layouts", gpu.id, "partitioned")
    if gpu.model.cooling not in place.site.cooling:
        return Drop("cooling", "site cannot cool this GPU model", gpu.model.cooling, _list(place.site.cooling))
    if place.rack is not None and gpu.model.cooling != place.rack.cooling:
        return Drop("cooling", "racks of the pool cannot cool this GPU model", gpu.model.cooling, place.rack.cooling)
    return None


def of_residency(w: Workflow, jurisdiction: str) -> Drop | None:
    """Sites and APIs where the data may be."""
    if not w.residency or any(within(jurisdiction, law) for law in w.residency):
        return None
    return Drop("residency", "outside the workflow's jurisdictions", jurisdiction, _list(w.residency))


def within(jurisdiction: str, law: str) -> bool:
    """US-VA counts as within US."""
    return jurisdiction == law or jurisdiction.startswith(f"{law}-")


def of_model(w: Workflow, name: str, *, asked_for: bool) -> Drop | None:
    """AI model accepted: listed, or, where no list is given, any that can be shown to qualify."""
    return _listed("AI model", name, w.accepts.models, by_another=w.accepts.apis is not None and not asked_for, w=w)


def of_api(w: Workflow, name: str, *, asked_for: bool) -> Drop | None:
    """API accepted, by the same rule."""
    return _listed("API", name, w.accepts.apis, by_another=w.accepts.models is not None and not asked_for, w=w)


def _listed(kind: str, name: str, own: tuple[str, ...] | None, *, by_another: bool, w: Workflow) -> Drop | None:
    if own is not None:
        return None if name in own else Drop("accepted", f"{kind} not accepted", name, _list(own))
    if by_another and not w.quality:
        return Drop("accepted", f"the workflow lists what it accepts and states no quality: no {kind}", name)
    return None


def of_precision(w: Workflow, precision: str) -> Drop | None:
    """Precision of the weights accepted."""
    accepted = w.accepts.precisions
    if accepted is None or precision in accepted:
        return None
    return Drop("accepted", "precision not accepted", precision, _list(accepted))


def of_licence(w: Workflow, licence: str, commercial_use: bool) -> Drop | None:
    """Commercial work needs a licence that allows it."""
    if commercial_use or not w.commercial:
        return None
    return Drop("licence", "licence does not allow commercial use", licence, "commercial use")


def of_quality(w: Workflow, scores: Scores) -> Drop | None:
    """Every benchmark floor is met by a published score; an unknown score meets none."""
    for bench, floor in w.quality.items():
        if bench not in scores:
            return Drop("quality", f"no {bench} score known", None, floor)
        if scores[bench] < floor:
            return Drop("quality", f"{bench} below the floor", scores[bench], floor)
    return None


def of_latency(w: Workflow, work: Work) -> Drop | None:
    """Both times at the slow end of their intervals against the floors; a time nobody knows meets none."""
    return _late(w.latency.ttft_ms, work.ttft_ms, work.ttft_range[1], "time to first token") or _late(
        w.latency.tpot_ms, work.tpot_ms, work.tpot_range[1], "time per output token"
    )


def _late(floor: float | None, value: float | None, factor: float, name: str) -> Drop | None:
    if floor is None:
        return None
    if value is None:
        return Drop("latency", f"{name} unknown", None, floor)
    if value * factor <= floor:
        return None
    return Drop("latency", f"{name} in ms, slow end of its interval", round(value * factor, 3), floor)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
