"""The Nelson-Aalen estimator of the cumulative hazard, and the Fleming-Harrington treatment of its ties."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._special import interval_multiplier
from riskset.survival._summary import summary
from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.event_table import EventTable
from riskset.survival.jackknife import jackknife_log_variance
from riskset.survival.risk_counts import RiskCounts, risk_counts
from riskset.survival.surv import TIME_TOLERANCE, Surv, numbers

HazardScale = Literal["log", "plain"]
HazardTies = Literal["nelson-aalen", "fleming-harrington"]


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeHazardAt:
    """A cumulative hazard read at given times; all arrays have the shape of those times.

    `beyond` marks the times after the last observation: there `cumulative_hazard`, `low`, `high` and `standard_error`
    are NaN. `at_risk` is the (weighted) number with `entry < t <= time`.
    """

    time: FloatArray
    cumulative_hazard: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray
    standard_error: FloatArray
    beyond: BoolArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NelsonAalen:
    """A cumulative hazard: one entry for each distinct time at which a row ends, sorted.

    Attributes
    ----------
    time : array of shape (m,), in the unit of the times given
    at_risk, events, censored : arrays of shape (m,)
        (Weighted) numbers just before, and at, each time.
    cumulative_hazard : array of shape (m,)
        H(t), right-continuous; without a unit.
    increment : array of shape (m,), by how much H rises at each time
    standard_error : array of shape (m,)
        Of H(t): Aalen's, or the infinitesimal jackknife's where weights are fractional.
    low, high : arrays of shape (m,)
        Pointwise interval; on the log scale NaN where H is 0.
    n, n_events, n_at_time_zero : numbers of rows, of rows with an event, of rows that end at time 0 (unweighted)
    conf_type, conf_level, ties : how it was made
    """

    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray
    cumulative_hazard: FloatArray
    increment: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    n_events: int
    n_at_time_zero: int
    conf_type: HazardScale
    conf_level: float
    ties: HazardTies
    counts: RiskCounts = field(repr=False)

    def __repr__(self) -> str:
        columns = (self.time, self.at_risk, self.events, self.cumulative_hazard, self.low, self.high)
        level = f"{100 * self.conf_level:g}%"
        return summary(
            f"cumulative hazard ({self.ties}): {self.n} rows, {self.n_events} events",
            ("time", "at risk", "events", "cumulative hazard", f"{level} low", f"{level} high"),
            np.column_stack(columns).tolist(),
        )

    def at(self, times: ArrayLike) -> CumulativeHazardAt:
        """Read the cumulative hazard at `times` (a number or array, same unit as the times given, none negative).

        Raises
        ------
        EngineError
            A negative, missing or infinite time.
        """
        asked = numbers(np.atleast_1d(np.asarray(times)), "times")
        if (asked < 0).any():
            raise EngineError("the cumulative hazard was asked at a negative time; it starts at 0")
        # A time given as 365.25 * 2 must find the row that came to the same number by another sum.
        slack = TIME_TOLERANCE * max(1.0, float(self.time.mean()))
        place = np.searchsorted(self.time, asked + slack, side="right")
        beyond = asked > self.time[-1] + slack

        def read(values: FloatArray) -> FloatArray:
            return np.where(beyond, np.nan, np.concatenate(([0.0], values))[place])

        return CumulativeHazardAt(
            time=asked,
            cumulative_hazard=read(self.cumulative_hazard),
            low=read(self.low),
            high=read(self.high),
            at_risk=self.counts.at_risk_at(asked, slack),
            standard_error=read(self.standard_error),
            beyond=beyond,
        )


@dataclass(frozen=True, slots=True, eq=False)
class HazardIncrements:
    """By how much the cumulative hazard rises at each of m times, and what a row does to it; arrays of shape (m,).

    `own` is the derivative of the increment by the weight of a row that has its event there, less that by the weight
    of any row at risk there, which is `-shared`. `shared` is also Aalen's variance of the increment.
    """

    value: FloatArray
    own: FloatArray
    shared: FloatArray


def nelson_aalen(
    surv: Surv | EventTable,
    *,
    ties: HazardTies = "nelson-aalen",
    conf_type: HazardScale = "log",
    conf_level: float = 0.95,
) -> NelsonAalen:
    """Estimate the cumulative hazard of `surv`, an event of any cause being the event.

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts; delayed entry and weights are honoured.
    ties : "nelson-aalen" or "fleming-harrington"
        What d tied events among n at risk add: d / n, or 1/n + 1/(n - 1) + ... + 1/(n - d + 1), as if they came one
        after another, which is nearer to the truth where times were rounded. With weights each of the d rows counts
        with the mean weight of the tied rows, as in R; then weight 2 is not the row twice.
    conf_type : "log" or "plain"
        The scale on which the interval is symmetric. The log of H is the log-log of exp(-H).
    conf_level : level of the intervals, between 0 and 1

    Returns
    -------
    NelsonAalen

    Raises
    ------
    EngineError
        No rows, an unknown `ties` or `conf_type`, a level outside (0, 1); a table with fractional weights, or with any
        weights for "fleming-harrington", since these need the rows.

    Notes
    -----
    As R's `survfit(..., stype = 2, ctype = 1)` (Fleming-Harrington: `ctype = 2`). The variance is the sum of d / n^2.
    Weights that are all whole numbers count rows; fractional weights give the infinitesimal jackknife's variance. R
    does that for `ctype = 1` alone and takes fractional weights for counts under `ctype = 2`; we use the jackknife
    under both.

    References
    ----------
    Nelson W. Technometrics 1972; 14: 945-966. Aalen OO. Ann Stat 1978; 6: 701-726. Fleming TR, Harrington DP. Commun
    Stat Theory Methods 1984; 13: 2469-2486.

    Examples
    --------
    >>> from riskset.survival import Surv, nelson_aalen
    >>> hazard = nelson_aalen(Surv([1, 1, 6, 6, 8, 9], [1, 0, 1, 1, 0, 1]))
    >>> hazard.cumulative_hazard.round(4).tolist()
    [0.1667, 0.6667, 0.6667, 1.6667]
    >>> hazard.at([5, 6, 12]).cumulative_hazard.round(4).tolist()
    [0.1667, 0.6667, nan]
    """
    need_surv(surv, table=True)
    _check(surv, ties, conf_type, conf_level)
    counts = risk_counts(surv)
    increments = hazard_increments(surv, counts, ties)
    hazard = np.cumsum(increments.value)
    if isinstance(surv, Surv) and surv.has_fractional_weights:
        variance = jackknife_log_variance(surv, counts.time, increments.own, increments.shared)
    else:
        variance = np.cumsum(increments.shared)
    error = np.sqrt(variance)
    low, high = _interval(hazard, error, conf_type, interval_multiplier(conf_level))
    arrays = (
        *(counts.time, counts.at_risk, counts.events, counts.censored),
        *(hazard, increments.value, error, low, high),
    )
    for array in arrays:
        array.flags.writeable = False
    told = counts.n, counts.n_events, counts.n_at_time_zero
    return NelsonAalen(*arrays, *told, conf_type, conf_level, ties, counts)


def hazard_increments(surv: Surv | EventTable, counts: RiskCounts, ties: HazardTies) -> HazardIncrements:
    """Give what the events at each time add to the cumulative hazard; `counts` are those of `surv`.

    A table with weights is refused for "fleming-harrington": it has no number of tied rows.

    Examples
    --------
    >>> from riskset.survival import Surv
    >>> from riskset.survival.risk_counts import risk_counts
    >>> surv = Surv([2, 2, 3], [1, 1, 0])
    >>> hazard_increments(surv, risk_counts(surv), "fleming-harrington").value.round(4).tolist()
    [0.8333, 0.0]
    """
    n, d = counts.at_risk, counts.events
    if ties == "nelson-aalen":
        return HazardIncrements(d / n, np.where(d > 0, 1.0 / n, 0.0), d / n**2)
    return _one_after_another(counts, _rows_with_event(surv, counts))


def _rows_with_event(surv: Surv | EventTable, counts: RiskCounts) -> IntArray:
    """Count the rows with an event at each time, whatever they weigh."""
    if isinstance(surv, Surv) and surv.weight is not None:
        place = np.searchsorted(counts.time, surv.time[surv.is_event], side="left")
        return np.bincount(place, minlength=counts.time.shape[0])
    if isinstance(surv, EventTable) and surv.event_weight is not None:
        raise EngineError("ties 'fleming-harrington' with weights needs the rows; give them as Surv")
    return counts.events.astype(np.int64)


def _one_after_another(counts: RiskCounts, rows: IntArray) -> HazardIncrements:
    """Let the tied `rows` (m,) of each time leave one after another, each with their mean weight."""
    m = counts.time.shape[0]
    at = np.repeat(np.arange(m), rows)
    gone = np.arange(at.shape[0]) - np.repeat(np.cumsum(rows) - rows, rows)
    mean = counts.events[at] / rows[at]
    left = counts.at_risk[at] - gone * mean

    def add_up(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(at, values, m), dtype=np.float64)

    own = counts.at_risk[at] / rows[at] / left**2
    return HazardIncrements(add_up(mean / left), add_up(own), add_up(mean / left**2))


def _interval(hazard: FloatArray, error: FloatArray, scale: HazardScale, z: float) -> tuple[FloatArray, FloatArray]:
    if scale == "plain":
        return np.maximum(hazard - z * error, 0.0), hazard + z * error
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = np.where(hazard > 0, np.exp(z * error / hazard), np.nan)
        return hazard / factor, hazard * factor


def _check(surv: Surv | EventTable, ties: str, conf_type: str, conf_level: float) -> None:
    if (surv.n if isinstance(surv, EventTable) else len(surv)) == 0:
        raise EngineError("there is no row to estimate a cumulative hazard from; check the population's condition")
    if ties not in get_args(HazardTies):
        raise EngineError(f"ties '{ties}' is unknown; choose one of {', '.join(get_args(HazardTies))}")
    if conf_type not in get_args(HazardScale):
        raise EngineError(f"conf_type '{conf_type}' is unknown; choose one of {', '.join(get_args(HazardScale))}")
    if not 0.0 < conf_level < 1.0:
        raise EngineError("conf_level must lie between 0 and 1, both excluded; write 95 % as 0.95")
    if isinstance(surv, EventTable) and surv.has_fractional_weights:
        raise EngineError("standard errors with fractional weights need the rows; give them as Surv")
