"""Accelerated failure time models: against R's survreg, by hand, on any data, and on data that cannot be fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from riskset.errors import EngineError
from riskset.survival import AftFit, IntervalSurv, Surv, fit_aft
from riskset.survival.parametric_likelihood import AftDesign, evaluate

from .helpers import P_VALUE, VALUE, assert_close, assert_close_p, reference, surv_of

INF = float("inf")
DISTRIBUTIONS = ("weibull", "exponential", "lognormal", "loglogistic")
REFERENCE = reference("parametric")


def ends(values: ArrayLike) -> NDArray[np.float64]:
    """Read ends of intervals: JSON's null is infinity."""
    return np.array([INF if v is None else v for v in np.asarray(values, dtype=object)], dtype=np.float64)


def label(name: str, model: dict[str, Any]) -> str:
    options = [word for word in ("weighted", "strata", "clustered", "robust", "offset") if model[word]]
    return "-".join([name, model["distribution"], *options])


FITS = [
    pytest.param(name, model, id=label(name, model)) for name, models in REFERENCE["fits"].items() for model in models
]


def fitted(name: str, model: dict[str, Any], *, moved: float = 0.0) -> AftFit:
    data = REFERENCE["data"][name]
    left, right = np.array(data["left"], dtype=float), ends(data["right"])
    weight = data["weight"] if model["weighted"] else None
    exact_or_censored = name == "lung"
    surv: Surv | IntervalSurv = (
        Surv(left, np.isfinite(right), weight=weight) if exact_or_censored else IntervalSurv(left, right, weight=weight)
    )
    return fit_aft(
        surv,
        np.column_stack([data[column] for column in model["columns"]]) + moved,
        names=model["columns"],
        distribution=model["distribution"],
        strata=data["stratum"] if model["strata"] else None,
        cluster=data["person"] if model["clustered"] else None,
        robust=model["robust"],
        offset=data["known"] if model["offset"] else None,
    )


@pytest.mark.parametrize(("name", "theirs"), FITS)
def test_estimates_and_tests_are_those_of_survreg(name: str, theirs: dict[str, Any]) -> None:
    ours = fitted(name, theirs)
    assert (ours.converged, ours.warnings) == (True, ())
    assert ours.names == ("(intercept)", *theirs["columns"])
    assert_close(ours.coefficient, theirs["coefficient"], VALUE, "coefficient")
    assert_close(ours.scale, theirs["scale"], VALUE, "scale")
    assert_close(ours.covariance, theirs["covariance"], VALUE, "covariance")
    assert_close(ours.naive_covariance, theirs["naive_covariance"], VALUE, "naive covariance")
    errors = np.sqrt(np.diag(theirs["covariance"]))
    assert_close(np.append(ours.standard_error, ours.log_scale_error), errors, VALUE, "standard error")
    assert_close(ours.z, theirs["z"], VALUE, "z")
    assert_close_p(ours.p_value, theirs["p_value"], P_VALUE, "P")
    assert_close(ours.log_likelihood, theirs["log_likelihood"], VALUE, "log-likelihood")
    test = ours.likelihood_ratio_test
    assert test.df == theirs["df"]
    assert_close(test.chi_square, theirs["likelihood_ratio"], VALUE, "likelihood ratio")
    assert_close_p(test.p_value, theirs["likelihood_ratio_p"], P_VALUE, "P of the likelihood ratio")


@pytest.mark.parametrize(("name", "theirs"), [f for f in FITS if not f.values[1]["offset"]])  # type: ignore[index]
def test_predictions_are_those_of_survreg(name: str, theirs: dict[str, Any]) -> None:
    ours, data = fitted(name, theirs), REFERENCE["data"][name]
    people = np.array(theirs["people"])
    x = np.column_stack([np.array(data[column])[people] for column in theirs["columns"]])
    stratum = np.array(data["stratum"])[people] if theirs["strata"] else None
    for expected in theirs["quantiles"]:
        times = ours.quantile(x, expected["q"], stratum=stratum)
        assert_close(times.time, expected["time"], VALUE, "quantile")
        assert_close(times.standard_error, expected["error"], VALUE, "error of the quantile")
        assert_close(times.low, expected["low"], VALUE, "low")
        assert_close(times.high, expected["high"], VALUE, "high")
    asked = [expected["time"] for expected in theirs["survival"]]
    read = ours.survival(asked, x, stratum=stratum)
    for j, expected in enumerate(theirs["survival"]):
        assert_close(read.survival[:, j], expected["survival"], VALUE, "survival")
        assert_close(read.standard_error[:, j], expected["error"], VALUE, "error of survival")
    assert ((read.low <= read.survival) & (read.survival <= read.high)).all()


@pytest.mark.parametrize("theirs", REFERENCE["delayed"], ids=lambda d: f"{d['case']}-{d['distribution']}")
def test_delayed_entry(theirs: dict[str, Any]) -> None:
    case = reference("cases")[theirs["case"]]
    x = np.array(case["x"])[:, theirs["columns"]]
    ours = fit_aft(surv_of(case, weighted=theirs["weighted"]), x, distribution=theirs["distribution"], robust=False)
    assert_close(np.append(ours.coefficient, ours.log_scale), theirs["coefficient"], 1e-8, "coefficient")
    assert_close(ours.covariance, theirs["covariance"], 1e-8, "covariance")
    assert_close(ours.log_likelihood.fitted, theirs["log_likelihood"], VALUE, "log-likelihood")


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("name", ["lung", "intervals"])
def test_columns_far_from_0_change_the_intercept_alone(name: str, distribution: str) -> None:
    model = next(m for m in REFERENCE["fits"][name] if m["distribution"] == distribution)
    near, far = fitted(name, model), fitted(name, model, moved=1e7)
    assert far.warnings == ()
    assert_close(far.coefficient[1:], near.coefficient[1:], 1e-8, "coefficient")
    assert_close(far.standard_error[1:], near.standard_error[1:], 1e-8, "standard error")
    assert_close(far.log_likelihood, near.log_likelihood, VALUE, "log-likelihood")
    x = np.full((1, len(model["columns"])), 1.0)
    assert_close(far.quantile(x + 1e7).low, near.quantile(x).low, 1e-7, "prediction")


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_derivatives_are_those_of_the_likelihood(distribution: Any) -> None:
    rng = np.random.default_rng(5)
    n = 40
    low = np.sort(rng.normal(1, 1.2, n))
    high = low + rng.uniform(0.01, 2, n)
    low[30:34] = -INF
    strata = 0 if distribution == "exponential" else 2
    design = AftDesign(
        distribution=distribution,
        rows=np.arange(n),
        x=np.column_stack((np.ones(n), rng.normal(0, 1, n))),
        centre=np.zeros(1),
        scale=np.ones(1),
        low=low,
        high=np.where(np.arange(n) < 12, low, np.where(np.arange(n) < 22, INF, high)),
        exact=12,
        censored=10,
        late=np.array([1, 5, 15, 25]),
        entry=low[[1, 5, 15, 25]] - 0.4,
        weight=rng.uniform(0.3, 2, n),
        offset=rng.normal(0, 0.2, n),
        stratum=rng.integers(0, max(strata, 1), n),
        strata=strata,
    )
    theta = np.concatenate(([1.2, 0.3], np.full(strata, 0.2)))
    state, step = evaluate(design, theta), 1e-5
    for j in range(theta.shape[0]):
        shift = np.zeros(theta.shape[0])
        shift[j] = step
        above, below = evaluate(design, theta + shift), evaluate(design, theta - shift)
        slope = (above.log_likelihood - below.log_likelihood) / (2 * step)
        assert_close(state.gradient[j], slope, 1e-7, "gradient")
        assert_close(state.information[:, j], -(above.gradient - below.gradient) / (2 * step), 1e-6, "information")


def test_an_exponential_model_by_hand() -> None:
    # Rates are events over time: 3/30 in group 0, 4/20 in group 1, so the mean times are 10 and 5 and their ratio 1/2;
    # the variance of a log rate is 1 over the number of events.
    surv = Surv([3, 7, 8, 12, 2, 4, 6, 8], [1, 1, 1, 0, 1, 1, 1, 1])
    fit = fit_aft(surv, [0, 0, 0, 0, 1, 1, 1, 1], distribution="exponential")
    assert_close(np.exp(fit.coefficient), [10, 0.5], 1e-12)
    assert_close(fit.standard_error, np.sqrt([1 / 3, 1 / 3 + 1 / 4]), 1e-12)
    assert_close(fit.log_likelihood.fitted, -3 * np.log(10) - 3 - 4 * np.log(5) - 4, 1e-12)
    assert_close(fit.log_likelihood.null, -7 * np.log(50 / 7) - 7, 1e-12)
    assert fit.hazard_ratio()[0].value == pytest.approx(2.0, rel=1e-12)
    assert fit.hazard_ratio()[0].standard_error == pytest.approx(fit.standard_error[1], rel=1e-12)
    assert_close(fit.quantile([[0], [1]]).time, np.log(2) * np.array([10, 5]), 1e-12)
    assert_close(fit.survival([0, 10], [0]).survival, [[1, np.exp(-1)]], 1e-12)


def test_a_lognormal_model_of_exact_times_is_least_squares() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (30, 2))
    time = np.exp(1 + x @ [0.5, -0.2] + rng.normal(0, 0.7, 30))
    fit = fit_aft(Surv(time, np.ones(30)), x, distribution="lognormal")
    columns = np.column_stack((np.ones(30), x))
    beta, residual = np.linalg.lstsq(columns, np.log(time), rcond=None)[:2]
    assert_close(fit.coefficient, beta, 1e-10)
    assert_close(fit.scale, np.sqrt(residual / 30), 1e-10)
    variance = np.linalg.inv(columns.T @ columns) * residual / 30
    assert_close(fit.standard_error, np.sqrt(np.diag(variance)), 1e-10)


def test_the_weibull_hazard_ratio_goes_with_its_time_ratio() -> None:
    fit = fitted("lung", REFERENCE["fits"]["lung"][0])
    for hazard, time in zip(fit.hazard_ratio(), fit.time_ratio(), strict=True):
        assert_close(np.log(hazard.value), -np.log(time.value) / fit.scale[0], 1e-12)
    # The delta method by another way: the covariance of -beta / exp(s) from its Jacobian.
    p, scale = len(fit.names), fit.scale[0]
    jacobian = np.zeros((p - 1, p + 1))
    jacobian[np.arange(p - 1), np.arange(1, p)] = -1 / scale
    jacobian[:, p] = fit.coefficient[1:] / scale
    errors = np.sqrt(np.diag(jacobian @ fit.covariance @ jacobian.T))
    assert_close([h.standard_error for h in fit.hazard_ratio()], errors, 1e-12)


Sample = tuple[Surv, NDArray[np.float64], int]


@st.composite
def samples(draw: st.DrawFn, *, delayed: bool = False) -> Sample:
    n = draw(st.integers(10, 30))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), dtype=float)  # noqa: E731
    time, event, group = numbers(1, 12), numbers(0, 1), numbers(0, 1)
    assume(all(event[group == g].sum() >= 3 for g in (0, 1)))
    entry = np.minimum(numbers(0, 4), time - 1) if delayed else None
    surv = Surv(time, event, entry=entry, weight=numbers(1, 3))
    return surv, np.column_stack((group, numbers(-4, 4) / 2)), draw(st.integers(0, 2**16))


def well_fitted(fit: AftFit) -> bool:
    return not fit.warnings and bool((np.abs(fit.coefficient) < 8).all()) and bool((fit.scale > 1e-2).all())


def same_fit(a: AftFit, b: AftFit, tolerance: float = 1e-6) -> None:
    assert np.allclose(a.coefficient, b.coefficient, rtol=tolerance, atol=1e-8)
    assert np.allclose(a.scale, b.scale, rtol=tolerance)
    assert np.allclose(a.covariance, b.covariance, rtol=tolerance, atol=1e-8)
    assert np.allclose(a.log_likelihood, b.log_likelihood, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@given(sample=samples(delayed=True))
def test_order_weights_and_strata(distribution: Any, sample: Sample) -> None:
    surv, x, seed = sample
    fit = fit_aft(surv, x, distribution=distribution)
    assume(well_fitted(fit))
    order = np.random.default_rng(seed).permutation(len(surv))
    same_fit(fit, fit_aft(surv.subset(order), x[order], distribution=distribution))
    assert surv.weight is not None
    assert surv.entry is not None
    copies = np.repeat(np.arange(len(surv)), surv.weight.astype(int))
    plain = Surv(surv.time[copies], surv.event[copies], entry=surv.entry[copies])
    same_fit(fit, fit_aft(plain, x[copies], distribution=distribution))
    if distribution != "exponential":
        same_fit(fit, fit_aft(surv, x, distribution=distribution, strata=["one"] * len(surv)))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@given(sample=samples())
def test_cutting_rows_in_two_changes_nothing(distribution: Any, sample: Sample) -> None:
    surv, x, _ = sample
    fit = fit_aft(surv, x, distribution=distribution)
    assume(well_fitted(fit))
    later = np.flatnonzero(surv.time > 5)
    rows = np.concatenate((np.arange(len(surv)), later))
    event = np.concatenate((np.where(surv.time > 5, 0, surv.event), surv.event[later]))
    time = np.concatenate((np.minimum(surv.time, 5), surv.time[later]))
    entry = np.concatenate((np.zeros(len(surv)), np.full(later.size, 5.0)))
    pieces = Surv(time, event, entry=entry, weight=surv.weight_or_one[rows])
    same_fit(fit, fit_aft(pieces, x[rows], distribution=distribution))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@given(sample=samples(), unit=st.sampled_from([0.02, 12.0, 30.4375]))
def test_another_unit_of_time_moves_the_intercept(distribution: Any, sample: Sample, unit: float) -> None:
    surv, x, _ = sample
    fit = fit_aft(surv, x, distribution=distribution)
    assume(well_fitted(fit))
    other = fit_aft(Surv(surv.time * unit, surv.event, weight=surv.weight), x, distribution=distribution)
    assert np.allclose(other.coefficient - fit.coefficient, [np.log(unit), 0, 0], atol=1e-6)
    assert np.allclose(other.standard_error, fit.standard_error, rtol=1e-6)
    assert np.allclose(other.quantile(x[:3]).high, fit.quantile(x[:3]).high * unit, rtol=1e-5)


@given(sample=samples())
def test_narrow_intervals_come_to_exact_times(sample: Sample) -> None:
    surv, x, _ = sample
    for distribution in DISTRIBUTIONS:
        exact = fit_aft(surv, x, distribution=distribution)
        assume(well_fitted(exact))
        right = np.where(surv.is_event, surv.time + 1e-4, INF)
        left = np.where(surv.is_event, surv.time - 1e-4, surv.time)
        narrow = fit_aft(IntervalSurv(left, right, weight=surv.weight), x, distribution=distribution)
        assert np.allclose(exact.coefficient, narrow.coefficient, rtol=1e-4, atol=1e-4)
        assert np.allclose(exact.covariance, narrow.covariance, rtol=1e-3, atol=1e-4)


@given(sample=samples())
def test_predictions_keep_their_bounds(sample: Sample) -> None:
    surv, x, _ = sample
    for distribution in DISTRIBUTIONS:
        fit = fit_aft(surv, x, distribution=distribution)
        assume(well_fitted(fit))
        read = fit.survival([0, 1, 5, 20, 1e9], x[:4])
        assert ((read.low >= 0) & (read.high <= 1) & (read.low <= read.survival) & (read.survival <= read.high)).all()
        assert (np.diff(read.survival, axis=1) <= 0).all()
        quantiles = [fit.quantile(x[:4], q).time for q in (0.1, 0.5, 0.9)]
        assert (np.diff(quantiles, axis=0) > 0).all()
        back = fit.survival(quantiles[1][:1], x[:1]).survival
        assert_close(back, [[0.5]], 1e-9)


GOOD = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
ARM = np.array([1.0, 1, 0, 1, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("surv", "x", "options", "says"),
    [
        (Surv([], []), [], {}, "no row"),
        (Surv([0, 0, 3], [1, 0, 1]), [1, 2, 3], {}, "2 rows have time 0"),
        (IntervalSurv([0, 0, 3], [0, INF, 4]), [1, 2, 3], {}, "2 rows have time 0"),
        (GOOD, ARM[:-1], {}, "x has shape"),
        (GOOD, ["a"] * 8, {}, "not a number"),
        (GOOD, np.where(ARM > 0, np.nan, 0), {}, "column 'x1' holds a missing"),
        (GOOD, ARM, {"names": ["a", "b"]}, "1 different names"),
        (GOOD, ARM, {"distribution": "weibul"}, "did you mean 'weibull'"),
        (GOOD, ARM, {"strata": ["a"] * 7}, "strata has shape"),
        (GOOD, ARM, {"strata": ARM, "distribution": "exponential"}, "no scale to stratify"),
        (GOOD, ARM, {"cluster": ARM, "robust": False}, "clusters need the robust variance"),
        (GOOD, ARM, {"offset": [1.0]}, "offset has 1 rows"),
        (GOOD, ARM, {"offset": [np.nan] * 8}, "offset holds a missing"),
    ],
)
def test_what_cannot_be_fitted_is_refused(surv: Any, x: Any, options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        fit_aft(surv, x, **options)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_without_an_event_nothing_is_estimated(distribution: Any) -> None:
    fit = fit_aft(Surv([3, 4, 5], [0, 0, 0]), [1, 2, 4], distribution=distribution)
    assert fit.warnings == ("there is no event, so no coefficient can be estimated",)
    assert np.isnan(fit.coefficient).all()
    assert np.isnan(fit.log_likelihood).all()
    with pytest.raises(EngineError, match="predicts nothing"):
        fit.quantile([1])


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_aliased_and_constant_columns_are_told_by_name(distribution: Any) -> None:
    x = np.column_stack((ARM, np.full(8, 3.3), 2 - ARM))
    fit = fit_aft(GOOD, x, names=["arm", "site", "other"], distribution=distribution)
    assert fit.aliased.tolist() == [False, False, True, True]
    assert [warning.split("'")[1] for warning in fit.warnings] == ["site", "other"]
    alone = fit_aft(GOOD, ARM, distribution=distribution)
    assert_close(fit.coefficient[:2], alone.coefficient, 1e-9)
    assert np.isnan(fit.coefficient[2:]).all()
    assert fit.likelihood_ratio_test.df == 1
    assert_close(fit.quantile(x[:2]).low, alone.quantile(x[:2, :1]).low, 1e-9)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_column_that_separates_the_events_is_told_by_name(distribution: Any) -> None:
    surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 1, 1, 0, 0, 0, 0])
    fit = fit_aft(surv, [[1, 3], [1, 1], [1, 4], [1, 1], [0, 5], [0, 9], [0, 2], [0, 6]], names=["arm", "b"],
                  distribution=distribution)  # fmt: skip
    assert any("column 'arm' separates" in warning for warning in fit.warnings)
    assert fit.infinite[1]


@pytest.mark.parametrize("distribution", ["weibull", "lognormal", "loglogistic"])
def test_a_scale_that_runs_to_0_is_told(distribution: Any) -> None:
    one = fit_aft(Surv([5], [1]), np.empty((1, 0)), distribution=distribution)
    same = fit_aft(Surv([5, 5, 5, 4], [1, 1, 1, 0]), np.empty((4, 0)), distribution=distribution)
    perfect = fit_aft(IntervalSurv([1, 3, 5], [2, 4, 6]), [0, 1, 1.6], distribution=distribution)
    for fit in (one, same, perfect):
        assert "the scale runs to 0 or to infinity" in fit.warnings[0]
        assert np.isnan(fit.coefficient).all()
        assert np.isnan(fit.scale).all()
    apart = fit_aft(Surv([5, 5, 3, 4, 6], [1, 1, 1, 1, 1]), np.empty((5, 0)), strata=list("aabbb"),
                    distribution=distribution)  # fmt: skip
    assert apart.warnings[0].startswith("the scale of stratum 'a' runs to 0")


def test_no_columns_and_one_patient() -> None:
    fit = fit_aft(GOOD, np.empty((8, 0)))
    assert fit.likelihood_ratio_test.df == 0
    assert np.isnan(fit.likelihood_ratio_test.p_value)
    assert fit.log_likelihood.null == fit.log_likelihood.fitted
    assert fit.time_ratio() == ()
    one = fit_aft(Surv([5], [1]), np.empty((1, 0)), distribution="exponential")
    assert_close(np.exp(one.coefficient), [5], 1e-12)


def test_a_far_outlier_does_not_stop_the_search() -> None:
    rng = np.random.default_rng(1)
    time = np.exp(rng.normal(3, 0.2, 4000))
    time[0] = 1e12
    for distribution in DISTRIBUTIONS:
        fit = fit_aft(Surv(time, np.ones(4000)), rng.normal(0, 1, 4000), distribution=distribution)
        assert fit.converged


def test_what_a_prediction_needs_is_asked_for() -> None:
    fit = fit_aft(GOOD, ARM)
    split = fit_aft(
        Surv(np.tile(GOOD.time, 2), np.tile(GOOD.event, 2)), np.tile(ARM, 2), strata=np.repeat(["a", "b"], 8)
    )
    for call, says in (
        (lambda: fit.quantile([[1, 2]]), "1 finite covariate"),
        (lambda: fit.quantile([[np.nan]]), "1 finite covariate"),
        (lambda: fit.quantile([1], 1.0), "between 0 and 1"),
        (lambda: fit.quantile([1], level=1.0), "between 0 and 1"),
        (lambda: fit.survival([-1], [1]), "negative time"),
        (lambda: fit.quantile([1], stratum="a"), "no strata"),
        (lambda: split.quantile([1]), "which stratum"),
        (lambda: split.quantile([1], stratum="c"), "none that the model"),
        (lambda: split.hazard_ratio(), "differs between strata"),
        (lambda: fit_aft(GOOD, ARM, distribution="lognormal").hazard_ratio(), "not proportional"),
        (lambda: fit.time_ratio(0.0), "between 0 and 1"),
    ):
        with pytest.raises(EngineError, match=says):
            call()
    assert_close(split.quantile([1], stratum="a").time, fit.quantile([1]).time, 1e-9)
