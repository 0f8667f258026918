"""Cases small enough to be worked with pencil and paper."""

from __future__ import annotations

import math

import numpy as np
import pytest

from riskset.survival import Surv, fit_cox, follow_up, kaplan_meier, logrank_test

# Therneau & Grambsch, Modeling Survival Data (2000), appendix E.1: with r = exp(beta), at risk at time 1 are three
# patients with x = 1 and three with x = 0; at time 6 one and three, of whom one and one die; at time 9 one with x = 0.
DATA = Surv([1, 1, 6, 6, 8, 9], [1, 0, 1, 1, 0, 1])
X = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_breslow_on_test_data_1() -> None:
    # L = 2 beta - log(3r + 3) - 2 log(r + 3), so r^2 - 3r - 6 = 0.
    r = (3 + math.sqrt(33)) / 2
    fit = fit_cox(DATA, X, ties="breslow")
    beta = math.log(r)
    assert fit.coefficient[0] == pytest.approx(beta, abs=1e-12)
    assert fit.log_likelihood.null == pytest.approx(-math.log(6) - 2 * math.log(4), abs=1e-12)
    assert fit.log_likelihood.fitted == pytest.approx(2 * beta - math.log(3 * r + 3) - 2 * math.log(r + 3), abs=1e-12)
    information = r / (r + 1) ** 2 + 6 * r / (r + 3) ** 2
    assert fit.standard_error[0] == pytest.approx(1 / math.sqrt(information), rel=1e-12)
    # At beta = 0: gradient 2 - 1/2 - 2/4 = 1, information 1/4 + 2 * 3/16 = 5/8.
    assert fit.score_test.chi_square == pytest.approx(8 / 5, rel=1e-12)
    hazard = fit.baseline()
    first, second = 1 / (3 * r + 3), 1 / (3 * r + 3) + 2 / (r + 3)
    assert hazard.time.tolist() == [1, 6, 8, 9]
    assert hazard.cumulative_hazard == pytest.approx([first, second, second, second + 1], rel=1e-12)
    expected = [1 - r * first, -r * first, 1 - r * second, 1 - second, -second, -second]
    assert fit.residuals("martingale") == pytest.approx(expected, abs=1e-12)
    assert fit.residuals("schoenfeld")[:, 0] == pytest.approx([1 / (r + 1), 3 / (r + 3), -r / (r + 3), 0.0], abs=1e-12)


def test_efron_on_test_data_1() -> None:
    # L = 2 beta - log(3r + 3) - log(r + 3) - log((r + 5)/2), so r^3 - 23r - 30 = 0.
    r = 2 * math.sqrt(23 / 3) * math.cos(math.acos(45 / 23 * math.sqrt(3 / 23)) / 3)
    fit = fit_cox(DATA, X, ties="efron")
    beta = math.log(r)
    assert fit.coefficient[0] == pytest.approx(beta, abs=1e-12)
    assert fit.log_likelihood.null == pytest.approx(-math.log(6) - math.log(4) - math.log(3), abs=1e-12)
    fitted = 2 * beta - math.log(3 * r + 3) - math.log(r + 3) - math.log((r + 5) / 2)
    assert fit.log_likelihood.fitted == pytest.approx(fitted, abs=1e-12)
    information = r / (r + 1) ** 2 + 3 * r / (r + 3) ** 2 + 5 * r / (r + 5) ** 2
    assert fit.standard_error[0] == pytest.approx(1 / math.sqrt(information), rel=1e-12)
    first = 1 / (3 * r + 3)
    jumps = 1 / (r + 3), 2 / (r + 5)
    hazard = fit.baseline().cumulative_hazard
    assert hazard == pytest.approx([first, first + sum(jumps), first + sum(jumps), first + sum(jumps) + 1], rel=1e-12)
    # The two who die at 6 are there for half of the second jump only.
    half = first + jumps[0] + jumps[1] / 2
    whole = first + sum(jumps)
    expected = [1 - r * first, -r * first, 1 - r * half, 1 - half, -whole, -whole]
    assert fit.residuals("martingale") == pytest.approx(expected, abs=1e-12)


def test_kaplan_meier_of_six_patients() -> None:
    curve = kaplan_meier(DATA)
    assert curve.time.tolist() == [1, 6, 8, 9]
    assert curve.at_risk.tolist() == [6, 4, 2, 1]
    assert curve.events.tolist() == [1, 2, 0, 1]
    assert curve.censored.tolist() == [1, 0, 1, 0]
    assert curve.survival == pytest.approx([5 / 6, 5 / 12, 5 / 12, 0])
    greenwood = 5 / 12 * math.sqrt(1 / 30 + 2 / 8)
    assert curve.standard_error[1] == pytest.approx(greenwood)
    assert np.isnan(curve.standard_error[3])
    assert curve.median().value == 6
    # Area to 9: 1 * 1 + 5 * 5/6 + 3 * 5/12.
    assert curve.rmst(9).value == pytest.approx(1 + 25 / 6 + 15 / 12)


def test_the_median_is_the_middle_of_a_flat_part_at_one_half() -> None:
    assert kaplan_meier(Surv([1, 2, 3, 5], [1, 1, 1, 1])).median().value == 2.5
    # The flat part never ends: its first time, as R prints it.
    assert kaplan_meier(Surv([1, 2, 3, 5], [1, 1, 0, 0])).median().value == 2


def test_a_median_that_is_not_reached_is_missing() -> None:
    median = kaplan_meier(Surv([1, 2, 3, 5], [1, 0, 0, 0])).median()
    assert np.isnan(median.value)
    assert np.isnan(median.high)


def test_an_event_comes_before_a_censoring_at_the_same_time() -> None:
    curve = kaplan_meier(Surv([2, 2], [1, 0]))
    assert curve.survival.tolist() == [0.5]
    # Reverse Kaplan-Meier turns that round: the censoring is now the event.
    assert follow_up(Surv([2, 2], [1, 0])).survival.tolist() == [0.5]


def test_reading_a_curve() -> None:
    read = kaplan_meier(DATA).at([0, 0.5, 1, 5.9, 9, 9.1])
    assert read.survival[:5] == pytest.approx([1, 1, 5 / 6, 5 / 6, 0])
    assert read.at_risk.tolist() == [6, 6, 6, 4, 1, 0]
    assert read.beyond.tolist() == [False] * 5 + [True]
    assert np.isnan(read.survival[5])
    assert read.standard_error[0] == 0.0


def test_numbers_at_risk_with_delayed_entry() -> None:
    curve = kaplan_meier(Surv([3, 5, 6], [1, 1, 0], entry=[0, 0, 4]))
    assert curve.at_risk.tolist() == [2, 2, 1]
    assert curve.at([0, 3, 4, 4.5, 6]).at_risk.tolist() == [2, 2, 1, 2, 1]


def test_a_horizon_beyond_follow_up_has_no_restricted_mean() -> None:
    censored_last = kaplan_meier(Surv([1, 4], [1, 0]))
    assert np.isnan(censored_last.rmst(5).value)
    assert censored_last.rmst(4).value == pytest.approx(1 + 3 / 2)
    dead_last = kaplan_meier(Surv([1, 4], [1, 1]))
    assert dead_last.rmst(5).value == dead_last.rmst(4).value == pytest.approx(1 + 3 / 2)


def test_log_rank_of_four_patients() -> None:
    # a dies at 1 (2 of 4 at risk are a), b at 2 (1 of 3), a at 3 (1 of 2), b at 4 (0 of 1).
    test = logrank_test(Surv([1, 2, 3, 4], [1, 1, 1, 1]), ["a", "b", "a", "b"])
    assert test.groups == ("a", "b")
    assert test.n.tolist() == [2, 2]
    assert test.observed.tolist() == [2, 2]
    expected = 1 / 2 + 1 / 3 + 1 / 2
    variance = 1 / 4 + 2 / 9 + 1 / 4
    assert test.expected == pytest.approx([expected, 4 - expected])
    assert test.chi_square == pytest.approx((2 - expected) ** 2 / variance)
    assert test.p_value == pytest.approx(math.erfc(math.sqrt(test.chi_square / 2)))


def test_times_that_differ_by_rounding_alone_are_one_time() -> None:
    surv = Surv([0.1 + 0.2, 0.3, 1.0], [1, 0, 1])
    assert surv.time[0] == surv.time[1]
    assert kaplan_meier(surv).survival == pytest.approx([2 / 3, 0])
    shifted = Surv([0.3, 1.0], [1, 1], entry=[0.0, 0.1 + 0.2])
    assert kaplan_meier(shifted).at_risk.tolist() == [1, 1]


def test_an_event_at_time_zero_counts() -> None:
    surv = Surv([0, 1, 2], [1, 1, 0])
    assert kaplan_meier(surv).survival == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    assert fit_cox(surv, [1.0, 0.0, 1.0]).n_events == 2
    assert logrank_test(surv, [0, 1, 1]).expected.sum() == pytest.approx(2)
