from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import kruskal_wallis, mean_difference, quantiles, skewness, welch_t, wilcoxon_rank_sum

from .reference import assert_agree, load

R = load("continuous")
# Whole and half numbers make ties frequent, as ages and Ki67 percentages do.
values = st.lists(st.integers(-40, 40).map(lambda k: k / 2), min_size=2, max_size=25)


@pytest.mark.parametrize("case", R["groups"], ids=lambda c: c["name"])
def test_comparisons_as_r(case):
    one, zero = case["groups"][:2]
    t = welch_t(one, zero)
    assert_agree([t.statistic, t.df, t.p_value], [case["t"], case["t_df"], case["t_p"]])
    difference = mean_difference(one, zero)
    assert_agree([difference.value, difference.low, difference.high], case["difference"])
    w = wilcoxon_rank_sum(one, zero)
    assert_agree([w.statistic, w.p_value], [case["w"], case["w_p"]])
    h = kruskal_wallis(case["groups"])
    assert_agree([h.statistic, h.df, h.p_value], [case["h"], case["h_df"], case["h_p"]])


@pytest.mark.parametrize("case", R["describe"], ids=lambda c: f"n={len(c['x'])}")
def test_quantiles_and_skewness_as_r(case):
    assert_agree(quantiles(case["x"], case["probs"]), case["quantiles"])
    assert_agree(skewness(case["x"]), case["skewness"])


@given(values, values)
def test_swapping_groups_turns_the_comparisons_round(one, zero):
    t, turned = welch_t(one, zero), welch_t(zero, one)
    assert t.statistic == pytest.approx(-turned.statistic, nan_ok=True)
    assert t.p_value == pytest.approx(turned.p_value, nan_ok=True)
    w, turned = wilcoxon_rank_sum(one, zero), wilcoxon_rank_sum(zero, one)
    assert w.p_value == pytest.approx(turned.p_value, nan_ok=True)
    if not math.isnan(w.p_value):
        assert w.statistic + turned.statistic == len(one) * len(zero)
        assert 0.0 <= w.p_value <= 1.0


@given(values, values)
def test_ranks_do_not_see_a_monotone_change_of_scale(one, zero):
    def stretched(x):
        return np.exp(np.array(x) / 10.0)

    plain, changed = wilcoxon_rank_sum(one, zero), wilcoxon_rank_sum(stretched(one), stretched(zero))
    assert plain.p_value == pytest.approx(changed.p_value, nan_ok=True)
    h, h_changed = kruskal_wallis([one, zero]), kruskal_wallis([stretched(one), stretched(zero)])
    assert h.p_value == pytest.approx(h_changed.p_value, nan_ok=True)


@given(values, st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_quantiles_rise_within_the_range(x, probs):
    found = quantiles(x, sorted(probs))
    assert np.all(np.diff(found) >= -1e-12)
    assert min(x) <= found[0]
    assert found[-1] <= max(x)


@given(values)
def test_mirroring_turns_skewness_round(x):
    assert skewness(x) == pytest.approx(-skewness([-v for v in x]), nan_ok=True, abs=1e-12)


def test_what_the_data_do_not_allow_is_nan_with_a_warning():
    for outcome in (
        welch_t([1.0], [2.0, 3.0]),
        welch_t([1.0, 1.0], [2.0, 2.0]),
        wilcoxon_rank_sum([], [1.0]),
        wilcoxon_rank_sum([2.0, 2.0], [2.0]),
        kruskal_wallis([[1.0, 2.0], []]),
        kruskal_wallis([[3.0, 3.0], [3.0]]),
    ):
        assert math.isnan(outcome.p_value)
        assert outcome.warning
    assert math.isnan(mean_difference([], [1.0]).value)
    single = mean_difference([1.0], [2.0, 3.0])
    assert single.value == -1.5
    assert math.isnan(single.low)
    assert np.isnan(quantiles([], [0.5])).all()
    assert math.isnan(skewness([1.0, 2.0]))
    assert math.isnan(skewness([0.1, 0.1, 0.1, 0.1]))


def test_empty_groups_are_left_out_and_told():
    plain, holed = kruskal_wallis([[1, 2, 4], [3, 5]]), kruskal_wallis([[1, 2, 4], [], [3, 5]])
    assert (plain.statistic, plain.df) == (holed.statistic, holed.df)
    assert "left out" in holed.warning


def test_missing_values_are_refused_not_dropped():
    for call in (
        lambda x: welch_t(x, [1, 2]),
        lambda x: wilcoxon_rank_sum([1, 2], x),
        skewness,
        lambda x: quantiles(x, [0.5]),
    ):
        with pytest.raises(EngineError, match="missing"):
            call([1.0, math.nan, 3.0])
    with pytest.raises(EngineError, match="between 0 and 1"):
        quantiles([1, 2], [50])
