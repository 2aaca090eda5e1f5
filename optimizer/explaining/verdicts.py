"""Tools, purchases, upgrades, APIs and rules: net value with and without, by solving again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from optimizer.asking.asker import Asker, Question
from optimizer.asking.changes import at_least_once, columns, freed, held, rows_of
from optimizer.asking.interval import Evidence, Interval
from optimizer.engine.program import Flags, Floats, dot
from optimizer.explaining.study import Study

Row = dict[str, Any]
FREE_LINKS = ("tool_link", "launch_link", "change_link")  # logic that a planner may drop


def tool_questions(study: Study, x: Floats) -> Iterator[Question]:
    """Each tool banned where it is adopted, adopted at least once where it is not."""
    for j in study.data.tools:
        cols = columns(study.program, "adopt", lambda key, j=j: key[0] == j)  # type: ignore[misc]
        if _any(cols, x):
            yield Question(_tool(j), partial(held, study.program, cols, upper=0.0), tightens=True)
        else:
            yield Question(_tool(j), partial(at_least_once, study.program, j, cols), tightens=True)


def tools(study: Study, x: Floats, asker: Asker) -> Iterator[Row]:
    """One line per tool: adopted or not, and what the other choice costs."""
    for j in study.data.tools:
        adopted = _any(columns(study.program, "adopt", lambda key, j=j: key[0] == j), x)  # type: ignore[misc]
        yield {"tool": j, "adopted": adopted, **_choice(asker, _tool(j), taken=adopted)}


def offer_questions(study: Study, x: Floats) -> Iterator[Question]:
    """Each offer and API refused where it is used; an offer taken at least once where it is not."""
    for name, cols in _offers(study):
        if _any(cols, x):
            yield Question(_offer(name), partial(held, study.program, cols, upper=0.0), tightens=True,
                           rank=dot(abs(study.program.cost[cols]), x[cols]))  # fmt: skip
        elif name in study.data.offers:
            yield Question(_offer(name), partial(at_least_once, study.program, name, cols), tightens=True)


def offers(study: Study, x: Floats, asker: Asker) -> Iterator[Row]:
    """One line per offer and API: taken or not, and what the other choice costs."""
    for name, cols in _offers(study):
        taken = _any(cols, x)
        kind = study.data.offers[name].kind if name in study.data.offers else "api"
        idle = kind == "api" and not taken
        worth = _idle(asker) if idle else _choice(asker, _offer(name), taken=taken)
        yield {"offer": name, "kind": kind, "taken": taken, **worth}


def policy_questions(study: Study) -> Iterator[Question]:
    """Each family that has rows and is not the fleet's own logic, switched off: its rows taken away."""
    for name in _policies(study):
        yield Question(_policy(name), partial(freed, study.program, rows_of(study.program, name)), loosens=True)


def policies(study: Study, asker: Asker) -> Iterator[Row]:
    """One line per family: what the rule costs, the price of policy."""
    for name in _policies(study):
        gain = asker.gain(_policy(name))
        yield {
            "family": name,
            "rows": len(study.stated.rows[name]),
            "costs_usd": gain.at_least(0.0).json() if gain else None,
            **asker.evidence(_policy(name)).json(),
        }


def _choice(asker: Asker, name: str, *, taken: bool) -> Row:
    gain, worth = asker.gain(name), asker.answers.get(name)
    impossible = bool(worth and worth.infeasible)
    if gain is None or impossible:
        return {"net_usd": None, "no_other_way": impossible, **asker.evidence(name).json()}
    net = gain.times(-1.0).at_least(0.0) if taken else gain
    return {"net_usd": net.json(), "no_other_way": False, **asker.evidence(name).json()}


def _idle(asker: Asker) -> Row:
    """An API that is never called: the plan holds without it, and nothing is worth more than the base's bound."""
    net = Interval(0.0, asker.worth.width).beyond(asker.noise)
    return {"net_usd": net.json(), "no_other_way": False, **Evidence("the plan does without it", 1, 0.0).json()}


def _offers(study: Study) -> Iterator[tuple[str, Flags]]:
    for o in study.data.offers:
        yield o, columns(study.program, "buy", lambda key, o=o: key[0] == o)  # type: ignore[misc]
    for a in study.data.calls_to:
        yield a, columns(study.program, "api", lambda key, a=a: study.data.behind(key[1]) == a)  # type: ignore[misc]


def _policies(study: Study) -> list[str]:
    physical = ("endpoint_capacity",)
    return [
        f.name
        for f in study.stated.families
        if study.stated.rows[f.name] and f.name not in physical and (f.kind != "link" or f.name in FREE_LINKS)
    ]


def _any(cols: Flags, x: Floats) -> bool:
    return bool((x[cols] > 1e-6).any())


def _tool(name: str) -> str:
    return f"tool {name}"


def _offer(name: str) -> str:
    return f"offer {name}"


def _policy(name: str) -> str:
    return f"without {name}"
