"""The fitted multipliers of `models/speed.yaml` and how those of one deployment are put together.

A time is sum_k exp(base_k + sum over groups of effect_gk) x term_k, times exp(sum of the groups' scales): every group (AI model,
GPU, engine, their pairs ...) moves the physical terms up or down, and is shrunk to none where it has few measurements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

from ruamel.yaml import YAML

SPEED_FILE = Path(__file__).resolve().parents[2] / "models" / "speed.yaml"


@dataclass(frozen=True, slots=True)
class Stack:
    """Serving engine and version; empty strings where none is known."""

    engine: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What decides the multipliers of a deployment, beside the physics."""

    kind: str  # dense or moe
    network: str
    gpu: str
    architecture: str
    precision: str
    stack: Stack
    parallel_attention: bool = False


def levels(g: Group) -> tuple[str, ...]:
    """Names of the groups a deployment belongs to, from all of its kind to this very pair, engine and version."""
    engine, pair = g.stack.engine, f"{g.network}|{g.gpu}"
    exact = f"{pair}|{g.precision}|{engine}|{g.stack.version}"
    return (
        f"kind:{g.kind}",
        f"engine:{g.kind}|{engine}",
        f"architecture:{g.kind}|{g.architecture}",
        f"gpu:{g.kind}|{g.gpu}",
        f"format:{g.kind}|{g.architecture}|{g.precision}",
        f"network:{g.network}",
        f"pair:{pair}",
        f"network-engine:{g.network}|{engine}",
        f"gpu-engine:{g.gpu}|{engine}",
        f"pair-format:{pair}|{g.precision}",
        f"pair-engine:{pair}|{g.precision}|{engine}",
        f"pair-version:{exact}",
        f"attention:{exact}|{'data' if g.parallel_attention else 'tensor'}",
    )


@dataclass(frozen=True, slots=True)
class TimeModel:
    """Multipliers of one time (TPOT or TTFT): logs of the base by term, and by group a scale and one shift a term."""

    base: tuple[float, ...]
    effects: Mapping[str, tuple[float, ...]]

    def multipliers(self, group: Group) -> tuple[float, ...]:
        """What each physical term is multiplied by for a deployment of this group."""
        found = [self.effects[name] for name in levels(group) if name in self.effects]
        scale = sum(effect[0] for effect in found)
        return tuple(exp(scale + b + sum(e[k + 1] for e in found)) for k, b in enumerate(self.base))


Band = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Everything `models/speed.yaml` says."""

    tpot: TimeModel
    ttft: TimeModel
    architectures: Mapping[str, str]  # GPU id -> architecture
    stacks: Mapping[
        str, Stack
    ]  # the fastest measured stack by "network|gpu|precision", "network|gpu", "network", "gpu"
    rows: Mapping[str, int]  # measured rows by "network|gpu", network, GPU, architecture
    bands: Mapping[str, Mapping[str, Band]]  # grade -> time -> factors that hold nine truths in ten


def load_coefficients(path: Path = SPEED_FILE) -> Coefficients:
    """Reads the committed fit."""
    raw = YAML(typ="safe", pure=True).load(path)
    return Coefficients(
        tpot=_time_model(raw["tpot"]),
        ttft=_time_model(raw["ttft"]),
        architectures=raw["architectures"],
        stacks={key: Stack(*value) for key, value in raw["stacks"].items()},
        rows=raw["rows"],
        bands={grade: {time: _band(b) for time, b in bands.items()} for grade, bands in raw["bands"].items()},
    )


def _time_model(raw: Mapping[str, object]) -> TimeModel:
    base, effects = raw["base"], raw["effects"]
    assert isinstance(base, list) and isinstance(effects, dict)
    return TimeModel(tuple(base), {name: tuple(values) for name, values in effects.items()})


def _band(values: Sequence[float]) -> Band:
    low, high = values
    return low, high
