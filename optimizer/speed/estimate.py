"""How fast a deployment generates: measured where the catalogue measures it, else calibrated, else modelled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import log

from optimizer.catalogue.load import load_catalogue
from optimizer.catalogue.types import AiModel, Catalogue, GpuModel, Measurement, Slice
from optimizer.speed.coefficients import Band, Coefficients, Group, Stack, load_coefficients
from optimizer.speed.step import TPOT_TERMS, Point, Terms, terms
from optimizer.speed.types import BoundBy, Speed, SpeedGrade

NEAR = log(1.1)  # lengths within a tenth count as the measured ones, corrected by the model's own ratio
LEAST_ROWS = 4  # of a pair, to call it calibrated

BOUND: Mapping[str, BoundBy] = {
    "weights": "bandwidth", "cache": "bandwidth", "compute": "compute", "prefill": "compute",
    "launch": "latency", "sync": "latency", "network": "latency", "batch": "latency", "chunk": "bandwidth",
}  # fmt: skip

Signature = tuple[float, ...]


def signature(model: AiModel) -> Signature:
    """What makes two AI models the same network to a GPU: checkpoints of one architecture run alike."""
    figures = (model.params_b, model.active_params_b, model.layers, model.experts, model.experts_per_token)
    return (*figures, model.kv_values_per_token, model.kv_heads)


def networks(catalogue: Catalogue) -> dict[Signature, str]:
    """One id per network that is measured: the first measured AI model of its architecture."""
    found: dict[Signature, str] = {}
    for model_id in sorted({m.model for m in catalogue.measurements}):
        found.setdefault(signature(catalogue.models[model_id]), model_id)
    return found


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of one AI model, GPU, precision and way of cutting it before any load is put on it."""

    tpot: tuple[float, ...]
    ttft: tuple[float, ...]
    tpot_band: Band
    ttft_band: Band
    grade: SpeedGrade
    basis: str


@dataclass(frozen=True)
class SpeedModel:
    """Coefficients and measured points, ready to be asked."""

    coefficients: Coefficients
    networks: Mapping[Signature, str]
    points: Mapping[tuple[str, str, str, int, int], list[Measurement]]
    known: dict[tuple[str, str, str, bool], Calibration] = field(default_factory=dict)

    def estimate(
        self,
        model: AiModel,
        gpu: GpuModel,
        *,
        precision: str,
        gpus: int,
        concurrency: int,
        tokens_in: float,
        tokens_out: float,
        cached_in: float = 0.0,
        slice: Slice | None = None,
    ) -> Speed:
        """Times of one replica, with the interval and the grade of what they rest on.

        `cached_in` of the input tokens need no prefill: no engine was measured so, the physics say what it saves.
        """
        network = self.networks.get(signature(model), model.id)
        point = Point(model, gpu, precision, gpus, concurrency, tokens_in, tokens_out, part=slice, cached_in=cached_in)
        key = (network, gpu.id, precision, slice is not None)
        calibration = self.known.get(key) or self.known.setdefault(key, self._calibrate(point, network))
        modelled = _speed(terms(point), calibration, point)
        row = None if slice else self._nearest(network, point)
        return self._measured(row, point, modelled, calibration) if row else modelled

    def _calibrate(self, p: Point, network: str) -> Calibration:
        c = self.coefficients
        group = group_of(p, network, c)
        grade, basis = _grounds(p, group, c)
        bands = c.bands[grade if grade != "calibrated" else f"calibrated {group.kind}"]
        known: SpeedGrade = "calibrated" if grade == "calibrated" else "modelled"
        return Calibration(
            c.tpot.multipliers(group), c.ttft.multipliers(group), bands["tpot"], bands["ttft"], known, basis
        )

    def _nearest(self, network: str, p: Point) -> Measurement | None:
        """The fastest engine measured at this very point; ties by id."""
        rows = self.points.get((network, p.gpu.id, p.precision, p.gpus, p.concurrency), [])
        near = [m for m in rows if _near(m.tokens_in, p.tokens_in) and _near(m.tokens_out, p.tokens_out)]
        return min(near, key=lambda m: (m.ttft_ms + (m.tokens_out - 1) * m.tpot_ms, m.id), default=None)

    def _measured(self, m: Measurement, p: Point, speed: Speed, c: Calibration) -> Speed:
        at = _speed(terms(replace(p, tokens_in=m.tokens_in, tokens_out=m.tokens_out, cached_in=0.0)), c, p)
        bands = self.coefficients.bands["measured"]
        return replace(
            speed,
            tpot_ms=m.tpot_ms * speed.tpot_ms / at.tpot_ms,
            ttft_ms=m.ttft_ms * speed.ttft_ms / at.ttft_ms,
            tpot_low=bands["tpot"][0],
            tpot_high=bands["tpot"][1],
            ttft_low=bands["ttft"][0],
            ttft_high=bands["ttft"][1],
            grade="measured",
            basis=f"measured with {_named(m.engine, m.version)} at {m.tokens_in}/{m.tokens_out} tokens: {m.id}",
        )


def _near(a: float, b: float) -> bool:
    return a > 0 and b > 0 and abs(log(a / b)) <= NEAR


def _speed(t: Terms, c: Calibration, p: Point) -> Speed:
    parts = [a * b for a, b in zip(t.tpot, c.tpot, strict=True)]
    shares: dict[BoundBy, float] = defaultdict(float)
    for name, part in zip(TPOT_TERMS, parts, strict=True):
        shares[BOUND[name]] += part
    return Speed(
        ttft_ms=sum(a * b for a, b in zip(t.ttft, c.ttft, strict=True)),
        tpot_ms=sum(parts),
        ttft_low=c.ttft_band[0],
        ttft_high=c.ttft_band[1],
        tpot_low=c.tpot_band[0],
        tpot_high=c.tpot_band[1],
        bound_by=max(shares, key=shares.__getitem__),
        grade=c.grade,
        basis=c.basis,
        bytes_per_task=1e9 * (t.prefill_gb + p.tokens_out * t.step_gb / p.concurrency),
        flops_per_task=1e9 * (t.prefill_gflop + p.tokens_out * t.step_gflop / p.concurrency),
    )


def group_of(p: Point, network: str, c: Coefficients, stack: Stack | None = None) -> Group:
    """The groups of a point; without a stated engine the fastest one measured on the pair, or next to it."""
    kind = "dense" if p.model.experts == 1 else "moe"
    pair = f"{network}|{p.gpu.id}"
    nearest = (f"{pair}|{p.precision}", pair, network, p.gpu.id)
    typical = next((c.stacks[key] for key in nearest if key in c.stacks), Stack())
    architecture = c.architectures.get(p.gpu.id, p.gpu.id)
    return Group(kind, network, p.gpu.id, architecture, p.precision, stack or typical, p.data_parallel > 1)


def _grounds(p: Point, g: Group, c: Coefficients) -> tuple[str, str]:
    """Which band applies, and in words what the nearest measurements of a deployment are."""
    pair, of_network, on_gpu, alike = (
        c.rows.get(key, 0) for key in (f"{g.network}|{g.gpu}|{g.precision}", g.network, g.gpu, g.architecture)
    )
    engine = _named(g.stack.engine, g.stack.version) if g.stack.engine else "no particular engine"
    part = f", scaled to slice {p.part.name}" if p.part else ""
    if pair >= LEAST_ROWS and p.part is None:
        return "calibrated", f"calibrated on {pair} rows of {g.network} on {g.gpu} in {g.precision}, {engine}"
    if on_gpu and of_network:
        known = f"{of_network} rows of {g.network} and {on_gpu} rows on {g.gpu}"
        return "gpu and model known", f"modelled from {known}, {engine}{part}"
    if on_gpu:
        return "gpu known", f"modelled from {on_gpu} rows of other AI models on {g.gpu}{part}"
    if alike:
        return "architecture known", f"no measurement of {g.gpu}: modelled from {alike} rows of {g.architecture}{part}"
    return "no measurement", f"no measurement of {g.gpu} or its architecture: modelled from data sheets{part}"


def _named(engine: str, version: str) -> str:
    return f"{engine} {version}" if version else f"{engine} (version not stated)"


def measured_points(
    measurements: Iterable[Measurement], names: Mapping[str, str]
) -> dict[tuple[str, str, str, int, int], list[Measurement]]:
    """Measurements by network, GPU, precision, GPUs and concurrency."""
    found: dict[tuple[str, str, str, int, int], list[Measurement]] = defaultdict(list)
    for m in measurements:
        found[names[m.model], m.gpu, m.precision, m.gpus, m.concurrency].append(m)
    return dict(found)


@lru_cache(maxsize=1)
def load_speed_model() -> SpeedModel:
    """The speed model of the shipped catalogue, read once."""
    catalogue = load_catalogue()
    return speed_model(catalogue, load_coefficients())


def speed_model(catalogue: Catalogue, coefficients: Coefficients) -> SpeedModel:
    """Coefficients joined with what the catalogue measures."""
    by_network = networks(catalogue)
    names = {m: by_network[signature(catalogue.models[m])] for m in {m.model for m in catalogue.measurements}}
    return SpeedModel(coefficients, by_network, measured_points(catalogue.measurements, names))
