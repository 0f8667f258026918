"""A fitted Cox model: its numbers, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError, did_you_mean
from riskset.survival._special import chi_square_p, interval_multiplier
from riskset.survival._summary import chi_square_line, ratio_head, ratio_rows, summary
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.cox_concordance import Concordance, concordance
from riskset.survival.cox_likelihood import CoxDesign, CoxState, cox_design, evaluate
from riskset.survival.cox_ph_test import ProportionalHazardsTest, Transform, proportional_hazards_test
from riskset.survival.cox_prediction import (
    Baseline,
    HazardSums,
    NewRows,
    PredictedCurves,
    asked_times,
    baseline,
    check_curve_options,
    hazard_sums,
    new_offset,
    predicted_survival,
)
from riskset.survival.cox_residuals import ResidualKind, residuals
from riskset.survival.cox_ridge import RidgePenalty
from riskset.survival.curve_interval import ConfType
from riskset.survival.estimate import ChiSquareTest, Estimate
from riskset.survival.event_grid import event_grid
from riskset.survival.event_table import EventTable
from riskset.survival.regression_columns import real_numbers
from riskset.survival.surv import Surv, numbers

Ties = Literal["efron", "breslow", "exact"]


@dataclass(frozen=True, slots=True, eq=False)
class CoxRows:
    """What a model is fitted to: n rows with covariates `x` (n, p), stratum codes and labels, offset, cluster codes.

    `offset` and `cluster` are arrays of shape (n,) or None.
    """

    surv: Surv
    x: FloatArray
    strata: IntArray
    strata_labels: AnyArray
    offset: FloatArray | None
    ties: Ties
    cluster: IntArray | None = None

    def design(self) -> CoxDesign:
        """Sort, centre and scale the rows; needs at least one event. Exact ties have Breslow's sums for residuals."""
        codes = self.strata if self.strata_labels.shape[0] > 1 else None
        grid = event_grid(self.surv, codes)
        return cox_design(self.surv, self.x, grid, efron=self.ties == "efron", offset=self.offset)


@dataclass(frozen=True, slots=True, eq=False)
class CoxTable:
    """What a model is fitted to where rows are counted: P patterns with covariates `x` (P, p) and offset (P,) or None.

    `strata` holds a code for each of the table's strata.
    """

    table: EventTable
    x: FloatArray
    strata: IntArray
    strata_labels: AnyArray
    offset: FloatArray | None
    ties: Ties


class FittedRows:
    """The running sums at the estimate that residuals are made of, built when they are first asked for.

    `beta` are the coefficients of the columns that `kept` marks, in their own units; `known` is what the fit has built.
    """

    def __init__(
        self, rows: CoxRows, kept: BoolArray, beta: FloatArray, known: tuple[CoxDesign, CoxState] | None = None
    ) -> None:
        self._rows, self._kept, self._beta, self._known = rows, kept, beta, known

    @cached_property
    def detail(self) -> tuple[CoxDesign, CoxState]:
        """The design of the kept columns and the likelihood's state at the estimate."""
        if self._known is not None:
            return self._known
        design = self._rows.design().keep(self._kept)
        return design, evaluate(design, self._beta * design.scale)


class LogLikelihood(NamedTuple):
    """Log partial likelihood with all coefficients 0 (`null`) and at the estimate (`fitted`)."""

    null: float
    fitted: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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
    ridge : what the penalty did, None for a fit without one
        Shrunken coefficients have no tests: `likelihood_ratio_test`, `wald_test` and `score_test` are NaN then.

    Examples
    --------
    >>> from riskset.survival import Surv, fit_cox
    >>> surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> x = [[62, 1], [70, 1], [55, 0], [66, 0], [58, 1], [49, 0], [61, 0], [50, 1]]
    >>> fit = fit_cox(surv, x, names=["age", "liver"])
    >>> fit.n, fit.n_events, fit.converged, fit.warnings
    (8, 5, True, ())
    >>> round(fit.likelihood_ratio_test.chi_square, 2), fit.likelihood_ratio_test.df
    (7.75, 2)
    >>> base = fit.baseline(at=[60, 0])
    >>> base.time[:2].tolist(), base.cumulative_hazard[:2].round(3).tolist()
    ([5.0, 8.0], [0.012, 0.026])
    >>> fit.residuals("martingale").round(2).tolist()
    [0.91, -0.66, -0.01, 0.33, 0.05, -0.02, -0.3, -0.3]
    >>> test = fit.proportional_hazards_test("identity")
    >>> test.terms, test.p_value.round(2).tolist()
    (('age', 'liver'), [0.17, 0.77])
    >>> round(fit.concordance().value, 3)
    0.952
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
    _rows: CoxRows | CoxTable = field(repr=False)
    _fitted: FittedRows | None = field(repr=False)
    ridge: RidgePenalty | None = None

    def __repr__(self) -> str:
        how = f"{self.ties} ties{'' if self.ridge is None else ', ridge penalty'}"
        test = self.wald_test if self.robust else self.likelihood_ratio_test
        line = chi_square_line(test.chi_square, test.df, test.p_value)
        return summary(
            f"Cox model, {how}: {self.n} rows, {self.n_events} events",
            ratio_head("hazard ratio"),
            ratio_rows(self.names, self.hazard_ratio(), self.p_value),
            notes=[f"{'robust Wald' if self.robust else 'likelihood-ratio'} test: {line}"],
            warnings=self.warnings,
        )

    def hazard_ratio(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Give each column's hazard ratio with its Wald interval; `standard_error` is that of its logarithm."""
        return hazard_ratios(self.coefficient, self.standard_error, level)

    def test_columns(self, names: Sequence[str]) -> ChiSquareTest:
        """Give the Wald test that the coefficients of the columns `names` (a factor's dummies) are all 0."""
        for name in names:
            if name not in self.names:
                raise EngineError(f"the model has no column '{name}'{did_you_mean(name, self.names)}")
        places = np.array([self.names.index(name) for name in names], dtype=np.int64)
        return wald_test(self.coefficient[places], self.covariance[np.ix_(places, places)])

    def baseline(self, at: ArrayLike | None = None) -> Baseline:
        """Give the cumulative hazard of a person with covariates `at`, per stratum: Efron's or Breslow's, as the ties.

        An offset counts as 0; exact ties have Breslow's.

        Parameters
        ----------
        at : array of shape (p,), default all 0
            All 0 is the baseline hazard proper: R's `basehaz(fit, centered = FALSE)` (which keeps the mean offset).

        Raises
        ------
        EngineError
            `at` has another shape than (p,) or holds what is no number, or the model has no event.
        """
        point = np.zeros(len(self.names)) if at is None else numbers(np.atleast_1d(at), "at")
        if point.shape != (len(self.names),):
            raise EngineError(f"the baseline needs {len(self.names)} covariate values; it was given {point.shape}")
        rows = self.of_rows()
        return baseline(self._sums(), point[~self.aliased], rows.strata, rows.surv.time, rows.strata_labels)

    def predict_survival(
        self,
        x: ArrayLike,
        times: ArrayLike | None = None,
        *,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        conf_type: ConfType = "log",
        conf_level: float = 0.95,
    ) -> PredictedCurves:
        """Predict the survival of new rows, with pointwise intervals that hold the coefficients' uncertainty too.

        Parameters
        ----------
        x : array of shape (r, p), or (p,) for one row, or (r,) where the model has one column
            Covariates as the model was fitted to; a column without a coefficient is passed over.
        times : number or array, optional
            Default: the distinct times at which a row of the fit ends. Beyond a stratum's last observation all is NaN.
        strata : array of shape (r,), labels of the rows' strata; needed where the model has strata, and only there
        offset : array of shape (r,), optional, default 0
        conf_type : scale on which the interval is symmetric, "log" as R's survfit, or one of `kaplan_meier`'s
        conf_level : level of the intervals, between 0 and 1

        Returns
        -------
        PredictedCurves
            exp(-cumulative hazard), Efron's or Breslow's as the ties: R's `survfit(fit, newdata)`.

        Raises
        ------
        EngineError
            A shape, label, time or level that does not fit the model, a missing number, or a model without event.

        References
        ----------
        Tsiatis AA. Ann Stat 1981; 9: 93-108. Therneau TM, Grambsch PM. Modeling survival data. Springer 2000,
        section 10.2.

        Examples
        --------
        >>> from riskset.survival import Surv, fit_cox
        >>> surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
        >>> fit = fit_cox(surv, [1, 1, 0, 0, 1, 0, 0, 1], names=["liver"])
        >>> curves = fit.predict_survival([[0], [1]], times=[10, 20, 40])
        >>> curves.survival.round(3).tolist()
        [[0.818, 0.583, nan], [0.707, 0.394, nan]]
        """
        rows = self.of_rows()
        check_curve_options(conf_type, conf_level)
        points = self._new_rows(x)
        shift = new_offset(offset, points.shape[0])
        codes = self._new_strata(strata, points.shape[0])
        last = np.full(rows.strata_labels.shape[0], -np.inf)
        np.maximum.at(last, rows.strata, rows.surv.time)
        asked = np.unique(rows.surv.time) if times is None else asked_times(times)
        new = NewRows(points[:, ~self.aliased], shift, codes, last[codes])
        return predicted_survival(self._sums(), new, asked, conf_type, conf_level)

    def linear_predictor(self, x: ArrayLike | None = None, *, offset: ArrayLike | None = None) -> FloatArray:
        """Give x beta + offset of new rows `x` (r, p), or of the fit's own rows with its own offset: shape (r,).

        Its exponential is the hazard relative to a row with all covariates and the offset 0. A column without a
        coefficient is passed over. R's `predict(fit, reference = "zero")`.
        """
        points = self.of_rows().x if x is None else self._new_rows(x)
        known = new_offset(self.of_rows().offset if x is None else offset, points.shape[0])
        return known + self._score(points, np.zeros(len(self.names)))

    def concordance(self) -> Concordance:
        """Give Harrell's C of the linear predictor on the fit's own rows, per stratum, with its standard error.

        A higher predictor should have the earlier event; clusters of the fit make the standard error theirs. R's
        `concordance(fit)`. See `riskset.survival.concordance`.
        """
        rows = self.of_rows()
        # From the columns' centres, so that a large constant in a column costs no digits.
        score = self._score(rows.x, rows.x.mean(axis=0)) + (0.0 if rows.offset is None else rows.offset)
        return concordance(rows.surv, score, strata=rows.strata, cluster=rows.cluster)

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
        if self.ties == "exact" and kind not in ("martingale", "deviance"):
            raise EngineError(f"exact ties have no {kind} residuals; fit the model with Efron's ties for them")
        rows = self.of_rows()
        design, state = self._detail()
        return residuals(kind, rows.surv, design, state, self.naive_covariance, self.coefficient)

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
        if self.ties == "exact":
            raise EngineError("exact ties have no test of proportional hazards; fit the model with Efron's ties for it")
        if self.ridge is not None:
            raise EngineError("a penalised fit has no test of proportional hazards; fit the model without ridge")
        rows = self.of_rows()
        design, state = self._detail()
        return proportional_hazards_test(rows.surv, design, state, self.names, ~self.aliased, transform, terms)

    def _sums(self) -> HazardSums:
        design, state = self._detail()
        kept = ~self.aliased
        return hazard_sums(design, state, self.covariance[np.ix_(kept, kept)])

    def _score(self, points: FloatArray, centre: FloatArray) -> FloatArray:
        """Give (points - centre) beta, column by column, so that equal rows have equal scores to the last bit."""
        total = np.zeros(points.shape[0])
        for j in np.flatnonzero(~self.aliased):
            total += (points[:, j] - centre[j]) * self.coefficient[j]
        return total

    def _new_rows(self, x: ArrayLike) -> FloatArray:
        try:
            points = np.array(real_numbers(x), dtype=np.float64)
        except (TypeError, ValueError):
            raise EngineError("x holds something that is not a number; give the columns of the fit") from None
        if np.ma.is_masked(x):
            raise EngineError("x holds masked entries; leave rows with missing covariates out before")
        if points.ndim == 1:
            # As in fit_cox, a flat x is one column; where the model has more, it is one row.
            points = points[:, None] if len(self.names) == 1 else points[None, :]
        if points.ndim != 2 or points.shape[1] != len(self.names):
            raise EngineError(f"x has shape {points.shape}; give rows of {len(self.names)} columns, as in the fit")
        bad = np.flatnonzero(~np.isfinite(points).all(axis=0))
        if bad.size:
            raise EngineError(f"column '{self.names[bad[0]]}' of the new rows holds a missing or infinite number")
        return points

    def _new_strata(self, strata: ArrayLike | None, r: int) -> IntArray:
        known = self._rows.strata_labels
        if strata is None and known.shape[0] > 1:
            raise EngineError("the model has strata; give each new row's stratum as strata")
        if strata is None:
            return np.zeros(r, dtype=np.int64)
        labels = np.asarray(strata)
        if labels.shape != (r,):
            raise EngineError(f"strata has shape {labels.shape} and x has {r} rows; give one label a row")
        places = {label: code for code, label in enumerate(known.tolist())}
        codes = [places.get(label, -1) for label in labels.tolist()]
        if -1 in codes:
            raise EngineError("strata holds a label that the model does not have; the fit's strata are all it knows")
        return np.array(codes, dtype=np.int64)

    def of_rows(self) -> CoxRows:
        """Give the rows that the model was fitted to; a fit to an event table has none and refuses."""
        if isinstance(self._rows, CoxTable):
            raise EngineError("the model was fitted to an event table, which has no rows; fit it to the rows for this")
        return self._rows

    def _detail(self) -> tuple[CoxDesign, CoxState]:
        if self._fitted is None:
            raise EngineError("the model has no event, so it has neither residuals nor a baseline hazard")
        return self._fitted.detail


def hazard_ratios(coefficient: FloatArray, standard_error: FloatArray, level: float) -> tuple[Estimate, ...]:
    """Give exp(coefficient) (p,) with Wald intervals of `level`; `standard_error` is that of the logarithm."""
    if not 0.0 < level < 1.0:
        raise EngineError("level must lie between 0 and 1, both excluded; write 95 % as 0.95")
    reach = interval_multiplier(level) * standard_error
    with np.errstate(over="ignore"):
        columns = (
            np.exp(coefficient),
            np.exp(coefficient - reach),
            np.exp(coefficient + reach),
            standard_error,
        )
    return tuple(Estimate(*(float(v) for v in row)) for row in zip(*columns, strict=True))


def wald_test(coefficient: FloatArray, covariance: FloatArray) -> ChiSquareTest:
    """Test that all coefficients (p,) are 0; aliased ones (NaN) are left out."""
    kept = np.flatnonzero(~np.isnan(coefficient))
    if kept.size == 0:
        return chi_square_test(float("nan"), 0)
    b, v = coefficient[kept], covariance[np.ix_(kept, kept)]
    if not (np.isfinite(v).all() and (np.diag(v) > 0).all()):
        return chi_square_test(float("nan"), int(kept.size))
    # Standardise before asking for the rank, or the columns' units would decide it.
    spread = np.sqrt(np.diag(v))
    if np.linalg.matrix_rank(v / np.outer(spread, spread), hermitian=True) < kept.size:
        return chi_square_test(float("nan"), int(kept.size))
    return chi_square_test(float(b @ np.linalg.solve(v, b)), int(kept.size))


def chi_square_test(chi_square: float, df: int) -> ChiSquareTest:
    """Give the test of a chi-square statistic on `df` degrees of freedom."""
    return ChiSquareTest(chi_square, df, chi_square_p(chi_square, df))
