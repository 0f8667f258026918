from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import e_value

ratios = st.floats(0.05, 20.0)


@pytest.mark.parametrize(("hr", "value"), [(1.22, 1.56), (1.5, 1.98), (0.87, 1.44), (1.0, 1.0)])
def test_worked_e_values(hr, value):
    assert round(e_value(hr).value, 2) == value


def test_worked_conversion_to_a_risk_ratio():
    assert round(e_value(1.22).risk_ratio, 2) == 1.15


# VanderWeele and Ding 2017: a risk ratio of 3.9 (1.8 to 8.7) has E-values 7.26 and 3.0.
def test_published_example():
    ours = e_value(3.9, 1.8, 8.7, rare=True)
    assert (round(ours.value, 2), round(ours.limit, 1)) == (7.26, 3.0)


@given(ratios, st.booleans())
def test_inverting_the_groups_changes_nothing(hr, rare):
    low, high = hr * 0.8, hr * 1.3
    ours, inverse = e_value(hr, low, high, rare=rare), e_value(1 / hr, 1 / high, 1 / low, rare=rare)
    assert ours.value == pytest.approx(inverse.value)
    assert ours.limit == pytest.approx(inverse.limit)
    assert 1.0 <= ours.limit <= ours.value * (1 + 1e-12)
    assert (ours.limit == 1.0) == (low <= 1.0 <= high)


@given(st.floats(1.01, 20.0))
def test_common_events_need_a_weaker_confounder(hr):
    assert e_value(hr).value < e_value(hr, rare=True).value
    assert 1.0 < e_value(hr).risk_ratio < hr


def test_half_an_interval_or_a_wrong_one_is_refused():
    for bad in ((1.5, 1.1, None), (1.5, None, 2.0), (1.5, 1.6, 2.0), (0.0, None, None), (-1.0, None, None)):
        with pytest.raises(EngineError):
            e_value(*bad)
