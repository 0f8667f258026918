from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import benjamini_hochberg, false_positive_chance, holm

from .reference import assert_agree, load

p_values = st.lists(st.floats(0, 1), min_size=0, max_size=12)


@pytest.mark.parametrize("case", load("multiplicity")["cases"], ids=lambda c: f"m={len(c['p'])}")
def test_adjusted_p_values_as_r(case):
    p = np.array(case["p"], dtype=float)
    assert_agree(holm(p), case["holm"])
    assert_agree(benjamini_hochberg(p), case["bh"])


@given(p_values)
def test_adjusting_never_lowers_nor_reorders(p):
    raw = np.array(p)
    order = np.argsort(raw, kind="stable")
    for adjusted in (holm(raw), benjamini_hochberg(raw)):
        assert np.all(adjusted >= raw - 1e-15)
        assert np.all(adjusted <= 1.0)
        assert np.all(np.diff(adjusted[order]) >= -1e-15)
    assert np.all(benjamini_hochberg(raw) <= holm(raw) + 1e-15)


# The worked chances that the review prints: four, eight, ten and twenty tests.
@pytest.mark.parametrize(("k", "chance"), [(0, 0.0), (1, 0.05), (4, 0.19), (8, 0.34), (10, 0.40), (20, 0.64)])
def test_chance_of_a_false_positive(k, chance):
    assert round(false_positive_chance(k), 2) == chance


def test_what_is_no_p_value_is_refused():
    for bad in ([0.2, 1.2], [-0.1], [[0.1]]):
        with pytest.raises(EngineError):
            holm(bad)
    with pytest.raises(EngineError):
        false_positive_chance(-1)
    with pytest.raises(EngineError):
        false_positive_chance(3, alpha=5)
