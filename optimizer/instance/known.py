"""The names that an instance may use: its own, and those of the catalogue where it builds on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optimizer.instance.calendar import WHOLE_DAY
from optimizer.instance.faults import Misfit, Path, closest
from optimizer.instance.schema import Api, Deployment, GpuSpec, Instance
from optimizer.instance.schema_limits import TERMS

if TYPE_CHECKING:
    from optimizer.catalogue.types import Catalogue

DEFAULT = "default"  # of figures by source: for those not named
SECTION_OF = {"site": "sites", "rack class": "rack_classes", "pool": "pools", "API": "apis", "workflow": "workflows",
              "tool": "tools", "skill": "skills", "resource": "resources"}  # fmt: skip


def strange(at: Path, kind: str, name: str, known: Collection[str]) -> Iterator[Misfit]:
    """The misfit of a name that is not among those known."""
    if name not in known:
        listed = f"one of {', '.join(sorted(known))}" if 0 < len(known) <= 6 else ""
        yield Misfit(at, f"names an unknown {kind} '{name}'", closest(name, sorted(known)) or listed)


class Known:
    """Names by kind; the catalogue is read only when a name is not the instance's own."""

    def __init__(self, instance: Instance, stated: Mapping[str, Any]) -> None:
        self._instance, self._stated = instance, stated
        self._names: dict[str, set[str]] = {}

    def section(self, name: str) -> set[str]:
        """Ids of a section as stated, also those whose entry is misshapen."""
        stated = self._stated.get(name)
        return {*getattr(self._instance, name), *(map(str, stated) if isinstance(stated, Mapping) else ())}

    def of(self, kind: str) -> set[str]:
        """All names of a kind, which is called as messages call it."""
        if kind not in self._names:
            self._names[kind] = self.section(SECTION_OF[kind]) if kind in SECTION_OF else set(_KINDS[kind](self))
        return self._names[kind]

    def unknown(self, at: Path, kind: str, names: str | Iterable[str] | None) -> Iterator[Misfit]:
        """Those names that nothing answers to: one, the entries of a list, or the keys of a mapping."""
        if isinstance(names, str):
            yield from self._unknown(at, kind, names)
        elif names:
            for n, name in enumerate(names):
                yield from self._unknown((*at, name if isinstance(names, Mapping) else n), kind, name)

    def _unknown(self, at: Path, kind: str, name: str) -> Iterator[Misfit]:
        if kind == "endpoint":  # generated later, but surely on a pool: its id is pool/deployment
            kind, name = "pool", name.split("/", maxsplit=1)[0]
        return strange(at, kind, name, self.of(kind))

    @cached_property
    def catalogue(self) -> Catalogue | None:
        """The catalogue, unless the instance does without."""
        if self._instance.catalogue == "none":
            return None
        from optimizer.catalogue.load import load_catalogue  # noqa: PLC0415  a file of its own is all most imports need

        return load_catalogue()

    @cached_property
    def gpus(self) -> set[str]:
        """All GPU models."""
        return self.section("gpus") | set(self.catalogue.gpus if self.catalogue else ())

    @cached_property
    def models(self) -> set[str]:
        """All AI models, those of stated deployments among them."""
        own = {d.model for d in self._instance.deployments.values()} | self.section("models")
        return own | set(self.catalogue.models if self.catalogue else ())

    @cached_property
    def precisions(self) -> set[str]:
        """All precisions of weights."""
        from typing import get_args  # noqa: PLC0415

        from optimizer.catalogue.types import Precision  # noqa: PLC0415

        return {*get_args(Precision), *(d.precision for d in self._instance.deployments.values())}

    @cached_property
    def vendors(self) -> set[str]:
        """All vendors of APIs, stated or named by a list price."""
        stated = self._stated.get("apis")
        raw = stated.values() if isinstance(stated, Mapping) else ()
        given = {str(api["vendor"]) for api in raw if isinstance(api, Mapping) and api.get("vendor")}
        return given | {api.seller for api in self._instance.apis.values() if api.seller}

    @cached_property
    def quotas(self) -> set[str]:
        """All quotas of what the market delivers."""
        limits = self._stated.get("limits")
        stated = limits.get("supply") if isinstance(limits, Mapping) else None
        return {*self._instance.limits.supply, *(map(str, stated) if isinstance(stated, Mapping) else ())}

    def benches(self) -> Iterator[str]:
        """All benchmarks that anything is scored on, the instance's own first."""
        own = self._instance
        scored: list[Api | Deployment] = [*own.deployments.values(), *own.apis.values()]
        for quality in (*(part.quality for part in scored), *(model.quality or {} for model in own.models.values())):
            yield from quality
        for name in self.catalogue.models if self.catalogue else ():
            yield from self.catalogue.models[name].quality if self.catalogue else ()

    def figure(self, gpu: str | GpuSpec | None, name: str) -> Any:
        """A figure of a GPU model: its own, or that of the one it is based on; None where it has none."""
        own, passed = self._instance.gpus, [gpu]
        spec = own.get(gpu) if isinstance(gpu, str) else gpu
        while spec and getattr(spec, name) is None and spec.base in own.keys() - passed:
            passed.append(spec.base)
            spec = own[spec.base]
        base = spec.base if spec else gpu
        if (spec and getattr(spec, name) is not None) or not isinstance(base, str):
            return getattr(spec, name)
        found = self.catalogue.gpus if self.catalogue else {}
        return getattr(found[base], name) if base in found else None

    def layouts(self, gpu: str | GpuSpec | None) -> Mapping[str, Mapping[str, int]]:
        """Partition layouts of a GPU model."""
        return self.figure(gpu, "layouts") or {}


_KINDS: dict[str, Callable[[Known], Iterable[str]]] = {
    "GPU model": lambda known: known.gpus,
    "AI model": lambda known: known.models,
    "model or API": lambda known: {DEFAULT} | known.models | known.section("apis"),
    "precision": lambda known: known.precisions,
    "benchmark": lambda known: known.benches(),
    "vendor": lambda known: known.vendors,
    "quota": lambda known: known.quotas,
    "term": lambda _: TERMS,
    "day part": lambda known: known.section("day_parts") or {WHOLE_DAY},
}
