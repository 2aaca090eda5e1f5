"""Changes of a program that ask a question: a row given room, a workflow forced in or kept out, a value scaled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from optimizer.engine.program import Flags, Floats, Program
from optimizer.formulation.data import Workflow


def columns(program: Program, name: str, keep: Callable[[tuple[str, ...]], bool]) -> Flags:
    """Columns of one decision whose key passes."""
    return np.array([of == name and keep(_key(key)) for of, key in program.cols], bool)


def held(program: Program, cols: Flags, *, lower: float | None = None, upper: float | None = None) -> Program:
    """Columns given another bound."""
    low = program.col_lower if lower is None else np.where(cols, lower, program.col_lower)
    high = program.col_upper if upper is None else np.where(cols, upper, program.col_upper)
    return replace(program, col_lower=low, col_upper=high)


def with_row(program: Program, name: tuple[str, object], cols: Flags, lower: float, weight: Floats | None = None
             ) -> Program:  # fmt: skip
    """One more row: the sum of some columns is at least `lower`."""
    index = np.flatnonzero(cols).astype(np.int32)
    return replace(
        program,
        start=np.append(program.start, program.start[-1] + index.size).astype(np.int32),
        index=np.append(program.index, index).astype(np.int32),
        value=np.append(program.value, np.ones(index.size) if weight is None else weight[index]),
        row_lower=np.append(program.row_lower, lower),
        row_upper=np.append(program.row_upper, np.inf),
        rows=(*program.rows, name),
    )


def at_least_once(program: Program, name: object, cols: Flags) -> Program:
    """One of some decisions taken, whenever that costs least: what is left out is judged as if it had to be."""
    return with_row(program, ("asked", (name,)), cols, 1.0)


def rows_of(program: Program, family: str) -> list[int]:
    """Where the rows of a family stand."""
    return [i for i, (name, _) in enumerate(program.rows) if name == family]


def roomier(program: Program, rows: Collection[int], by: float) -> Program:
    """Some rows relaxed by an amount, whatever their sense; nothing else is changed."""
    at = np.array(sorted(rows), int)
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    ceiling = np.isfinite(upper[at])
    upper[at[ceiling]] += by
    lower[at[~ceiling]] -= by
    return replace(program, row_lower=lower, row_upper=upper)


def freed(program: Program, rows: Iterable[int]) -> Program:
    """Some rows taken away."""
    at = np.array(sorted(rows), int)
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[at], upper[at] = -np.inf, np.inf
    return replace(program, row_lower=lower, row_upper=upper)


class Slack(NamedTuple):
    """Room that rows may be given together: how much of it to each per unit, its weight, and how much there can be."""

    room: Mapping[int, float]
    weight: float
    most: float = np.inf
    whole: bool = False


def elastic(program: Program, slacks: Sequence[Slack]) -> Program:
    """Rows may be relaxed at a weight per unit; nothing else counts. The slacks are the last columns, in order."""
    rows = np.array([at for slack in slacks for at in slack.room], np.int32)
    many = [len(slack.room) for slack in slacks]
    cols = program.cost.size + np.repeat(np.arange(len(slacks)), many).astype(np.int32)
    room = np.array([amount for slack in slacks for amount in slack.room.values()], float)
    sign = np.where(np.isfinite(program.row_upper[rows]), -1.0, 1.0)
    of = np.concatenate([program.row_of, rows])
    order = np.argsort(of, kind="stable")

    def more(old: Any, new: Any) -> Any:
        return np.concatenate([old, np.broadcast_to(new, len(slacks))]).astype(old.dtype)

    return replace(
        program,
        start=np.concatenate([[0], np.cumsum(np.bincount(of, minlength=program.row_lower.size))]).astype(np.int32),
        index=np.concatenate([program.index, cols])[order],
        value=np.concatenate([program.value, sign * room])[order],
        col_lower=more(program.col_lower, 0.0),
        col_upper=more(program.col_upper, np.array([slack.most for slack in slacks])),
        cost=np.concatenate([np.zeros(program.cost.size), [-slack.weight for slack in slacks]]),
        offset=0.0,
        integer=more(program.integer, np.array([slack.whole for slack in slacks])),
        strategy=more(program.strategy, False),
        period=more(program.period, -1),
        cols=(*program.cols, *(("relaxed", i) for i in range(len(slacks)))),
    )


def forced(program: Program, w: Workflow, share: float) -> Program:
    """A workflow funded in each of its periods and served at least a share of its demand there."""
    if not w.job:  # which is funded where it is served
        program = held(program, columns(program, "fund", lambda key: key[0] == w.id), lower=1.0)
    if w.bundles:
        for t in w.periods:
            chosen = columns(program, "choose", lambda key, t=t: key[0] == w.id and key[2] == t)  # type: ignore[misc]
            program = with_row(program, ("forced", (w.id, t)), chosen, 1.0)
        return program
    for t in w.periods[:1] if w.job else w.periods:
        sold = columns(program, "tranche", lambda key, t=t: key[0] == w.id and (w.job or key[2] == t))  # type: ignore[misc]
        program = with_row(program, ("forced", (w.id, t)), sold, share * w.demand[t])
    return program


def banned(program: Program, w: str) -> Program:
    """A workflow kept out of every period."""
    return held(program, columns(program, "fund", lambda key: key[0] == w), upper=0.0)


def revalued(program: Program, w: str, factor: float) -> Program:
    """What a workflow's output is worth, times a factor."""
    return replace(program, cost=np.where(earning(program, w), factor, 1.0) * program.cost)


def earning(program: Program, w: str) -> Flags:
    """Columns whose cost is the value of a workflow's output."""
    sold = columns(program, "tranche", lambda key: key[0] == w)
    return np.asarray(sold | columns(program, "choose", lambda key: key[0] == w))


def handled(program: Program, x: Floats, w: Workflow) -> float:
    """Tasks (or periods of a bundle) of a workflow in a plan."""
    return float(x[earning(program, w.id)].sum())


def asked(w: Workflow) -> float:
    """Tasks (or periods of a bundle) of a workflow that could be served."""
    if w.in_bundles:
        return float(len(w.periods))
    return sum(w.demand[t] for t in (w.periods[:1] if w.job else w.periods))


def _key(key: object) -> tuple[str, ...]:
    return key if isinstance(key, tuple) else (str(key),)
