"""Packing and placement, by hand and against counting every way to pack."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from optimizer.verify.packing import NoPacking, Size, pack
from optimizer.verify.placement import Group, NoPlacement, Placed, Room, crowding, place
from optimizer.verify.transport import send


def whole(gpus: int, domain: int = 8, node: int = 8, **more: object) -> Room:
    return Room("p", gpus, node, domain, 80.0, **more)  # type: ignore[arg-type]


def check(room: Room, placed: tuple[Placed, ...]) -> None:
    """Memory within each GPU, whole replicas alone and within one domain."""
    assert max(crowding(placed).values()) <= room.usable_gb + 1e-6
    for one in placed:
        numbers = [gpu.node * room.node + gpu.position for gpu in one.gpus]
        assert len({n // room.domain for n in numbers}) == 1
        assert max(numbers) < room.gpus


def test_three_replicas_of_50_gb_on_halves_of_two_gpus_are_not_a_plan() -> None:
    """150 GB of 160, 1.5 GPUs of 2: as sums they fit, on GPUs they do not."""
    room = whole(2, domain=2, node=2, max_residents=4)
    with pytest.raises(NoPlacement, match="cannot fit") as refused:
        place(room, [Group("e", 3, 0.5, 50.0)])
    assert refused.value.family == "hbm_capacity"
    check(room, place(room, [Group("e", 2, 0.5, 50.0), Group("f", 2, 0.5, 30.0)]))


def test_sizes_that_divide_fill_every_gpu() -> None:
    room = whole(32)
    placed = place(room, [Group("a", 3, 1, 70), Group("b", 2, 2, 150), Group("c", 2, 8, 600), Group("d", 2, 4, 300)])
    check(room, placed)
    assert len(crowding(placed)) == 3 + 4 + 16 + 8
    assert Counter((p.endpoint, p.replica) for p in placed).most_common(1)[0][1] == 1


def test_sizes_that_do_not_divide_are_packed_by_search() -> None:
    """First-fit decreasing puts 5 with 3 and then wastes a domain; 4+4, 5+3 needs the search for 3, 3, 2."""
    room = whole(24)
    sixes = [Group("six", 3, 6, 400), Group("two", 3, 2, 100)]
    check(room, place(room, sixes))
    with pytest.raises(NoPlacement, match="cannot fit"):
        place(room, [Group("six", 4, 6, 400)])  # 24 GPUs in all, three domains
    hard = [Group("x4", 2, 4, 10), Group("x3", 4, 3, 10), Group("x2", 2, 2, 10)]  # 8 = 4+4 or 3+3+2, never 4+3
    check(room, place(room, hard))


def test_a_replica_stays_in_its_domain_even_across_nodes() -> None:
    rack = whole(72, domain=72, node=4, powered=4)
    check(rack, place(rack, [Group("e", 2, 8, 600)]))
    with pytest.raises(NoPlacement, match="5 nodes carry replicas, 4 are powered"):
        place(rack, [Group("e", 2, 8, 600), Group("f", 1, 1, 10)])
    with pytest.raises(NoPlacement, match="exceed the scale-up domain"):
        place(whole(16), [Group("e", 1, 16, 1000)])


def test_training_crosses_domains_on_what_is_left() -> None:
    placed = place(whole(24), [Group("t", 1, 14, 1000, spans=True), Group("e", 1, 6, 400), Group("f", 2, 2, 100)])
    assert max(crowding(placed).values()) < 80
    assert len(crowding(placed)) == 24
    with pytest.raises(NoPlacement, match="13 of 14 GPUs are left"):
        place(whole(13), [Group("t", 1, 14, 1000, spans=True)])


def test_a_last_domain_may_be_smaller() -> None:
    check(whole(12), place(whole(12), [Group("e", 2, 4, 300), Group("f", 2, 2, 100)]))
    check(whole(13), place(whole(13), [Group("e", 1, 6, 300), Group("f", 1, 5, 300), Group("g", 1, 2, 10)]))
    with pytest.raises(NoPlacement):
        place(whole(12), [Group("e", 2, 6, 300)])


def test_slices_sit_in_declared_layouts_beside_whole_gpus() -> None:
    cut = {"layouts": {"mixed": {"3g": 1, "1g": 4}}, "slot_gb": {"3g": 40.0, "1g": 10.0}, "cut": {"mixed": 2}}
    room = whole(4, domain=4, node=4, **cut)
    groups = [Group("w", 1, 2, 120), Group("s", 2, 0.5, 38, "3g"), Group("t", 8, 0.125, 9.5, "1g")]
    placed = place(room, groups)
    check(room, placed)
    assert Counter(p.slot for p in placed) == {None: 1, "3g": 2, "1g": 8}
    with pytest.raises(NoPlacement, match="9 replicas, 8 slots 1g"):
        place(room, [Group("t", 9, 0.125, 9.5, "1g")])
    with pytest.raises(NoPlacement, match="are free"):
        place(room, [Group("w", 3, 1, 70)])
    with pytest.raises(NoPlacement, match="has room for 10 GB"):
        place(room, [Group("t", 1, 0.125, 12, "1g")])


def test_a_part_of_a_gpu_needs_a_pool_that_shares() -> None:
    with pytest.raises(NoPlacement, match="not shared"):
        place(whole(8), [Group("e", 1, 0.5, 10)])


def test_thousands_of_replicas_are_placed_at_once() -> None:
    room = whole(8192)
    groups = [Group(f"e{g}", 8192 // g // 5, g, 60 * g) for g in (1, 2, 4, 8)]
    check(room, place(room, groups))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 3)), min_size=1, max_size=3, unique_by=lambda kind: kind[0]),
    st.integers(1, 3),
    st.integers(0, 7),
)
def test_packing_agrees_with_trying_everything(kinds: list[tuple[int, int]], full: int, rest: int) -> None:
    sizes: dict[str, Size] = {str(size): (float(size),) for size, _ in kinds}
    counts = {str(size): n for size, n in kinds}
    boxes: list[Size] = [(8.0,)] * full + ([(float(rest),)] if rest else [])
    pieces = [size for size, n in kinds for _ in range(n)]
    if len(pieces) > 7:
        return
    possible = any(_within(pieces, choice, boxes) for choice in product(range(len(boxes)), repeat=len(pieces)))
    if not possible:
        with pytest.raises(NoPacking, match="cannot fit"):
            pack(sizes, counts, boxes)
        return
    fillings = pack(sizes, counts, boxes)
    assert sum((Counter(f) for f in fillings), Counter()) == Counter(counts)
    for filling, box in zip(fillings, boxes, strict=True):
        assert sum(sizes[k][0] * n for k, n in filling.items()) <= box[0]


def _within(pieces: list[int], choice: tuple[int, ...], boxes: list[Size]) -> bool:
    loads = [0.0] * len(boxes)
    for piece, box in zip(pieces, choice, strict=True):
        loads[box] += piece
    return all(load <= box[0] for load, box in zip(loads, boxes, strict=True))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_transport_is_the_optimum_of_its_linear_program(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    amounts = st.sampled_from([0.0, 0.5, 1.0, 2.5, 4.0])
    worth = data.draw(st.lists(st.lists(st.integers(0, 12), min_size=k, max_size=k), min_size=n, max_size=n))
    supply = data.draw(st.lists(amounts, min_size=n, max_size=n))
    room = data.draw(st.lists(amounts, min_size=k, max_size=k))
    room[0] += max(0.0, sum(supply) - sum(room))
    flow = np.array(send(worth, supply, room))
    best = linprog(
        -np.ravel(worth), A_ub=np.kron(np.ones((1, n)), np.eye(k)), b_ub=room,
        A_eq=np.kron(np.eye(n), np.ones((1, k))), b_eq=supply,
    )  # fmt: skip
    assert (flow * worth).sum() == pytest.approx(-best.fun, abs=1e-7)
    assert flow.sum(axis=1) == pytest.approx(supply)
    assert (flow >= 0).all()
