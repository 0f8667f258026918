"""Gray's test against R's cmprsk, and what must hold on any data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from riskset.errors import EngineError
from riskset.survival import GrayTest, Surv, gray_test, logrank_test

from .competing_cases import CASES, Sample, samples, written_out
from .helpers import VALUE, assert_close, assert_close_p, reference, surv_of

THEIRS: dict[str, Any] = reference("gray_test")["cases"]


@pytest.mark.parametrize("name", THEIRS)
def test_statistics_are_those_of_cuminc(name: str) -> None:
    case = CASES[name]
    for r in THEIRS[name]:
        strata = case["strata"] if r["stratified"] else None
        for cause, chi_square, df, p_value in zip(r["cause"], r["chi_square"], r["df"], r["p_value"], strict=True):
            test = gray_test(surv_of(case), case["group"], cause=int(cause), strata=strata, rho=r["rho"])
            assert_close(test.chi_square, chi_square, VALUE, f"cause {cause}, rho {r['rho']}")
            assert_close_p(test.p_value, p_value)
            assert test.df == df
            assert test.warnings == ()


def same_test(a: GrayTest, b: GrayTest, tolerance: float = 1e-9) -> None:
    for name in ("observed", "expected", "variance"):
        ours, theirs = getattr(a, name), getattr(b, name)
        assert np.allclose(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True), name
    assert np.isclose(a.chi_square, b.chi_square, rtol=1e-6, atol=1e-9, equal_nan=True)
    assert a.df == b.df


@given(samples(counted=True))
def test_with_a_single_cause_the_score_is_that_of_the_logrank_test(sample: Sample) -> None:
    one = sample.surv.as_event(sample.surv.is_event)
    ours, theirs = gray_test(one, sample.group), logrank_test(one, sample.group)
    assert_close(ours.observed, theirs.observed, 1e-12)
    assert_close(ours.expected, theirs.expected, 1e-10)


def test_with_a_single_cause_the_statistic_is_near_the_logrank_test() -> None:
    case = CASES["mgus2"]
    one = surv_of(case).as_event(np.array(case["event"]) == 2)
    ours, theirs = gray_test(one, case["group"]), logrank_test(one, case["group"])
    assert abs(ours.chi_square / theirs.chi_square - 1.0) < 0.05


@given(samples(counted=True))
def test_a_counted_weight_is_that_many_rows(sample: Sample) -> None:
    copies, rows = written_out(sample.surv)
    same_test(gray_test(sample.surv, sample.group), gray_test(copies, sample.group[rows]))


@given(samples())
def test_neither_order_nor_labels_nor_the_unit_of_time_matter(sample: Sample) -> None:
    test = gray_test(sample.surv, sample.group, rho=0.5)
    order = np.random.default_rng(sample.seed).permutation(len(sample.surv))
    same_test(test, gray_test(sample.surv.subset(order), sample.group[order], rho=0.5))
    surv = sample.surv
    same_test(test, gray_test(Surv(surv.time * 30.4375, surv.event), sample.group, rho=0.5))
    named = gray_test(surv, np.array(["zero", "low"])[sample.group], rho=0.5)
    assert named.groups == ("low", "zero")
    assert_close(named.observed[::-1], test.observed, 1e-12)
    assert np.isclose(named.chi_square, test.chi_square, rtol=1e-7, atol=1e-9, equal_nan=True)


@given(samples())
def test_one_constant_stratum_is_none_and_two_equal_ones_double_the_score(sample: Sample) -> None:
    surv, n = sample.surv, len(sample.surv)
    test = gray_test(surv, sample.group)
    same_test(test, gray_test(surv, sample.group, strata=["only"] * n))
    twice = Surv(np.tile(surv.time, 2), np.tile(surv.event, 2))
    doubled = gray_test(twice, np.tile(sample.group, 2), strata=np.repeat(["a", "b"], n))
    assert_close(doubled.observed, 2 * test.observed, 1e-12)
    assert np.allclose(doubled.variance, 2 * test.variance, rtol=1e-9, atol=1e-12)


@given(samples(counted=True))
def test_observed_and_expected_have_the_same_sum(sample: Sample) -> None:
    test = gray_test(sample.surv, sample.group, cause=2, rho=1.0)
    assert np.isclose(test.observed.sum(), test.expected.sum(), rtol=1e-9)
    assert np.allclose(test.variance.sum(axis=0), 0.0, atol=1e-9)
    assert (np.diag(test.variance) >= -1e-12).all()


def test_a_group_that_meets_no_event_of_the_cause_is_left_out_and_told() -> None:
    surv = Surv([1, 2, 4, 5, 6, 7, 8, 9], [0, 2, 1, 1, 2, 1, 0, 1])
    groups = np.array(["early", "early", "b", "c", "c", "b", "b", "c"])
    test = gray_test(surv, groups)
    assert test.df == 1
    assert "group 'early' was never at risk" in test.warnings[0]
    rest = groups != "early"
    assert_close(test.chi_square, gray_test(surv.subset(rest), groups[rest]).chi_square, 1e-12)


def test_one_group_has_no_statistic_and_says_so() -> None:
    test = gray_test(Surv([1, 2, 3], [1, 2, 0]), ["a", "a", "a"])
    assert np.isnan(test.chi_square)
    assert test.df == 0
    assert np.isnan(test.p_value)
    assert "fewer than two groups" in test.warnings[0]


def test_groups_that_never_meet_have_no_statistic_and_say_so() -> None:
    test = gray_test(Surv([1, 2, 1, 2], [1, 1, 1, 1]), ["a", "a", "b", "b"], strata=["s", "s", "t", "t"])
    assert np.isnan(test.chi_square)
    assert "singular" in test.warnings[0]


def test_a_group_without_events_is_compared() -> None:
    test = gray_test(Surv([1, 2, 3, 4, 5, 6], [1, 2, 1, 0, 0, 0]), ["a", "a", "a", "b", "b", "b"])
    assert test.observed.tolist() == [2, 0]
    assert test.df == 1
    assert test.chi_square > 0


@pytest.mark.parametrize(
    ("surv", "arguments", "sentence"),
    [
        (Surv([], []), {}, "no row"),
        (Surv([1, 2], [2, 0]), {}, "no event of cause 1; the causes that occur are 2"),
        (Surv([1, 2], [1, 2]), {"rho": np.nan}, "rho"),
        (Surv([1, 2], [1, 2], weight=[0.5, 1]), {}, "whole counts"),
        (Surv([1, 2], [1, 2], entry=[0, 1]), {}, "delayed entry"),
        (Surv([1, 2], [1, 2]), {"strata": [1]}, "strata"),
    ],
)
def test_what_cannot_be_tested_is_refused(surv: Surv, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        gray_test(surv, np.arange(len(surv)), **arguments)
