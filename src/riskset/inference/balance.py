"""Standardised mean differences: how far two groups differ, in units of their common spread.

No sample size and no P value enters: balance belongs to the patients at hand, not to a population. An absolute
value below 0.1 is usually called balanced. Group 1 minus group 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.inference._checks import check_events, finite_vector
from riskset.inference.values import NAN

_EMPTY = "A group holds no patient."
_SEPARATE = "The groups differ without any spread: the standardised difference is not finite."


@dataclass(frozen=True, slots=True)
class StandardizedDifference:
    """A standardised mean difference; NaN with a `warning` where it is not finite or a group is empty."""

    value: float
    warning: str | None = None


def smd_continuous(x1: ArrayLike, x0: ArrayLike) -> StandardizedDifference:
    """Standardised difference of means, (m1 - m0) / sqrt((s1^2 + s0^2) / 2).

    Two groups that hold one and the same constant differ by 0; two different constants have no finite value.

    Parameters
    ----------
    x1, x0 : array_like, one-dimensional
        Values of group 1 and of group 0, without holes; at least two in each group.

    References
    ----------
    Austin PC. Stat Med 2009;28:3083-3107.
    """
    one, zero = finite_vector("Group 1", x1), finite_vector("Group 0", x0)
    if one.size < 2 or zero.size < 2:
        return StandardizedDifference(NAN, "A group holds fewer than two values.")
    if np.all(one == one[0]) and np.all(zero == zero[0]):
        same = bool(one[0] == zero[0])
        return StandardizedDifference(0.0) if same else StandardizedDifference(NAN, _SEPARATE)
    spread = math.sqrt((float(one.var(ddof=1)) + float(zero.var(ddof=1))) / 2.0)
    return StandardizedDifference(float(one.mean() - zero.mean()) / spread)


def smd_binary(e1: float, n1: float, e0: float, n0: float) -> StandardizedDifference:
    """Standardised difference of two proportions, (p1 - p0) / sqrt((p1 (1 - p1) + p0 (1 - p0)) / 2).

    Parameters
    ----------
    e1, n1, e0, n0 : whole numbers
        Patients with the property and all patients (missing ones left out), in group 1 and group 0.

    References
    ----------
    Austin PC. Commun Stat Simul Comput 2009;38:1228-1234.
    """
    e1, n1 = check_events(e1, n1, "group 1")
    e0, n0 = check_events(e0, n0, "group 0")
    if n1 == 0 or n0 == 0:
        return StandardizedDifference(NAN, _EMPTY)
    p1, p0 = e1 / n1, e0 / n0
    spread = math.sqrt((p1 * (1.0 - p1) + p0 * (1.0 - p0)) / 2.0)
    if spread == 0.0:
        return StandardizedDifference(0.0) if p1 == p0 else StandardizedDifference(NAN, _SEPARATE)
    return StandardizedDifference((p1 - p0) / spread)


def smd_categorical(counts1: ArrayLike, counts0: ArrayLike) -> StandardizedDifference:
    """Standardised difference of two multinomial distributions (Mahalanobis distance), never negative.

    With T and C the proportions of all categories but one and S the mean of both covariance matrices,
    sqrt((T - C)' S^-1 (T - C)). It does not depend on which category is left out; with two categories it equals
    the absolute value of `smd_binary`. Categories empty in both groups are ignored.

    Parameters
    ----------
    counts1, counts0 : array_like of whole counts, shape (k,)
        Patients of group 1 and of group 0 in the same k categories.

    References
    ----------
    Yang D, Dalton JE. SAS Global Forum 2012, paper 335.
    """
    one, zero = finite_vector("counts1", counts1), finite_vector("counts0", counts0)
    if one.shape != zero.shape:
        raise EngineError(f"Both groups need the same categories: {one.size} and {zero.size} were given.")
    if np.any(one < 0) or np.any(zero < 0):
        raise EngineError("Category counts must be 0 or more.")
    if one.sum() == 0 or zero.sum() == 0:
        return StandardizedDifference(NAN, _EMPTY)
    used = (one + zero) > 0
    p1, p0 = one[used] / one.sum(), zero[used] / zero.sum()
    # The mean covariance is singular exactly when no category holds patients of both groups.
    if not np.any((p1 > 0) & (p0 > 0)):
        return StandardizedDifference(NAN, _SEPARATE)
    if p1.size == 1:
        return StandardizedDifference(0.0)
    t, c = p1[1:], p0[1:]
    covariance = (np.diag(t) - np.outer(t, t) + np.diag(c) - np.outer(c, c)) / 2.0
    squared = float((t - c) @ np.linalg.solve(covariance, t - c))
    return StandardizedDifference(math.sqrt(max(0.0, squared)))
