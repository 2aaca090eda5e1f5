"""How one GPU, or one scale-up domain, may be cut: the patterns that replicas are counted by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

Layouts = Mapping[str, Mapping[str, int]]

MOST_KINDS = 6
"""Distinct sizes packed exactly; beyond it patterns explode and sizes are rounded up (safe, a little wasteful)."""

ROUNDING = 20


def partition_layouts(layouts: Layouts, used: set[str]) -> dict[str, dict[str, int]]:
    """Declared layouts, cut down to the slices in use, without those another layout contains."""
    cut = {name: {s: n for s, n in slots.items() if s in used and n > 0} for name, slots in sorted(layouts.items())}
    kept: dict[str, dict[str, int]] = {}
    for name, slots in cut.items():
        rivals = [other for rival, other in cut.items() if rival != name and _contains(other, slots)]
        if slots and slots not in kept.values() and all(other == slots for other in rivals):
            kept[name] = slots
    return kept


def packings(sizes: Mapping[str, float], room: float, most: int | None = None) -> dict[str, dict[str, int]]:
    """Every maximal way to fill `room` (GB of a GPU, GPUs of a domain) with at most `most` replicas of these sizes."""
    kinds = sorted(sizes, key=lambda k: (-sizes[k], k))
    most = most if most is not None else int(room / min(sizes.values()) + 1e-9) if sizes else 0
    found = (dict(zip(kinds, counts, strict=True)) for counts in _fillings([sizes[k] for k in kinds], room, most))
    patterns = [{k: n for k, n in pattern.items() if n} for pattern in found]
    return {"+".join(f"{n}x{k}" for k, n in p.items()): p for p in patterns if p}


def kinds_of(sizes: Sequence[float], room: float) -> dict[float, float]:
    """Size each replica is packed at: its own, or rounded up to a twentieth of the GPU where there are too many."""
    distinct = sorted(set(sizes))
    if len(distinct) <= MOST_KINDS:
        return {s: s for s in distinct}
    step = room / ROUNDING
    return {s: min(room, -(-(s - 1e-9) // step) * step) for s in distinct}


def divides_evenly(sizes: set[int], domain: int) -> bool:
    """Sizes that each divide the next, up to the domain, always pack without loss: then counting GPUs is exact."""
    chain = sorted(sizes | {domain})
    return all(large % small == 0 for small, large in pairwise(chain))


def _contains(large: Mapping[str, int], small: Mapping[str, int]) -> bool:
    return all(large.get(s, 0) >= n for s, n in small.items())


def _fillings(sizes: Sequence[float], room: float, most: int) -> Iterator[tuple[int, ...]]:
    """Counts per size, largest first, to which no further replica can be added."""
    smallest = min(sizes, default=0.0)

    def extend(counts: tuple[int, ...], left: float, places: int) -> Iterator[tuple[int, ...]]:
        position = len(counts)
        if position == len(sizes):
            unused_fits = places > 0 and left + 1e-9 >= smallest
            if not unused_fits:
                yield counts
            return
        size = sizes[position]
        for n in range(min(places, int((left + 1e-9) / size)), -1, -1):
            yield from extend((*counts, n), left - n * size, places - n)

    return extend((), room, most)
