"""Pointwise confidence intervals of a survival curve, on the scale where they are symmetric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from riskset.survival._types import FloatArray

ConfType = Literal["log-log", "log", "plain", "logit", "arcsin"]

Limits: TypeAlias = tuple[FloatArray, FloatArray]


def curve_interval(survival: FloatArray, error: FloatArray, conf_type: ConfType, z: float) -> Limits:
    """Give the pointwise limits of a survival curve, within [0, 1].

    Each type is symmetric, at `z` standard errors by the delta method, on its own scale: "plain" on S itself, "log" on
    log S, "log-log" on log(-log S), "logit" on log(S / (1 - S)), "arcsin" on the arc sine of the square root of S.

    Parameters
    ----------
    survival : array of shape (m,), S between 0 and 1
    error : array of shape (m,), standard errors of S itself; NaN gives NaN limits
    conf_type : the scale
    z : how many standard errors the limits lie away, 1.96 for 95 %

    Returns
    -------
    low, high : arrays of shape (m,)
        NaN where S is 0; for log-log, logit and arcsin, whose scales end there, also where S is 1, as in R (whose
        plain interval at S = 0 is the point 0 where weights are fractional).

    Examples
    --------
    >>> low, high = curve_interval(np.array([0.5]), np.array([0.1]), "logit", 1.96)
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.3135, 0.6865)

    References
    ----------
    Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data, 2nd ed. 2002, section 1.4 (log-log).
    Borgan O, Liestol K. Scand J Stat 1990; 17: 35-41 (the scales compared, arc sine among them).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inside = np.where(survival > 0, survival, np.nan)
        low, high = _SCALES[conf_type](inside, z * error)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def _plain(survival: FloatArray, reach: FloatArray) -> Limits:
    return survival - reach, survival + reach


def _log(survival: FloatArray, reach: FloatArray) -> Limits:
    factor = np.exp(reach / survival)
    return survival / factor, survival * factor


def _log_log(survival: FloatArray, reach: FloatArray) -> Limits:
    log = np.log(_below_one(survival))
    power = np.exp(reach / survival / np.abs(log))
    return np.exp(log * power), np.exp(log / power)


def _logit(survival: FloatArray, reach: FloatArray) -> Limits:
    s = _below_one(survival)
    odds, factor = s / (1.0 - s), np.exp(reach / (s * (1.0 - s)))
    # 1 / (1 + 1 / odds) stays finite where the odds overflow, as they do close to S = 1.
    return 1.0 / (1.0 + factor / odds), 1.0 / (1.0 + 1.0 / (odds * factor))


def _arcsin(survival: FloatArray, reach: FloatArray) -> Limits:
    s = _below_one(survival)
    angle, turn = np.arcsin(np.sqrt(s)), 0.5 * reach / np.sqrt(s * (1.0 - s))
    # The sine turns back beyond a right angle, so the angle is cut at both ends of the scale.
    return np.sin(np.maximum(angle - turn, 0.0)) ** 2, np.sin(np.minimum(angle + turn, np.pi / 2.0)) ** 2


def _below_one(survival: FloatArray) -> FloatArray:
    return np.where(survival < 1, survival, np.nan)


_SCALES: dict[ConfType, Callable[[FloatArray, FloatArray], Limits]] = {
    "log-log": _log_log,
    "log": _log,
    "plain": _plain,
    "logit": _logit,
    "arcsin": _arcsin,
}
