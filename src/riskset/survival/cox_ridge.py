"""A partial likelihood with a ridge penalty on its coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._special import chi_square_p
from riskset.survival._types import BoolArray, FloatArray
from riskset.survival.cox_newton import Evaluation, Likelihood


@dataclass(frozen=True, slots=True, eq=False)
class RidgePenalty:
    """What a ridge penalty does to a fit of p columns.

    Attributes
    ----------
    penalty : array of shape (p,)
        Penalty of each column per squared unit of its coefficient; 0 = not penalised.
    penalised_log_likelihood : log partial likelihood minus sum(penalty * coefficient^2) / 2, at the estimate
    effective_df : trace of information * (information + penalty)^-1: p without penalty, nearing 0 as it grows
    sampling_covariance : array of shape (p, p)
        H^-1 I H^-1 with H = I + penalty, R's `var2`: the spread of the shrunken estimate in repeated samples. The fit's
        own `naive_covariance` is H^-1, R's `var`, the Bayesian one, which R prints and which is the larger.
    chi_square, p_value : the likelihood ratio, twice the gain in partial likelihood over all coefficients 0, judged as
        chi-square with `effective_df` degrees of freedom, as R prints it: a rough guide.
    """

    penalty: FloatArray
    penalised_log_likelihood: float
    effective_df: float
    sampling_covariance: FloatArray
    chi_square: float
    p_value: float


@dataclass(frozen=True, slots=True, eq=False)
class PenalisedState:
    """A penalised log-likelihood, its gradient and information; `plain` is the evaluation without the penalty."""

    beta: FloatArray
    log_likelihood: float
    gradient: FloatArray
    information: FloatArray
    plain: Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class PenalisedLikelihood:
    """The likelihood `plain` minus sum(penalty * beta^2) / 2, `penalty` (p,) being for columns in their own units."""

    plain: Likelihood
    penalty: FloatArray

    @property
    def centre(self) -> FloatArray:
        """What each column has been moved by, (p,)."""
        return self.plain.centre

    @property
    def scale(self) -> FloatArray:
        """What each column has been divided by, (p,)."""
        return self.plain.scale

    def evaluate(self, beta: FloatArray) -> PenalisedState:
        """Evaluate the penalised log-likelihood at `beta` (scaled columns)."""
        plain = self.plain.evaluate(beta)
        pull = self.penalty / self.scale**2
        return PenalisedState(
            beta=beta,
            log_likelihood=plain.log_likelihood - float(pull @ beta**2) / 2.0,
            gradient=plain.gradient - pull * beta,
            information=plain.information + np.diag(pull),
            plain=plain,
        )

    def keep(self, columns: BoolArray) -> PenalisedLikelihood:
        """Give the likelihood of the columns that the mask `columns` (p,) keeps."""
        return PenalisedLikelihood(self.plain.keep(columns), self.penalty[columns])


def ridge_penalties(ridge: ArrayLike, names: tuple[str, ...]) -> FloatArray:
    """Give one penalty for each column from a number for all of them, or from one number for each."""
    try:
        penalty = np.array(ridge, dtype=np.float64)
    except (TypeError, ValueError):
        raise EngineError(
            "ridge holds something that is not a number; give one penalty, or one for each column"
        ) from None
    if penalty.shape not in ((), (len(names),)):
        raise EngineError(f"ridge has shape {penalty.shape}; give one penalty, or one for each of {len(names)} columns")
    penalty = np.array(np.broadcast_to(penalty, (len(names),)))
    bad = np.flatnonzero(~(np.isfinite(penalty) & (penalty >= 0)))
    if bad.size:
        raise EngineError(f"the ridge penalty of column '{names[bad[0]]}' is negative or not finite; 0 leaves it free")
    return penalty


def ridge_summary(
    penalty: FloatArray, state: PenalisedState, null: float, scale: FloatArray, inverse: FloatArray
) -> RidgePenalty:
    """Give the summary for the estimated columns, `inverse` (p, p) being H^-1 in the columns' own units."""
    information = state.plain.information * np.outer(scale, scale)
    shrinkage = information @ inverse
    gain = 2.0 * (state.plain.log_likelihood - null)
    df = float(np.trace(shrinkage))
    return RidgePenalty(
        penalty=penalty,
        penalised_log_likelihood=state.log_likelihood,
        effective_df=df,
        sampling_covariance=inverse @ shrinkage,
        chi_square=gain,
        p_value=chi_square_p(gain, df),
    )
