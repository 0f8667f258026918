"""Data that real studies bring: refused with a sentence, or answered with NaN and a warning that names the column."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from riskset.errors import EngineError
from riskset.survival import (
    EventTable,
    Surv,
    compare_nested,
    fit_cox,
    follow_up,
    kaplan_meier,
    logrank_test,
    rmst_difference,
    survival_difference,
)

GOOD = Surv([1, 2, 3, 4, 5, 6], [1, 0, 1, 1, 0, 1])
AGE = [50.0, 61.0, 47.0, 70.0, 66.0, 58.0]


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (([1, 2], [1]), {}, "event has 1 rows and time has 2"),
        (([1, 2], [1, 0]), {"entry": [0]}, "entry has 1 rows"),
        (([1, 2], [1, 0]), {"weight": [1, 1, 1]}, "weight has 3 rows"),
        (([1, np.nan], [1, 0]), {}, "time holds a missing"),
        (([1, np.inf], [1, 0]), {}, "time holds a missing or infinite"),
        (([1, 2], [1, np.nan]), {}, "event holds a missing"),
        (([1, 2], [1, 0.5]), {}, "event holds something else"),
        (([1, 2], [1, -1]), {}, "event holds something else"),
        (([-1, 2], [1, 0]), {}, "time holds a negative"),
        (([1, 2], [1, 0]), {"entry": [-1, 0]}, "entry holds a negative"),
        (([1, 2], [1, 0]), {"entry": [1, 0]}, "entry must be less than time"),
        (([1, 2], [1, 0]), {"entry": [0, 3]}, "entry must be less than time"),
        (([1, 2], [1, 0]), {"entry": [0, None]}, "entry holds a missing"),
        (([1, 2], [1, 0]), {"weight": [1, 0]}, "not positive"),
        (([1, 2], [1, 0]), {"weight": [1, -2]}, "not positive"),
        ((["a", 2], [1, 0]), {}, "time holds something that is not a number"),
        (([[1], [2]], [1, 0]), {}, "time has 2 dimensions"),
        (([1, 2], [1e300, 0]), {}, "event holds a code beyond"),
        (([1, 2], np.array([2**63, 0], dtype=np.uint64)), {}, "event holds a code beyond"),
        ((np.ma.array([1, 2], mask=[False, True]), [1, 0]), {}, "time holds a missing"),
        (([1, 2], np.ma.array([1, 0], mask=[False, True])), {}, "event holds a missing"),
        (([1, 2], [1, 0]), {"weight": np.ma.array([1, 2], mask=[False, True])}, "weight holds a missing"),
        ((np.array([1 + 1j, 2]), [1, 0]), {}, "time holds something that is not a number"),
        ((np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"), [1, 0]), {}, "time holds something that is not"),
        ((np.array([1, 2], dtype="m8[ns]"), [1, 0]), {}, "time holds something that is not a number"),
        (([0.3, 2], [1, 0]), {"entry": [0.1 + 0.2 - 1e-12, 0]}, "rounding alone"),
    ],
)
def test_impossible_times_are_refused(arguments: Any, options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        Surv(*arguments, **options)


def test_a_surv_cannot_be_changed_behind_a_result() -> None:
    time = np.array([1.0, 2.0])
    surv = Surv(time, [1, 0])
    time[0] = 99.0
    assert surv.time.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        surv.time[0] = 5.0
    with pytest.raises(AttributeError):
        surv.time = time  # type: ignore[misc]


def test_a_subset_keeps_entry_weight_and_cause() -> None:
    surv = Surv([1, 2, 3], [1, 0, 2], entry=[0, 1, 2], weight=[1, 2, 3])
    part = surv.subset([False, True, True])
    assert (part.time.tolist(), part.event.tolist()) == ([2, 3], [0, 2])
    assert part.entry is not None
    assert part.weight is not None
    assert (part.entry.tolist(), part.weight.tolist()) == ([1, 2], [2, 3])
    with pytest.raises(EngineError, match="one flag a row"):
        surv.subset([True])
    for rows, says in (([[0], [1]], "row numbers"), ([0.0], "row numbers"), ([3], "not among the 3"), ([-4], "count")):
        with pytest.raises(EngineError, match=says):
            surv.subset(rows)
    assert len(surv.subset([False] * 3)) == 0


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["a", "b", float("nan"), "a", "b", "b"], "group holds a missing label"),
        (["a", "b", None, "a", "b", "b"], "group holds a missing label"),
        (("a", "b", 1, "a", "b", "b"), "mixes kinds"),
        (np.array([1.0, 2.0, np.nan, 1.0, 2.0, 2.0], dtype=object), "group holds a missing label"),
        (np.array([1.0, 2.0, np.nan, 1.0, 2.0, 2.0]), "group holds a missing label"),
        (np.array(["2020-01-01", "NaT"] * 3, dtype="M8[D]"), "group holds a missing label"),
        (np.ma.array([1, 2, 1, 2, 1, 2], mask=[0, 0, 0, 0, 0, 1]), "group holds a missing label"),
    ],
)
def test_a_missing_label_is_no_group(labels: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        logrank_test(GOOD, labels)
    with pytest.raises(EngineError, match=says.replace("group", "pattern")):
        EventTable.from_arrays(GOOD.time, GOOD.event, pattern=labels)
    table = EventTable.from_arrays(GOOD.time, GOOD.event, pattern=list("abcdef"))
    with pytest.raises(EngineError, match=says):
        logrank_test(table, labels)


def test_a_restricted_mean_reaches_to_a_last_time_that_came_by_another_sum() -> None:
    last = 0.1 + 0.2
    assert last > 0.3
    found = kaplan_meier(Surv([0.1, 0.3], [1, 0])).rmst(last)
    assert np.isclose(found.value, 0.2)


def test_nobody_gives_a_sentence() -> None:
    nobody = Surv([], [])
    for call in (
        lambda: kaplan_meier(nobody),
        lambda: follow_up(nobody),
        lambda: logrank_test(nobody, []),
        lambda: fit_cox(nobody, np.empty((0, 1))),
    ):
        with pytest.raises(EngineError, match="there is no row"):
            call()


def test_one_patient() -> None:
    dead, alive = kaplan_meier(Surv([3], [1])), kaplan_meier(Surv([3], [0]))
    assert (dead.survival.tolist(), dead.median().value) == ([0], 3)
    assert (alive.survival.tolist(), np.isnan(alive.median().value)) == ([1], True)
    assert np.isnan(logrank_test(Surv([3], [1]), ["a"]).p_value)
    fit = fit_cox(Surv([3], [1]), [1.0])
    assert np.isnan(fit.coefficient).all()
    assert "constant" in fit.warnings[0]


def test_no_event() -> None:
    surv = Surv([1, 2, 3], [0, 0, 0])
    curve = kaplan_meier(surv)
    assert curve.survival.tolist() == [1, 1, 1]
    assert (curve.n, curve.n_events) == (3, 0)
    assert curve.rmst(3).value == 3
    assert curve.rmst(3).standard_error == 0
    test = logrank_test(surv, ["a", "b", "a"])
    assert (np.isnan(test.chi_square), test.df, np.isnan(test.p_value)) == (True, 0, True)
    fit = fit_cox(surv, [1.0, 2.0, 3.0], names=["age"])
    assert fit.warnings == ("there is no event, so no coefficient can be estimated",)
    assert np.isnan(fit.hazard_ratio()[0].value)
    assert np.isnan(fit.likelihood_ratio_test.p_value)
    assert not fit.converged
    for call in (fit.baseline, lambda: fit.residuals("score"), fit.proportional_hazards_test):
        with pytest.raises(EngineError, match="no event"):
            call()


def test_a_group_without_events_is_compared_and_one_never_at_risk_is_left_out() -> None:
    surv = Surv([1, 2, 3, 9, 9], [1, 1, 1, 0, 0])
    test = logrank_test(surv, list("aabbb"))
    assert (test.df, test.observed.tolist()) == (1, [2, 1])
    early = logrank_test(Surv([1, 2, 3, 4, 0.5], [1, 1, 1, 1, 0]), list("ababc"))
    assert (early.df, early.expected[2], early.groups) == (1, 0, ("a", "b", "c"))
    assert not np.isnan(early.p_value)


def test_groups_that_never_meet_cannot_be_compared() -> None:
    test = logrank_test(Surv([1, 2, 3, 4], [1, 1, 1, 1], entry=[0, 0, 2, 2]), list("aabb"))
    assert np.isnan(test.p_value)
    strata = logrank_test(Surv([1, 2, 3, 4], [1, 1, 1, 1]), list("aabb"), strata=list("xxyy"))
    assert np.isnan(strata.p_value)


def test_constant_columns_are_named_and_have_no_coefficient() -> None:
    fit = fit_cox(GOOD, np.column_stack((np.full(6, 0.1), AGE)), names=["visceral", "age"])
    assert fit.aliased.tolist() == [True, False]
    assert np.isnan(fit.coefficient[0])
    assert np.isnan(fit.covariance[0]).all()
    assert "'visceral'" in fit.warnings[0]
    assert fit.converged
    assert fit.likelihood_ratio_test.df == 1
    alone = fit_cox(GOOD, np.full(6, 3.0))
    assert np.isnan(alone.wald_test.p_value)
    assert np.isnan(alone.likelihood_ratio_test.p_value)
    assert alone.baseline().cumulative_hazard[-1] > 0


def test_a_column_constant_within_each_stratum_is_aliased() -> None:
    fit = fit_cox(GOOD, [1.0, 1, 1, 2, 2, 2], names=["centre"], strata=list("aaabbb"))
    assert fit.aliased.tolist() == [True]


def test_separation_is_told_by_the_column_that_separates() -> None:
    surv = Surv([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 0, 0, 0])
    liver = [1.0, 1, 1, 1, 0, 0, 0, 0]
    fit = fit_cox(surv, np.column_stack((liver, [1.0, 3, 2, 5, 4, 1, 2, 3])), names=["liver", "age"])
    assert fit.infinite[0]
    assert any("'liver'" in w and "infinite" in w for w in fit.warnings)
    assert fit.coefficient[0] > 10
    assert np.isfinite(fit.log_likelihood.fitted)
    protective = fit_cox(surv, [-1.0 * v for v in liver], names=["none"])
    assert protective.infinite[0]
    assert "'none'" in protective.warnings[0]


def test_a_column_that_orders_all_events_separates_too() -> None:
    fit = fit_cox(Surv(np.arange(1, 9), np.ones(8)), np.arange(8.0)[::-1], names=["rank"])
    assert fit.infinite[0]
    assert "'rank'" in fit.warnings[0]
    assert fit.log_likelihood.fitted > -1e-3


def test_a_group_without_event_separates_whatever_the_ties() -> None:
    surv = Surv([2, 2, 3, 3, 9, 9], [1, 1, 1, 0, 0, 0])
    for ties in ("efron", "breslow"):
        assert fit_cox(surv, [0.0, 0, 0, 0, 1, 1], ties=ties).infinite[0]


def test_columns_of_very_different_size_are_fitted_alike() -> None:
    rng = np.random.default_rng(1)
    n = 300
    x = rng.normal(size=(n, 2))
    surv = Surv(rng.exponential(np.exp(-x[:, 0])), rng.random(n) < 0.7)
    plain, wild = fit_cox(surv, x), fit_cox(surv, x * [1e-9, 1e9] + [0.0, 1e10])
    assert wild.warnings == ()
    assert wild.coefficient * [1e-9, 1e9] == pytest.approx(plain.coefficient, rel=1e-6)
    assert wild.wald_test.chi_square == pytest.approx(plain.wald_test.chi_square, rel=1e-6)


def test_a_far_outlier_does_not_overflow() -> None:
    fit = fit_cox(GOOD, [0.0, 1.0, 0.5, 1e6, 0.2, 0.1])
    assert np.isfinite(fit.log_likelihood.fitted)


def test_a_null_model_is_the_smaller_one_of_a_likelihood_ratio_test() -> None:
    null, full = fit_cox(GOOD, np.empty((6, 0))), fit_cox(GOOD, AGE)
    assert null.log_likelihood.null == null.log_likelihood.fitted == full.log_likelihood.null
    assert np.isnan(null.wald_test.p_value)
    assert compare_nested(null, full).chi_square == pytest.approx(full.likelihood_ratio_test.chi_square)
    assert compare_nested(null, full).p_value == pytest.approx(full.likelihood_ratio_test.p_value)
    with pytest.raises(EngineError, match="different rows"):
        compare_nested(null, fit_cox(GOOD.subset([True] * 5 + [False]), AGE[:5]))
    assert null.residuals("martingale").sum() == pytest.approx(0)


def test_testing_a_set_of_columns() -> None:
    fit = fit_cox(GOOD, np.column_stack((AGE, [0.0, 1, 1, 0, 1, 0])), names=["age", "liver"])
    assert fit.test_columns(["age", "liver"]).chi_square == pytest.approx(fit.wald_test.chi_square)
    assert fit.test_columns(["liver"]).chi_square == pytest.approx(float(fit.z[1] ** 2))
    with pytest.raises(EngineError, match="did you mean 'liver'"):
        fit.test_columns(["livr"])


@pytest.mark.parametrize(
    ("x", "options", "says"),
    [
        (AGE[:5], {}, "x has shape"),
        ([[[1.0]]] * 6, {}, "x has shape"),
        ([1.0, 2, 3, 4, 5, np.nan], {"names": ["age"]}, "column 'age' holds a missing"),
        (["low", "zero"] * 3, {}, "dummy columns"),
        (AGE, {"names": ["a", "b"]}, "1 different names"),
        (np.ones((6, 2)), {"names": ["a", "a"]}, "2 different names"),
        (AGE, {"ties": "exacter"}, "ties 'exacter' is unknown"),
        (AGE, {"strata": ["a"] * 5}, "strata has shape"),
        (AGE, {"strata": ["a"] * 5 + [None]}, "strata holds a missing label"),
        (AGE, {"cluster": [1.0, 2, 3, 4, 5, np.nan]}, "cluster holds a missing label"),
        (AGE, {"cluster": [1, 1, 2, 2, 3, 3], "robust": False}, "robust variance"),
    ],
)
def test_impossible_models_are_refused(x: Any, options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        fit_cox(GOOD, x, **options)


def test_impossible_questions_are_refused() -> None:
    curve, fit = kaplan_meier(GOOD), fit_cox(GOOD, AGE, names=["age"])
    for call, says in (
        (lambda: kaplan_meier(GOOD, conf_type="probit"), "conf_type 'probit'"),  # type: ignore[arg-type]
        (lambda: kaplan_meier(GOOD, conf_level=95), "0.95"),
        (lambda: curve.quantile(1.0), "between 0 and 1"),
        (lambda: curve.at([-1]), "negative"),
        (lambda: curve.at([np.nan]), "missing"),
        (lambda: curve.rmst(0), "greater than 0"),
        (lambda: logrank_test(GOOD, list("aab")), "group has shape"),
        (lambda: logrank_test(GOOD, list("aabbcc"), rho=-1), "negative"),
        (lambda: logrank_test(GOOD, np.array(["a", 1, "a", 1, "b", 2], dtype=object)), "mixes kinds"),
        (lambda: logrank_test(Surv([1, 2], [1, 1], weight=[0.5, 1]), [0, 1]), "robust=True"),
        (lambda: fit.residuals("martingal"), "did you mean 'martingale'"),  # type: ignore[arg-type]
        (lambda: fit.proportional_hazards_test("square"), "transform 'square'"),  # type: ignore[arg-type]
        (lambda: fit.proportional_hazards_test(terms={"t": ["agee"]}), "did you mean 'age'"),
        (lambda: fit.proportional_hazards_test(terms={"t": ["age"], "u": ["age"]}), "two terms"),
        (lambda: fit_cox(Surv([0, 1, 2], [1, 1, 0]), [1, 2, 1]).proportional_hazards_test("log"), "time 0"),
        (lambda: fit.hazard_ratio(95), "0.95"),
        (lambda: fit.baseline([1.0, 2.0]), "1 covariate values"),
    ):
        with pytest.raises(EngineError, match=says):
            call()


def test_one_event_leaves_nothing_to_test_over_time() -> None:
    fit = fit_cox(Surv([1, 2, 3, 4], [0, 1, 0, 0]), [1.0, 2.0, 1.5, 3.0])
    test = fit.proportional_hazards_test()
    assert np.isnan(test.global_p_value)
    assert np.isnan(test.p_value).all()


def test_fractional_weights_make_the_variance_robust_as_in_r() -> None:
    weighted = Surv(GOOD.time, GOOD.event, weight=[0.5, 1.5, 1, 1, 2, 0.7])
    assert fit_cox(weighted, AGE).robust
    assert not fit_cox(weighted, AGE, robust=False).robust
    assert not fit_cox(GOOD, AGE).robust
    assert fit_cox(GOOD, AGE, cluster=[1, 1, 2, 2, 3, 3]).robust


def test_fewer_clusters_than_columns_have_no_wald_test() -> None:
    x = np.column_stack((AGE, [0.0, 1, 1, 0, 1, 0]))
    fit = fit_cox(GOOD, x, cluster=[1] * 3 + [1] * 3)
    assert np.isnan(fit.wald_test.p_value)


def test_differences_beyond_follow_up_are_missing() -> None:
    short, long = kaplan_meier(Surv([1, 2], [1, 0])), kaplan_meier(Surv([1, 9], [1, 0]))
    for difference in (survival_difference(short, long, 5), rmst_difference(short, long, 5)):
        assert np.isnan([difference.estimate.value, difference.z, difference.p_value]).all()
    inside = survival_difference(short, long, 1)
    assert (inside.estimate.value, inside.p_value) == (0, 1)


def test_importing_the_engine_loads_numpy_alone() -> None:
    code = (
        "import sys, riskset.survival; "
        "print([m for m in ('scipy', 'polars', 'pandas', 'numba', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
