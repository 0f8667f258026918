"""Comparisons and descriptions of continuous values.

Every function takes values without holes: missing ones are the caller's to count and leave out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskset.errors import EngineError
from riskset.inference._checks import check_level, finite_vector
from riskset.inference._normal import chi_square_p, normal_p, t_p, t_quantile
from riskset.inference.values import NAN, HypothesisTest, Interval, no_interval, no_test

FloatArray = NDArray[np.float64]


def mean_difference(x1: ArrayLike, x0: ArrayLike, level: float = 0.95) -> Interval:
    """Difference of means, group 1 minus group 0, with Welch's t interval, in the unit of the values.

    Needs two values in each group and a variance above 0 in one of them; else the limits are NaN.

    References
    ----------
    Welch BL. Biometrika 1947;34:28-35. R: `t.test(x1, x0)$conf.int`.
    """
    one, zero = finite_vector("Group 1", x1), finite_vector("Group 0", x0)
    level = check_level(level)
    if one.size == 0 or zero.size == 0:
        return no_interval(level, "A group holds no value.")
    difference = float(one.mean() - zero.mean())
    error, df = _welch(one, zero)
    if not error > 0.0:
        return no_interval(level, _welch_trouble(one, zero), difference)
    half = t_quantile((1.0 + level) / 2.0, df) * error
    return Interval(difference, difference - half, difference + half, level)


def welch_t(x1: ArrayLike, x0: ArrayLike) -> HypothesisTest:
    """Welch's t test of equal means, variances free to differ; `df` by Satterthwaite.

    Needs two values in each group and a variance above 0 in one of them.

    Parameters
    ----------
    x1, x0 : array_like, one-dimensional
        Values of group 1 and of the reference group 0.

    Returns
    -------
    HypothesisTest
        `statistic` is t of group 1 minus group 0.

    References
    ----------
    Welch BL. Biometrika 1947;34:28-35. R: `t.test(x1, x0)`.
    """
    one, zero = finite_vector("Group 1", x1), finite_vector("Group 0", x0)
    error, df = _welch(one, zero)
    if not error > 0.0:
        return no_test("welch_t", _welch_trouble(one, zero))
    t = float(one.mean() - zero.mean()) / error
    return HypothesisTest("welch_t", t, df, t_p(t, df))


def wilcoxon_rank_sum(x1: ArrayLike, x0: ArrayLike) -> HypothesisTest:
    """Wilcoxon rank-sum (Mann-Whitney) test, normal approximation with tie and continuity correction.

    W = rank sum of group 1 - n1 (n1 + 1) / 2; variance n1 n0 / 12 ((N + 1) - sum(t^3 - t) / (N (N - 1))).

    Parameters
    ----------
    x1, x0 : array_like, one-dimensional
        Values of group 1 and of the reference group 0.

    Returns
    -------
    HypothesisTest
        `statistic` is W.

    References
    ----------
    Mann HB, Whitney DR. Ann Math Stat 1947;18:50-60. R: `wilcox.test(x1, x0, exact = FALSE, correct = TRUE)`.
    """
    one, zero = finite_vector("Group 1", x1), finite_vector("Group 0", x0)
    n1, n0 = one.size, zero.size
    if n1 == 0 or n0 == 0:
        return no_test("wilcoxon_rank_sum", "A group holds no value.")
    ranks, ties = _ranks(np.concatenate([one, zero]))
    total = n1 + n0
    w = float(ranks[:n1].sum() - n1 * (n1 + 1) / 2.0)
    variance = n1 * n0 / 12.0 * ((total + 1.0) - _tie_sum(ties) / (total * (total - 1.0)))
    if not variance > 0.0:
        return no_test("wilcoxon_rank_sum", "All values are equal.")
    distance = w - n1 * n0 / 2.0
    # As in R, the half is taken off towards 0 even where that crosses it (W one half from its mean gives P 1).
    z = (distance - math.copysign(0.5, distance) if distance != 0.0 else 0.0) / math.sqrt(variance)
    return HypothesisTest("wilcoxon_rank_sum", w, NAN, normal_p(z))


def kruskal_wallis(groups: Sequence[ArrayLike]) -> HypothesisTest:
    """Kruskal-Wallis rank test of two or more groups, corrected for ties, against chi-square on k - 1 df.

    Groups without a value are left out, with a warning.

    References
    ----------
    Kruskal WH, Wallis WA. J Am Stat Assoc 1952;47:583-621. R: `kruskal.test(list(...))`.
    """
    arrays = [finite_vector(f"Group {i + 1}", values) for i, values in enumerate(groups)]
    filled = [a for a in arrays if a.size > 0]
    warning = None if len(filled) == len(arrays) else "Groups without a value were left out."
    if len(filled) < 2:
        return no_test("kruskal_wallis", "Fewer than two groups hold a value.")
    ranks, ties = _ranks(np.concatenate(filled))
    total = ranks.size
    correction = 1.0 - _tie_sum(ties) / (float(total) ** 3 - total)
    if not correction > 0.0:
        return no_test("kruskal_wallis", "All values are equal.")
    ends = np.cumsum([a.size for a in filled])[:-1]
    between = sum(float(part.sum()) ** 2 / part.size for part in np.split(ranks, ends))
    h = (12.0 * between / (total * (total + 1.0)) - 3.0 * (total + 1.0)) / correction
    df = len(filled) - 1
    return HypothesisTest("kruskal_wallis", h, float(df), chi_square_p(h, df), warning)


def quantiles(x: ArrayLike, probs: ArrayLike) -> FloatArray:
    """Sample quantiles, type 7 (linear between order statistics; the default of R, NumPy and Excel).

    Parameters
    ----------
    x : array_like, one-dimensional
        Values; none at all gives NaN for every probability.
    probs : array_like, shape (q,)
        Probabilities within [0, 1].

    Returns
    -------
    ndarray, shape (q,)
        In the unit of `x`.

    References
    ----------
    Hyndman RJ, Fan Y. Am Stat 1996;50:361-365. R: `quantile(x, probs, type = 7)`.
    """
    values, wanted = finite_vector("x", x), finite_vector("probs", probs)
    if np.any((wanted < 0.0) | (wanted > 1.0)):
        raise EngineError("Quantile probabilities must lie between 0 and 1.")
    if values.size == 0:
        return np.full(wanted.shape, NAN)
    result: FloatArray = np.asarray(np.quantile(values, wanted, method="linear"), dtype=np.float64)
    return result


def skewness(x: ArrayLike) -> float:
    """Adjusted skewness G1 = g1 sqrt(n (n - 1)) / (n - 2), g1 = m3 / m2^(3/2); as SAS, SPSS and Excel print it.

    NaN with fewer than three values or without any variance.

    References
    ----------
    Joanes DN, Gill CA. Statistician 1998;47:183-189. R: `e1071::skewness(x, type = 2)`.
    """
    values = finite_vector("x", x)
    n = values.size
    if n < 3 or np.all(values == values[0]):
        return NAN
    centred = values - values.mean()
    # Scaling first keeps the third power of large units (platelets, costs) representable.
    centred = centred / np.abs(centred).max()
    g1 = float((centred**3).mean()) / math.pow(float((centred**2).mean()), 1.5)
    return g1 * math.sqrt(n * (n - 1.0)) / (n - 2.0)


def _welch(one: FloatArray, zero: FloatArray) -> tuple[float, float]:
    """Standard error of the difference and Satterthwaite's degrees of freedom; NaN if either is undefined."""
    if one.size < 2 or zero.size < 2:
        return NAN, NAN
    v1, v0 = _variance(one) / one.size, _variance(zero) / zero.size
    if not v1 + v0 > 0.0:
        return NAN, NAN
    df = (v1 + v0) ** 2 / (v1**2 / (one.size - 1) + v0**2 / (zero.size - 1))
    return math.sqrt(v1 + v0), df


def _welch_trouble(one: FloatArray, zero: FloatArray) -> str:
    few = min(one.size, zero.size) < 2
    return "A group holds fewer than two values." if few else "No group has any variance."


def _variance(values: FloatArray) -> float:
    # Equal values can leave a variance of rounding size behind; it is zero.
    return 0.0 if np.all(values == values[0]) else float(values.var(ddof=1))


def _ranks(values: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mid-ranks from 1, and the size of every set of tied values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - (counts - 1) / 2.0
    return middle[inverse], counts


def _tie_sum(ties: NDArray[np.int64]) -> float:
    size = ties.astype(np.float64)
    return float((size**3 - size).sum())
