"""What holds for every test of the log-rank family: the same from tables as from rows, and the laws of its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riskset.survival import (
    EventTable,
    Surv,
    gray_test,
    logrank_permutation,
    logrank_test,
    max_combo_test,
    pairwise_logrank,
    trend_test,
    weighted_logrank_test,
)
from riskset.survival.group_counts import group_counts
from riskset.survival.logrank import BLOCK, compare, weighted_sums
from riskset.survival.logrank_weights import WEIGHTS, fleming_harrington, pooled_counts

from .helpers import assert_close, reference, surv_of

TESTS: dict[str, Callable[..., Any]] = {
    "log-rank": logrank_test,
    "late": lambda s, g, **more: logrank_test(s, g, rho=0.5, gamma=1, **more),
    "gehan": weighted_logrank_test,
    "peto": lambda s, g, **more: weighted_logrank_test(s, g, weight="peto", **more),
    "modified-peto": lambda s, g, **more: weighted_logrank_test(s, g, weight="modified-peto", **more),
    "tarone-ware": lambda s, g, **more: weighted_logrank_test(s, g, weight="tarone-ware", **more),
    "trend": trend_test,
}


@st.composite
def samples(draw: st.DrawFn, *, groups: int = 3) -> dict[str, np.ndarray]:
    n = draw(st.integers(8, 30))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))  # noqa: E731
    sample = {"time": numbers(1, 12), "event": numbers(0, 1), "group": numbers(0, groups - 1), "strata": numbers(0, 2)}
    assume(sample["event"].any() and np.unique(sample["group"]).size > 1)
    return sample | {"entry": np.minimum(numbers(0, 6), sample["time"] - 1), "weight": numbers(1, 3)}


@pytest.mark.parametrize("name", TESTS)
@given(sample=samples())
@settings(max_examples=25)
def test_the_laws_of_chi_square(name: str, sample: dict[str, np.ndarray]) -> None:
    test, group = TESTS[name], sample["group"]
    surv = Surv(sample["time"], sample["event"], entry=sample["entry"])
    result = test(surv, group, strata=sample["strata"])
    assume(not np.isnan(result.chi_square))
    assert result.chi_square >= 0
    assert 0 <= result.p_value <= 1
    # A strictly increasing transformation of time keeps every set at risk.
    bent = Surv(sample["time"] ** 2 / 7.0, sample["event"], entry=sample["entry"] ** 2 / 7.0)
    assert test(bent, group, strata=sample["strata"]).chi_square == pytest.approx(result.chi_square, rel=1e-9, abs=1e-9)
    if name == "trend":
        turned = trend_test(surv, 2 - group, strata=sample["strata"])
        assert turned.chi_square == pytest.approx(trend_of_all(surv, group, sample), rel=1e-9, abs=1e-9)
        return
    assert abs(result.observed.sum() - result.expected.sum()) < 1e-9 * max(result.observed.sum(), 1.0)
    assert np.linalg.eigvalsh(result.variance).min() > -1e-9 * result.variance.max()
    renamed = test(surv, np.array(["c", "a", "b"])[group], strata=np.array(list("zyx"))[sample["strata"]])
    assert renamed.chi_square == pytest.approx(result.chi_square, rel=1e-8, abs=1e-8)


def trend_of_all(surv: Surv, group: np.ndarray, sample: dict[str, np.ndarray]) -> float:
    """Turn scores round as well, which leaves the trend but for its sign."""
    labels = np.unique(group)
    return trend_test(surv, group, scores=-np.arange(1.0, labels.size + 1), strata=sample["strata"]).chi_square


@pytest.mark.parametrize("name", [*TESTS, "pairwise", "max-combo"])
@given(sample=samples(groups=2))
@settings(max_examples=25)
def test_a_table_gives_what_its_rows_give(name: str, sample: dict[str, np.ndarray]) -> None:
    test = TESTS.get(name) or {"pairwise": pairwise_logrank, "max-combo": max_combo_test}[name]
    rows = Surv(sample["time"], sample["event"], entry=sample["entry"], weight=sample["weight"])
    table = EventTable.from_arrays(
        sample["time"],
        sample["event"],
        pattern=sample["group"],
        stratum=sample["strata"],
        entry=sample["entry"],
        weight=sample["weight"],
    )
    for one_a_row, one_a_stratum in ((None, None), (sample["strata"], table.strata)):
        a = test(rows, sample["group"], strata=one_a_row)
        b = test(table, table.patterns, strata=one_a_stratum)
        assert np.allclose(a.p_value, b.p_value, rtol=1e-10, atol=0, equal_nan=True)
        assert a.label == b.label
        if name != "pairwise":
            assert a.n.tolist() == b.n.tolist() if name != "trend" else a.groups == b.groups
            assert a.warnings == b.warnings


def test_sums_over_blocks_are_the_sums_of_all() -> None:
    rng = np.random.default_rng(8)
    n = 3 * BLOCK
    surv, group = Surv(rng.exponential(1.0, n), rng.random(n) < 0.9), rng.integers(0, 3, n)
    counts = group_counts(surv, group)
    pooled = pooled_counts(counts)
    weight = fleming_harrington(0.5, 1.0).values(pooled)
    assert counts.time.shape[0] > 2 * BLOCK
    observed, expected, variance = weighted_sums(counts, weight)
    share = counts.at_risk / pooled.at_risk
    spread = weight**2 * pooled.events * (pooled.at_risk - pooled.events) / np.maximum(pooled.at_risk - 1, 1)
    assert_close(observed, counts.events @ weight, 1e-12)
    assert_close(expected, share @ (weight * pooled.events), 1e-12)
    assert_close(variance, np.diag(share @ spread) - (share * spread) @ share.T, 1e-11)


@pytest.mark.parametrize("name", ["lung", "colon", "tied_count"])
def test_every_weight_is_a_function_of_the_pooled_counts_alone(name: str) -> None:
    case = reference("cases")[name]
    surv = surv_of(case)
    counts, one = group_counts(surv, case["group"]), group_counts(surv, np.zeros(len(surv)))
    for weight in (*WEIGHTS.values(), fleming_harrington(1, 1)):
        values = weight.values(pooled_counts(counts))
        assert np.array_equal(values, weight.values(pooled_counts(one)))
        assert values.shape == counts.time.shape
        # A weight times a constant changes no test.
        scaled = type(weight)("", lambda pooled, w=weight: 1e6 * w.values(pooled))
        assert compare(counts, scaled, "").chi_square == pytest.approx(
            compare(counts, weight, "").chi_square, rel=1e-10
        )


@pytest.mark.parametrize("shares_with", [(0, 0, 1), (0, 0, 1, 1), (0, 0, 0, 1), (0, 1, 1, 2)])
def test_rounding_makes_no_comparison_of_groups_that_never_meet(shares_with: tuple[int, ...]) -> None:
    """Each group lies in one stratum; sums of its shares, which are 0, or 1, leave a variance of rounding alone."""
    rng = np.random.default_rng(20)
    for _ in range(60):
        group = np.concatenate((np.arange(len(shares_with)), rng.integers(0, len(shares_with), 50)))
        stratum = np.array(shares_with)[group]
        surv = Surv(rng.integers(1, 30, group.size), rng.integers(0, 2, group.size))
        # The late weight is 0 at a stratum's first event time and may leave a whole group out.
        found = [test(surv, group, strata=stratum) for name, test in TESTS.items() if name != "late"]
        found.append(gray_test(surv, group, cause=1, strata=stratum))
        found.append(logrank_permutation(surv, group, strata=stratum, replicates=9, seed=1))
        assert [test.chi_square for test in found if not np.isnan(test.chi_square)] == []
        assert all(test.warnings for test in found)
