"""Where an instance states what a row is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optimizer.formulation.family import Key

Locate = Callable[..., str | None]  # file, line and column of a path, or of what encloses it

PLACES: Mapping[str, tuple[str, ...]] = {
    "power_limit": ("sites", "power_mw"),
    "gpu_capacity": ("pools", "count"),
    "hbm_capacity": ("pools", "count"),
    "service_floor": ("workflows", "min_service"),
    "replica_floor": ("workflows", "min_replicas"),
    "api_limit": ("apis",),
    "spend_limit": ("limits", "spend"),
    "review_limit": ("skills",),
    "resource_capacity": ("resources",),
    "storage_capacity": ("sites", "storage_tb"),
    "rack_capacity": ("sites", "racks"),
    "commitment_floor": ("apis", "commitment_usd"),
    "proof_floor": ("workflows", "pilot"),
    "resilience_floor": ("workflows", "resilience"),
    **{
        f"{name}_limit": ("limits", name)
        for name in ("energy", "carbon", "water", "concentration", "portfolio", "exploration")
    },
    "launch_limit": ("limits", "launches"),
}


def where(locate: Locate, family: str, key: Key) -> str | None:
    """File, line and column; None where nothing is stated."""
    known = PLACES.get(family)
    if known is None:
        return None
    about = key[1] if family == "resilience_floor" else key[0]  # the loss comes first
    path = (*known, about) if known[0] == "limits" else (known[0], about, *known[1:])
    return locate(*path[:2], "must_fund") if "must fund" in key else locate(*path)
