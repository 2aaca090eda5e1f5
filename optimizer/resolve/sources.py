"""Where the figures of a GPU model or an AI model are from, in one line of the resolved instance."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from optimizer.catalogue.types import Figure

STATED = "stated in the instance"


def told(figures: Mapping[str, Figure], stated: Collection[str] = (), said: str | None = None) -> str:
    """Grade and source of each figure of the catalogue, and of those the instance states what it says of them."""
    lines = [_line(name, f) for name, f in figures.items() if name.partition(".")[0] not in stated]
    if not lines:
        return said or STATED
    return "; ".join([*([f"{', '.join(stated)}: {said or STATED}"] if stated else []), *lines])


def _line(name: str, f: Figure) -> str:
    return f"{name}: {f.grade}, {f.source}" + (f" ({f.as_of})" if f.as_of else "")
