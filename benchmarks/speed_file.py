"""Writes `models/speed.json`: multipliers, intervals, and which engine stands for a pair when none is named."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.speed_cv import TIMES, Table, band
from benchmarks.speed_fit import predict
from benchmarks.speed_rows import ARCHITECTURES, Floats, Row
from optimizer.catalogue.load import shared_directory
from optimizer.speed.coefficients import Band, Stack, TimeModel

LEAST_STACK_ROWS = 8
NOTE = "Fitted by `python -m benchmarks.speed --fit` from models/measurements; docs/speed.md explains it. Do not edit."

Bands = dict[str, dict[str, Band]]


def bands_of(table: Table, models: Mapping[str, TimeModel], left_out: Mapping[str, Mapping[str, Floats]]) -> Bands:
    """Intervals by ground; each holds those of better grounds, dense and mixtures of experts apart where calibrated.

    A measured point is taken to be as uncertain as single rows scatter about the curves fitted through them.
    """
    kinds = table.labels(lambda row: row.group.kind)
    groups = [row.group for row in table.rows]
    own = {t: predict(models[t], table.terms[t], groups) for t in TIMES}
    logs = {g: {t: np.log(table.times[t] / p[t]) for t in TIMES} for g, p in {**left_out, "measured": own}.items()}
    bands: Bands = {"measured": {t: band(logs["measured"][t]) for t in TIMES}}
    for kind in ("dense", "moe"):
        bands[f"calibrated {kind}"] = {
            t: _hull(bands["measured"][t], band(logs["calibrated"][t][kinds == kind])) for t in TIMES
        }
    widest = {t: _hull(bands["calibrated dense"][t], bands["calibrated moe"][t]) for t in TIMES}
    for ground in (g for g in left_out if g != "calibrated"):
        widest = {t: _hull(widest[t], band(logs[ground][t])) for t in TIMES}
        bands[ground] = widest
    return bands


def _hull(a: Band, b: Band) -> Band:
    return min(a[0], b[0]), max(a[1], b[1])


def fitted(table: Table, left_out: Mapping[str, Mapping[str, Floats]]) -> dict[str, Any]:
    """The whole content of the file."""
    models = multipliers(table)
    counts = Counter(scope for row in table.rows for scope in (*_scopes(row), row.group.architecture))
    return {
        "note": NOTE,
        "architectures": ARCHITECTURES,
        "bands": bands_of(table, models, left_out),
        "rows": dict(sorted(counts.items())),
        "stacks": {scope: [s.engine, s.version] for scope, s in sorted(fastest_stacks(table, models["tpot"]).items())},
        **{time: {"base": list(m.base), "effects": dict(sorted(m.effects.items()))} for time, m in models.items()},
    }


def multipliers(table: Table) -> dict[str, TimeModel]:
    """Both times, fitted on every row of an undisturbed run."""
    every = np.ones(len(table.rows), dtype=bool)
    return {time: table.fit(time, every) for time in TIMES}


def _scopes(row: Row) -> tuple[str, ...]:
    g = row.group
    return f"{g.network}|{g.gpu}|{g.precision}", f"{g.network}|{g.gpu}", g.network, g.gpu


def fastest_stacks(table: Table, tpot: TimeModel) -> dict[str, Stack]:
    """Within each scope the measured engine and version with the lowest modelled TPOT over all points of the scope."""
    scopes: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(table.rows):
        for scope in _scopes(row):
            scopes[scope].append(i)
    return {scope: _fastest(table, tpot, at) for scope, at in scopes.items()}


def _fastest(table: Table, tpot: TimeModel, at: list[int]) -> Stack:
    counts = Counter(table.rows[i].group.stack for i in at)
    ample = [stack for stack, n in counts.items() if n >= LEAST_STACK_ROWS] or list(counts)

    def slowness(stack: Stack) -> tuple[float, str, str]:
        groups = [replace(table.rows[i].group, stack=stack, parallel_attention=False) for i in at]
        logs = np.log(predict(tpot, table.terms["tpot"][at], groups))
        return round(float(logs.mean()), 6), stack.engine, stack.version

    return min(ample, key=slowness)


def write(content: Mapping[str, Any]) -> None:
    """Writes the file, one group a line."""
    lines = ["{"]
    for key, value in content.items():
        comma = "," if key != list(content)[-1] else ""
        lines.append(f'"{key}": {_block(value)}{comma}')
    (shared_directory("models") / "speed.json").write_text("\n".join(lines) + "\n}\n", encoding="utf-8")


def _block(value: Any) -> str:
    if not isinstance(value, dict):
        return json.dumps(value)
    inner = [f'  "{k}": {_block(v) if k == "effects" else json.dumps(v)}' for k, v in value.items()]
    return "{\n" + ",\n".join(inner) + "\n}"
