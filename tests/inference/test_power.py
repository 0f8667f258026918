from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import (
    events_for_equivalence,
    events_for_noninferiority,
    events_for_superiority,
    implied_events,
    minimal_detectable_hr,
)

SHARE = 112 / 212  # HER2-low among the patients of the model study
ratios = st.floats(1.05, 5.0)
shares = st.floats(0.05, 0.95)


def test_worked_power_of_the_model_study():
    eighty = minimal_detectable_hr(143, SHARE)
    assert (round(eighty.below, 3), round(eighty.above, 2)) == (0.625, 1.60)
    ninety = minimal_detectable_hr(143, SHARE, power=0.9)
    assert (round(ninety.below, 2), round(ninety.above, 2)) == (0.58, 1.72)
    assert events_for_noninferiority(1.25, SHARE) == 633
    assert events_for_noninferiority(1.25, SHARE, alpha=0.05) == 499
    assert events_for_equivalence(1.25, SHARE) == 691


def test_number_of_events_worked_by_hand():
    # 4 (1.95996 + 0.84162)^2 / ln(1.5)^2 = 31.3955 / 0.164402 = 190.97
    assert events_for_superiority(1.5) == 191


@pytest.mark.parametrize(
    ("hr", "p_value", "share", "events"),
    [
        (13.9 / 16.0, 0.40, SHARE, 144),
        (14.9 / 18.6, 0.26, SHARE, 103),
        (13.4 / 17.9, 0.04, 0.4, 210),
        (14.1 / 20.2, 0.02, 0.4, 174),
        (22.2 / 17.3, 0.0039, 114 / 257, 543),
        (16.2 / 14.1, 0.263, 24 / 45, 261),
    ],
)
def test_worked_implied_events(hr, p_value, share, events):
    assert round(implied_events(hr, p_value, share)) == events


@given(ratios, shares, st.floats(0.5, 0.99))
def test_events_and_detectable_ratio_are_each_others_inverse(hr, share, power):
    events = events_for_superiority(hr, share, power=power)
    assert events_for_superiority(1 / hr, 1 - share, power=power) == events
    found = minimal_detectable_hr(events, share, power=power)
    assert found.above <= hr * (1 + 1e-9)
    assert found.above * found.below == pytest.approx(1.0)
    if events > 1:
        assert minimal_detectable_hr(events - 1, share, power=power).above >= hr * (1 - 1e-9)


@given(ratios, shares)
def test_a_wider_margin_or_more_power_moves_the_events_the_right_way(margin, share):
    for needed in (events_for_noninferiority, events_for_equivalence):
        assert needed(margin * 1.1, share) <= needed(margin, share) <= needed(margin, share, power=0.9)
        assert needed(margin, 0.5) <= needed(margin, share)
    assert events_for_noninferiority(margin, share, alpha=0.05) <= events_for_equivalence(margin, share)


@pytest.mark.parametrize(
    "call",
    [
        lambda: minimal_detectable_hr(0),
        lambda: minimal_detectable_hr(100, 1.0),
        lambda: minimal_detectable_hr(100, power=80),
        lambda: minimal_detectable_hr(100, power=0.01),
        lambda: events_for_superiority(1.0),
        lambda: events_for_noninferiority(-1.25),
        lambda: events_for_noninferiority(math.nan),
        lambda: implied_events(1.0, 0.5),
        lambda: implied_events(0.8, 1.0),
        lambda: implied_events(0.8, 0.0),
    ],
)
def test_questions_without_an_answer_are_refused(call):
    with pytest.raises(EngineError):
        call()
