"""The most valuable way to send volumes into rooms of limited size: what a job's tranches are worth."""

from __future__ import annotations

from collections.abc import Sequence

EMPTY = 1e-12  # of the largest volume

Flow = list[list[float]]


def send(worth: Sequence[Sequence[float]], supply: Sequence[float], room: Sequence[float]) -> Flow:
    """Amounts by supply and room that earn most, every supply sent as far as the rooms take it.

    Successive best augmenting paths (Ahuja, Magnanti and Orlin, "Network Flows", 1993, section 9.7): each path
    may displace what was sent before, so that the result is the optimum and not merely the greedy choice.
    """
    flow: Flow = [[0.0] * len(room) for _ in supply]
    left, free = list(supply), list(room)
    small = EMPTY * max((*supply, *room), default=0.0)
    while path := _best_path(worth, flow, left, free, small):
        back = list(zip(path[2::2], path[1::2], strict=False))  # supplies displaced from the rooms before them
        amount = min(left[path[0]], free[path[-1]], *(flow[i][k] for i, k in back))
        for i, k in zip(path[::2], path[1::2], strict=True):
            flow[i][k] += amount
        for i, k in back:
            flow[i][k] -= amount
        left[path[0]] -= amount
        free[path[-1]] -= amount
    return flow


def _best_path(
    worth: Sequence[Sequence[float]], flow: Flow, left: Sequence[float], free: Sequence[float], small: float
) -> list[int]:
    """The path of most gain from a supply with something left to a room with space, supplies and rooms in turn."""
    best: dict[int, tuple[float, list[int]]] = {}  # room -> gain of the best path that ends there
    frontier = {i: (0.0, [i]) for i, amount in enumerate(left) if amount > small}
    while frontier:
        reached: dict[int, tuple[float, list[int]]] = {}
        for i, (gain, path) in frontier.items():
            for k, usd in enumerate(worth[i]):
                if k not in path[1::2] and gain + usd > best.get(k, (float("-inf"),))[0] + 1e-12 * abs(usd):
                    best[k] = reached[k] = (gain + usd, [*path, k])
        frontier = {}
        for k, (gain, path) in reached.items():
            for i, row in enumerate(flow):
                step = gain - worth[i][k]
                if row[k] > small and i not in path[::2] and step > frontier.get(i, (float("-inf"),))[0]:
                    frontier[i] = (step, [*path, i])
    ends = [(gain, path) for k, (gain, path) in best.items() if free[k] > small]
    return max(ends)[1] if ends else []
