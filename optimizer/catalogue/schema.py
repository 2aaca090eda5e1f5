"""The shape of the YAML files in `models/`: strict, and no figure without its source and grade."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from optimizer.catalogue.types import Figure, Grade, Precision

V = TypeVar("V", float, str, bool)


class Strict(BaseModel):
    """Nothing unknown, nothing coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Sourced(Strict):
    """Where a figure comes from; an assumption must say why."""

    grade: Grade
    source: str = Field(min_length=3)
    as_of: str = Field(default="", pattern=r"^(\d{4}(-\d{2}){0,2})?$")
    note: str = ""

    @model_validator(mode="after")
    def _reasoned(self) -> Sourced:
        if self.grade == "assumed" and not self.note:
            raise ValueError("grade `assumed` needs its reasoning in `note`")
        return self


class Stated(Sourced, Generic[V]):
    """One figure: its value and its unit."""

    value: V
    unit: str = Field(min_length=1)

    def figure(self) -> Figure:
        """The figure as the catalogue shows it."""
        value = ("yes" if self.value else "no") if isinstance(self.value, bool) else self.value
        return Figure(value, self.unit, self.grade, self.source, self.as_of, self.note)


Number = Stated[float]
Word = Stated[str]
YesNo = Stated[bool]


def _positive(number: Number) -> Number:
    if number.value <= 0:
        raise ValueError("must be above zero")
    return number


def _whole(number: Number) -> Number:
    if number.value != int(number.value):
        raise ValueError("must be a whole number")
    return number


def _share(number: Number) -> Number:
    if number.value > 1:
        raise ValueError("must be a share of 1")
    return number


Positive = Annotated[Number, AfterValidator(_positive)]
Count = Annotated[Number, AfterValidator(_positive), AfterValidator(_whole)]
Score = Annotated[Number, AfterValidator(_positive), AfterValidator(_share)]
Part = Annotated[float, BeforeValidator(lambda text: float(Fraction(text))), Field(gt=0, le=1)]  # "3/7"


class SliceFile(Strict):
    """One profile: its shares of the device, as fractions."""

    compute_share: Part
    memory_share: Part
    bandwidth_share: Part


class PartitionFile(Sourced):
    """How one GPU may be cut: the profiles, and the sets of them that fit together."""

    slices: dict[str, SliceFile]
    layouts: dict[str, dict[str, int]]

    def figure(self) -> Figure:
        """The layouts by name."""
        layouts = ", ".join(self.layouts)
        return Figure(layouts, "layouts", self.grade, self.source, self.as_of, self.note)


class GpuFile(Strict):
    """`models/gpus/ID.yaml`."""

    id: str
    name: str
    vendor: str
    hbm_gb: Positive
    usable_hbm_gb: Positive
    bandwidth_tb_s: Positive
    tflops: dict[Precision, Positive]
    tdp_w: Positive | None = None
    idle_kw: Positive
    op_kw: Positive
    gpus_per_node: Count
    scale_up_domain: Count
    cooling: Word
    partition: PartitionFile | None = None


class GroupedQuery(Strict):
    """Grouped-query attention: heads of keys and of values are cached."""

    kind: Literal["gqa"]
    cached_layers: Count
    kv_heads: Count
    head_dim: Count

    def values_per_token(self) -> float:
        """Keys and values one token leaves in the cache, over all layers that keep it."""
        return 2 * self.kv_heads.value * self.head_dim.value * self.cached_layers.value


class Latent(Strict):
    """Multi-head latent attention: one compressed vector per layer is cached."""

    kind: Literal["mla"]
    cached_layers: Count
    latent_dim: Count
    rope_dim: Count
    index_dim: Count | None = None

    def values_per_token(self) -> float:
        """Latent and rotary values (and indexer keys) one token leaves in the cache, over all layers."""
        index = self.index_dim.value if self.index_dim else 0.0
        return (self.latent_dim.value + self.rope_dim.value + index) * self.cached_layers.value


class PrecisionFile(Sourced):
    """A weight precision with published checkpoints; their size where it is not parameters x bytes."""

    weights_gb: float | None = None


class AiFile(Strict):
    """`models/ai/ID.yaml`."""

    id: str
    name: str
    licence: Word
    commercial_use: YesNo
    params_b: Positive
    active_params_b: Positive
    layers: Count
    experts: Count
    experts_per_token: Count
    attention: GroupedQuery | Latent = Field(discriminator="kind")
    kv_values_per_sequence: Count | None = None
    context_tokens: Count
    precisions: dict[Precision, PrecisionFile] = Field(min_length=1)
    quality: dict[str, Score] = {}
    output_multiplier: Positive
