"""The censored likelihood of accelerated failure time models, its gradient and its information: plain NumPy.

log T = eta + sigma e with eta = offset + x beta and e of a standard distribution: the smallest extreme value (Weibull,
and exponential with sigma = 1), normal or logistic. With z = (log t - eta) / sigma, a row that has its event in
(t1, t2] adds log P, P = S(z1) - S(z2); an exact row adds log f(z) - log sigma - log t; delayed entry takes log S(z) at
the entry off again. Let g_k be the derivative of the row's logarithm by z_k and q_k = f'(z_k) / P with its sign, so
that its second derivatives are diag(q) - g g'. All that is needed are the sums

    G0 = sum g_k,  G1 = sum g_k z_k,  A = sum q_k - G0^2,  B = sum q_k z_k - G0 G1,  C = sum q_k z_k^2 - G1^2

because by eta and s = log sigma the derivatives are -G0 / sigma, -G1, and A / sigma^2, (G0 + B) / sigma, G1 + C. Formed
this way, differences of f over a narrow interval cancel once and not twice.

Reference: Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data, 2nd ed. 2002, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from riskset.errors import EngineError, did_you_mean
from riskset.survival._special import log_normal_cdf, normal_quantile
from riskset.survival._types import BoolArray, FloatArray, IntArray

Distribution = Literal["weibull", "exponential", "lognormal", "loglogistic"]


def check_distribution(name: str) -> None:
    """Refuse a distribution that is not known."""
    known = get_args(Distribution)
    if name not in known:
        raise EngineError(f"distribution '{name}' is unknown{did_you_mean(name, known)}")


def log_density(distribution: Distribution, z: FloatArray) -> FloatArray:
    """Give log f(z) of the standardised log time."""
    if distribution == "lognormal":
        return np.asarray(-0.5 * z * z - 0.5 * np.log(2.0 * np.pi))
    if distribution == "loglogistic":
        return np.asarray(-np.abs(z) - 2.0 * np.log1p(np.exp(-np.abs(z))))
    return np.asarray(z - np.exp(z))


def log_survival(distribution: Distribution, z: FloatArray) -> FloatArray:
    """Give log P(e > z)."""
    if distribution == "lognormal":
        return log_normal_cdf(-z)
    if distribution == "loglogistic":
        return np.asarray(-np.logaddexp(0.0, z))
    return np.asarray(-np.exp(z))


def _log_cdf(distribution: Distribution, z: FloatArray) -> FloatArray:
    if distribution == "lognormal":
        return log_normal_cdf(z)
    if distribution == "loglogistic":
        return np.asarray(-np.logaddexp(0.0, -z))
    return np.asarray(np.log(-np.expm1(-np.exp(z))))


def _density_slopes(distribution: Distribution, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the first and second derivative of log f(z)."""
    if distribution == "lognormal":
        return -z, np.full(z.shape, -1.0)
    if distribution == "loglogistic":
        half = np.tanh(0.5 * z)
        return -half, np.asarray(-0.5 * (1.0 - half * half))
    rise = np.exp(z)
    return 1.0 - rise, -rise


def standard_quantile(distribution: Distribution, probability: float) -> float:
    """Give the z with P(e <= z) = `probability`, 0 < probability < 1."""
    if distribution == "lognormal":
        return normal_quantile(probability)
    if distribution == "loglogistic":
        return float(np.log(probability) - np.log1p(-probability))
    return float(np.log(-np.log1p(-probability)))


class RowTerms(NamedTuple):
    """Each row's log-likelihood and its derivatives by eta and s = log sigma; all of shape (n,)."""

    log_likelihood: FloatArray
    eta: FloatArray
    s: FloatArray
    eta_eta: FloatArray
    eta_s: FloatArray
    s_s: FloatArray


def _derivatives(
    value: FloatArray, g: list[FloatArray], q: list[FloatArray], z: list[FloatArray], sigma: FloatArray
) -> RowTerms:
    pairs = list(zip(g, q, z, strict=True))
    g0: FloatArray = sum((a for a, _, _ in pairs), np.zeros(1))
    g1: FloatArray = sum((a * c for a, _, c in pairs), np.zeros(1))
    a = sum((b for _, b, _ in pairs), np.zeros(1)) - g0 * g0
    b = sum((b * c for _, b, c in pairs), np.zeros(1)) - g0 * g1
    c = sum((b * c * c for _, b, c in pairs), np.zeros(1)) - g1 * g1
    return RowTerms(value, -g0 / sigma, -g1, a / sigma**2, (g0 + b) / sigma, g1 + c)


def _exact_terms(distribution: Distribution, time: FloatArray, z: FloatArray, sigma: FloatArray) -> RowTerms:
    slope, bend = _density_slopes(distribution, z)
    value = log_density(distribution, z) - np.log(sigma) - time
    terms = _derivatives(value, [slope], [bend + slope * slope], [z], sigma)
    return terms._replace(s=terms.s - 1.0)


def _censored_terms(distribution: Distribution, z: FloatArray, sigma: FloatArray) -> RowTerms:
    value = log_survival(distribution, z)
    hazard = np.exp(log_density(distribution, z) - value)
    return _derivatives(value, [-hazard], [-hazard * _density_slopes(distribution, z)[0]], [z], sigma)


def _between_terms(distribution: Distribution, low: FloatArray, high: FloatArray, sigma: FloatArray) -> RowTerms:
    """Give the terms of rows in (low, high], `low` -inf where the row is left-censored."""
    # Take the difference in the tail that is nearer, where the two probabilities are not both next to 1.
    upper = low > 0
    near = np.where(upper, log_survival(distribution, low), _log_cdf(distribution, high))
    far = np.where(upper, log_survival(distribution, high), _log_cdf(distribution, low))
    value = near + np.log(-np.expm1(far - near))
    g, q, ends = [], [], []
    for end, sign in ((low, -1.0), (high, 1.0)):
        inside = np.isfinite(end)
        z = np.where(inside, end, 0.0)
        ratio = np.where(inside, sign * np.exp(log_density(distribution, z) - value), 0.0)
        g.append(ratio)
        q.append(ratio * _density_slopes(distribution, z)[0])
        ends.append(z)
    return _derivatives(value, g, q, ends, sigma)


@dataclass(frozen=True, slots=True, eq=False)
class AftDesign:
    """Rows sorted by kind (`rows`: their places before): exact, then right-censored, then the others.

    Attributes
    ----------
    x : array of shape (n, 1 + p)
        Ones, then the columns minus `centre` (p,) and divided by `scale` (p,).
    low, high : arrays of shape (n,), logarithms of the ends; `low` is the time of exact and right-censored rows
    exact, censored : numbers of rows of these two kinds
    late, entry : rows with delayed entry, and the logarithm of their entry
    weight, offset, stratum : arrays of shape (n,)
    strata : number of strata, each with its own scale; 0 where sigma is 1
    """

    distribution: Distribution
    rows: IntArray
    x: FloatArray
    centre: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray
    exact: int
    censored: int
    late: IntArray
    entry: FloatArray
    weight: FloatArray
    offset: FloatArray
    stratum: IntArray
    strata: int

    def keep(self, columns: BoolArray) -> AftDesign:
        """Give the design of the intercept and the columns that the mask `columns` (p,) keeps."""
        if columns.all():
            return self
        both = np.concatenate(([True], columns))
        return replace(self, x=self.x[:, both], centre=self.centre[columns], scale=self.scale[columns])

    def terms(self, theta: FloatArray) -> RowTerms:
        """Give each row's terms at `theta`: intercept, coefficients of the scaled columns, log scales."""
        k = self.x.shape[1]
        eta = self.x @ theta[:k] + self.offset
        sigma = np.exp(theta[k:])[self.stratum] if self.strata else np.ones(eta.shape[0])
        low, high = (self.low - eta) / sigma, (self.high - eta) / sigma
        a, b = self.exact, self.exact + self.censored
        parts = (
            _exact_terms(self.distribution, self.low[:a], low[:a], sigma[:a]),
            _censored_terms(self.distribution, low[a:b], sigma[a:b]),
            _between_terms(self.distribution, low[b:], high[b:], sigma[b:]),
        )
        every = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
        if self.late.size:
            start, spread = (self.entry - eta[self.late]) / sigma[self.late], sigma[self.late]
            for column, taken in zip(every, _censored_terms(self.distribution, start, spread), strict=True):
                column[self.late] -= taken
        return RowTerms(*every)

    def scores(self, terms: RowTerms) -> FloatArray:
        """Give each row's score, shape (n, 1 + p + strata), without its weight."""
        scores = np.zeros((self.x.shape[0], self.x.shape[1] + self.strata))
        scores[:, : self.x.shape[1]] = self.x * terms.eta[:, None]
        if self.strata:
            scores[np.arange(self.x.shape[0]), self.x.shape[1] + self.stratum] = terms.s
        return scores


@dataclass(frozen=True, slots=True, eq=False)
class AftState:
    """The likelihood at one parameter vector `theta` (k,): its value, gradient (k,) and information (k, k)."""

    theta: FloatArray
    log_likelihood: float
    gradient: FloatArray
    information: FloatArray


def evaluate(design: AftDesign, theta: FloatArray) -> AftState:
    """Evaluate log-likelihood, gradient and observed information at `theta` (scaled columns, log scales).

    Not finite where a step has gone so far that a row's likelihood underflows.
    """
    with np.errstate(all="ignore"):
        return _evaluate(design, theta)


def _evaluate(design: AftDesign, theta: FloatArray) -> AftState:
    terms, w, k = design.terms(theta), design.weight, design.x.shape[1]
    size = k + design.strata
    gradient, information = np.empty(size), np.zeros((size, size))
    gradient[:k] = design.x.T @ (w * terms.eta)
    information[:k, :k] = -design.x.T @ ((w * terms.eta_eta)[:, None] * design.x)
    if design.strata:
        gradient[k:] = np.bincount(design.stratum, w * terms.s, design.strata)
        cross = (w * terms.eta_s)[:, None] * design.x
        for j in range(k):
            information[j, k:] = -np.bincount(design.stratum, cross[:, j], design.strata)
        information[k:, :k] = information[:k, k:].T
        information[k:, k:] = -np.diag(np.bincount(design.stratum, w * terms.s_s, design.strata))
    return AftState(theta, float(w @ terms.log_likelihood), gradient, information)
