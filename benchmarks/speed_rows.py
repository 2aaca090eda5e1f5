"""Measured rows as the speed model sees them, and the ways to leave some of them out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from optimizer.catalogue.load import load_catalogue
from optimizer.catalogue.types import Measurement
from optimizer.speed.coefficients import Group, Stack
from optimizer.speed.estimate import networks, signature
from optimizer.speed.memory import resident_gb
from optimizer.speed.step import Point, terms

Floats = NDArray[np.float64]

ARCHITECTURES = {
    "h100-sxm": "hopper", "h100-pcie": "hopper", "h100-nvl": "hopper", "h200-sxm": "hopper",
    "b200-sxm": "blackwell", "b300-sxm": "blackwell", "gb200": "blackwell", "gb300": "blackwell",
    "a100-pcie-80gb": "ampere", "a100-sxm-80gb": "ampere", "l4": "ada", "l40s": "ada",
    "rtx-pro-6000": "blackwell-rtx", "mi300x": "cdna3", "mi325x": "cdna3", "mi355x": "cdna4",
    "tpu-v5e": "tpu", "tpu-v6e": "tpu", "trainium2": "trainium",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One measured point with its physical terms."""

    measured: Measurement
    point: Point
    group: Group
    tpot_terms: tuple[float, ...]
    ttft_terms: tuple[float, ...]


def measured_rows() -> list[Row]:
    """Every measurement of the catalogue, once: the same times under another name of the network count as one row."""
    catalogue = load_catalogue()
    names = networks(catalogue)
    rows: dict[tuple[object, ...], Row] = {}
    for m in sorted(catalogue.measurements, key=lambda m: m.id):
        model, gpu = catalogue.models[m.model], catalogue.gpus[m.gpu]
        point = Point(
            model, gpu, m.precision, m.gpus, m.concurrency, m.tokens_in, m.tokens_out, max(1, m.data_parallel)
        )
        t = terms(point)
        row = Row(m, point, group_of_row(m, names[signature(model)], model.experts == 1), t.tpot, t.ttft)
        same = (row.group.network, m.gpu, m.tokens_in, m.tokens_out, m.concurrency, m.ttft_ms, m.tpot_ms)
        rows.setdefault(same, row)
    return list(rows.values())


def group_of_row(m: Measurement, network: str, dense: bool) -> Group:
    """The groups of a measurement, with the engine and version that ran."""
    kind = "dense" if dense else "moe"
    return Group(
        kind, network, m.gpu, ARCHITECTURES[m.gpu], m.precision, Stack(m.engine, m.version), m.data_parallel > 1
    )


def curve(row: Row) -> str:
    """The curve a row lies on: all concurrencies and repeats of one network, GPU, precision, engine, lengths and GPUs.

    Versions and ways of cutting the experts share a curve, because an unstated version may be the stated one: stricter
    than leaving out one version, and no repeat of a left-out row is ever trained on.
    """
    m = row.measured
    return f"{row.group.network}|{m.gpu}|{m.precision}|{m.engine}|{m.tokens_in}|{m.tokens_out}|{m.gpus}"


def believable(row: Row) -> bool:
    """False where the stated batch cannot have been resident, or ran faster than the HBM delivers its bytes.

    Generous to the row: a cache of one byte a value, all of the nominal HBM, 85 % of the bytes.
    """
    p, m = row.point, row.measured
    memory = resident_gb(
        p.model, p.precision, p.gpus, 1, m.concurrency / p.data_parallel * (p.tokens_in + p.tokens_out)
    )
    fits = memory.weights_gb + memory.overhead_gb + memory.kv_gb / 2 <= p.gpus * p.gpu.hbm_gb
    weights, cache = row.tpot_terms[:2]
    return fits and m.tpot_ms >= 0.85 * (weights + cache / 2)


def disturbed(rows: Iterable[Row]) -> set[str]:
    """Ids of rows a quarter slower than a larger batch of their own run, or whose run has a quarter of such rows.

    They are left out of every fit and stay in every test.
    """
    runs: dict[str, list[Measurement]] = defaultdict(list)
    for row in rows:
        runs[f"{curve(row)}|{row.measured.version}|{row.point.data_parallel}"].append(row.measured)
    found: set[str] = set()
    for run in runs.values():
        odd = [m for m in run if any(o.concurrency > m.concurrency and 1.25 * o.tpot_ms < m.tpot_ms for o in run)]
        found |= {m.id for m in (run if 4 * len(odd) >= len(run) else odd)}
    return found


def hashed(key: Callable[[Row], str], folds: int) -> Callable[[Row], str]:
    """A fold number from a key's hash, so that a fold never depends on the order or the number of rows."""
    return lambda row: str(int(sha256(key(row).encode()).hexdigest(), 16) % folds)
