"""Differences between two independent Kaplan-Meier curves: at a time, and in restricted mean."""

from __future__ import annotations

import math

from riskset.survival._special import interval_multiplier, two_sided_p
from riskset.survival.estimate import Difference, Estimate
from riskset.survival.kaplan_meier import KaplanMeier


def survival_difference(first: KaplanMeier, second: KaplanMeier, time: float) -> Difference:
    """Give S_first(time) - S_second(time) with its normal interval and test, from the curves' standard errors.

    Parameters
    ----------
    first, second : curves of two groups that share no patient; the interval has the level of `first`.
    time : the time, in the unit of the curves

    Returns
    -------
    Difference
        NaN throughout where either curve ends before `time` or has no standard error there.
    """
    a, b = first.at(time), second.at(time)
    return _difference(
        float(a.survival[0]),
        float(b.survival[0]),
        float(a.standard_error[0]),
        float(b.standard_error[0]),
        first.conf_level,
    )


def rmst_difference(first: KaplanMeier, second: KaplanMeier, tau: float) -> Difference:
    """Give the difference in restricted mean survival time to `tau`, first minus second, with interval and test.

    Parameters
    ----------
    first, second : curves of two groups that share no patient; the interval has the level of `first`.
    tau : horizon, in the unit of the curves

    Returns
    -------
    Difference
        NaN throughout where `tau` lies beyond the follow-up of either curve.

    References
    ----------
    Royston P, Parmar MKB. BMC Med Res Methodol 2013; 13: 152.
    """
    a, b = first.rmst(tau), second.rmst(tau)
    return _difference(a.value, b.value, a.standard_error, b.standard_error, first.conf_level)


def _difference(a: float, b: float, error_a: float, error_b: float, conf_level: float) -> Difference:
    value, error = a - b, math.hypot(error_a, error_b)
    reach = interval_multiplier(conf_level) * error
    z = value / error if error > 0 else float("nan")
    return Difference(Estimate(value, value - reach, value + reach, error), z, float(two_sided_p(z)))
