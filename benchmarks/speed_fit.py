"""Fits the multipliers of the speed model: robust, hierarchical, physical terms only.

The logarithm of a time is log sum_k exp(b_k + sum_g d_gk) f_k + sum_g d_g0. Errors are Student-t with 3 degrees of
freedom, because faulty runs exist. Every effect d of a group has a normal prior around zero, so that groups with few
rows lean on those above. Solved by Gauss-Newton on reweighted least squares in units of the priors' spread, without
chance: the same rows give the same file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import lsmr

from benchmarks.speed_rows import Floats
from optimizer.speed.coefficients import Group, TimeModel, levels

FREEDOM = 3.0
TOLERANCE = 1e-4
NOISE = {"tpot": 0.12, "ttft": 0.4}
"""Spread of the logarithm within a group; above the residuals' own, because rows of one curve err together."""

BASE = (0.5, 1.5)  # prior of each term's multiplier: median, and standard deviation of its logarithm

PRIOR: Mapping[str, tuple[float, float]] = {
    "kind": (0.5, 0.5), "engine": (0.2, 0.3), "architecture": (0.05, 0.1), "gpu": (0.05, 0.1), "format": (0.1, 0.2),
    "network": (0.3, 0.5), "network-engine": (0.2, 0.4), "network-version": (0.2, 0.3), "attention": (0.2, 0.4),
    "pair": (0.05, 0.15), "pair-format": (0.1, 0.2), "pair-engine": (0.1, 0.2), "pair-version": (0.1, 0.2),
}  # fmt: skip
"""Standard deviation of a group's effects by level: of its scale, and of its shift of each term (in logarithms)."""


@dataclass(frozen=True)
class Design:
    """Which effects act on which row; unknowns count in standard deviations of their prior, from its centre."""

    terms: Floats  # rows x terms
    log_time: Floats
    group: NDArray[np.int64]  # rows x levels
    names: tuple[str, ...]
    spread: Floats
    centre: Floats
    noise: float

    def log_model(self, unknown: Floats) -> tuple[Floats, Floats]:
        """Log of the modelled time, and each term's share of it."""
        k = self.terms.shape[1]
        logs = self.centre + self.spread * unknown
        effects = logs[k:].reshape(-1, k + 1)[self.group].sum(axis=1)
        parts = self.terms * np.exp(logs[:k] + effects[:, 1:])
        total = parts.sum(axis=1)
        return np.log(total) + effects[:, 0], parts / total[:, None]

    def loss(self, unknown: Floats, log_model: Floats) -> float:
        """Negative log posterior."""
        z = (self.log_time - log_model) / self.noise
        return float((FREEDOM + 1) / 2 * np.log1p(z * z / FREEDOM).sum() + 0.5 * unknown @ unknown)

    def jacobian(self, shares: Floats, row_scale: Floats) -> csr_matrix:
        """Derivative of the scaled log of the modelled time by every unknown."""
        rows, k = shares.shape
        starts = k + self.group * (k + 1)
        columns = [np.broadcast_to(np.arange(k), (rows, k))]
        columns += [start[:, None] + np.arange(k + 1) for start in starts.T]
        at = np.hstack(columns)
        effect = np.hstack([np.ones((rows, 1)), shares])
        values = np.hstack([shares] + [effect] * starts.shape[1]) * self.spread[at] * row_scale[:, None]
        pointers = np.arange(rows + 1) * at.shape[1]
        return csr_matrix((values.ravel(), at.ravel(), pointers), shape=(rows, len(self.centre)))


def fit_time(terms: Floats, times: Floats, groups: Sequence[Group], noise: float) -> TimeModel:
    """The multipliers that explain measured times, most probable under the priors."""
    design = _design(terms, np.log(times), groups, noise)
    logs = design.centre + design.spread * _solve(design)
    k = terms.shape[1]
    effects = {
        name: tuple(effect)
        for name, effect in zip(design.names, logs[k:].reshape(-1, k + 1).round(3).tolist(), strict=True)
        if any(effect)
    }
    return TimeModel(tuple(logs[:k].round(3).tolist()), effects)


def predict(model: TimeModel, terms: Floats, groups: Sequence[Group]) -> Floats:
    """Modelled times in ms."""
    known = {group: np.array(model.multipliers(group)) for group in set(groups)}
    return np.array([known[group] @ row for group, row in zip(groups, terms, strict=True)])


def _design(terms: Floats, log_time: Floats, groups: Sequence[Group], noise: float) -> Design:
    code: dict[str, int] = {}
    group = np.array([[code.setdefault(name, len(code)) for name in levels(g)] for g in groups])
    k = terms.shape[1]
    median, base_spread = BASE
    spread = [np.full(k, base_spread)]
    for name in code:
        scale, shift = PRIOR[name.partition(":")[0]]
        spread.append(np.array([scale] + [shift] * k))
    centre = np.concatenate([np.full(k, np.log(median)), np.zeros(len(code) * (k + 1))])
    return Design(terms, log_time, group, tuple(code), np.concatenate(spread), centre, noise)


def _solve(design: Design, rounds: int = 40) -> Floats:
    unknown = np.zeros_like(design.centre)
    log_model, shares = design.log_model(unknown)
    loss = design.loss(unknown, log_model)
    for _ in range(rounds):
        residual = design.log_time - log_model
        weight = np.sqrt((FREEDOM + 1) / (FREEDOM + (residual / design.noise) ** 2)) / design.noise
        jacobian = design.jacobian(shares, weight)
        target = weight * residual + jacobian @ unknown
        step = lsmr(jacobian, target, damp=1.0, atol=1e-6, btol=1e-6, maxiter=300)[0] - unknown
        length = 1.0
        while length > 1e-3:
            log_model, shares = design.log_model(unknown + length * step)
            new = design.loss(unknown + length * step, log_model)
            if new < loss:
                break
            length /= 2
        else:
            return unknown
        unknown, gain, loss = unknown + length * step, loss - new, new
        if gain < TOLERANCE * abs(loss):
            break
    return unknown
