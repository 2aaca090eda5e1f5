"""What a site holds beside power, recomputed: racks and storage."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.verify.rows import Row
from optimizer.verify.tables import Tables


def racks(d: Tables) -> Iterator[Row]:
    """Racks that powered nodes fill, by class, against those that stand."""
    for s, site in d.facts.sites.items():
        for name, there in site.racks.items():
            pools = [(p, d.facts.pools[p]) for p in d.pools_at[s] if d.facts.pools[p].rack == name]
            for t in d.facts.time.periods:
                filled = sum(d.powered.get((p, t), 0.0) / pool.nodes_per_rack for p, pool in pools)
                built = there[t] + d.brought("racks", f"{s}/{name}", t)
                yield Row("rack_capacity", (s, name, t), t, filled, "<=", built)


def storage(d: Tables) -> Iterator[Row]:
    """Terabytes kept at a site against what it stores."""
    for s, site in d.facts.sites.items():
        for t, tb in (site.storage_tb or {}).items():
            yield Row("storage_capacity", (s, t), t, stored_tb(d, s, t), "<=", tb + d.brought("storage_tb", s, t))


def stored_tb(d: Tables, s: str, t: str) -> float:
    """Weights of the AI models hosted at a site, data of the workflows funded, what tools keep there."""
    weights = sum(n * d.facts.model_tb.get(m, 0.0) for (m, at, u), n in d.hosted.items() if (at, u) == (s, t))
    data = sum(work.needs.storage_tb.get(s, 0.0) * d.funded.get((w, t), 0.0) for w, work in d.facts.workflows.items())
    return weights + data + sum(j.storage_tb.get(s, 0.0) * d.adopted.get((k, t), 0.0) for k, j in d.facts.tools.items())


def hosting(d: Tables) -> Iterator[Row]:
    """Replicas stand only at a site that keeps the weights of their AI model, where weights are counted."""
    for (e, t), replicas in d.replicas.items():
        model, s = d.name(e), d.site(e) or ""
        if model in d.facts.model_tb and replicas > 0:
            yield Row("hosting_link", (e, t), t, d.hosted.get((model, s, t), 0.0), ">=", 1.0, text=f"{model} at {s}")
