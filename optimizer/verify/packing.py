"""Packing of replicas into equal boxes (scale-up domains, or single GPUs), exact where it says no.

First-fit decreasing settles sizes that divide each other, for which it is optimal (Coffman, Garey and Johnson,
"Bin packing with divisible item sizes", J. Complexity 3, 1987). Other sizes are searched by pattern: a pattern
is one full way to fill a box, and boxes are counted per pattern, so that a thousand equal boxes cost no more
than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor

Size = tuple[float, ...]  # one entry per thing that runs out: GPUs, GB, residents
Filling = dict[str, int]  # what one box holds: kind -> pieces

STEPS = 200_000  # of the search; about two seconds
SLACK = 1e-9  # relative; sizes are sums of a few decimals


class NoPacking(Exception):
    """The pieces do not fit; `proved` is False when the search gave up instead."""

    def __init__(self, proved: bool) -> None:
        super().__init__("they cannot fit" if proved else f"no packing found in {STEPS} steps")
        self.proved = proved


def pack(sizes: Mapping[str, Size], counts: Mapping[str, int], boxes: Sequence[Size]) -> list[Filling]:
    """Fill `boxes` (equal ones first, at most one smaller one last) with every piece; raises NoPacking."""
    if not boxes:
        if any(counts.values()):
            raise NoPacking(proved=True)
        return []
    kinds = sorted((k for k, n in counts.items() if n), key=lambda k: _bulk(sizes[k], boxes[0]), reverse=True)
    found = _first_fit(kinds, sizes, counts, boxes)
    return found if found is not None else _Search(kinds, sizes, counts, boxes).fill()


def fits(size: Size, room: Size) -> int:
    """How many pieces of one size a room still takes."""
    return min(floor(r / s + SLACK) for s, r in zip(size, room, strict=True) if s > 0)


def _bulk(size: Size, box: Size) -> float:
    return max(s / b for s, b in zip(size, box, strict=True))


def _less(room: Size, size: Size, pieces: int) -> Size:
    return tuple(r - pieces * s for s, r in zip(size, room, strict=True))


def _first_fit(
    kinds: Sequence[str], sizes: Mapping[str, Size], counts: Mapping[str, int], boxes: Sequence[Size]
) -> list[Filling] | None:
    rooms = list(boxes)
    fillings: list[Filling] = [{} for _ in boxes]
    for kind in kinds:
        left = counts[kind]
        for i, room in enumerate(rooms):
            if not left:
                break
            if pieces := min(left, fits(sizes[kind], room)):
                rooms[i], fillings[i][kind], left = _less(room, sizes[kind], pieces), pieces, left - pieces
        if left:
            return None
    return fillings


@dataclass
class _Search:
    """Counts boxes per full pattern, largest pieces first; the smaller last box is tried with each of its own."""

    kinds: Sequence[str]
    sizes: Mapping[str, Size]
    counts: Mapping[str, int]
    boxes: Sequence[Size]
    steps: int = 0

    def fill(self) -> list[Filling]:
        """The first packing found; NoPacking says whether all were tried."""
        need = tuple(self.counts[k] for k in self.kinds)
        odd = self.boxes[-1] if self.boxes[-1] != self.boxes[0] else None
        equal = len(self.boxes) - (odd is not None)
        self.patterns = sorted(self._patterns(self.boxes[0]), reverse=True)
        self.failed: set[tuple[int, tuple[int, ...], int]] = set()
        for last in self._patterns(odd) if odd else [(0,) * len(need)]:
            left = tuple(max(0, n - p) for n, p in zip(need, last, strict=True))
            if (chosen := self._cover(0, left, equal)) is not None:
                chosen += [(0,) * len(need)] * (equal - len(chosen))
                return self._trim([*chosen, last] if odd else chosen, need)
        raise NoPacking(proved=self.steps < STEPS)

    def _patterns(self, room: Size, i: int = 0) -> Iterator[tuple[int, ...]]:
        """Every full way to fill a room: nothing more of any kind would fit."""
        if i == len(self.kinds):
            if not any(fits(self.sizes[k], room) > 0 for k in self.kinds):
                yield ()
            return
        size = self.sizes[self.kinds[i]]
        for pieces in range(fits(size, room), -1, -1):
            self.steps += 1
            if self.steps >= STEPS:
                return
            for rest in self._patterns(_less(room, size, pieces), i + 1):
                yield (pieces, *rest)

    def _cover(self, i: int, need: tuple[int, ...], boxes: int) -> list[tuple[int, ...]] | None:
        """Patterns from the i-th on, at most `boxes` of them, that hold at least what is needed."""
        if not any(need):
            return []
        self.steps += 1
        if i == len(self.patterns) or not boxes or self.steps >= STEPS or (i, need, boxes) in self.failed:
            return None
        pattern = self.patterns[i]
        if self._possible(i, need, boxes):
            most = max((-(-n // p) for n, p in zip(need, pattern, strict=True) if p and n), default=0)
            for times in range(min(boxes, most), -1, -1):
                left = tuple(max(0, n - times * p) for n, p in zip(need, pattern, strict=True))
                if (rest := self._cover(i + 1, left, boxes - times)) is not None:
                    return [pattern] * times + rest
        self.failed.add((i, need, boxes))
        return None

    def _possible(self, i: int, need: tuple[int, ...], boxes: int) -> bool:
        """Two bounds: no pattern left holds enough of a kind, or the pieces outweigh the boxes."""
        reach = [max(p[k] for p in self.patterns[i:]) for k in range(len(need))]
        if any(n > boxes * r for n, r in zip(need, reach, strict=True)):
            return False
        total = [sum(n * self.sizes[k][j] for n, k in zip(need, self.kinds, strict=True)) for j in range(self._axes)]
        return all(t <= boxes * c * (1 + SLACK) for t, c in zip(total, self.boxes[0], strict=True))

    @property
    def _axes(self) -> int:
        return len(self.boxes[0])

    def _trim(self, chosen: Sequence[tuple[int, ...]], need: tuple[int, ...]) -> list[Filling]:
        """Patterns hold at least what is needed; the surplus is left out."""
        left, fillings = list(need), []
        for pattern in chosen:
            taken = [min(p, n) for p, n in zip(pattern, left, strict=True)]
            left = [n - p for n, p in zip(left, taken, strict=True)]
            fillings.append({k: p for k, p in zip(self.kinds, taken, strict=True) if p})
        return fillings
