from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import (
    barnard,
    boschloo,
    chi_square,
    compare_proportions,
    contingency,
    expected_counts,
    fisher_exact,
    fisher_mid_p,
)

from .reference import assert_agree, load

R = load("contingency")
ALL_TWO_BY_TWO = (chi_square, fisher_exact, fisher_mid_p, barnard, boschloo)

cell = st.integers(0, 25)
two_by_two = st.tuples(st.tuples(cell, cell), st.tuples(cell, cell)).filter(
    lambda t: min(sum(t[0]), sum(t[1]), t[0][0] + t[1][0], t[0][1] + t[1][1]) > 0
)


def sampling_error(p):
    return math.sqrt(p * (1 - p) / contingency._MONTE_CARLO_TABLES)


@pytest.mark.parametrize("case", R["tables"], ids=lambda c: c["name"])
def test_tests_as_r(case):
    table = case["table"]
    ours = chi_square(table)
    assert_agree([ours.statistic, ours.df, ours.p_value], [case["chi_square"], case["df"], case["p"]])
    assert_agree(expected_counts(table), case["expected"])
    exact = fisher_exact(table)
    if exact.test == "fisher_exact":
        assert_agree(exact.p_value, case["fisher"], rtol=1e-8)
    else:
        assert case["name"] == "job"  # the one table here that is too large to enumerate
        assert abs(exact.p_value - case["fisher"]) < 5 * sampling_error(case["fisher"])
    if "yates" in case:
        corrected = chi_square(table, yates=True)
        assert_agree([corrected.statistic, corrected.p_value], [case["yates"], case["p_yates"]])
        assert_agree(fisher_mid_p(table).p_value, case["mid_p"])


@pytest.mark.parametrize("case", R["unconditional"], ids=lambda c: c["name"])
def test_unconditional_tests_as_their_definition_in_r(case):
    ours = barnard(case["table"])
    assert_agree([ours.statistic, ours.p_value], [case["z"], case["barnard"]], rtol=1e-8)
    assert_agree(boschloo(case["table"]).p_value, case["boschloo"], rtol=1e-8)


def test_unconditional_tests_as_scipy_with_groups_in_columns():
    for table in ([[80, 32], [62, 38]], [[24, 2], [5, 9]]):
        transposed = np.transpose(table)
        assert barnard(table).p_value == pytest.approx(scipy.stats.barnard_exact(transposed).pvalue, rel=1e-7)
        assert boschloo(table).p_value == pytest.approx(scipy.stats.boschloo_exact(transposed).pvalue, rel=1e-7)


def test_barnard_counts_tables_tied_with_the_observed_one():
    # In exact arithmetic (7, 12) of 15 each ties with (3, 8), (8, 3) and (12, 7); floating point alone loses some.
    def z_squared(x1, x0):
        pooled = Fraction(x1 + x0, 30)
        return Fraction(x1 - x0, 15) ** 2 / (pooled * (1 - pooled)) if 0 < pooled < 1 else Fraction(0)

    region = np.array([[z_squared(a, b) >= z_squared(7, 12) for b in range(16)] for a in range(16)])
    at = [scipy.stats.binom.pmf(np.arange(16), 15, pi) for pi in np.linspace(0.0005, 0.9995, 4000)]
    largest = max(float(np.outer(p, p)[region].sum()) for p in at)
    assert barnard([[7, 8], [12, 3]]).p_value == pytest.approx(largest, rel=1e-5)


def test_worked_response_rates_of_the_model_study():
    orr, dcr = [[80, 32], [62, 38]], [[97, 15], [82, 18]]
    assert round(chi_square(orr).p_value, 3) == 0.145
    assert round(chi_square(orr, yates=True).p_value, 3) == 0.190
    assert round(fisher_exact(orr).p_value, 3) == 0.188
    assert round(chi_square(dcr).p_value, 3) == 0.356
    assert round(fisher_exact(dcr).p_value, 3) == 0.448


@given(two_by_two)
def test_swapping_groups_or_outcomes_changes_no_p_value(table):
    a, b = table
    for function in ALL_TWO_BY_TWO:
        p = function(table).p_value
        assert 0.0 <= p <= 1.0
        assert function([b, a]).p_value == pytest.approx(p, rel=1e-7)
        assert function([a[::-1], b[::-1]]).p_value == pytest.approx(p, rel=1e-7)


@given(two_by_two)
def test_the_corrections_pull_in_their_known_direction(table):
    assert chi_square(table, yates=True).statistic <= chi_square(table).statistic + 1e-12
    assert fisher_mid_p(table).p_value < fisher_exact(table).p_value
    # Boschloo is uniformly more powerful than Fisher's one-sided test, doubled.
    one_sided = min(
        scipy.stats.fisher_exact(table, alternative="less").pvalue,
        scipy.stats.fisher_exact(table, alternative="greater").pvalue,
    )
    assert boschloo(table).p_value <= min(1.0, 2 * one_sided) + 1e-9


@settings(max_examples=40)
@given(two_by_two)
def test_enumeration_and_the_two_by_two_formula_agree(table):
    counts = np.array(table)
    assert contingency._fisher_by_enumeration(counts) == pytest.approx(fisher_exact(table).p_value, rel=1e-9)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=4))
def test_transposing_and_permuting_changes_nothing(rows):
    table = np.array(rows)
    kept = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    for function in (chi_square, fisher_exact, compare_proportions):
        ours = function(table)
        other = function(table[::-1, [2, 0, 1]].T)
        assert ours.p_value == pytest.approx(other.p_value, rel=1e-7, nan_ok=True)
        assert math.isnan(ours.p_value) == (min(kept.shape) < 2)


def test_compare_proportions_tells_which_test_it_chose():
    assert compare_proportions([[80, 32], [62, 38]]).test == "chi_square"
    assert compare_proportions([[3, 1], [1, 3]]).test == "fisher_exact"
    assert compare_proportions([[3, 1], [1, 3]]).p_value == fisher_exact([[3, 1], [1, 3]]).p_value
    # All expected counts are exactly 5: still chi-square; one patient fewer: Fisher.
    assert compare_proportions([[4, 6], [6, 4]]).test == "chi_square"
    assert compare_proportions([[4, 6], [5, 4]]).test == "fisher_exact"


def test_large_sparse_tables_are_sampled_with_a_fixed_seed():
    table = [[30, 12, 2, 41, 7], [25, 20, 9, 33, 3], [14, 8, 6, 21, 2], [40, 3, 4, 18, 11]]
    ours, again = fisher_exact(table), fisher_exact(table)
    assert ours.test == "fisher_exact_monte_carlo"
    assert ours.p_value == again.p_value
    assert "seed" in ours.warning
    # With this many patients chi-square is close to the exact P.
    assert ours.p_value == pytest.approx(chi_square(table).p_value, rel=0.5)


def test_sampling_comes_near_to_enumeration():
    table = np.array([[4, 76, 17, 15], [2, 60, 20, 18]])
    exact = contingency._fisher_by_enumeration(table)
    assert abs(contingency._fisher_by_sampling(table) - exact) < 5 * sampling_error(exact)


def test_empty_rows_and_columns_are_left_out_and_told():
    full, holed = chi_square([[3, 9], [8, 2]]), chi_square([[3, 0, 9], [0, 0, 0], [8, 0, 2]])
    assert (full.statistic, full.df, full.p_value) == (holed.statistic, holed.df, holed.p_value)
    assert full.warning is None
    assert "left out" in holed.warning


@pytest.mark.parametrize("table", [[[0, 0], [5, 6]], [[0, 4], [0, 6]], [[0, 0], [0, 0]]])
def test_a_lacking_margin_gives_no_p_value(table):
    for function in (*ALL_TWO_BY_TWO, compare_proportions):
        ours = function(table)
        assert math.isnan(ours.p_value)
        assert ours.warning


def test_too_many_patients_for_an_unconditional_test():
    table = [[2000, 2000], [1900, 2100]]
    for function in (barnard, boschloo):
        assert math.isnan(function(table).p_value)
        assert "chi-square" in function(table).warning


@pytest.mark.parametrize("bad", [[[1, -1], [2, 3]], [[1, 2.5], [2, 3]], [1, 2, 3], [[1, math.nan], [2, 3]]])
def test_what_is_no_count_table_is_refused(bad):
    with pytest.raises(EngineError):
        chi_square(bad)


def test_tests_of_a_single_shape_refuse_others():
    for function in (barnard, boschloo, fisher_mid_p, lambda t: chi_square(t, yates=True)):
        with pytest.raises(EngineError, match="2 x 2"):
            function([[1, 2, 3], [4, 5, 6]])
