"""The names that an instance may use: its own, and those of the catalogue where it builds on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optimizer.instance.schema import Api, Deployment, GpuSpec, Instance

if TYPE_CHECKING:
    from optimizer.catalogue.types import Catalogue


class Known:
    """Names by kind; the catalogue is read only when a name is not the instance's own."""

    def __init__(self, instance: Instance, stated: Mapping[str, Any]) -> None:
        self._instance, self._stated = instance, stated

    def section(self, name: str) -> set[str]:
        """Ids of a section as stated, also those whose entry is misshapen."""
        stated = self._stated.get(name)
        return {*getattr(self._instance, name), *(map(str, stated) if isinstance(stated, Mapping) else ())}

    @cached_property
    def catalogue(self) -> Catalogue | None:
        """The catalogue, unless the instance does without."""
        if self._instance.catalogue == "none":
            return None
        from optimizer.catalogue.load import load_catalogue  # noqa: PLC0415  a file of its own is all most imports need

        return load_catalogue()

    def is_gpu(self, name: str) -> bool:
        """Whether a GPU model of this name exists."""
        return name in self.section("gpus") or name in self.gpus

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

    def benches(self) -> Iterator[str]:
        """All benchmarks that anything is scored on, the instance's own first."""
        own = self._instance
        scored: list[Api | Deployment] = [*own.deployments.values(), *own.apis.values()]
        for quality in (*(part.quality for part in scored), *(model.quality or {} for model in own.models.values())):
            yield from quality
        for name in self.catalogue.models if self.catalogue else ():
            yield from self.catalogue.models[name].quality if self.catalogue else ()

    def layouts(self, gpu: str | GpuSpec | None) -> Mapping[str, Mapping[str, int]]:
        """Partition layouts of a GPU model."""
        spec = self._instance.gpus.get(gpu) if isinstance(gpu, str) else gpu
        if isinstance(spec, GpuSpec) and spec.layouts is not None:
            return spec.layouts
        base = spec.base if isinstance(spec, GpuSpec) else gpu
        if isinstance(base, str) and base != gpu and base in self._instance.gpus:
            return self.layouts(base)
        found = self.catalogue.gpus if self.catalogue else {}
        return found[base].layouts if isinstance(base, str) and base in found else {}
