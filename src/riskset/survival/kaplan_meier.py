"""The Kaplan-Meier estimator, its intervals, quantiles and restricted mean, and follow-up by its reverse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival import kernels
from riskset.survival._kinds import need_surv
from riskset.survival._special import interval_multiplier
from riskset.survival._summary import summary
from riskset.survival._types import BoolArray, FloatArray
from riskset.survival.curve_interval import ConfType, curve_interval
from riskset.survival.estimate import Estimate
from riskset.survival.event_table import EventTable
from riskset.survival.jackknife import first_at_risk, jackknife_log_variance
from riskset.survival.risk_counts import RiskCounts, risk_counts
from riskset.survival.surv import TIME_TOLERANCE, Surv, numbers

# What is left of a risk set after its events counts as nobody below this share: sums of fractional weights round.
_NOBODY = 1e-12
# Points of a curve whose limits are made at once: they stay in the processor's cache.
_PIECE = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalAt:
    """A curve read at given times; all arrays have the shape of those times.

    `beyond` marks the times after the last observation, where the curve says nothing: there `survival`, `low`, `high`
    and `standard_error` are NaN. `at_risk` is the (weighted) number with `entry < t <= time`; at t = 0 those who enter
    at 0 count as at risk, as a table of numbers at risk shows them.
    """

    time: FloatArray
    survival: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray
    standard_error: FloatArray
    beyond: BoolArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KaplanMeier:
    """A Kaplan-Meier curve: one entry for each distinct time at which a row ends, sorted.

    Attributes
    ----------
    time : array of shape (m,), in the unit of the times given
    at_risk, events, censored : arrays of shape (m,)
        (Weighted) numbers just before, and at, each time.
    survival : array of shape (m,)
        S(t), right-continuous: its value at and after each time.
    standard_error : array of shape (m,)
        Of S(t) itself: Greenwood's, or the infinitesimal jackknife's where weights are fractional. NaN where S is 0.
    low, high : arrays of shape (m,)
        Pointwise interval. NaN where S is 0, and for log-log, logit and arcsin also where S is 1, as in R.
    n, n_events : numbers of rows and of rows with an event (unweighted)
    n_at_time_zero : number of rows whose time is 0 (unweighted); they are legal, and often a mistake in the dates
    conf_type, conf_level : how the intervals were made
    """

    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray
    survival: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    n_events: int
    n_at_time_zero: int
    conf_type: ConfType
    conf_level: float
    counts: RiskCounts = field(repr=False)
    # The rows, kept for the infinitesimal jackknife alone: a curve lives by its counts otherwise.
    rows: Surv | None = field(repr=False)

    def __repr__(self) -> str:
        level = f"{100 * self.conf_level:g}%"
        median = self.median()
        return summary(
            f"Kaplan-Meier curve: {self.time.shape[0]} distinct times",
            ("rows", "events", "median", f"{level} low", f"{level} high"),
            [(self.n, self.n_events, median.value, median.low, median.high)],
        )

    def median(self) -> Estimate:
        """Give the median with its Brookmeyer-Crowley interval on the curve's scale, as R prints it; see `quantile`.

        Examples
        --------
        >>> from riskset.survival import Surv, kaplan_meier
        >>> median = kaplan_meier(Surv([3, 5, 7, 9, 11], [1, 1, 0, 1, 1])).median()
        >>> median.value, median.low, median.high
        (9.0, 3.0, nan)
        """
        return self.quantile(0.5)

    def quantile(self, q: float) -> Estimate:
        """Give the time by which a proportion `q` has had the event, with the interval from the curve's own limits.

        The first time with S <= 1 - q; where S equals 1 - q exactly and drops again later, the midpoint of that flat
        part, as R's print of a survfit object. (R's `quantile` also takes the midpoint to the last observation where
        the curve never drops again; we do not.) An end that is not reached is NaN; the standard error is NaN.

        Raises
        ------
        EngineError
            `q` does not lie strictly between 0 and 1.

        References
        ----------
        Brookmeyer R, Crowley J. Biometrics 1982; 38: 29-41.

        Examples
        --------
        >>> from riskset.survival import Surv, kaplan_meier
        >>> kaplan_meier(Surv([3, 5, 7, 9, 11], [1, 1, 0, 1, 1])).quantile(0.25).value
        5.0
        """
        if not 0.0 < q < 1.0:
            raise EngineError("a quantile must lie between 0 and 1, both excluded; the median is 0.5")
        ends = [_first_at_or_below(self.time, curve, 1.0 - q) for curve in (self.survival, self.low, self.high)]
        return Estimate(ends[0], ends[1], ends[2], float("nan"))

    def at(self, times: ArrayLike) -> SurvivalAt:
        """Read the curve at `times`, with the numbers at risk then.

        Parameters
        ----------
        times : number or array, in the unit of the times given, none negative

        Returns
        -------
        SurvivalAt
            NaN and `beyond` after the last observation: a curve is never prolonged.

        Raises
        ------
        EngineError
            A missing, infinite or negative time.

        Examples
        --------
        >>> from riskset.survival import Surv, kaplan_meier
        >>> read = kaplan_meier(Surv([3, 5, 7, 9], [1, 0, 1, 0])).at([0, 5, 10])
        >>> read.survival.tolist(), read.at_risk.tolist(), read.beyond.tolist()
        ([1.0, 0.75, nan], [4.0, 3.0, 0.0], [False, False, True])
        """
        asked = numbers(np.atleast_1d(np.asarray(times)), "times")
        if (asked < 0).any():
            raise EngineError("the curve was asked at a negative time; it starts at 0")
        # A time given as 365.25 * 2 must find the row that came to the same number by another sum.
        slack = TIME_TOLERANCE * max(1.0, float(self.time.mean()))
        place = np.searchsorted(self.time, asked + slack, side="right")
        beyond = asked > self.time[-1] + slack

        def read(values: FloatArray, start: float) -> FloatArray:
            return np.where(beyond, np.nan, np.concatenate(([start], values))[place])

        return SurvivalAt(
            time=asked,
            survival=read(self.survival, 1.0),
            low=read(self.low, 1.0),
            high=read(self.high, 1.0),
            at_risk=self.counts.at_risk_at(asked, slack),
            standard_error=read(self.standard_error, 0.0),
            beyond=beyond,
        )

    def rmst(self, tau: float) -> Estimate:
        """Give the restricted mean survival time to `tau`: the area under the curve from 0 to `tau`.

        Variance as in Royston & Parmar and R's `print(fit, rmean=tau)`: the sum over event times up to `tau` of
        (area after it)^2 d / (n (n - d)); by the infinitesimal jackknife where weights are fractional. The interval is
        the normal one. NaN when `tau` lies beyond the last observation, unless the curve has reached 0 by then.

        Parameters
        ----------
        tau : horizon, in the unit of the times given; greater than 0

        References
        ----------
        Royston P, Parmar MKB. BMC Med Res Methodol 2013; 13: 152.

        Examples
        --------
        >>> from riskset.survival import Surv, kaplan_meier
        >>> mean = kaplan_meier(Surv([1, 6, 6, 8, 9], [1, 1, 0, 0, 1])).rmst(6)
        >>> round(mean.value, 3), round(mean.standard_error, 3)
        (5.0, 0.894)
        """
        if not (np.isfinite(tau) and tau > 0):
            raise EngineError("the horizon tau of a restricted mean must be a number greater than 0")
        # As `at`: a horizon given as 365.25 * 2 must not miss a last time that came to the same number by another sum.
        slack = TIME_TOLERANCE * max(1.0, float(self.time.mean()))
        if tau > self.time[-1] + slack and self.survival[-1] > 0:
            return Estimate(*[float("nan")] * 4)
        inside = self.time <= tau
        knots = np.concatenate(([0.0], self.time[inside], [tau]))
        area = np.diff(knots) * np.concatenate(([1.0], self.survival[inside]))
        value = float(area.sum())
        after = np.zeros(self.time.shape[0])
        after[inside] = np.cumsum(area[::-1])[::-1][1:]
        error = float(np.sqrt(_linear_variance(self, after, tau)))
        reach = interval_multiplier(self.conf_level) * error
        return Estimate(value, value - reach, value + reach, error)


def kaplan_meier(surv: Surv | EventTable, *, conf_type: ConfType = "log-log", conf_level: float = 0.95) -> KaplanMeier:
    """Estimate the survival curve of `surv`, an event of any cause being the event.

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts, whose strata and patterns are pooled (see its `subset`)
        Delayed entry and weights are honoured.
    conf_type : "log-log" (journals' and this package's default), "log" (R's default), "plain", "logit" or "arcsin"
        The scale on which the pointwise interval is symmetric.
    conf_level : level of the intervals, between 0 and 1

    Returns
    -------
    KaplanMeier

    Raises
    ------
    EngineError
        No rows, an unknown `conf_type`, a level outside (0, 1), a table of rows with fractional weights.

    Notes
    -----
    Weights that are all whole numbers count rows, so weight 2 is the row twice. Fractional weights give the same curve
    with standard errors by the infinitesimal jackknife, as R's survfit does then; that needs the rows.

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958; 53: 457-481. Kalbfleisch JD, Prentice RL. The statistical analysis of
    failure time data, 2nd ed. 2002, section 1.4.

    Examples
    --------
    >>> from riskset.survival import EventTable, Surv, kaplan_meier
    >>> curve = kaplan_meier(Surv([1, 6, 6, 8, 9], [1, 1, 0, 0, 1]))
    >>> curve.time.tolist(), curve.survival.round(3).tolist()
    ([1.0, 6.0, 8.0, 9.0], [0.8, 0.6, 0.6, 0.0])
    >>> kaplan_meier(EventTable.from_arrays([1, 6, 6, 8, 9], [1, 1, 0, 0, 1])).survival.round(3).tolist()
    [0.8, 0.6, 0.6, 0.0]
    """
    need_surv(surv, table=True)
    counts = _counts(surv, conf_type, conf_level)
    return _curve(
        counts, surv if isinstance(surv, Surv) and surv.has_fractional_weights else None, conf_type, conf_level
    )


def _curve(counts: RiskCounts, rows: Surv | None, conf_type: ConfType, conf_level: float) -> KaplanMeier:
    """Build the curve from counts, and from `rows` where weights are fractional."""
    time, at_risk, events, censored = counts.time, counts.at_risk, counts.events, counts.censored
    survival, standard_error = np.empty_like(at_risk), np.empty_like(at_risk)
    if rows is None:
        # Some ten elementary steps at each time.
        fast = kernels.use_kernels(10 * at_risk.shape[0])
        limit = kernels.load("counting").product_limit if fast else product_limit
        limit(at_risk, events, _NOBODY, survival, standard_error)
    else:
        left = _left_after(at_risk, events, _NOBODY)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = jackknife_log_variance(rows, time, 1.0 / left, events / (at_risk * left))
        _product(at_risk, left, variance, survival, standard_error)
    low, high = _limits(survival, standard_error, conf_type, interval_multiplier(conf_level))
    curve = (time, at_risk, events, censored, survival, standard_error, low, high)
    for array in curve:
        array.flags.writeable = False
    told = counts.n, counts.n_events, counts.n_at_time_zero
    return KaplanMeier(*curve, *told, conf_type, conf_level, counts, rows)


def _limits(survival: FloatArray, error: FloatArray, conf_type: ConfType, z: float) -> tuple[FloatArray, FloatArray]:
    """Give the pointwise limits, of long curves piece by piece on all cores."""
    pieces = range(0, survival.shape[0], _PIECE)
    if len(pieces) == 1:
        return curve_interval(survival, error, conf_type, z)
    low, high = np.empty_like(survival), np.empty_like(survival)

    def fill(k: int) -> None:
        piece = slice(k, k + _PIECE)
        low[piece], high[piece] = curve_interval(survival[piece], error[piece], conf_type, z)

    kernels.on_all_cores(fill, pieces)
    return low, high


def follow_up(surv: Surv | EventTable, *, conf_type: ConfType = "log-log", conf_level: float = 0.95) -> KaplanMeier:
    """Estimate the distribution of follow-up by reverse Kaplan-Meier: censoring is the event, any event censors.

    Its `.median()` is the median follow-up of Schemper & Smith.

    Parameters
    ----------
    surv, conf_type, conf_level : as in `kaplan_meier`

    Raises
    ------
    EngineError
        As `kaplan_meier`.

    References
    ----------
    Schemper M, Smith TL. Control Clin Trials 1996; 17: 343-346.

    Examples
    --------
    >>> from riskset.survival import Surv, follow_up
    >>> follow_up(Surv([1, 6, 6, 8, 9], [1, 1, 0, 0, 1])).median().value
    8.0
    """
    need_surv(surv, table=True)
    if isinstance(surv, EventTable):
        return kaplan_meier(surv.causes_as(censored=True), conf_type=conf_type, conf_level=conf_level)
    return kaplan_meier(surv.as_event(~surv.is_event), conf_type=conf_type, conf_level=conf_level)


def _counts(surv: Surv | EventTable, conf_type: str, conf_level: float) -> RiskCounts:
    n = surv.n if isinstance(surv, EventTable) else len(surv)
    if n == 0:
        raise EngineError("there is no row to estimate a curve from; check the population's condition")
    if conf_type not in get_args(ConfType):
        raise EngineError(f"conf_type '{conf_type}' is unknown; choose one of {', '.join(get_args(ConfType))}")
    if not 0.0 < conf_level < 1.0:
        raise EngineError("conf_level must lie between 0 and 1, both excluded; write 95 % as 0.95")
    if isinstance(surv, EventTable) and surv.has_fractional_weights:
        raise EngineError("the standard errors of a curve with fractional weights need the rows; give them as Surv")
    return risk_counts(surv)


def product_limit(
    at_risk: FloatArray, events: FloatArray, nobody: float, survival: FloatArray, error: FloatArray
) -> None:
    """Write S and its standard error by Greenwood's formula, NaN where S is 0; all arrays have shape (m,).

    What is left of a risk set after its events counts as nobody below the share `nobody` of it.
    """
    left = _left_after(at_risk, events, nobody)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(np.where(events > 0, events / (at_risk * left), 0.0))
    _product(at_risk, left, variance, survival, error)


def _product(
    at_risk: FloatArray, left: FloatArray, variance: FloatArray, survival: FloatArray, error: FloatArray
) -> None:
    """Write S and, from the `variance` of log S, its standard error."""
    np.cumprod(left / at_risk, out=survival)
    error[:] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        np.multiply(survival, np.sqrt(variance), where=survival > 0, out=error)


def _left_after(at_risk: FloatArray, events: FloatArray, nobody: float) -> FloatArray:
    left = at_risk - events
    return np.where(left < nobody * at_risk, 0.0, left)


def _first_at_or_below(time: FloatArray, curve: FloatArray, level: float) -> float:
    """Give the first time with curve <= level, or the midpoint of the flat part that lies on the level."""
    known = ~np.isnan(curve)
    reached = np.flatnonzero(known & (curve < level + TIME_TOLERANCE))
    if reached.size == 0:
        return float("nan")
    first = reached[0]
    if abs(curve[first] - level) < TIME_TOLERANCE:
        below = np.flatnonzero(known & (curve < level - TIME_TOLERANCE))
        if below.size:
            return float((time[first] + time[below[0]]) / 2.0)
    return float(time[first])


def _linear_variance(curve: KaplanMeier, after: FloatArray, tau: float) -> float:
    """Give the variance of the area under the curve to `tau`, `after` being the area beyond each time."""
    left = _left_after(curve.at_risk, curve.events, _NOBODY)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(left > 0, after / left, 0.0)
        hazard = curve.events / curve.at_risk
    surv = curve.rows
    if surv is None:
        return float(np.sum(after * own * hazard))
    place = np.searchsorted(curve.time, surv.time, side="left")
    total = np.concatenate(([0.0], np.cumsum(own * hazard)))
    had_event = surv.is_event & (surv.time <= tau)
    influence = np.where(had_event, own[place], 0.0) - (total[place + 1] - total[first_at_risk(surv, curve.time)])
    return float(np.sum((surv.weight_or_one * influence) ** 2))
