"""GPU models of the pools: the catalogue's, changed or completed by the instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from optimizer.catalogue.load import load_catalogue
from optimizer.catalogue.types import GpuModel, Slice
from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.schema import GpuSpec, Instance
from optimizer.resolve.faults import fault, unknown
from optimizer.resolve.sources import told

Place = tuple[str, ...]
SPEED = ("bandwidth_tb_s", "tflops")
OPTIONAL = ("name", "vendor", "tdp_w", "slices", "layouts", "note", "source", "base")


@dataclass(frozen=True)
class Gpu:
    """A GPU model with every name it answers to: its own, and those of the models it was derived from."""

    model: GpuModel
    names: frozenset[str]
    measured_as: GpuModel  # under the id that its measurements have
    source: str

    @property
    def id(self) -> str:
        """Name in the resolved instance."""
        return self.model.id


def gpus_of_pools(instance: Instance) -> dict[str, Gpu]:
    """The GPU model of each pool; raises BadInput with every name that is unknown and every figure that is missing."""
    found: dict[str, Gpu] = {}
    faults: list[Fault] = []
    for name, pool in instance.pools.items():
        try:
            found[name] = _chosen(instance, pool.gpu, ("pools", name, "gpu"))
        except BadInput as wrong:
            faults += wrong.faults
    if faults:
        raise BadInput(dict.fromkeys(faults))
    return found


def _chosen(instance: Instance, choice: str | GpuSpec, at: Place) -> Gpu:
    if isinstance(choice, str):
        return _named(instance, choice, at)
    return _derived(instance, f"{choice.base or 'gpu'}-{at[1]}", choice, at)


def _named(instance: Instance, name: str, at: Place, below: str | None = None) -> Gpu:
    """A GPU model by name; one that changes the catalogue's model of the same name finds that, not itself."""
    if name in instance.gpus and name != below:
        return _derived(instance, name, instance.gpus[name], ("gpus", name))
    catalogue = load_catalogue().gpus if instance.catalogue == "builtin" else {}
    if name not in catalogue:
        raise unknown(instance, at, "GPU model", name, [*instance.gpus, *catalogue])
    model = catalogue[name]
    return Gpu(model, frozenset({name}), model, told(model.figures))


def _derived(instance: Instance, name: str, spec: GpuSpec, at: Place) -> Gpu:
    changes = {k: v for k, v in spec if v is not None and k not in ("base", "note", "source")}
    if spec.slices is not None:
        changes["slices"] = {s: Slice(s, p.hbm_gb, p.compute_share, p.bandwidth_share) for s, p in spec.slices.items()}
    if spec.base is None:
        model = GpuModel(id=name, **_complete(instance, changes, at))
        return Gpu(model, frozenset({name}), model, told({}, said=spec.source))
    base = _named(instance, spec.base, (*at, "base"), below=name)
    model = replace(base.model, id=name, **changes)
    as_fast = all(getattr(model, k) == getattr(base.model, k) for k in SPEED)
    measured_as = replace(model, id=base.measured_as.id) if as_fast else model
    return Gpu(model, base.names | {name}, measured_as, told(model.figures, tuple(changes), spec.source))


def _complete(instance: Instance, stated: Mapping[str, Any], at: Place) -> dict[str, Any]:
    missing = [k for k in GpuSpec.model_fields if k not in stated and k not in OPTIONAL]
    if missing:
        message = f"GPU model '{at[1]}' lacks {', '.join(missing)}"
        raise BadInput([fault(instance, at, message, "name a base: in the catalogue")])
    return {"name": at[1], "vendor": "", "tdp_w": None, **stated}
