"""MaxCombo against R: statistics and covariance, and the P value of the largest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.survival import Surv, logrank_test, max_combo_test
from riskset.survival.normal_maximum import maximum_reaches

from .helpers import VALUE, assert_close, reference, surv_of

SIDES = ("two-sided", "greater", "less")
ANSWERS = [
    pytest.param(name, answer, which, id=f"{name}-{'strata' if answer['stratified'] else 'plain'}-{which}")
    for name, answers in reference("max_combo").items()
    for answer in answers
    for which in ("usual", "three", "four")
]


@pytest.mark.parametrize(("name", "answer", "which"), ANSWERS)
def test_max_combo(name: str, answer: dict[str, Any], which: str) -> None:
    case, theirs = reference("cases")[name], answer[which]
    strata = case["strata"] if answer["stratified"] else None
    surv = surv_of(case, weighted=answer["weighted"])
    for side, statistic, p_value in zip(SIDES, theirs["statistic"], theirs["p_value"], strict=True):
        ours = max_combo_test(
            surv,
            case["group"],
            weights=theirs["weights"],
            strata=strata,
            alternative=side,  # type: ignore[arg-type]
        )
        assert_close(ours.z, theirs["z"], VALUE, "z")
        assert_close(ours.covariance, theirs["covariance"], VALUE, "covariance")
        assert ours.statistic == pytest.approx(statistic, rel=VALUE)
        # R gives 1 - P to about 1e-10; its lattice for four independent weights to what it says.
        allowed = 1e-9 if which != "four" else ours.p_error + 3.0 * theirs["error"] + 1e-9
        assert abs(ours.p_value - p_value) < allowed, side
        assert ours.p_error <= (1e-10 if which != "four" else 5e-6)


def test_the_usual_weights_are_the_default() -> None:
    case = reference("cases")["gbsg"]
    theirs = reference("max_combo")["gbsg"][0]["usual"]
    ours = max_combo_test(surv_of(case), case["group"])
    assert [list(pair) for pair in ours.weights] == theirs["weights"]
    assert ours.p_value == pytest.approx(theirs["p_value"][0], abs=1e-9)
    assert (ours.label, ours.alternative) == ("MaxCombo test", "two-sided")
    again = max_combo_test(surv_of(case), case["group"])
    assert (ours.p_value, ours.statistic) == (again.p_value, again.statistic)


def test_independent_variables() -> None:
    # P(max of J independent |Z| >= m) = 1 - (1 - p)^J.
    for size in (1, 2, 3, 4):
        for m in (0.0, 0.7, 2.5, 6.0):
            one, _ = maximum_reaches(np.eye(1), m, two_sided=True)
            p, error = maximum_reaches(np.eye(size), m, two_sided=True)
            assert p == pytest.approx(-np.expm1(size * np.log1p(-one)) if one < 1 else 1.0, rel=max(1e-11, error / p))
        for m in (-1.3, 0.0, 2.0):
            one, _ = maximum_reaches(np.eye(1), m, two_sided=False)
            p, error = maximum_reaches(np.eye(size), m, two_sided=False)
            assert p == pytest.approx(1 - (1 - one) ** size, abs=max(1e-13, error))


def test_small_probabilities_keep_their_digits() -> None:
    # 10 standard deviations out, both of two variables with a correlation of 0.5 seldom reach: P is nearly 4 tails.
    one, _ = maximum_reaches(np.eye(1), 10.0, two_sided=False)
    p, _ = maximum_reaches(np.array([[1, 0.5], [0.5, 1]]), 10.0, two_sided=True)
    assert one == pytest.approx(7.619853024160527e-24, rel=1e-12)
    assert p == pytest.approx(4 * one, rel=1e-6)
    assert p < 4 * one


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12])
def test_nearly_equal_variables(gap: float) -> None:
    # For a correlation of 1 - gap, Z2 = Z1 + sqrt(2 gap) N: P(max >= m) - P(Z1 >= m) is near phi(m) sqrt(gap / pi).
    m = 1.2
    one, _ = maximum_reaches(np.eye(1), m, two_sided=False)
    p, _ = maximum_reaches(np.array([[1, 1 - gap], [1 - gap, 1]]), m, two_sided=False)
    density = np.exp(-m * m / 2) / np.sqrt(2 * np.pi)
    assert (p - one) == pytest.approx(density * np.sqrt(gap / np.pi), rel=max(3e-2 * gap**0.25, 1e-3))


def test_one_weight_is_its_own_test() -> None:
    case = reference("cases")["lung"]
    surv = surv_of(case)
    for rho, gamma in ((0, 0), (0, 1), (0.5, 2)):
        ours = max_combo_test(surv, case["group"], weights=[(rho, gamma)])
        single = logrank_test(surv, case["group"], rho=rho, gamma=gamma)
        assert ours.p_value == pytest.approx(single.p_value, rel=1e-11)
        assert ours.statistic**2 == pytest.approx(single.chi_square, rel=1e-11)
        repeated = max_combo_test(surv, case["group"], weights=[(rho, gamma)] * 3)
        assert repeated.p_value == pytest.approx(single.p_value, rel=1e-7)


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(6, 25))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))  # noqa: E731
    time, event, group = numbers(1, 9), numbers(0, 1), numbers(0, 1)
    assume(event.any() and group.any() and not group.all())
    return time, event, group


@given(samples())
@settings(max_examples=40)
def test_p_lies_between_the_smallest_and_the_sum_of_the_single_p_values(sample: Any) -> None:
    time, event, group = sample
    ours = max_combo_test(Surv(time, event), group)
    assume(not np.isnan(ours.z).any())
    single = [logrank_test(Surv(time, event), group, rho=r, gamma=g).p_value for r, g in ours.weights]
    assert min(single) * (1 - 1e-9) <= ours.p_value <= min(1.0, 4 * min(single)) * (1 + 1e-9)
    sides = [max_combo_test(Surv(time, event), group, alternative=side) for side in ("greater", "less")]
    assert ours.statistic == max(side.statistic for side in sides)
    assert ours.p_value <= sides[0].p_value + sides[1].p_value + 1e-9
    for side in sides:
        assert 0 <= side.p_value <= 1


@given(samples())
@settings(max_examples=40)
def test_names_and_time_unit_mean_nothing_and_a_weight_is_that_many_rows(sample: Any) -> None:
    time, event, group = sample
    ours = max_combo_test(Surv(time, event), group)
    assume(not np.isnan(ours.z).any())
    other = max_combo_test(Surv(np.exp(time / 2.0), event), np.array(["z", "a"])[group])
    assert np.allclose(other.z, -ours.z, rtol=1e-9, atol=1e-9)
    assert other.p_value == pytest.approx(ours.p_value, rel=1e-6)
    greater = max_combo_test(Surv(time, event), group, alternative="greater")
    less = max_combo_test(Surv(time, event), np.array(["z", "a"])[group], alternative="less")
    assert greater.p_value == pytest.approx(less.p_value, rel=1e-6)
    twice = max_combo_test(Surv(time, event, weight=np.full(len(time), 2)), group)
    copies = max_combo_test(Surv(np.tile(time, 2), np.tile(event, 2)), np.tile(group, 2))
    assert np.allclose(twice.z, copies.z, rtol=1e-9, atol=1e-9)


def test_what_cannot_be_tested_is_said() -> None:
    assert "no event" in max_combo_test(Surv([1, 2], [0, 0]), list("ab")).warnings[0]
    assert "one group" in max_combo_test(Surv([1, 2], [1, 1]), list("aa")).warnings[0]
    apart = max_combo_test(Surv([1, 2], [1, 1]), list("ab"), strata=list("xy"))
    assert "never meet" in apart.warnings[0]
    assert np.isnan([apart.statistic, apart.p_value, apart.p_error]).all()
    # One event time: weights that start at 0 never leave it, and those that start at 1 are the log-rank test.
    early = max_combo_test(Surv([1, 2, 2, 3], [1, 0, 0, 0]), list("abab"))
    assert np.isnan(early.z).tolist() == [False, True, False, True]
    assert len(early.warnings) == 2
    assert "rho = 0 and gamma = 1" in early.warnings[0]
    assert early.p_value == pytest.approx(logrank_test(Surv([1, 2, 2, 3], [1, 0, 0, 0]), list("abab")).p_value)


def test_impossible_questions_are_refused() -> None:
    surv = Surv([1, 2, 3, 4, 5, 6, 7, 8], [1] * 8)
    for options, says in (
        ({"weights": []}, "no weight"),
        ({"weights": [(0, -1)]}, "not negative"),
        ({"alternative": "grater"}, "did you mean 'greater'"),
        ({"weights": [(0, 0), (0, 1), (1, 1), (0, 3), (2, 0.5)]}, "at most four"),
    ):
        with pytest.raises(EngineError, match=says):
            max_combo_test(surv, list("ababbaab"), **options)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="two groups and there are 3"):
        max_combo_test(surv, list("abcabcab"))
    with pytest.raises(EngineError, match="no row"):
        max_combo_test(Surv([], []), [])
