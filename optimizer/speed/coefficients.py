"""The fitted multipliers of `models/speed.json` and how those of one deployment are put together.

A time is sum_k exp(base_k + sum over groups of effect_gk) x term_k, times exp(sum of the groups' scales). Every group
(AI model, GPU, engine, their pairs ...) moves the physical terms up or down, and shrinks to none where little is
measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from pathlib import Path

from optimizer.catalogue.load import shared_directory


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
    network, engine, version = g.network, g.stack.engine, g.stack.version
    pair = f"{network}|{g.gpu}"
    return (
        f"kind:{g.kind}",
        f"engine:{g.kind}|{engine}",
        f"architecture:{g.kind}|{g.architecture}",
        f"gpu:{g.kind}|{g.gpu}",
        f"format:{g.kind}|{g.architecture}|{g.precision}",
        f"network:{network}",
        f"network-engine:{network}|{engine}",
        f"network-version:{network}|{engine}|{version}",
        f"attention:{network}|{engine}|{'data' if g.parallel_attention else 'tensor'}",
        f"pair:{pair}",
        f"pair-format:{pair}|{g.precision}",
        f"pair-engine:{pair}|{g.precision}|{engine}",
        f"pair-version:{pair}|{g.precision}|{engine}|{version}",
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
    """Everything `models/speed.json` says."""

    tpot: TimeModel
    ttft: TimeModel
    architectures: Mapping[str, str]  # GPU id -> architecture
    stacks: Mapping[str, Stack]  # fastest measured stack by "network|gpu|precision", "network|gpu", network, GPU
    rows: Mapping[str, int]  # measured rows by "network|gpu|precision", network, GPU, architecture
    bands: Mapping[str, Mapping[str, Band]]  # ground -> time -> factors that hold nine truths in ten


def load_coefficients(path: Path | None = None) -> Coefficients:
    """Reads a fit, by default the committed one."""
    raw = json.loads((path or shared_directory("models") / "speed.json").read_text(encoding="utf-8"))
    tpot, ttft = (
        TimeModel(tuple(raw[time]["base"]), {name: tuple(e) for name, e in raw[time]["effects"].items()})
        for time in ("tpot", "ttft")
    )
    stacks = {key: Stack(*stack) for key, stack in raw["stacks"].items()}
    bands = {ground: {time: (b[0], b[1]) for time, b in band.items()} for ground, band in raw["bands"].items()}
    return Coefficients(tpot, ttft, raw["architectures"], stacks, raw["rows"], bands)
