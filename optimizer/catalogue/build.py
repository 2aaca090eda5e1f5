"""From the checked files to the catalogue's own types, each number with its figure."""

from __future__ import annotations

from typing import Literal, cast

from optimizer.catalogue.schema import AiFile, GpuFile, GroupedQuery, PartitionFile, Stated
from optimizer.catalogue.types import AiModel, Figure, GpuModel, Slice


def gpu_model(file: GpuFile) -> GpuModel:
    """The GPU a file describes; slices take their share of the usable memory."""
    return GpuModel(
        id=file.id,
        name=file.name,
        vendor=file.vendor,
        hbm_gb=file.hbm_gb.value,
        usable_hbm_gb=file.usable_hbm_gb.value,
        bandwidth_tb_s=file.bandwidth_tb_s.value,
        tflops={precision: number.value for precision, number in file.tflops.items()},
        tdp_w=file.tdp_w.value if file.tdp_w else None,
        idle_kw=file.idle_kw.value,
        op_kw=file.op_kw.value,
        gpus_per_node=int(file.gpus_per_node.value),
        scale_up_domain=int(file.scale_up_domain.value),
        cooling=cast(Literal["air", "liquid"], file.cooling.value),
        slices=_slices(file.partition, file.usable_hbm_gb.value) if file.partition else {},
        layouts=file.partition.layouts if file.partition else {},
        figures=_figures(file),
    )


def ai_model(file: AiFile) -> AiModel:
    """The AI model a file describes; the cache per token follows from its attention."""
    attention = file.attention
    return AiModel(
        id=file.id,
        name=file.name,
        params_b=file.params_b.value,
        active_params_b=file.active_params_b.value,
        layers=int(file.layers.value),
        experts=int(file.experts.value),
        experts_per_token=int(file.experts_per_token.value),
        attention=attention.kind,
        kv_values_per_token=attention.values_per_token(),
        kv_heads=int(attention.kv_heads.value) if isinstance(attention, GroupedQuery) else 1,
        context_tokens=int(file.context_tokens.value),
        precisions=tuple(file.precisions),
        licence=file.licence.value,
        commercial_use=file.commercial_use.value,
        quality={name: score.value for name, score in file.quality.items()},
        output_multiplier=file.output_multiplier.value,
        figures=_figures(file) | _precision_figures(file) | {"kv_values_per_token": _cache_figure(file)},
        kv_values_per_sequence=file.kv_values_per_sequence.value if file.kv_values_per_sequence else 0.0,
        weights_gb={name: entry.weights_gb for name, entry in file.precisions.items() if entry.weights_gb},
    )


def _slices(partition: PartitionFile, usable_hbm_gb: float) -> dict[str, Slice]:
    return {
        name: Slice(name, part.memory_share * usable_hbm_gb, part.compute_share, part.bandwidth_share)
        for name, part in partition.slices.items()
    }


def _figures(entry: object, prefix: str = "") -> dict[str, Figure]:
    """Every sourced figure below `entry`, keyed by its dotted path."""
    found: dict[str, Figure] = {}
    for key, value in entry.items() if isinstance(entry, dict) else _fields(entry):
        path = f"{prefix}{key}"
        if isinstance(value, Stated | PartitionFile):
            found[path] = value.figure()
        elif isinstance(value, dict) or hasattr(value, "kind"):
            found |= _figures(value, f"{path}.")
    return found


def _fields(entry: object) -> list[tuple[str, object]]:
    return [(name, getattr(entry, name)) for name in type(entry).model_fields]  # type: ignore[attr-defined]


def _precision_figures(file: AiFile) -> dict[str, Figure]:
    return {
        f"precisions.{name}": Figure(
            entry.weights_gb or "published", "GB of weights" if entry.weights_gb else "checkpoint",
            entry.grade, entry.source, entry.as_of, entry.note,
        )
        for name, entry in file.precisions.items()
    }  # fmt: skip


def _cache_figure(file: AiFile) -> Figure:
    attention = file.attention
    formula = "2 x kv_heads x head_dim x cached_layers"
    if not isinstance(attention, GroupedQuery):
        formula = "(latent_dim + rope_dim + index_dim) x cached_layers"
    layers = attention.cached_layers
    return Figure(attention.values_per_token(), "value", layers.grade, f"derived: {formula}", layers.as_of, layers.note)
