"""Test data 1 to 3 of Therneau & Grambsch, Modeling Survival Data (2000), appendix E, under every treatment of ties.

Each case is worked out by hand: those at risk at each event time give the terms of the likelihood, r being exp(beta). A
term is (weight W, its denominator as a polynomial in r). The log-likelihood is beta times the weighted sum of the
events' x, minus the sum of W log(denominator). A term's covariate mean is r D'(r) / D(r), and its variance the same
derivative of the mean, r mean'(r), since d/dbeta = r d/dr. Exposure tables say which terms each row is at risk for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import pytest
from numpy.polynomial import Polynomial as P

from riskset.survival import CoxFit, Surv, fit_cox

# Half and one third, two thirds: what Efron leaves of a tied event in the later terms of its set.
H, T, S = 1 / 2, 1 / 3, 2 / 3


@dataclass
class ByHand:
    """A likelihood by hand.

    `events` is the weighted sum of the events' x; `terms` the (W, denominator) of each term; `own` the terms of each
    event row's tied set, whose means its Schoenfeld residual averages; `exposure` the rows' shares in the terms;
    `until` how many terms lie behind each distinct time.
    """

    surv: Surv
    x: list[float]
    events: float
    terms: list[tuple[float, P]]
    own: dict[int, list[int]]
    exposure: list[list[float]]
    until: list[int]

    def log_likelihood(self, beta: float) -> float:
        return beta * self.events - sum(w * log(d(exp(beta))) for w, d in self.terms)

    def means(self, beta: float) -> np.ndarray:
        r = exp(beta)
        return np.array([r * d.deriv()(r) / d(r) for _, d in self.terms])

    def gradient(self, beta: float) -> float:
        return self.events - float(np.array([w for w, _ in self.terms]) @ self.means(beta))

    def information(self, beta: float) -> float:
        r = exp(beta)
        total = 0.0
        for w, d in self.terms:
            # The mean of x^2 over the term is (r d/dr)^2 D / D.
            second = r * d.deriv()(r) + r**2 * d.deriv(2)(r)
            total += w * (second / d(r) - (r * d.deriv()(r) / d(r)) ** 2)
        return total

    def estimate(self) -> float:
        """Find the root of the gradient, which falls, by halving."""
        low, high = -20.0, 20.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if self.gradient(middle) > 0 else (low, middle)
        return (low + high) / 2

    def jumps(self, beta: float) -> np.ndarray:
        return np.array([w / d(exp(beta)) for w, d in self.terms])


def check_estimate(fit: CoxFit, hand: ByHand, beta: float) -> None:
    assert hand.gradient(beta) == pytest.approx(0, abs=1e-12)
    assert fit.coefficient[0] == pytest.approx(beta, abs=1e-12)
    assert fit.log_likelihood.null == pytest.approx(hand.log_likelihood(0.0), rel=1e-13)
    assert fit.log_likelihood.fitted == pytest.approx(hand.log_likelihood(beta), rel=1e-13)
    assert fit.naive_standard_error[0] == pytest.approx(1 / sqrt(hand.information(beta)), rel=1e-11)
    score = hand.gradient(0.0) ** 2 / hand.information(0.0)
    assert fit.score_test.chi_square == pytest.approx(score, rel=1e-11)


def check_rows(fit: CoxFit, hand: ByHand, beta: float) -> None:
    x, jumps, means = np.array(hand.x), hand.jumps(beta), hand.means(beta)
    risk, exposure = np.exp(beta * x), np.array(hand.exposure)
    died = np.array([float(i in hand.own) for i in range(len(x))])
    martingale = died - risk * (exposure @ jumps)
    assert fit.residuals("martingale") == pytest.approx(martingale, abs=1e-12)
    # Each row: its own event's x less the mean there, less the same over all it was exposed to.
    at_event = np.array([means[hand.own[i]].mean() if i in hand.own else 0.0 for i in range(len(x))])
    drift = x * (exposure @ jumps) - exposure @ (jumps * means)
    score = died * (x - at_event) - risk * drift
    assert fit.residuals("score")[:, 0] == pytest.approx(score, abs=1e-12)
    order = sorted(hand.own, key=lambda i: (hand.surv.time[i], i))
    schoenfeld = [x[i] - at_event[i] for i in order]
    assert fit.residuals("schoenfeld")[:, 0] == pytest.approx(schoenfeld, abs=1e-12)
    scaled = np.array(schoenfeld) * len(order) / hand.information(beta) + beta
    assert fit.residuals("scaled_schoenfeld")[:, 0] == pytest.approx(scaled, rel=1e-10, abs=1e-10)
    dfbeta = hand.surv.weight_or_one * score / hand.information(beta)
    assert fit.residuals("dfbeta")[:, 0] == pytest.approx(dfbeta, abs=1e-12)


def check_hazard(fit: CoxFit, hand: ByHand, beta: float, at: float) -> None:
    jumps, means = hand.jumps(beta), hand.means(beta)
    weights = np.array([w for w, _ in hand.terms])
    before = lambda v: np.concatenate(([0.0], np.cumsum(v)))[hand.until]  # noqa: E731
    hazard = before(jumps) * exp(beta * at)
    # The jumps' own variance, and the coefficient's through the covariate's distance from the means.
    variance = before(jumps**2 / weights) + before((at - means) * jumps) ** 2 / hand.information(beta)
    base = fit.baseline([at])
    assert base.time.tolist() == sorted(set(hand.surv.time.tolist()))
    assert base.cumulative_hazard == pytest.approx(hazard, rel=1e-11, abs=1e-13)
    assert base.standard_error == pytest.approx(np.sqrt(variance) * exp(beta * at), rel=1e-11, abs=1e-13)
    curve = fit.predict_survival([at])
    assert curve.survival[0] == pytest.approx(np.exp(-hazard), rel=1e-11)


# Data 1. At risk at 1: three with x = 1, three with x = 0, one of the first dies; at 6: one and three, of whom one and
# one die; at 9 one with x = 0, who dies.
SURV_1 = Surv([1, 1, 6, 6, 8, 9], [1, 0, 1, 1, 0, 1])
X_1 = [1.0, 1, 1, 0, 0, 0]
R = P([0, 1])

BRESLOW_1 = ByHand(
    SURV_1, X_1, 2, [(1, 3 * R + 3), (2, R + 3), (1, P([1]))],
    own={0: [0], 2: [1], 3: [1], 5: [2]},
    exposure=[[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1]],
    until=[1, 2, 2, 3],
)  # fmt: skip
# The second of the two terms at 6 has half of the two who die there: r + 3 - (r + 1)/2.
EFRON_1 = ByHand(
    SURV_1, X_1, 2, [(1, 3 * R + 3), (1, R + 3), (1, (R + 5) / 2), (1, P([1]))],
    own={0: [0], 2: [1, 2], 3: [1, 2], 5: [3]},
    exposure=[[1, 0, 0, 0], [1, 0, 0, 0], [1, 1, H, 0], [1, 1, H, 0], [1, 1, 1, 0], [1, 1, 1, 1]],
    until=[1, 3, 3, 4],
)  # fmt: skip

# Data 2: start-stop rows. At risk at 2: one with x = 1 and one with x = 0; at 3: 1, 2; at 6: 3, 2; at 7: 3, 1; at 8:
# 3, 1; at 9: 3, 2, of whom two with x = 1 die. The others die one by one, with x = 1, 0, 0, 1, 0.
SURV_2 = Surv([2, 3, 6, 7, 8, 9, 9, 9, 14, 17], [1, 1, 1, 1, 1, 1, 1, 0, 0, 0], entry=[1, 2, 5, 2, 1, 7, 3, 4, 8, 8])
X_2 = [1.0, 0, 0, 1, 0, 1, 1, 1, 0, 0]
SINGLE_2 = [(1.0, R + 1), (1.0, R + 2), (1.0, 3 * R + 2), (1.0, 3 * R + 1), (1.0, 3 * R + 1)]
EXPOSED_2 = [
    [1, 0, 0, 0, 0],
    [0, 1, 0, 0, 0],
    [0, 0, 1, 0, 0],
    [0, 1, 1, 1, 0],
    [1, 1, 1, 1, 1],
    [0, 0, 0, 0, 1],
    [0, 0, 1, 1, 1],
    [0, 0, 1, 1, 1],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
]
OWN_2 = {0: [0], 1: [1], 2: [2], 3: [3], 4: [4]}

BRESLOW_2 = ByHand(
    SURV_2, X_2, 4, [*SINGLE_2, (2, 3 * R + 2)],
    own={**OWN_2, 5: [5], 6: [5]},
    exposure=[[*row, float(i >= 5)] for i, row in enumerate(EXPOSED_2)],
    until=[1, 2, 3, 4, 5, 6, 6, 6],
)  # fmt: skip
# The second term at 9 lacks half of two with x = 1: 3r + 2 - r.
EFRON_2 = ByHand(
    SURV_2, X_2, 4, [*SINGLE_2, (1, 3 * R + 2), (1, 2 * R + 2)],
    own={**OWN_2, 5: [5, 6], 6: [5, 6]},
    exposure=[[*row, float(i >= 5), 0.0 if i < 5 else H if i < 7 else 1.0] for i, row in enumerate(EXPOSED_2)],
    until=[1, 2, 3, 4, 5, 7, 7, 7],
)  # fmt: skip
# Two of r, r, r, 1, 1: three pairs of r^2, six of r, one of 1.
EXACT_2 = ByHand(
    SURV_2, X_2, 4, [*SINGLE_2, (1, 3 * R**2 + 6 * R + 1)], own=BRESLOW_2.own, exposure=BRESLOW_2.exposure,
    until=BRESLOW_2.until,
)  # fmt: skip

# Data 3: weights. At 1 the weighted risks add up to r^2 + 11r + 7 and the one with x = 2 and weight 1 dies. At 2 they
# are 11r + 5; those who die weigh 3 and 4 with x = 1 and 3 with x = 0, together 10, their risks 7r + 3. At 4 one with
# x = 1 and weight 2 dies of 2r + 1. The weighted sum of the events' x is 2 + 7 + 2.
SURV_3 = Surv([1, 1, 2, 2, 2, 2, 3, 4, 5], [1, 0, 1, 1, 1, 0, 0, 1, 0], weight=[1, 2, 3, 4, 3, 2, 1, 2, 1])
X_3 = [2.0, 0, 1, 1, 0, 1, 0, 1, 0]

BRESLOW_3 = ByHand(
    SURV_3, X_3, 11, [(1, R**2 + 11 * R + 7), (10, 11 * R + 5), (2, 2 * R + 1)],
    own={0: [0], 2: [1], 3: [1], 4: [1], 7: [2]},
    exposure=[[1, 0, 0]] * 2 + [[1, 1, 0]] * 5 + [[1, 1, 1]] * 2,
    until=[1, 2, 2, 3, 3],
)  # fmt: skip
# Three terms of weight 10/3 that lack none, a third and two thirds of 7r + 3; the three tied events are there with all,
# two thirds and one third of themselves.
EFRON_3 = ByHand(
    SURV_3, X_3, 11,
    [
        (1, R**2 + 11 * R + 7),
        (10 / 3, 11 * R + 5), (10 / 3, 11 * R + 5 - (7 * R + 3) / 3), (10 / 3, 11 * R + 5 - (7 * R + 3) * 2 / 3),
        (2, 2 * R + 1),
    ],
    own={0: [0], 2: [1, 2, 3], 3: [1, 2, 3], 4: [1, 2, 3], 7: [4]},
    exposure=[[1, 0, 0, 0, 0]] * 2 + [[1, 1, S, T, 0]] * 3 + [[1, 1, 1, 1, 0]] * 2 + [[1, 1, 1, 1, 1]] * 2,
    until=[1, 4, 4, 5, 5],
)  # fmt: skip
# The same rows without weights. At 1: r^2, four r, four 1. At 2 three die of r, r, r, r, 1, 1, 1: 4 triples of r^3,
# 6 * 3 of r^2, 4 * 3 of r, one of 1. At 4: r and 1.
PLAIN_3 = Surv(SURV_3.time, SURV_3.event)
EXACT_3 = ByHand(
    PLAIN_3, X_3, 5, [(1, R**2 + 4 * R + 4), (1, 4 * R**3 + 18 * R**2 + 12 * R + 1), (1, R + 1)],
    own=BRESLOW_3.own, exposure=BRESLOW_3.exposure, until=BRESLOW_3.until,
)  # fmt: skip

CASES = {
    "breslow-1": ("breslow", BRESLOW_1),
    "efron-1": ("efron", EFRON_1),
    "breslow-2": ("breslow", BRESLOW_2),
    "efron-2": ("efron", EFRON_2),
    "breslow-3": ("breslow", BRESLOW_3),
    "efron-3": ("efron", EFRON_3),
}


@pytest.mark.parametrize("name", CASES)
def test_breslow_and_efron(name: str) -> None:
    ties, hand = CASES[name]
    fit = fit_cox(hand.surv, hand.x, ties=ties)  # type: ignore[arg-type]
    beta = hand.estimate()
    check_estimate(fit, hand, beta)
    check_rows(fit, hand, beta)
    for at in (0.0, 1.0, 0.3):
        check_hazard(fit, hand, beta, at)


@pytest.mark.parametrize("name", CASES)
def test_before_any_step(name: str) -> None:
    """All of beta 0: the fit of a column that the offset takes back is that of the null model."""
    ties, hand = CASES[name]
    beta = hand.estimate()
    fit = fit_cox(hand.surv, hand.x, ties=ties, offset=-beta * np.array(hand.x))  # type: ignore[arg-type]
    assert fit.coefficient[0] == pytest.approx(2 * beta, rel=1e-11)
    assert fit.log_likelihood.null == pytest.approx(hand.log_likelihood(-beta), rel=1e-13)
    assert fit.log_likelihood.fitted == pytest.approx(hand.log_likelihood(beta), rel=1e-13)
    null = fit_cox(hand.surv, np.empty((len(hand.x), 0)), ties=ties)  # type: ignore[arg-type]
    died = np.array([float(i in hand.own) for i in range(len(hand.x))])
    assert null.residuals("martingale") == pytest.approx(died - np.array(hand.exposure) @ hand.jumps(0.0), abs=1e-13)


@pytest.mark.parametrize(("hand", "breslow"), [(EXACT_2, BRESLOW_2), (EXACT_3, BRESLOW_3)], ids=["2", "3"])
def test_exact_ties(hand: ByHand, breslow: ByHand) -> None:
    fit = fit_cox(hand.surv, hand.x, ties="exact")
    beta = hand.estimate()
    check_estimate(fit, hand, beta)
    # Martingale residuals and baseline are Breslow's at this beta.
    same = fit_cox(hand.surv, np.empty((len(hand.x), 0)), ties="breslow", offset=beta * np.array(hand.x))
    assert fit.residuals("martingale") == pytest.approx(same.residuals("martingale"), abs=1e-11)
    assert fit.baseline().cumulative_hazard == pytest.approx(same.baseline().cumulative_hazard, rel=1e-11)
    if hand is EXACT_2:
        risk = np.exp(beta * np.array(hand.x))
        died = np.array([float(i in hand.own) for i in range(len(hand.x))])
        expected = died - risk * (np.array(breslow.exposure) @ breslow.jumps(beta))
        assert fit.residuals("martingale") == pytest.approx(expected, abs=1e-11)


def test_exact_ties_of_data_1_run_to_infinity() -> None:
    # Two of r, 1, 1, 1 at 6: 3r + 3. So L = 2 beta - 2 log(3r + 3), whose gradient 2/(r + 1) is never 0: it rises to
    # -2 log 3. At beta = 0: L = -2 log 6, gradient 1, information 2/4.
    fit = fit_cox(SURV_1, X_1, names=["x"], ties="exact")
    assert fit.log_likelihood.null == pytest.approx(-2 * log(6), rel=1e-13)
    assert fit.score_test.chi_square == pytest.approx(2.0, rel=1e-12)
    assert fit.infinite.tolist() == [True]
    assert "'x'" in fit.warnings[0]
    assert fit.log_likelihood.fitted == pytest.approx(-2 * log(3), abs=1e-6)


def test_weights_of_data_3_are_copies_of_rows_for_breslow() -> None:
    times = SURV_3.weight_or_one.astype(int)
    rows = np.repeat(np.arange(9), times)
    copies = fit_cox(PLAIN_3.subset(rows), np.array(X_3)[rows], ties="breslow")
    weighted = fit_cox(SURV_3, X_3, ties="breslow")
    assert copies.coefficient == pytest.approx(weighted.coefficient, rel=1e-11)
    assert copies.residuals("martingale") == pytest.approx(weighted.residuals("martingale")[rows], abs=1e-12)
