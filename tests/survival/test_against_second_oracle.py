"""The engine against the package `survival` of PyPI, a second implementation beside R: agreement to its own precision.

Competing risks are compared with it in test_aalen_johansen.py and test_fine_gray.py. Where the package differs from R
and from us, a test says so with the measured difference.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from riskset.survival import (
    CoxFit,
    concordance,
    fit_aft,
    fit_cox,
    follow_up,
    kaplan_meier,
    logrank_test,
    nelson_aalen,
)
from riskset.survival.cox_residuals import ResidualKind

from .helpers import assert_close, assert_close_p, reference, surv_of

# Both stop where the likelihood rises by rounding alone; what is left is that rounding.
CLOSE = 1e-10
CASES = reference("cases")


@cache
def second() -> dict[str, Any]:
    """Let the other package answer all cases, in a process of its own."""
    try:
        metadata.distribution("survival")
    except metadata.PackageNotFoundError:
        pytest.skip("the package `survival` from PyPI is not installed: `make install` brings it")
    program = Path(__file__).with_name("second_oracle.py")
    done = subprocess.run(
        [sys.executable, "-I", str(program)], input=json.dumps(CASES), capture_output=True, encoding="utf-8", check=True
    )
    return json.loads(done.stdout)


def fitted(name: str, model: dict[str, Any]) -> CoxFit:
    case = CASES[name]
    return fit_cox(
        surv_of(case),
        case["x"],
        strata=case["strata"] if model["stratified"] else None,
        cluster=case["cluster"] if model["clustered"] else None,
        ties=model["ties"],
    )


def cases_without(*columns: str) -> pytest.MarkDecorator:
    """Take the cases that have none of these columns: what the other package's function does not take."""
    return pytest.mark.parametrize("name", [name for name, case in CASES.items() if not any(map(case.get, columns))])


by_case = cases_without()


@by_case
def test_cox_estimates_and_tests(name: str) -> None:
    for theirs in second()[name]["cox"]:
        ours = fitted(name, theirs)
        what = f"{theirs['ties']}, stratified {theirs['stratified']}, clustered {theirs['clustered']}"
        assert ours.robust == theirs["robust"], what
        for number in ("coefficient", "covariance", "log_likelihood"):
            assert_close(getattr(ours, number), theirs[number], CLOSE, f"{number}, {what}")
        if ours.robust:
            assert_close(ours.naive_covariance, theirs["naive_covariance"], CLOSE, f"naive covariance, {what}")
        assert_close(ours.score_test.chi_square, theirs["score_test"], CLOSE, f"score test, {what}")
        assert_close(ours.wald_test.chi_square, theirs["wald_test"], CLOSE, f"Wald test, {what}")


@by_case
def test_proportional_hazards(name: str) -> None:
    for theirs in second()[name]["cox"]:
        for transform, lines in theirs.get("ph", {}).items():
            ours = fitted(name, theirs).proportional_hazards_test(transform)
            expected = np.array(lines)
            assert_close([*ours.chi_square, ours.global_chi_square], expected[:, 0], CLOSE, f"{transform} chi-square")
            assert [*ours.df, ours.global_df] == expected[:, 1].tolist()
            assert_close_p([*ours.p_value, ours.global_p_value], expected[:, 2], what=f"{transform} P")


@by_case
def test_residuals(name: str) -> None:
    for theirs in second()[name]["cox"]:
        if "residuals" in theirs:
            ours = fitted(name, theirs)
            for kind in get_args(ResidualKind):
                assert_close(ours.residuals(kind), theirs["residuals"][kind], CLOSE, kind)


@by_case
def test_baseline_hazard(name: str) -> None:
    for theirs in second()[name]["cox"]:
        if "baseline" in theirs:
            ours, expected = fitted(name, theirs).baseline(), theirs["baseline"]
            assert_close(ours.time, expected["time"], 0.0, "time")
            assert_close(ours.cumulative_hazard, expected["hazard"], CLOSE, "hazard")


@by_case
def test_curves(name: str) -> None:
    for conf_type, theirs in second()[name]["curves"].items():
        ours = kaplan_meier(surv_of(CASES[name]), conf_type=conf_type)
        check_curve(ours, theirs, conf_type)
        read = [ours.quantile(q) for q in (0.1, 0.25, 0.5, 0.75)]
        numbers = [[getattr(one, end) for one in read] for end in ("value", "low", "high")]
        assert_close(numbers, theirs["quantiles"], CLOSE, f"quantiles, {conf_type}")


@by_case
def test_follow_up(name: str) -> None:
    check_curve(follow_up(surv_of(CASES[name])), second()[name]["follow_up"], "follow-up")


@by_case
def test_reverse_differs_where_deaths_and_censorings_share_a_time(name: str) -> None:
    """Their `reverse` lets the deaths of a time leave before its censorings; flipping the events, as we do, does not.

    The largest difference is 0.02 in S (pbc), and none without shared times. R's survfit (3.5) has no such option.
    """
    ours = follow_up(surv_of(CASES[name]))
    deaths_first = np.cumprod(1.0 - ours.events / np.maximum(ours.at_risk - ours.censored, ours.events.clip(1e-300)))
    assert_close(deaths_first, second()[name]["reverse"], CLOSE)
    shared = bool(((ours.events > 0) & (ours.censored > 0)).any())
    assert shared == (not np.allclose(ours.survival, second()[name]["reverse"], rtol=0, atol=1e-12))


def check_curve(ours: Any, theirs: dict[str, Any], what: str) -> None:
    for number in ("time", "at_risk", "survival"):
        assert_close(getattr(ours, number), theirs[number], CLOSE, f"{number}, {what}")
    # Where S is 0 their error is infinity times 0, R's and ours NaN; where S is 1 they give 1 for both ends on every
    # scale but arcsin, R and we NaN on the scales on which 1 lies at infinity.
    inside = (ours.survival > 0) & (ours.survival < 1)
    error = np.array(theirs["error"], dtype=float)
    assert_close(ours.standard_error[inside], error[inside], CLOSE, f"error, {what}")
    for number in ("low", "high"):
        expected = np.array(theirs[number], dtype=float)
        assert_close(getattr(ours, number)[inside], expected[inside], CLOSE, f"{number}, {what}")


@by_case
def test_cumulative_hazard(name: str) -> None:
    theirs = second()[name]["curves"]["log-log"]
    assert_close(nelson_aalen(surv_of(CASES[name])).cumulative_hazard, theirs["hazard"], CLOSE)


@cases_without("weight")
def test_tests_between_groups(name: str) -> None:
    case = CASES[name]
    for theirs in second()[name]["tests"]:
        strata = case["strata"] if theirs["stratified"] else None
        ours = logrank_test(surv_of(case), case["group"], strata=strata, rho=theirs["rho"])
        chi_square, df, p_value = theirs["found"]
        assert_close(ours.chi_square, chi_square, CLOSE, f"rho {theirs['rho']}")
        assert ours.df == df
        assert_close_p(ours.p_value, p_value)


@cases_without("entry")
def test_parametric_models(name: str) -> None:
    case = CASES[name]
    for distribution, theirs in second()[name]["parametric"].items():
        ours = fit_aft(surv_of(case), case["x"], distribution=distribution, robust=False)
        for number in ("coefficient", "scale", "covariance"):
            assert_close(getattr(ours, number), theirs[number], CLOSE, f"{number}, {distribution}")
        assert_close(ours.log_likelihood.fitted, theirs["log_likelihood"], CLOSE, distribution)


@cases_without("entry")
def test_concordance(name: str) -> None:
    case, theirs = CASES[name], second()[name]["pairs"]
    ours = concordance(surv_of(case), [row[0] for row in case["x"]])
    assert_close([ours.value], theirs["value"], CLOSE, "C")
    assert_close([ours.standard_error**2], np.ravel(theirs["variance"]), CLOSE, "variance")


@cases_without("entry", "weight")
def test_restricted_means(name: str) -> None:
    case, theirs = CASES[name], second()[name]["restricted_mean"]
    groups = np.array(case["group"])
    curves = [kaplan_meier(surv_of(case).subset(groups == group)) for group in np.unique(groups)]
    means = [curve.rmst(theirs["tau"]) for curve in curves]
    assert_close([one.value for one in means], theirs["mean"], CLOSE, "mean")
    assert_close([one.standard_error for one in means], theirs["error"], CLOSE, "error")
