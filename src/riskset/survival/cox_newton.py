"""Newton's method on a log partial likelihood: steps halved while it gets worse, coefficients polished to rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from riskset.survival._types import BoolArray, FloatArray

# As R's coxph.control: relative change of the log-likelihood at convergence.
LIKELIHOOD_TOLERANCE = 1e-9
MAX_ITERATIONS = 40
_MAX_HALVINGS = 20
# After the likelihood has settled, Newton steps go on until a step is this small beside the standard errors (squared),
# so that coefficients, not only the likelihood, are exact to rounding.
_POLISHED = 1e-25
# Rounding leaves a relative error of about this in each gradient, so in many rows a step need not be smaller.
_ROUNDING = float(np.finfo(np.float64).eps)
# A Newton step doubles the digits, so what follows a step as small as this (squared) is rounding alone.
_LAST_STEP = 1e-13
_MAX_POLISH = 4


class Evaluation(Protocol):
    """A log-likelihood at `beta` (p,) with its gradient (p,) and its information (p, p)."""

    @property
    def beta(self) -> FloatArray:
        """Coefficients of the scaled columns, (p,)."""
        ...

    @property
    def log_likelihood(self) -> float:
        """Log partial likelihood."""
        ...

    @property
    def gradient(self) -> FloatArray:
        """Its gradient, (p,)."""
        ...

    @property
    def information(self) -> FloatArray:
        """Its negative second derivatives, (p, p)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class CoxEvaluation:
    """The likelihood at one coefficient vector (scaled columns): an `Evaluation` and no more."""

    beta: FloatArray
    log_likelihood: float
    gradient: FloatArray
    information: FloatArray


class Likelihood(Protocol):
    """A log partial likelihood of p columns, each minus its `centre` (p,) and divided by its `scale` (p,)."""

    @property
    def centre(self) -> FloatArray:
        """What each column has been moved by, (p,)."""
        ...

    @property
    def scale(self) -> FloatArray:
        """What each column has been divided by, (p,)."""
        ...

    def evaluate(self, beta: FloatArray) -> Evaluation:
        """Evaluate at the coefficients `beta` of the scaled columns."""
        ...

    def keep(self, columns: BoolArray) -> Likelihood:
        """Give the likelihood of the columns that the mask `columns` keeps."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Where the climb ended: the last evaluation, the Newton step from there, and how it went."""

    state: Evaluation
    step: FloatArray
    iterations: int
    converged: bool


def maximise(likelihood: Likelihood, start: Evaluation) -> Search:
    """Climb by Newton steps, halved while the likelihood gets worse, then polish the coefficients."""
    state, settled, polish, before = start, False, 0, float("inf")
    for iteration in range(MAX_ITERATIONS + 1):
        step = solve(state.information, state.gradient)
        gain = float(state.gradient @ step)
        small = max(_POLISHED, _ROUNDING**2 * float(np.trace(state.information)))
        if settled and (gain < small or before < _LAST_STEP or polish == _MAX_POLISH):
            return Search(state, step, iteration, True)
        if gain == 0:
            return Search(state, step, iteration, True)
        before = gain
        new = _climb(likelihood, state, step)
        change = abs(new.log_likelihood - state.log_likelihood)
        polish += settled
        settled = settled or change <= LIKELIHOOD_TOLERANCE * max(1.0, abs(new.log_likelihood))
        state = new
    return Search(state, solve(state.information, state.gradient), MAX_ITERATIONS, settled)


def _climb(likelihood: Likelihood, state: Evaluation, step: FloatArray) -> Evaluation:
    worst = state.log_likelihood - 1e-13 * max(1.0, abs(state.log_likelihood))
    with np.errstate(all="ignore"):
        for _ in range(_MAX_HALVINGS):
            new = likelihood.evaluate(state.beta + step)
            usable = np.isfinite(new.log_likelihood) and np.isfinite(new.information).all()
            if usable and new.log_likelihood >= worst:
                return new
            step = step / 2.0
    return state


def solve(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Give matrix^-1 vector, by the pseudo-inverse where the matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(matrix, vector))
    except np.linalg.LinAlgError:
        # Only a coefficient that has run off to infinity empties the information; the others still solve.
        return np.asarray(np.linalg.pinv(matrix) @ vector)


def inverse(matrix: FloatArray) -> FloatArray:
    """Give the inverse of an information matrix, the pseudo-inverse where it is singular."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrix))
