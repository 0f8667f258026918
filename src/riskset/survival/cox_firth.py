"""Cox's model with Firth's penalty, for separated or sparse data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode
from riskset.survival._special import chi_square_p, interval_multiplier
from riskset.survival._summary import chi_square_line, ratio_head, ratio_rows, summary
from riskset.survival._types import BoolArray, FloatArray
from riskset.survival.cox_firth_likelihood import (
    DONE_FOR_HEIGHT,
    FirthSearch,
    FirthState,
    evaluate_penalised,
    maximise_penalised,
)
from riskset.survival.cox_fit import CoxRows
from riskset.survival.cox_likelihood import CoxDesign, evaluate, independent_columns
from riskset.survival.cox_newton import inverse
from riskset.survival.estimate import ChiSquareTest, Estimate
from riskset.survival.regression_columns import regression_columns, spread, spread_square, standard_errors
from riskset.survival.surv import Surv

FirthTies = Literal["efron", "breslow"]

_PIVOT_TOLERANCE = float(np.finfo(np.float64).eps ** 0.75)
_MAX_PROFILE_STEPS = 80
# Newton's method doubles the digits of a profile's end with each step: a step as small as this, beside the distance
# from the estimate, is the last.
_PROFILE_TOLERANCE = 1e-7


class PenalisedLogLikelihood(NamedTuple):
    """Penalised log partial likelihood with all coefficients 0 (`null`) and at the estimate (`fitted`)."""

    null: float
    fitted: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FirthCoxFit:
    """A Cox model with p columns, fitted with Firth's penalty.

    Attributes
    ----------
    names : the columns' names, in order
    coefficient, low, high : arrays of shape (p,)
        Log hazard ratio per unit of the column, and the ends of its profile-likelihood interval. NaN for an aliased
        column; an end that could not be found is NaN, with a warning.
    chi_square, p_value : arrays of shape (p,)
        Penalised likelihood-ratio test, on 1 degree of freedom, of each coefficient being 0.
    standard_error, covariance : arrays of shape (p,), (p, p)
        From the inverse information at the estimate, as coxphf. Not for intervals: the profile is not symmetric.
    log_likelihood : penalised, `.null` and `.fitted`; the penalty is half the log determinant of the information in the
        columns' own units
    likelihood_ratio_test : penalised, of all coefficients being 0
    level : of the intervals
    n, n_events : rows, and rows with an event (unweighted)
    iterations, converged : Newton steps taken; whether the penalised likelihood settled
    aliased : bool array of shape (p,), columns that are constant or combine from earlier ones
    warnings : sentences, each naming its column where there is one
    ties : how tied events were treated
    """

    names: tuple[str, ...]
    coefficient: FloatArray
    low: FloatArray
    high: FloatArray
    chi_square: FloatArray
    p_value: FloatArray
    standard_error: FloatArray
    covariance: FloatArray
    log_likelihood: PenalisedLogLikelihood
    likelihood_ratio_test: ChiSquareTest
    level: float
    n: int
    n_events: int
    iterations: int
    converged: bool
    aliased: BoolArray
    warnings: tuple[str, ...]
    ties: FirthTies

    def __repr__(self) -> str:
        test = self.likelihood_ratio_test
        line = chi_square_line(test.chi_square, test.df, test.p_value)
        return summary(
            f"Cox model with Firth's penalty, {self.ties} ties: {self.n} rows, {self.n_events} events",
            ratio_head("hazard ratio", self.level),
            ratio_rows(self.names, self.hazard_ratio(), self.p_value),
            notes=[f"penalised likelihood-ratio test: {line}"],
            warnings=self.warnings,
        )

    def hazard_ratio(self) -> tuple[Estimate, ...]:
        """Give each column's hazard ratio with its profile-likelihood interval of the fit's `level`.

        `standard_error` is that of the logarithm.
        """
        with np.errstate(over="ignore"):
            columns = (np.exp(self.coefficient), np.exp(self.low), np.exp(self.high), self.standard_error)
        return tuple(Estimate(*(float(v) for v in row)) for row in zip(*columns, strict=True))


def fit_cox_firth(
    surv: Surv,
    x: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    ties: FirthTies = "efron",
    level: float = 0.95,
) -> FirthCoxFit:
    """Fit Cox's model by maximum penalised partial likelihood, which stays finite where `fit_cox` runs to infinity.

    The penalty is Firth's (Jeffreys' prior): half the log determinant of the information. It takes the first-order bias
    off the coefficients, which matters when events are few or a column separates those with from those without events.

    Parameters
    ----------
    surv : the times, with delayed entry or start-stop rows; weights only as counts of identical rows (whole numbers)
    x : array of shape (n, p) or (n,)
        Covariates; dummy columns for factors. Nothing missing. Results depend on which columns are fitted together,
        the penalty being that of them all, but not on their units.
    names : p names for messages and results, default "x1", "x2", ...
    strata : array of shape (n,), optional
        Labels; each stratum has its own baseline hazard.
    ties : "efron" (as `fit_cox`) or "breslow" (as R's coxphf)
    level : of the profile-likelihood intervals

    Returns
    -------
    FirthCoxFit
        Aliased columns get NaN; missing events, non-convergence and an interval's end that is not found are told in
        `warnings`.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing number or label, repeated names, unknown `ties`, a level outside (0, 1),
        fractional weights.

    Notes
    -----
    A test of one coefficient holds it at 0 in the full model: the penalty stays that of all columns' information. Time
    is of the order n p for a step and n p^2 for an information; 10,000 rows with 5 columns take seconds.

    References
    ----------
    Firth D. Biometrika 1993; 80: 27-38. Heinze G, Schemper M. Biometrics 2001; 57: 114-119.

    Examples
    --------
    No one without the mutation has had the event, so the usual hazard ratio is infinite:

    >>> from riskset.survival import Surv, fit_cox_firth
    >>> surv = Surv([2, 3, 5, 7, 8, 9, 11, 12], [1, 0, 1, 1, 0, 0, 1, 0])
    >>> fit = fit_cox_firth(surv, [1, 0, 1, 1, 0, 0, 1, 0], names=["mutation"])
    >>> ratio = fit.hazard_ratio()[0]
    >>> round(ratio.value, 2), round(ratio.low, 2), round(ratio.high, 0)
    (10.14, 1.07, 1348.0)
    >>> round(float(fit.p_value[0]), 3)
    0.042
    """
    need_surv(surv)
    columns, labels = regression_columns(x, len(surv), names)
    if ties not in get_args(FirthTies):
        raise EngineError(f"ties '{ties}' is unknown; choose one of {', '.join(get_args(FirthTies))}")
    if not 0.0 < level < 1.0:
        raise EngineError("level must lie between 0 and 1, both excluded; write 95 % as 0.95")
    if surv.has_fractional_weights:
        raise EngineError("a penalised likelihood takes weights only as whole counts; use fit_cox with robust=True")
    if strata is None:
        codes, strata_labels = np.zeros(len(surv), dtype=np.int64), np.array([None], dtype=object)
    else:
        codes, strata_labels = encode(strata, len(surv), "strata")
    empty = _without_estimate(surv, labels, ties, level)
    if not surv.is_event.any():
        return replace(empty, warnings=("there is no event, so no coefficient can be estimated",))
    design = CoxRows(surv, columns, codes, strata_labels, None, ties).design()
    start = evaluate(design, np.zeros(columns.shape[1]))
    kept = independent_columns(start.information, _PIVOT_TOLERANCE)
    design = design.keep(kept)
    null = evaluate_penalised(design, np.zeros(int(kept.sum())))
    search = maximise_penalised(design, null, np.ones(int(kept.sum()), dtype=np.bool_))
    return _summarise(empty, design, null, search, kept)


def _summarise(
    empty: FirthCoxFit, design: CoxDesign, null: FirthState, search: FirthSearch, kept: BoolArray
) -> FirthCoxFit:
    state, scale = search.state, design.scale
    df = int(kept.sum())
    covariance = inverse(state.information) / np.outer(scale, scale)
    ends = np.array([_profile_ends(design, search, j, empty.level) for j in range(df)]).reshape(df, 2)
    chi_square = np.array([_ratio(design, search, j) for j in range(df)])
    # |I| in the columns' own units.
    units = float(np.log(scale).sum())
    gain = 2.0 * (state.log_likelihood - null.log_likelihood)
    low, high = spread(ends[:, 0] / scale, kept), spread(ends[:, 1] / scale, kept)
    return replace(
        empty,
        coefficient=spread(state.beta / scale, kept),
        low=low,
        high=high,
        chi_square=spread(chi_square, kept),
        p_value=spread(np.array([chi_square_p(c, 1) for c in chi_square]), kept),
        standard_error=spread(standard_errors(covariance), kept),
        covariance=spread_square(covariance, kept),
        log_likelihood=PenalisedLogLikelihood(null.log_likelihood + units, state.log_likelihood + units),
        likelihood_ratio_test=ChiSquareTest(gain, df, chi_square_p(gain, df)) if df else empty.likelihood_ratio_test,
        iterations=search.iterations,
        converged=search.converged,
        aliased=~kept,
        warnings=_warnings(empty.names, kept, np.isnan(low) | np.isnan(high), search.converged),
    )


def _held(
    design: CoxDesign, near: FirthState, j: int, value: float, curvature: FloatArray, free: BoolArray
) -> FirthState | None:
    """Maximise over the other coefficients with coefficient `j` held at `value`, starting beside `near`."""
    beta = near.beta.copy()
    # Let the others follow in proportion before they are fitted, as the information has it.
    others = np.flatnonzero(free)
    if others.size:
        matrix = near.information + curvature
        beta[others] -= np.linalg.lstsq(matrix[np.ix_(others, others)], matrix[others, j], rcond=None)[0] * (
            value - near.beta[j]
        )
    beta[j] = value
    start = evaluate_penalised(design, beta)
    if not np.isfinite(start.log_likelihood):
        beta[others] = near.beta[others]
        start = evaluate_penalised(design, beta)
        if not np.isfinite(start.log_likelihood):
            return None
    search = maximise_penalised(design, start, free, curvature, DONE_FOR_HEIGHT)
    return search.state if search.converged else None


def _ratio(design: CoxDesign, search: FirthSearch, j: int) -> float:
    """Give the penalised likelihood-ratio statistic of coefficient `j` being 0; NaN where the search fails."""
    free = np.arange(search.state.beta.shape[0]) != j
    held = _held(design, search.state, j, 0.0, search.curvature, free)
    if held is None:
        held = _held(design, evaluate_penalised(design, np.zeros(free.shape)), j, 0.0, search.curvature, free)
    if held is None:
        return float("nan")
    return max(2.0 * (search.state.log_likelihood - held.log_likelihood), 0.0)


def _profile_ends(design: CoxDesign, search: FirthSearch, j: int, level: float) -> tuple[float, float]:
    """Give where the profile of coefficient `j` falls to half the chi-square quantile below its maximum, both ways."""
    z = interval_multiplier(level)
    error = float(np.sqrt(np.diag(inverse(search.state.information + search.curvature))[j]))
    if not np.isfinite(error):
        error = 1.0
    return _profile_end(design, search, j, z, -error), _profile_end(design, search, j, z, error)


def _profile_end(design: CoxDesign, search: FirthSearch, j: int, z: float, error: float) -> float:
    """Search outwards from the maximum, in the direction of `error`, by Newton steps kept within a bracket.

    The signed root r(b) of twice the fall is nearly a straight line in b, so the equation solved is r(b) = z; its slope
    comes from the gradient, since the other coefficients are at their maximum.
    """
    peak, top = search.state, search.state.log_likelihood
    free = np.arange(peak.beta.shape[0]) != j
    inside, outside = float(peak.beta[j]), np.inf * error
    near, b = peak, float(peak.beta[j]) + z * error
    for _ in range(_MAX_PROFILE_STEPS):
        held = _held(design, near, j, b, search.curvature, free)
        if held is None:
            outside = b
            b = (inside + b) / 2.0
            continue
        fall = max(top - held.log_likelihood, 0.0)
        root = float(np.sqrt(2.0 * fall))
        if root < z:
            inside, near = b, held
        else:
            outside = b
        slope = -float(held.gradient[j]) / root if root > 0 else 0.0
        new = b + (z - root) / slope if slope * error > 0 else np.nan
        if abs(new - b) <= _PROFILE_TOLERANCE * abs(new - float(peak.beta[j])):
            return new
        lower, upper = min(inside, outside), max(inside, outside)
        if not (lower < new < upper):
            new = (inside + outside) / 2.0 if np.isfinite(outside) else b + 2.0 * (b - float(peak.beta[j]))
        # A curve that levels off would send the next step out of sight.
        b = float(np.clip(new, b - 10.0 * abs(error), b + 10.0 * abs(error)))
    return float("nan")


def _without_estimate(surv: Surv, names: tuple[str, ...], ties: FirthTies, level: float) -> FirthCoxFit:
    """Give the fit of a model that cannot be estimated: every number NaN, nothing to test."""
    p = len(names)
    missing = np.full(p, np.nan)
    return FirthCoxFit(
        names=names,
        coefficient=missing,
        low=missing,
        high=missing,
        chi_square=missing,
        p_value=missing,
        standard_error=missing,
        covariance=np.full((p, p), np.nan),
        log_likelihood=PenalisedLogLikelihood(float("nan"), float("nan")),
        likelihood_ratio_test=ChiSquareTest(float("nan"), 0, float("nan")),
        level=level,
        n=len(surv),
        n_events=int(surv.is_event.sum()),
        iterations=0,
        converged=False,
        aliased=np.zeros(p, dtype=np.bool_),
        warnings=(),
        ties=ties,
    )


def _warnings(names: tuple[str, ...], kept: BoolArray, open_: BoolArray, converged: bool) -> tuple[str, ...]:
    told = [
        f"column '{names[j]}' is constant or a combination of the columns before it; it has no coefficient"
        for j in np.flatnonzero(~kept)
    ]
    told += [
        f"column '{names[j]}': an end of its profile-likelihood interval was not found"
        for j in np.flatnonzero(open_ & kept)
    ]
    if not converged:
        told.append("the penalised likelihood did not settle; the coefficients are not final")
    return tuple(told)
