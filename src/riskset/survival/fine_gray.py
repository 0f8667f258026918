"""Fine and Gray's proportional subdistribution hazards model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode
from riskset.survival._special import interval_multiplier, two_sided_p
from riskset.survival._summary import chi_square_line, ratio_head, ratio_rows, summary
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.aalen_johansen import check_cause
from riskset.survival.cox_fit import LogLikelihood, chi_square_test, wald_test
from riskset.survival.cox_likelihood import independent_columns
from riskset.survival.cox_newton import Search, inverse, maximise
from riskset.survival.estimate import ChiSquareTest, Estimate
from riskset.survival.fine_gray_likelihood import (
    FineGrayDesign,
    FineGrayState,
    fine_gray_design,
    score_residuals,
    segments,
)
from riskset.survival.regression_columns import (
    fit_warnings,
    infinite_coefficients,
    regression_columns,
    spread,
    spread_square,
    standard_errors,
)
from riskset.survival.surv import TIME_TOLERANCE, Surv, numbers

# As R's coxph.control: the smallest Cholesky pivot.
_PIVOT_TOLERANCE = float(np.finfo(np.float64).eps ** 0.75)


@dataclass(frozen=True, slots=True, eq=False)
class SubdistributionBaseline:
    """Cumulative subdistribution hazard at each distinct time of an event of the cause, for each stratum in turn.

    Arrays of shape (K,): `stratum` (labels; all None without strata), `time` (sorted within each stratum, unit of the
    times given), `cumulative_hazard`.
    """

    stratum: AnyArray
    time: FloatArray
    cumulative_hazard: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PredictedIncidence:
    """Cumulative incidences of q people at T times.

    `time` (T,); `incidence` (q, T), NaN where `beyond` (T,) marks a time after the last observation.
    """

    time: FloatArray
    incidence: FloatArray
    beyond: BoolArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FineGrayFit:
    """A fitted Fine-Gray model with p columns.

    Attributes
    ----------
    cause : the cause whose subdistribution hazard is modelled
    names : the columns' names, in order
    coefficient, z, p_value : arrays of shape (p,)
        Log subdistribution hazard ratio per unit of the column; Wald statistic and two-sided P. NaN for an aliased
        column.
    standard_error, covariance : arrays of shape (p,), (p, p)
        Fine and Gray's robust ones, which take into account that the distribution of censoring is estimated.
    naive_standard_error, naive_covariance : from the inverse information; not to be used for inference
    log_likelihood : log pseudo likelihood, `.null` with all coefficients 0 and `.fitted`
    pseudo_likelihood_ratio_test : of all coefficients being 0; weights make its chi-square distribution approximate
    wald_test : of all coefficients being 0, by `covariance`
    n, n_events, n_competing : rows, rows with an event of the cause, rows with an event of another (unweighted)
    iterations, converged : Newton steps taken; whether the likelihood settled
    aliased, infinite : bool arrays of shape (p,)
        Columns that are constant or combine from earlier ones; columns whose coefficient runs to infinity.
    warnings : sentences, each naming its column where there is one
    """

    cause: int
    names: tuple[str, ...]
    coefficient: FloatArray
    standard_error: FloatArray
    z: FloatArray
    p_value: FloatArray
    covariance: FloatArray
    naive_standard_error: FloatArray
    naive_covariance: FloatArray
    log_likelihood: LogLikelihood
    pseudo_likelihood_ratio_test: ChiSquareTest
    wald_test: ChiSquareTest
    n: int
    n_events: int
    n_competing: int
    iterations: int
    converged: bool
    aliased: BoolArray
    infinite: BoolArray
    warnings: tuple[str, ...]
    _design: FineGrayDesign = field(repr=False)
    _state: FineGrayState = field(repr=False)
    _strata_labels: AnyArray = field(repr=False)
    _last_time: FloatArray = field(repr=False)

    def __repr__(self) -> str:
        test = self.wald_test
        counts = f"{self.n} rows, {self.n_events} events, {self.n_competing} competing"
        return summary(
            f"Fine-Gray model of cause {self.cause}: {counts}",
            ratio_head("subdistribution hazard ratio"),
            ratio_rows(self.names, self.hazard_ratio(), self.p_value),
            notes=[f"Wald test: {chi_square_line(test.chi_square, test.df, test.p_value)}"],
            warnings=self.warnings,
        )

    def hazard_ratio(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Give each column's subdistribution hazard ratio with its Wald interval.

        `standard_error` is that of its logarithm.

        Raises
        ------
        EngineError
            `level` does not lie strictly between 0 and 1.
        """
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

    def baseline(self, at: ArrayLike | None = None) -> SubdistributionBaseline:
        """Give the cumulative subdistribution hazard of a person with covariates `at`, per stratum (Breslow).

        Parameters
        ----------
        at : array of shape (p,), default all 0
            All 0 is the baseline proper; its increments are `bfitj` of R's `cmprsk::crr`.

        Returns
        -------
        SubdistributionBaseline
            One entry for each distinct time of an event of the cause, stratum by stratum.

        Raises
        ------
        EngineError
            `at` has another shape than (p,), or holds a missing or infinite number.
        """
        point = self._people(np.zeros(len(self.names)) if at is None else at)
        if point.shape[0] != 1:
            raise EngineError("a baseline is that of one person; give one value for each column, or use predict")
        grid = self._design.grid
        running = np.empty(len(grid))
        level = np.exp(self._level(point)[0])
        for begin, end in segments(grid):
            running[begin:end] = np.cumsum(self._state.jump[begin:end]) * level
        return SubdistributionBaseline(self._strata_labels[grid.stratum], grid.time, running)

    def predict(self, x: ArrayLike, times: ArrayLike | None = None, *, stratum: Any = None) -> PredictedIncidence:
        """Predict the cumulative incidence of the cause, 1 - exp(-Lambda(t) exp(x beta)), as R's `predict.crr`.

        Parameters
        ----------
        x : array of shape (q, p) or, for one person, (p,)
        times : array of shape (T,), optional
            In the unit of the times given; by default the distinct times of an event of the cause.
        stratum : label
            Whose baseline; needed where the model has strata.

        Raises
        ------
        EngineError
            Another number of columns, a missing or infinite number, a negative time, a stratum that is unknown, without
            events or left out.
        """
        people = self._people(x)
        begin, end, last = self._stratum(stratum)
        own = self._design.grid.time[begin:end]
        asked = own if times is None else numbers(np.atleast_1d(np.asarray(times)), "times")
        if (asked < 0).any():
            raise EngineError("the incidence was asked at a negative time; it starts at 0")
        slack = TIME_TOLERANCE * max(1.0, float(own.mean()))
        with np.errstate(over="ignore", invalid="ignore"):
            hazard = np.cumsum(self._state.jump[begin:end])
            hazard = np.concatenate(([0.0], hazard))[np.searchsorted(own, asked + slack, side="right")]
            incidence = -np.expm1(-np.exp(self._level(people))[:, None] * hazard)
        beyond = asked > last + slack
        incidence[:, beyond] = np.nan
        return PredictedIncidence(asked, incidence, beyond)

    def _people(self, x: ArrayLike) -> FloatArray:
        try:
            people = np.atleast_2d(np.asarray(x, dtype=np.float64))
        except (TypeError, ValueError):
            raise EngineError("x holds something that is not a number; turn factors into dummy columns") from None
        p = len(self.names)
        if people.ndim != 2 or people.shape[1] != p:
            raise EngineError(f"the model has {p} columns; x has shape {np.shape(x)}: give {p} values a person")
        if not np.isfinite(people).all():
            raise EngineError("x holds a missing or infinite number; leave such people out before")
        return people

    def _level(self, people: FloatArray) -> FloatArray:
        """Give the linear predictors (q,) on the scale of the state's jumps; aliased columns count for nothing."""
        design = self._design
        scaled = (people[:, ~self.aliased] - design.centre) / design.scale
        return np.asarray(scaled @ self._state.beta - self._state.shift)

    def _stratum(self, stratum: Any) -> tuple[int, int, float]:
        """Give where a stratum's event times start and end, and its last time of observation."""
        labels = self._strata_labels.tolist()
        if stratum is None and len(labels) > 1:
            raise EngineError("the model has strata, each with its own baseline; say whose with stratum")
        if stratum is not None and stratum not in labels:
            raise EngineError(
                f"the model has no stratum '{stratum}'; it has {', '.join(str(label) for label in labels)}"
            )
        code = 0 if stratum is None else labels.index(stratum)
        for begin, end in segments(self._design.grid):
            if self._design.grid.stratum[begin] == code:
                return begin, end, float(self._last_time[code])
        raise EngineError(f"stratum '{stratum}' has no event of cause {self.cause}, so it has no baseline")


def fit_fine_gray(
    surv: Surv,
    x: ArrayLike,
    *,
    cause: int = 1,
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    censoring_group: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
) -> FineGrayFit:
    """Fit Fine and Gray's model: covariates act on the cumulative incidence of one cause, the others competing.

    Someone with an event of another cause stays at risk with the probability of not having been censored since, so the
    coefficients tell how the *incidence* of the cause differs; for what drives its rate among those still at risk, use
    `fit_cause_specific`.

    Parameters
    ----------
    surv : the times, with codes k = 1, 2, ... of cause as events, and case weights where given
    x : array of shape (n, p) or (n,)
        Covariates fixed at time zero; dummy columns for factors. Nothing missing.
    cause : the cause to model
    names : p names for messages and results, default "x1", "x2", ...
    strata : array of shape (n,), optional
        Labels; each stratum has its own baseline subdistribution hazard.
    censoring_group : array of shape (n,), optional
        Labels of groups whose distributions of censoring differ and are estimated apart (`cengroup` of R's crr).
    cluster : array of shape (n,), optional
        Labels of rows that belong together (a centre): their influences are added up before they are squared.

    Returns
    -------
    FineGrayFit
        Degenerate columns are no error: aliased ones get NaN, and separation and non-convergence are told in
        `warnings`.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing number or label, repeated names, a cause that does not occur, or delayed
        entry: then the weights would need the distribution of entry as well, which R's cmprsk does not have either.

    Notes
    -----
    Ties are Breslow's, as R's `cmprsk::crr`; at a tie a censoring comes after an event, so weights use G just before.
    Whole-number weights count rows; with fractional ones each influence is multiplied by its weight. With several
    censoring groups the coefficients are those of `crr`; its standard errors (version 2.2-11) differ from ours in the
    third or fourth digit, because its variance leaves out, for a censoring in one group, the later events of the other
    groups, although they are weighted too. Like those of `crr` for one group, ours are Fine and Gray's formula, which
    comes near the derivative of the coefficients by the rows' weights (the infinitesimal jackknife) as rows grow many:
    to 0.1 % with 30 rows, to 1 % with 30 heavily tied ones.
    Cost is O(n p^2) an iteration, memory O(n p).

    References
    ----------
    Fine JP, Gray RJ. J Am Stat Assoc 1999; 94: 496-509. Zhou B et al. Biometrics 2011; 67: 661-670 (strata).

    Examples
    --------
    >>> from riskset.survival import Surv, fit_fine_gray
    >>> surv = Surv([3, 5, 6, 8, 9, 11, 12, 15, 16, 20], [1, 1, 2, 1, 0, 2, 1, 2, 0, 1])
    >>> fit = fit_fine_gray(surv, [1, 0, 1, 1, 0, 0, 1, 0, 1, 0], cause=1, names=["low"])
    >>> fit.coefficient.round(4), fit.standard_error.round(4)
    (array([0.7866]), array([0.8216]))
    >>> fit.predict([[0], [1]], times=[10]).incidence.round(4)
    array([[0.1921],
           [0.3741]])
    """
    need_surv(surv)
    columns, labels = regression_columns(x, len(surv), names)
    if surv.entry is not None:
        raise EngineError("a Fine-Gray model has no delayed entry; use fit_cause_specific, which honours it")
    check_cause(surv, cause)
    n = len(surv)
    no_code = np.zeros(n, dtype=np.int64)
    groups = no_code if censoring_group is None else encode(censoring_group, n, "censoring_group")[0]
    clusters = None if cluster is None else encode(cluster, n, "cluster")[0]
    codes, strata_labels = (no_code, np.array([None], dtype=object)) if strata is None else encode(strata, n, "strata")
    design = fine_gray_design(surv, columns, cause, None if strata is None else codes, groups)
    start = design.evaluate(np.zeros(columns.shape[1]))
    kept = independent_columns(start.information, _PIVOT_TOLERANCE)
    design = design.keep(kept)
    if not kept.all():
        start = design.evaluate(np.zeros(int(kept.sum())))
    search = maximise(design, start)
    last_time = np.full(strata_labels.shape[0], -np.inf)
    np.maximum.at(last_time, codes, surv.time)
    return _summarise(surv, cause, labels, design, start, search, kept, clusters, strata_labels, last_time)


def _summarise(
    surv: Surv,
    cause: int,
    names: tuple[str, ...],
    design: FineGrayDesign,
    start: FineGrayState,
    search: Search,
    kept: BoolArray,
    clusters: IntArray | None,
    strata_labels: AnyArray,
    last_time: FloatArray,
) -> FineGrayFit:
    scale = design.scale
    state = search.state if isinstance(search.state, FineGrayState) else design.evaluate(search.state.beta)
    beta = state.beta / scale
    naive = inverse(state.information) / np.outer(scale, scale)
    flags = np.zeros(kept.shape[0], dtype=np.bool_)
    flags[kept] = infinite_coefficients(beta, search.step / scale, naive)
    variance = _sandwich(surv, design, state, naive, clusters)
    coefficient, error = spread(beta, kept), spread(standard_errors(variance), kept)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = coefficient / error
    df = int(kept.sum())
    gain = 2.0 * (state.log_likelihood - start.log_likelihood)
    return FineGrayFit(
        cause=cause,
        names=names,
        coefficient=coefficient,
        standard_error=error,
        z=z,
        p_value=two_sided_p(z),
        covariance=spread_square(variance, kept),
        naive_standard_error=spread(standard_errors(naive), kept),
        naive_covariance=spread_square(naive, kept),
        log_likelihood=LogLikelihood(start.log_likelihood, state.log_likelihood),
        pseudo_likelihood_ratio_test=chi_square_test(gain if df else float("nan"), df),
        wald_test=wald_test(beta, variance),
        n=len(surv),
        n_events=int((surv.event == cause).sum()),
        n_competing=int((surv.is_event & (surv.event != cause)).sum()),
        iterations=search.iterations,
        converged=search.converged,
        aliased=~kept,
        infinite=flags,
        warnings=fit_warnings(names, ~kept, flags, settled=search.converged),
        _design=design,
        _state=state,
        _strata_labels=strata_labels,
        _last_time=last_time,
    )


def _sandwich(
    surv: Surv, design: FineGrayDesign, state: FineGrayState, naive: FloatArray, clusters: IntArray | None
) -> FloatArray:
    """Give Fine and Gray's variance: squared sums of the rows' (or clusters') influence on the coefficients."""
    influence = (score_residuals(design, state) * design.scale) @ naive
    if clusters is None:
        square = design.weight**2 if surv.has_fractional_weights else design.weight
        return np.asarray((influence * square[:, None]).T @ influence)
    together = np.zeros((int(clusters.max()) + 1, influence.shape[1]))
    np.add.at(together, clusters[design.rows], influence * design.weight[:, None])
    return np.asarray(together.T @ together)
