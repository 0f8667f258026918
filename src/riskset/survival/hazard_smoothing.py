"""The hazard rate by kernel smoothing of the Nelson-Aalen steps, with its boundaries corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._special import interval_multiplier
from riskset.survival._types import FloatArray
from riskset.survival.event_table import EventTable
from riskset.survival.jackknife import first_at_risk
from riskset.survival.nelson_aalen import HazardIncrements, hazard_increments
from riskset.survival.risk_counts import RiskCounts, risk_counts
from riskset.survival.surv import TIME_TOLERANCE, Surv, numbers

Kernel = Literal["epanechnikov", "biweight", "uniform"]

# Coefficients of 1, u, u^2, ... of each kernel on [-1, 1].
_KERNELS: dict[Kernel, tuple[float, ...]] = {
    "epanechnikov": (3 / 4, 0.0, -3 / 4),
    "biweight": (15 / 16, 0.0, -15 / 8, 0.0, 15 / 16),
    "uniform": (1 / 2,),
}

_POINTS = 101


@dataclass(frozen=True, slots=True, eq=False)
class SmoothedHazard:
    """A hazard rate at T times.

    Attributes
    ----------
    time : array of shape (T,), in the unit of the times given
    hazard : array of shape (T,)
        Events a unit of time and person at risk. NaN outside [`start`, `end`] and where nobody is at risk.
    standard_error : array of shape (T,), of the hazard
    low, high : arrays of shape (T,)
        Pointwise interval, symmetric for the logarithm; it speaks of the smoothed hazard and leaves its bias out. NaN
        where no event lies within reach.
    at_risk : array of shape (T,), the (weighted) number with `entry < t <= time`
    start, end : where observation starts (the first entry, 0 without) and ends (the last time)
    bandwidth, kernel, conf_level : how it was made
    warnings : sentences on what could not be estimated
    """

    time: FloatArray
    hazard: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray
    start: float
    end: float
    bandwidth: float
    kernel: Kernel
    conf_level: float
    warnings: tuple[str, ...]


def smoothed_hazard(
    surv: Surv | EventTable,
    bandwidth: float,
    *,
    times: ArrayLike | None = None,
    kernel: Kernel = "epanechnikov",
    conf_level: float = 0.95,
) -> SmoothedHazard:
    """Estimate the hazard rate of `surv` over time, an event of any cause being the event.

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts; delayed entry and weights are honoured.
    bandwidth : how far the kernel reaches to each side, in the unit of the times
        Greater than 0 and at most the length of observation. Wider is smoother and more biased at peaks.
    times : array of shape (T,), optional
        Where to estimate, in the unit of the times; by default 101 times evenly from start to end of observation.
    kernel : "epanechnikov", "biweight" or "uniform", the weight function
    conf_level : level of the intervals, between 0 and 1

    Returns
    -------
    SmoothedHazard

    Raises
    ------
    EngineError
        No rows, all times 0, a bandwidth that is not positive or longer than observation, an unknown kernel, a
        negative or missing time, a level outside (0, 1), a table with fractional weights (these need the rows).

    Notes
    -----
    The estimate at t is the sum of K((t - t_j) / b) / b times the Nelson-Aalen step at t_j, its variance that of the
    sum (by the infinitesimal jackknife where weights are fractional). Closer than b to an end of observation the part
    of the kernel inside is multiplied by a straight line such that its integral is 1 and its mean 0 again (Gasser and
    Mueller's correction), so that a hazard that is constant or straight is not bent there. That line may make the
    estimate negative; it is then 0, and a warning says so. The end of observation is the last time of any row, not
    the last event, since follow-up without events tells that the hazard is low.

    References
    ----------
    Ramlau-Hansen H. Ann Stat 1983; 11: 453-466. Gasser T, Mueller HG. In: Smoothing techniques for curve estimation.
    Springer, 1979, 23-68. Klein JP, Moeschberger ML. Survival analysis, 2nd ed. 2003, section 6.2.

    Examples
    --------
    >>> from riskset.survival import Surv, smoothed_hazard
    >>> surv = Surv([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> smoothed_hazard(surv, 3, times=[2, 4, 9]).hazard.round(4).tolist()
    [0.0971, 0.1254, nan]
    """
    need_surv(surv, table=True)
    counts = risk_counts(surv)
    start, end = _observation(counts)
    _check(bandwidth, kernel, conf_level, end - start)
    rows = _rows(surv)
    at = np.linspace(start, end, _POINTS) if times is None else _asked(times)
    steps = hazard_increments(surv, counts, "nelson-aalen")
    hazard, variance = np.empty(at.shape[0]), np.empty(at.shape[0])
    # One step more on either side, since rounding may put a step at the kernel's very end on either.
    first = np.maximum(np.searchsorted(counts.time, at - bandwidth) - 1, 0)
    last = np.searchsorted(counts.time, at + bandwidth, side="right") + 1
    for i, t in enumerate(at):
        near = slice(first[i], last[i])
        weight = _kernel_weights(counts.time[near], float(t), bandwidth, kernel, start, end)
        hazard[i] = weight @ steps.value[near]
        variance[i] = _variance(rows, counts.time, weight, near, steps)
    slack = TIME_TOLERANCE * max(1.0, end)
    at_risk = counts.at_risk_at(at, slack)
    outside = (at < start - slack) | (at > end + slack)
    # Sums of fractional weights round: this share of all rows is nobody.
    nobody = 1e-12 * (counts.from_start + float(counts.entered.sum()))
    empty = ~outside & (at_risk <= nobody) & (at > start + slack)
    negative = ~outside & ~empty & (hazard < 0)
    hazard, error = np.maximum(hazard, 0.0), np.sqrt(variance)
    hazard[outside | empty] = error[outside | empty] = np.nan
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = np.where(hazard > 0, np.exp(interval_multiplier(conf_level) * error / hazard), np.nan)
        low, high = hazard / factor, hazard * factor
    arrays = (at, hazard, error, low, high, at_risk)
    for array in arrays:
        array.flags.writeable = False
    told = _warnings(int(outside.sum()), int(empty.sum()), int(negative.sum()))
    return SmoothedHazard(*arrays, start, end, float(bandwidth), kernel, conf_level, told)


def _observation(counts: RiskCounts) -> tuple[float, float]:
    """Give where observation starts and ends."""
    if counts.n == 0:
        raise EngineError("there is no row to estimate a hazard from; check the population's condition")
    start = 0.0 if counts.from_start > 0 else float(counts.entry_time[0])
    end = float(counts.time[-1])
    if end <= start:
        raise EngineError("every row ends at time 0, so no time was observed; a hazard needs follow-up")
    return start, end


def _rows(surv: Surv | EventTable) -> Surv | None:
    """Give the rows where the infinitesimal jackknife needs them."""
    if not surv.has_fractional_weights:
        return None
    if isinstance(surv, EventTable):
        raise EngineError("standard errors with fractional weights need the rows; give them as Surv")
    return surv


def _check(bandwidth: float, kernel: str, conf_level: float, length: float) -> None:
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        raise EngineError("the bandwidth must be a number greater than 0, in the unit of the times")
    if bandwidth > length:
        raise EngineError("the bandwidth is longer than observation lasts; choose a smaller one")
    if kernel not in get_args(Kernel):
        raise EngineError(f"kernel '{kernel}' is unknown; choose one of {', '.join(get_args(Kernel))}")
    if not 0.0 < conf_level < 1.0:
        raise EngineError("conf_level must lie between 0 and 1, both excluded; write 95 % as 0.95")


def _asked(times: ArrayLike) -> FloatArray:
    at = numbers(np.atleast_1d(np.asarray(times)), "times")
    if (at < 0).any():
        raise EngineError("the hazard was asked at a negative time; it starts at 0")
    return at


def _kernel_weights(
    time: FloatArray, at: float, bandwidth: float, kernel: Kernel, start: float, end: float
) -> FloatArray:
    """Give the weight of a step at each of `time` (m,) in the estimate at `at`."""
    shape = np.array(_KERNELS[kernel])
    u = (at - time) / bandwidth
    low, high = max(-1.0, (at - end) / bandwidth), min(1.0, (at - start) / bandwidth)
    if low >= high:
        return np.zeros(time.shape[0])
    # Integrals of K, u K and u^2 K over the part of the kernel that lies within observation.
    powers = np.arange(1, shape.shape[0] + 3)
    pieces = (high**powers - low**powers) / powers
    whole, first, second = (float(shape @ pieces[k : k + shape.shape[0]]) for k in range(3))
    spread = whole * second - first**2
    line = (second - first * u) / spread
    value = np.polynomial.polynomial.polyval(u, shape) * line / bandwidth
    return np.where(np.abs(u) <= 1.0, value, 0.0)


def _variance(
    rows: Surv | None, time: FloatArray, near_weight: FloatArray, near: slice, steps: HazardIncrements
) -> float:
    """Give the variance of the sum of `near_weight` times the steps `near`, all m steps being at `time`."""
    if rows is None:
        return float(near_weight**2 @ steps.shared[near])
    weight = np.zeros(time.shape[0])
    weight[near] = near_weight
    place = np.searchsorted(time, rows.time, side="left")
    met = np.concatenate(([0.0], np.cumsum(weight * steps.shared)))
    own = np.where(rows.is_event, (weight * steps.own)[place], 0.0)
    influence = rows.weight_or_one * (own - met[place + 1] + met[first_at_risk(rows, time)])
    return float(influence @ influence)


def _warnings(outside: int, empty: int, negative: int) -> tuple[str, ...]:
    said = []
    if outside:
        said.append(f"{outside} of the times lie outside observation; the hazard there is missing")
    if empty:
        said.append(f"at {empty} of the times nobody is at risk; the hazard there is missing")
    if negative:
        said.append(f"at {negative} of the times the corrected kernel gave less than 0; the hazard there is shown as 0")
    return tuple(said)
