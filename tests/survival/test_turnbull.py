"""Turnbull's curve: against R, against hand-worked cases, against the conditions of the maximum, on any data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from riskset.errors import EngineError
from riskset.survival import IntervalSurv, Surv, TurnbullCurve, kaplan_meier, turnbull, turnbull_masses
from riskset.survival.turnbull_masses import isotonic

from .helpers import VALUE, assert_close, reference

INF = float("inf")
SAMPLES = reference("turnbull")["samples"]


def ends(values: ArrayLike) -> NDArray[np.float64]:
    """Read ends of intervals: JSON's null is infinity."""
    return np.array([INF if v is None else v for v in np.asarray(values, dtype=object)], dtype=np.float64)


def rows_of(sample: dict[str, Any]) -> IntervalSurv:
    return IntervalSurv(ends(sample["left"]), ends(sample["right"]), weight=sample["weight"])


@pytest.mark.parametrize("name", SAMPLES)
def test_masses_are_those_of_r(name: str) -> None:
    sample = SAMPLES[name]
    curve = turnbull(rows_of(sample))
    assert (curve.converged, curve.warnings) == (True, ())
    assert curve.left.tolist() == sample["from"]
    assert curve.right.tolist() == ends(sample["to"]).tolist()
    assert_close(curve.mass, sample["mass"], VALUE, "mass")
    assert_close(curve.log_likelihood, sample["log_likelihood"], VALUE, "log-likelihood")
    assert curve.log_likelihood >= sample["survfit_log_likelihood"]


def test_the_breast_cosmesis_data_as_published() -> None:
    # Finkelstein DM, Wolfe RA. Biometrics 1985; 41: 933-945, radiation alone. The masses to four places are those
    # that Fay MP, Shaw PA print for the same data, J Stat Softw 2010; 36(2).
    curve = turnbull(rows_of(SAMPLES["cosmesis_radiation"]))
    intervals = list(zip(curve.left.tolist(), curve.right.tolist(), strict=True))
    assert intervals == [(4, 5), (6, 7), (7, 8), (11, 12), (24, 25), (33, 34), (38, 40), (46, 48)]
    assert curve.mass.round(4).tolist() == [0.0463, 0.0334, 0.0887, 0.0708, 0.0926, 0.0818, 0.1209, 0.4656]


def test_a_small_sample_by_hand() -> None:
    # Rows (0,2], (2,4], (4,6], (3,inf]: the innermost intervals are (0,2], (3,4], (4,6] with masses a, b, c. The
    # likelihood is a b c (b + c) with a + b + c = 1. By symmetry b = c = (1 - a) / 2, which leaves a (1 - a)^3 / 2, so
    # a = 1/4 and b = c = 3/8.
    curve = turnbull(IntervalSurv([0, 2, 4, 3], [2, 4, 6, INF]))
    assert curve.left.tolist() == [0, 3, 4]
    assert curve.right.tolist() == [2, 4, 6]
    assert_close(curve.mass, [1 / 4, 3 / 8, 3 / 8], 1e-12)
    assert_close(curve.survival, [3 / 4, 3 / 8, 0.0], 1e-12)
    assert_close(curve.log_likelihood, np.log(1 / 4 * 3 / 8 * 3 / 8 * 3 / 4), 1e-12)
    read = curve.at([0, 1, 2, 3, 3.5, 4, 5, 6, 7])
    assert_close(read.high, [1, 1, 0.75, 0.75, 0.75, 0.375, 0.375, 0, None], 1e-12)
    assert_close(read.low, [1, 0.75, 0.75, 0.75, 0.375, 0.375, 0, 0, None], 1e-12)
    assert read.determined.tolist() == [True, False, True, True, False, True, False, True, False]
    assert read.beyond.tolist() == [False] * 8 + [True]
    assert (curve.median().low, curve.median().high) == (3, 4)
    assert (curve.quantile(0.25).low, curve.quantile(0.25).high) == (0, 4)


def test_ends_that_meet_are_open_on_the_left_and_closed_on_the_right() -> None:
    # (1,3] holds the exact time 3, (3,5] does not, and 3 lies in (0,3]: the only intersection of the first three rows
    # with mass to share is {3} itself.
    curve = turnbull(IntervalSurv([1, 3, 0, 3], [3, 3, 3, 5]))
    assert curve.exact.tolist() == [True, False]
    assert curve.left.tolist() == [3, 3]
    assert curve.right.tolist() == [3, 5]
    assert_close(curve.mass, [0.75, 0.25], 1e-12)
    # An event at a time comes before a censoring at that time, so the censored row says nothing about the event's.
    tied = turnbull(IntervalSurv([3, 3], [3, INF]))
    assert_close(tied.at([3]).low, [0.5], 1e-12)
    # A censoring at 0 and an event at 0: the same rule at time zero.
    zero = turnbull(IntervalSurv([0, 0], [0, INF]))
    assert zero.right.tolist() == [0, INF]
    assert_close(zero.at([0]).low, [0.5], 1e-12)


def test_an_interval_may_hold_no_mass() -> None:
    # The innermost intervals are A = (1,2], B = (4,6], C = (7,9]; the rows cover A, AB, BC, C, C. With no mass on B the
    # likelihood is a^2 c^3, greatest at a = 2/5, c = 3/5; there D_B = 1/a + 1/c = 25/6 < 5, so B is rightly empty.
    curve = turnbull(IntervalSurv([0, 1, 4, 6, 7], [2, 6, 9, 11, 9]))
    assert (curve.n_innermost, curve.left.tolist(), curve.right.tolist()) == (3, [1, 7], [2, 9])
    assert_close(curve.mass, [2 / 5, 3 / 5], 1e-12)
    whole = turnbull(IntervalSurv([0, 2], [3, 5]))
    assert (whole.n_innermost, whole.left.tolist(), whole.right.tolist()) == (1, [2], [3])
    assert_close(whole.log_likelihood, 0.0, 0.0)


def test_a_curve_that_is_flat_at_a_half_has_a_wide_median() -> None:
    # S is 1/2 from 2 to 5; any time in between is a median, and within (5,7] the curve may fall at 7.
    curve = turnbull(IntervalSurv([1, 5], [2, 7]))
    assert (curve.median().low, curve.median().high) == (1, 7)
    unseen = turnbull(IntervalSurv([1, 2, 3], [2, INF, INF]))
    assert unseen.median().low == 3
    assert np.isnan(unseen.median().high)
    assert unseen.at([3.5]).beyond.all()


def assert_conditions(rows: IntervalSurv, curve: TurnbullCurve, tolerance: float = 1e-9) -> None:
    """Check D_j <= W at every point where mass could go, by counting rows one at a time."""
    weight, exact = rows.weight_or_one, rows.left == rows.right
    probability = np.zeros(len(rows))
    for left, right, mass in zip(curve.left, curve.right, curve.mass, strict=True):
        inside = (rows.left <= left) & (right <= rows.right) & ~exact
        point = (rows.left < right) & (right <= rows.right) & ~exact
        same = exact & (rows.left == left) & (left == right)
        probability += mass * ((point if left == right else inside) | same)
    assert (probability > 0).all()
    assert_close(curve.log_likelihood, weight @ np.log(probability), 1e-9, "log-likelihood")
    # Candidates: every exact time, every gap between neighbouring ends, and what lies beyond the last.
    every = np.unique(np.concatenate((rows.left, rows.right[np.isfinite(rows.right)])))
    between = np.concatenate(((every[1:] + every[:-1]) / 2, every[-1:] + 1))
    for t in np.concatenate((between, every)):
        covers = np.where(exact, rows.left == t, (rows.left < t) & (t <= rows.right))
        assert (weight / probability) @ covers <= weight.sum() * (1 + tolerance)
    for left, right in zip(curve.left, curve.right, strict=True):
        t = right if np.isfinite(right) else left + 1
        covers = np.where(exact, rows.left == t, (rows.left < t) & (t <= rows.right))
        assert_close((weight / probability) @ covers, weight.sum(), tolerance)


@st.composite
def intervals(draw: st.DrawFn, *, weighted: bool = False) -> IntervalSurv:
    n = draw(st.integers(1, 25))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), dtype=float)  # noqa: E731
    left, width, kind = numbers(0, 12), numbers(0, 8), numbers(0, 4)
    right = np.where(kind == 0, INF, left + width)
    return IntervalSurv(left, right, weight=numbers(1, 4) if weighted else None)


@given(intervals(weighted=True))
def test_the_conditions_of_the_maximum_hold(rows: IntervalSurv) -> None:
    curve = turnbull(rows)
    assert curve.converged
    assert curve.gap <= 1e-10
    assert (curve.mass > 0).all()
    assert_close(curve.mass.sum(), 1.0, 1e-12)
    assert_conditions(rows, curve)


@given(intervals(), st.integers(0, 2**16))
def test_the_order_of_the_rows_means_nothing(rows: IntervalSurv, seed: int) -> None:
    same_curve(turnbull(rows), turnbull(rows.subset(np.random.default_rng(seed).permutation(len(rows)))), 1e-12)


@given(intervals(weighted=True))
def test_a_counted_weight_is_that_many_rows(rows: IntervalSurv) -> None:
    assert rows.weight is not None
    copies = np.repeat(np.arange(len(rows)), rows.weight.astype(int))
    same_curve(turnbull(rows), turnbull(IntervalSurv(rows.left[copies], rows.right[copies])), 1e-9)


@given(intervals(weighted=True), st.sampled_from([0.01, 7.0, 30.4375]))
def test_another_unit_of_time_or_weight_changes_nothing_else(rows: IntervalSurv, unit: float) -> None:
    assert rows.weight is not None
    other = turnbull(IntervalSurv(rows.left * unit, rows.right * unit, weight=rows.weight * unit))
    curve = turnbull(rows)
    assert_close(curve.mass, other.mass, 1e-7)
    assert_close(curve.left * unit, other.left, 1e-12)
    assert_close(curve.log_likelihood * unit, other.log_likelihood, 1e-9)


@given(intervals())
def test_readings_lie_in_order(rows: IntervalSurv) -> None:
    curve = turnbull(rows)
    read = curve.at(np.arange(0, 25, 0.5))
    known = ~read.beyond
    assert (read.low[known] <= read.high[known]).all()
    assert (np.diff(read.low[known]) <= 0).all()
    assert (np.diff(read.high[known]) <= 0).all()
    assert (read.determined <= (read.low == read.high)).all()
    for q in (0.1, 0.5, 0.9):
        quantile = curve.quantile(q)
        assert np.isnan(quantile.high) or quantile.low <= quantile.high


@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(1, 3)), min_size=1, max_size=30),
)
def test_exact_and_right_censored_rows_give_kaplan_meier(rows: list[tuple[int, bool, int]]) -> None:
    time, event, weight = np.array(rows, dtype=float).T
    surv = Surv(time, event, weight=weight)
    km, curve = kaplan_meier(surv), turnbull(surv)
    read = curve.at(km.time)
    assert read.determined.all()
    assert_close(read.low, km.survival, 1e-12)
    assert curve.exact[np.isfinite(curve.right)].all()
    for q in (0.2, 0.5):
        theirs, ours = km.quantile(q).value, curve.quantile(q)
        if np.isfinite(ours.high):
            assert_close((ours.low + ours.high) / 2, theirs, 1e-12)


def same_curve(a: TurnbullCurve, b: TurnbullCurve, tolerance: float) -> None:
    assert_close(a.log_likelihood, b.log_likelihood, 1e-9)
    assert a.left.tolist() == b.left.tolist()
    assert_close(a.mass, b.mass, tolerance)


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 5)), min_size=1, max_size=40))
def test_isotonic_regression_pools_as_the_textbook_does(pairs: list[tuple[int, int]]) -> None:
    values, weight = np.array(pairs, dtype=float).T
    # The max-min formula: the largest over starts i <= k of the least over ends j >= k of the means of i..j.
    mean = lambda i, j: np.average(values[i : j + 1], weights=weight[i : j + 1])  # noqa: E731
    n = len(values)
    expected = [max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]
    assert_close(isotonic(values, weight), expected, 1e-9)


@pytest.mark.parametrize("exact", [0.0, 0.5])
def test_thousands_of_rows_come_to_the_maximum_without_a_matrix(exact: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    n = 3000
    time = rng.weibull(1.3, n) * 10
    visits = np.hstack((np.zeros((n, 1)), np.sort(rng.uniform(0, 20, (n, 5)), axis=1), np.full((n, 1), INF)))
    place = (visits < time[:, None]).sum(axis=1)
    known = rng.random(n) < exact
    left = np.where(known, time, visits[np.arange(n), place - 1])
    right = np.where(known, time, visits[np.arange(n), place])
    rows = IntervalSurv(left, right)
    curve = turnbull(rows)
    assert curve.converged
    # The dense solver and conjugate gradients must come to the same masses.
    monkeypatch.setattr(turnbull_masses, "_DENSE", 10)
    assert_close(curve.mass, turnbull(rows).mass, 1e-7)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (([1, 2], [1]), {}, "right has 1 rows and left has 2"),
        (([1, 2], [2, 3]), {"weight": [1]}, "weight has 1 rows"),
        (([1, np.nan], [2, 3]), {}, "left holds a missing"),
        (([1, 2], [2, np.nan]), {}, "right holds a missing"),
        (([1, None], [2, 3]), {}, "left holds a missing"),
        (([1, INF], [2, INF]), {}, "left holds an infinite"),
        (([-1, 2], [2, 3]), {}, "negative"),
        (([0, 2], [2, 1]), {}, "right is less than its left"),
        (([0, 2], [2, -INF]), {}, "negative"),
        (([1, 2], [2, 3]), {"weight": [1, 0]}, "not positive"),
        (([1, 2], [2, 3]), {"weight": [1, INF]}, "not positive and finite"),
        (([1, 2], [2, 3]), {"weight": [1, np.nan]}, "weight holds a missing"),
        ((["a", 2], [2, 3]), {}, "left holds something that is not a number"),
        (([[1], [2]], [2, 3]), {}, "left has 2 dimensions"),
    ],
)
def test_impossible_intervals_are_refused(arguments: Any, options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        IntervalSurv(*arguments, **options)


def test_what_a_curve_cannot_answer_is_refused() -> None:
    with pytest.raises(EngineError, match="no row"):
        turnbull(IntervalSurv([], []))
    with pytest.raises(EngineError, match="delayed entry"):
        turnbull(Surv([1, 2], [1, 0], entry=[0, 1]))
    curve = turnbull(IntervalSurv([1], [2]))
    with pytest.raises(EngineError, match="negative time"):
        curve.at(-1)
    with pytest.raises(EngineError, match="between 0 and 1"):
        curve.quantile(1.0)
    with pytest.raises(EngineError, match="one flag a row"):
        IntervalSurv([1, 2], [2, 3]).subset([True])


def test_small_and_empty_handed_samples() -> None:
    one = turnbull(IntervalSurv([1], [2]))
    assert (one.mass.tolist(), one.survival.tolist(), one.log_likelihood) == ([1], [0], 0)
    censored = turnbull(IntervalSurv([4, 5], [INF, INF]))
    assert censored.warnings == ("every row is right-censored, so the curve stays at 1 as far as the data go",)
    assert censored.at([5]).low.tolist() == [1]
    assert np.isnan(censored.at([6]).low).all()
    nothing = turnbull(IntervalSurv([0], [INF]))
    assert nothing.at([0, 1]).beyond.tolist() == [False, True]
    same = turnbull(IntervalSurv([3, 3, 3], [3, 3, 3]))
    assert (same.left.tolist(), same.mass.tolist(), same.median().low, same.median().high) == ([3], [1], 3, 3)


def test_ends_that_differ_by_rounding_are_one_end() -> None:
    rows = IntervalSurv([0.1 + 0.2, 1.0], [0.3, 2.0])
    assert rows.is_exact.tolist() == [True, False]
    far = IntervalSurv(np.array([1.0, 2.0]) + 1e7, np.array([3.0, INF]) + 1e7)
    assert turnbull(far).right.tolist() == [1e7 + 3]


def test_intervals_cannot_be_changed_behind_a_result() -> None:
    left = np.array([1.0, 2.0])
    rows = IntervalSurv(left, [2.0, 3.0])
    left[0] = 0.0
    assert rows.left.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        rows.right[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        turnbull(rows).mass[0] = 9
