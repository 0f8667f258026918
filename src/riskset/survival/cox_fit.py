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
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.cox_likelihood import CoxDesign, CoxState, cox_design, evaluate
from riskset.survival.cox_ph_test import ProportionalHazardsTest, Transform, proportional_hazards_test
from riskset.survival.cox_residuals import ResidualKind, residuals
from riskset.survival.estimate import ChiSquareTest, Estimate
from riskset.survival.event_grid import event_grid
from riskset.survival.surv import Surv

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, slots=True, eq=False)
class CoxRows:
    """What a model is fitted to: n rows with covariates `x` (n, p), stratum codes and labels, offsets (n,) or None."""

    surv: Surv
    x: FloatArray
    strata: IntArray
    strata_labels: AnyArray
    offset: FloatArray | None
    ties: Ties

    def design(self) -> CoxDesign:
        """Sort, centre and scale the rows; needs at least one event."""
        codes = self.strata if self.strata_labels.shape[0] > 1 else None
        grid = event_grid(self.surv, codes)
        return cox_design(self.surv, self.x, grid, efron=self.ties == "efron", offset=self.offset)


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
    _rows: CoxRows = field(repr=False)
    _fitted: FittedRows | None = field(repr=False)

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
        return wald_test(self.coefficient[places], self.covariance[np.ix_(places, places)])

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
        design, state = self._detail()
        point = np.zeros(len(self.names)) if at is None else np.asarray(at, dtype=np.float64)
        if point.shape != (len(self.names),):
            raise EngineError(f"the baseline needs {len(self.names)} covariate values; it was given {point.shape}")
        kept = ~self.aliased
        level = float((point[kept] - design.centre) / design.scale @ state.beta) - state.shift
        increments = design.per_event_time(state.jump) * np.exp(level)
        running = np.concatenate(([0.0], np.cumsum(increments)))
        pairs = np.stack((self._rows.strata.astype(np.float64), self._rows.surv.time), axis=1)
        ends, row = np.unique(pairs, axis=0, return_index=True)
        codes = ends[:, 0].astype(np.int64)
        # Rows that leave together have the same number of event times behind them.
        place = design.grid.last[row]
        begin = np.searchsorted(design.grid.stratum, codes, side="left")
        return Baseline(self._rows.strata_labels[codes], ends[:, 1], running[place] - running[begin])

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
        design, state = self._detail()
        return residuals(kind, self._rows.surv, design, state, self.naive_covariance, self.coefficient)

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
        design, state = self._detail()
        return proportional_hazards_test(self._rows.surv, design, state, self.names, ~self.aliased, transform, terms)

    def _detail(self) -> tuple[CoxDesign, CoxState]:
        if self._fitted is None:
            raise EngineError("the model has no event, so it has neither residuals nor a baseline hazard")
        return self._fitted.detail


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
