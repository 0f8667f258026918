"""A fitted accelerated failure time model: its numbers, and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._special import interval_multiplier
from riskset.survival._summary import shown, summary
from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.estimate import ChiSquareTest, Estimate
from riskset.survival.parametric_likelihood import Distribution, log_density, log_survival, standard_quantile
from riskset.survival.surv import numbers


class LogLikelihood(NamedTuple):
    """Log-likelihood of the model with intercept and scales alone (`null`), and at the estimate (`fitted`)."""

    null: float
    fitted: float


@dataclass(frozen=True, slots=True, eq=False)
class AftQuantile:
    """Quantiles of the time for m people; arrays of shape (m,), in the unit of the times given.

    `standard_error` is that of the time itself (delta method, as R's `predict(type = "quantile")`); the interval is
    symmetric on the scale of log time, so that it stays above 0.
    """

    time: FloatArray
    low: FloatArray
    high: FloatArray
    standard_error: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class AftSurvival:
    """Survival of m people at k times; `time` has shape (k,), the others (m, k).

    `standard_error` is that of S itself (delta method); the interval is symmetric on the scale of log time in units of
    the scale, so that it stays within [0, 1].
    """

    time: FloatArray
    survival: FloatArray
    low: FloatArray
    high: FloatArray
    standard_error: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class AftParameters:
    """Parameters as they were fitted: of the kept columns, minus `centre`, divided by `scale`, then log scales."""

    theta: FloatArray
    covariance: FloatArray
    centre: FloatArray
    scale: FloatArray
    kept: BoolArray

    def in_own_units(self) -> tuple[FloatArray, FloatArray]:
        """Give intercept, coefficients and log scales, and their covariance, in the columns' own units."""
        p = self.scale.shape[0]
        back = np.eye(self.theta.shape[0])
        back[0, 1 : p + 1] = -self.centre / self.scale
        back[np.arange(1, p + 1), np.arange(1, p + 1)] = 1.0 / self.scale
        return back @ self.theta, back @ self.covariance @ back.T


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AftFit:
    """A fitted accelerated failure time model with p columns and k strata: log T = intercept + x beta + scale * error.

    Attributes
    ----------
    distribution : of T
    names : "(intercept)", then the columns' names, in order
    coefficient, standard_error, z, p_value : arrays of shape (1 + p,)
        Change of log time per unit of the column, Wald statistic and two-sided P. NaN for an aliased column.
    strata : the strata's labels, (None,) without strata, () for the exponential
    scale : array of shape (k,); 1 for the exponential
    log_scale, log_scale_error : arrays of shape (k,), empty for the exponential
    covariance, naive_covariance : arrays of shape (1 + p + k, 1 + p + k)
        Of the coefficients, then the log scales; from the inverse observed information, the robust one where `robust`.
    log_likelihood : `.null` (intercept and scales alone) and `.fitted`, on the scale of time, as survreg prints it
    likelihood_ratio_test : of all columns' coefficients being 0; not valid where `robust` is needed
    n, n_events : rows, and rows that are not right-censored (unweighted)
    iterations, converged : Newton steps taken; whether the likelihood settled
    aliased, infinite : bool arrays of shape (1 + p,)
        Columns that are constant or combine from earlier ones; coefficients that run to infinity.
    warnings : sentences, each naming its column where there is one
    robust : whether the sandwich variance was used
    """

    distribution: Distribution
    names: tuple[str, ...]
    coefficient: FloatArray
    standard_error: FloatArray
    z: FloatArray
    p_value: FloatArray
    strata: tuple[Any, ...]
    scale: FloatArray
    log_scale: FloatArray
    log_scale_error: FloatArray
    covariance: FloatArray
    naive_covariance: FloatArray
    log_likelihood: LogLikelihood
    likelihood_ratio_test: ChiSquareTest
    n: int
    n_events: int
    iterations: int
    converged: bool
    aliased: BoolArray
    infinite: BoolArray
    warnings: tuple[str, ...]
    robust: bool
    _parameters: AftParameters | None = field(repr=False)

    def __repr__(self) -> str:
        columns = (a.tolist() for a in (self.coefficient, self.standard_error, self.z, self.p_value))
        return summary(
            f"{self.distribution} accelerated failure time model: {self.n} rows, {self.n_events} events",
            ("column", "coefficient", "standard error", "z", "P"),
            list(zip(self.names, *columns, strict=True)),
            notes=[f"scale: {', '.join(shown(scale) for scale in self.scale.tolist())}"],
            warnings=self.warnings,
        )

    def time_ratio(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Give each column's ratio of times (any quantile's) with its Wald interval, the intercept left out.

        Above 1 is longer; `standard_error` is that of the logarithm.
        """
        return _exponentials(self.coefficient[1:], self.standard_error[1:], level)

    def hazard_ratio(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Give each column's hazard ratio exp(-beta / scale), which Weibull and exponential models alone have.

        The interval is Wald's on the log scale, its standard error by the delta method from coefficient and scale.

        Raises
        ------
        EngineError
            The hazards of this distribution are not proportional, or each stratum has its own scale.
        """
        if self.distribution not in ("weibull", "exponential"):
            raise EngineError(f"hazards of a {self.distribution} model are not proportional; use time_ratio")
        if len(self.strata) > 1:
            raise EngineError("with a scale for each stratum the hazard ratio differs between strata; use time_ratio")
        p, scale = len(self.names), float(self.scale[0])
        log_ratio = -self.coefficient[1:] / scale
        variance = np.diag(self.covariance)[1:p] / scale**2
        if self.strata:
            with_scale = self.covariance[1:p, p] / scale
            variance = variance + log_ratio**2 * self.covariance[p, p] + 2.0 * log_ratio * with_scale
        return _exponentials(log_ratio, np.sqrt(variance), level)

    def quantile(
        self,
        x: ArrayLike,
        q: float = 0.5,
        *,
        level: float = 0.95,
        stratum: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> AftQuantile:
        """Predict the time by which a proportion `q` of people with covariates `x` has had the event.

        Parameters
        ----------
        x : array of shape (m, p), or (p,) for one person
        q : proportion, strictly between 0 and 1; 0.5 is the median
        level : of the intervals
        stratum : the people's stratum, one label for all or an array of shape (m,); needed with strata
        offset : array of shape (m,), optional

        Raises
        ------
        EngineError
            `q` or `level` outside (0, 1), a wrong shape, an unknown stratum, or a model without estimates.
        """
        if not 0.0 < q < 1.0:
            raise EngineError("a quantile must lie between 0 and 1, both excluded; the median is 0.5")
        people = self._people(x, stratum, offset)
        z = standard_quantile(self.distribution, q)
        value = people.eta + people.sigma * z
        error = people.error(people.sigma * z)
        reach = _multiplier(level) * error
        time = np.exp(value)
        return AftQuantile(time, np.exp(value - reach), np.exp(value + reach), time * error)

    def survival(
        self,
        times: ArrayLike,
        x: ArrayLike,
        *,
        level: float = 0.95,
        stratum: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> AftSurvival:
        """Predict survival at `times` (shape (k,), none negative) for people with covariates `x`; see `quantile`.

        The model goes on beyond the last observation; whether the data do is for the reader to judge.
        """
        asked = numbers(np.atleast_1d(np.asarray(times)), "times")
        if (asked < 0).any():
            raise EngineError("survival was asked at a negative time; it starts at 0")
        people = self._people(x, stratum, offset)
        with np.errstate(divide="ignore"):
            z = (np.log(asked)[None, :] - people.eta[:, None]) / people.sigma[:, None]
        started = np.isfinite(z)
        z = np.where(started, z, 0.0)
        # z moves by -1/sigma with eta and by -z with log sigma.
        error = np.stack([people.error(z[:, j] * people.sigma) for j in range(asked.shape[0])], axis=1)
        error = error / people.sigma[:, None]
        reach = _multiplier(level) * error

        def at(place: FloatArray) -> FloatArray:
            with np.errstate(over="ignore"):
                return np.where(started, np.exp(log_survival(self.distribution, place)), 1.0)

        with np.errstate(over="ignore"):
            density = np.where(started, np.exp(log_density(self.distribution, z)), 0.0)
        return AftSurvival(asked, at(z), at(z + reach), at(z - reach), density * error)

    def _people(self, x: ArrayLike, stratum: ArrayLike | None, offset: ArrayLike | None) -> _People:
        if self._parameters is None:
            raise EngineError("the model has no estimates, so it predicts nothing; see its warnings")
        fitted, p = self._parameters, len(self.names) - 1
        rows = np.asarray(x, dtype=np.float64)
        rows = rows[None, :] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] != p or not np.isfinite(rows).all():
            raise EngineError(f"a prediction needs {p} finite covariate values a person; x has shape {rows.shape}")
        m = rows.shape[0]
        moved = (rows[:, fitted.kept] - fitted.centre) / fitted.scale
        columns = np.concatenate((np.ones((m, 1)), moved), axis=1)
        known = np.zeros(m) if offset is None else numbers(offset, "offset", m)
        eta = columns @ fitted.theta[: columns.shape[1]] + known
        codes = self._stratum_codes(stratum, m)
        return _People(eta, self.scale[codes], columns, codes, fitted, bool(self.strata))

    def _stratum_codes(self, stratum: ArrayLike | None, m: int) -> IntArray:
        if self.strata in ((), (None,)):
            if stratum is not None:
                raise EngineError("the model has no strata; leave stratum out")
            return np.zeros(m, dtype=np.int64)
        if stratum is None:
            raise EngineError("the model has a scale for each stratum; say which stratum to predict for")
        labels = np.broadcast_to(np.asarray(stratum), (m,)).tolist()
        if any(label not in self.strata for label in labels):
            raise EngineError("a stratum to predict for is none that the model was fitted with; see its strata")
        return np.array([self.strata.index(label) for label in labels], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """Linear predictors and scales of m people, and what their errors come from."""

    eta: FloatArray
    sigma: FloatArray
    columns: FloatArray
    codes: IntArray
    fitted: AftParameters
    has_scale: bool

    def error(self, along_log_scale: FloatArray) -> FloatArray:
        """Give the standard error of eta + a function of the scale whose derivative by log scale is given, (m,)."""
        slopes = np.zeros((self.eta.shape[0], self.fitted.theta.shape[0]))
        k = self.columns.shape[1]
        slopes[:, :k] = self.columns
        if self.has_scale:
            slopes[np.arange(slopes.shape[0]), k + self.codes] = along_log_scale
        variance = np.einsum("ij,jk,ik->i", slopes, self.fitted.covariance, slopes)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def _multiplier(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise EngineError("level must lie between 0 and 1, both excluded; write 95 % as 0.95")
    return interval_multiplier(level)


def _exponentials(value: FloatArray, error: FloatArray, level: float) -> tuple[Estimate, ...]:
    reach = _multiplier(level) * error
    with np.errstate(over="ignore"):
        columns = (np.exp(value), np.exp(value - reach), np.exp(value + reach), error)
    return tuple(Estimate(*(float(v) for v in row)) for row in zip(*columns, strict=True))
