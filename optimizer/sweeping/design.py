"""Which variants a sweep has: grids, lists, one at a time, random and Sobol samples over any paths."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimizer.instance.faults import BadInput, Fault, closest

Kind = Literal["grid", "list", "tornado", "random", "sobol"]
KINDS: tuple[Kind, ...] = ("grid", "list", "tornado", "random", "sobol")
SCENARIO, DROP, NONE = "scenario", "drop", "none"  # axes that are no path, and their empty value
MOST = 100_000  # members of one design
EXAMPLES, EXAMPLES_SEED = 8, 2718  # a seed of their own: members of a Sobol design are no examples of themselves

_RANGE = re.compile(r"([=*+]?)\s*([^:{\[]+):([^:]+):(\d+)")
_COMMA = re.compile(r",(?![^\[{]*[\]}])")  # not inside a list or a map

Point = dict[str, str]  # axis -> value as typed; axes that are absent stay as in the base


@dataclass(frozen=True, slots=True)
class Axis:
    """A path (or `scenario`, or `drop`) and its values as typed; `low` and `high` if they came from a range."""

    path: str
    values: tuple[str, ...]
    sign: str = ""
    low: float | None = None
    high: float | None = None

    def at(self, share: float) -> str:
        """The value so far along the range, or the one of the list that stands there."""
        if self.low is None or self.high is None:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        return f"{self.sign}{self.low + share * (self.high - self.low):.12g}"


def axis(text: str) -> Axis:
    """`PATH=a:b:n` (n values from a to b), `PATH=*a:b:n` (factors), `PATH=+a:b:n`, or `PATH=v1,v2,...`."""
    path, equals, typed = text.partition("=")
    path, typed = path.strip(), typed.strip()
    if not equals or not path or not typed:
        raise _refused(text, f"'{text}' is no axis, expected PATH=a:b:n or PATH=v1,v2,...")
    spanned = _RANGE.fullmatch(typed)
    if spanned is None:
        listed = tuple(part.strip() for part in _COMMA.split(typed))
        if not all(listed):
            raise _refused(path, f"{path} lists a value that is empty: '{typed}'")
        return Axis(path, listed)
    try:
        low, high, many = float(spanned[2]), float(spanned[3]), int(spanned[4])
    except ValueError:
        raise _refused(path, f"{path} spans '{typed}', expected two numbers and a count, a:b:n") from None
    if not math.isfinite(low) or not math.isfinite(high):
        raise _refused(path, f"{path} spans '{typed}', expected finite numbers")
    if many < 1:
        raise _refused(path, f"{path} asks for {many} values, expected at least 1")
    if many > MOST:  # before there are so many
        raise _refused(path, f"{path} asks for {many:,} values, and a design has at most {MOST:,} members")
    values = tuple(f"{spanned[1]}{x:.12g}" for x in np.linspace(low, high, many))
    return Axis(path, values, spanned[1], low, high)


def points(kind: str, axes: Sequence[Axis], samples: int = 0, seed: int = 0) -> list[Point]:
    """The members of a design, in a fixed order; `random` and `sobol` take as many samples as are asked for."""
    if kind not in KINDS:
        raise _refused("design", f"no design is called '{kind}', there are {', '.join(KINDS)}", closest(kind, KINDS))
    twice = [a.path for n, a in enumerate(axes) if a.path in [other.path for other in axes[:n]]]
    if twice or not axes:
        raise _refused("vary", f"{twice[0]} is varied twice" if twice else "nothing is varied")
    if kind in ("random", "sobol") and samples < 1:
        raise _refused("samples", f"a {kind} design needs a number of samples of at least 1, not {samples}")
    if kind in ("random", "sobol") and samples > MOST:
        raise _refused("samples", f"{samples:,} samples are asked for, and a design has at most {MOST:,} members")
    found = list(itertools.islice(_points(kind, axes, samples, seed), MOST + 1))
    if len(found) > MOST:
        raise _refused("vary", f"the design has more than {MOST:,} members")
    return list({tuple(point.items()): point for point in found}.values())


def examples(axes: Sequence[Axis]) -> list[Point]:
    """Points anywhere on some axes, the same for every design over them."""
    return points("sobol", axes, EXAMPLES, EXAMPLES_SEED)


def number(typed: str) -> float | None:
    """The number in a value as typed, without its sign of change; None for words."""
    try:
        return float(typed.lstrip("=*+ "))
    except ValueError:
        return None


def sign(typed: str) -> str:
    """`*` or `+` where a value is a factor or an amount on top, else nothing."""
    return typed[:1] if typed[:1] in ("*", "+") else ""


def changed(point: Mapping[str, str]) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Scenario, changes and families left out of a point."""
    named = {k: None if point.get(k, NONE) == NONE else point[k] for k in (SCENARIO, DROP)}
    sets = tuple(f"{path}={value}" for path, value in point.items() if path not in (SCENARIO, DROP))
    return named[SCENARIO], sets, tuple((named[DROP] or "").split("&")) if named[DROP] else ()


def _points(kind: str, axes: Sequence[Axis], samples: int, seed: int) -> Iterator[Point]:
    paths = [a.path for a in axes]
    if kind == "grid":
        yield from (dict(zip(paths, row, strict=True)) for row in itertools.product(*(a.values for a in axes)))
    elif kind == "list":
        lengths = {len(a.values) for a in axes}
        if len(lengths) > 1:
            raise _refused("vary", "a list takes one value of each path per member, and the paths differ in number")
        yield from (dict(zip(paths, row, strict=True)) for row in zip(*(a.values for a in axes), strict=True))
    elif kind == "tornado":
        yield {}
        yield from ({a.path: value} for a in axes for value in a.values)
    else:
        shares = _sobol(len(axes), samples, seed) if kind == "sobol" else _random(len(axes), samples, seed)
        yield from ({a.path: a.at(float(x)) for a, x in zip(axes, row, strict=True)} for row in shares)


def _random(width: int, samples: int, seed: int) -> Sequence[Sequence[float]]:
    found: Sequence[Sequence[float]] = np.random.default_rng(seed).random((samples, width)).tolist()
    return found


def _sobol(width: int, samples: int, seed: int) -> Sequence[Sequence[float]]:
    """The first samples of a scrambled sequence; a power of two of them is balanced."""
    from scipy.stats import qmc  # noqa: PLC0415  takes a second to load

    power = max(samples - 1, 0).bit_length()
    found: Sequence[Sequence[float]] = qmc.Sobol(width, rng=seed).random_base2(power)[:samples].tolist()
    return found


def _refused(where: str, message: str, maybe: str = "") -> BadInput:
    return BadInput([Fault(None, None, None, where, message, maybe)])
