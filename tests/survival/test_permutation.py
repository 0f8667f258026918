"""Permutation log-rank tests: exact against R, Monte Carlo against exact, kernel against NumPy."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.survival import EventTable, Surv, exact_logrank_test, logrank_permutation, logrank_test
from riskset.survival.kernels import kernel_mode, load
from riskset.survival.permutation_draws import group_sums, key_of
from riskset.survival.permutation_scores import permutation_scores

from .helpers import VALUE, assert_close, assert_close_p, reference, surv_of

DRAWN = {"replicates": 20_000, "seed": 7}


def taken(case: dict[str, Any]) -> tuple[Surv, list[str]]:
    entry = None if min(case["entry"]) < 0 else case["entry"]
    return Surv(case["time"], case["status"], entry=entry), case["group"]


@pytest.mark.parametrize("name", reference("permutation"))
def test_exact_p_values(name: str) -> None:
    theirs = reference("permutation")[name]
    surv, group = taken(theirs)
    ours = exact_logrank_test(surv, group)
    assert ours.n_arrangements == theirs["n_arrangements"]
    for field in ("p_value", "p_fewer", "p_more"):
        assert_close_p(getattr(ours, field), theirs[field], 1e-12, field)
    assert_close((ours.observed - ours.expected)[1], theirs["observed"], VALUE, "observed - expected")
    variance = permutation_scores(surv, group, None).covariance()[1, 1]
    assert_close(variance, theirs["variance"], VALUE, "permutation variance")


@pytest.mark.parametrize("name", reference("permutation"))
def test_the_interval_of_drawn_permutations_holds_the_exact_p_value(name: str) -> None:
    surv, group = taken(reference("permutation")[name])
    exact = exact_logrank_test(surv, group).p_value
    drawn = logrank_permutation(surv, group, **DRAWN, conf_level=0.9999)
    assert drawn.low <= exact <= drawn.high
    assert drawn.p_value == (1 + drawn.n_extreme) / 20_001
    assert drawn.low <= drawn.p_value <= drawn.high


def test_every_arrangement_is_drawn_equally_often() -> None:
    # Five people in two strata: 3 x 2 arrangements, told apart by sums of powers of 10.
    score = np.array([1, 10, 100, 1000, 10_000])
    start, size = np.array([0, 3, 5]), np.array([[1, 2], [1, 1]])
    sums = group_sums(score, start, size, key_of(1), 0, 60_000)[0]
    drawn, times = np.unique(sums, return_counts=True)
    assert drawn.tolist() == [1001, 1010, 1100, 10_001, 10_010, 10_100]
    # Chi-square on 5 degrees of freedom: 1 of 10,000 seeds would pass 25.7.
    assert ((times - 10_000) ** 2 / 10_000).sum() < 25.7


def test_three_groups_are_drawn_equally_often() -> None:
    # 4! / (2! 1! 1!) = 12 arrangements; the sums of the first two groups tell them apart.
    score = np.array([1, 10, 100, 1000])
    sums = group_sums(score, np.array([0, 4]), np.array([[2, 1, 1]]), key_of(2), 0, 60_000)
    drawn, times = np.unique(sums, axis=1, return_counts=True)
    assert drawn.shape == (2, 12)
    # 1 of 10,000 seeds would pass 37.4 on 11 degrees of freedom.
    assert ((times - 5_000) ** 2 / 5_000).sum() < 37.4


def test_mean_and_covariance_are_those_of_all_arrangements() -> None:
    rng = np.random.default_rng(3)
    surv = Surv(rng.integers(1, 6, 8), rng.integers(0, 2, 8), entry=rng.integers(0, 1, 8))
    group, strata = np.array([0, 0, 1, 1, 1, 0, 1, 1]), np.array([0, 0, 0, 0, 0, 1, 1, 1])
    data = permutation_scores(surv, group, strata)
    sums = [
        (data.score[list(a)].sum() + data.score[list(b)].sum()) * data.unit
        for a in combinations(range(5), 2)
        for b in combinations(range(5, 8), 1)
    ]
    assert data.covariance()[0, 0] == pytest.approx(np.var(sums), rel=1e-12)
    assert data.mean()[0] * data.unit == pytest.approx(np.mean(sums), abs=1e-12)
    assert data.covariance().sum(axis=0) == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize("groups", [2, 3, 5])
@pytest.mark.parametrize("strata", [1, 4])
def test_kernel_and_numpy_draw_the_same_permutations(groups: int, strata: int) -> None:
    rng = np.random.default_rng(groups)
    n = 57
    time, event = rng.integers(1, 30, n), rng.integers(0, 2, n)
    group, stratum = rng.integers(0, groups, n), rng.integers(0, strata, n)
    data = permutation_scores(Surv(time, event), group, stratum)
    plain = group_sums(data.score, data.start, data.size, 2**64 - 5, 3, 500)
    compiled = load("permutation").group_sums(data.score, data.start, data.size, 2**64 - 5, 3, 500)
    assert np.array_equal(plain, compiled)
    # Parts put together are the whole.
    parts = [group_sums(data.score, data.start, data.size, 2**64 - 5, a, b) for a, b in ((3, 70), (70, 500))]
    assert np.array_equal(plain, np.concatenate(parts, axis=1))
    results = []
    for mode in ("never", "always"):
        with kernel_mode(mode):  # type: ignore[arg-type]
            results.append(logrank_permutation(Surv(time, event), group, replicates=5000, seed=1, strata=stratum))
    assert results[0].n_extreme == results[1].n_extreme
    assert (results[0].p_value, results[0].low, results[0].warnings) == (
        results[1].p_value,
        results[1].low,
        results[1].warnings,
    )


@pytest.mark.parametrize("name", ["lung", "veteran", "gbsg", "tied_count"])
@pytest.mark.parametrize("stratified", [False, True])
def test_large_samples_come_near_the_logrank_test(name: str, stratified: bool) -> None:
    case = reference("cases")[name]
    if stratified and case["strata"] is None:
        pytest.skip("has no strata")
    surv, strata = surv_of(case), case["strata"] if stratified else None
    drawn = logrank_permutation(surv, case["group"], replicates=2000, seed=3, strata=strata)
    asymptotic = logrank_test(surv, case["group"], strata=strata)
    assert drawn.observed.tolist() == asymptotic.observed.tolist()
    assert_close(drawn.expected, asymptotic.expected, VALUE, "expected")
    assert abs(drawn.p_value - asymptotic.p_value) < 0.05
    assert drawn.label.startswith(asymptotic.label)


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(3, 14))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))  # noqa: E731
    time, event, group, strata = numbers(1, 9), numbers(0, 1), numbers(0, 1), numbers(0, 1)
    assume(event.any() and group.any() and not group.all())
    return time, event, group, strata


@given(samples(), st.integers(0, 999))
@settings(max_examples=40)
def test_order_of_rows_names_and_time_unit_mean_nothing(sample: Any, seed: int) -> None:
    time, event, group, strata = sample
    first = logrank_permutation(Surv(time, event), group, replicates=300, seed=5, strata=strata)
    order = np.random.default_rng(seed).permutation(len(time))
    again = logrank_permutation(
        Surv(np.exp(time[order] / 3.0), event[order]), group[order], replicates=300, seed=5, strata=strata[order]
    )
    assert first.n_extreme == again.n_extreme
    assert first.p_value == again.p_value or np.isnan(first.p_value)
    exact, other = (exact_logrank_test(Surv(time, event), g) for g in (group, 1 - group))
    assert exact.p_value == pytest.approx(other.p_value, rel=1e-12, nan_ok=True)
    assert exact.p_more == pytest.approx(other.p_fewer, rel=1e-12, nan_ok=True)


@given(samples())
@settings(max_examples=40)
def test_p_values_lie_above_0_and_at_most_at_1(sample: Any) -> None:
    time, event, group, strata = sample
    drawn = logrank_permutation(Surv(time, event), group, replicates=50, seed=1, strata=strata)
    exact = exact_logrank_test(Surv(time, event), group)
    if np.isnan(drawn.p_value):
        assert drawn.warnings
    else:
        assert 0 < drawn.p_value <= 1
        assert drawn.chi_square >= 0
    for p in (exact.p_value, exact.p_fewer, exact.p_more):
        assert 0 < p <= 1
    assert exact.p_fewer + exact.p_more >= 1
    # The data themselves are one of the arrangements.
    assert exact.p_value * exact.n_arrangements >= 1 - 1e-9


@given(samples(), st.data())
@settings(max_examples=40)
def test_a_row_that_counts_twice_is_two_people(sample: Any, data: st.DataObject) -> None:
    time, event, group, strata = sample
    count = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(time), max_size=len(time))))
    rows = np.repeat(np.arange(len(time)), count)
    counted, copies = Surv(time, event, weight=count), Surv(time[rows], event[rows])
    a = logrank_permutation(counted, group, replicates=100, seed=2, strata=strata)
    b = logrank_permutation(copies, group[rows], replicates=100, seed=2, strata=strata[rows])
    assert a.n.tolist() == b.n.tolist()
    assert a.n_extreme == b.n_extreme
    assert exact_logrank_test(counted, group).p_value == pytest.approx(
        exact_logrank_test(copies, group[rows]).p_value, rel=1e-10
    )


@pytest.mark.parametrize("each", [30, 200, 2000])
def test_exact_p_values_of_many_tied_people_keep_their_digits(each: int) -> None:
    """All of one group die before all of the other: 1 arrangement of them all is as extreme, 2 on both sides."""
    time = np.repeat([1, 2], each)
    one = 1 / comb(2 * each, each)
    apart = exact_logrank_test(Surv(time, np.ones(2 * each)), time)
    assert np.isclose(apart.p_fewer, one, rtol=1e-12, atol=0)
    assert np.isclose(apart.p_value, 2 * one, rtol=1e-12, atol=0)
    assert np.isclose(apart.p_more, 1.0, rtol=1e-12, atol=0)
    turned = exact_logrank_test(Surv(3 - time, np.ones(2 * each)), time)
    assert np.isclose(turned.p_more, one, rtol=1e-12, atol=0)


@pytest.mark.parametrize("each", [300, 1500])
def test_exact_p_values_of_many_tied_people_come_near_the_logrank_test(each: int) -> None:
    """Two times, so that the number of early deaths in a group is hypergeometric."""
    rng = np.random.default_rng(each)
    time, group = 1 + rng.integers(0, 2, 2 * each), np.repeat([0, 1], each)
    surv = Surv(time, np.ones(2 * each))
    early = np.bincount(group, time == 1).astype(int)
    ways = [comb(each, k) * comb(each, int(early.sum()) - k) for k in range(min(each, int(early.sum())) + 1)]
    mean = int(early.sum()) / 2
    extreme = sum(w for k, w in enumerate(ways) if abs(k - mean) >= abs(early[1] - mean))
    found = exact_logrank_test(surv, group)
    assert np.isclose(found.p_value, extreme / comb(2 * each, int(early.sum())), rtol=1e-10, atol=0)
    assert np.isclose(found.p_more, sum(ways[early[1] :]) / comb(2 * each, int(early.sum())), rtol=1e-10, atol=0)


def test_what_cannot_be_compared_is_said() -> None:
    for test in (lambda s, g: logrank_permutation(s, g, replicates=9, seed=1), exact_logrank_test):
        none = test(Surv([1, 2], [0, 0]), list("ab"))
        assert np.isnan(none.p_value)
        assert "no event" in none.warnings[0]
        one = test(Surv([1, 2], [1, 1]), list("aa"))
        assert np.isnan(one.p_value)
        assert "one group" in one.warnings[0]
    apart = logrank_permutation(Surv([1, 2], [1, 1]), list("ab"), replicates=9, seed=1, strata=list("xy"))
    assert np.isnan(apart.p_value)
    assert "same sums" in apart.warnings[0]
    group, strata = list("abababcdcdcd"), list("xxxxxxyyyyyy")
    split = logrank_permutation(Surv(range(1, 13), [1] * 12), group, replicates=9, seed=1, strata=strata)
    assert np.isnan(split.p_value)
    assert "share no stratum" in split.warnings[0]
    # All die at one time: every arrangement is as extreme as every other.
    assert exact_logrank_test(Surv([3, 3, 3], [1, 1, 1]), [0, 1, 1]).p_value == 1


def test_impossible_questions_are_refused() -> None:
    surv, group = Surv([1, 2, 3], [1, 1, 1]), list("aba")
    for options, says in (
        ({"replicates": 0, "seed": 1}, "replicates"),
        ({"replicates": 2.5, "seed": 1}, "replicates"),
        ({"replicates": 9, "seed": -1}, "seed"),
        ({"replicates": 9, "seed": 1, "conf_level": 95}, "0.95"),
    ):
        with pytest.raises(EngineError, match=says):
            logrank_permutation(surv, group, **options)
    with pytest.raises(EngineError, match="two groups and there are 3"):
        exact_logrank_test(surv, list("abc"))
    with pytest.raises(EngineError, match="50 people have too many arrangements"):
        exact_logrank_test(Surv(np.arange(1, 51), np.ones(50)), np.arange(50) % 2)
    for test in (lambda s, g: logrank_permutation(s, g, replicates=9, seed=1), exact_logrank_test):
        with pytest.raises(EngineError, match="whole counts"):
            test(Surv([1, 2], [1, 1], weight=[0.5, 1]), [0, 1])
        with pytest.raises(EngineError, match="no row"):
            test(Surv([], []), [])
        with pytest.raises(EngineError, match="needs rows"):
            test(EventTable.from_arrays([1, 2], [1, 1]), [0, 1])


def test_work_cut_into_other_parts_gives_the_same_numbers() -> None:
    # 70,000 people: the kernel's parts are 64 replicates each.
    rng = np.random.default_rng(5)
    surv, group = Surv(rng.integers(1, 300, 70_000), rng.integers(0, 2, 70_000)), rng.integers(0, 2, 70_000)
    data = permutation_scores(surv, group, None)
    sums = load("permutation").group_sums(data.score, data.start, data.size, key_of(4), 0, 150)[0]
    centre = data.mean()[0]
    extreme = (np.abs(sums - centre) >= abs(data.total[0] - centre)).sum()
    with kernel_mode("always"):
        assert logrank_permutation(surv, group, replicates=150, seed=4).n_extreme == extreme
