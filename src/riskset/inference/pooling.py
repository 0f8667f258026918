"""Pooling estimates of several studies or centres by their standard errors.

Estimates must be on a scale where they are nearly normal (log hazard ratio, log odds ratio); results are on the same
scale, to be exponentiated by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskset.errors import EngineError
from riskset.inference._checks import check_level, finite_vector
from riskset.inference._normal import chi_square_p, normal_p, t_p, t_quantile, two_sided_z
from riskset.inference.values import NAN

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pooled:
    """A pooled estimate with its interval, and how much the k studies differ.

    `q`, `q_df`, `q_p_value`: Cochran's test of heterogeneity. `i_squared`: max(0, (Q - df) / Q), a fraction.
    `tau_squared`: variance between studies (0 in the fixed-effect method). `prediction_low`,
    `prediction_high`: where the true value of a further study is expected (NaN in the fixed-effect method and
    below three studies).
    """

    method: str
    k: int
    value: float
    low: float
    high: float
    standard_error: float
    p_value: float
    q: float
    q_df: int
    q_p_value: float
    i_squared: float
    tau_squared: float
    prediction_low: float = NAN
    prediction_high: float = NAN
    level: float = 0.95
    warning: str | None = None


def pool_fixed(estimates: ArrayLike, standard_errors: ArrayLike, level: float = 0.95) -> Pooled:
    """Inverse-variance fixed-effect (common-effect) mean, sum(w y) / sum(w) with w = 1 / se^2.

    Parameters
    ----------
    estimates, standard_errors : array_like, shape (k,)
        One of each a study, k >= 1; standard errors above 0.
    level : float
        Two-sided confidence level.

    References
    ----------
    R: `metafor::rma(yi, sei = se, method = "EE")`.
    """
    y, variance = _studies(estimates, standard_errors)
    level = check_level(level)
    spread = _heterogeneity(y, variance)
    error = math.sqrt(1.0 / float((1.0 / variance).sum()))
    half = two_sided_z(level) * error
    return Pooled(
        method="fixed",
        k=y.size,
        value=spread.fixed_mean,
        low=spread.fixed_mean - half,
        high=spread.fixed_mean + half,
        standard_error=error,
        p_value=normal_p(spread.fixed_mean / error),
        q=spread.q,
        q_df=spread.df,
        q_p_value=spread.p_value,
        i_squared=spread.i_squared,
        tau_squared=0.0,
        level=level,
    )


def pool_random(estimates: ArrayLike, standard_errors: ArrayLike, level: float = 0.95) -> Pooled:
    """Random-effects mean: tau^2 by REML, interval by Hartung, Knapp, Sidik and Jonkman.

    The standard error is sqrt(f / sum(w)) with w = 1 / (se^2 + tau^2) and
    f = max(1, sum(w (y - mean)^2) / (k - 1)): the factor is kept from falling below 1, where the interval would be
    narrower than without it. Interval and prediction interval, mean +- t sqrt(error^2 + tau^2), use t on
    k - 1 degrees of freedom. With fewer than five studies report the fixed-effect mean beside it.

    Parameters
    ----------
    estimates, standard_errors : array_like, shape (k,)
        One of each a study; standard errors above 0. One study alone gives no interval.
    level : float
        Two-sided confidence level, of the prediction interval too.

    References
    ----------
    Hartung J, Knapp G. Stat Med 2001;20:3875-3889. Sidik K, Jonkman JN. Stat Med 2002;21:3153-3159. Rover C, Knapp G,
    Friede T. BMC Med Res Methodol 2015;15:99. R: `metafor::rma(yi, sei = se, method = "REML", test = "adhoc")`.
    """
    y, variance = _studies(estimates, standard_errors)
    level = check_level(level)
    k, spread = y.size, _heterogeneity(y, variance)
    tau_squared = _reml(y, variance) if k > 1 else NAN
    weight = 1.0 / (variance + (tau_squared if k > 1 else 0.0))
    mean = float((weight * y).sum() / weight.sum())
    error = half = reach = NAN
    if k > 1:
        factor = max(1.0, float((weight * (y - mean) ** 2).sum()) / (k - 1))
        error = math.sqrt(factor / float(weight.sum()))
        t = t_quantile((1.0 + level) / 2.0, k - 1)
        half = t * error
        reach = t * math.sqrt(error**2 + tau_squared) if k > 2 else NAN
    return Pooled(
        method="random",
        k=k,
        value=mean,
        low=mean - half,
        high=mean + half,
        standard_error=error,
        p_value=t_p(mean / error, k - 1) if k > 1 else NAN,
        q=spread.q,
        q_df=spread.df,
        q_p_value=spread.p_value,
        i_squared=spread.i_squared,
        tau_squared=tau_squared,
        prediction_low=mean - reach,
        prediction_high=mean + reach,
        level=level,
        warning=None if k > 1 else "One study alone says nothing about the variance between studies.",
    )


def leave_one_out(
    estimates: ArrayLike,
    standard_errors: ArrayLike,
    level: float = 0.95,
    *,
    pool: Callable[[ArrayLike, ArrayLike, float], Pooled] = pool_random,
) -> tuple[Pooled, ...]:
    """Pool again without each study in turn; the i-th result lacks the i-th study. Needs two studies."""
    y, variance = _studies(estimates, standard_errors)
    if y.size < 2:
        raise EngineError("Leaving one study out needs at least two studies.")
    error = np.sqrt(variance)
    return tuple(pool(np.delete(y, i), np.delete(error, i), level) for i in range(y.size))


def _studies(estimates: ArrayLike, standard_errors: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, error = finite_vector("The estimates", estimates), finite_vector("The standard errors", standard_errors)
    if y.size != error.size:
        raise EngineError(f"{y.size} estimates need as many standard errors, not {error.size}.")
    if y.size == 0:
        raise EngineError("Pooling needs at least one study.")
    if np.any(error <= 0.0):
        raise EngineError("Every standard error must be above 0.")
    return y, error**2


@dataclass(frozen=True, slots=True)
class _Heterogeneity:
    fixed_mean: float
    q: float
    df: int
    p_value: float
    i_squared: float


def _heterogeneity(y: FloatArray, variance: FloatArray) -> _Heterogeneity:
    weight = 1.0 / variance
    mean = float((weight * y).sum() / weight.sum())
    df = y.size - 1
    if df == 0:
        return _Heterogeneity(mean, 0.0, 0, NAN, NAN)
    q = float((weight * (y - mean) ** 2).sum())
    return _Heterogeneity(mean, q, df, chi_square_p(q, df), max(0.0, (q - df) / q) if q > 0.0 else 0.0)


def _reml(y: FloatArray, variance: FloatArray) -> float:
    """REML estimate of tau^2: best point of a grid of the restricted likelihood, then bisection of its score.

    The restricted likelihood can have two peaks; the grid finds the higher one whatever the starting value.
    Beyond (max - min)^2 of the estimates it only falls.
    """
    top = 4.0 * float(np.ptp(y)) ** 2
    if top == 0.0:
        return 0.0
    grid = np.concatenate([[0.0], np.geomspace(1e-8 * top, top, 400)])
    likelihood = np.array([_restricted_likelihood(tau, y, variance) for tau in grid])
    best = int(likelihood.argmax())
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    if best == 0 and _score(0.0, y, variance) <= 0.0:
        return 0.0
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if _score(middle, y, variance) > 0.0:
            low = middle
        else:
            high = middle
    return float((low + high) / 2.0)


def _restricted_likelihood(tau_squared: float, y: FloatArray, variance: FloatArray) -> float:
    weight = 1.0 / (variance + tau_squared)
    mean = (weight * y).sum() / weight.sum()
    return float(0.5 * (np.log(weight).sum() - np.log(weight.sum()) - (weight * (y - mean) ** 2).sum()))


def _score(tau_squared: float, y: FloatArray, variance: FloatArray) -> float:
    """Derivative of the restricted log likelihood by tau^2."""
    weight = 1.0 / (variance + tau_squared)
    mean = (weight * y).sum() / weight.sum()
    trace = weight.sum() - (weight**2).sum() / weight.sum()
    return float(0.5 * ((weight**2 * (y - mean) ** 2).sum() - trace))
