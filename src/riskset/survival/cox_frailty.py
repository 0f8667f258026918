"""Cox's model with a gamma frailty shared by the rows of a group: a centre, a patient with several events.

Each group's hazard is multiplied by exp(omega), gamma distributed with mean 1 and variance theta = 1/nu. For a given
theta the maximum of the marginal likelihood is that of the penalised partial likelihood

    PL(beta, omega) - nu sum(exp(omega) - 1 - omega),

and the marginal log-likelihood is its value plus, for each group with d events,

    log Gamma(nu + d) - log Gamma(nu) - d log nu - (nu + d) log(1 + d/nu) + d,

a constant chosen so that theta = 0 gives Cox's partial likelihood. Since the derivative by omega and beta is 0 there,
its derivative by nu is an explicit one, and theta is where that crosses 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode
from riskset.survival._special import two_sided_p
from riskset.survival._summary import ratio_head, ratio_rows, shown, summary
from riskset.survival._types import AnyArray, BoolArray, FloatArray
from riskset.survival.cox import fit_cox
from riskset.survival.cox_fit import CoxFit, Ties, chi_square_test, hazard_ratios
from riskset.survival.cox_frailty_climb import FrailtyLikelihood, FrailtyState, climb, marginal, marginal_slope
from riskset.survival.cox_likelihood import CoxDesign
from riskset.survival.estimate import ChiSquareTest, Estimate
from riskset.survival.surv import Surv

# Where the marginal likelihood is looked at before its maximum is closed in on, and how far that may lie.
_LADDER = 4.0 ** np.arange(-5.0, 4.0)
_LARGEST = 1e5
_THETA_TOLERANCE = 1e-11
_MAX_STEPS = 100


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrailtyFit:
    """A Cox model with p columns and gamma frailties of G groups.

    Attributes
    ----------
    names : the columns' names, in order
    coefficient, standard_error, z, p_value : arrays of shape (p,)
        Log hazard ratio within a group per unit of the column, Wald statistic and two-sided P at the estimated
        variance. NaN for an aliased column.
    covariance : array of shape (p, p), from the inverse of the whole penalised information of coefficients and
        frailties: R's `var` with `frailty(..., sparse = FALSE)`
    variance : variance theta of the frailties, whose mean is 1
    variance_test : likelihood-ratio test of theta = 0
        Its P is half that of chi-square with one degree of freedom, theta = 0 lying on the edge. NaN where the
        variance was given.
    groups, frailty : arrays of shape (G,), labels and estimated frailties (hazard multipliers)
    log_likelihood, log_likelihood_without : marginal one with, and partial one without frailties
    n, n_events : numbers of rows and of rows with an event (unweighted)
    converged : whether the likelihood settled
    aliased : bool array of shape (p,)
    warnings : sentences, each naming its column where there is one
    ties : how ties were treated
    """

    names: tuple[str, ...]
    coefficient: FloatArray
    standard_error: FloatArray
    z: FloatArray
    p_value: FloatArray
    covariance: FloatArray
    variance: float
    variance_test: ChiSquareTest
    groups: AnyArray
    frailty: FloatArray
    log_likelihood: float
    log_likelihood_without: float
    n: int
    n_events: int
    converged: bool
    aliased: BoolArray
    warnings: tuple[str, ...]
    ties: Ties

    def __repr__(self) -> str:
        counts = f"{self.n} rows, {self.n_events} events, {len(self.groups)} groups"
        test = self.variance_test
        return summary(
            f"Cox model with frailties, {self.ties} ties: {counts}",
            ratio_head("hazard ratio"),
            ratio_rows(self.names, self.hazard_ratio(), self.p_value),
            notes=[f"variance of the frailties {shown(self.variance)}, P {shown(test.p_value)}"],
            warnings=self.warnings,
        )

    def hazard_ratio(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Give each column's hazard ratio within a group with its Wald interval."""
        return hazard_ratios(self.coefficient, self.standard_error, level)


def fit_cox_frailty(
    surv: Surv,
    x: ArrayLike,
    group: ArrayLike,
    *,
    variance: float | None = None,
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    ties: Ties = "efron",
    offset: ArrayLike | None = None,
) -> FrailtyFit:
    """Fit Cox's model with a gamma frailty for each group, by maximum marginal likelihood.

    Parameters
    ----------
    surv : the times, with delayed entry or start-stop rows, and weights that count rows
    x : array of shape (n, p) or (n,)
        Covariates, as for `fit_cox`; p may be 0.
    group : array of shape (n,)
        Labels of the rows that share a frailty; from a few centres to thousands of families.
    variance : number greater than 0, optional
        Variance of the frailties, where it is known; by default it is estimated.
    names, strata, offset : as for `fit_cox`
    ties : "efron" or "breslow"

    Returns
    -------
    FrailtyFit
        A variance that is estimated as 0 is told in `warnings`; the fit is then the plain Cox model's.

    Raises
    ------
    EngineError
        As `fit_cox`; besides exact ties, fractional weights, a missing group, a variance that is not greater than 0.

    Notes
    -----
    Every group's derivative is exact. R's `frailty(group)` treats more than five groups as `sparse`: the same
    estimates, with standard errors from an information whose block of the frailties is taken as diagonal.

    References
    ----------
    Nielsen GG, Gill RD, Andersen PK, Sorensen TI. Scand J Stat 1992; 19: 25-43. Therneau TM, Grambsch PM, Pankratz VS.
    J Comput Graph Stat 2003; 12: 156-175.

    Examples
    --------
    >>> from riskset.survival import Surv, fit_cox_frailty
    >>> surv = Surv([8, 16, 23, 13, 22, 28, 4, 7, 3, 18, 26, 15], [1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1])
    >>> age = [60, 61, 55, 58, 64, 49, 63, 66, 67, 50, 45, 58]
    >>> centre = ["a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "c"]
    >>> fit = fit_cox_frailty(surv, age, centre, variance=0.5, names=["age"])
    >>> round(float(fit.coefficient[0]), 3), fit.frailty.round(2).tolist()
    (0.342, [0.96, 0.43, 1.61])
    """
    need_surv(surv)
    if ties == "exact":
        raise EngineError("a frailty model has no exact ties; choose efron or breslow")
    if surv.has_fractional_weights:
        raise EngineError("fractional weights need a robust variance, which a frailty model lacks; use fit_cox")
    if variance is not None and not (np.isfinite(variance) and variance > 0):
        raise EngineError("the variance of the frailties must be a number greater than 0; leave it out to estimate it")
    plain = fit_cox(surv, x, names=names, strata=strata, ties=ties, offset=offset)
    codes, groups = encode(group, len(surv), "group")
    if plain._fitted is None:
        return _without_frailty(plain, groups, float("nan"), plain.warnings)
    design, start = plain._fitted.detail
    likelihood = FrailtyLikelihood(design, codes[design.rows], groups.shape[0])
    state = likelihood.evaluate(start.beta, np.zeros(groups.shape[0]))
    theta = variance
    if theta is None:
        theta, state = _estimate_variance(likelihood, state)
        if theta == 0.0:
            told = "the variance of the frailties is estimated as 0: the groups differ no more than by chance"
            return _without_frailty(plain, groups, 0.0, (*plain.warnings, told))
    settled = climb(likelihood, state, 1.0 / theta)
    return _summary(plain, design, likelihood, settled.state, settled.settled, theta, groups, variance is None)


def _estimate_variance(likelihood: FrailtyLikelihood, start: FrailtyState) -> tuple[float, FrailtyState]:
    """Give the variance with the largest marginal likelihood, 0 where none is larger than without frailties."""
    # At theta = 0 the derivative by theta is that of a score test for differences beyond Poisson's.
    excess = (likelihood.events - start.expected) ** 2 - likelihood.events
    theta, slope, state = 0.0, float(excess.sum()) / 2.0, start
    best, best_value, best_state = 0.0, start.log_likelihood, start
    rungs = list(_LADDER)
    while rungs:
        upper = float(rungs.pop(0))
        above = climb(likelihood, state, 1.0 / upper).state
        upper_slope = _slope(likelihood, above, upper)
        if slope > 0 >= upper_slope:
            peak, at_peak = _close_in(likelihood, above, (theta, slope), (upper, upper_slope))
            value = marginal(likelihood, at_peak, 1.0 / peak)
            if value > best_value:
                best, best_value, best_state = peak, value, at_peak
        theta, slope, state = upper, upper_slope, above
        if not rungs and slope > 0 and theta < _LARGEST:
            rungs.append(4.0 * theta)
    if slope > 0 and marginal(likelihood, state, 1.0 / theta) > best_value:
        return theta, state
    return best, best_state


def _close_in(
    likelihood: FrailtyLikelihood, state: FrailtyState, lower: tuple[float, float], upper: tuple[float, float]
) -> tuple[float, FrailtyState]:
    """Find where the derivative by theta crosses 0: false position, an end that stays twice losing half its weight."""
    (a, fa), (b, fb) = lower, upper
    theta, stayed = b, 0
    for _ in range(_MAX_STEPS):
        before = theta
        # An end at theta = 0 has no climb of its own: stay above it.
        theta = max((fa * b - fb * a) / (fa - fb), a + 1e-6 * (b - a))
        state = climb(likelihood, state, 1.0 / theta).state
        slope = _slope(likelihood, state, theta)
        if slope > 0:
            a, fa, fb, stayed = theta, slope, fb / 2.0 if stayed == 1 else fb, 1
        else:
            b, fb, fa, stayed = theta, slope, fa / 2.0 if stayed == -1 else fa, -1
        if slope == 0 or abs(theta - before) <= _THETA_TOLERANCE * theta:
            break
    return theta, state


def _slope(likelihood: FrailtyLikelihood, state: FrailtyState, theta: float) -> float:
    return -marginal_slope(likelihood, state, 1.0 / theta) / theta**2


def _summary(
    plain: CoxFit,
    design: CoxDesign,
    likelihood: FrailtyLikelihood,
    state: FrailtyState,
    converged: bool,
    theta: float,
    groups: AnyArray,
    estimated: bool,
) -> FrailtyFit:
    kept = ~plain.aliased
    p = kept.shape[0]
    coefficient, covariance = np.full(p, np.nan), np.full((p, p), np.nan)
    coefficient[kept] = state.beta / design.scale
    block = likelihood.coefficient_covariance(state, 1.0 / theta) / np.outer(design.scale, design.scale)
    covariance[np.ix_(kept, kept)] = block
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.where(np.diag(covariance) >= 0, np.diag(covariance), np.nan))
        z = coefficient / error
    value = marginal(likelihood, state, 1.0 / theta)
    gain = max(2.0 * (value - plain.log_likelihood.fitted), 0.0)
    test = chi_square_test(gain, 1) if estimated else chi_square_test(float("nan"), 0)
    told = list(plain.warnings)
    if not converged:
        told.append("the likelihood with frailties did not settle; the coefficients are not final")
    if estimated and theta >= _LARGEST:
        told.append("the variance of the frailties grows without end; the groups share no common hazard")
    return FrailtyFit(
        names=plain.names,
        coefficient=coefficient,
        standard_error=error,
        z=z,
        p_value=two_sided_p(z),
        covariance=covariance,
        variance=theta,
        variance_test=replace(test, p_value=test.p_value / 2.0),
        groups=groups,
        frailty=np.exp(state.omega),
        log_likelihood=value,
        log_likelihood_without=plain.log_likelihood.fitted,
        n=plain.n,
        n_events=plain.n_events,
        converged=converged,
        aliased=plain.aliased,
        warnings=tuple(told),
        ties=plain.ties,
    )


def _without_frailty(plain: CoxFit, groups: AnyArray, theta: float, told: tuple[str, ...]) -> FrailtyFit:
    """Give the plain model's numbers: the frailties are all 1, or nothing is known of them (`theta` NaN)."""
    test = chi_square_test(0.0, 1) if theta == 0.0 else chi_square_test(float("nan"), 0)
    return FrailtyFit(
        names=plain.names,
        coefficient=plain.coefficient,
        standard_error=plain.standard_error,
        z=plain.z,
        p_value=plain.p_value,
        covariance=plain.covariance,
        variance=theta,
        variance_test=test,
        groups=groups,
        frailty=np.full(groups.shape[0], 1.0 if theta == 0.0 else np.nan),
        log_likelihood=plain.log_likelihood.fitted,
        log_likelihood_without=plain.log_likelihood.fitted,
        n=plain.n,
        n_events=plain.n_events,
        converged=plain.converged,
        aliased=plain.aliased,
        warnings=told,
        ties=plain.ties,
    )
