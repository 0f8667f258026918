"""What must hold on any data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.survival import CoxFit, Surv, fit_cox, follow_up, kaplan_meier, logrank_test

from .helpers import assert_close

Array = NDArray[np.float64]


class Sample(NamedTuple):
    surv: Surv
    group: Array
    x: Array
    seed: int


@st.composite
def samples(draw: st.DrawFn, *, delayed: bool = False, counted: bool = False) -> Sample:
    """Draw a small tied sample with at least one event, two groups and one covariate beside."""
    n = draw(st.integers(6, 30))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))  # noqa: E731
    time, event, group = numbers(1, 12), numbers(0, 1), numbers(0, 1)
    assume(event.any() and group.any() and not group.all())
    entry = np.minimum(numbers(0, 6), time - 1) if delayed else None
    weight = numbers(1, 3) if counted else None
    covariate = numbers(-5, 5) / 2.0
    surv = Surv(time, event, entry=entry, weight=weight)
    return Sample(surv, group, np.column_stack((group, covariate)), draw(st.integers(0, 2**16)))


def well_fitted(fit: CoxFit) -> bool:
    size = np.abs(fit.coefficient)
    # Coefficients that are all 0 but for rounding cannot be compared relatively: 1e-16 is as right as -1e-16.
    return not fit.warnings and bool((size < 6).all()) and bool(size.max() > 1e-6)


def same_fit(a: CoxFit, b: CoxFit, tolerance: float = 1e-7) -> None:
    assert_close(a.coefficient, b.coefficient, tolerance, "coefficient")
    assert_close(a.covariance, b.covariance, tolerance, "covariance")
    assert_close(a.log_likelihood, b.log_likelihood, tolerance, "log-likelihood")


@given(samples(delayed=True, counted=True))
def test_curves_keep_their_bounds(sample: Sample) -> None:
    for conf_type in ("log-log", "log", "plain"):
        curve = kaplan_meier(sample.surv, conf_type=conf_type)
        assert ((curve.survival >= 0) & (curve.survival <= 1)).all()
        assert (np.diff(curve.survival) <= 0).all()
        assert (curve.events + curve.censored <= curve.at_risk).all()
        known = ~np.isnan(curve.low)
        assert (curve.low[known] >= 0).all()
        assert (curve.low[known] <= curve.survival[known] + 1e-12).all()
        assert (curve.survival[known] <= curve.high[known] + 1e-12).all()
        assert (curve.high[known] <= 1).all()


@given(samples(delayed=True, counted=True))
def test_the_order_of_the_rows_means_nothing(sample: Sample) -> None:
    order = np.random.default_rng(sample.seed).permutation(len(sample.surv))
    mixed, group, x = sample.surv.subset(order), sample.group[order], sample.x[order]
    a, b = kaplan_meier(sample.surv), kaplan_meier(mixed)
    for name in ("time", "at_risk", "survival", "standard_error", "low", "high"):
        assert_close(getattr(a, name), getattr(b, name), 1e-12, name)
    assert_close(
        logrank_test(sample.surv, sample.group).variance, logrank_test(mixed, group).variance, 1e-12, "variance"
    )
    fit = fit_cox(sample.surv, sample.x)
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(mixed, x))
    assert_close(fit.residuals("score")[order], fit_cox(mixed, x).residuals("score"), 1e-6, "score residuals")


@given(samples(delayed=True, counted=True))
def test_one_constant_stratum_is_no_stratum(sample: Sample) -> None:
    one = ["only"] * len(sample.surv)
    plain, stratified = (logrank_test(sample.surv, sample.group, strata=s) for s in (None, one))
    assert_close(plain.observed, stratified.observed, 1e-12)
    assert_close(plain.variance, stratified.variance, 1e-12)
    fit = fit_cox(sample.surv, sample.x)
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(sample.surv, sample.x, strata=one))


@given(samples(delayed=True, counted=True))
def test_a_counted_weight_is_that_many_rows(sample: Sample) -> None:
    surv = sample.surv
    assert surv.weight is not None
    assert surv.entry is not None
    times = surv.weight.astype(int)
    rows = np.repeat(np.arange(len(surv)), times)
    copies = Surv(surv.time[rows], surv.event[rows], entry=surv.entry[rows])
    a, b = kaplan_meier(surv), kaplan_meier(copies)
    for name in ("at_risk", "events", "censored", "survival", "standard_error", "low", "high"):
        assert_close(getattr(a, name), getattr(b, name), 1e-9, name)
    assert_close(
        logrank_test(surv, sample.group).variance, logrank_test(copies, sample.group[rows]).variance, 1e-9, "variance"
    )
    fit = fit_cox(surv, sample.x, ties="breslow")
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(copies, sample.x[rows], ties="breslow"))


@given(samples(counted=True))
def test_cutting_rows_in_two_changes_nothing(sample: Sample) -> None:
    surv, cut = sample.surv, 5.0
    assert surv.weight is not None
    later = np.flatnonzero(surv.time > cut)
    rows = np.concatenate((np.arange(len(surv)), later))
    time = np.concatenate((np.minimum(surv.time, cut), surv.time[later]))
    event = np.concatenate((np.where(surv.time > cut, 0, surv.event), surv.event[later]))
    entry = np.concatenate((np.zeros(len(surv)), np.full(later.size, cut)))
    pieces = Surv(time, event, entry=entry, weight=surv.weight[rows])
    whole, split = kaplan_meier(surv), kaplan_meier(pieces)
    asked = whole.time[whole.events > 0]
    assert_close(whole.at(asked).survival, split.at(asked).survival, 1e-12, "survival")
    assert_close(whole.at(asked).at_risk, split.at(asked).at_risk, 1e-12, "at risk")
    a, b = logrank_test(surv, sample.group), logrank_test(pieces, sample.group[rows])
    assert_close(a.variance, b.variance, 1e-12, "variance")
    person = np.arange(len(surv))
    fit = fit_cox(surv, sample.x, cluster=person)
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(pieces, sample.x[rows], cluster=rows))


@given(samples())
def test_relabelled_groups_give_relabelled_results(sample: Sample) -> None:
    names = np.array(["zero", "low"])
    coded, named = logrank_test(sample.surv, sample.group), logrank_test(sample.surv, names[sample.group])
    assert named.groups == ("low", "zero")
    assert_close(coded.observed[::-1], named.observed, 1e-12)
    assert_close(coded.chi_square, named.chi_square, 1e-9)


@given(samples(delayed=True), st.integers(1, 500))
def test_a_later_time_zero_moves_the_median_with_it(sample: Sample, days: int) -> None:
    surv = sample.surv
    assert surv.entry is not None
    moved = Surv(surv.time + days, surv.event, entry=surv.entry + days)
    a, b = kaplan_meier(surv), kaplan_meier(moved)
    assert_close(a.survival, b.survival, 0.0)
    assert_close(np.array([a.median().value]) + days, [b.median().value], 1e-12)
    fit = fit_cox(surv, sample.x)
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(moved, sample.x), 0.0)


@given(samples())
def test_only_the_order_of_the_times_matters_to_a_cox_model(sample: Sample) -> None:
    fit = fit_cox(sample.surv, sample.x)
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(Surv(np.exp(sample.surv.time / 3), sample.surv.event), sample.x), 0.0)


@given(samples(delayed=True), st.floats(0.01, 1000), st.floats(-1e4, 1e4))
def test_units_of_a_covariate_scale_its_coefficient(sample: Sample, unit: float, origin: float) -> None:
    fit = fit_cox(sample.surv, sample.x)
    assume(well_fitted(fit))
    other = fit_cox(sample.surv, sample.x * [1, unit] + [0, origin])
    assert_close(other.coefficient * [1, unit], fit.coefficient, 1e-6)
    assert_close(other.z, fit.z, 1e-6)


@given(samples(delayed=True, counted=True))
def test_residuals_add_up_to_nothing(sample: Sample) -> None:
    fit = fit_cox(sample.surv, sample.x)
    assume(well_fitted(fit))
    weight = sample.surv.weight_or_one
    assert abs(weight @ fit.residuals("martingale")) < 1e-8
    assert np.abs(weight @ fit.residuals("score")).max() < 1e-7


@given(samples(delayed=True))
def test_an_aliased_column_changes_nothing_else(sample: Sample) -> None:
    fit = fit_cox(sample.surv, sample.x)
    assume(well_fitted(fit))
    wide = np.column_stack((np.full(len(sample.surv), 7.0), sample.x, sample.x @ [2.0, -3.0] + 1.0))
    more = fit_cox(sample.surv, wide, names=["one", "a", "b", "combined"])
    assert more.aliased.tolist() == [True, False, False, True]
    assert np.isnan(more.coefficient[[0, 3]]).all()
    assert_close(more.coefficient[1:3], fit.coefficient, 1e-9)
    assert_close(more.standard_error[1:3], fit.standard_error, 1e-9)
    assert more.wald_test.df == 2
    assert ["'one'" in more.warnings[0], "'combined'" in more.warnings[1]] == [True, True]
    assert more.proportional_hazards_test("identity").terms == ("a", "b")


@given(samples())
def test_without_ties_all_tests_of_two_groups_are_one(sample: Sample) -> None:
    n = len(sample.surv)
    untied = Surv(np.random.default_rng(sample.seed).permutation(n) + 1, sample.surv.event)
    test = logrank_test(untied, sample.group)
    assume(not np.isnan(test.chi_square))
    efron, breslow = (fit_cox(untied, sample.group, ties=ties) for ties in ("efron", "breslow"))
    assert_close(efron.score_test.chi_square, test.chi_square, 1e-9)
    assert_close(breslow.score_test.chi_square, test.chi_square, 1e-9)
    assume(well_fitted(efron))
    same_fit(efron, breslow, 1e-12)


@given(samples())
def test_follow_up_of_follow_up_is_the_curve(sample: Sample) -> None:
    surv = sample.surv
    assert_close(follow_up(surv.as_event(~surv.is_event)).survival, kaplan_meier(surv).survival, 0.0)


@given(samples(delayed=True))
def test_each_row_its_own_cluster_is_the_robust_variance(sample: Sample) -> None:
    a = fit_cox(sample.surv, sample.x, robust=True)
    assume(well_fitted(a))
    b = fit_cox(sample.surv, sample.x, cluster=[f"row {i}" for i in range(len(sample.surv))])
    assert_close(a.covariance, b.covariance, 1e-12)
    dfbeta = a.residuals("dfbeta")
    assert_close(dfbeta.T @ dfbeta, a.covariance, 1e-9)


@given(samples(delayed=True, counted=True))
def test_the_restricted_mean_is_the_area_under_the_curve(sample: Sample) -> None:
    curve = kaplan_meier(sample.surv)
    tau = float(curve.time[-1])
    grid = (np.arange(20_000) + 0.5) * tau / 20_000
    assert abs(curve.rmst(tau).value - curve.at(grid).survival.mean() * tau) < 1e-2


@given(samples(delayed=True))
def test_fractional_weights_of_one_size_give_the_jackknife(sample: Sample) -> None:
    """Half of each row changes neither the curve nor a variance that does not mistake weights for counts."""
    surv = sample.surv
    ones = kaplan_meier(surv)
    scaled = [
        kaplan_meier(Surv(surv.time, surv.event, entry=surv.entry, weight=np.full(len(surv), w))) for w in (0.5, 1.5)
    ]
    for curve in scaled:
        assert_close(curve.survival, ones.survival, 1e-12)
    assert_close(scaled[0].standard_error, scaled[1].standard_error, 1e-9)
    tau = float(ones.time[-1])
    assert_close(scaled[0].rmst(tau).standard_error, scaled[1].rmst(tau).standard_error, 1e-9)
