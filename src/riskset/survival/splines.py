"""Restricted cubic splines: a numeric covariate whose effect may bend, and is straight beyond the outer knots."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._types import FloatArray
from riskset.survival.surv import numbers

_FEWEST, _MOST = 3, 7
# A value at an end of x that this share of the rows have is a clump: quantiles there would all fall on it.
_CLUMP = 0.05
# In samples smaller than this the outer knots are the fifth smallest and the fifth largest value.
_SMALL_SAMPLE, _FIFTH = 100, 5


def restricted_cubic_spline(x: ArrayLike, knots: ArrayLike) -> FloatArray:
    """Give the columns of a restricted cubic spline, to be used as covariates in place of `x`.

    Parameters
    ----------
    x : array of shape (n,), in any unit
    knots : array of shape (k,), at least 3 rising numbers in the unit of `x`
        Choose them before seeing the outcome: `default_knots`, or values that mean something.

    Returns
    -------
    array of shape (n, k - 1)
        The first column is `x` itself, the k - 2 others carry the bends; all are in the unit of `x`. A Wald test of
        the others tests that the effect is straight.

    Raises
    ------
    EngineError
        A missing or infinite number, `x` or `knots` that are not one-dimensional, fewer than 3 knots, knots that do not
        rise (two of them tied, for instance).

    Notes
    -----
    With knots t_1 < ... < t_k and (u)+ = max(u, 0), bend j is (x - t_j)+^3 - (x - t_{k-1})+^3 (t_k - t_j) /
    (t_k - t_{k-1}) + (x - t_k)+^3 (t_{k-1} - t_j) / (t_k - t_{k-1}), divided by (t_k - t_1)^2: R's
    `Hmisc::rcspline.eval(x, knots, inclx = TRUE, norm = 2)`.

    References
    ----------
    Harrell FE. Regression modeling strategies, 2nd ed. Springer, 2015, section 2.4.5. Stone CJ, Koo CY. Proc Stat Comp
    Sect ASA 1985: 45-48.

    Examples
    --------
    >>> from riskset.survival import restricted_cubic_spline
    >>> restricted_cubic_spline([40, 50, 60, 70, 80], [45, 60, 75]).round(3).tolist()
    [[40.0, 0.0], [50.0, 0.139], [60.0, 3.75], [70.0, 15.139], [80.0, 30.0]]
    """
    values, at = numbers(x, "x"), _rising(numbers(knots, "knots"))
    last, before = at[-1], at[-2]

    def cube(knot: float) -> FloatArray:
        return np.asarray(np.maximum(values - knot, 0.0) ** 3)

    columns = [values]
    for knot in at[:-2]:
        bend = cube(knot) - (cube(before) * (last - knot) - cube(last) * (before - knot)) / (last - before)
        columns.append(bend / (last - at[0]) ** 2)
    return np.column_stack(columns)


def default_knots(x: ArrayLike, k: int = 4) -> FloatArray:
    """Give `k` knots at Harrell's quantiles of `x`.

    Parameters
    ----------
    x : array of shape (n,)
    k : how many, 3 to 7
        3 to 5 are usual: 3 for a small sample, 4 in general, 5 for a large one.

    Returns
    -------
    array of shape (k,), rising, in the unit of `x`

    Raises
    ------
    EngineError
        A missing or infinite number, `k` outside 3 to 7, fewer than 6 rows, fewer than `k` + 3 distinct values, or
        quantiles of which two fall together (many rows share a value) or change places (few rows).

    Notes
    -----
    The outer quantiles are 0.10 and 0.90 with 3 knots, 0.05 and 0.95 with 4 to 6, 0.025 and 0.975 with 7; the others
    lie evenly between. Below 100 rows the outer knots are the fifth smallest and fifth largest value. Where 5 % of the
    rows or more share the smallest value (a marker below its limit of detection), and no value within is as frequent,
    the first knot is the next value above and the others are quantiles of what lies above that; likewise at the
    largest. So does R's `Hmisc::rcspline.eval(x, nk = k, knots.only = TRUE)`; where knots fall together it goes on with
    fewer, and where one passes another (the fifth smallest value of few rows and the next quantile) it sorts them; we
    refuse both.

    References
    ----------
    Harrell FE. Regression modeling strategies, 2nd ed. Springer, 2015, section 2.4.6.

    Examples
    --------
    >>> import numpy as np
    >>> from riskset.survival import default_knots
    >>> default_knots(np.arange(1, 202), 4).tolist()
    [11.0, 71.0, 131.0, 191.0]
    """
    values = np.sort(numbers(x, "x"))
    if not (_FEWEST <= k <= _MOST and int(k) == k):
        raise EngineError(
            f"a spline takes {_FEWEST} to {_MOST} knots by default; choose such a number or give the knots"
        )
    if values.shape[0] < 6:
        raise EngineError("x has fewer than 6 rows, too few to place knots by its quantiles; give the knots")
    if np.unique(values).shape[0] < k + 3:
        raise EngineError(f"x takes too few distinct values for {k} knots; take fewer knots, or x as categories")
    first, rest, last = _without_clumps(values)
    placed = np.concatenate((first, _quantiles(rest, k - len(first) - len(last), k, bool(first), bool(last)), last))
    if (np.diff(placed) <= 0).any():
        raise EngineError(f"some of the {k} knots of x fall together or change places; take fewer knots or give them")
    return placed


def _rising(knots: FloatArray) -> FloatArray:
    if knots.shape[0] < _FEWEST:
        raise EngineError(f"a restricted cubic spline needs {_FEWEST} knots or more; with fewer take x as it is")
    if (np.diff(knots) <= 0).any():
        raise EngineError(
            "the knots of a spline must rise, and no two may be the same; sort them and leave out the ties"
        )
    return knots


def _without_clumps(values: FloatArray) -> tuple[list[float], FloatArray, list[float]]:
    """Give the knots beside clumps at the ends of sorted `values`, and the values between those knots."""
    distinct, count = np.unique(values, return_counts=True)
    share = count / values.shape[0]
    if (share[1:-1] >= _CLUMP).any():
        return [], values, []
    first = [float(distinct[1])] if share[0] >= _CLUMP else []
    last = [float(distinct[-2])] if share[-1] >= _CLUMP else []
    inside = (values > first[0] if first else values == values) & (values < last[0] if last else values == values)
    return first, values[inside], last


def _quantiles(values: FloatArray, number: int, k: int, first_placed: bool, last_placed: bool) -> FloatArray:
    """Give `number` quantiles of sorted `values`, evenly between the outer ones of a spline with `k` knots."""
    if number == 1:
        return np.array([np.median(values)])
    outer = 0.1 if k == 3 else 0.05 if k <= 6 else 0.025
    start = 0.5 if number == 2 else outer
    found = np.quantile(values, np.linspace(start, 1.0 - outer, number))
    if values.shape[0] < _SMALL_SAMPLE:
        if values.shape[0] < _FIFTH:
            raise EngineError("too few rows lie between the clumped ends of x to place knots; give the knots")
        if not first_placed:
            found[0] = values[_FIFTH - 1]
        if not last_placed:
            found[-1] = values[-_FIFTH]
    return found
