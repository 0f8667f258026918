"""Cox's partial likelihood with Firth's penalty, half the logarithm of the determinant of the information.

With I the information, W_t, S0_t, m_t the weight, denominator and covariate mean of a term (see `cox_likelihood`) and
E_t the mean over its risk set, the penalty's derivative by coefficient k is half of

    trace(I^-1 dI/dbeta_k) = sum_t W_t E_t[(x - m_t)_k q],    q = (x - m_t)' I^-1 (x - m_t),

a third moment. With y = L^-1 x, I = L L', the square is q = |y|^2 - 2 y mu_t + |mu_t|^2, so that the sum over terms and
rows comes apart: each row needs the sums of W_t / S0_t and of (W_t / S0_t) mu_t over the terms at which it is at risk.
That is n p numbers; no p x p work for a row or a term.

References: Firth D. Biometrika 1993; 80: 27-38. Heinze G, Schemper M. Biometrics 2001; 57: 114-119.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.cox_likelihood import CoxDesign, CoxState, at_risk_hazard, evaluate

_MAX_ITERATIONS = 200
_MAX_HALVINGS = 30
# A step moves no coefficient (of a column with mean absolute deviation 1) by more than this, lest it leave the region
# where the information can be inverted.
_LONGEST = 2.0
# Newton's expected gain: below the first the penalty's curvature is worth its evaluations, below the second it is done.
_NEAR = 1e-2
_DONE = 1e-22
# Where only the height of a profile counts, which is flat in the other coefficients, less will do.
DONE_FOR_HEIGHT = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class FirthState:
    """The penalised likelihood at `beta` (scaled columns): its value, gradient (p,), and the information (p, p)."""

    beta: FloatArray
    log_likelihood: float
    gradient: FloatArray
    information: FloatArray


def evaluate_penalised(design: CoxDesign, beta: FloatArray) -> FirthState:
    """Evaluate at `beta`; the value is -inf where the information is not positive definite."""
    with np.errstate(all="ignore"):
        plain = evaluate(design, beta)
        nothing = FirthState(beta, -np.inf, np.full(beta.shape, np.nan), plain.information)
        if not (np.isfinite(plain.log_likelihood) and np.isfinite(plain.information).all()):
            return nothing
        try:
            root = np.asarray(np.linalg.cholesky(plain.information), dtype=np.float64)
        except np.linalg.LinAlgError:
            return nothing
        value = plain.log_likelihood + float(np.log(np.diag(root)).sum())
        gradient = plain.gradient + _penalty_gradient(design, plain, root)
    return FirthState(beta, value, gradient, plain.information)


def _penalty_gradient(design: CoxDesign, plain: CoxState, root: FloatArray) -> FloatArray:
    """Give half the traces of I^-1 dI/dbeta, `root` being the Cholesky factor of I."""
    risk = design.weight * plain.hazard
    y = np.linalg.solve(root, design.x.T).T
    mu = np.linalg.solve(root, plain.mean.T).T
    square = (y * y).sum(axis=1)
    sums = design.risk_sums((risk * square)[:, None])[design.term]
    course = plain.jump[:, None] * mu
    pull = design.while_at_risk(design.per_event_time(course))
    if design.has_split_ties:
        tied = design.per_event_time((risk * square)[design.events])
        sums = sums - (design.fraction * tied[design.term])[:, None]
        pull[design.events] -= design.per_event_time(design.fraction[:, None] * course)[design.term]
    mean_square = sums[:, 0] * plain.jump / design.term_weight
    rows = risk * (at_risk_hazard(design, plain.jump) * square - 2.0 * (y * pull).sum(axis=1))
    terms = design.term_weight * (mean_square - 2.0 * (mu * mu).sum(axis=1))
    return np.asarray(0.5 * (rows @ design.x - terms @ plain.mean), dtype=np.float64)


def penalty_curvature(design: CoxDesign, beta: FloatArray) -> FloatArray:
    """Give minus the penalty's second derivatives (p, p), by central differences of its gradient."""
    p = beta.shape[0]
    curvature = np.zeros((p, p))
    for j in range(p):
        shift = np.zeros(p)
        shift[j] = 1e-4
        ends = [_penalty_at(design, beta + sign * shift) for sign in (1.0, -1.0)]
        curvature[j] = -(ends[0] - ends[1]) / 2e-4
    curvature = (curvature + curvature.T) / 2.0
    return curvature if np.isfinite(curvature).all() else np.zeros((p, p))


def _penalty_at(design: CoxDesign, beta: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        plain = evaluate(design, beta)
        try:
            root = np.asarray(np.linalg.cholesky(plain.information), dtype=np.float64)
            return _penalty_gradient(design, plain, root)
        except np.linalg.LinAlgError:
            return np.full(beta.shape, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class FirthSearch:
    """Where the climb ended, with the curvature of the penalty that it used last."""

    state: FirthState
    curvature: FloatArray
    iterations: int
    converged: bool


def maximise_penalised(
    design: CoxDesign,
    start: FirthState,
    free: BoolArray,
    curvature: FloatArray | None = None,
    done: float = _DONE,
) -> FirthSearch:
    """Climb over the `free` coefficients (bool, (p,)), the others staying where `start` has them.

    Newton's method with the information, far out, and near the maximum (or from the start, where `curvature` is given)
    with the penalty's curvature added. That matrix only steers: the gradient that has to vanish is exact. The climb
    ends where Newton expects a gain of `done` or less.
    """
    places = np.flatnonzero(free)
    extra = np.zeros(start.information.shape) if curvature is None else curvature
    known, state, last = curvature is not None, start, np.inf
    if places.size == 0:
        return FirthSearch(start, extra, 0, True)
    for iteration in range(_MAX_ITERATIONS):
        step, gain = _newton_step(state, extra, places)
        # The last digits only flicker: the step no longer shrinks.
        if gain <= done or (gain <= 1e-16 and gain >= last):
            return FirthSearch(state, extra, iteration, True)
        if not known and gain < _NEAR:
            extra, known = penalty_curvature(design, state.beta), True
            step, gain = _newton_step(state, extra, places)
        new = _climb(design, state, step)
        if new is state:
            return FirthSearch(state, extra, iteration, bool(gain < 1e-12))
        state, last = new, gain
    return FirthSearch(state, extra, _MAX_ITERATIONS, False)


def _newton_step(state: FirthState, extra: FloatArray, places: IntArray) -> tuple[FloatArray, float]:
    block = np.ix_(places, places)
    gradient = state.gradient[places]
    move = None
    for matrix in (state.information + extra, state.information):
        try:
            root = np.linalg.cholesky(matrix[block])
        except np.linalg.LinAlgError:
            continue
        move = np.linalg.solve(root.T, np.linalg.solve(root, gradient))
        break
    if move is None:
        move = gradient / np.maximum(np.abs(gradient).max(), 1.0)
    gain = float(gradient @ move)
    longest = float(np.abs(move).max())
    step = np.zeros(state.beta.shape)
    step[places] = move * min(1.0, _LONGEST / longest) if longest > 0 else move
    return step, gain


def _climb(design: CoxDesign, state: FirthState, step: FloatArray) -> FirthState:
    worst = state.log_likelihood - 1e-12 * max(1.0, abs(state.log_likelihood))
    for _ in range(_MAX_HALVINGS):
        new = evaluate_penalised(design, state.beta + step)
        if new.log_likelihood >= worst and np.isfinite(new.gradient).all():
            return new
        step = step / 2.0
    return state
