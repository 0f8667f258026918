"""Cox's proportional hazards model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError, did_you_mean
from riskset.survival._labels import encode
from riskset.survival._special import chi_square_p, interval_multiplier, two_sided_p
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.cox_likelihood import CoxDesign, CoxState, cox_design, evaluate, independent_columns
from riskset.survival.cox_ph_test import ProportionalHazardsTest, Transform, proportional_hazards_test
from riskset.survival.cox_residuals import ResidualKind, residuals, score_residuals
from riskset.survival.estimate import ChiSquareTest, Estimate
from riskset.survival.event_grid import event_grid
from riskset.survival.surv import Surv

Ties = Literal["efron", "breslow"]

# As R's coxph.control: relative change of the log-likelihood at convergence, smallest Cholesky pivot, and how large a
# last Newton step may be beside its coefficient before the coefficient is called infinite.
_LIKELIHOOD_TOLERANCE = 1e-9
_PIVOT_TOLERANCE = float(np.finfo(np.float64).eps ** 0.75)
_INFINITE_TOLERANCE = float(np.finfo(np.float64).eps ** 0.5) ** 0.5 / 4.0
_MAX_ITERATIONS = 40
_MAX_HALVINGS = 20
# After the likelihood has settled, Newton steps go on until a step is this small beside the standard errors (squared),
# so that coefficients, not only the likelihood, are exact to rounding.
_POLISHED = 1e-25
_MAX_POLISH = 4


class LogLikelihood(NamedTuple):
    """Log partial likelihood with all coefficients 0 (`null`) and at the estimate (`fitted`)."""

    null: float
    fitted: float


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Cumulative baseline hazard at each distinct time at which a row ends, for each stratum in turn.

    Arrays of shape (m,): `stratum` (labels; all None without strata), `time` (sorted within each stratum, unit of the
    times given), `cumulative_hazard`.
    """

    stratum: AnyArray
    time: FloatArray
    cumulative_hazard: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted Cox model with p columns.

    Attributes
    ----------
    names : the columns' names, in order
    coefficient, z, p_value : arrays of shape (p,)
        Log hazard ratio per unit of the column; Wald statistic and two-sided P. NaN for an aliased column.
    standard_error, covariance : arrays of shape (p,), (p, p)
        The robust ones where `robust`, else the naive ones; z, P and intervals use them.
    naive_standard_error, naive_covariance : from the inverse information
    robust_standard_error : array of shape (p,), or None where `robust` is false
    log_likelihood : `.null` and `.fitted`
    likelihood_ratio_test, wald_test, score_test : of all coefficients being 0; the Wald test uses `covariance`
    n, n_events : rows, and rows with an event (unweighted)
    iterations, converged : Newton steps taken; whether the likelihood settled
    aliased, infinite : bool arrays of shape (p,)
        Columns that are constant or combine from earlier ones; columns whose coefficient runs to infinity.
    warnings : sentences, each naming its column where there is one
    ties, robust : how the model was fitted
    """

    names: tuple[str, ...]
    coefficient: FloatArray
    standard_error: FloatArray
    z: FloatArray
    p_value: FloatArray
    covariance: FloatArray
    naive_standard_error: FloatArray
    naive_covariance: FloatArray
    robust_standard_error: FloatArray | None
    log_likelihood: LogLikelihood
    likelihood_ratio_test: ChiSquareTest
    wald_test: ChiSquareTest
    score_test: ChiSquareTest
    n: int
    n_events: int
    iterations: int
    converged: bool
    aliased: BoolArray
    infinite: BoolArray
    warnings: tuple[str, ...]
    ties: Ties
    robust: bool
    _surv: Surv = field(repr=False)
    _strata: IntArray = field(repr=False)
    _strata_labels: AnyArray = field(repr=False)
    _design: CoxDesign | None = field(repr=False)
    _state: CoxState | None = field(repr=False)

    def hazard_ratio(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Give each column's hazard ratio with its Wald interval; `standard_error` is that of its logarithm."""
        if not 0.0 < level < 1.0:
            raise EngineError("level must lie between 0 and 1, both excluded; write 95 % as 0.95")
        reach = interval_multiplier(level) * self.standard_error
        with np.errstate(over="ignore"):
            columns = (
                np.exp(self.coefficient),
                np.exp(self.coefficient - reach),
                np.exp(self.coefficient + reach),
                self.standard_error,
            )
        return tuple(Estimate(*(float(v) for v in row)) for row in zip(*columns, strict=True))

    def test_columns(self, names: Sequence[str]) -> ChiSquareTest:
        """Give the Wald test that the coefficients of the columns `names` (a factor's dummies) are all 0."""
        for name in names:
            if name not in self.names:
                raise EngineError(f"the model has no column '{name}'{did_you_mean(name, self.names)}")
        places = np.array([self.names.index(name) for name in names], dtype=np.int64)
        return _wald(self.coefficient[places], self.covariance[np.ix_(places, places)])

    def baseline(self, at: ArrayLike | None = None) -> Baseline:
        """Give the cumulative hazard of a person with covariates `at`, per stratum: Efron's or Breslow's, as the ties.

        Parameters
        ----------
        at : array of shape (p,), default all 0
            All 0 is the baseline hazard proper: R's `basehaz(fit, centered = FALSE)`.

        Raises
        ------
        EngineError
            `at` has another shape than (p,), or the model has no coefficients because there is no event.
        """
        design, state = self._fitted()
        point = np.zeros(len(self.names)) if at is None else np.asarray(at, dtype=np.float64)
        if point.shape != (len(self.names),):
            raise EngineError(f"the baseline needs {len(self.names)} covariate values; it was given {point.shape}")
        kept = ~self.aliased
        level = float((point[kept] - design.centre) / design.scale @ state.beta) - state.shift
        increments = design.per_event_time(state.jump) * np.exp(level)
        running = np.concatenate(([0.0], np.cumsum(increments)))
        pairs = np.stack((self._strata.astype(np.float64), self._surv.time), axis=1)
        ends, row = np.unique(pairs, axis=0, return_index=True)
        codes = ends[:, 0].astype(np.int64)
        # Rows that leave together have the same number of event times behind them.
        place = design.grid.last[row]
        begin = np.searchsorted(design.grid.stratum, codes, side="left")
        return Baseline(self._strata_labels[codes], ends[:, 1], running[place] - running[begin])

    def residuals(self, kind: ResidualKind) -> FloatArray:
        """Give residuals of one kind, unweighted except dfbeta, as R's `residuals(fit, type)`.

        Parameters
        ----------
        kind
            "martingale", "deviance": shape (n,). "score", "dfbeta": (n, p); dfbeta is the change of the coefficients
            that the row brings about (weighted). "schoenfeld", "scaled_schoenfeld": (events, p), in the order of
            stratum, then time, then row; scaled ones are those of Grambsch & Therneau, plus the coefficient.
            NaN in an aliased column.

        References
        ----------
        Therneau TM, Grambsch PM. Modeling survival data. Springer 2000, chapters 4-7.
        """
        design, state = self._fitted()
        return residuals(kind, self._surv, design, state, self.naive_covariance, self.coefficient)

    def proportional_hazards_test(
        self, transform: Transform = "km", *, terms: Mapping[str, Sequence[str]] | None = None
    ) -> ProportionalHazardsTest:
        """Test proportional hazards by term and globally: the score test of R's cox.zph (survival 3.0 and later).

        Parameters
        ----------
        transform : "km" (1 - Kaplan-Meier just before the event, all rows pooled), "identity", "rank" or "log"
            The function of time with which a coefficient may change.
        terms : optional mapping of a term's name to its columns' names
            Columns of one term (a factor's dummies) are tested together. A column in no term is a term of its own.

        Raises
        ------
        EngineError
            Unknown transform or column, a column in two terms, "log" with an event at time 0, or no event.

        References
        ----------
        Grambsch PM, Therneau TM. Biometrika 1994; 81: 515-526.
        """
        design, state = self._fitted()
        return proportional_hazards_test(self._surv, design, state, self.names, ~self.aliased, transform, terms)

    def _fitted(self) -> tuple[CoxDesign, CoxState]:
        if self._design is None or self._state is None:
            raise EngineError("the model has no event, so it has neither residuals nor a baseline hazard")
        return self._design, self._state


def fit_cox(
    surv: Surv,
    x: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    ties: Ties = "efron",
    cluster: ArrayLike | None = None,
    robust: bool | None = None,
) -> CoxFit:
    """Fit Cox's proportional hazards model by maximum partial likelihood, an event of any cause being the event.

    Parameters
    ----------
    surv : the times, with delayed entry or start-stop rows and case weights where given
    x : array of shape (n, p) or (n,)
        Covariates; dummy columns for factors. Nothing missing. p may be 0 (null model, for likelihood-ratio tests).
    names : p names for messages and results, default "x1", "x2", ...
    strata : array of shape (n,), optional
        Labels; each stratum has its own baseline hazard.
    ties : "efron" or "breslow"
    cluster : array of shape (n,), optional
        Labels of rows that belong together (a patient's start-stop rows, a centre); makes the variance robust.
    robust : bool, optional
        Use the sandwich variance. Default as in R: yes with `cluster` or fractional weights, else no.

    Returns
    -------
    CoxFit
        Degenerate data are no error: aliased columns get NaN as in R, and separation, missing events and
        non-convergence are told in `warnings`.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing number or label, repeated names, unknown `ties`, `cluster` with
        `robust=False`.

    References
    ----------
    Cox DR. J R Stat Soc B 1972; 34: 187-220. Efron B. J Am Stat Assoc 1977; 72: 557-565. Lin DY, Wei LJ. J Am Stat
    Assoc 1989; 84: 1074-1078.
    """
    columns, labels = _covariates(surv, x, names)
    if ties not in get_args(Ties):
        raise EngineError(f"ties '{ties}' is unknown; choose one of {', '.join(get_args(Ties))}")
    if cluster is not None and robust is False:
        raise EngineError("clusters need the robust variance; leave robust out or set it to True")
    use_robust = bool(robust) if robust is not None else cluster is not None or surv.has_fractional_weights
    groups = None if cluster is None else encode(cluster, len(surv), "cluster")[0]
    if strata is None:
        codes, strata_labels = np.zeros(len(surv), dtype=np.int64), np.array([None], dtype=object)
    else:
        codes, strata_labels = encode(strata, len(surv), "strata")
    empty = _without_estimate(surv, labels, ties, use_robust, codes, strata_labels)
    if not surv.is_event.any():
        return replace(empty, warnings=("there is no event, so no coefficient can be estimated",))
    grid = event_grid(surv, None if strata is None else codes)
    design = cox_design(surv, columns, grid, efron=ties == "efron")
    start = evaluate(design, np.zeros(columns.shape[1]))
    kept = independent_columns(start.information, _PIVOT_TOLERANCE)
    if not kept.all():
        design = replace(design, x=design.x[:, kept], centre=design.centre[kept], scale=design.scale[kept])
        start = evaluate(design, np.zeros(int(kept.sum())))
    search = _maximise(design, start)
    return _summarise(empty, design, start, search, kept, groups)


def compare_nested(smaller: CoxFit, larger: CoxFit) -> ChiSquareTest:
    """Give the likelihood-ratio test of `larger` against the nested `smaller`, fitted to the same rows.

    Raises
    ------
    EngineError
        The fits differ in rows, events, strata or ties, so that their likelihoods do not compare.
    """
    same = (
        smaller.ties == larger.ties
        and np.array_equal(smaller._surv.time, larger._surv.time)
        and np.array_equal(smaller._surv.event, larger._surv.event)
        and np.array_equal(smaller._strata, larger._strata)
    )
    if not same:
        raise EngineError("the two models were fitted to different rows, strata or ties; fit both to the same rows")
    df = int((~larger.aliased).sum() - (~smaller.aliased).sum())
    chi_square = 2.0 * (larger.log_likelihood.fitted - smaller.log_likelihood.fitted) if df > 0 else float("nan")
    return _chi_square_test(chi_square, df)


def _covariates(surv: Surv, x: ArrayLike, names: Sequence[str] | None) -> tuple[FloatArray, tuple[str, ...]]:
    n = len(surv)
    if n == 0:
        raise EngineError("there is no row to fit a model to; check the population's condition")
    try:
        columns = np.array(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise EngineError("x holds something that is not a number; turn factors into dummy columns") from None
    if columns.ndim == 1:
        columns = columns[:, None]
    if columns.ndim != 2 or columns.shape[0] != n:
        raise EngineError(f"x has shape {columns.shape} and time has {n} rows; give one row of covariates a patient")
    labels = tuple(f"x{j + 1}" for j in range(columns.shape[1])) if names is None else tuple(names)
    if len(labels) != columns.shape[1] or len(set(labels)) != len(labels):
        raise EngineError(f"names must be {columns.shape[1]} different names, one for each column of x")
    bad = np.flatnonzero(~np.isfinite(columns).all(axis=0))
    if bad.size:
        raise EngineError(f"column '{labels[bad[0]]}' holds a missing or infinite number; leave such rows out before")
    return columns, labels


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    state: CoxState
    step: FloatArray
    iterations: int
    converged: bool


def _maximise(design: CoxDesign, start: CoxState) -> _Search:
    """Climb by Newton steps, halved while the likelihood gets worse, then polish the coefficients."""
    state, settled, polish = start, False, 0
    for iteration in range(_MAX_ITERATIONS + 1):
        step = _solve(state.information, state.gradient)
        if settled and (state.gradient @ step < _POLISHED or polish == _MAX_POLISH):
            return _Search(state, step, iteration, True)
        if state.gradient @ step == 0:
            return _Search(state, step, iteration, True)
        new = _climb(design, state, step)
        change = abs(new.log_likelihood - state.log_likelihood)
        polish += settled
        settled = settled or change <= _LIKELIHOOD_TOLERANCE * max(1.0, abs(new.log_likelihood))
        state = new
    return _Search(state, _solve(state.information, state.gradient), _MAX_ITERATIONS, settled)


def _climb(design: CoxDesign, state: CoxState, step: FloatArray) -> CoxState:
    worst = state.log_likelihood - 1e-13 * max(1.0, abs(state.log_likelihood))
    with np.errstate(all="ignore"):
        for _ in range(_MAX_HALVINGS):
            new = evaluate(design, state.beta + step)
            usable = np.isfinite(new.log_likelihood) and np.isfinite(new.information).all()
            if usable and new.log_likelihood >= worst:
                return new
            step = step / 2.0
    return state


def _solve(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(matrix, vector))
    except np.linalg.LinAlgError:
        # Only a coefficient that has run off to infinity empties the information; the others still solve.
        return np.asarray(np.linalg.pinv(matrix) @ vector)


def _summarise(
    empty: CoxFit,
    design: CoxDesign,
    start: CoxState,
    search: _Search,
    kept: BoolArray,
    groups: IntArray | None,
) -> CoxFit:
    state, scale = search.state, design.scale
    beta = state.beta / scale
    naive = _inverse(state.information) / np.outer(scale, scale)
    step = np.abs(search.step / scale)
    infinite = (step > _LIKELIHOOD_TOLERANCE) & (step > _INFINITE_TOLERANCE * np.abs(beta))
    # Where the information has been emptied by a coefficient on its way to infinity, its inverse is only rounding.
    infinite |= ~(np.diag(naive) > 0)
    variance = _sandwich(design, state, naive, groups) if empty.robust else naive
    p = kept.shape[0]
    coefficient = _spread(beta, kept)
    error = _standard_error(variance, kept)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = coefficient / error
    gain = 2.0 * (state.log_likelihood - start.log_likelihood)
    df = int(kept.sum())
    flags = np.zeros(p, dtype=np.bool_)
    flags[kept] = infinite
    warnings = _warnings(empty.names, ~kept, flags, search.converged)
    return replace(
        empty,
        coefficient=coefficient,
        standard_error=error,
        z=z,
        p_value=two_sided_p(z),
        covariance=_spread_square(variance, kept),
        naive_standard_error=_standard_error(naive, kept),
        naive_covariance=_spread_square(naive, kept),
        robust_standard_error=error if empty.robust else None,
        log_likelihood=LogLikelihood(start.log_likelihood, state.log_likelihood),
        likelihood_ratio_test=_chi_square_test(gain if df else float("nan"), df),
        wald_test=_wald(beta, variance),
        score_test=_chi_square_test(
            float(start.gradient @ _solve(start.information, start.gradient)) if df else float("nan"), df
        ),
        iterations=search.iterations,
        converged=search.converged,
        aliased=~kept,
        infinite=flags,
        warnings=warnings,
        _design=design,
        _state=state,
    )


def _without_estimate(
    surv: Surv, names: tuple[str, ...], ties: Ties, robust: bool, strata: IntArray, labels: AnyArray
) -> CoxFit:
    """Give the fit of a model that has no event: every number NaN, nothing to test."""
    p = len(names)
    missing, square = np.full(p, np.nan), np.full((p, p), np.nan)
    nothing = _chi_square_test(float("nan"), 0)
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
        n=len(surv),
        n_events=int(surv.is_event.sum()),
        iterations=0,
        converged=False,
        aliased=np.zeros(p, dtype=np.bool_),
        infinite=np.zeros(p, dtype=np.bool_),
        warnings=(),
        ties=ties,
        robust=robust,
        _surv=surv,
        _strata=strata,
        _strata_labels=labels,
        _design=None,
        _state=None,
    )


def _sandwich(design: CoxDesign, state: CoxState, naive: FloatArray, groups: IntArray | None) -> FloatArray:
    """Give the Lin-Wei variance: squared sums of the rows' (or clusters') dfbeta."""
    influence = (design.weight[:, None] * score_residuals(design, state)) @ naive
    if groups is not None:
        together = np.zeros((int(groups.max()) + 1, influence.shape[1]))
        np.add.at(together, groups[design.rows], influence)
        influence = together
    return np.asarray(influence.T @ influence)


def _warnings(names: tuple[str, ...], aliased: BoolArray, infinite: BoolArray, converged: bool) -> tuple[str, ...]:
    told = [
        f"column '{names[j]}' is constant or a combination of the columns before it; it has no coefficient"
        for j in np.flatnonzero(aliased)
    ]
    told += [
        f"column '{names[j]}' separates the events; its coefficient may be infinite and its Wald test means nothing"
        for j in np.flatnonzero(infinite)
    ]
    if not converged:
        told.append(
            f"the likelihood did not settle within {_MAX_ITERATIONS} iterations; the coefficients are not final"
        )
    return tuple(told)


def _wald(coefficient: FloatArray, covariance: FloatArray) -> ChiSquareTest:
    kept = np.flatnonzero(~np.isnan(coefficient))
    if kept.size == 0:
        return _chi_square_test(float("nan"), 0)
    b, v = coefficient[kept], covariance[np.ix_(kept, kept)]
    if not (np.isfinite(v).all() and (np.diag(v) > 0).all()):
        return _chi_square_test(float("nan"), int(kept.size))
    # Standardise before asking for the rank, or the columns' units would decide it.
    spread = np.sqrt(np.diag(v))
    if np.linalg.matrix_rank(v / np.outer(spread, spread), hermitian=True) < kept.size:
        return _chi_square_test(float("nan"), int(kept.size))
    return _chi_square_test(float(b @ np.linalg.solve(v, b)), int(kept.size))


def _chi_square_test(chi_square: float, df: int) -> ChiSquareTest:
    return ChiSquareTest(chi_square, df, chi_square_p(chi_square, df))


def _inverse(matrix: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrix))


def _standard_error(covariance: FloatArray, kept: BoolArray) -> FloatArray:
    variance = np.diag(covariance)
    return _spread(np.sqrt(np.where(variance >= 0, variance, np.nan)), kept)


def _spread(values: FloatArray, kept: BoolArray) -> FloatArray:
    """Put the estimated columns' values in their places among all columns, NaN in the aliased ones."""
    full = np.full(kept.shape[0], np.nan)
    full[kept] = values
    return full


def _spread_square(values: FloatArray, kept: BoolArray) -> FloatArray:
    full: Any = np.full((kept.shape[0],) * 2, np.nan)
    full[np.ix_(kept, kept)] = values
    return np.asarray(full)
