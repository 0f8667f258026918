"""Gamma frailties against R, against the marginal likelihood itself, and where there is nothing to share."""

from __future__ import annotations

from math import lgamma, log
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import FrailtyFit, Surv, fit_cox, fit_cox_frailty

from .helpers import VALUE, assert_close, reference, surv_of

# R climbs with an information whose convergence is linear; these are the digits that its tightest control gives.
R_COEFFICIENT = 1e-8

MODELS = [
    pytest.param(name, model, id=f"{name}-{i}")
    for name, models in reference("frailty").items()
    if name != "data"
    for i, model in enumerate(models)
]


def fitted(name: str, model: dict[str, Any], variance: float | None) -> FrailtyFit:
    own: dict[str, Any] = reference("frailty")["data"]
    case = own[name] if name in own else reference("cases")[name]
    return fit_cox_frailty(
        surv_of(case),
        case["x"],
        case[model["group"]],
        variance=variance,
        names=case["names"],
        strata=case["strata"] if model["stratified"] else None,
        ties=model["ties"],
    )


@pytest.mark.parametrize(("name", "theirs"), MODELS)
def test_given_variances_against_r(name: str, theirs: dict[str, Any]) -> None:
    for expected in theirs["at"]:
        ours = fitted(name, theirs, expected["theta"])
        assert ours.converged
        assert ours.warnings == ()
        assert_close(ours.coefficient, expected["coefficient"], R_COEFFICIENT, "coefficient")
        assert_close(ours.covariance, expected["covariance"], R_COEFFICIENT, "covariance")
        assert_close(ours.frailty, expected["frailty"], R_COEFFICIENT, "frailty")
        assert_close(ours.log_likelihood, expected["log_likelihood"], VALUE, "marginal log-likelihood")
        assert_close(ours.log_likelihood_without, theirs["without"], VALUE, "log-likelihood without frailties")
        assert ours.frailty.mean() == pytest.approx(1.0, rel=1e-10)
        assert np.isnan(ours.variance_test.p_value)


@pytest.mark.parametrize(("name", "theirs"), [m for m in MODELS if m.values[1]["own"] is not None])
def test_the_estimated_variance_is_no_worse_than_r_s(name: str, theirs: dict[str, Any]) -> None:
    ours, own = fitted(name, theirs, None), theirs["own"]
    assert ours.log_likelihood >= own["log_likelihood"] - 1e-9
    # R stops where the likelihood is flat to 1e-11 of its size: its theta has the square root of that, and in lung's
    # centres, where the likelihood hardly bends, less.
    assert ours.log_likelihood - own["log_likelihood"] < 1e-6
    assert ours.variance == pytest.approx(own["theta"], rel=5e-3)
    assert_close(ours.coefficient, own["coefficient"], 1e-3, "coefficient")
    gain = 2 * (ours.log_likelihood - ours.log_likelihood_without)
    assert ours.variance_test.chi_square == pytest.approx(gain)
    assert 0 < ours.variance_test.p_value < 0.5
    # It is a maximum to a millionth of itself: both sides are lower, and equally so.
    for step in (1e-2, 1e-3):
        sides = [fitted(name, theirs, ours.variance * (1 + s)).log_likelihood for s in (-step, step)]
        fall = [ours.log_likelihood - side for side in sides]
        assert min(fall) > -1e-11
        curvature = sum(fall) / step**2
        assert abs(sides[1] - sides[0]) / (2 * step * curvature) < max(step**2, 1e-6) + 1e-10 / (step * curvature)


def joint(surv: Surv, x: NDArray[np.float64], group: NDArray[np.int64], fit: FrailtyFit, variance: float) -> float:
    """Give the marginal log-likelihood (Breslow), the frailties integrated out with the baseline's jumps held."""
    risk = np.exp(x @ fit.coefficient) * fit.frailty[group]
    total = 0.0
    jumps = {}
    for t in np.unique(surv.time[surv.is_event]):
        jumps[t] = ((surv.time == t) & surv.is_event).sum() / risk[surv.time >= t].sum()
    hazard = np.array([sum(j for t, j in jumps.items() if t <= end) for end in surv.time])
    nu = 1.0 / variance
    for g in range(fit.frailty.shape[0]):
        own = group == g
        d, h = float(surv.is_event[own].sum()), float((np.exp(x[own] @ fit.coefficient) * hazard[own]).sum())
        total += nu * log(nu) - (nu + d) * log(nu + h) + lgamma(nu + d) - lgamma(nu)
        # The frailty is its expectation given the data: the condition of the maximum.
        assert fit.frailty[g] == pytest.approx((nu + d) / (nu + h), rel=1e-8)
    events = surv.is_event
    return total + float((x @ fit.coefficient)[events].sum()) + sum(log(jumps[t]) for t in surv.time[events])


def test_the_marginal_likelihood_is_the_integral_over_the_frailties() -> None:
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(15), 6)
    x = rng.normal(size=(90, 1))
    time = np.ceil(rng.exponential(8 / (rng.gamma(2, 0.5, 15)[group] * np.exp(0.5 * x[:, 0]))))
    surv = Surv(np.minimum(time, 15), time <= 15)
    fits = [fit_cox_frailty(surv, x, group, variance=v, ties="breslow") for v in (0.2, 0.5, 3.0)]
    whole = [joint(surv, x, group, fit, fit.variance) for fit in fits]
    ours = [fit.log_likelihood for fit in fits]
    # Both leave out the same constant.
    assert np.diff(ours) == pytest.approx(np.diff(whole), abs=1e-9)


def test_a_small_variance_nears_the_plain_model() -> None:
    case = reference("cases")["lung"]
    plain = fit_cox(surv_of(case), case["x"])
    near = fit_cox_frailty(surv_of(case), case["x"], case["strata"], variance=1e-9)
    assert_close(near.coefficient, plain.coefficient, 1e-7)
    assert_close(near.covariance, plain.covariance, 1e-6)
    assert near.log_likelihood == pytest.approx(plain.log_likelihood.fitted, abs=1e-7)
    assert near.frailty == pytest.approx(np.ones(near.groups.shape[0]), abs=1e-6)


def test_groups_that_do_not_differ_have_no_variance() -> None:
    rng = np.random.default_rng(2)
    surv = Surv(np.tile(np.arange(1.0, 13), 10), np.ones(120))
    fit = fit_cox_frailty(surv, rng.normal(size=120), np.repeat(np.arange(10), 12))
    assert fit.variance == 0
    assert "estimated as 0" in fit.warnings[0]
    assert fit.frailty.tolist() == [1.0] * 10
    assert (fit.variance_test.chi_square, fit.variance_test.p_value) == (0.0, 1.0)
    one = fit_cox_frailty(surv, rng.normal(size=120), ["all"] * 120)
    assert one.variance == 0


def test_thousands_of_groups_and_none_of_the_columns() -> None:
    rng = np.random.default_rng(5)
    size = 3000
    group = np.repeat(np.arange(size), 2)
    shared = rng.gamma(1 / 0.8, 0.8, size)[group]
    x = rng.normal(size=(2 * size, 2))
    time = rng.exponential(1 / (shared * np.exp(x @ [0.5, -0.3])))
    surv = Surv(np.minimum(time, 3.0), time <= 3.0)
    fit = fit_cox_frailty(surv, x, group)
    assert fit.variance == pytest.approx(0.8, abs=0.15)
    assert np.abs((fit.coefficient - [0.5, -0.3]) / fit.standard_error).max() < 3
    assert fit.variance_test.p_value < 1e-10
    bare = fit_cox_frailty(surv, np.empty((2 * size, 0)), group)
    assert bare.coefficient.shape == (0,)
    assert bare.variance > 0


def test_the_order_of_rows_and_the_names_of_groups_mean_nothing() -> None:
    case = reference("frailty")["data"]["kidney"]
    surv, x, group = surv_of(case), np.array(case["x"]), np.array(case["cluster"], dtype=int)
    order = np.random.default_rng(1).permutation(len(surv))
    a = fit_cox_frailty(surv, x, group)
    b = fit_cox_frailty(surv.subset(order), x[order], np.array([f"patient {g:03d}" for g in group])[order])
    assert b.variance == pytest.approx(a.variance, rel=1e-8)
    assert_close(a.coefficient, b.coefficient, 1e-8)
    assert_close(a.frailty, b.frailty, 1e-8)
    far = fit_cox_frailty(surv, x + np.array([1e7, 0.0]), group)
    assert_close(a.coefficient, far.coefficient, 1e-6)
    assert a.hazard_ratio()[1].value == pytest.approx(np.exp(a.coefficient[1]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**20))
def test_weights_strata_and_the_unit_of_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    group = rng.integers(0, 8, n)
    x = rng.normal(size=n)
    time = np.ceil(rng.exponential(6 / (rng.gamma(1, 1, 8)[group] + 0.05)))
    surv = Surv(np.minimum(time, 12), time <= 12, weight=rng.integers(1, 4, n))
    assume(np.bincount(group, minlength=8).min() > 0)
    fit = fit_cox_frailty(surv, x, group, ties="breslow")
    assume(1e-3 < fit.variance < 50)
    rows = np.repeat(np.arange(n), surv.weight_or_one.astype(int))
    copies = Surv(surv.time[rows], surv.event[rows])
    for other in (
        fit_cox_frailty(copies, x[rows], group[rows], ties="breslow"),
        fit_cox_frailty(surv, x, group, ties="breslow", strata=["only"] * n),
        fit_cox_frailty(Surv(surv.time / 30.4375, surv.event, weight=surv.weight), x, group, ties="breslow"),
    ):
        assert other.variance == pytest.approx(fit.variance, rel=1e-6)
        assert_close(other.coefficient, fit.coefficient, 1e-6)
        assert_close(other.covariance, fit.covariance, 1e-6)
        assert_close(other.frailty, fit.frailty, 1e-6)
        assert other.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-9)


def test_degenerate_rows() -> None:
    nothing = fit_cox_frailty(Surv([1, 2, 3], [0, 0, 0]), [1.0, 2, 3], ["a", "a", "b"])
    assert "no event" in nothing.warnings[0]
    assert np.isnan([nothing.variance, nothing.coefficient[0], nothing.variance_test.p_value]).all()
    assert np.isnan(nothing.frailty).all()
    constant = fit_cox_frailty(
        Surv([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0]), np.ones(6), list("aabbcc"), variance=0.5, names=["centre"]
    )
    assert "'centre'" in constant.warnings[0]
    assert np.isnan(constant.coefficient[0])
    alone = fit_cox_frailty(Surv([3], [1]), [1.0], ["a"])
    assert alone.variance == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ties": "exact"}, "no exact ties"),
        ({"variance": 0.0}, "greater than 0"),
        ({"variance": float("nan")}, "greater than 0"),
    ],
)
def test_impossible_frailties_are_refused(options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        fit_cox_frailty(Surv([1, 2, 3], [1, 1, 1]), [1.0, 0, 1], list("aab"), **options)


def test_impossible_groups_and_weights_are_refused() -> None:
    surv = Surv([1, 2, 3], [1, 1, 1])
    with pytest.raises(EngineError, match="group has shape"):
        fit_cox_frailty(surv, [1.0, 0, 1], ["a"])
    with pytest.raises(EngineError, match="group holds a missing"):
        fit_cox_frailty(surv, [1.0, 0, 1], ["a", None, "b"])
    with pytest.raises(EngineError, match="robust variance"):
        fit_cox_frailty(Surv([1, 2], [1, 1], weight=[0.5, 1]), [1.0, 0], ["a", "b"])
