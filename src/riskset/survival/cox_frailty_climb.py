"""The partial likelihood of coefficients and group effects together, penalised as gamma frailties, and its maximum.

Newton steps with the whole information. Its block of the G group effects is a diagonal less a sum over the event terms
of the groups' shares of the risk set, multiplied with themselves: never formed, only multiplied with, in time
proportional to the rows, and solved for by conjugate gradients whatever G is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskset.survival._special import digamma, log_gamma
from riskset.survival._types import FloatArray, IntArray
from riskset.survival.cox_likelihood import CoxDesign, CoxState, at_risk_hazard, evaluate
from riskset.survival.cox_newton import inverse, solve

_MAX_STEPS = 60
_MAX_HALVINGS = 30
# A Newton step this small beside the standard errors (squared) ends the climb.
_SETTLED = 1e-22
_CG_TOLERANCE = 1e-14
# From here on Stirling's series has lost nothing, and differences of log gamma would lose digits.
_SERIES_FROM = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class FrailtyState:
    """The partial likelihood at coefficients `beta` (p,) of scaled columns and group effects `omega` (G,).

    `risk` (a,) and `at_risk` (a,) are the rows' weighted hazards and the cumulative hazards they were exposed to,
    `expected` (G,) the groups' expected numbers of events.
    """

    beta: FloatArray
    omega: FloatArray
    cox: CoxState
    risk: FloatArray
    at_risk: FloatArray
    expected: FloatArray

    @property
    def log_likelihood(self) -> float:
        """Log partial likelihood, without the penalty."""
        return self.cox.log_likelihood


@dataclass(frozen=True, slots=True)
class Climbed:
    """Where a climb ended, and whether it had settled."""

    state: FrailtyState
    settled: bool


class FrailtyLikelihood:
    """The partial likelihood of the rows of `design` in groups with codes `group` (a,), 0 .. `count` - 1."""

    def __init__(self, design: CoxDesign, group: IntArray, count: int) -> None:
        self.design, self.group, self.count = design, group, count
        self.events = self._by_group(design.weight[design.events], group[design.events])
        self._base = np.zeros(group.shape[0]) if design.offset is None else design.offset

    def evaluate(self, beta: FloatArray, omega: FloatArray) -> FrailtyState:
        """Evaluate at `beta` (p,) and `omega` (G,)."""
        design = replace(self.design, offset=self._base + omega[self.group])
        cox = evaluate(design, beta)
        at_risk = at_risk_hazard(design, cox.jump)
        risk = design.weight * cox.hazard
        return FrailtyState(beta, omega, cox, risk, at_risk, self._by_group(risk * at_risk, self.group))

    def step(self, state: FrailtyState, nu: float) -> tuple[FloatArray, FloatArray, float]:
        """Give the Newton step for beta and omega, and the gain that it promises (twice over)."""
        p = state.beta.shape[0]
        pull = self.events - state.expected - nu * np.expm1(state.omega)
        cross = self._cross(state)
        solved = self._solve(state, nu, np.column_stack((cross, pull)))
        left = state.cox.information - cross.T @ solved[:, :p]
        beta = solve(left, state.cox.gradient - cross.T @ solved[:, p]) if p else np.zeros(0)
        omega = solved[:, p] - solved[:, :p] @ beta
        return beta, omega, float(state.cox.gradient @ beta + pull @ omega)

    def coefficient_covariance(self, state: FrailtyState, nu: float) -> FloatArray:
        """Give the coefficients' block (p, p) of the inverse of the whole penalised information (scaled columns)."""
        cross = self._cross(state)
        return inverse(state.cox.information - cross.T @ self._solve(state, nu, cross))

    def _by_group(self, values: FloatArray, group: IntArray) -> FloatArray:
        return np.asarray(np.bincount(group, values, self.count), dtype=np.float64)

    def _grouped(self, values: FloatArray) -> FloatArray:
        """Sum the rows' `values` (a, c) over the groups: (G, c)."""
        return np.column_stack([self._by_group(column, self.group) for column in values.T])

    def _while_at_risk(self, per_term: FloatArray) -> FloatArray:
        """Sum `per_term` (m, c) over the terms at which each row is at risk, tied events in part: (a, c)."""
        design = self.design
        sums = design.while_at_risk(design.per_event_time(per_term))
        if design.has_split_ties:
            taken_back = design.per_event_time(design.fraction[:, None] * per_term)
            sums[design.events] -= taken_back[design.term]
        return sums

    def _cross(self, state: FrailtyState) -> FloatArray:
        """Give the information between group effects and coefficients: (G, p)."""
        if state.beta.size == 0:
            return np.zeros((self.count, 0))
        drift = self._while_at_risk(state.cox.jump[:, None] * state.cox.mean)
        return self._grouped(state.risk[:, None] * (self.design.x * state.at_risk[:, None] - drift))

    def _times(self, state: FrailtyState, v: FloatArray) -> FloatArray:
        """Multiply the information of the group effects, without the penalty, with `v` (G, c)."""
        design = self.design
        values = state.risk[:, None] * v[self.group]
        sums = design.risk_sums(values)[design.term]
        if design.has_split_ties:
            sums -= design.fraction[:, None] * design.per_event_time(values[design.events])[design.term]
        # jump / term weight is 1 / denominator.
        mean = sums * (state.cox.jump / design.term_weight)[:, None]
        shared = self._while_at_risk(state.cox.jump[:, None] * mean)
        return state.expected[:, None] * v - self._grouped(state.risk[:, None] * shared)

    def _solve(self, state: FrailtyState, nu: float, right: FloatArray) -> FloatArray:
        """Solve (information of the group effects + penalty) y = `right` (G, c) by conjugate gradients."""
        if right.shape[1] == 0:
            return right
        penalty = (nu * np.exp(state.omega))[:, None]
        scale = 1.0 / (state.expected[:, None] + penalty)
        y = scale * right
        rest = right - self._times(state, y) - penalty * y
        way = scale * rest
        size = np.einsum("gc,gc->c", rest, way)
        small = _CG_TOLERANCE**2 * np.einsum("gc,gc->c", right, scale * right)
        for _ in range(2 * self.count + 20):
            if (size <= small).all():
                break
            turned = self._times(state, way) + penalty * way
            along = np.einsum("gc,gc->c", way, turned)
            reach = np.divide(size, along, out=np.zeros_like(size), where=along > 0)
            y = y + reach * way
            rest = rest - reach * turned
            new = np.einsum("gc,gc->c", rest, scale * rest)
            way = scale * rest + np.divide(new, size, out=np.zeros_like(size), where=size > 0) * way
            size = new
        return y


def climb(likelihood: FrailtyLikelihood, start: FrailtyState, nu: float) -> Climbed:
    """Climb to the maximum of the penalised likelihood by Newton steps, halved while it gets worse."""
    state = start
    value = _penalised(state, nu)
    for _ in range(_MAX_STEPS):
        beta, omega, gain = likelihood.step(state, nu)
        if gain <= _SETTLED * max(1.0, abs(value)):
            return Climbed(state, True)
        for _ in range(_MAX_HALVINGS):
            with np.errstate(all="ignore"):
                new = likelihood.evaluate(state.beta + beta, state.omega + omega)
                new_value = _penalised(new, nu)
            if np.isfinite(new_value) and new_value >= value - 1e-13 * max(1.0, abs(value)):
                break
            beta, omega = beta / 2.0, omega / 2.0
        else:
            return Climbed(state, False)
        # What rounding leaves of a step can be no smaller: the likelihood no longer moves.
        done = gain <= 1e-18 * max(1.0, abs(value))
        state, value = new, new_value
        if done:
            return Climbed(state, True)
    return Climbed(state, False)


def _penalised(state: FrailtyState, nu: float) -> float:
    return state.log_likelihood - nu * float(np.sum(np.expm1(state.omega) - state.omega))


def marginal(likelihood: FrailtyLikelihood, state: FrailtyState, nu: float) -> float:
    """Give the marginal log-likelihood where `state` is the maximum of the penalised one at `nu`."""
    d = likelihood.events
    if nu >= _SERIES_FROM:
        extra = -np.log1p(d / nu) / 2.0 + _stirling(nu + d) - _stirling(np.full_like(d, nu))
    else:
        ratio = log_gamma(nu + d) - log_gamma(np.full_like(d, nu)) - d * np.log(nu)
        extra = ratio - (nu + d) * np.log1p(d / nu) + d
    return _penalised(state, nu) + float(extra.sum())


def marginal_slope(likelihood: FrailtyLikelihood, state: FrailtyState, nu: float) -> float:
    """Give the derivative by `nu` of the marginal log-likelihood at the maximum `state` of the penalised one."""
    d = likelihood.events
    if nu >= _SERIES_FROM:
        extra = d / (2.0 * nu * (nu + d)) + _stirling_slope(nu + d) - _stirling_slope(np.full_like(d, nu))
    else:
        extra = digamma(nu + d) - digamma(np.full_like(d, nu)) - np.log1p(d / nu)
    return float(extra.sum()) - float(np.sum(np.expm1(state.omega) - state.omega))


def _stirling(x: FloatArray) -> FloatArray:
    """Give log Gamma(x) less (x - 1/2) log x - x + log(2 pi)/2, for large x."""
    return 1 / (12 * x) - 1 / (360 * x**3) + 1 / (1260 * x**5) - 1 / (1680 * x**7)


def _stirling_slope(x: FloatArray) -> FloatArray:
    return -1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6) + 1 / (240 * x**8)
