"""Two independent Kaplan-Meier curves compared: at a time, and in restricted mean survival or lost time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from riskset.errors import EngineError
from riskset.survival._kinds import need_kind
from riskset.survival._special import interval_multiplier, two_sided_p
from riskset.survival.estimate import Difference, Estimate
from riskset.survival.kaplan_meier import KaplanMeier

_REMEDY = "give a curve of kaplan_meier"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two independent estimates with its normal test that it is 1, on the scale of logarithms.

    `estimate.standard_error` is that of the *logarithm* of the ratio, `z = log(estimate.value) / standard_error`, and
    the P value is two-sided.
    """

    estimate: Estimate
    z: float
    p_value: float


def survival_difference(first: KaplanMeier, second: KaplanMeier, time: float) -> Difference:
    """Give S_first(time) - S_second(time) with its normal interval and test, from the curves' standard errors.

    Parameters
    ----------
    first, second : curves of two groups that share no patient; the interval has the level of `first`.
    time : the time, in the unit of the curves

    Returns
    -------
    Difference
        NaN throughout where either curve ends before `time` or has no standard error there (S is 0). Its z and P value
        are NaN where neither curve has had an event yet.

    Raises
    ------
    EngineError
        What is no Kaplan-Meier curve; a negative, missing or infinite time.

    References
    ----------
    Klein JP, Logan B, Harhoff M, Andersen PK. Stat Med 2007; 26: 4505-4519.

    Examples
    --------
    >>> from riskset.survival import Surv, kaplan_meier, survival_difference
    >>> a = kaplan_meier(Surv([2, 4, 6, 8, 9], [1, 0, 1, 0, 0]))
    >>> b = kaplan_meier(Surv([1, 2, 3, 5, 9], [1, 1, 1, 0, 0]))
    >>> found = survival_difference(a, b, 5)
    >>> round(found.estimate.value, 3), round(found.estimate.standard_error, 3), round(found.p_value, 3)
    (0.4, 0.283, 0.157)
    """
    _need_curves(first=first, second=second)
    a, b = _at(first, time), _at(second, time)
    return _difference(a, b, first.conf_level)


def survival_ratio(first: KaplanMeier, second: KaplanMeier, time: float) -> Ratio:
    """Give S_first(time) / S_second(time), with interval and test on the log scale.

    Parameters
    ----------
    first, second : curves of two groups that share no patient; the interval has the level of `first`.
    time : the time, in the unit of the curves

    Returns
    -------
    Ratio
        NaN throughout where either curve ends before `time` or is 0 there.

    Raises
    ------
    EngineError
        What is no Kaplan-Meier curve; a negative, missing or infinite time.

    References
    ----------
    Klein JP, Logan B, Harhoff M, Andersen PK. Stat Med 2007; 26: 4505-4519.

    Examples
    --------
    >>> from riskset.survival import Surv, kaplan_meier, survival_ratio
    >>> a = kaplan_meier(Surv([2, 4, 6, 8, 9], [1, 0, 1, 0, 0]))
    >>> b = kaplan_meier(Surv([1, 2, 3, 5, 9], [1, 1, 1, 0, 0]))
    >>> found = survival_ratio(a, b, 5)
    >>> round(found.estimate.value, 3), round(found.estimate.low, 3), round(found.estimate.high, 3)
    (2.0, 0.627, 6.377)
    """
    _need_curves(first=first, second=second)
    return _ratio(_at(first, time), _at(second, time), first.conf_level)


def largest_tau(*curves: KaplanMeier) -> float:
    """Give the largest horizon to which the restricted means of all these curves can be compared.

    A curve that does not reach 0 is known to its last observation only, so the earliest such end bounds the horizon.
    A curve that reaches 0 (its last observation is an event) is known for ever; where all of them do, the horizon is
    the latest of their ends, after which nothing more can differ.

    Parameters
    ----------
    curves : one or more curves, in one unit of time

    Returns
    -------
    float
        In the unit of the curves; a mean to any horizon beyond it is NaN for at least one curve, unless all reach 0.

    Raises
    ------
    EngineError
        No curve is given, or what is no Kaplan-Meier curve.

    Notes
    -----
    The rule of R's `survRM2`, for any number of groups. Tian et al. show that a horizon up to the last observation is
    sound even where that is a censoring; a horizon chosen before the data were seen is better still. Where an event
    and a censoring share the last time the curve does not reach 0 and counts as ending in a censoring.

    References
    ----------
    Tian L, Jin H, Uno H, et al. Biometrics 2020; 76: 1157-1166. Uno H, Claggett B, Tian L, et al. J Clin Oncol 2014;
    32: 2380-2385.

    Examples
    --------
    >>> from riskset.survival import Surv, kaplan_meier, largest_tau
    >>> ends_alive = kaplan_meier(Surv([2, 4, 9], [1, 0, 0]))
    >>> ends_dead = kaplan_meier(Surv([1, 2, 5], [1, 0, 1]))
    >>> largest_tau(ends_alive, ends_dead), largest_tau(ends_dead)
    (9.0, 5.0)
    """
    if not curves:
        raise EngineError("there is no curve to find a horizon for; give one curve a group")
    for curve in curves:
        need_kind(curve, KaplanMeier, "a curve", _REMEDY)
    ends = [float(curve.time[-1]) for curve in curves if curve.survival[-1] > 0]
    return min(ends) if ends else max(float(curve.time[-1]) for curve in curves)


def rmst_difference(first: KaplanMeier, second: KaplanMeier, tau: float) -> Difference:
    """Give the difference in restricted mean survival time to `tau`, first minus second, with interval and test.

    The difference in restricted mean time lost is its negative, with the same P value.

    Parameters
    ----------
    first, second : curves of two groups that share no patient; the interval has the level of `first`.
    tau : horizon, in the unit of the curves; greater than 0, and see `largest_tau`

    Returns
    -------
    Difference
        In the unit of the curves. NaN throughout where `tau` lies beyond the follow-up of either curve.

    Raises
    ------
    EngineError
        What is no Kaplan-Meier curve; a `tau` that is not a number greater than 0.

    References
    ----------
    Royston P, Parmar MKB. BMC Med Res Methodol 2013; 13: 152.

    Examples
    --------
    >>> from riskset.survival import Surv, kaplan_meier, rmst_difference
    >>> a = kaplan_meier(Surv([2, 4, 6, 8, 9], [1, 0, 1, 0, 0]))
    >>> b = kaplan_meier(Surv([1, 2, 3, 5, 9], [1, 1, 1, 0, 0]))
    >>> found = rmst_difference(a, b, 8)
    >>> round(found.estimate.value, 3), round(found.estimate.standard_error, 3), round(found.p_value, 3)
    (1.867, 1.705, 0.274)
    """
    _need_curves(first=first, second=second)
    return _difference(first.rmst(tau), second.rmst(tau), first.conf_level)


def rmst_ratio(first: KaplanMeier, second: KaplanMeier, tau: float) -> Ratio:
    """Give the ratio of the restricted mean survival times to `tau`, first over second, with interval and test.

    Parameters
    ----------
    first, second : curves of two groups that share no patient; the interval has the level of `first`.
    tau : horizon, in the unit of the curves; greater than 0, and see `largest_tau`

    Returns
    -------
    Ratio
        NaN throughout where `tau` lies beyond the follow-up of either curve.

    Raises
    ------
    EngineError
        What is no Kaplan-Meier curve; a `tau` that is not a number greater than 0.

    References
    ----------
    Uno H, Claggett B, Tian L, et al. J Clin Oncol 2014; 32: 2380-2385.

    Examples
    --------
    >>> from riskset.survival import Surv, kaplan_meier, rmst_ratio
    >>> a = kaplan_meier(Surv([2, 4, 6, 8, 9], [1, 0, 1, 0, 0]))
    >>> b = kaplan_meier(Surv([1, 2, 3, 5, 9], [1, 1, 1, 0, 0]))
    >>> found = rmst_ratio(a, b, 8)
    >>> round(found.estimate.value, 3), round(found.estimate.low, 3), round(found.estimate.high, 3)
    (1.424, 0.719, 2.819)
    """
    _need_curves(first=first, second=second)
    return _ratio(first.rmst(tau), second.rmst(tau), first.conf_level)


def rmtl(curve: KaplanMeier, tau: float) -> Estimate:
    """Give the restricted mean time lost to `tau`: the area above the curve, `tau` less the restricted mean.

    Parameters
    ----------
    curve : the curve
    tau : horizon, in the unit of the curve; greater than 0

    Returns
    -------
    Estimate
        In the unit of the curve. NaN where `tau` lies beyond its follow-up.

    Raises
    ------
    EngineError
        What is no Kaplan-Meier curve; a `tau` that is not a number greater than 0.

    References
    ----------
    Uno H, Claggett B, Tian L, et al. J Clin Oncol 2014; 32: 2380-2385.

    Examples
    --------
    >>> from riskset.survival import Surv, kaplan_meier, rmtl
    >>> lost = rmtl(kaplan_meier(Surv([2, 4, 6, 8, 9], [1, 0, 1, 0, 0])), 8)
    >>> round(lost.value, 3), round(lost.standard_error, 3)
    (1.733, 1.049)
    """
    _need_curves(curve=curve)
    mean = curve.rmst(tau)
    return Estimate(tau - mean.value, tau - mean.high, tau - mean.low, mean.standard_error)


def rmtl_ratio(first: KaplanMeier, second: KaplanMeier, tau: float) -> Ratio:
    """Give the ratio of the restricted mean times lost to `tau`, first over second, with interval and test.

    Parameters
    ----------
    first, second : curves of two groups that share no patient; the interval has the level of `first`.
    tau : horizon, in the unit of the curves; greater than 0, and see `largest_tau`

    Returns
    -------
    Ratio
        Below 1 where the first group lost less time. NaN throughout where `tau` lies beyond the follow-up of either
        curve, or a group has lost no time by `tau`.

    Raises
    ------
    EngineError
        What is no Kaplan-Meier curve; a `tau` that is not a number greater than 0.

    References
    ----------
    Uno H, Claggett B, Tian L, et al. J Clin Oncol 2014; 32: 2380-2385.

    Examples
    --------
    >>> from riskset.survival import Surv, kaplan_meier, rmtl_ratio
    >>> a = kaplan_meier(Surv([2, 4, 6, 8, 9], [1, 0, 1, 0, 0]))
    >>> b = kaplan_meier(Surv([1, 2, 3, 5, 9], [1, 1, 1, 0, 0]))
    >>> found = rmtl_ratio(a, b, 8)
    >>> round(found.estimate.value, 3), round(found.p_value, 3)
    (0.481, 0.304)
    """
    _need_curves(first=first, second=second)
    return _ratio(rmtl(first, tau), rmtl(second, tau), first.conf_level)


def _need_curves(**curves: KaplanMeier) -> None:
    for name, curve in curves.items():
        need_kind(curve, KaplanMeier, name, _REMEDY)


def _at(curve: KaplanMeier, time: float) -> Estimate:
    read = curve.at(time)
    value, low, high, error = (float(a[0]) for a in (read.survival, read.low, read.high, read.standard_error))
    return Estimate(value, low, high, error)


def _difference(a: Estimate, b: Estimate, conf_level: float) -> Difference:
    value, error = a.value - b.value, math.hypot(a.standard_error, b.standard_error)
    reach = interval_multiplier(conf_level) * error
    z = value / error if error > 0 else float("nan")
    return Difference(Estimate(value, value - reach, value + reach, error), z, float(two_sided_p(z)))


def _ratio(a: Estimate, b: Estimate, conf_level: float) -> Ratio:
    """Compare two estimates by the delta method on the log scale: relative errors add up as squares."""
    if not (a.value > 0 and b.value > 0):
        return Ratio(Estimate(*[float("nan")] * 4), float("nan"), float("nan"))
    log, error = math.log(a.value / b.value), math.hypot(a.standard_error / a.value, b.standard_error / b.value)
    reach = interval_multiplier(conf_level) * error
    z = log / error if error > 0 else float("nan")
    estimate = Estimate(a.value / b.value, math.exp(log - reach), math.exp(log + reach), error)
    return Ratio(estimate, z, float(two_sided_p(z)))
