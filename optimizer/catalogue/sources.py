"""What the catalogue holds, for `solvency catalogue [NAME]`: one line a model, or every figure of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from optimizer.catalogue.load import load_catalogue
from optimizer.catalogue.names import UnknownName
from optimizer.catalogue.types import Figure


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue and how many measured points it has."""

    id: str
    kind: str  # "GPU model" or "AI model"
    name: str
    summary: str
    measurements: int


def entries() -> list[Entry]:
    """All models, GPUs first, each in one line."""
    catalogue = load_catalogue()
    points = [(measurement.gpu, measurement.model) for measurement in catalogue.measurements]
    gpus = (
        (gpu.id, "GPU model", gpu.name, f"{gpu.hbm_gb:g} GB, {gpu.bandwidth_tb_s:g} TB/s, {gpu.op_kw:g} kW")
        for gpu in catalogue.gpus.values()
    )
    models = (
        (model.id, "AI model", model.name, f"{model.params_b:g} B, {model.active_params_b:g} B active, {model.licence}")
        for model in catalogue.models.values()
    )
    return [Entry(*row, sum(row[0] in point for point in points)) for row in chain(gpus, models)]


def figures(name: str) -> Mapping[str, Figure]:
    """Every figure of one GPU or AI model by its dotted field; raises `UnknownName`."""
    catalogue = load_catalogue()
    if name in catalogue.gpus:
        return catalogue.gpus[name].figures
    if name in catalogue.models:
        return catalogue.models[name].figures
    raise UnknownName("catalogue name", name, [*catalogue.gpus, *catalogue.models])
