"""The cumulative baseline hazard of a Cox model and the survival that it predicts, with their standard errors.

For covariates z with linear predictor b'z the cumulative hazard is exp(b'z) Lambda(t), Lambda adding up the jumps dL of
Breslow's or Efron's estimate. Its variance is exp(2 b'z) (V + d' C d): V adds up dL^2 / W over the terms, W the weight
of the term's events, d = z Lambda - (the sum of the covariate means times dL), and C the coefficients' covariance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._special import interval_multiplier
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.cox_likelihood import CoxDesign, CoxState
from riskset.survival.curve_interval import ConfType, curve_interval
from riskset.survival.event_grid import running_sums
from riskset.survival.surv import TIME_TOLERANCE, numbers


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Cumulative baseline hazard at each distinct time at which a row ends, for each stratum in turn.

    Arrays of shape (m,): `stratum` (labels; all None without strata), `time` (sorted within each stratum, unit of the
    times given), `cumulative_hazard`, and its `standard_error`, that of the coefficients included.
    """

    stratum: AnyArray
    time: FloatArray
    cumulative_hazard: FloatArray
    standard_error: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PredictedCurves:
    """Predicted survival of r new rows at m times.

    Attributes
    ----------
    time : array of shape (m,), in the unit of the times given
    survival, low, high, standard_error : arrays of shape (r, m)
        S(t) = exp(-cumulative hazard), its pointwise interval and its standard error.
    cumulative_hazard, cumulative_hazard_error : arrays of shape (r, m)
        The hazard and its standard error, which R's `survfit` gives as `cumhaz` and `std.err`.
    beyond : bool array of shape (r, m)
        Times after the last observation of the row's stratum; there everything else is NaN.
    conf_type, conf_level : how the intervals were made
    """

    time: FloatArray
    survival: FloatArray
    low: FloatArray
    high: FloatArray
    standard_error: FloatArray
    cumulative_hazard: FloatArray
    cumulative_hazard_error: FloatArray
    beyond: BoolArray
    conf_type: ConfType
    conf_level: float
    _sums: HazardSums = field(repr=False)
    _rows: NewRows = field(repr=False)

    def at(self, times: ArrayLike) -> PredictedCurves:
        """Predict the same rows at other `times` (a number or array, none negative)."""
        return predicted_survival(self._sums, self._rows, asked_times(times), self.conf_type, self.conf_level)


@dataclass(frozen=True, slots=True, eq=False)
class HazardSums:
    """The running sums of a fit over its event times, each with a leading zero, on the design's shifted scale.

    `hazard` (K + 1,) and `variance` (K + 1,) add up the jumps and their variances, `drift` (K + 1, p) the means times
    the jumps; `covariance` (p, p) is the coefficients' (scaled columns). They start anew with each stratum.
    """

    design: CoxDesign
    state: CoxState
    hazard: FloatArray
    variance: FloatArray
    drift: FloatArray
    covariance: FloatArray

    def read(
        self, z: FloatArray, offset: float, begin: IntArray | int, place: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Give cumulative hazard and standard error (m,) of a row `z` (p,) at `place` (m,) of the stratum from `begin`.

        `z` are the columns as the design has them, centred and scaled.
        """
        with np.errstate(over="ignore"):
            level = np.exp(float(z @ self.state.beta) + offset - self.state.shift)
        # Before the stratum's first event the place is where the stratum before it has its last.
        place = np.where(place > begin, place, 0)
        hazard = self.hazard[place]
        pull = hazard[:, None] * z - self.drift[place]
        variance = self.variance[place] + np.einsum("mp,mp->m", pull @ self.covariance, pull)
        return level * hazard, level * np.sqrt(np.maximum(variance, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """Rows to predict: columns `x` (r, p), `offset` (r,), `stratum` codes (r,) and the strata's `last_time` (r,)."""

    x: FloatArray
    offset: FloatArray
    stratum: IntArray
    last_time: FloatArray


def hazard_sums(design: CoxDesign, state: CoxState, covariance: FloatArray) -> HazardSums:
    """Add up the jumps of a fit whose coefficients have the covariance (p, p), columns in their own units."""

    def running(per_term: FloatArray) -> FloatArray:
        sums = running_sums(design.per_event_time(per_term), design.grid.segment)
        return np.concatenate((np.zeros((1, *sums.shape[1:])), sums))

    return HazardSums(
        design=design,
        state=state,
        hazard=running(state.jump),
        variance=running(state.jump**2 / design.term_weight),
        drift=running(state.jump[:, None] * state.mean),
        covariance=covariance * np.outer(design.scale, design.scale),
    )


def baseline(sums: HazardSums, point: FloatArray, stratum: IntArray, time: FloatArray, labels: AnyArray) -> Baseline:
    """Give the cumulative hazard at covariates `point` (p,) where the rows of `stratum` and `time` (n,) end."""
    order = np.lexsort((time, stratum))
    codes, ends = stratum[order], time[order]
    new = np.concatenate(([True], (np.diff(ends) != 0) | (np.diff(codes) != 0)))
    codes, ends = codes[new], ends[new]
    begin, place = np.zeros(codes.shape, dtype=np.int64), np.zeros(codes.shape, dtype=np.int64)
    for code in np.unique(codes):
        own = codes == code
        begin[own], place[own] = _places(sums.design, int(code), ends[own])
    z = (point - sums.design.centre) / sums.design.scale
    hazard, error = sums.read(z, 0.0, begin, place)
    return Baseline(labels[codes], ends, hazard, error)


def predicted_survival(
    sums: HazardSums, rows: NewRows, times: FloatArray, conf_type: ConfType, conf_level: float
) -> PredictedCurves:
    """Predict new rows at `times` (m,)."""
    design = sums.design
    # A time given as 365.25 * 2 must find the event that came to the same number by another sum.
    slack = TIME_TOLERANCE * max(1.0, float(design.grid.time.mean()))
    z = (rows.x - design.centre) / design.scale
    shape = (z.shape[0], times.shape[0])
    hazard, error = np.zeros(shape), np.zeros(shape)
    places = {int(code): _places(design, int(code), times + slack) for code in np.unique(rows.stratum)}
    for r, code in enumerate(rows.stratum):
        hazard[r], error[r] = sums.read(z[r], float(rows.offset[r]), *places[int(code)])
    beyond = times > rows.last_time[:, None] + slack
    hazard[beyond], error[beyond] = np.nan, np.nan
    survival = np.exp(-hazard)
    spread = survival * error
    low, high = curve_interval(survival, spread, conf_type, interval_multiplier(conf_level))
    curves = (survival, low, high, spread, hazard, error, beyond)
    return PredictedCurves(times, *curves, conf_type, conf_level, sums, rows)


def asked_times(times: ArrayLike) -> FloatArray:
    """Give times at which a curve is asked, or refuse negative or missing ones."""
    asked = numbers(np.atleast_1d(np.asarray(times)), "times")
    if (asked < 0).any():
        raise EngineError("the curve was asked at a negative time; it starts at 0")
    return asked


def new_offset(offset: ArrayLike | None, r: int) -> FloatArray:
    """Give the offsets of r new rows, 0 where none were given."""
    if offset is None:
        return np.zeros(r)
    given = numbers(offset, "offset")
    if given.shape != (r,):
        raise EngineError(f"offset has shape {given.shape} and x has {r} rows; give one offset a row")
    return given


def check_curve_options(conf_type: str, conf_level: float) -> None:
    """Refuse an unknown scale or an impossible level."""
    if conf_type not in get_args(ConfType):
        raise EngineError(f"conf_type '{conf_type}' is unknown; choose one of {', '.join(get_args(ConfType))}")
    if not 0.0 < conf_level < 1.0:
        raise EngineError("conf_level must lie between 0 and 1, both excluded; write 95 % as 0.95")


def _places(design: CoxDesign, code: int, times: FloatArray) -> tuple[int, IntArray]:
    """Give the running sum with which a stratum begins, and the one that holds its events up to each time (m,)."""
    begin, end = np.searchsorted(design.grid.stratum, [code, code + 1])
    within = np.searchsorted(design.grid.time[begin:end], times, side="right")
    return int(begin), np.asarray(begin + within, dtype=np.int64)
