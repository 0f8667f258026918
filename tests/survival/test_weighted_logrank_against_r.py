"""Weighted log-rank tests, tests for trend and pairwise tests against R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from riskset.errors import EngineError
from riskset.survival import Surv, logrank_test, pairwise_logrank, trend_test, weighted_logrank_test

from .helpers import VALUE, assert_close, assert_close_p, reference, surv_of

ANSWERS = [
    pytest.param(name, answer, id=f"{name}-{'strata' if answer['stratified'] else 'plain'}")
    for name, answers in reference("weighted_logrank").items()
    for answer in answers
]


def taken(name: str, answer: dict[str, Any]) -> tuple[Surv, list[Any], list[Any] | None]:
    case = reference("cases")[name]
    strata = case["strata"] if answer["stratified"] else None
    return surv_of(case, weighted=answer["weighted"]), case["group"], strata


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_weighted_logrank(name: str, answer: dict[str, Any]) -> None:
    surv, group, strata = taken(name, answer)
    for weight, theirs in answer["tests"].items():
        ours = weighted_logrank_test(surv, group, weight=weight, strata=strata)
        assert ours.df == theirs["df"]
        for field in ("observed", "expected", "variance", "chi_square"):
            assert_close(getattr(ours, field), theirs[field], VALUE, f"{weight} {field}")
        assert_close_p(ours.p_value, theirs["p_value"], what=weight)


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_trend(name: str, answer: dict[str, Any]) -> None:
    surv, group, strata = taken(name, answer)
    theirs = answer["trend"]
    ours = trend_test(surv, group, scores=theirs["scores"], strata=strata)
    named = trend_test(surv, group, scores=dict(zip(ours.groups, theirs["scores"], strict=True)), strata=strata)
    assert named.z == ours.z
    assert_close(ours.statistic, theirs["value"], VALUE, "statistic")
    assert_close(ours.variance, theirs["variance"], VALUE, "variance")
    assert_close(ours.z, theirs["z"], VALUE, "z")
    assert_close_p(ours.p_value, theirs["p_value"])


@pytest.mark.parametrize(("name", "answer"), [a for a in ANSWERS if a.values[1]["pairs"]])
def test_pairs(name: str, answer: dict[str, Any]) -> None:
    surv, group, strata = taken(name, answer)
    ours = pairwise_logrank(surv, group, strata=strata)
    assert [list(pair) for pair in ours.pairs] == [pair["pair"] for pair in answer["pairs"]]
    assert_close(ours.chi_square, [pair["chi_square"] for pair in answer["pairs"]], VALUE, "chi-square")
    assert_close_p(ours.p_value, [pair["p_value"] for pair in answer["pairs"]])


def test_pairs_are_tests_of_their_own_rows() -> None:
    case = reference("cases")["colon"]
    surv, group = surv_of(case), np.array(case["group"])
    ours = pairwise_logrank(surv, group, strata=case["strata"], rho=0.5, gamma=1)
    for pair, test in zip(ours.pairs, ours.tests, strict=True):
        mine = np.isin(group, pair)
        alone = logrank_test(surv.subset(mine), group[mine], strata=np.array(case["strata"])[mine], rho=0.5, gamma=1)
        assert test.chi_square == pytest.approx(alone.chi_square, rel=1e-12)
        assert (test.groups, test.n.tolist(), test.label) == (alone.groups, alone.n.tolist(), alone.label)


def test_weighted_tests_by_hand() -> None:
    # Four deaths at 1, 2, 3, 4 in the order a b a b: n = 4, 3, 2, 1 at risk of which 2, 1, 1, 0 in a, so that
    # observed - expected in a is 1/2, -1/3, 1/2, 0 and its variance 1/4, 2/9, 1/4, 0.
    surv, group = Surv([1, 2, 3, 4], [1, 1, 1, 1]), list("abab")
    u, v = np.array([1 / 2, -1 / 3, 1 / 2]), np.array([1 / 4, 2 / 9, 1 / 4])
    tilde = np.array([4 / 5, 4 / 5 * 3 / 4, 4 / 5 * 3 / 4 * 2 / 3])
    n = np.array([4.0, 3.0, 2.0])
    by_hand = {
        "log-rank": 0 * n + 1,
        "gehan": n,
        "tarone-ware": n**0.5,
        "peto": tilde,
        "modified-peto": tilde * n / (n + 1),
    }
    for weight, w in by_hand.items():
        ours = weighted_logrank_test(surv, group, weight=weight)
        assert ours.chi_square == pytest.approx((w @ u) ** 2 / (w**2 @ v), rel=1e-13), weight
    # Its Peto-Peto relative by S(t-) has weights 1, 3/4, 1/2.
    w = np.array([1, 3 / 4, 1 / 2])
    assert logrank_test(surv, group, rho=1).chi_square == pytest.approx((w @ u) ** 2 / (w**2 @ v), rel=1e-13)


def test_a_label_says_what_was_computed() -> None:
    surv, group = Surv([1, 2, 3, 4], [1, 1, 1, 1]), list("abab")
    assert logrank_test(surv, group).label == "log-rank test"
    assert logrank_test(surv, group, strata=list("xyxy")).label == "stratified log-rank test"
    assert logrank_test(surv, group, strata=list("xxxx")).label == "log-rank test"
    assert logrank_test(surv, group, rho=1).label == "Peto-Peto test"
    assert logrank_test(surv, group, rho=1, gamma=0.5).label == "Fleming-Harrington test (rho = 1, gamma = 0.5)"
    assert weighted_logrank_test(surv, group, weight="log-rank").label == "log-rank test"
    assert weighted_logrank_test(surv, group, strata=list("xyxy")).label == "stratified Gehan-Breslow test"
    assert trend_test(surv, group, strata=list("xyxy")).label == "stratified log-rank test for trend"
    assert pairwise_logrank(surv, group).label == "log-rank test"


def test_what_cannot_be_compared_is_said() -> None:
    assert "no event" in logrank_test(Surv([1, 2], [0, 0]), list("ab")).warnings[0]
    assert "one group" in logrank_test(Surv([1, 2], [1, 1]), list("aa")).warnings[0]
    early = logrank_test(Surv([1, 2, 3, 4, 0.5], [1, 1, 1, 1, 0]), list("ababc"))
    assert early.warnings == ("group 'c' is never at risk at an event and is left out",)
    assert "never meet" in logrank_test(Surv([1, 2], [1, 1]), list("ab"), strata=list("xy")).warnings[0]
    late = logrank_test(Surv([1, 1, 2], [1, 1, 0]), list("aba"), gamma=1)
    assert np.isnan(late.p_value)
    assert "weight is 0" in late.warnings[0]
    assert logrank_test(Surv([1, 2, 3], [1, 1, 1]), list("aba")).warnings == ()


def test_trends_that_cannot_be_tested() -> None:
    surv = Surv([1, 2, 3, 4, 0.5], [1, 1, 1, 1, 0])
    one = trend_test(surv, list("ababc"), scores=[1, 1, 2])
    assert np.isnan(one.p_value)
    assert one.df == 0
    assert one.warnings
    assert trend_test(surv, list("ababa"), scores=[3, 3]).warnings == (
        "the groups compared share one score, so there is no trend to test",
    )
    assert np.isnan(trend_test(Surv([1, 2], [0, 0]), list("ab")).z)
    for scores, says in (([1, 2], "3 groups"), ({"a": 1, "b": 2}, "group 'c'"), ([1, 2, np.nan], "scores holds")):
        with pytest.raises(EngineError, match=says):
            trend_test(surv, list("ababc"), scores=scores)


def test_two_groups_make_the_trend_the_logrank_test_whatever_the_scores() -> None:
    surv = Surv([1, 2, 2, 3, 5, 6], [1, 1, 0, 1, 1, 1])
    plain = logrank_test(surv, list("abbaab")).chi_square
    for scores in ([1, 2], [-4, 10], [1e9, 1e9 + 1], {"b": 0.0, "a": 7.0}):
        assert trend_test(surv, list("abbaab"), scores=scores).chi_square == pytest.approx(plain, rel=1e-12)


def test_impossible_questions_are_refused() -> None:
    surv = Surv([1, 2, 3], [1, 1, 1])
    with pytest.raises(EngineError, match="choose one of log-rank, gehan"):
        weighted_logrank_test(surv, list("aba"), weight="wilcoxon")
    with pytest.raises(EngineError, match="did you mean 'gehan'"):
        weighted_logrank_test(surv, list("aba"), weight="gehen")
    with pytest.raises(EngineError, match="finite"):
        logrank_test(surv, list("aba"), rho=float("inf"))
    for test in (weighted_logrank_test, trend_test, pairwise_logrank):
        with pytest.raises(EngineError, match="robust=True"):
            test(Surv([1, 2], [1, 1], weight=[0.5, 1]), [0, 1])
        with pytest.raises(EngineError, match="no row"):
            test(Surv([], []), [])
