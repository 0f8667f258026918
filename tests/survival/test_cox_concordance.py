"""Harrell's and Uno's concordance against R, and against all pairs counted one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import Concordance, Surv, concordance, fit_cox, uno_concordance

from .helpers import VALUE, assert_close, reference, surv_of


def _cases(kind: str) -> list[Any]:
    table = reference("concordance")[kind]
    return [pytest.param(name, form, id=f"{name}-{i}") for name, forms in table.items() for i, form in enumerate(forms)]


def check(ours: Concordance, theirs: dict[str, Any]) -> None:
    assert_close(ours.value, theirs["value"], VALUE, "concordance")
    assert_close(ours.standard_error, theirs["error"], VALUE, "standard error")
    counts = [ours.concordant, ours.discordant, ours.tied_score, ours.tied_time, ours.tied_both]
    assert_close(counts, theirs["count"], VALUE, "pairs")


def options(case: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    return {
        "strata": case["strata"] if form["stratified"] else None,
        "cluster": case["cluster"] if form["clustered"] else None,
    }


@pytest.mark.parametrize(("name", "theirs"), _cases("column"))
def test_harrell_of_a_column(name: str, theirs: dict[str, Any]) -> None:
    case = reference("cases")[name]
    check(concordance(surv_of(case), np.array(case["x"])[:, -1], **options(case, theirs)), theirs)


@pytest.mark.parametrize(("name", "theirs"), _cases("uno"))
def test_uno_of_a_column(name: str, theirs: dict[str, Any]) -> None:
    case = reference("cases")[name]
    score = np.array(case["x"])[:, -1]
    check(uno_concordance(surv_of(case), score, tau=theirs["tau"], **options(case, theirs)), theirs)


@pytest.mark.parametrize(("name", "theirs"), _cases("fit"))
def test_harrell_of_a_fit(name: str, theirs: dict[str, Any]) -> None:
    case = reference("cases")[name]
    check(fit_cox(surv_of(case), case["x"], **options(case, theirs)).concordance(), theirs)


def pairs(
    surv: Surv, score: NDArray[np.int64], strata: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Count concordant, discordant and the three kinds of tied pairs, each pair by itself."""
    counts = np.zeros(5)
    entry = np.full(len(surv), -1.0) if surv.entry is None else surv.entry
    dead = surv.is_event
    for i in np.flatnonzero(dead):
        for j in range(len(surv)):
            t = surv.time[i]
            if i == j or strata[i] != strata[j] or not entry[j] < t:
                continue
            both = weight[i] * weight[j]
            if surv.time[j] > t or (surv.time[j] == t and not dead[j]):
                counts[0 if score[i] > score[j] else 1 if score[i] < score[j] else 2] += both
            elif surv.time[j] == t and i < j:
                counts[4 if score[i] == score[j] else 3] += both
    return counts


@settings(max_examples=60)
@given(st.integers(0, 2**20), st.booleans(), st.booleans())
def test_counts_and_error_agree_with_every_pair_looked_at(seed: int, delayed: bool, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 14))
    entry = rng.integers(0, 4, n) if delayed else None
    time = rng.integers(1, 6, n) + (0 if entry is None else entry)
    weight = rng.integers(1, 8, n) / 4 if weighted else np.ones(n)
    surv = Surv(time, rng.random(n) < 0.6, entry=entry, weight=weight)
    strata, score = rng.integers(0, 2, n), rng.integers(-3, 4, n)
    ours = concordance(surv, score, strata=strata)
    counts = pairs(surv, score, strata, weight)
    assert_close(
        [ours.concordant, ours.discordant, ours.tied_score, ours.tied_time, ours.tied_both], counts, 1e-12, "pairs"
    )
    if counts[:3].sum() == 0:
        assert np.isnan([ours.value, ours.standard_error]).all()
        return
    assert 0.0 <= ours.value <= 1.0
    assert concordance(surv, -score, strata=strata).value == pytest.approx(1.0 - ours.value)
    # The jackknife's influence is the derivative by a row's weight.
    value = lambda w: (lambda c: (c[0] + c[2] / 2) / c[:3].sum())(pairs(surv, score, strata, w))  # noqa: E731
    step = 1e-6
    slopes = [
        (value(weight + step * np.eye(n)[i]) - value(weight - step * np.eye(n)[i])) / (2 * step) for i in range(n)
    ]
    assert ours.standard_error == pytest.approx(np.linalg.norm(weight * slopes), rel=1e-6, abs=1e-8)


def test_without_censoring_uno_is_harrell() -> None:
    rng = np.random.default_rng(4)
    surv = Surv(rng.exponential(size=50), np.ones(50))
    score = rng.normal(size=50)
    assert uno_concordance(surv, score).value == pytest.approx(concordance(surv, score).value, rel=1e-12)


def test_a_score_that_orders_all_and_one_that_is_constant() -> None:
    surv = Surv([1, 2, 3, 4], [1, 1, 1, 1])
    assert concordance(surv, [4, 3, 2, 1]).value == 1.0
    assert concordance(surv, [1, 2, 3, 4]).value == 0.0
    flat = concordance(surv, [7, 7, 7, 7])
    assert (flat.value, flat.tied_score, flat.standard_error) == (0.5, 6.0, 0.0)
    assert concordance(surv, [4, 3, 2, 1]).estimate().high == 1.0


def test_rows_that_nothing_can_be_said_about() -> None:
    for surv in (Surv([3], [1]), Surv([1, 2], [0, 0]), Surv([2, 2], [1, 1])):
        told = concordance(surv, np.arange(len(surv)))
        assert np.isnan([told.value, told.standard_error, told.estimate().low]).all()
    assert concordance(Surv([2, 2], [1, 1]), [1, 2]).tied_time == 1
    assert concordance(Surv([0, 2], [1, 0]), [2, 1]).value == 1.0


def test_equal_rows_have_equal_scores_however_large_their_columns() -> None:
    rng = np.random.default_rng(6)
    x = np.column_stack((rng.integers(0, 3, 90) + 1e7, rng.integers(0, 2, 90) / 3))
    surv = Surv(rng.integers(1, 20, 90), rng.random(90) < 0.7)
    near = fit_cox(surv, x - [1e7, 0.0]).concordance()
    assert fit_cox(surv, x).concordance().tied_score == near.tied_score > 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: concordance(Surv([], []), []), "there is no row"),
        (lambda: concordance(Surv([1, 2], [1, 0]), [1]), "score has 1 rows"),
        (lambda: concordance(Surv([1, 2], [1, 0]), [1, np.nan]), "score holds a missing"),
        (lambda: concordance(Surv([1, 2], [1, 0]), np.array(["a", None], dtype=object)), "not a number"),
        (lambda: concordance(Surv([1, 2], [1, 0]), [1, 2], strata=["a"]), "strata has shape"),
        (lambda: concordance(Surv([1, 2], [1, 0]), [1, 2], cluster=["a", None]), "cluster holds a missing"),
        (lambda: concordance(Surv([1, 2], [1, 0]), [1, 2]).estimate(95), "0.95"),
        (lambda: uno_concordance(Surv([1, 2], [1, 0], entry=[0, 1]), [1, 2]), "delayed entry"),
        (lambda: uno_concordance(Surv([1, 2], [1, 0]), [1, 2], tau=0), "greater than 0"),
        (lambda: uno_concordance(Surv([1, 2], [1, 0]), [1, 2], tau=float("nan")), "greater than 0"),
    ],
)
def test_impossible_comparisons_are_refused(call: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        call()
