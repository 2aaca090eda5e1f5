"""What is assumed where an instance says nothing: `models/defaults.yaml`, and what the instance puts in its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from optimizer.catalogue.load import shared_directory
from optimizer.instance.schema import Instance

GRIDS = ("concurrency", "gpus", "precisions", "context_tokens")


@dataclass(frozen=True)
class Settings:
    """Options in force: those the instance states, else the catalogue's defaults, which `defaults` puts in words."""

    headroom: float
    compute_share: float
    concurrency: tuple[int, ...]
    gpus: tuple[int, ...]
    precisions: tuple[str, ...]
    context_tokens: tuple[int, ...]
    pessimistic: bool
    stated_availability: float | None
    availability_figures: Mapping[str, Any]
    defaults: Mapping[str, str] = field(default_factory=dict)

    def availability(self, gpu: str) -> float:
        """Share of hours a replica on this GPU model is up: the option, else what is known of its family."""
        if self.stated_availability is not None:
            return self.stated_availability
        return float(self._figure(gpu)["value"])

    def availability_notes(self, gpus: Iterable[str]) -> Iterator[str]:
        """The defaults used for these GPU models, one line for each figure."""
        using: dict[str, list[str]] = {}
        for gpu in gpus:
            using.setdefault(self._figure(gpu)["source"], []).append(gpu)
        for names in using.values():
            yield _note(f"availability of {', '.join(names)}", self._figure(names[0]))

    def _figure(self, gpu: str) -> Mapping[str, Any]:
        figures: Mapping[str, Any] = self.availability_figures
        found: Mapping[str, Any] = figures.get(gpu.partition("-")[0], figures["default"])
        return found


def settings(instance: Instance) -> Settings:
    """Options of an instance over the defaults."""
    options, given = instance.options, _defaults()
    used: dict[str, str] = {}

    def chosen(name: str, stated: Any) -> Any:
        if stated is not None:
            return stated
        used[name] = _note(name, given[name])
        return given[name]["value"]

    grids = {name: tuple(chosen(name, getattr(options, name))) for name in GRIDS}
    return Settings(
        headroom=float(chosen("headroom", options.headroom)),
        compute_share=float(chosen("compute_share", options.compute_share)),
        pessimistic=options.speed == "pessimistic",
        stated_availability=options.availability,
        availability_figures=given["availability"],
        **grids,
        defaults=used,
    )


def _note(name: str, figure: Mapping[str, Any]) -> str:
    value = figure["value"]
    shown = ", ".join(map(str, value)) if isinstance(value, list) else f"{value:g}"
    return f"default {name}: {shown} ({figure['grade']}; {figure['source']})"


@cache
def _defaults() -> Mapping[str, Any]:
    text = (shared_directory("models") / "defaults.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found
