"""Accelerated failure time models: Weibull, exponential, log-normal and log-logistic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode
from riskset.survival._special import chi_square_p, two_sided_p
from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.aft_fit import AftFit, AftParameters, LogLikelihood
from riskset.survival.cox_likelihood import independent_columns
from riskset.survival.cox_newton import inverse
from riskset.survival.estimate import ChiSquareTest
from riskset.survival.interval_censored import IntervalSurv
from riskset.survival.parametric_likelihood import AftDesign, AftState, Distribution, check_distribution, evaluate
from riskset.survival.regression_columns import (
    infinite_coefficients,
    regression_columns,
    spread,
    spread_square,
    standard_errors,
    standardise,
)
from riskset.survival.surv import TIME_TOLERANCE, Surv, numbers

_LIKELIHOOD_TOLERANCE = 1e-9
_MAX_ITERATIONS = 100
_MAX_HALVINGS = 30
# After the likelihood has settled, Newton steps go on until one is this small beside the standard errors (squared).
_POLISHED = 1e-25
_MAX_POLISH = 6
_PIVOT_TOLERANCE = float(np.finfo(np.float64).eps ** 0.75)
# A step changes a scale by this factor at most (logarithm), so that a poor start cannot throw it away.
_LONGEST = 2.0
# Logarithms of times that lie closer together than this are one time, so a smaller scale is none.
_SMALLEST_LOG_SCALE = float(np.log(TIME_TOLERANCE))


def fit_aft(
    surv: Surv | IntervalSurv,
    x: ArrayLike,
    *,
    distribution: Distribution = "weibull",
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    robust: bool | None = None,
    offset: ArrayLike | None = None,
) -> AftFit:
    """Fit log T = intercept + x beta + scale * error by maximum likelihood, as R's survreg.

    Parameters
    ----------
    surv : right-censored times (`Surv`, an event of any cause being the event) or intervals (`IntervalSurv`)
        Weights are honoured. Delayed entry is too (survreg refuses it): a row's likelihood is that of what happens
        after `entry`, given no event until then. Pieces of one person with the same covariates give what the person
        gives whole; where covariates change, the model is that of the piece's own covariates given survival so far.
    x : array of shape (n, p) or (n,)
        Covariates without the intercept, which the model always has; dummy columns for factors. p may be 0.
    distribution : "weibull", "exponential" (scale 1), "lognormal" or "loglogistic"
    names : p names for messages and results, default "x1", "x2", ...
    strata : array of shape (n,), optional
        Labels; each stratum has its own scale and shares the coefficients, as `strata()` in survreg. None for the
        exponential, which has no scale.
    cluster : array of shape (n,), optional
        Labels of rows that belong together; makes the variance robust.
    robust : bool, optional
        Use the sandwich variance. Default: yes with `cluster` or fractional weights, else no. Case weights enter it
        squared, as in `fit_cox`; survreg (3.5-3) leaves them out of its robust variance, has the wrong sign in the
        scale's score of interval-censored rows, and does not turn it on for fractional weights of itself.
    offset : array of shape (n,), optional
        A known part of each row's linear predictor, on the scale of log time.

    Returns
    -------
    AftFit
        Degenerate data are no error: an aliased column gets NaN; separation, missing events, a scale that runs to 0
        and non-convergence are told in `warnings`.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing number or label, repeated names, an unknown distribution, `cluster` with
        `robust=False`, strata of an exponential model, times of 0 (their logarithm is not finite; survreg refuses
        them as well). An interval may start at 0.

    References
    ----------
    Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data, 2nd ed. 2002, chapter 3. Lin DY, Wei
    LJ. J Am Stat Assoc 1989; 84: 1074-1078 (the sandwich).

    Examples
    --------
    >>> from riskset.survival import Surv, fit_aft
    >>> surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> fit = fit_aft(surv, [1, 1, 0, 1, 1, 0, 0, 0], names=["liver"])
    >>> fit.names, fit.coefficient.round(3).tolist(), fit.scale.round(3).tolist()
    (('(intercept)', 'liver'), [3.698, -1.08], [0.393])
    >>> ratio = fit.time_ratio()[0]
    >>> round(ratio.value, 2), round(ratio.low, 2), round(ratio.high, 2)
    (0.34, 0.13, 0.9)
    >>> fit.quantile([[0], [1]]).time.round(1).tolist()
    [35.0, 11.9]
    """
    need_surv(surv, intervals=True)
    check_distribution(distribution)
    columns, labels = regression_columns(x, len(surv), names)
    if cluster is not None and robust is False:
        raise EngineError("clusters need the robust variance; leave robust out or set it to True")
    if strata is not None and distribution == "exponential":
        raise EngineError("an exponential model has no scale to stratify; leave strata out or use a Weibull model")
    _check_times(surv)
    use_robust = bool(robust) if robust is not None else cluster is not None or surv.has_fractional_weights
    groups = None if cluster is None else encode(cluster, len(surv), "cluster")[0]
    known = np.zeros(len(surv)) if offset is None else numbers(offset, "offset", len(surv))
    codes, levels = (
        (np.zeros(len(surv), dtype=np.int64), None) if strata is None else encode(strata, len(surv), "strata")
    )
    n_scales = 0 if distribution == "exponential" else 1 if levels is None else levels.shape[0]
    design = _design(surv, columns, distribution, known, codes, n_scales)
    strata_labels = (None,) * n_scales if levels is None else tuple(levels.tolist())
    empty = _without_estimate(design, ("(intercept)", *labels), strata_labels, use_robust)
    if not empty.n_events:
        return replace(empty, warnings=("there is no event, so no coefficient can be estimated",))
    moved = design.x[:, 1:]
    kept = independent_columns(moved.T @ (design.weight[:, None] * moved), _PIVOT_TOLERANCE)
    design = design.keep(kept)
    search = _maximise(design, _start(design))
    null = search if not kept.any() else _maximise(*_null(design))
    return _summarise(empty, design, null, search, kept, groups)


def _check_times(surv: Surv | IntervalSurv) -> None:
    zero = surv.time == 0 if isinstance(surv, Surv) else (surv.left == 0) & ((surv.right == 0) | np.isinf(surv.right))
    if zero.any():
        raise EngineError(
            f"{int(zero.sum())} rows have time 0, whose logarithm is not finite; leave them out or count from day 1"
        )


def _design(
    surv: Surv | IntervalSurv,
    columns: FloatArray,
    distribution: Distribution,
    offset: FloatArray,
    codes: IntArray,
    n_scales: int,
) -> AftDesign:
    """Sort the rows by kind and centre and scale the columns."""
    if isinstance(surv, Surv):
        left, right = surv.time, np.where(surv.is_event, surv.time, np.inf)
        entry = np.zeros(len(surv)) if surv.entry is None else surv.entry
    else:
        left, right, entry = surv.left, surv.right, np.zeros(len(surv))
    exact, censored = left == right, np.isinf(right)
    rows = np.argsort(np.where(exact, 0, np.where(censored, 1, 2)), kind="stable")
    weight = surv.weight_or_one[rows]
    scaled, centre, scale = standardise(columns[rows], weight)
    late = np.flatnonzero(entry[rows] > 0)
    with np.errstate(divide="ignore"):
        low, high = np.log(left[rows]), np.log(right[rows])
    return AftDesign(
        distribution=distribution,
        rows=rows,
        x=np.concatenate((np.ones((len(surv), 1)), scaled), axis=1),
        centre=centre,
        scale=scale,
        low=low,
        high=high,
        exact=int(exact.sum()),
        censored=int(censored.sum()),
        late=late,
        entry=np.log(entry[rows][late]),
        weight=weight,
        offset=offset[rows],
        stratum=codes[rows],
        strata=n_scales,
    )


def _null(design: AftDesign) -> tuple[AftDesign, FloatArray]:
    smaller = design.keep(np.zeros(design.x.shape[1] - 1, dtype=np.bool_))
    return smaller, _start(smaller)


def _start(design: AftDesign) -> FloatArray:
    """Start from least squares on the logarithms of times, of the middles of intervals, of left-censored ends."""
    time = design.low.copy()
    others = design.exact + design.censored
    time[others:] = np.where(
        np.isfinite(time[others:]), (time[others:] + design.high[others:]) / 2, design.high[others:]
    )
    root = np.sqrt(design.weight)
    wanted = time - design.offset
    beta = np.linalg.lstsq(design.x * root[:, None], wanted * root, rcond=None)[0]
    spread_ = np.sqrt(np.average((wanted - design.x @ beta) ** 2, weights=design.weight))
    log_scale = float(np.log(spread_)) if spread_ > 1e-4 else np.log(0.1)
    theta = np.concatenate((beta, np.full(design.strata, log_scale)))
    # A far outlier may have no likelihood at all at that start: widen, or move up, until it has.
    for _ in range(60):
        if np.isfinite(evaluate(design, theta).log_likelihood):
            break
        theta[design.x.shape[1] :] += 1.0
        theta[0] += 0.0 if design.strata else 1.0
    return theta


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    state: AftState
    step: FloatArray
    iterations: int
    converged: bool


def _maximise(design: AftDesign, theta: FloatArray) -> _Search:
    """Climb by Newton steps, halved while the likelihood gets worse, then polish the parameters."""
    state, settled, polish = evaluate(design, theta), False, 0
    for iteration in range(_MAX_ITERATIONS + 1):
        step = _ascent(design, state)
        gain = float(state.gradient @ step)
        if (settled and (gain < _POLISHED or polish == _MAX_POLISH)) or gain == 0:
            return _Search(state, step, iteration, True)
        new = _climb(design, state, step)
        if (new.theta[design.x.shape[1] :] < _SMALLEST_LOG_SCALE).any():
            return _Search(new, step, iteration, False)
        change = abs(new.log_likelihood - state.log_likelihood)
        polish += settled
        settled = settled or change <= _LIKELIHOOD_TOLERANCE * max(1.0, abs(new.log_likelihood))
        state = new
    return _Search(state, _ascent(design, state), _MAX_ITERATIONS, settled)


def _ascent(design: AftDesign, state: AftState) -> FloatArray:
    """Give the Newton step, or a step uphill where the likelihood is not concave; scales move a bounded way."""
    matrix = (state.information + state.information.T) / 2.0
    diagonal = np.maximum(np.abs(np.diag(matrix)), 1e-12 * np.abs(np.diag(matrix)).max(initial=1e-300))
    ridge = 0.0
    step = np.zeros(state.theta.shape)
    for _ in range(60):
        try:
            root = np.linalg.cholesky(matrix + np.diag(ridge * diagonal))
            step = np.linalg.solve(root.T, np.linalg.solve(root, state.gradient))
            break
        except np.linalg.LinAlgError:
            ridge = max(10.0 * ridge, 1e-8)
    longest = np.abs(step[design.x.shape[1] :]).max(initial=0.0)
    return np.asarray(step * (_LONGEST / longest) if longest > _LONGEST else step)


def _climb(design: AftDesign, state: AftState, step: FloatArray) -> AftState:
    worst = state.log_likelihood - 1e-13 * max(1.0, abs(state.log_likelihood))
    for _ in range(_MAX_HALVINGS):
        new = evaluate(design, state.theta + step)
        if new.log_likelihood >= worst and np.isfinite(new.information).all():
            return new
        step = step / 2.0
    return state


def _summarise(
    empty: AftFit,
    design: AftDesign,
    null: _Search,
    search: _Search,
    kept: BoolArray,
    groups: IntArray | None,
) -> AftFit:
    state, k = search.state, design.x.shape[1]
    covariance = inverse(state.information)
    infinite = infinite_coefficients(state.theta, search.step, covariance)
    collapsed = infinite[k:] | (state.theta[k:] < _SMALLEST_LOG_SCALE)
    if collapsed.any():
        return replace(empty, warnings=_scale_warnings(empty.strata, collapsed))
    naive = AftParameters(state.theta, covariance, design.centre, design.scale, kept)
    used = replace(naive, covariance=_sandwich(design, state, covariance, groups)) if empty.robust else naive
    columns = np.concatenate(([True], kept))
    both = np.concatenate((columns, np.ones(design.strata, dtype=np.bool_)))
    theta, matrix = used.in_own_units()
    coefficient, error = spread(theta[:k], columns), spread(standard_errors(matrix)[:k], columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = coefficient / error
    df = int(kept.sum())
    gain = 2.0 * (state.log_likelihood - null.state.log_likelihood)
    flags = np.zeros(columns.shape[0], dtype=np.bool_)
    flags[columns] = infinite[:k]
    return replace(
        empty,
        coefficient=coefficient,
        standard_error=error,
        z=z,
        p_value=two_sided_p(z),
        log_scale=theta[k:],
        log_scale_error=standard_errors(matrix)[k:],
        scale=np.exp(theta[k:]) if design.strata else np.ones(1),
        covariance=spread_square(matrix, both),
        naive_covariance=spread_square(naive.in_own_units()[1], both),
        log_likelihood=LogLikelihood(null.state.log_likelihood, state.log_likelihood),
        likelihood_ratio_test=ChiSquareTest(gain, df, chi_square_p(gain, df)) if df else empty.likelihood_ratio_test,
        iterations=search.iterations,
        converged=search.converged,
        aliased=~columns,
        infinite=flags,
        warnings=_warnings(empty.names, ~columns, flags, search.converged),
        _parameters=used,
    )


def _sandwich(design: AftDesign, state: AftState, covariance: FloatArray, groups: IntArray | None) -> FloatArray:
    """Give the sandwich variance: squared sums of the rows' (or clusters') dfbeta."""
    with np.errstate(all="ignore"):
        influence = (design.weight[:, None] * design.scores(design.terms(state.theta))) @ covariance
    if groups is not None:
        together = np.zeros((int(groups.max()) + 1, influence.shape[1]))
        np.add.at(together, groups[design.rows], influence)
        influence = together
    return np.asarray(influence.T @ influence)


def _without_estimate(design: AftDesign, names: tuple[str, ...], strata: tuple[Any, ...], robust: bool) -> AftFit:
    """Give the fit of a model that cannot be estimated: every number NaN, nothing to test."""
    p, k = len(names), design.strata
    missing, square = np.full(p, np.nan), np.full((p + k, p + k), np.nan)
    flags = np.zeros(p, dtype=np.bool_)
    return AftFit(
        distribution=design.distribution,
        names=names,
        coefficient=missing,
        standard_error=missing,
        z=missing,
        p_value=missing,
        strata=strata,
        scale=np.full(max(k, 1), np.nan) if k else np.ones(1),
        log_scale=np.full(k, np.nan),
        log_scale_error=np.full(k, np.nan),
        covariance=square,
        naive_covariance=square,
        log_likelihood=LogLikelihood(float("nan"), float("nan")),
        likelihood_ratio_test=ChiSquareTest(float("nan"), 0, float("nan")),
        n=int(design.rows.shape[0]),
        n_events=int(design.rows.shape[0] - design.censored),
        iterations=0,
        converged=False,
        aliased=flags,
        infinite=flags,
        warnings=(),
        robust=robust,
        _parameters=None,
    )


def _warnings(names: tuple[str, ...], aliased: BoolArray, infinite: BoolArray, converged: bool) -> tuple[str, ...]:
    told = [
        f"column '{names[j]}' is constant or a combination of the columns before it; it has no coefficient"
        for j in np.flatnonzero(aliased)
    ]
    told += [
        f"column '{names[j]}' separates the events; its coefficient may be infinite and its Wald test means nothing"
        for j in np.flatnonzero(infinite)
        if j > 0
    ]
    if infinite[0]:
        told.append("the intercept may be infinite: too few ends of rows are known to place the times")
    if not converged:
        told.append(
            f"the likelihood did not settle within {_MAX_ITERATIONS} iterations; the coefficients are not final"
        )
    return tuple(told)


def _scale_warnings(strata: tuple[Any, ...], collapsed: BoolArray) -> tuple[str, ...]:
    which = ["the scale" if label is None else f"the scale of stratum '{label}'" for label in strata]
    return tuple(
        f"{which[j]} runs to 0 or to infinity, so the likelihood has no maximum and nothing can be estimated"
        for j in np.flatnonzero(collapsed)
    )
