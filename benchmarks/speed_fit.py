"""Fits the multipliers of the speed model: robust, hierarchical, physical terms only.

The logarithm of a time is log sum_k exp(b_k + sum_g d_gk) f_k + sum_g d_g0, errors are Student-t with 3 degrees of freedom
(runs with a fault in them exist), and every effect d of a group has a normal prior around zero: groups with few rows lean
on those above them. Solved by Levenberg-Marquardt on reweighted least squares; deterministic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from benchmarks.speed_rows import Floats
from optimizer.speed.coefficients import Group, TimeModel, levels

FREEDOM = 3.0
BASE = (0.5, 1.5)  # prior of each term's multiplier: median, and standard deviation of its logarithm

PRIOR: Mapping[str, tuple[float, float]] = {
    "kind": (1.0, 1.0), "engine": (0.2, 0.3), "architecture": (0.1, 0.2), "gpu": (0.05, 0.1), "format": (0.2, 0.3),
    "network": (0.3, 0.5), "network-engine": (0.2, 0.4), "network-version": (0.2, 0.3), "attention": (0.2, 0.4),
    "pair": (0.05, 0.15), "pair-format": (0.1, 0.2), "pair-engine": (0.1, 0.2), "pair-version": (0.1, 0.2),
}  # fmt: skip
"""Standard deviation of a group's effects by level: of its scale, and of its shift of each term (in logarithms)."""


@dataclass(frozen=True)
class Design:
    """Which effects act on which row."""

    terms: Floats  # rows x terms
    log_time: Floats
    group: NDArray[np.int64]  # rows x levels
    names: tuple[str, ...]
    precision: Floats  # of the prior of each unknown
    centre: Floats
    noise: float

    def log_model(self, unknown: Floats) -> tuple[Floats, Floats]:
        """Log of the modelled time, and each term's share of it."""
        k = self.terms.shape[1]
        effects = unknown[k:].reshape(-1, k + 1)[self.group].sum(axis=1)
        parts = self.terms * np.exp(unknown[:k] + effects[:, 1:])
        total = parts.sum(axis=1)
        return np.log(total) + effects[:, 0], parts / total[:, None]

    def loss(self, unknown: Floats, log_model: Floats) -> float:
        """Negative log posterior."""
        z = (self.log_time - log_model) / self.noise
        fit = (FREEDOM + 1) / 2 * np.log1p(z * z / FREEDOM).sum()
        return float(fit + 0.5 * (self.precision * (unknown - self.centre) ** 2).sum())

    def jacobian(self, shares: Floats) -> csr_matrix:
        """Derivative of the log of the modelled time by every unknown."""
        rows, k = shares.shape
        starts = k + self.group * (k + 1)
        columns = [np.broadcast_to(np.arange(k), (rows, k))]
        columns += [starts[:, level, None] + np.arange(k + 1) for level in range(starts.shape[1])]
        effect = np.hstack([np.ones((rows, 1)), shares])
        values = np.hstack([shares] + [effect] * starts.shape[1])
        pointers = np.arange(rows + 1) * values.shape[1]
        shape = (rows, len(self.centre))
        return csr_matrix((values.ravel(), np.hstack(columns).ravel(), pointers), shape=shape)


def fit_time(
    terms: Sequence[Sequence[float]], times: Sequence[float], groups: Sequence[Group], noise: float
) -> TimeModel:
    """The multipliers that explain measured times, most probable under the priors."""
    design = _design(np.array(terms), np.log(np.array(times)), groups, noise)
    unknown = _solve(design)
    k = design.terms.shape[1]
    effects = unknown[k:].reshape(-1, k + 1).round(4).tolist()
    return TimeModel(
        tuple(unknown[:k].round(4).tolist()), {n: tuple(e) for n, e in zip(design.names, effects, strict=True)}
    )


def predict(model: TimeModel, terms: Sequence[Sequence[float]], groups: Sequence[Group]) -> Floats:
    """Modelled times in ms."""
    known = {group: np.array(model.multipliers(group)) for group in set(groups)}
    return np.array([known[group] @ np.array(t) for group, t in zip(groups, terms, strict=True)])


def _design(terms: Floats, log_time: Floats, groups: Sequence[Group], noise: float) -> Design:
    code: dict[str, int] = {}
    group = np.array([[code.setdefault(name, len(code)) for name in levels(g)] for g in groups])
    k = terms.shape[1]
    median, spread = BASE
    precision, centre = [np.full(k, spread**-2)], [np.full(k, np.log(median))]
    for name in code:
        scale, shift = PRIOR[name.partition(":")[0]]
        precision.append(np.array([scale**-2] + [shift**-2] * k))
        centre.append(np.zeros(k + 1))
    return Design(terms, log_time, group, tuple(code), np.concatenate(precision), np.concatenate(centre), noise)


def _solve(design: Design, iterations: int = 30) -> Floats:
    unknown = design.centre.copy()
    log_model, shares = design.log_model(unknown)
    loss, damping = design.loss(unknown, log_model), 1e-2
    for _ in range(iterations):
        residual = design.log_time - log_model
        weight = (FREEDOM + 1) / (FREEDOM + (residual / design.noise) ** 2) / design.noise**2
        jacobian = design.jacobian(shares)
        normal = (jacobian.multiply(weight[:, None]).T @ jacobian).toarray()
        gradient = jacobian.T @ (weight * residual) - design.precision * (unknown - design.centre)
        for _ in range(8):
            diagonal = design.precision + damping * (normal.diagonal() + design.precision)
            step = np.clip(cho_solve(cho_factor(normal + np.diag(diagonal)), gradient), -1, 1)
            log_model, shares = design.log_model(unknown + step)
            new = design.loss(unknown + step, log_model)
            if new <= loss:
                break
            damping *= 5
        else:
            return unknown
        unknown, gain, loss, damping = unknown + step, loss - new, new, max(damping / 5, 1e-4)
        if gain < 1e-4 * abs(loss):
            break
    return unknown
