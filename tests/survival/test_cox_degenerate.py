"""Data that a Cox model cannot make sense of: refused with a sentence, or NaN with a warning that names the column."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from riskset.errors import EngineError
from riskset.survival import (
    EventTable,
    Surv,
    compare_nested,
    concordance,
    fit_cox,
    fit_cox_frailty,
    uno_concordance,
)
from riskset.survival.kernels import kernel_mode

from .helpers import assert_close, reference, surv_of

RNG = np.random.default_rng(17)
N = 120
X = np.column_stack((RNG.normal(60, 9, N), RNG.integers(0, 2, N), RNG.normal(size=N)))
TIME = np.ceil(RNG.exponential(20 / np.exp(0.04 * (X[:, 0] - 60) + 0.5 * X[:, 1])))
EVENT = RNG.random(N) < 0.7
SURV = Surv(TIME, EVENT)
TIES = ("efron", "breslow", "exact")


@pytest.mark.parametrize("ties", TIES)
def test_no_column(ties: Any) -> None:
    fit = fit_cox(SURV, np.empty((N, 0)), ties=ties)
    assert fit.coefficient.shape == (0,)
    assert fit.covariance.shape == (0, 0)
    assert fit.log_likelihood.null == fit.log_likelihood.fitted
    assert (fit.warnings, fit.converged, fit.hazard_ratio()) == ((), True, ())
    assert np.isnan([fit.likelihood_ratio_test.p_value, fit.wald_test.p_value, fit.score_test.p_value]).all()
    assert fit.residuals("martingale").sum() == pytest.approx(0, abs=1e-9)
    assert fit.linear_predictor().tolist() == [0.0] * N
    assert fit.concordance().value == 0.5
    shifted = fit_cox(SURV, np.empty((N, 0)), ties=ties, offset=0.03 * X[:, 0])
    assert shifted.log_likelihood.fitted > fit.log_likelihood.fitted
    assert shifted.concordance().value > 0.5


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("far", [1e4, 1e7, -1e7])
def test_a_large_constant_in_every_column(ties: Any, far: float) -> None:
    plain, moved = fit_cox(SURV, X, ties=ties), fit_cox(SURV, X + far, ties=ties)
    assert moved.warnings == ()
    # A number of size 1e7 has lost seven digits before it comes here.
    assert_close(moved.coefficient, plain.coefficient, 1e-7)
    assert_close(moved.covariance, plain.covariance, 1e-7)
    assert_close(moved.log_likelihood, plain.log_likelihood, 1e-10)
    assert_close(moved.concordance().value, plain.concordance().value, 1e-12)


def test_a_column_that_differs_from_another_by_rounding_alone_is_aliased() -> None:
    again = X[:, 0] * (1 + 1e-15)
    for far in (0.0, 1e7):
        fit = fit_cox(SURV, np.column_stack((X, again)) + far, names=["age", "liver", "marker", "age_again"])
        assert fit.aliased.tolist() == [False, False, False, True]
        assert "'age_again'" in fit.warnings[0]
        assert np.isnan(fit.coefficient[3])


def test_a_column_close_to_another_is_estimated_to_the_digits_that_it_has() -> None:
    near = X[:, 0] + 1e-3 * X[:, 2]
    fit = fit_cox(SURV, np.column_stack((X[:, :2], near)) + 1e4, names=["age", "liver", "near"])
    assert fit.warnings == ()
    # The same model in columns that are far apart: near = age + marker / 1000.
    apart = fit_cox(SURV, X)
    assert fit.coefficient[2] / 1e3 == pytest.approx(apart.coefficient[2], rel=1e-5)
    assert fit.log_likelihood.fitted == pytest.approx(apart.log_likelihood.fitted, rel=1e-9)


def test_a_sum_of_dummies_is_aliased_and_named() -> None:
    stage = RNG.integers(0, 3, N)
    dummies = np.column_stack([stage == s for s in range(3)])
    fit = fit_cox(SURV, dummies, names=["I", "II", "III"])
    assert fit.aliased.tolist() == [False, False, True]
    assert fit.warnings == (
        "column 'III' is constant or a combination of the columns before it; it has no coefficient",
    )


@pytest.mark.parametrize("ties", TIES)
def test_a_column_that_separates_the_events_is_named_whatever_the_ties(ties: Any) -> None:
    x = np.column_stack((X[:, 0], EVENT.astype(float)))
    fit = fit_cox(SURV, x, names=["age", "died"], ties=ties)
    assert fit.infinite.tolist() == [False, True]
    assert any("'died'" in told for told in fit.warnings)
    assert np.isfinite(fit.log_likelihood.fitted)


@pytest.mark.parametrize("ties", TIES)
def test_one_patient_and_one_event(ties: Any) -> None:
    alone = fit_cox(Surv([3], [1]), [[1.0, 2.0]], names=["a", "b"], ties=ties)
    assert np.isnan(alone.coefficient).all()
    assert [name in " ".join(alone.warnings) for name in ("'a'", "'b'")] == [True, True]
    assert np.isnan(alone.concordance().value)
    assert alone.predict_survival([1.0, 2.0]).survival.tolist() == [[pytest.approx(np.exp(-1.0))]]
    single = fit_cox(Surv([1, 2, 3, 4], [0, 1, 0, 0]), [1.0, 2.0, 1.5, 3.0], ties=ties)
    assert single.n_events == 1


@pytest.mark.parametrize("ties", TIES)
def test_all_events_at_one_time(ties: Any) -> None:
    fit = fit_cox(Surv(np.ones(N), EVENT), X[:, [0, 2]], ties=ties)
    assert fit.converged
    assert np.isfinite(fit.coefficient).all()
    assert fit.baseline().time.tolist() == [1.0]


@pytest.mark.parametrize("ties", TIES)
def test_events_of_all_at_one_time_tell_nothing_by_exact_ties_alone(ties: Any) -> None:
    fit = fit_cox(Surv(np.ones(6), np.ones(6)), [1.0, 2, 3, 4, 5, 7], names=["age"], ties=ties)
    # If all have the event, which of them has it is no question: the exact likelihood is 1 whatever beta.
    assert bool(fit.aliased[0]) == (ties == "exact")
    if ties == "exact":
        assert fit.log_likelihood.fitted == pytest.approx(0, abs=1e-12)
        assert "'age'" in fit.warnings[0]


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.array([["a"]] * N, dtype=object), "not a number"),
        (np.array([[None]] * N, dtype=object), "column 'age' holds a missing"),
        (np.array([[1.0]] * (N - 1) + [["x"]], dtype=object), "not a number"),
        (np.where(np.arange(N) == 5, np.inf, X[:, 0]), "column 'age' holds a missing or infinite"),
    ],
)
def test_columns_that_are_no_numbers_are_refused(x: Any, says: str) -> None:
    for call in (
        lambda: fit_cox(SURV, x, names=["age"]),
        lambda: fit_cox(SURV, x, names=["age"], ridge=1.0),
        lambda: fit_cox(SURV, x, names=["age"], ties="exact"),
        lambda: fit_cox_frailty(SURV, x, np.arange(N) % 4, names=["age"]),
    ):
        with pytest.raises(EngineError, match=says):
            call()


def test_objects_that_are_numbers_are_numbers() -> None:
    objects = fit_cox(SURV, X.astype(object), strata=np.array([f"c{i % 3}" for i in range(N)], dtype=object))
    plain = fit_cox(SURV, X, strata=np.arange(N) % 3)
    assert np.array_equal(objects.coefficient, plain.coefficient)
    flags = fit_cox(SURV, X[:, 1].astype(bool))
    assert np.array_equal(flags.coefficient, fit_cox(SURV, X[:, 1]).coefficient)


def test_what_needs_rows_refuses_a_table() -> None:
    table: Any = EventTable.from_arrays(TIME, EVENT, pattern=X[:, 1].astype(int))
    for call in (
        lambda: concordance(table, [0.0, 1.0]),
        lambda: uno_concordance(table, [0.0, 1.0]),
        lambda: fit_cox_frailty(table, [0.0, 1.0], ["a", "b"]),
        lambda: fit_cox(table, [0.0, 1.0]).concordance(),
        lambda: fit_cox(table, [0.0, 1.0]).predict_survival([1.0]),
    ):
        with pytest.raises(EngineError, match="row"):
            call()


def test_kernels_give_the_numbers_of_numpy_under_offset_and_ridge() -> None:
    for name in ("lung", "tied_fraction", "tied_count", "heart", "colon"):
        case = reference("cases")[name]
        surv, x = surv_of(case), np.array(case["x"])
        offset = np.arange(len(surv)) % 7 / 10
        for options in ({"offset": offset}, {"ridge": 2.0}, {"ridge": 1.0, "offset": offset, "strata": case["strata"]}):
            with kernel_mode("never"):
                slow = fit_cox(surv, x, **options)  # type: ignore[arg-type]
            with kernel_mode("always"):
                fast = fit_cox(surv, x, **options)  # type: ignore[arg-type]
            first = None if options.get("strata") is None else np.array(case["strata"])[:2]
            curves = [fit.predict_survival(x[:2], strata=first).cumulative_hazard_error for fit in (slow, fast)]
            assert fast.warnings == slow.warnings
            assert_close(fast.coefficient, slow.coefficient, 1e-10, name)
            assert_close(fast.covariance, slow.covariance, 1e-10, name)
            assert_close(fast.log_likelihood, slow.log_likelihood, 1e-12, name)
            assert_close(curves[1], curves[0], 1e-9, name)


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("n_strata", [3, 60])
def test_strata_whose_hazards_lie_far_apart_do_not_disturb_each_other(mode: Any, n_strata: int) -> None:
    # The same amount added to the predictor of a whole stratum cancels from the partial likelihood.
    strata = np.arange(N) * 7 % n_strata
    for far in (20.0, -20.0, 60.0):
        with kernel_mode(mode):
            near, away = (
                fit_cox(SURV, X, strata=strata, cluster=np.arange(N) // 2, offset=gap * (strata % 3 == 1))
                for gap in (0.0, far)
            )
        assert away.warnings == near.warnings == ()
        assert_close(away.coefficient, near.coefficient, 1e-10)
        assert_close(away.covariance, near.covariance, 1e-10)
        gains = [fit.log_likelihood.fitted - fit.log_likelihood.null for fit in (near, away)]
        assert_close(gains[1], gains[0], 1e-9)
        assert_close(away.residuals("martingale"), near.residuals("martingale"), 1e-9)
        assert_close(away.residuals("dfbeta"), near.residuals("dfbeta"), 1e-9)
        tests = [fit.proportional_hazards_test().chi_square for fit in (near, away)]
        assert_close(tests[1], tests[0], 1e-9)
        base = [fit.baseline(at=X.mean(axis=0)) for fit in (near, away)]
        level = np.exp(np.where(base[0].stratum % 3 == 1, far, 0.0))
        assert_close(base[1].cumulative_hazard * level, base[0].cumulative_hazard, 1e-9)
        assert_close(base[1].standard_error * level, base[0].standard_error, 1e-9)


def test_strata_of_a_table_whose_hazards_lie_far_apart() -> None:
    # A pattern of its own in each stratum, so that an offset by pattern is one by stratum.
    strata, marker = np.arange(N) % 3, np.arange(N) // 5 % 4
    table = EventTable.from_arrays(TIME, EVENT, pattern=np.column_stack((strata, marker)), stratum=strata)
    stratum, x = table.patterns.T
    near, away = (fit_cox(table, x, strata=table.strata, offset=gap * (stratum == 1)) for gap in (0.0, 40.0))
    assert_close(away.coefficient, near.coefficient, 1e-10)
    assert_close(away.covariance, near.covariance, 1e-10)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.ma.masked_array(X[:, 0], mask=np.arange(N) == 3), "masked"),
        (X[:, 0] + 1j, "not a number"),
        (np.datetime64("2020-01-01") + np.arange(N), "not a number"),
    ],
)
def test_masked_complex_and_dated_covariates_are_refused(x: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        fit_cox(SURV, x)
    with pytest.raises(EngineError, match=says):
        fit_cox(SURV, X[:, 0]).predict_survival(x)


def test_a_baseline_at_what_is_no_number_is_refused() -> None:
    fit = fit_cox(SURV, X[:, :2])
    for at in ([60.0, float("nan")], ["sixty", 1]):
        with pytest.raises(EngineError, match="at holds"):
            fit.baseline(at=at)


def test_likelihood_ratios_of_robust_or_unnested_fits_are_refused() -> None:
    patients = np.arange(N) // 2
    with pytest.raises(EngineError, match="test_columns"):
        compare_nested(fit_cox(SURV, X[:, :1], cluster=patients), fit_cox(SURV, X, cluster=patients))
    noise = np.random.default_rng(3).normal(size=(N, 2))
    with pytest.raises(EngineError, match="not nested"):
        compare_nested(fit_cox(SURV, X[:, 0]), fit_cox(SURV, noise))
    same = compare_nested(fit_cox(SURV, X[:, 0]), fit_cox(SURV, X[:, [0, 1]]))
    assert same.chi_square > 0
    assert same.df == 1


def test_text_digits_and_dates_are_no_covariates() -> None:
    surv = Surv([1, 2, 3, 4], [1, 1, 0, 1])
    for x in (["0", "1", "2", "1"], np.array(["0", 1, 2, 1], dtype=object), np.array([dt.date(2020, 1, 1)] * 4)):
        with pytest.raises(EngineError, match="dummy columns"):
            fit_cox(surv, x)
    with pytest.raises(EngineError, match="missing"):
        fit_cox(surv, np.array([None, 1, 2, 1], dtype=object))


def test_too_few_clusters_for_a_robust_variance_are_told() -> None:
    surv = Surv([1, 2, 3, 4, 5, 6, 7], [1, 1, 0, 1, 1, 1, 1])
    x = [[0, 3.0], [1, 1.0], [0, 4.0], [1, 1.0], [1, 5.0], [0, 9.0], [1, 2.0]]
    one = fit_cox(surv, x, cluster=["a"] * 7)
    assert "1 cluster(s) are too few" in one.warnings[0]
    assert np.isnan(one.standard_error).all()
    assert np.isfinite(one.coefficient).all()
    assert "2 cluster(s)" in fit_cox(surv, x, cluster=list("aabbaab")).warnings[0]
    assert fit_cox(surv, x, cluster=list("aabbcca")).warnings == ()


def test_an_offset_beyond_finite_hazards_is_refused() -> None:
    surv = Surv([1, 2, 3, 4], [1, 1, 0, 1])
    with pytest.raises(EngineError, match="offset spans"):
        fit_cox(surv, [0, 1, 0, 1], offset=[800, 0, 0, 0])
