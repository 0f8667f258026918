"""Cohen's kappa: agreement of two readings beyond chance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.inference._checks import check_level, count_table
from riskset.inference._normal import two_sided_z
from riskset.inference.values import Interval, no_interval


def cohens_kappa(table: ArrayLike, level: float = 0.95) -> Interval:
    """Cohen's unweighted kappa, (po - pe) / (1 - pe), with its large-sample interval.

    The standard error is the general one (not that under kappa = 0); limits are cut at -1 and 1. For few subjects or
    kappa near 1 the interval is only approximate.

    Parameters
    ----------
    table : array_like of whole counts, shape (k, k)
        Rows the first reading, columns the second, categories in the same order.
    level : float
        Two-sided confidence level.

    Returns
    -------
    Interval
        NaN with a warning if there is no subject or all of them share one category in both readings.

    References
    ----------
    Cohen J. Educ Psychol Meas 1960;20:37-46. Fleiss JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323-327.
    """
    counts = count_table(table)
    level = check_level(level)
    if counts.shape[0] != counts.shape[1]:
        raise EngineError(f"Agreement needs the same categories in rows and columns, not shape {counts.shape}.")
    total = int(counts.sum())
    if total == 0:
        return no_interval(level, "No subject was read twice.")
    p = counts / total
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    agreed, by_chance = float(np.trace(p)), float(rows @ columns)
    # Chance agreement is complete only if one category holds every reading.
    if np.count_nonzero(counts.sum(axis=1) + counts.sum(axis=0)) == 1:
        return no_interval(level, "All readings fall into one category.")
    kappa = (agreed - by_chance) / (1.0 - by_chance)
    # Fleiss, Cohen and Everitt 1969: every cell weighs with its own derivative of kappa.
    slope = -(1.0 - kappa) * (columns[:, None] + rows[None, :]) + np.eye(len(rows))
    variance = float((p * slope**2).sum()) - (kappa - by_chance * (1.0 - kappa)) ** 2
    error = math.sqrt(max(0.0, variance) / total) / (1.0 - by_chance)
    half = two_sided_z(level) * error
    return Interval(kappa, max(-1.0, kappa - half), min(1.0, kappa + half), level)
