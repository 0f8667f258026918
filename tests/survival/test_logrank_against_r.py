"""Log-rank and Fleming-Harrington tests against R: survdiff, and the textbook where survdiff cannot answer."""

from __future__ import annotations

from typing import Any

import pytest

from riskset.survival import logrank_test

from .helpers import VALUE, assert_close, assert_close_p, reference, surv_of

TESTS = [
    pytest.param(name, test, id=f"{name}-{'strata' if test['stratified'] else 'plain'}-{test['rho']}-{test['gamma']}")
    for name, tests in reference("logrank").items()
    for test in tests
]


@pytest.mark.parametrize(("name", "theirs"), TESTS)
def test_logrank(name: str, theirs: dict[str, Any]) -> None:
    case = reference("cases")[name]
    ours = logrank_test(
        surv_of(case, weighted=theirs["weighted"]),
        case["group"],
        strata=case["strata"] if theirs["stratified"] else None,
        rho=theirs["rho"],
        gamma=theirs["gamma"],
    )
    assert ours.groups == tuple(sorted(set(case["group"])))
    assert ours.df == theirs["df"]
    assert_close(ours.observed, theirs["observed"], VALUE, "observed")
    assert_close(ours.expected, theirs["expected"], VALUE, "expected")
    assert_close(ours.variance, theirs["variance"], VALUE, "variance")
    assert_close(ours.chi_square, theirs["chi_square"], VALUE, "chi-square")
    assert_close_p(ours.p_value, theirs["p_value"])
