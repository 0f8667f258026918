"""Cox's proportional hazards model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_kind, need_surv
from riskset.survival._labels import encode
from riskset.survival._special import two_sided_p
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.cox_exact import exact_likelihood
from riskset.survival.cox_fit import (
    CoxFit,
    CoxRows,
    CoxTable,
    FittedRows,
    LogLikelihood,
    Ties,
    chi_square_test,
    wald_test,
)
from riskset.survival.cox_large import likelihood_of
from riskset.survival.cox_likelihood import CoxDesign, CoxState, independent_columns
from riskset.survival.cox_newton import (
    Evaluation,
    Likelihood,
    Search,
    inverse,
    maximise,
    solve,
)
from riskset.survival.cox_residuals import score_residuals
from riskset.survival.cox_ridge import (
    PenalisedLikelihood,
    PenalisedState,
    RidgePenalty,
    ridge_penalties,
    ridge_summary,
)
from riskset.survival.cox_table import table_likelihood
from riskset.survival.estimate import ChiSquareTest
from riskset.survival.event_table import EventTable
from riskset.survival.regression_columns import (
    fit_warnings,
    infinite_coefficients,
    regression_columns,
    spread,
    spread_square,
    standard_errors,
)
from riskset.survival.surv import Surv, numbers

# As R's coxph.control: smallest Cholesky pivot.
_PIVOT_TOLERANCE = float(np.finfo(np.float64).eps ** 0.75)
# Between the least and the largest offset, on the scale of the log hazard; exp(710) is infinite.
_WIDEST_OFFSET = 700


def fit_cox(
    surv: Surv | EventTable,
    x: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    ties: Ties = "efron",
    cluster: ArrayLike | None = None,
    robust: bool | None = None,
    offset: ArrayLike | None = None,
    ridge: ArrayLike | None = None,
) -> CoxFit:
    """Fit Cox's proportional hazards model by maximum partial likelihood, an event of any cause being the event.

    Parameters
    ----------
    surv : the times, with delayed entry or start-stop rows and case weights where given
        Or a table of counts: then `x`, `strata` and `offset` have one entry for each of `table.patterns` and of
        `table.strata` in the place of rows, and the fit is that of the rows. What needs rows (exact ties, robust
        variances, residuals, baseline) refuses a table.
    x : array of shape (n, p) or (n,)
        Covariates; dummy columns for factors. Nothing missing. p may be 0: `np.empty((n, 0))` is the null model.
        A large array of floats in row order is referred to, not copied: leave it as it is while the fit is in use.
    names : p names for messages and results, default "x1", "x2", ...
    strata : array of shape (n,), optional
        Labels; each stratum has its own baseline hazard.
    ties : "efron", "breslow" or "exact"
        "exact" is the discrete partial likelihood (conditional logistic regression with one stratum for each matched
        set); it takes neither weights nor a robust variance, and its time grows with the product of rows and tied
        events. Its martingale residuals and its baseline are Breslow's, as in R.
    cluster : array of shape (n,), optional
        Labels of rows that belong together (a patient's start-stop rows, a centre); makes the variance robust.
    robust : bool, optional
        Use the sandwich variance. Default as in R: yes with `cluster` or fractional weights, else no.
    offset : array of shape (n,), optional
        A known part of each row's linear predictor, with coefficient 1, as R's `offset()`.
    ridge : number or array of shape (p,), optional
        Penalty theta of all columns, or one for each (0 = free): sum(theta * coefficient^2) / 2 is taken off the log
        partial likelihood, columns in their own units, as R's `ridge(..., theta, scale = FALSE)`. See `CoxFit.ridge`.

    Returns
    -------
    CoxFit
        Degenerate data are no error: aliased columns get NaN as in R, and separation, missing events and
        non-convergence are told in `warnings`.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing number or label, repeated names, unknown `ties`, `cluster` with
        `robust=False`, exact ties with weights or a robust variance, a negative penalty, a table where rows are needed.

    References
    ----------
    Cox DR. J R Stat Soc B 1972; 34: 187-220. Efron B. J Am Stat Assoc 1977; 72: 557-565. Lin DY, Wei LJ. J Am Stat
    Assoc 1989; 84: 1074-1078. Gail MH, Lubin JH, Rubinstein LV. Biometrika 1981; 68: 703-707. Verweij PJM, van
    Houwelingen HC. Stat Med 1994; 13: 2427-2436.

    Examples
    --------
    >>> from riskset.survival import Surv, fit_cox
    >>> surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> x = [[62, 1], [70, 1], [55, 0], [66, 0], [58, 1], [49, 0], [61, 0], [50, 1]]
    >>> fit = fit_cox(surv, x, names=["age", "liver"])
    >>> [round(float(b), 3) for b in fit.coefficient]
    [0.268, 1.472]
    >>> age = fit.hazard_ratio()[0]
    >>> round(age.value, 2), round(age.low, 2), round(age.high, 2)
    (1.31, 1.0, 1.71)
    >>> shrunken = fit_cox(surv, x, names=["age", "liver"], ridge=[0.0, 2.0])
    >>> [round(float(b), 3) for b in shrunken.coefficient]
    [0.232, 0.39]
    """
    need_surv(surv, table=True)
    n, n_strata = (surv.patterns.shape[0], surv.strata.shape[0]) if isinstance(surv, EventTable) else (len(surv),) * 2
    columns, labels = regression_columns(x, n, names)
    if ties not in get_args(Ties):
        raise EngineError(f"ties '{ties}' is unknown; choose one of {', '.join(get_args(Ties))}")
    if cluster is not None and robust is False:
        raise EngineError("clusters need the robust variance; leave robust out or set it to True")
    use_robust = bool(robust) if robust is not None else cluster is not None or surv.has_fractional_weights
    groups = None if cluster is None else encode(cluster, n, "cluster")[0]
    known = None if offset is None else _checked_offset(numbers(offset, "offset", n))
    penalty = None if ridge is None else ridge_penalties(ridge, labels)
    if strata is None:
        codes, strata_labels = np.zeros(n_strata, dtype=np.int64), np.array([None], dtype=object)
    else:
        codes, strata_labels = encode(strata, n_strata, "strata")
    rows: CoxRows | CoxTable
    if isinstance(surv, EventTable):
        _check_table(ties, use_robust)
        rows = CoxTable(surv, columns, codes, strata_labels, known, ties)
    else:
        _check_exact(surv, ties, use_robust)
        rows = CoxRows(surv, columns, codes, strata_labels, known, ties, groups)
    empty = _without_estimate(rows, labels, use_robust)
    if empty.n_events == 0:
        return replace(empty, warnings=("there is no event, so no coefficient can be estimated",))
    likelihood = _likelihood(rows)
    if penalty is not None:
        likelihood = PenalisedLikelihood(likelihood, penalty)
    start = likelihood.evaluate(np.zeros(columns.shape[1]))
    kept = independent_columns(start.information, _PIVOT_TOLERANCE)
    if not kept.all():
        likelihood = likelihood.keep(kept)
        start = likelihood.evaluate(np.zeros(int(kept.sum())))
    search = maximise(likelihood, start)
    return _summarise(empty, likelihood, start, search, kept)


def _likelihood(rows: CoxRows | CoxTable) -> Likelihood:
    if isinstance(rows, CoxTable):
        strata = rows.strata if rows.strata_labels.shape[0] > 1 else None
        return table_likelihood(rows.table, rows.x, strata, rows.offset, efron=rows.ties == "efron")
    if rows.ties == "exact":
        return exact_likelihood(rows.design())
    return likelihood_of(rows)


def compare_nested(smaller: CoxFit, larger: CoxFit) -> ChiSquareTest:
    """Give the likelihood-ratio test of `larger` against the nested `smaller`, fitted to the same rows.

    Parameters
    ----------
    smaller, larger : fits of `fit_cox`, the columns of `smaller` being among those of `larger`

    Raises
    ------
    EngineError
        The fits differ in rows, events, strata, offsets or ties, so that their likelihoods do not compare; one of them
        has a ridge penalty, or a robust variance, whose rows are not independent (as R's `anova`: test such columns
        with `CoxFit.test_columns`); or `smaller` has the larger likelihood, so that it is not nested in `larger`.

    Examples
    --------
    >>> from riskset.survival import Surv, compare_nested, fit_cox
    >>> surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> age, liver = [62, 70, 55, 66, 58, 49, 61, 50], [1, 1, 0, 0, 1, 0, 0, 1]
    >>> both = fit_cox(surv, list(zip(age, liver)), names=["age", "liver"])
    >>> test = compare_nested(fit_cox(surv, age, names=["age"]), both)
    >>> round(test.chi_square, 3), test.df, round(test.p_value, 3)
    (1.531, 1, 0.216)
    """
    for name, fit in (("smaller", smaller), ("larger", larger)):
        need_kind(fit, CoxFit, name, "give a fit of fit_cox")
    if smaller.ridge is not None or larger.ridge is not None:
        raise EngineError("a likelihood-ratio test compares fits without a penalty; fit both without ridge")
    if smaller.robust or larger.robust:
        raise EngineError("a likelihood-ratio test has no robust variance; use test_columns of the larger model")
    pairs = zip(_outcome(smaller._rows), _outcome(larger._rows), strict=False)
    same = type(smaller._rows) is type(larger._rows) and smaller.ties == larger.ties
    if not same or not all(
        (one is None and other is None) or (one is not None and other is not None and np.array_equal(one, other))
        for one, other in pairs
    ):
        raise EngineError("the two models were fitted to different rows, strata or ties; fit both to the same rows")
    df = int((~larger.aliased).sum() - (~smaller.aliased).sum())
    if df < 0:
        raise EngineError("the first model has more columns than the second; give the smaller model first")
    if df <= 0:
        return chi_square_test(float("nan"), df)
    chi_square = 2.0 * (larger.log_likelihood.fitted - smaller.log_likelihood.fitted)
    if chi_square < -1e-6 * max(1.0, abs(larger.log_likelihood.fitted)):
        raise EngineError("the model with fewer columns has the larger likelihood, so it is not nested in the other")
    return chi_square_test(max(chi_square, 0.0), df)


def _outcome(rows: CoxRows | CoxTable) -> list[AnyArray | None]:
    """Give all that two fits must share for their likelihoods to compare."""
    if isinstance(rows, CoxTable):
        cells = rows.table
        counts = (cells.time, cells.pattern, cells.stratum, cells.ending, cells.entering, cells.events)
        return [*counts, rows.strata, rows.offset]
    surv = rows.surv
    return [surv.time, surv.event, surv.entry, surv.weight, rows.strata, rows.offset]


def _summarise(
    empty: CoxFit,
    likelihood: Likelihood,
    start: Evaluation,
    search: Search,
    kept: BoolArray,
) -> CoxFit:
    state, scale = search.state, likelihood.scale
    first, last = _without_penalty(start), _without_penalty(state)
    beta = state.beta / scale
    naive = inverse(state.information) / np.outer(scale, scale)
    infinite = infinite_coefficients(beta, search.step / scale, naive)
    design = likelihood.plain if isinstance(likelihood, PenalisedLikelihood) else likelihood
    known = (design, last) if isinstance(design, CoxDesign) and isinstance(last, CoxState) else None
    rows = empty._rows
    fitted = FittedRows(rows, kept, beta, known) if isinstance(rows, CoxRows) else None
    variance, few = naive, tuple[str, ...]()
    if empty.robust and fitted is not None and isinstance(rows, CoxRows):
        variance = _sandwich(*fitted.detail, naive, rows.cluster)
        few = _few_clusters(rows.cluster, int(kept.sum()))
        if few and rows.cluster is not None and not rows.cluster.any():
            variance = np.full_like(naive, np.nan)
    coefficient = spread(beta, kept)
    error = spread(standard_errors(variance), kept)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = coefficient / error
    # The tests below have no distribution once a penalty has shrunk the coefficients.
    df = int(kept.sum()) if last is state else 0
    gain = 2.0 * (state.log_likelihood - start.log_likelihood)
    flags = np.zeros(kept.shape[0], dtype=np.bool_)
    flags[kept] = infinite
    return replace(
        empty,
        coefficient=coefficient,
        standard_error=error,
        z=z,
        p_value=two_sided_p(z),
        covariance=spread_square(variance, kept),
        naive_standard_error=spread(standard_errors(naive), kept),
        naive_covariance=spread_square(naive, kept),
        robust_standard_error=error if empty.robust else None,
        log_likelihood=LogLikelihood(first.log_likelihood, last.log_likelihood),
        likelihood_ratio_test=chi_square_test(gain if df else float("nan"), df),
        wald_test=wald_test(beta[:df], variance),
        score_test=chi_square_test(
            float(start.gradient @ solve(start.information, start.gradient)) if df else float("nan"), df
        ),
        iterations=search.iterations,
        converged=search.converged,
        aliased=~kept,
        infinite=flags,
        warnings=fit_warnings(empty.names, ~kept, flags, settled=search.converged) + few,
        _fitted=fitted,
        ridge=_ridge(likelihood, state, first.log_likelihood, naive, kept),
    )


def _without_penalty(state: Evaluation) -> Evaluation:
    return state.plain if isinstance(state, PenalisedState) else state


def _ridge(
    likelihood: Likelihood, state: Evaluation, null: float, inverse: FloatArray, kept: BoolArray
) -> RidgePenalty | None:
    if not (isinstance(likelihood, PenalisedLikelihood) and isinstance(state, PenalisedState)):
        return None
    summary = ridge_summary(likelihood.penalty, state, null, likelihood.scale, inverse)
    return replace(
        summary,
        penalty=spread(summary.penalty, kept),
        sampling_covariance=spread_square(summary.sampling_covariance, kept),
    )


def _checked_offset(offset: FloatArray) -> FloatArray:
    if offset.size and np.ptp(offset) > _WIDEST_OFFSET:
        raise EngineError(
            f"offset spans more than {_WIDEST_OFFSET}, whose exp is no finite hazard ratio; give log hazard ratios"
        )
    return offset


def _check_exact(surv: Surv, ties: Ties, robust: bool) -> None:
    if ties != "exact":
        return
    if surv.weight is not None and (surv.weight != 1).any():
        raise EngineError("exact ties take no weights; leave the weights out or use the Efron approximation")
    if robust:
        raise EngineError("exact ties have no robust variance; leave cluster and robust out or use Efron's ties")


def _check_table(ties: Ties, robust: bool) -> None:
    if robust or ties == "exact":
        raise EngineError("an event table has no rows for exact ties or a robust variance; give the rows as a Surv")


def _without_estimate(rows: CoxRows | CoxTable, names: tuple[str, ...], robust: bool) -> CoxFit:
    """Give the fit of a model that has no event: every number NaN, nothing to test."""
    p = len(names)
    missing, square = np.full(p, np.nan), np.full((p, p), np.nan)
    nothing = chi_square_test(float("nan"), 0)
    return CoxFit(
        names=names,
        coefficient=missing,
        standard_error=missing,
        z=missing,
        p_value=missing,
        covariance=square,
        naive_standard_error=missing,
        naive_covariance=square,
        robust_standard_error=missing if robust else None,
        log_likelihood=LogLikelihood(0.0, 0.0),
        likelihood_ratio_test=nothing,
        wald_test=nothing,
        score_test=nothing,
        n=rows.table.n if isinstance(rows, CoxTable) else len(rows.surv),
        n_events=rows.table.n_events if isinstance(rows, CoxTable) else int(rows.surv.is_event.sum()),
        iterations=0,
        converged=False,
        aliased=np.zeros(p, dtype=np.bool_),
        infinite=np.zeros(p, dtype=np.bool_),
        warnings=(),
        ties=rows.ties,
        robust=robust,
        _rows=rows,
        _fitted=None,
    )


def _few_clusters(cluster: IntArray | None, columns: int) -> tuple[str, ...]:
    """Warn where the clusters' sums, which add up to 0, cannot span the columns."""
    number = columns + 1 if cluster is None else int(cluster.max()) + 1
    if number > columns:
        return ()
    return (f"{number} cluster(s) are too few for a robust variance of {columns} column(s); its errors mean nothing",)


def _sandwich(design: CoxDesign, state: CoxState, naive: FloatArray, groups: IntArray | None) -> FloatArray:
    """Give the Lin-Wei variance: squared sums of the rows' (or clusters') dfbeta."""
    influence = (design.weight[:, None] * score_residuals(design, state)) @ naive
    if groups is not None:
        together = np.zeros((int(groups.max()) + 1, influence.shape[1]))
        np.add.at(together, groups[design.rows], influence)
        influence = together
    return np.asarray(influence.T @ influence)
