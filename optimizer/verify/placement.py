"""Where every replica of a plan sits, GPU by GPU: the proof that the counts of a plan can be built.

A count can hide what no machine room can do: three 50 GB replicas fit the 160 GB of two GPUs as a sum, and no
GPU of 80 GB takes two of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count, islice
from typing import Literal, NamedTuple

from optimizer.verify.packing import Filling, NoPacking, Size, pack

ROUNDING_GB = 1e-6


class Gpu(NamedTuple):
    """A GPU of a pool by its node and its place in the node, both from 0."""

    node: int
    position: int


class NoPlacement(Exception):
    """The replicas of a plan cannot sit on its GPUs; the text names the pool and what is in the way.

    `family` is the constraint that a planner would have to loosen.
    """

    def __init__(self, family: Literal["gpu_capacity", "hbm_capacity"], text: str) -> None:
        super().__init__(text)
        self.family = family


@dataclass(frozen=True, slots=True)
class Room:
    """The powered GPUs of one pool in one period. `domain`: GPUs that one replica may span; `cut`: GPUs by layout."""

    pool: str
    gpus: int
    node: int
    domain: int
    usable_gb: float  # per GPU
    powered: int | None = None  # nodes; where domains are larger than nodes, `gpus` are the owned ones
    max_residents: int | None = None  # per GPU, on shared pools
    layouts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    slot_gb: Mapping[str, float] = field(default_factory=dict)
    cut: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """The replicas of one endpoint: GPUs (a fraction, or a slot of a partition) and GB of each."""

    endpoint: str
    replicas: int
    gpus: float
    hbm_gb: float
    slot: str | None = None
    spans: bool = False  # may cross domains, as training does


@dataclass(frozen=True, slots=True)
class Placed:
    """One replica and its GPUs; `slot` names the partition it took, whole GPUs have none."""

    endpoint: str
    replica: int
    gpus: tuple[Gpu, ...]
    hbm_gb: float  # on each of them
    slot: str | None = None


def place(room: Room, groups: Sequence[Group]) -> tuple[Placed, ...]:
    """Every replica with its GPUs; raises NoPlacement with what is in the way."""
    groups = [g for g in groups if g.replicas]
    _refuse_oversized(room, groups)
    sharing = {g.endpoint for g in groups if g.slot is None and _shares(room, g)}
    wide = [g for g in groups if g.spans and g.gpus > room.domain]
    apart = {g.endpoint for g in wide} | sharing
    whole = list(_whole(room, [g for g in groups if g.slot is None and g.endpoint not in apart]))
    whole += _wide(wide, _free(room, whole))
    free = _free(room, whole)
    slots = list(_slots(room, [g for g in groups if g.slot is not None], free))
    shared = list(_shared(room, [g for g in groups if g.endpoint in sharing], free[sum(room.cut.values()) :]))
    everyone = (*whole, *slots, *shared)
    _refuse_unpowered(room, everyone)
    return everyone


def crowding(placement: Sequence[Placed]) -> dict[Gpu, float]:
    """GB that sit on each GPU of a placement."""
    resident: dict[Gpu, float] = {}
    for placed in placement:
        for gpu in placed.gpus:
            resident[gpu] = resident.get(gpu, 0.0) + placed.hbm_gb
    return resident


def _refuse_oversized(room: Room, groups: Sequence[Group]) -> None:
    for g in groups:
        limit = room.slot_gb.get(g.slot, 0.0) if g.slot is not None else room.usable_gb * max(1.0, g.gpus)
        if g.hbm_gb > limit + ROUNDING_GB:
            raise NoPlacement("hbm_capacity", f"{g.endpoint}: a replica of {g.hbm_gb:g} GB has room for {limit:g} GB")
        if g.gpus > room.domain and not g.spans:
            raise NoPlacement(
                "gpu_capacity", f"{g.endpoint}: {g.gpus:g} GPUs exceed the scale-up domain of {room.domain}"
            )
        if g.slot is None and not _shares(room, g) and g.gpus != int(g.gpus):
            raise NoPlacement("gpu_capacity", f"{g.endpoint}: {g.gpus:g} GPUs on GPUs that are not shared")


def _whole(room: Room, groups: Sequence[Group]) -> Iterator[Placed]:
    """Replicas of whole GPUs, each inside one scale-up domain."""
    number = {g.endpoint: count() for g in groups}
    for domain, filling in enumerate(_packed(room, groups, _domains(room))):
        standing = list(_each(groups, filling))
        starts = accumulate((int(g.gpus) for g in standing), initial=domain * room.domain)
        for g, start in zip(standing, starts, strict=False):
            width = int(g.gpus)
            yield Placed(g.endpoint, next(number[g.endpoint]), _span(room, start, width), g.hbm_gb / width)


def _wide(groups: Sequence[Group], free: Sequence[Gpu]) -> Iterator[Placed]:
    """Replicas across domains, on whatever GPUs the others leave."""
    left = iter(free)
    for g in groups:
        for replica in range(g.replicas):
            gpus = tuple(islice(left, int(g.gpus)))
            if len(gpus) < g.gpus:
                raise NoPlacement("gpu_capacity", f"{g.endpoint}: {len(gpus)} of {g.gpus:g} GPUs are left")
            yield Placed(g.endpoint, replica, gpus, g.hbm_gb / g.gpus)


def _domains(room: Room) -> list[Size]:
    full, rest = divmod(room.gpus, room.domain)
    sizes = [room.domain] * full + ([rest] if rest else [])
    return [(float(size),) for size in sizes]


def _slots(room: Room, groups: Sequence[Group], free: Sequence[Gpu]) -> Iterator[Placed]:
    """Replicas on slots of the declared layouts, one GPU per layout."""
    if sum(room.cut.values()) > len(free):
        raise NoPlacement("gpu_capacity", f"{sum(room.cut.values())} GPUs are cut by layouts, {len(free)} are free")
    layouts = [name for name, gpus in room.cut.items() for _ in range(gpus)]
    open_slots: dict[str, list[Gpu]] = {}
    for gpu, layout in zip(free, layouts, strict=False):
        for kind, number in room.layouts[layout].items():
            open_slots.setdefault(kind, []).extend([gpu] * number)
    for g in groups:
        slots = open_slots.get(g.slot or "", [])
        if len(slots) < g.replicas:
            raise NoPlacement("gpu_capacity", f"{g.endpoint}: {g.replicas} replicas, {len(slots)} slots {g.slot} left")
        for replica in range(g.replicas):
            yield Placed(g.endpoint, replica, (slots.pop(),), g.hbm_gb, g.slot)


def _shared(room: Room, groups: Sequence[Group], free: Sequence[Gpu]) -> Iterator[Placed]:
    """Replicas that share a GPU: GB and residents each within what one GPU has."""
    fillings = _packed(room, groups, [(room.usable_gb, float(room.max_residents or 1))] * len(free))
    number = {g.endpoint: count() for g in groups}
    for gpu, filling in zip(free, fillings, strict=True):
        for g in _each(groups, filling):
            yield Placed(g.endpoint, next(number[g.endpoint]), (gpu,), g.hbm_gb)


def _packed(room: Room, groups: Sequence[Group], boxes: Sequence[Size]) -> list[Filling]:
    shared = any(_shares(room, g) for g in groups)
    sizes = {g.endpoint: (g.hbm_gb, 1.0) if shared else (g.gpus,) for g in groups}
    try:
        return pack(sizes, {g.endpoint: g.replicas for g in groups}, boxes)
    except NoPacking as stuck:
        what = ", ".join(f"{g.replicas} x {g.endpoint} ({g.gpus:g} GPUs, {g.hbm_gb:g} GB)" for g in groups)
        text = f"{what} on {len(boxes)} {'GPUs' if shared else f'domains of {room.domain} GPUs'}: {stuck}"
        raise NoPlacement("hbm_capacity" if shared else "gpu_capacity", text) from stuck


def _shares(room: Room, group: Group) -> bool:
    return room.max_residents is not None and group.gpus <= 1


def _each(groups: Sequence[Group], filling: Filling) -> Iterator[Group]:
    return (g for g in groups for _ in range(filling.get(g.endpoint, 0)))


def _span(room: Room, start: int, width: int) -> tuple[Gpu, ...]:
    return tuple(Gpu(*divmod(i, room.node)) for i in range(start, start + width))


def _free(room: Room, whole: Sequence[Placed]) -> list[Gpu]:
    """GPUs without a whole replica, those of nodes already in use first."""
    used = {gpu for placed in whole for gpu in placed.gpus}
    touched = {gpu.node for gpu in used}
    free = [gpu for gpu in _span(room, 0, room.gpus) if gpu not in used]
    return sorted(free, key=lambda gpu: (gpu.node not in touched, gpu))


def _refuse_unpowered(room: Room, placement: Sequence[Placed]) -> None:
    nodes = {gpu.node for placed in placement for gpu in placed.gpus}
    if room.powered is not None and len(nodes) > room.powered:
        raise NoPlacement("gpu_capacity", f"{len(nodes)} nodes carry replicas, {room.powered} are powered")
