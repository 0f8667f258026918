from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.inference import cohens_kappa

from .reference import assert_agree, load

tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 30), min_size=k, max_size=k), min_size=k, max_size=k)
)


@pytest.mark.parametrize("case", load("kappa")["cases"], ids=lambda c: f"kappa={c['kappa']:.3f}")
def test_kappa_and_interval_as_the_delta_method_in_r(case):
    ours = cohens_kappa(case["table"], case["level"])
    assert_agree(ours.value, case["kappa"])
    assert_agree([ours.low, ours.high], [case["low"], case["high"]], rtol=1e-8)


@given(tables, st.randoms())
def test_exchanging_readers_or_renaming_categories_changes_nothing(rows, random):
    table = np.array(rows)
    order = list(range(len(table)))
    random.shuffle(order)
    ours = cohens_kappa(table)
    for other in (cohens_kappa(table.T), cohens_kappa(table[np.ix_(order, order)])):
        assert other.value == pytest.approx(ours.value, nan_ok=True, abs=1e-12)
        assert other.low == pytest.approx(ours.low, nan_ok=True, abs=1e-7)
    if not math.isnan(ours.value):
        assert -1.0 <= ours.low <= ours.value + 1e-12
        assert ours.value - 1e-12 <= ours.high <= 1.0


def test_full_agreement_and_no_information():
    full = cohens_kappa([[12, 0], [0, 7]])
    assert (full.value, full.low, full.high) == (1.0, 1.0, 1.0)
    for ours in (cohens_kappa([[0, 0], [0, 0]]), cohens_kappa([[12, 0], [0, 0]])):
        assert math.isnan(ours.value)
        assert ours.warning


def test_different_categories_are_refused():
    with pytest.raises(EngineError, match="same categories"):
        cohens_kappa([[1, 2, 3], [4, 5, 6]])
