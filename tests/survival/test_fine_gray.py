"""Fine-Gray models against R, against formulas written out, and what must hold on any data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import FineGrayFit, Surv, fit_cox, fit_fine_gray
from riskset.survival._special import interval_multiplier

from .competing_cases import CASES, Sample, samples, second_oracle, written_out
from .helpers import VALUE, assert_close, reference, surv_of

Array = NDArray[Any]
THEIRS: dict[str, Any] = reference("fine_gray")["cases"]
WITH_CRR = [name for name in THEIRS if THEIRS[name]["crr"]]
EXTENDED = [(name, kind) for name in THEIRS for kind in (THEIRS[name]["extended"] or {}) if kind != "expanded"]
# Covariances are squares of standard errors, so twice as far from them relatively.
COVARIANCE = 2 * VALUE


@pytest.mark.parametrize("name", WITH_CRR)
def test_fits_are_those_of_crr(name: str) -> None:
    case = CASES[name]
    for r in THEIRS[name]["crr"]:
        fit = fit_fine_gray(surv_of(case), case["x"], cause=r["cause"], names=case["names"])
        assert fit.warnings == ()
        assert_close(fit.coefficient, r["coefficient"], VALUE, "coefficient")
        assert_close(fit.covariance, r["covariance"], COVARIANCE, "covariance")
        assert_close(fit.standard_error, np.sqrt(np.diag(r["covariance"])), VALUE, "standard error")
        assert_close(fit.naive_covariance, r["naive_covariance"], COVARIANCE, "naive covariance")
        assert_close(fit.log_likelihood, r["log_likelihood"], VALUE, "log-likelihood")
        places, baseline = np.array(r["places"]), fit.baseline()
        assert_close(baseline.time[places], r["time"], VALUE, "time")
        assert_close(baseline.cumulative_hazard[places], r["baseline"], VALUE, "baseline")
        predicted = fit.predict(r["at"])
        assert_close(predicted.incidence[:, places], r["incidence"], VALUE, "predicted incidence")


def settings_of(kind: str, case: dict[str, Any]) -> dict[str, Any]:
    return {
        "stratified": {"strata": case["strata"], "censoring_group": case["strata"]},
        "pooled": {"strata": case["strata"]},
        "grouped": {"censoring_group": case["group"]},
        "weighted": {},
        "clustered": {"cluster": case["cluster"]},
    }[kind]


@pytest.mark.parametrize(("name", "kind"), EXTENDED)
def test_strata_groups_weights_and_clusters_are_the_formulas_written_out(name: str, kind: str) -> None:
    case, r = CASES[name], THEIRS[name]["extended"][kind]
    fit = fit_fine_gray(surv_of(case), case["x"], **settings_of(kind, case))
    assert_close(fit.coefficient, r["coefficient"], VALUE, "coefficient")
    assert_close(fit.naive_covariance, r["naive_covariance"], COVARIANCE, "naive covariance")
    assert_close(fit.covariance, r["covariance"], COVARIANCE, "covariance")
    baseline = fit.baseline()
    first = np.concatenate(([True], baseline.stratum[1:] != baseline.stratum[:-1]))
    increments = np.where(first, baseline.cumulative_hazard, np.diff(baseline.cumulative_hazard, prepend=0.0))
    running = np.cumsum(increments)
    places = np.unique(np.rint(np.linspace(0, running.size - 1, min(running.size, 12))).astype(int))
    assert_close(running[places], r["baseline"], VALUE, "baseline")


@pytest.mark.parametrize("name", [name for name in THEIRS if THEIRS[name].get("direct")])
def test_the_written_out_formulas_are_those_of_crr(name: str) -> None:
    """So that the test above compares with the right thing."""
    direct, crr = THEIRS[name]["direct"], THEIRS[name]["crr"][0]
    assert_close(direct["covariance"], crr["covariance"], 1e-8)
    assert_close(direct["naive_covariance"], crr["naive_covariance"], 1e-8)


def test_untied_coefficients_are_those_of_finegray_with_coxph() -> None:
    case = CASES["crr_help"]
    plain, stratified = THEIRS["crr_help"]["extended"]["expanded"]
    fits = (
        fit_fine_gray(surv_of(case), case["x"]),
        fit_fine_gray(surv_of(case), case["x"], strata=case["strata"], censoring_group=case["strata"]),
    )
    for fit, r in zip(fits, (plain, stratified), strict=True):
        assert_close(fit.coefficient, r["coefficient"], VALUE)
        assert_close(fit.naive_covariance, r["naive_covariance"], COVARIANCE)


def well_fitted(fit: FineGrayFit) -> bool:
    size = np.abs(fit.coefficient)
    # Where one influence is all there is, the variance is only rounding.
    sound = bool((fit.standard_error > 1e-6).all())
    return not fit.warnings and sound and bool((size < 6).all()) and bool(size.max() > 1e-6)


def same_fit(a: FineGrayFit, b: FineGrayFit, tolerance: float = 1e-7) -> None:
    assert_close(a.coefficient, b.coefficient, tolerance, "coefficient")
    size = np.abs(a.covariance).max()
    assert np.allclose(a.covariance, b.covariance, rtol=tolerance, atol=tolerance * size), "covariance"
    assert_close(a.naive_covariance, b.naive_covariance, tolerance, "naive covariance")
    assert_close(a.log_likelihood, b.log_likelihood, tolerance, "log-likelihood")


@given(samples(fractional=True))
@settings(max_examples=25)
def test_the_variance_squares_the_derivatives_by_the_weights(sample: Sample) -> None:
    """Untied, the influence of a row (also through censoring) is the derivative of the coefficients by its weight."""
    surv, n = sample.surv, len(sample.surv)
    time = np.random.default_rng(sample.seed).permutation(n) + 1.0
    weight = surv.weight_or_one
    x = sample.x[:, 1:]

    def coefficient(w: Array) -> Array:
        return fit_fine_gray(Surv(time, surv.event, weight=w), x, censoring_group=sample.group).coefficient

    fit = fit_fine_gray(Surv(time, surv.event, weight=weight), x, censoring_group=sample.group)
    assume(well_fitted(fit) and abs(fit.coefficient[0]) < 3 and fit.standard_error[0] < 3)
    own = np.zeros((n, 1))
    for i in range(n):
        step = 1e-5 * np.eye(n)[i]
        own[i] = weight[i] * (coefficient(weight + step) - coefficient(weight - step)) / 2e-5
    # psi takes log G by its first-order change, so a censoring in a small risk set leaves a difference.
    assert np.isclose(np.sqrt((own**2).sum()), fit.standard_error[0], rtol=0.15)


@given(samples())
def test_without_other_causes_it_is_a_robust_breslow_cox_model(sample: Sample) -> None:
    one = sample.surv.as_event(sample.surv.is_event)
    fit = fit_fine_gray(one, sample.x)
    cox = fit_cox(one, sample.x, ties="breslow", robust=True)
    assume(well_fitted(fit) and not cox.warnings)
    assert_close(fit.coefficient, cox.coefficient, 1e-9)
    assert np.allclose(fit.covariance, cox.covariance, rtol=1e-7, atol=1e-9)
    assert_close(fit.log_likelihood, cox.log_likelihood, 1e-10)
    assert fit.n_competing == 0


@given(samples(counted=True))
def test_a_counted_weight_is_that_many_rows(sample: Sample) -> None:
    fit = fit_fine_gray(sample.surv, sample.x)
    assume(well_fitted(fit))
    copies, rows = written_out(sample.surv)
    same_fit(fit, fit_fine_gray(copies, sample.x[rows]))


@given(samples(fractional=True))
def test_rows_twice_in_one_cluster_are_one_row(sample: Sample) -> None:
    surv, n = sample.surv, len(sample.surv)
    fit = fit_fine_gray(surv, sample.x, cluster=sample.cluster)
    assume(well_fitted(fit))
    assert surv.weight is not None
    twice = Surv(np.tile(surv.time, 2), np.tile(surv.event, 2), weight=np.tile(surv.weight, 2) / 2)
    same_fit(fit, fit_fine_gray(twice, np.tile(sample.x, (2, 1)), cluster=np.tile(sample.cluster, 2)))
    alone = fit_fine_gray(surv, sample.x)
    same_fit(alone, fit_fine_gray(surv, sample.x, cluster=np.arange(n)))
    scaled = fit_fine_gray(Surv(surv.time, surv.event, weight=surv.weight * 1.37), sample.x)
    assert_close(scaled.coefficient, alone.coefficient, 1e-7)
    assert np.allclose(scaled.covariance, alone.covariance, rtol=1e-6, atol=1e-9)


@given(samples(fractional=True))
def test_neither_order_nor_the_unit_of_time_matter(sample: Sample) -> None:
    fit = fit_fine_gray(sample.surv, sample.x)
    assume(well_fitted(fit))
    order = np.random.default_rng(sample.seed).permutation(len(sample.surv))
    same_fit(fit, fit_fine_gray(sample.surv.subset(order), sample.x[order]))
    surv = sample.surv
    same_fit(fit, fit_fine_gray(Surv(surv.time * 30.4375, surv.event, weight=surv.weight), sample.x))


@given(samples())
def test_one_constant_stratum_or_group_is_none(sample: Sample) -> None:
    fit = fit_fine_gray(sample.surv, sample.x)
    assume(well_fitted(fit))
    one = ["only"] * len(sample.surv)
    same_fit(fit, fit_fine_gray(sample.surv, sample.x, strata=one))
    same_fit(fit, fit_fine_gray(sample.surv, sample.x, censoring_group=one))


@given(samples())
def test_two_equal_strata_double_the_information(sample: Sample) -> None:
    fit = fit_fine_gray(sample.surv, sample.x)
    assume(well_fitted(fit))
    surv, n = sample.surv, len(sample.surv)
    twice = Surv(np.tile(surv.time, 2), np.tile(surv.event, 2))
    label = np.repeat(["a", "b"], n)
    both = fit_fine_gray(twice, np.tile(sample.x, (2, 1)), strata=label, censoring_group=label)
    assert_close(both.coefficient, fit.coefficient, 1e-7)
    assert_close(2 * both.naive_covariance, fit.naive_covariance, 1e-7)
    assert np.allclose(2 * both.covariance, fit.covariance, rtol=1e-6, atol=1e-9)
    assert_close(both.predict([1, 0], stratum="b").incidence, fit.predict([1, 0]).incidence, 1e-7)


@given(samples())
def test_predictions_rise_within_their_bounds(sample: Sample) -> None:
    fit = fit_fine_gray(sample.surv, sample.x)
    assume(well_fitted(fit))
    end = sample.surv.time.max()
    read = fit.predict(sample.x, times=[0.0, *range(1, 11), end, end + 1])
    assert read.incidence.shape == (len(sample.surv), 13)
    known = read.incidence[:, ~read.beyond]
    assert ((known >= 0) & (known <= 1)).all()
    assert (np.diff(known[:, : int(end) + 1], axis=1) >= 0).all()
    assert read.beyond[-1]
    assert not read.beyond[-2]
    assert np.isnan(read.incidence[:, -1]).all()


def test_columns_far_from_zero_lose_no_more_than_their_digits() -> None:
    case = CASES["mgus2"]
    x = np.array(case["x"])
    fit, far = (fit_fine_gray(surv_of(case), columns) for columns in (x, x + 1e7))
    # 1e7 leaves nine digits to the covariates themselves.
    assert_close(far.coefficient, fit.coefficient, 1e-7)
    assert_close(far.standard_error, fit.standard_error, 1e-7)
    assert_close(far.predict(x[:3] + 1e7).incidence, fit.predict(x[:3]).incidence, 1e-7)


def test_aliased_and_constant_columns_are_told_by_name() -> None:
    case = CASES["pbc"]
    x = np.array(case["x"])
    wide = np.column_stack((np.full(len(x), 7.0), x, x[:, 0] - 2 * x[:, 1]))
    names = ["one", *case["names"], "combined"]
    fit, plain = fit_fine_gray(surv_of(case), wide, names=names), fit_fine_gray(surv_of(case), x)
    assert fit.aliased.tolist() == [True, False, False, False, False, True]
    assert ["'one'" in fit.warnings[0], "'combined'" in fit.warnings[1]] == [True, True]
    assert_close(fit.coefficient[1:5], plain.coefficient, 1e-9)
    assert_close(fit.standard_error[1:5], plain.standard_error, 1e-9)
    assert np.isnan(fit.covariance[0]).all()
    assert fit.wald_test.df == 4
    assert_close(fit.predict(wide[:2]).incidence, plain.predict(x[:2]).incidence, 1e-9)


def test_a_group_without_events_of_the_cause_has_an_infinite_coefficient() -> None:
    surv = Surv([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 1, 2, 0, 2, 0])
    fit = fit_fine_gray(surv, [0, 0, 0, 0, 1, 1, 1, 1], names=["arm"])
    assert fit.infinite.tolist() == [True]
    assert "column 'arm' separates" in fit.warnings[0]


def test_no_column_leaves_the_baseline() -> None:
    surv = Surv([1, 2, 3, 4], [1, 2, 0, 1])
    fit = fit_fine_gray(surv, np.empty((4, 0)))
    assert fit.coefficient.shape == (0,)
    # 4 at risk at 1; at 4 one row, and the other-cause row with G(4-) / G(2-) = 1/2.
    assert_close(fit.baseline().cumulative_hazard, [1 / 4, 1 / 4 + 1 / 1.5], 1e-14)
    assert fit.log_likelihood.null == fit.log_likelihood.fitted


def test_a_single_event_fits_without_a_number_that_means_nothing() -> None:
    fit = fit_fine_gray(Surv([1, 2, 3], [2, 1, 0]), [0.0, 1.0, 2.0], names=["dose"])
    assert fit.n_events == 1
    # The event row's covariate lies inside its risk set, so the coefficient is finite.
    assert np.isfinite(fit.coefficient).all()
    alone = fit_fine_gray(Surv([3.0], [1]), [[1.0]], names=["dose"])
    assert np.isnan(alone.coefficient).all()
    assert "'dose'" in alone.warnings[0]


@pytest.mark.parametrize(
    ("surv", "arguments", "sentence"),
    [
        (Surv([], []), {}, "no row"),
        (Surv([1, 2], [2, 3]), {}, "no event of cause 1; the causes that occur are 2, 3"),
        (Surv([1, 2], [0, 0]), {}, "no event of cause 1, nor of any other"),
        (Surv([1, 2], [1, 2], entry=[0, 1]), {}, "delayed entry"),
        (Surv([1, 2], [1, 2]), {"names": ["a", "b"]}, "names"),
        (Surv([1, 2], [1, 2]), {"cluster": [1]}, "cluster"),
        (Surv([1, 2], [1, 2]), {"censoring_group": ["a", None]}, "censoring_group"),
        (Surv([1, 2], [1, 2]), {"strata": [1, np.nan]}, "strata"),
    ],
)
def test_what_cannot_be_fitted_is_refused(surv: Surv, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        fit_fine_gray(surv, np.arange(len(surv), dtype=float), **arguments)


def test_what_cannot_be_predicted_is_refused() -> None:
    surv = Surv([1, 2, 3, 4, 5, 6], [1, 2, 1, 0, 0, 2])
    fit = fit_fine_gray(surv, [1, 2, 0, 1, 2, 3], strata=["a", "a", "a", "a", "b", "b"])
    for arguments, sentence in (
        ({"x": [1]}, "say whose"),
        ({"x": [1], "stratum": "c"}, "no stratum 'c'; it has a, b"),
        ({"x": [1], "stratum": "b"}, "no event of cause 1"),
        ({"x": [1, 2], "stratum": "a"}, "1 columns"),
        ({"x": [np.nan], "stratum": "a"}, "missing"),
        ({"x": ["old"], "stratum": "a"}, "not a number"),
        ({"x": [1], "stratum": "a", "times": [-1]}, "negative"),
    ):
        with pytest.raises(EngineError, match=sentence):
            fit.predict(**arguments)
    with pytest.raises(EngineError, match="level"):
        fit.hazard_ratio(95)
    with pytest.raises(EngineError, match="one person"):
        fit.baseline([[1], [2]])


def test_hazard_ratios_are_the_wald_intervals() -> None:
    case = CASES["crr_help"]
    fit = fit_fine_gray(surv_of(case), case["x"])
    for j, ratio in enumerate(fit.hazard_ratio(0.9)):
        assert_close(np.log(ratio.value), fit.coefficient[j], 1e-12)
        assert_close(np.log(ratio.high / ratio.low) / 2, interval_multiplier(0.9) * fit.standard_error[j], 1e-12)


def test_a_second_library_agrees() -> None:
    rng = np.random.default_rng(1)
    draws = [(rng.permutation(90) + 1.0, rng.integers(0, 3, 90), rng.normal(size=(90, 2))) for _ in range(5)]
    theirs = second_oracle(
        """
answer = []
for one in data:
    rows = other.finegray("Surv(time, factor(state)) ~ .", one, etype="1")
    formula = "Surv(fgstart, fgstop, fgstatus) ~ a + b"
    fit = other.coxph(formula, rows, weights="fgwt", ties="breslow", eps=1e-13, toler_chol=1e-14)
    answer.append(list(fit.coefficients))
""",
        [
            {"time": time.tolist(), "state": event.tolist(), "a": x[:, 0].tolist(), "b": x[:, 1].tolist()}
            for time, event, x in draws
        ],
    )
    for (time, event, x), coefficients in zip(draws, theirs, strict=True):
        assert_close(fit_fine_gray(Surv(time, event), x).coefficient, coefficients, VALUE)
