"""Offsets, ridge penalties and exact ties of the Cox model against R, and against every subset counted one by one."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import CoxFit, Surv, compare_nested, fit_cox
from riskset.survival.kernels import kernel_mode

from .helpers import VALUE, assert_close, reference, surv_of

# P values of the test of proportional hazards lose digits where the offset spreads the risks: the tolerance.
PH = 1e-7


def _cases(kind: str) -> list[Any]:
    table = reference("cox_options")[kind]
    return [
        pytest.param(name, model, id=f"{name}-{i}") for name, models in table.items() for i, model in enumerate(models)
    ]


def data(name: str) -> dict[str, Any]:
    own: dict[str, Any] = reference("cox_options")["data"]
    return own[name] if name in own else reference("cases")[name]


def made_offset(n: int) -> NDArray[np.float64]:
    """Make the offset that the R script makes."""
    return (np.arange(1, n + 1) * 7 % 11) / 10


def check_digest(rows: NDArray[np.float64], expected: dict[str, Any], kind: str) -> None:
    table = rows[:, None] if rows.ndim == 1 else rows
    assert len(table) == expected["rows"]
    assert_close(table[np.array(expected["places"])], expected["at"], VALUE, kind)
    squares = (table**2).sum(axis=0)
    assert_close(squares, expected["squares"], VALUE, f"squares of {kind}")
    size = np.sqrt(squares * len(table))
    assert (np.abs(table.sum(axis=0) - expected["sums"]) <= VALUE * size).all(), f"sums of {kind}"


def with_offset(name: str, model: dict[str, Any]) -> CoxFit:
    case = data(name)
    strata = case["strata"] if model["stratified"] else None
    offset = made_offset(len(case["time"]))
    return fit_cox(surv_of(case), case["x"], strata=strata, ties=model["ties"], robust=model["robust"], offset=offset)


@pytest.mark.parametrize(("name", "theirs"), _cases("offset"))
def test_offset_against_r(name: str, theirs: dict[str, Any]) -> None:
    ours = with_offset(name, theirs)
    assert_close(ours.coefficient, theirs["coefficient"], VALUE, "coefficient")
    assert_close(ours.covariance, theirs["covariance"], VALUE, "covariance")
    assert_close(ours.log_likelihood, theirs["log_likelihood"], VALUE, "log-likelihood")
    assert_close(ours.score_test.chi_square, theirs["score_test"], VALUE, "score test")
    for kind, expected in theirs["residuals"].items():
        check_digest(ours.residuals(kind), expected, kind)


@pytest.mark.parametrize(("name", "theirs"), _cases("offset"))
def test_proportional_hazards_with_offset_strata_entry_and_weights(name: str, theirs: dict[str, Any]) -> None:
    ours = with_offset(name, theirs)
    for expected in theirs["ph"]:
        test = ours.proportional_hazards_test(expected["transform"])
        table = np.array(expected["table"])
        assert_close(np.append(test.chi_square, test.global_chi_square), table[:, 0], PH, expected["transform"])
        assert_close(np.append(test.p_value, test.global_p_value), table[:, 2], PH, expected["transform"])


@pytest.mark.parametrize(("name", "theirs"), _cases("offset"))
def test_baseline_is_that_of_offset_zero(name: str, theirs: dict[str, Any]) -> None:
    ours, expected = with_offset(name, theirs).baseline(), theirs["baseline"]
    places = np.array(expected["places"])
    assert ours.time.shape == (expected["rows"],)
    assert_close(ours.time[places], expected["time"], VALUE, "time")
    assert_close(ours.cumulative_hazard[places], expected["hazard"], VALUE, "cumulative hazard")
    assert_close(ours.standard_error[places], expected["error"], VALUE, "its standard error")
    assert_close(ours.cumulative_hazard.sum(), expected["sum"], VALUE, "sum of the hazards")


def test_an_offset_is_a_column_with_coefficient_one() -> None:
    case = data("lung")
    surv, x = surv_of(case), np.array(case["x"])
    full = fit_cox(surv, x)
    rest = fit_cox(surv, x[:, 1:], offset=x[:, 0] * full.coefficient[0])
    assert_close(rest.coefficient, full.coefficient[1:], VALUE)
    assert_close(rest.log_likelihood.fitted, full.log_likelihood.fitted, VALUE)
    with pytest.raises(EngineError, match="different rows"):
        compare_nested(rest, full)
    with pytest.raises(EngineError, match="offset holds a missing"):
        fit_cox(surv, x, offset=np.full(len(surv), np.nan))
    with pytest.raises(EngineError, match="offset has 2 rows"):
        fit_cox(surv, x, offset=[0.0, 1.0])


@pytest.mark.parametrize(("name", "theirs"), _cases("ridge"))
def test_ridge_against_r(name: str, theirs: dict[str, Any]) -> None:
    case = data(name)
    p = len(case["names"])
    ridge = np.zeros(p)
    ridge[np.array(theirs["penalised"])] = theirs["theta"]
    ours = fit_cox(
        surv_of(case),
        case["x"],
        strata=case["strata"] if theirs["stratified"] else None,
        ties=theirs["ties"],
        robust=False,
        ridge=ridge,
    )
    assert_close(ours.coefficient, theirs["coefficient"], VALUE, "coefficient")
    assert_close(ours.covariance, theirs["covariance"], VALUE, "covariance")
    assert_close(ours.log_likelihood, theirs["log_likelihood"], VALUE, "log-likelihood")
    assert ours.ridge is not None
    assert_close(ours.ridge.sampling_covariance, theirs["sampling_covariance"], VALUE, "sampling covariance")
    penalty = ours.log_likelihood.fitted - ours.ridge.penalised_log_likelihood
    assert penalty == pytest.approx(theirs["penalty"], rel=1e-9, abs=1e-10)
    if theirs["effective_df"] is not None:
        assert_close(ours.ridge.effective_df, theirs["effective_df"], VALUE, "effective df")
    assert np.isnan([ours.likelihood_ratio_test.p_value, ours.wald_test.p_value, ours.score_test.p_value]).all()


def test_no_penalty_changes_nothing_and_a_huge_one_leaves_nothing() -> None:
    # Weights, delayed entry and Efron's ties together, for which R's penalised fit has no right numbers.
    case = data("tied_fraction")
    surv, x = surv_of(case), np.array(case["x"])
    plain, free, held = fit_cox(surv, x), fit_cox(surv, x, ridge=0), fit_cox(surv, x, ridge=1e9)
    assert_close(free.covariance, plain.covariance, VALUE)
    assert_close(free.coefficient, plain.coefficient, VALUE)
    assert free.ridge is not None
    assert held.ridge is not None
    assert free.ridge.effective_df == pytest.approx(x.shape[1], rel=1e-9)
    assert np.abs(held.coefficient).max() < 1e-5
    assert held.ridge.effective_df < 1e-3
    assert plain.ridge is None


def test_a_penalty_holds_separated_and_repeated_columns() -> None:
    surv = Surv([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 0, 0, 0])
    liver = np.array([1.0, 1, 1, 1, 0, 0, 0, 0])
    held = fit_cox(surv, liver, names=["liver"], ridge=1.0)
    assert held.warnings == ()
    assert 0 < held.coefficient[0] < 5
    twice = fit_cox(surv, np.column_stack((liver, liver)), ridge=1.0)
    assert not twice.aliased.any()
    assert twice.coefficient[0] == pytest.approx(twice.coefficient[1])
    half = fit_cox(surv, np.column_stack((liver, np.ones(8))), names=["liver", "one"], ridge=[1.0, 0.0])
    assert half.aliased.tolist() == [False, True]
    assert half.ridge is not None
    assert np.isnan(half.ridge.sampling_covariance[1]).all()
    assert "'one'" in half.warnings[0]


@pytest.mark.parametrize(
    ("ridge", "says"),
    [
        (-1.0, "penalty of column 'age' is negative"),
        ([1.0, np.nan], "penalty of column 'liver' is negative or not finite"),
        ([1.0], "one for each of 2 columns"),
        ("much", "not a number"),
    ],
)
def test_impossible_penalties_are_refused(ridge: Any, says: str) -> None:
    surv = Surv([1, 2, 3, 4], [1, 1, 0, 1])
    with pytest.raises(EngineError, match=says):
        fit_cox(surv, [[1.0, 0], [2, 1], [0, 1], [3, 0]], names=["age", "liver"], ridge=ridge)


def test_penalised_fits_refuse_what_needs_the_maximum() -> None:
    case = data("lung")
    surv, x = surv_of(case), np.array(case["x"])
    held = fit_cox(surv, x, ridge=1.0)
    with pytest.raises(EngineError, match="without ridge"):
        compare_nested(fit_cox(surv, x[:, :1]), held)
    with pytest.raises(EngineError, match="without ridge"):
        held.proportional_hazards_test()


@pytest.mark.parametrize(("name", "theirs"), _cases("exact"))
def test_exact_ties_against_r(name: str, theirs: dict[str, Any]) -> None:
    case = data(name)
    ours = fit_cox(
        surv_of(case),
        case["x"],
        strata=case["strata"] if theirs["stratified"] else None,
        offset=made_offset(len(case["time"])) if theirs["offset"] else None,
        ties="exact",
    )
    assert ours.warnings == ()
    assert_close(ours.coefficient, theirs["coefficient"], VALUE, "coefficient")
    assert_close(ours.covariance, theirs["covariance"], VALUE, "covariance")
    assert_close(ours.log_likelihood, theirs["log_likelihood"], VALUE, "log-likelihood")
    assert_close(ours.score_test.chi_square, theirs["score_test"], VALUE, "score test")
    assert_close(ours.wald_test.chi_square, theirs["wald_test"], VALUE, "Wald test")
    for kind in ("martingale", "deviance"):
        if theirs[kind] is not None:
            check_digest(ours.residuals(kind), theirs[kind], kind)


def by_enumeration(surv: Surv, x: NDArray[np.float64], strata: NDArray[np.int64], beta: NDArray[np.float64]) -> float:
    """Give the exact log-likelihood by listing every subset that could have had the events."""
    total = 0.0
    entry = np.full(len(surv), -1.0) if surv.entry is None else surv.entry
    for stratum in np.unique(strata):
        for t in np.unique(surv.time[surv.is_event & (strata == stratum)]):
            here = (strata == stratum) & (entry < t) & (surv.time >= t)
            events = here & surv.is_event & (surv.time == t)
            score = x @ beta
            ways = [np.exp(score[list(c)].sum()) for c in combinations(np.flatnonzero(here), int(events.sum()))]
            total += score[events].sum() - np.log(sum(ways))
    return total


@settings(max_examples=25)
@given(st.integers(0, 2**20), st.booleans())
def test_exact_ties_agree_with_every_subset_counted(seed: int, delayed: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 12
    entry = rng.integers(0, 3, n) if delayed else None
    time = rng.integers(1, 4, n) + (0 if entry is None else entry)
    surv = Surv(time, rng.random(n) < 0.6, entry=entry)
    strata = rng.integers(0, 2, n)
    x = np.round(rng.normal(size=(n, 2)), 1)
    assume(surv.is_event.any())
    fit = fit_cox(surv, x, strata=strata, ties="exact")
    assert fit.log_likelihood.null == pytest.approx(by_enumeration(surv, x, strata, np.zeros(2)), rel=1e-11, abs=1e-11)
    assume(not fit.warnings and np.abs(fit.coefficient).max() < 6)
    at = fit.coefficient
    assert fit.log_likelihood.fitted == pytest.approx(by_enumeration(surv, x, strata, at), rel=1e-11, abs=1e-11)
    # The information is minus the second difference of that likelihood.
    step = 1e-4
    around = [by_enumeration(surv, x, strata, at + s * np.array([step, 0.0])) for s in (-1, 0, 1)]
    second = -(around[0] - 2 * around[1] + around[2]) / step**2
    assert np.linalg.inv(fit.covariance)[0, 0] == pytest.approx(second, rel=1e-4, abs=1e-5)


def test_exact_ties_without_ties_are_efron() -> None:
    case = data("heart")
    surv = surv_of(case)
    time = surv.time + np.arange(len(surv)) * 1e-3
    untied = Surv(time, surv.event, entry=surv.entry)
    assert_close(fit_cox(untied, case["x"], ties="exact").coefficient, fit_cox(untied, case["x"]).coefficient, VALUE)


def test_many_tied_events_do_not_overflow() -> None:
    rng = np.random.default_rng(3)
    n = 1500
    x = rng.normal(size=n)
    # 600 of 1500: e_600 is about 1e437, far beyond a float.
    event = rng.random(n) < 0.4
    fit = fit_cox(Surv(np.where(event, 1.0, 2.0), event), x + 1e7, ties="exact")
    assert np.isfinite(fit.log_likelihood.fitted)
    assert fit.converged
    assert abs(fit.coefficient[0]) < 5 * fit.standard_error[0]


@pytest.mark.parametrize("name", ["lung", "tied_plain", "matched", "small_delayed", "heart"])
def test_exact_ties_of_the_kernel_are_those_of_numpy(name: str) -> None:
    case = data(name)
    for strata in (None, case["strata"]):
        if strata is None and name == "matched":
            continue
        with kernel_mode("never"):
            slow = fit_cox(surv_of(case), case["x"], ties="exact", strata=strata)
        with kernel_mode("always"):
            fast = fit_cox(surv_of(case), case["x"], ties="exact", strata=strata)
        assert fast.warnings == slow.warnings
        assert_close(fast.coefficient, slow.coefficient, 1e-10)
        assert_close(fast.covariance, slow.covariance, 1e-10)
        assert_close(fast.log_likelihood, slow.log_likelihood, 1e-12)


def test_exact_ties_refuse_what_they_do_not_have() -> None:
    surv = Surv([1, 1, 2, 3], [1, 1, 0, 1])
    x = [1.0, 2.0, 0.5, 0.0]
    with pytest.raises(EngineError, match="take no weights"):
        fit_cox(Surv(surv.time, surv.event, weight=[1, 2, 1, 1]), x, ties="exact")
    for options in ({"robust": True}, {"cluster": [1, 1, 2, 2]}):
        with pytest.raises(EngineError, match="no robust variance"):
            fit_cox(surv, x, ties="exact", **options)  # type: ignore[arg-type]
    fit = fit_cox(Surv([1, 1, 2, 3, 3, 4], [1, 1, 0, 1, 1, 0]), [1.0, 0, 1, 1, 0, 0], ties="exact")
    for kind in ("score", "dfbeta", "schoenfeld", "scaled_schoenfeld"):
        with pytest.raises(EngineError, match="Efron"):
            fit.residuals(kind)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="Efron"):
        fit.proportional_hazards_test()
    assert fit.residuals("martingale").sum() == pytest.approx(0, abs=1e-12)
