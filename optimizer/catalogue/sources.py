"""What the catalogue holds, as rows for `solvency catalogue [NAME]`: every figure with its source."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from optimizer.catalogue.load import load_catalogue
from optimizer.catalogue.names import UnknownName


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue and how many measured points it has."""

    id: str
    kind: str  # "GPU model" or "AI model"
    name: str
    summary: str
    measurements: int


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of one model."""

    figure: str
    value: float | str
    unit: str
    grade: str
    source: str
    as_of: str
    note: str


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


def figures(name: str) -> list[FigureRow]:
    """Every figure of one GPU or AI model; raises `UnknownName`."""
    catalogue = load_catalogue()
    if name in catalogue.gpus:
        found = catalogue.gpus[name].figures
    elif name in catalogue.models:
        found = catalogue.models[name].figures
    else:
        raise UnknownName("catalogue name", name, [*catalogue.gpus, *catalogue.models])
    return [
        FigureRow(path, figure.value, figure.unit, figure.grade, figure.source, figure.as_of, figure.note)
        for path, figure in found.items()
    ]
