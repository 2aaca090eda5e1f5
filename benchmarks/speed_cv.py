"""Cross-validation of the speed model by whole curves, pairs, AI models, GPUs and architectures, never single rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed_fit import NOISE, fit_time, predict
from benchmarks.speed_rows import Floats, Row, curve, disturbed, hashed
from optimizer.speed.coefficients import Band, TimeModel
from optimizer.speed.step import peak_tflops

TIMES = ("tpot", "ttft")
Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """One way to leave rows out: a row is tested by a fit that saw no row `hidden` from it."""

    ground: str  # the band that its errors give
    says: str
    test: Callable[[Row], str]
    hidden: Callable[[Row, str], bool]


def _same(key: Callable[[Row], str]) -> Callable[[Row, str], bool]:
    return lambda row, fold: key(row) == fold


def _plain(ground: str, says: str, key: Callable[[Row], str]) -> Split:
    return Split(ground, says, key, _same(key))


_network = hashed(lambda row: row.group.network, 4)
SPLITS = (
    _plain("calibrated", "curve left out", hashed(curve, 5)),
    _plain("gpu and model known", "pair left out", hashed(lambda row: f"{row.group.network}|{row.group.gpu}", 6)),
    _plain("gpu known", "AI model left out", lambda row: row.group.network),
    _plain("architecture known", "GPU left out", lambda row: row.group.gpu),
    Split(
        "no measurement",
        "architecture and AI model left out",
        lambda row: f"{row.group.architecture}|{_network(row)}",
        lambda row, fold: row.group.architecture == fold.split("|")[0] or _network(row) == fold.split("|")[1],
    ),
)


@dataclass(frozen=True)
class Table:
    """Rows with their terms and times as arrays; rows of disturbed runs are tested but never fitted."""

    rows: Sequence[Row]
    terms: Mapping[str, Floats]
    times: Mapping[str, Floats]
    fitted: Chosen

    def fit(self, time: str, chosen: Chosen) -> TimeModel:
        """The fit of one time on the chosen rows."""
        at = np.flatnonzero(chosen & self.fitted).tolist()
        return fit_time(self.terms[time][at], self.times[time][at], [self.rows[i].group for i in at], NOISE[time])

    def left_out(self, split: Split) -> dict[str, Floats]:
        """Predictions of every row by the fit that did not see it."""
        fold = np.array([split.test(row) for row in self.rows])
        out = {time: np.zeros(len(fold)) for time in TIMES}
        for name in sorted(set(fold)):
            seen = np.array([not split.hidden(row, name) for row in self.rows])
            at = np.flatnonzero(fold == name).tolist()
            groups = [self.rows[i].group for i in at]
            for time in TIMES:
                out[time][at] = predict(self.fit(time, seen), self.terms[time][at], groups)
        return out

    def labels(self, key: Callable[[Row], str]) -> NDArray[np.str_]:
        """One label a row."""
        return np.array([key(row) for row in self.rows])


def table_of(rows: Sequence[Row]) -> Table:
    """Arrays of rows."""
    terms = {"tpot": np.array([r.tpot_terms for r in rows]), "ttft": np.array([r.ttft_terms for r in rows])}
    times = {time: np.array([getattr(r.measured, f"{time}_ms") for r in rows]) for time in TIMES}
    odd = disturbed(rows)
    return Table(rows, terms, times, np.array([r.measured.id not in odd for r in rows]))


def rate(rows: Sequence[Row], times: Mapping[str, Floats]) -> Floats:
    """Output tokens a second of each row's replica, always full."""
    out, batch = np.array([(r.point.tokens_out, r.point.concurrency) for r in rows]).T
    seconds = (times["ttft"] + (out - 1) * times["tpot"]) / 1000
    return np.asarray(batch * out / seconds)


def roofline(row: Row) -> float:
    """TPOT of the plain roofline: the larger of bytes at 0.8 bandwidth and FLOPs at 0.5 peak, and 0.02 ms a layer."""
    p = row.point
    weights, cache = row.tpot_terms[:2]
    flops = 2 * p.model.active_params_b * p.concurrency / (p.gpus * peak_tflops(p.gpu, p.precision))
    return max((weights + cache) / 0.8, flops / 0.5) + 0.02 * p.model.layers


def band(log_errors: Floats) -> Band:
    """Factors that hold nine truths in ten, from logs of truth over prediction."""
    n = len(log_errors)
    low, high = np.quantile(log_errors, (max(0.0, 0.05 - 0.5 / n), min(1.0, 0.95 + 0.5 / n)))
    return round(float(np.exp(min(low, 0.0))), 3), round(float(np.exp(max(high, 0.0))), 3)


def coverage(log_errors: Floats, fold: NDArray[np.str_]) -> tuple[float, float]:
    """Share of truths inside, and median width (each way), of bands that each come from the other folds alone."""
    inside, width = np.zeros(len(fold)), np.zeros(len(fold))
    for name in set(fold):
        at = fold == name
        low, high = band(log_errors[~at] if (~at).any() else log_errors)
        inside[at] = (np.log(low) <= log_errors[at]) & (log_errors[at] <= np.log(high))
        width[at] = (high - low) / 2
    return float(inside.mean()), float(np.median(width))
