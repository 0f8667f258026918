"""Intervals of a survival curve on all scales, and what is read from them, against R's survfit."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.survival import Surv, kaplan_meier
from riskset.survival.curve_interval import ConfType, curve_interval

from .helpers import VALUE, assert_close, reference, surv_of

CASES = sorted(reference("intervals")["cases"])
EDGES = sorted(reference("intervals")["edges"])
TYPES = get_args(ConfType)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("which", range(len(TYPES)))
def test_limits_and_what_is_read_from_them(name: str, which: int) -> None:
    theirs = reference("intervals")["cases"][name][which]
    curve = kaplan_meier(
        surv_of(reference("cases")[name]), conf_type=theirs["conf_type"], conf_level=theirs["conf_level"]
    )
    assert curve.time.shape == (theirs["length"],)
    for ours, side in ((curve.low, "low"), (curve.high, "high")):
        assert_close(ours[theirs["places"]], theirs[side], VALUE, side)
        assert_close(np.nansum(ours), theirs[f"sum_{side}"], VALUE, f"sum of {side}")
        assert np.isnan(ours).sum() == theirs[f"missing_{side}"]
    for q, low, high in zip(theirs["levels"], theirs["quantile_low"], theirs["quantile_high"], strict=True):
        estimate = curve.quantile(q)
        assert_close([estimate.low, estimate.high], [low, high], VALUE, f"quantile {q}")
    read, known = curve.at(theirs["times"]), theirs["known"]
    assert read.beyond.tolist() == [False] * known + [True] * (len(theirs["times"]) - known)
    assert_close(read.survival[:known], theirs["survival_at"], VALUE, "survival at times")
    assert_close(read.low[:known], theirs["low_at"], VALUE, "low at times")
    assert_close(read.high[:known], theirs["high_at"], VALUE, "high at times")
    assert np.isnan([read.survival[known:], read.low[known:], read.high[known:]]).all()


@pytest.mark.parametrize("name", EDGES)
def test_ends_of_the_scales(name: str) -> None:
    edge = reference("intervals")["edges"][name]
    for theirs in edge["types"]:
        curve = kaplan_meier(Surv(edge["time"], edge["event"]), conf_type=theirs["conf_type"])
        assert_close(curve.survival, theirs["survival"], VALUE, "survival")
        assert_close(curve.low, theirs["low"], VALUE, f"low, {theirs['conf_type']}")
        assert_close(curve.high, theirs["high"], VALUE, f"high, {theirs['conf_type']}")


@pytest.mark.parametrize("conf_type", TYPES)
@given(
    st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=20),
    st.floats(1e-6, 1.0),
    st.floats(0.1, 4.0),
)
def test_limits_hold_the_estimate_and_widen_with_the_level(
    conf_type: ConfType, survival: list[float], error: float, z: float
) -> None:
    s = np.array(survival)
    e = error * np.sqrt(s * (1 - s))
    low, high = curve_interval(s, e, conf_type, z)
    wider_low, wider_high = curve_interval(s, e, conf_type, 1.5 * z)
    known = ~np.isnan(low)
    assert known[s < 1].all()
    assert np.array_equal(known, ~np.isnan(high))
    assert ((low >= 0) & (high <= 1))[known].all()
    assert ((low <= s + 1e-12) & (s <= high + 1e-12))[known].all()
    assert ((wider_low <= low + 1e-12) & (high <= wider_high + 1e-12))[known].all()


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.2))
def test_the_odd_scales_are_the_same_seen_from_below(survival: float, error: float) -> None:
    """Logit and arc sine treat S and 1 - S alike."""
    s, e = np.array([survival]), np.array([error])
    for conf_type in ("logit", "arcsin"):
        low, high = curve_interval(s, e, conf_type, 1.96)
        low_of_rest, high_of_rest = curve_interval(1 - s, e, conf_type, 1.96)
        assert np.abs(low - (1 - high_of_rest)).max() < 1e-12
        assert np.abs(high - (1 - low_of_rest)).max() < 1e-12
