"""Many tests at once: adjusted P values and the chance of a false alarm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskset.errors import EngineError
from riskset.inference._checks import check_share

FloatArray = NDArray[np.float64]


def holm(p_values: ArrayLike) -> FloatArray:
    """Holm's step-down adjusted P values: they keep the chance of any false positive at the level.

    Sorted upwards, the i-th of m becomes max over j <= i of min(1, (m - j + 1) p_j).

    Parameters
    ----------
    p_values : array_like, shape (m,)
        NaN (a test not computed) stays NaN and is not counted in m, as in R.

    References
    ----------
    Holm S. Scand J Stat 1979;6:65-70. R: `p.adjust(p, "holm")`.
    """
    p, known = _valid(p_values)
    m = int(known.sum())
    order = np.argsort(p[known], kind="stable")
    stepped = np.maximum.accumulate(p[known][order] * (m - np.arange(m)))
    return _back(p, known, order, stepped)


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """Benjamini-Hochberg adjusted P values: they keep the expected share of false discoveries at the level.

    Sorted upwards, the i-th of m becomes min over j >= i of min(1, m p_j / j). For independent or positively
    dependent tests.

    Parameters
    ----------
    p_values : array_like, shape (m,)
        NaN (a test not computed) stays NaN and is not counted in m, as in R.

    References
    ----------
    Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289-300. R: `p.adjust(p, "BH")`.
    """
    p, known = _valid(p_values)
    m = int(known.sum())
    order = np.argsort(p[known], kind="stable")
    scaled = p[known][order] * m / np.arange(1, m + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _back(p, known, order, stepped)


def false_positive_chance(k: int, alpha: float = 0.05) -> float:
    """Chance of at least one P below `alpha` among k independent tests of true null hypotheses: 1 - (1 - alpha)^k."""
    if k < 0 or int(k) != k:
        raise EngineError(f"The number of tests must be a whole number of 0 or more, not {k}.")
    return float(-np.expm1(k * np.log1p(-check_share("alpha", alpha))))


def _valid(p_values: ArrayLike) -> tuple[FloatArray, NDArray[np.bool_]]:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise EngineError(f"P values must be one-dimensional, not of shape {p.shape}.")
    known = ~np.isnan(p)
    if np.any((p[known] < 0.0) | (p[known] > 1.0)):
        raise EngineError("P values must lie between 0 and 1.")
    return p, known


def _back(p: FloatArray, known: NDArray[np.bool_], order: NDArray[np.intp], stepped: FloatArray) -> FloatArray:
    adjusted = np.empty(order.size)
    adjusted[order] = np.minimum(1.0, stepped)
    result = np.full(p.shape, np.nan)
    result[known] = adjusted
    return result
