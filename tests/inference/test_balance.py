from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import smd_binary, smd_categorical, smd_continuous

from .reference import assert_agree, load

R = load("balance")
values = st.lists(st.integers(-30, 30).map(float), min_size=2, max_size=20)


def test_standardised_differences_as_r():
    for case in R["continuous"]:
        assert_agree(smd_continuous(case["x1"], case["x0"]).value, case["value"])
    for case in R["binary"]:
        assert_agree(smd_binary(*case["counts"]).value, case["value"])
    for case in R["categorical"]:
        assert_agree(smd_categorical(case["counts1"], case["counts0"]).value, case["value"])


@given(values, values, st.floats(0.1, 100), st.floats(-50, 50))
def test_unit_and_origin_do_not_matter_and_swapping_turns_the_sign(one, zero, scale, shift):
    ours = smd_continuous(one, zero).value
    assert smd_continuous(zero, one).value == pytest.approx(-ours, nan_ok=True)
    moved = smd_continuous([scale * v + shift for v in one], [scale * v + shift for v in zero]).value
    assert moved == pytest.approx(ours, nan_ok=True, rel=1e-6, abs=1e-9)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_two_categories_are_the_binary_case(a, b, c, d):
    binary, categories = smd_binary(a, a + b, c, c + d), smd_categorical([a, b], [c, d])
    assert categories.value == pytest.approx(abs(binary.value), nan_ok=True, abs=1e-12)
    assert (binary.warning is None) == (not math.isnan(binary.value))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=6), st.randoms())
def test_the_order_of_the_categories_and_of_the_groups_does_not_matter(pairs, random):
    shuffled = pairs.copy()
    random.shuffle(shuffled)
    ours = smd_categorical([p[0] for p in pairs], [p[1] for p in pairs]).value
    other = smd_categorical([p[1] for p in shuffled], [p[0] for p in shuffled]).value
    assert other == pytest.approx(ours, nan_ok=True, rel=1e-8, abs=1e-9)
    assert math.isnan(ours) or ours >= 0.0


def test_no_variance():
    assert smd_continuous([3, 3], [3, 3, 3]).value == 0.0
    assert smd_binary(0, 5, 0, 9).value == 0.0
    assert smd_binary(5, 5, 9, 9).value == 0.0
    assert smd_categorical([5, 0, 0], [9, 0, 0]).value == 0.0
    for ours in (
        smd_continuous([3, 3], [4, 4]),
        smd_binary(5, 5, 0, 9),
        smd_categorical([5, 2, 0], [0, 0, 9]),
    ):
        assert math.isnan(ours.value)
        assert "not finite" in ours.warning


def test_an_empty_group():
    for ours in (smd_continuous([], [1, 2]), smd_binary(0, 0, 1, 2), smd_categorical([0, 0], [1, 2])):
        assert math.isnan(ours.value)
        assert ours.warning


def test_unequal_categories_are_refused():
    with pytest.raises(EngineError, match="same categories"):
        smd_categorical([1, 2, 3], [4, 5])
    with pytest.raises(EngineError, match="0 or more"):
        smd_categorical([1, -2], [4, 5])
