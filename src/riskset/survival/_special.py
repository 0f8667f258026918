"""Tails and quantiles of the normal and chi-square distributions.

The one place where the engine touches scipy, which loads at the first P value and not with `import riskset.survival`.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np

from riskset.survival._types import FloatArray


@cache
def _scipy_special() -> ModuleType:
    from scipy import special  # heavy: loads here alone, at the first P value or interval

    return special  # type: ignore[no-any-return]


@cache
def _scipy_linalg() -> ModuleType:
    from scipy import linalg  # heavy: loads here alone, for large systems that are banded

    return linalg  # type: ignore[no-any-return]


def normal_quantile(probability: float) -> float:
    """Give the standard normal quantile of `probability`, 0 < probability < 1."""
    return float(_scipy_special().ndtri(probability))


def normal_cdf(z: float) -> float:
    """Give P(Z <= z) for Z standard normal."""
    return float(_scipy_special().ndtr(z))


def interval_multiplier(conf_level: float) -> float:
    """Give the z by which a two-sided interval of level `conf_level` reaches out, 1.96 for 0.95."""
    return normal_quantile(0.5 + conf_level / 2.0)


def log_normal_cdf(z: FloatArray) -> FloatArray:
    """Give log P(Z <= z) for Z standard normal, accurate in relative terms far into both tails."""
    return np.asarray(_scipy_special().log_ndtr(z), dtype=np.float64)


def log_gamma(x: FloatArray) -> FloatArray:
    """Give the logarithm of the gamma function at `x` > 0."""
    return np.asarray(_scipy_special().gammaln(x), dtype=np.float64)


def digamma(x: FloatArray) -> FloatArray:
    """Give the derivative of the logarithm of the gamma function at `x` > 0."""
    return np.asarray(_scipy_special().digamma(x), dtype=np.float64)


def two_sided_p(z: FloatArray | float) -> FloatArray:
    """Give the two-sided normal P value of `z`, accurate in relative terms far into the tail; NaN stays NaN."""
    return np.asarray(2.0 * _scipy_special().ndtr(-np.abs(z)), dtype=np.float64)


def chi_square_p(chi_square: float, df: float) -> float:
    """Give P(X >= chi_square) for X chi-square on `df` degrees of freedom; NaN when `df` is 0 or the statistic NaN."""
    if df <= 0 or np.isnan(chi_square):
        return float("nan")
    return float(_scipy_special().chdtrc(df, max(chi_square, 0.0)))


def solve_tridiagonal(diagonal: FloatArray, beside: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a symmetric positive definite tridiagonal system: `diagonal` (m,), `beside` (m - 1,), `right` (m,)."""
    bands = np.vstack((diagonal, np.append(beside, 0.0)))
    return np.asarray(_scipy_linalg().solveh_banded(bands, right, lower=True, check_finite=False), dtype=np.float64)


def proportion_interval(successes: int, trials: int, conf_level: float) -> tuple[float, float]:
    """Give the exact (Clopper-Pearson) interval of a proportion from `successes` of `trials`, trials at least 1."""
    tail = (1.0 - conf_level) / 2.0
    inverse = _scipy_special().betaincinv
    low = 0.0 if successes == 0 else float(inverse(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(inverse(successes + 1, trials - successes, 1.0 - tail))
    return low, high


def normal_tail(z: FloatArray) -> FloatArray:
    """Give P(Z >= z) for Z standard normal, accurate in relative terms far into the tail."""
    return np.asarray(_scipy_special().ndtr(-z), dtype=np.float64)


def owens_t(h: float, a: FloatArray) -> FloatArray:
    """Give Owen's T: P(X > h and 0 < Y < a X) for independent standard normal X and Y."""
    return np.asarray(_scipy_special().owens_t(h, a), dtype=np.float64)
