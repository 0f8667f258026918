"""The Cox model against R's coxph, cox.zph, basehaz and residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from riskset.survival import ChiSquareTest, CoxFit, fit_cox

from .helpers import VALUE, assert_close, assert_close_p, reference, surv_of


def _label(name: str, model: dict[str, Any]) -> str:
    return "-".join([name, model["ties"], *(word for word in ("stratified", "clustered", "robust") if model[word])])


MODELS = [
    pytest.param(name, model, id=_label(name, model)) for name, models in reference("cox").items() for model in models
]


def fitted(name: str, model: dict[str, Any]) -> CoxFit:
    case = reference("cases")[name]
    return fit_cox(
        surv_of(case),
        case["x"],
        names=case["names"],
        strata=case["strata"] if model["stratified"] else None,
        cluster=case["cluster"] if model["clustered"] else None,
        ties=model["ties"],
        robust=model["robust"],
    )


def check_test(ours: ChiSquareTest, theirs: dict[str, Any], what: str) -> None:
    assert ours.df == theirs["df"], what
    assert_close(ours.chi_square, theirs["chi_square"], VALUE, what)
    assert_close_p(ours.p_value, theirs["p_value"], what=what)


@pytest.mark.parametrize(("name", "theirs"), MODELS)
def test_estimates_and_tests(name: str, theirs: dict[str, Any]) -> None:
    ours = fitted(name, theirs)
    assert (ours.n, ours.n_events, ours.converged, ours.warnings) == (theirs["n"], theirs["events"], True, ())
    assert_close(ours.coefficient, theirs["coefficient"], VALUE, "coefficient")
    assert_close(ours.covariance, theirs["covariance"], VALUE, "covariance")
    assert_close(ours.standard_error, np.sqrt(np.diag(theirs["covariance"])), VALUE, "standard error")
    if theirs["robust"]:
        assert_close(ours.naive_covariance, theirs["naive_covariance"], VALUE, "naive covariance")
        assert ours.robust_standard_error is not None
        assert_close(ours.robust_standard_error, ours.standard_error, 0.0)
    assert_close(ours.z, theirs["z"], VALUE, "z")
    assert_close_p(ours.p_value, theirs["p_value"], what="P of a column")
    assert_close(ours.log_likelihood, theirs["log_likelihood"], VALUE, "log-likelihood")
    for test in ("likelihood_ratio_test", "wald_test", "score_test"):
        check_test(getattr(ours, test), theirs[test], test)


@pytest.mark.parametrize(("name", "theirs"), MODELS)
def test_proportional_hazards(name: str, theirs: dict[str, Any]) -> None:
    ours = fitted(name, theirs)
    grouping = reference("cases")[name]["terms"] or {}
    for expected in theirs["ph"]:
        terms = grouping if expected["grouped"] else None
        test = ours.proportional_hazards_test(expected["transform"], terms=terms)
        table = np.array(expected["table"])
        assert len(test.terms) == len(table) - 1
        assert_close(test.chi_square, table[:-1, 0], VALUE, "chi-square of terms")
        assert test.df.tolist() == table[:-1, 1].tolist()
        assert_close_p(test.p_value, table[:-1, 2], what="P of terms")
        assert_close(test.global_chi_square, table[-1, 0], VALUE, "global chi-square")
        assert test.global_df == table[-1, 1]
        assert_close_p(test.global_p_value, table[-1, 2], what="global P")


@pytest.mark.parametrize(("name", "theirs"), MODELS)
def test_baseline_hazard(name: str, theirs: dict[str, Any]) -> None:
    ours, expected = fitted(name, theirs).baseline(), theirs["baseline"]
    places = np.array(expected["places"])
    assert ours.time.shape == (expected["rows"],)
    assert_close(ours.time[places], expected["time"], VALUE, "time")
    assert_close(ours.cumulative_hazard[places], expected["hazard"], VALUE, "cumulative hazard")
    assert_close(ours.cumulative_hazard.sum(), expected["sum"], VALUE, "sum of the hazards")


@pytest.mark.parametrize(("name", "theirs"), MODELS)
def test_residuals(name: str, theirs: dict[str, Any]) -> None:
    ours = fitted(name, theirs)
    for kind, expected in theirs["residuals"].items():
        rows = np.asarray(ours.residuals(kind))
        table = rows[:, None] if rows.ndim == 1 else rows
        assert len(table) == expected["rows"]
        assert_close(table[np.array(expected["places"])], expected["at"], VALUE, kind)
        squares = (table**2).sum(axis=0)
        assert_close(squares, expected["squares"], VALUE, f"squares of {kind}")
        # Sums of residuals cancel to about 0: judge them beside the residuals' own size.
        size = np.sqrt(squares * len(table))
        assert (np.abs(table.sum(axis=0) - expected["sums"]) <= VALUE * size).all(), f"sums of {kind}"
