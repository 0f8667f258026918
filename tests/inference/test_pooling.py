from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import leave_one_out, pool_fixed, pool_random, pooling

from .reference import assert_agree, load

R = load("pooling")
studies = st.lists(st.tuples(st.floats(-2, 2), st.floats(0.05, 2)), min_size=2, max_size=6)


@pytest.mark.parametrize("case", R["cases"], ids=lambda c: f"{c['name']}@{c['level']}")
def test_pooling_as_metafor(case):
    y, se, level = case["y"], case["se"], case["level"]
    fixed, random = pool_fixed(y, se, level), pool_random(y, se, level)
    assert_agree([fixed.value, fixed.low, fixed.high, fixed.standard_error, fixed.p_value], case["fixed"])
    assert_agree([fixed.q, fixed.q_p_value, fixed.i_squared], [case["q"], case["q_p"], case["i_squared"]], rtol=1e-9)
    # tau^2 is found by iteration on both sides.
    assert_agree(random.tau_squared, case["tau_squared"], rtol=1e-7, atol=1e-9)
    ours = [random.value, random.low, random.high, random.standard_error, random.p_value]
    assert_agree(ours, case["random"], rtol=1e-7)
    if len(y) > 2:
        assert_agree([random.prediction_low, random.prediction_high], case["prediction"], rtol=1e-7)
        for left, theirs in zip(leave_one_out(y, se, level), case["left_out"], strict=True):
            assert_agree([left.value, left.low, left.high], theirs, rtol=1e-6)
    else:
        assert math.isnan(random.prediction_low)


def test_the_variance_factor_is_not_below_one():
    # Estimates far more alike than their errors let expect: without the floor the interval would all but vanish.
    y, se = [0.10, 0.12, 0.11, 0.09], [0.3, 0.2, 0.25, 0.4]
    ours = pool_random(y, se)
    assert ours.tau_squared == 0.0
    assert ours.standard_error == pytest.approx(pool_fixed(y, se).standard_error)


@settings(max_examples=40)
@given(studies, st.floats(-3, 3), st.randoms())
def test_order_sign_and_shift(pairs, shift, random):
    y, se = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    order = list(range(y.size))
    random.shuffle(order)
    for pool in (pool_fixed, pool_random):
        ours = pool(y, se)
        assert ours.low <= ours.value <= ours.high
        assert min(y) - 1e-12 <= ours.value <= max(y) + 1e-12
        assert 0.0 <= ours.i_squared < 1.0
        assert ours.tau_squared >= 0.0
        for other, back in (
            (pool(y[order], se[order]), lambda v: v),
            (pool(-y, se), lambda v: -v),
            (pool(y + shift, se), lambda v: v - shift),
        ):
            assert back(other.value) == pytest.approx(ours.value, abs=1e-5)
            assert other.standard_error == pytest.approx(ours.standard_error, rel=1e-4)


@settings(max_examples=40)
@given(studies)
def test_tau_squared_has_the_highest_restricted_likelihood(pairs):
    y, variance = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]) ** 2
    tau = pooling._reml(y, variance)
    best = pooling._restricted_likelihood(tau, y, variance)
    for other in np.concatenate([[0.0], np.geomspace(1e-6, 50, 60)]):
        assert pooling._restricted_likelihood(float(other), y, variance) <= best + 1e-9


def test_two_equal_studies_halve_the_variance():
    ours = pool_fixed([0.4, 0.4], [0.2, 0.2])
    assert ours.value == pytest.approx(0.4)
    assert ours.standard_error == pytest.approx(0.2 / math.sqrt(2))
    assert ours.q == pytest.approx(0.0)
    assert ours.i_squared == 0.0
    assert pool_random([0.4, 0.4], [0.2, 0.2]).tau_squared == 0.0


def test_one_study_alone():
    fixed, random = pool_fixed([0.3], [0.1]), pool_random([0.3], [0.1])
    assert fixed.value == random.value == 0.3
    assert fixed.low == pytest.approx(0.3 - 1.959963984540054 * 0.1)
    assert math.isnan(random.low)
    assert math.isnan(random.tau_squared)
    assert "One study" in random.warning


def test_leaving_out_uses_the_named_method():
    left = leave_one_out([0.1, 0.5, 0.9], [0.2, 0.2, 0.2], pool=pool_fixed)
    assert [round(p.value, 6) for p in left] == [0.7, 0.5, 0.3]
    assert {p.method for p in left} == {"fixed"}


@pytest.mark.parametrize(
    "bad", [([], []), ([1.0], [0.0]), ([1.0, 2.0], [0.1]), ([math.nan], [0.1]), ([[1.0]], [[0.1]])]
)
def test_what_cannot_be_pooled_is_refused(bad):
    for pool in (pool_fixed, pool_random, leave_one_out):
        with pytest.raises(EngineError):
            pool(*bad)
    with pytest.raises(EngineError, match="two studies"):
        leave_one_out([0.1], [0.2])
