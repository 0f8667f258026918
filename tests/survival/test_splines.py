"""Restricted cubic splines against R's Hmisc, by hand, and their laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.survival import Surv, default_knots, fit_cox, restricted_cubic_spline

from .helpers import VALUE, assert_close, reference

INPUTS = sorted(reference("splines")["inputs"])
KNOTS = st.lists(st.integers(-50, 50), min_size=3, max_size=7, unique=True).map(lambda v: np.sort(np.array(v, float)))


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("which", range(5))
def test_knots_and_columns_against_hmisc(name: str, which: int) -> None:
    case = reference("splines")["inputs"][name]
    theirs = case["splines"][which]
    if theirs["knots"] is None:
        with pytest.raises(EngineError, match="knots"):
            default_knots(case["x"], theirs["k"])
        return
    knots = default_knots(case["x"], theirs["k"])
    assert_close(knots, theirs["knots"], VALUE, "knots")
    basis = restricted_cubic_spline(theirs["at"], theirs["knots"])
    for column, expected in zip(basis.T, np.array(theirs["basis"]).T, strict=True):
        assert_close(column, expected, VALUE, "column")


def test_by_hand() -> None:
    # Knots 0, 1, 2: ((x)+^3 - 2 (x - 1)+^3 + (x - 2)+^3) / 4; at 3 it is (27 - 16 + 1) / 4.
    basis = restricted_cubic_spline([-1, 0.5, 1, 2, 3], [0, 1, 2])
    assert basis[:, 1] == pytest.approx([0, 0.125 / 4, 1 / 4, 6 / 4, 3])


@given(KNOTS, st.integers(-1000, 1000), st.floats(0.01, 100))
def test_straight_beyond_the_knots_smooth_within_and_free_of_units(knots: Any, origin: int, unit: float) -> None:
    width = knots[-1] - knots[0]
    x = np.linspace(knots[0] - width, knots[-1] + width, 301)
    basis = restricted_cubic_spline(x, knots)
    assert basis.shape == (301, knots.shape[0] - 1)
    assert np.array_equal(basis[:, 0], x)
    bends = basis[:, 1:]
    assert (bends[x <= knots[0]] == 0).all()
    beyond = bends[x >= knots[-1]]
    assert np.abs(np.diff(beyond, 2, axis=0)).max() < 1e-8 * max(1.0, np.abs(bends).max())
    assert (np.diff(bends, axis=0) >= -1e-9 * np.abs(bends).max()).all()
    other = restricted_cubic_spline(x * unit + origin, knots * unit + origin)
    assert np.abs(other[:, 1:] - bends * unit).max() < 1e-7 * unit * max(1.0, np.abs(bends).max()) + 1e-6 * unit


@given(st.lists(st.floats(-100, 100), min_size=100, max_size=200, unique=True), st.integers(3, 7))
def test_default_knots_rise_within_x(values: list[float], k: int) -> None:
    try:
        knots = default_knots(values, k)
    except EngineError:
        return
    assert knots.shape == (k,)
    assert (np.diff(knots) > 0).all()
    assert min(values) < knots[0]
    assert knots[-1] < max(values)
    shuffled = np.random.default_rng(0).permutation(values)
    assert np.array_equal(default_knots(shuffled, k), knots)


def test_a_spline_in_a_model_holds_the_straight_line() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=300)
    surv = Surv(np.ceil(rng.exponential(30 * np.exp(-0.5 * x**2))), rng.random(300) < 0.8)
    basis = restricted_cubic_spline(x, default_knots(x, 4))
    straight, bent = fit_cox(surv, x), fit_cox(surv, basis)
    assert bent.log_likelihood.fitted > straight.log_likelihood.fitted + 2
    assert bent.warnings == ()


@pytest.mark.parametrize(
    ("x", "knots", "says"),
    [
        ([1, 2], [1, 2], "needs 3 knots"),
        ([1, 2], [1, 2, 2], "must rise"),
        ([1, 2], [3, 2, 1], "must rise"),
        ([1, np.nan], [1, 2, 3], "x holds a missing"),
        ([1, 2], [1, np.nan, 3], "knots holds a missing"),
        ([1, None], [1, 2, 3], "x holds a missing"),
        ([[1, 2]], [1, 2, 3], "x has 2 dimensions"),
        (["a"], [1, 2, 3], "not a number"),
    ],
)
def test_refused_columns(x: Any, knots: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        restricted_cubic_spline(x, knots)


@pytest.mark.parametrize(
    ("x", "k", "says"),
    [
        (np.arange(50), 2, "3 to 7 knots"),
        (np.arange(50), 8, "3 to 7 knots"),
        (np.arange(50), 3.5, "3 to 7 knots"),
        ([1, 2, 3], 3, "fewer than 6 rows"),
        ([1] * 20, 3, "too few distinct"),
        ([0] * 90 + list(range(10)), 4, "fall together"),
        ([*range(7)], 3, "fall together"),
        ([0] * 40 + [1, 2, 3, 4, 5, 6] + [9] * 40, 4, "too few rows lie between"),
        ([1, np.inf] * 10, 3, "x holds a missing or infinite"),
    ],
)
def test_refused_knots(x: Any, k: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        default_knots(x, k)


def test_no_row_gives_no_row() -> None:
    assert restricted_cubic_spline([], [1, 2, 3]).shape == (0, 2)
