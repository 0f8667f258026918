"""Predicted survival after a Cox model against R's survfit, and what may be asked of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival import Surv, fit_cox, kaplan_meier, nelson_aalen

from .helpers import VALUE, assert_close, floats, reference, surv_of

MODELS = [
    pytest.param(name, model, id=f"{name}-{i}")
    for name, models in reference("cox_prediction").items()
    for i, model in enumerate(models)
]


def assert_close_where_known(ours: ArrayLike, theirs: ArrayLike, what: str) -> None:
    """Compare where R has a limit: its curves have none before their first time."""
    a, b = floats(ours), floats(theirs)
    known = ~np.isnan(b)
    assert known.any()
    assert_close(a[known], b[known], VALUE, what)


@pytest.mark.parametrize(("name", "theirs"), MODELS)
def test_predicted_survival_against_r(name: str, theirs: dict[str, Any]) -> None:
    case = reference("cases")[name]
    rows, x = np.array(theirs["rows"]), np.array(case["x"])
    strata = np.array(case["strata"]) if theirs["stratified"] else None
    fit = fit_cox(
        surv_of(case),
        x,
        strata=strata,
        ties=theirs["ties"],
        robust=None if theirs["clustered"] else False,
        cluster=case["cluster"] if theirs["clustered"] else None,
    )
    ours = fit.predict_survival(
        x[rows],
        theirs["times"],
        strata=None if strata is None else strata[rows],
        conf_type=theirs["conf_type"],
        conf_level=theirs["level"],
    )
    assert not ours.beyond.any()
    for i, expected in enumerate(theirs["curves"]):
        assert_close(ours.survival[i], expected["survival"], VALUE, "survival")
        assert_close(ours.cumulative_hazard[i], expected["hazard"], VALUE, "cumulative hazard")
        assert_close(ours.cumulative_hazard_error[i], expected["error"], VALUE, "error of the hazard")
        assert_close_where_known(ours.low[i], expected["low"], "low")
        assert_close_where_known(ours.high[i], expected["high"], "high")
    assert_close(ours.standard_error, ours.survival * ours.cumulative_hazard_error, 1e-14)
    assert_close(fit.linear_predictor(x[rows]), theirs["predictor"], VALUE, "linear predictor")
    assert_close(fit.linear_predictor()[rows], theirs["predictor"], VALUE, "linear predictor of the fit's rows")


SURV = Surv([1, 2, 3, 4, 5, 6, 9, 4], [1, 0, 1, 1, 0, 1, 0, 1])
X = np.array([[50.0, 1], [61, 0], [47, 0], [70, 1], [66, 1], [58, 0], [49, 0], [52, 1]])
CENTRE = np.array(list("aaaabbbb"))


def test_a_curve_is_marked_beyond_its_own_stratum() -> None:
    fit = fit_cox(SURV, X, names=["age", "liver"], strata=CENTRE)
    curves = fit.predict_survival(X[:2], strata=["a", "b"])
    assert curves.time.tolist() == [1, 2, 3, 4, 5, 6, 9]
    assert curves.beyond.tolist() == [[False] * 4 + [True] * 3, [False] * 7]
    for name in ("survival", "low", "high", "standard_error", "cumulative_hazard", "cumulative_hazard_error"):
        assert np.array_equal(np.isnan(getattr(curves, name)), curves.beyond), name
    later = curves.at([0, 4, 9.5])
    assert later.survival[:, 0].tolist() == [1, 1]
    assert later.beyond.tolist() == [[False, False, True]] * 2
    assert later.survival[0, 1] == curves.survival[0, 3]
    # The same numbers stand in the baseline at these covariates.
    base = fit.baseline(X[0])
    own = base.stratum == "a"
    assert_close(base.cumulative_hazard[own], curves.cumulative_hazard[0, :4], 1e-12)
    assert_close(base.standard_error[own], curves.cumulative_hazard_error[0, :4], 1e-12)


def test_without_covariates_it_is_nelson_aalen() -> None:
    fit = fit_cox(SURV, np.empty((8, 0)), ties="breslow")
    curve, plain = fit.predict_survival(np.empty((1, 0))), nelson_aalen(SURV)
    assert_close(curve.cumulative_hazard[0], plain.cumulative_hazard, 1e-12)
    assert curve.survival[0][-1] > kaplan_meier(SURV).survival[-1]


def test_an_offset_multiplies_the_hazard_and_one_row_may_be_flat() -> None:
    fit = fit_cox(SURV, X)
    plain = fit.predict_survival(X[0])
    moved = fit.predict_survival(X[0], offset=[np.log(2.0)])
    assert_close(moved.cumulative_hazard, 2 * plain.cumulative_hazard, 1e-12)
    assert_close(moved.cumulative_hazard_error, 2 * plain.cumulative_hazard_error, 1e-12)
    assert fit.linear_predictor(X[0], offset=[1.5])[0] == pytest.approx(fit.linear_predictor(X[0])[0] + 1.5)


def test_a_flat_x_is_one_column_or_one_row() -> None:
    one = fit_cox(SURV, X[:, 0])
    assert_close(one.predict_survival([50.0, 60.0]).survival, one.predict_survival([[50.0], [60.0]]).survival, 0.0)
    assert one.linear_predictor([50.0, 60.0, 70.0]).shape == (3,)
    assert fit_cox(SURV, X).predict_survival([50.0, 1.0]).survival.shape == (1, 7)


def test_an_aliased_column_is_passed_over() -> None:
    fit = fit_cox(SURV, np.column_stack((X, X[:, 0])), names=["age", "liver", "again"])
    plain = fit_cox(SURV, X)
    new = np.array([[60.0, 1, 1e6]])
    assert_close(fit.predict_survival(new).survival, plain.predict_survival(new[:, :2]).survival, 1e-12)
    assert_close(fit.linear_predictor(new), plain.linear_predictor(new[:, :2]), 1e-12)


def test_a_large_constant_in_a_column_changes_nothing() -> None:
    far = X + np.array([1e7, 0.0])
    a, b = fit_cox(SURV, X).predict_survival(X), fit_cox(SURV, far).predict_survival(far)
    assert_close(a.survival, b.survival, 1e-7)
    assert_close(a.cumulative_hazard_error, b.cumulative_hazard_error, 1e-7)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (([1.0],), {}, "rows of 2 columns"),
        (([[1.0, np.nan]],), {}, "column 'liver' of the new rows"),
        ((np.array([["a", "b"]], dtype=object),), {}, "not a number"),
        (([[50.0, 1]], [-1]), {}, "negative time"),
        (([[50.0, 1]], [np.nan]), {}, "missing"),
        (([[50.0, 1]],), {"offset": [1.0, 2.0]}, "offset has shape"),
        (([[50.0, 1]],), {"conf_type": "logg"}, "conf_type 'logg'"),
        (([[50.0, 1]],), {"conf_level": 95}, "0.95"),
        (([[50.0, 1]],), {"strata": ["a"]}, "label that the model does not have"),
    ],
)
def test_impossible_predictions_are_refused(arguments: Any, options: Any, says: str) -> None:
    fit = fit_cox(SURV, X, names=["age", "liver"])
    with pytest.raises(EngineError, match=says):
        fit.predict_survival(*arguments, **options)


def test_strata_are_needed_where_the_model_has_them() -> None:
    fit = fit_cox(SURV, X, strata=CENTRE)
    with pytest.raises(EngineError, match="give each new row's stratum"):
        fit.predict_survival(X[:1])
    with pytest.raises(EngineError, match="label that the model does not have"):
        fit.predict_survival(X[:1], strata=["c"])
    with pytest.raises(EngineError, match="strata has shape"):
        fit.predict_survival(X[:1], strata=["a", "b"])
    with pytest.raises(EngineError, match="no event"):
        fit_cox(Surv([1, 2], [0, 0]), [1.0, 2.0]).predict_survival([1.0])
