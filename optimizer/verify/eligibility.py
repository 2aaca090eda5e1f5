"""Whether each pair that the plan serves may be served: latency, context, quality, residency, acceptance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import inf

from optimizer.verify.facts import Workflow
from optimizer.verify.given import lies_in
from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables

FAMILY = "eligibility"


def pairs(d: Tables) -> Iterator[Row]:
    """Rows for every workflow and source that some period pairs, and for endpoints that are not shared."""
    normal = {(w, source) for (w, source, _, _), tasks in d.served.items() if tasks > 0}
    after = {(w, source) for (_, w, source, _, _), tasks in d.rescued.items() if tasks > 0}
    for w, source in sorted(normal | after):
        rules = _endpoint(d, w, source) if d.behind(source) in d.endpoints else _api(d, w, source)
        yield from rules
    yield from _isolation(d)


def _endpoint(d: Tables, w: str, e: str) -> Iterator[Row]:
    plain = d.behind(e)
    work, deployment, pool = d.facts.workflows[w], d.deployment(plain), d.facts.pools[d.endpoints[plain][1]]
    speed = d.speed(w, e)
    yield _holds(w, e, "speed", speed is not None, "no speed is stated for this pair")
    if speed is not None:
        yield from _latency(w, e, work, speed.ttft_ms, speed.tpot_ms)
    if deployment.context_tokens is not None and plain == e:  # tools change tokens, and state a speed only if they fit
        tokens = sum(work.tokens(deployment.model))
        yield Row(FAMILY, (w, e, "context"), "", tokens, "<=", deployment.context_tokens, text="tokens of one task")
    yield from _quality(w, e, work, deployment.quality)
    yield _resides(w, e, work, d.facts.sites[pool.site].jurisdiction)
    cooled = pool.cooling in d.facts.sites[pool.site].cooling
    yield _holds(w, e, "cooling", cooled, f"the site gives no {pool.cooling} cooling")
    cooled = pool.rack_cooling in (None, pool.cooling)
    yield _holds(w, e, "rack", cooled, f"racks of class {pool.rack} give no {pool.cooling} cooling")
    yield _holds(w, e, "licence", deployment.commercial or not work.commercial, "no commercial use")
    offered = {"models": {deployment.model}, "precisions": {deployment.precision}, "gpus": pool.gpu_names}
    for kind, names in offered.items():
        if (accepted := work.accepts.get(kind)) is not None:
            yield _holds(w, e, "accepted", bool(accepted & names), f"{kind} accepted: {', '.join(sorted(accepted))}")


def _api(d: Tables, w: str, source: str) -> Iterator[Row]:
    a, _, tools = source.partition("+")
    work, api = d.facts.workflows[w], d.facts.apis[a]
    yield _holds(w, source, "price", api.price(w, tools) is not None, "no price is stated for this pair")
    yield from _latency(w, a, work, api.ttft_ms or 0.0, api.tpot_ms or 0.0)
    yield from _quality(w, a, work, api.quality)
    yield _resides(w, a, work, api.jurisdiction)
    if (accepted := work.accepts.get("apis")) is not None:
        yield _holds(w, a, "accepted", a in accepted, f"APIs accepted: {', '.join(sorted(accepted))}")


def _latency(w: str, source: str, work: Workflow, ttft: float | None, tpot: float | None) -> Iterator[Row]:
    """Times against floors; a time that nobody knows meets none."""
    for name, limit, value in (("ttft_ms", work.ttft_ms, ttft), ("tpot_ms", work.tpot_ms, tpot)):
        if limit is not None:
            yield Row(FAMILY, (w, source, name), "", inf if value is None else value, "<=", limit)


def _quality(w: str, source: str, work: Workflow, scores: Mapping[str, float]) -> Iterator[Row]:
    for bench, least in work.quality.items():
        yield Row(FAMILY, (w, source, "quality"), "", scores.get(bench, 0.0), ">=", least, text=bench)


def _resides(w: str, source: str, work: Workflow, place: str) -> Row:
    allowed = not work.residency or any(lies_in(place, law) for law in work.residency)
    return _holds(w, source, "residency", allowed, f"{place} is not in {', '.join(work.residency)}")


def _isolation(d: Tables) -> Iterator[Row]:
    guests: dict[str, set[str]] = defaultdict(set)
    for (w, source, _, _), tasks in d.served.items():
        if d.behind(source) in d.endpoints and tasks > 0:
            guests[d.behind(source)].add(w)
    for e, served in guests.items():
        alone = [w for w in sorted(served) if d.facts.workflows[w].isolation]
        if alone:
            text = f"{alone[0]} shares with no one"
            yield Row(FAMILY, (alone[0], e, "isolation"), "", float(len(served)), "<=", 1.0, text=text)


def _holds(w: str, source: str, rule: str, holds: bool, otherwise: str) -> Row:
    return Row(FAMILY, (w, source, rule), "", float(not holds), "<=", 0.0, text=otherwise)
