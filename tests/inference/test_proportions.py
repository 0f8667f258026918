from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import clopper_pearson, newcombe_difference, odds_ratio, odds_ratio_haldane, wilson

from .reference import assert_agree, load

R = load("proportions")


@st.composite
def counts(draw, smallest=1):
    n = draw(st.integers(smallest, 400))
    return draw(st.integers(0, n)), n


levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


@pytest.mark.parametrize("case", R["single"], ids=lambda c: f"{c['events']}/{c['n']}@{c['level']}")
def test_single_proportion_as_r(case):
    for function, name in ((wilson, "wilson"), (clopper_pearson, "clopper_pearson")):
        ours = function(case["events"], case["n"], case["level"])
        assert ours.value == case["events"] / case["n"]
        assert_agree([ours.low, ours.high], case[name])


@pytest.mark.parametrize("case", R["difference"], ids=lambda c: str(c["counts"]))
def test_newcombe_difference_as_r(case):
    ours = newcombe_difference(*case["counts"], case["level"])
    assert_agree([ours.value, ours.low, ours.high], [case["difference"], case["low"], case["high"]])


@pytest.mark.parametrize("case", R["odds_ratio"], ids=lambda c: str(c["counts"]))
def test_odds_ratio_is_the_logistic_regression_in_r(case):
    ours = odds_ratio(*case["counts"], case["level"])
    assert_agree([ours.value, ours.low, ours.high], [case["value"], case["low"], case["high"]], rtol=1e-8)


@pytest.mark.parametrize("case", R["odds_ratio_haldane"], ids=lambda c: str(c["counts"]))
def test_haldane_correction_as_r(case):
    ours = odds_ratio_haldane(*case["counts"], case["level"])
    assert_agree([ours.value, ours.low, ours.high], [case["value"], case["low"], case["high"]], rtol=1e-8)
    assert "One half" in ours.warning


# Newcombe 1998 (Stat Med 17:873), table II, method 10.
@pytest.mark.parametrize(
    ("table", "low", "high"),
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090), ((10, 10, 0, 10), 0.6075, 1.0)],
)
def test_newcombe_published_examples(table, low, high):
    ours = newcombe_difference(*table)
    assert round(ours.low, 4) == low
    assert round(ours.high, 4) == high


def test_worked_response_rates_of_the_model_study():
    low_orr, zero_orr = clopper_pearson(80, 112), clopper_pearson(62, 100)
    assert [round(100 * v, 1) for v in (low_orr.low, low_orr.high)] == [62.1, 79.6]
    assert [round(100 * v, 1) for v in (zero_orr.low, zero_orr.high)] == [51.7, 71.5]
    assert [round(100 * v, 1) for v in (wilson(80, 112).low, wilson(80, 112).high)] == [62.5, 79.0]
    assert [round(100 * v, 1) for v in (wilson(62, 100).low, wilson(62, 100).high)] == [52.2, 70.9]
    orr, dcr = newcombe_difference(80, 112, 62, 100), newcombe_difference(97, 112, 82, 100)
    assert [round(100 * v, 1) for v in (orr.value, orr.low, orr.high)] == [9.4, -3.2, 21.8]
    assert [round(100 * v, 1) for v in (dcr.value, dcr.low, dcr.high)] == [4.6, -5.2, 14.7]
    low_dcr, zero_dcr = clopper_pearson(97, 112), clopper_pearson(82, 100)
    assert [round(100 * v, 1) for v in (low_dcr.low, low_dcr.high)] == [78.9, 92.3]
    assert [round(100 * v, 1) for v in (zero_dcr.low, zero_dcr.high)] == [73.1, 89.0]
    orr, dcr = odds_ratio(80, 112, 62, 100), odds_ratio(97, 112, 82, 100)
    assert [round(v, 2) for v in (orr.value, orr.low, orr.high)] == [1.53, 0.86, 2.72]
    assert [round(v, 2) for v in (dcr.value, dcr.low, dcr.high)] == [1.42, 0.67, 2.99]


@given(counts(), levels)
def test_intervals_hold_the_estimate_within_bounds(count, level):
    for function in (wilson, clopper_pearson):
        ours = function(*count, level)
        assert 0.0 <= ours.low <= ours.value <= ours.high <= 1.0


@given(counts(), levels)
def test_counting_the_other_outcome_mirrors_the_interval(count, level):
    events, n = count
    for function in (wilson, clopper_pearson):
        ours, mirror = function(events, n, level), function(n - events, n, level)
        assert ours.low == pytest.approx(1.0 - mirror.high, abs=1e-12)
        assert ours.high == pytest.approx(1.0 - mirror.low, abs=1e-12)


@given(counts())
def test_a_higher_level_gives_a_wider_interval(count):
    for function in (wilson, clopper_pearson):
        narrow, wide = function(*count, 0.8), function(*count, 0.99)
        assert wide.low <= narrow.low
        assert wide.high >= narrow.high


@given(counts(), counts(), levels)
def test_swapping_groups_turns_difference_and_odds_ratio_round(one, zero, level):
    ours, swapped = newcombe_difference(*one, *zero, level), newcombe_difference(*zero, *one, level)
    assert -1.0 - 1e-12 <= ours.low <= ours.value <= ours.high <= 1.0 + 1e-12
    assert (ours.value, ours.low, ours.high) == pytest.approx((-swapped.value, -swapped.high, -swapped.low), abs=1e-12)
    ratio, inverse = odds_ratio_haldane(*one, *zero, level), odds_ratio_haldane(*zero, *one, level)
    assert ratio.low <= ratio.value * (1 + 1e-12)
    assert ratio.value <= ratio.high * (1 + 1e-12)
    assert ratio.low * inverse.high == pytest.approx(1.0)


def test_an_empty_denominator_is_nan_with_a_warning():
    for ours in (wilson(0, 0), clopper_pearson(0, 0), newcombe_difference(0, 0, 3, 9), odds_ratio_haldane(1, 2, 0, 0)):
        assert math.isnan(ours.value)
        assert math.isnan(ours.low)
        assert ours.warning


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ((0, 5, 2, 5), 0.0),
        ((2, 5, 0, 5), math.inf),
        ((5, 5, 2, 5), math.inf),
        ((2, 5, 5, 5), 0.0),
        ((0, 5, 0, 5), math.nan),
    ],
)
def test_an_empty_cell_leaves_the_odds_ratio_without_limits(table, value):
    ours = odds_ratio(*table)
    assert ours.value == pytest.approx(value, nan_ok=True)
    assert math.isnan(ours.low)
    assert math.isnan(ours.high)
    assert ours.warning


@pytest.mark.parametrize("bad", [(5, 4), (-1, 4), (1.5, 4), (1, -4), (math.nan, 4)])
def test_counts_that_are_none_are_refused(bad):
    for function in (wilson, clopper_pearson):
        with pytest.raises(EngineError):
            function(*bad)
    with pytest.raises(EngineError, match="group 1"):
        odds_ratio(*bad, 1, 2)


def test_a_level_in_percent_is_refused():
    with pytest.raises(EngineError, match="confidence level"):
        wilson(1, 2, 95)
