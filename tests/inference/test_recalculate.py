from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import (
    hr_from_medians,
    implied_events,
    implied_events_range,
    interaction_from_estimates,
    interval_consistent,
    p_from_interval,
    percentage_reachable,
    smaller_denominators,
    standard_error_from_interval,
    two_proportion_p_values,
)

SHARE = 112 / 212


def test_worked_percentages_of_the_model_study():
    for percent, count, n in ((62.0, 62, 100), (71.4, 80, 112), (82.0, 82, 100), (86.6, 97, 112)):
        assert percentage_reachable(percent, n, 1).half_up == (count,)
    assert not percentage_reachable(24.6, 212, 1).reachable
    assert smaller_denominators(24.6, 212, 1)[:3] == (211, 207, 203)


def test_worked_percentages_of_another_study():
    for percent, n in ((39.4, 143), (52.0, 114)):
        assert not percentage_reachable(percent, n, 1).reachable
        assert smaller_denominators(percent, n, 1)


def test_the_three_ways_of_rounding_differ_where_they_should():
    # 1 of 8 is 12.5 %: 13 half up, 12 half to even and cut off; 3 of 8 is 37.5 %: 38 half up and to even.
    assert percentage_reachable(13, 8, 0).half_up == (1,)
    assert percentage_reachable(13, 8, 0).half_even == ()
    assert percentage_reachable(12, 8, 0).half_even == (1,)
    assert percentage_reachable(38, 8, 0).half_even == percentage_reachable(38, 8, 0).half_up == (3,)
    assert percentage_reachable(37, 8, 0).truncated == (3,)
    assert percentage_reachable(37, 8, 0).half_up == ()


@given(st.integers(1, 300), st.integers(0, 2), st.data())
def test_every_count_is_found_again_from_its_printed_percentage(n, decimals, data):
    k = data.draw(st.integers(0, n))
    exact, unit = Decimal(100 * k) / Decimal(n), Decimal(1).scaleb(-decimals)
    for rounding, field in ((ROUND_HALF_UP, "half_up"), (ROUND_HALF_EVEN, "half_even"), (ROUND_DOWN, "truncated")):
        found = percentage_reachable(float(exact.quantize(unit, rounding)), n, decimals)
        assert k in getattr(found, field)
        assert found.reachable


@given(st.integers(1, 60), st.integers(0, 1000))
def test_no_count_is_found_that_prints_otherwise(n, tenths):
    found = percentage_reachable(tenths / 10, n, 1)
    printed = Decimal(tenths) / 10
    for k in range(n + 1):
        exact = Decimal(100 * k) / Decimal(n)
        assert (k in found.half_up) == (exact.quantize(Decimal("0.1"), ROUND_HALF_UP) == printed)
        assert (k in found.truncated) == (exact.quantize(Decimal("0.1"), ROUND_DOWN) == printed)


@pytest.mark.parametrize(
    "bad", [(24.65, 212, 1), (-1, 10, 0), (101, 10, 0), (50, 0, 0), (50, 10, -1), (math.nan, 10, 0)]
)
def test_impossible_percentages_are_refused(bad):
    with pytest.raises(EngineError):
        percentage_reachable(*bad)


def test_worked_p_values_from_intervals():
    overall = p_from_interval(0.87, 0.63, 1.21)
    assert round(overall.value, 2) == 0.40
    assert overall.low <= 0.40 <= overall.high
    acceptance = p_from_interval(1.078, 0.674, 1.726, decimals=3)
    assert round(acceptance.value, 2) == 0.75
    assert acceptance.low <= 0.753 <= acceptance.high
    # Printed 1.18 (.67-2.20): the centre of the interval is 1.21; P from the interval is .59.
    doubtful = p_from_interval(1.18, 0.67, 2.20)
    assert round(doubtful.value, 2) == 0.59
    assert not doubtful.consistent
    assert math.isnan(doubtful.low)
    assert doubtful.warning


@given(st.floats(-1.5, 1.5), st.floats(0.05, 0.8), st.integers(1, 3))
def test_a_true_wald_interval_is_consistent_however_it_is_rounded(log_hr, error, decimals):
    low, high = math.exp(log_hr - 1.959963984540054 * error), math.exp(log_hr + 1.959963984540054 * error)
    printed = [round(v, decimals) for v in (math.exp(log_hr), low, high)]
    assume(printed[1] > 0 and printed[1] < printed[2])
    assert interval_consistent(*printed, decimals=decimals)
    found = p_from_interval(*printed, decimals=decimals)
    true_p = math.erfc(abs(log_hr / error) / math.sqrt(2))
    assert found.low * (1 - 1e-9) <= true_p <= found.high * (1 + 1e-9)


@pytest.mark.parametrize("figures", [(0.87, 0.63, 1.21), (1.02, 0.77, 1.35), (2.4, 1.1, 5.3)])
def test_the_bounds_of_p_are_those_of_a_fine_search(figures):
    decimals = 1 if figures[0] == 2.4 else 2
    half = 0.5 * 10**-decimals
    low, high = (np.linspace(v - half, v + half, 801) for v in figures[1:])
    a, b = np.log(low)[:, None], np.log(high)[None, :]
    inside = np.abs(np.exp((a + b) / 2) - figures[0]) <= half
    z = np.abs(1.959963984540054 * (a + b) / (b - a))[inside]
    ours = p_from_interval(*figures, decimals=decimals)
    assert ours.high == pytest.approx(math.erfc(z.min() / math.sqrt(2)), rel=0.01)
    assert ours.low == pytest.approx(math.erfc(z.max() / math.sqrt(2)), rel=0.01)


def test_a_reversed_reference_level_or_a_typing_error_is_seen():
    assert not interval_consistent(1.15, 0.63, 1.21)
    assert not interval_consistent(0.87, 0.36, 1.21)
    assert interval_consistent(0.9, 0.81, 1.06, decimals=(1, 2, 2))


@given(st.floats(0.2, 5), st.floats(0.05, 0.8))
def test_inverting_the_groups_keeps_p(hr, error):
    low, high = hr * math.exp(-1.96 * error), hr * math.exp(1.96 * error)
    ours, inverse = (p_from_interval(*f, decimals=9) for f in ((hr, low, high), (1 / hr, 1 / high, 1 / low)))
    assert ours.value == pytest.approx(inverse.value, abs=1e-9)


def test_intervals_narrower_than_their_rounding_stay_bounded():
    ours = p_from_interval(1.0, 1.0, 1.01)
    assert ours.consistent
    assert 0.0 <= ours.low <= ours.high <= 1.0


@pytest.mark.parametrize(
    "bad", [(0.0, 0.5, 1.0), (0.9, 1.2, 0.8), (0.9, 0.0, 0.8), (0.9, 0.9, 0.9), (math.nan, 0.5, 1.0)]
)
def test_what_is_no_interval_is_refused(bad):
    with pytest.raises(EngineError):
        p_from_interval(*bad)


def test_all_two_proportion_tests_of_the_model_study():
    orr = {t.test: round(t.p_value, 3) for t in two_proportion_p_values(80, 112, 62, 100)}
    assert orr == {
        "chi_square": 0.145,
        "chi_square_yates": 0.190,
        "fisher_exact": 0.188,
        "fisher_mid_p": 0.168,
        "barnard": 0.175,
        "boschloo": 0.154,
        "barnard_transposed": 0.158,
        "boschloo_transposed": 0.156,
    }


def test_worked_hazard_ratios_from_medians():
    overall = hr_from_medians(16.0, 13.9, 0.40, n=212, share=SHARE)
    found = (overall.hazard_ratio.value, overall.hazard_ratio.low, overall.hazard_ratio.high)
    assert [round(v, 2) for v in found] == [0.87, 0.63, 1.21]
    assert round(overall.implied_events) == 144
    first_line = hr_from_medians(18.6, 14.9, 0.26, n=130, share=SHARE)
    found = (first_line.hazard_ratio.value, first_line.hazard_ratio.low, first_line.hazard_ratio.high)
    assert [round(v, 2) for v in found] == [0.80, 0.54, 1.18]
    assert round(first_line.implied_events) == 103
    low, high = implied_events_range(16.0, 13.9, 0.40, share=SHARE)
    assert (math.floor(low), math.ceil(high)) == (130, 159)


@pytest.mark.parametrize(
    ("median1", "median0", "p_value", "n", "share", "events"),
    [
        (17.9, 13.4, 0.04, 112, 0.4, "210"),
        (20.2, 14.1, 0.02, 112, 0.4, "174"),
        (17.3, 22.2, 0.0039, 257, 143 / 257, "543"),
        (14.1, 16.2, 0.263, 45, 21 / 45, "261"),
    ],
)
def test_a_hazard_ratio_from_medians_is_refused_when_it_implies_more_events_than_patients(
    median1, median0, p_value, n, share, events
):
    with pytest.raises(EngineError, match=f"imply {events} events in {n} patients"):
        hr_from_medians(median1, median0, p_value, n=n, share=share)


@given(st.floats(1, 60), st.floats(1, 60), st.floats(0.001, 0.999))
def test_swapping_groups_inverts_the_hazard_ratio_from_medians(median1, median0, p_value):
    assume(abs(math.log(median1 / median0)) > 1e-6)
    assume(implied_events(median0 / median1, p_value) >= 1.0)
    ours, swapped = (hr_from_medians(a, b, p_value, n=10**15) for a, b in ((median1, median0), (median0, median1)))
    assert ours.hazard_ratio.value * swapped.hazard_ratio.value == pytest.approx(1.0)
    assert ours.hazard_ratio.low * swapped.hazard_ratio.high == pytest.approx(1.0)
    low, high = implied_events_range(median1, median0, p_value)
    assert low <= ours.implied_events * (1 + 1e-9)
    assert ours.implied_events <= high * (1 + 1e-9)


def test_medians_that_imply_nothing():
    with pytest.raises(EngineError, match="less than one event"):
        hr_from_medians(1.0, 6.0, 0.996, n=80)
    with pytest.raises(EngineError, match="Equal medians"):
        hr_from_medians(12.3, 12.3, 0.9, n=80)
    for bad in (0.0, 1.0, math.nan):
        with pytest.raises(EngineError):
            hr_from_medians(12.3, 14.0, bad, n=80)
    assert implied_events_range(12.3, 12.3, 0.9)[1] == math.inf
    with pytest.raises(EngineError, match="more decimals"):
        implied_events_range(0.0, 12.3, 0.9)


def test_worked_interaction_of_the_model_study():
    ours = interaction_from_estimates(1.62, 0.236, 1.0, 0.25)
    assert [round(v, 2) for v in (ours.ratio.value, ours.ratio.low, ours.ratio.high)] == [1.62, 0.83, 3.18]
    assert round(ours.p_value, 2) == 0.16


def test_worked_interaction_from_medians_of_another_study():
    # Recurrent 12 against 25 months, P .08; de novo 27 against 18, P .16: z 2.24, P about .025.
    recurrent = hr_from_medians(25, 12, 0.08, n=204)
    de_novo = hr_from_medians(18, 27, 0.16, n=204)
    inverse = hr_from_medians(12, 25, 0.08, n=204)
    ours = interaction_from_estimates(
        1 / recurrent.hazard_ratio.value,
        recurrent.standard_error,
        1 / de_novo.hazard_ratio.value,
        de_novo.standard_error,
    )
    assert inverse.hazard_ratio.value == pytest.approx(1 / recurrent.hazard_ratio.value)
    assert abs(ours.z) == pytest.approx(2.24, abs=0.005)
    assert round(ours.p_value, 3) == 0.025


# Altman and Bland, BMJ 2003;326:219: relative risks 0.67 (0.46-0.98) and 0.88 (0.71-1.08), ratio 0.76 (0.49-1.17).
def test_published_interaction():
    one, zero = standard_error_from_interval(0.46, 0.98), standard_error_from_interval(0.71, 1.08)
    ours = interaction_from_estimates(0.67, one, 0.88, zero)
    assert [round(v, 2) for v in (ours.ratio.value, ours.ratio.low, ours.ratio.high)] == [0.76, 0.49, 1.17]
    assert round(ours.z, 2) == -1.24


@given(st.floats(0.1, 10), st.floats(0.05, 1), st.floats(0.1, 10), st.floats(0.05, 1))
def test_swapping_subgroups_inverts_the_ratio(hr1, se1, hr0, se0):
    ours, swapped = interaction_from_estimates(hr1, se1, hr0, se0), interaction_from_estimates(hr0, se0, hr1, se1)
    assert ours.ratio.low <= ours.ratio.value <= ours.ratio.high
    assert ours.ratio.low * swapped.ratio.high == pytest.approx(1.0)
    assert ours.z == pytest.approx(-swapped.z)
    assert ours.p_value == pytest.approx(swapped.p_value)


@given(st.floats(0.1, 10), st.floats(0.05, 1))
def test_the_standard_error_comes_back_from_its_interval(hr, error):
    half = 1.6448536269514722 * error
    assert standard_error_from_interval(hr * math.exp(-half), hr * math.exp(half), level=0.9) == pytest.approx(error)
    with pytest.raises(EngineError):
        standard_error_from_interval(2.0, 1.0)
