"""Cox's model with Firth's penalty: against R, by hand, on any data, and on data that cannot be fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import FirthCoxFit, Surv, fit_cox, fit_cox_firth
from riskset.survival.cox_firth_likelihood import evaluate_penalised
from riskset.survival.cox_fit import CoxRows

from .helpers import P_VALUE, VALUE, assert_close, assert_close_p, reference

REFERENCE = reference("cox_firth")
FITS = [
    pytest.param(case["data"], fit, id=f"{name}-{fit['ties']}")
    for name, case in REFERENCE.items()
    for fit in case["fits"]
]
SEPARATED = Surv([2, 3, 5, 7, 8, 9, 11, 12], [1, 0, 1, 1, 0, 0, 1, 0])
MUTATION = np.array([1.0, 0, 1, 1, 0, 0, 1, 0])


def fitted(data: dict[str, Any], ties: Any, *, moved: float = 0.0, stretched: float = 1.0) -> FirthCoxFit:
    surv = Surv(data["time"], data["event"], entry=data.get("entry"), weight=data.get("weight"))
    x = np.array(data["x"]) * stretched + moved
    return fit_cox_firth(surv, x, names=data["names"], strata=data.get("strata"), ties=ties)


@pytest.mark.parametrize(("data", "theirs"), FITS)
def test_estimates_profiles_and_tests_are_those_of_r(data: dict[str, Any], theirs: dict[str, Any]) -> None:
    ours = fitted(data, theirs["ties"])
    assert (ours.converged, ours.warnings) == (True, ())
    assert_close(ours.coefficient, theirs["coefficient"], VALUE, "coefficient")
    assert_close(ours.covariance, theirs["covariance"], VALUE, "covariance")
    assert_close(ours.log_likelihood, theirs["log_likelihood"], VALUE, "penalised log-likelihood")
    # R's profiles come from uniroot, whose ends lie within its rounding of the likelihood.
    assert_close(ours.low, theirs["low"], 1e-8, "low")
    assert_close(ours.high, theirs["high"], 1e-8, "high")
    assert_close(ours.chi_square, theirs["chi_square"], 1e-8, "penalised likelihood ratio")
    assert_close_p(ours.p_value, theirs["p_value"], P_VALUE, "P")


@pytest.mark.parametrize(("data", "theirs"), FITS)
def test_another_origin_or_unit_of_the_columns_changes_nothing_else(
    data: dict[str, Any], theirs: dict[str, Any]
) -> None:
    near = fitted(data, theirs["ties"])
    far = fitted(data, theirs["ties"], moved=1e7)
    assert far.warnings == ()
    for name in ("coefficient", "low", "high", "standard_error", "chi_square"):
        assert_close(getattr(far, name), getattr(near, name), 1e-6, name)
    stretched = fitted(data, theirs["ties"], stretched=1000.0)
    for name in ("coefficient", "low", "high", "standard_error"):
        assert_close(getattr(stretched, name) * 1000.0, getattr(near, name), 1e-8, name)
    assert_close(stretched.p_value, near.p_value, 1e-8, "P")


def test_two_patients_by_hand() -> None:
    # One event among two at risk, x = 1 with the event and 0 without: the likelihood is u = e^b / (1 + e^b), the
    # information u (1 - u), so u^(3/2) (1 - u)^(1/2) is to be greatest: u = 3/4 and b = log 3.
    fit = fit_cox_firth(Surv([1, 2], [1, 0]), [1, 0])
    assert_close(fit.coefficient, [np.log(3)], 1e-12)
    assert_close(fit.standard_error, [1 / np.sqrt(3 / 16)], 1e-12)
    assert_close(fit.log_likelihood.fitted, 1.5 * np.log(3 / 4) + 0.5 * np.log(1 / 4), 1e-12)
    assert_close(fit.log_likelihood.null, 2 * np.log(1 / 2), 1e-12)
    for end in (fit.low[0], fit.high[0]):
        u = 1 / (1 + np.exp(-end))
        fall = fit.log_likelihood.fitted - (1.5 * np.log(u) + 0.5 * np.log1p(-u))
        assert_close(2 * fall, 3.841458820694124, 1e-9)
    assert fit.hazard_ratio()[0].value == pytest.approx(3.0)


def test_separated_data_get_finite_numbers() -> None:
    infinite = fit_cox(SEPARATED, MUTATION)
    assert infinite.infinite.all()
    fit = fit_cox_firth(SEPARATED, MUTATION)
    assert fit.warnings == ()
    assert np.isfinite([fit.coefficient, fit.low, fit.high, fit.standard_error, fit.p_value]).all()
    assert fit.low[0] < fit.coefficient[0] < fit.high[0]
    # The profile's limits and the penalised test agree about 0.
    assert (fit.low[0] > 0) == (fit.p_value[0] < 0.05)
    assert_close(fit.chi_square[0], fit.likelihood_ratio_test.chi_square, 1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_gradient_is_that_of_the_penalised_likelihood(ties: Any) -> None:
    rng = np.random.default_rng(4)
    n = 60
    time = np.ceil(rng.exponential(6, n))
    surv = Surv(
        time, rng.random(n) < 0.6, entry=np.minimum(rng.integers(0, 4, n), time - 1), weight=rng.integers(1, 4, n)
    )
    strata = np.arange(n) % 3
    design = CoxRows(surv, rng.normal(0, 1, (n, 3)), strata, np.arange(3), None, ties).design()
    beta = np.array([0.3, -0.2, 0.5])
    state = evaluate_penalised(design, beta)
    for j in range(3):
        shift = np.eye(3)[j] * 1e-5
        ends = [evaluate_penalised(design, beta + sign * shift).log_likelihood for sign in (1, -1)]
        assert_close(state.gradient[j], (ends[0] - ends[1]) / 2e-5, 1e-6)


Sample = tuple[Surv, NDArray[np.float64], int]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    n = draw(st.integers(8, 20))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), dtype=float)  # noqa: E731
    time, event, group = numbers(1, 10), numbers(0, 1), numbers(0, 1)
    assume(event.sum() >= 2 and 2 <= group.sum() <= n - 2)
    surv = Surv(time, event, entry=np.minimum(numbers(0, 4), time - 1), weight=numbers(1, 3))
    return surv, np.column_stack((group, numbers(-4, 4) / 2)), draw(st.integers(0, 2**16))


def same_fit(a: FirthCoxFit, b: FirthCoxFit) -> None:
    for name in ("coefficient", "low", "high", "standard_error", "chi_square", "log_likelihood"):
        assert np.allclose(getattr(a, name), getattr(b, name), rtol=1e-6, atol=1e-7, equal_nan=True), name


@given(sample=samples())
@settings(max_examples=30)
def test_order_strata_and_counted_weights(sample: Sample) -> None:
    surv, x, seed = sample
    fit = fit_cox_firth(surv, x, ties="breslow")
    assume(not fit.warnings)
    order = np.random.default_rng(seed).permutation(len(surv))
    same_fit(fit, fit_cox_firth(surv.subset(order), x[order], ties="breslow"))
    same_fit(fit, fit_cox_firth(surv, x, ties="breslow", strata=["one"] * len(surv)))
    assert surv.weight is not None
    assert surv.entry is not None
    copies = np.repeat(np.arange(len(surv)), surv.weight.astype(int))
    plain = Surv(surv.time[copies], surv.event[copies], entry=surv.entry[copies])
    same_fit(fit, fit_cox_firth(plain, x[copies], ties="breslow"))


@given(sample=samples())
@settings(max_examples=30)
def test_profiles_surround_the_estimate_and_agree_with_the_test(sample: Sample) -> None:
    surv, x, _ = sample
    fit = fit_cox_firth(surv, x)
    assert fit.converged
    known = ~fit.aliased
    assert np.isfinite(fit.coefficient[known]).all()
    found = known & np.isfinite(fit.low) & np.isfinite(fit.high)
    assert ((fit.low < fit.coefficient) & (fit.coefficient < fit.high))[found].all()
    clear = found & (np.abs(fit.chi_square - 3.8414588) > 1e-4)
    outside = (fit.low > 0) | (fit.high < 0)
    assert (outside == (fit.chi_square > 3.8414588))[clear].all()
    assert fit.log_likelihood.fitted >= fit.log_likelihood.null - 1e-9 or not known.any()


@given(sample=samples())
@settings(max_examples=20)
def test_a_recoded_group_turns_its_sign(sample: Sample) -> None:
    surv, x, _ = sample
    fit = fit_cox_firth(surv, x)
    assume(not fit.warnings)
    turned = fit_cox_firth(surv, np.column_stack((1 - x[:, 0], x[:, 1])))
    assert np.allclose(fit.coefficient * [-1, 1], turned.coefficient, rtol=1e-6, atol=1e-7)
    assert np.allclose(fit.low * [-1, 1], [turned.high[0], turned.low[1]], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("surv", "x", "options", "says"),
    [
        (Surv([], []), [], {}, "no row"),
        (SEPARATED, MUTATION[:-1], {}, "x has shape"),
        (SEPARATED, ["a"] * 8, {}, "not a number"),
        (SEPARATED, np.where(MUTATION > 0, np.nan, 0), {}, "column 'x1' holds a missing"),
        (SEPARATED, MUTATION, {"names": ["a", "b"]}, "1 different names"),
        (SEPARATED, MUTATION, {"ties": "exact"}, "ties 'exact' is unknown"),
        (SEPARATED, MUTATION, {"level": 95}, "between 0 and 1"),
        (SEPARATED, MUTATION, {"strata": ["a"]}, "strata has shape"),
        (Surv([1, 2], [1, 0], weight=[0.5, 1]), [1, 0], {}, "whole counts"),
    ],
)
def test_what_cannot_be_fitted_is_refused(surv: Any, x: Any, options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        fit_cox_firth(surv, x, **options)


def test_degenerate_data_are_told() -> None:
    silent = fit_cox_firth(Surv([1, 2, 3], [0, 0, 0]), [1, 2, 4])
    assert silent.warnings == ("there is no event, so no coefficient can be estimated",)
    assert np.isnan(silent.coefficient).all()
    x = np.column_stack((MUTATION, np.full(8, 2.2), 1 - MUTATION))
    aliased = fit_cox_firth(SEPARATED, x, names=["mutation", "site", "wild"])
    assert aliased.aliased.tolist() == [False, True, True]
    assert [warning.split("'")[1] for warning in aliased.warnings] == ["site", "wild"]
    assert_close(aliased.coefficient[:1], fit_cox_firth(SEPARATED, MUTATION).coefficient, 1e-10)
    empty = fit_cox_firth(SEPARATED, np.empty((8, 0)))
    assert (empty.coefficient.shape, empty.likelihood_ratio_test.df, empty.hazard_ratio()) == ((0,), 0, ())
    one = fit_cox_firth(Surv([3], [1]), [1.0])
    assert one.aliased.all()
    # All die at once and the column is symmetric: neither the score nor the third moment moves the coefficient off 0.
    together = fit_cox_firth(Surv([3, 3, 3, 3], [1, 1, 1, 1]), [1, 2, 3, 4], ties="breslow")
    assert abs(together.coefficient[0]) < 1e-12
    assert together.p_value[0] > 0.999
