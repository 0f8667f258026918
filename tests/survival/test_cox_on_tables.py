"""A Cox model of an event table is that of the rows that were counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.survival import CoxFit, EventTable, Surv, compare_nested, fit_cox
from riskset.survival.kernels import kernel_mode

from .helpers import assert_close

SAME = 1e-10


def drawn(seed: int, n: int, *, delayed: bool = False, weighted: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 60, n)
    x = np.column_stack((rng.integers(0, 2, n), rng.integers(0, 3, n) == 1, rng.integers(0, 3, n)))
    rows = {"time": time, "event": rng.integers(0, 3, n), "x": x.astype(np.float64), "strata": rng.integers(0, 4, n)}
    rows["entry"] = np.minimum(rng.integers(0, 20, n), time - 1) if delayed else None
    rows["weight"] = rng.integers(1, 4, n) if weighted else None
    return rows


def both(rows: dict[str, Any], *, stratified: bool, **options: Any) -> tuple[CoxFit, CoxFit]:
    times = {name: rows[name] for name in ("time", "event", "entry", "weight")}
    table = EventTable.from_arrays(**times, pattern=rows["x"], stratum=rows["strata"])
    strata = (rows["strata"], table.strata) if stratified else (None, None)
    by_rows = fit_cox(Surv(**times), rows["x"], strata=strata[0], **options)
    return by_rows, fit_cox(table, table.patterns, strata=strata[1], **options)


def same(a: CoxFit, b: CoxFit) -> None:
    assert (a.n, a.n_events, a.warnings, a.converged) == (b.n, b.n_events, b.warnings, b.converged)
    for name in ("coefficient", "standard_error", "covariance", "log_likelihood", "p_value"):
        assert_close(getattr(b, name), getattr(a, name), SAME, name)
    for name in ("likelihood_ratio_test", "wald_test", "score_test"):
        assert_close(getattr(b, name).chi_square, getattr(a, name).chi_square, SAME, name)
        assert getattr(b, name).df == getattr(a, name).df


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("kind", [{}, {"delayed": True}, {"weighted": True}, {"delayed": True, "weighted": True}])
def test_the_fit_of_the_rows(mode: Any, ties: str, stratified: bool, kind: dict[str, bool]) -> None:
    with kernel_mode(mode):
        same(*both(drawn(3, 800, **kind), stratified=stratified, ties=ties))


def test_offset_ridge_and_an_aliased_column() -> None:
    rows = drawn(5, 400)
    rows["x"] = np.column_stack((rows["x"], rows["x"][:, 0] * 2.0, np.ones(400) * 7))
    a, b = both(rows, stratified=True)
    assert "x4" in b.warnings[0]
    same(a, b)
    rows["x"] = rows["x"][:, :3]
    table = EventTable.from_arrays(rows["time"], rows["event"], pattern=rows["x"])
    surv, known = Surv(rows["time"], rows["event"]), 0.3 * rows["x"][:, 2]
    by_rows = fit_cox(surv, rows["x"][:, :2], offset=known, ridge=2.0)
    by_table = fit_cox(table, table.patterns[:, :2], offset=0.3 * table.patterns[:, 2], ridge=2.0)
    assert_close(by_table.coefficient, by_rows.coefficient, SAME)
    assert_close(by_table.covariance, by_rows.covariance, SAME)


def test_very_many_tied_events_are_taken_in_parts() -> None:
    """2.2 million events on 3 days are more than NumPy holds at once; counted rows tell the same as weighted cells."""
    counts = np.array([200_000, 400_000, 100_000, 300_000, 500_000, 700_000])
    table = EventTable.from_arrays([1, 1, 2, 2, 3, 3], [1] * 6, pattern=[0, 1] * 3, weight=counts)
    with kernel_mode("never"):
        plain = fit_cox(table, [0.0, 1.0], ties="breslow")
    with kernel_mode("always"):
        compiled = fit_cox(table, [0.0, 1.0], ties="breslow")
    assert_close(plain.coefficient, compiled.coefficient, SAME)
    rng = np.random.default_rng(8)
    group, day = rng.integers(0, 2, 1_500_000), rng.integers(1, 4, 1_500_000)
    tied = EventTable.from_arrays(day, np.ones(1_500_000, dtype=np.int8), pattern=group)
    with kernel_mode("never"):
        plain = fit_cox(tied, tied.patterns)
    with kernel_mode("always"):
        compiled = fit_cox(tied, tied.patterns)
    assert_close(plain.coefficient, compiled.coefficient, SAME)
    assert_close(plain.standard_error, compiled.standard_error, SAME)
    assert_close(plain.log_likelihood, compiled.log_likelihood, SAME)


def test_labels_as_patterns_take_a_row_of_covariates_each() -> None:
    time, event = [3, 4, 5, 8, 9, 9, 2, 6, 7], [1, 1, 1, 1, 0, 1, 0, 1, 1]
    table = EventTable.from_arrays(time, event, pattern=list("abcabccab"))
    fit = fit_cox(table, [[0, 0], [1, 0], [0, 1]], names=["b", "c"])
    dummies = {"a": [0, 0], "b": [1, 0], "c": [0, 1]}
    rows = fit_cox(Surv(time, event), [dummies[label] for label in "abcabccab"], names=["b", "c"])
    assert fit.warnings == ()
    assert_close(fit.coefficient, rows.coefficient, SAME)


def test_what_needs_rows_refuses_a_table() -> None:
    rows = drawn(7, 200)
    table = EventTable.from_arrays(rows["time"], rows["event"], pattern=rows["x"])
    fit = fit_cox(table, table.patterns)
    for call in (
        fit.baseline,
        fit.concordance,
        fit.proportional_hazards_test,
        lambda: fit.residuals("score"),
        lambda: fit.predict_survival(table.patterns),
        lambda: fit_cox(table, table.patterns, robust=True),
        lambda: fit_cox(table, table.patterns, ties="exact"),
        lambda: fit_cox(table, table.patterns, cluster=np.arange(len(table.patterns))),
        lambda: fit_cox(EventTable.from_arrays([1, 2], [1, 1], weight=[0.5, 1.5]), np.empty((1, 0))),
    ):
        with pytest.raises(EngineError, match="rows"):
            call()
    with pytest.raises(EngineError, match="one row of covariates"):
        fit_cox(table, rows["x"])
    assert fit.linear_predictor([[0, 0, 0]]).tolist() == [0]


def test_nested_fits_of_one_table_compare_and_others_do_not() -> None:
    rows = drawn(9, 300)
    table = EventTable.from_arrays(rows["time"], rows["event"], pattern=rows["x"])
    surv = Surv(rows["time"], rows["event"])
    ours = compare_nested(fit_cox(table, table.patterns[:, :1]), fit_cox(table, table.patterns))
    theirs = compare_nested(fit_cox(surv, rows["x"][:, :1]), fit_cox(surv, rows["x"]))
    assert_close(ours.chi_square, theirs.chi_square, SAME)
    other = EventTable.from_arrays(rows["time"], 1 - np.minimum(rows["event"], 1), pattern=rows["x"])
    for larger in (fit_cox(other, other.patterns), fit_cox(surv, rows["x"])):
        with pytest.raises(EngineError, match="different rows"):
            compare_nested(fit_cox(table, table.patterns[:, :1]), larger)


def test_no_event_in_a_table() -> None:
    table = EventTable.from_arrays([1, 2], [0, 0], pattern=[0, 1])
    fit = fit_cox(table, [0.0, 1.0])
    assert fit.warnings == ("there is no event, so no coefficient can be estimated",)
    assert (fit.n, fit.n_events) == (2, 0)


@given(st.integers(0, 10_000), st.integers(10, 40), st.booleans(), st.booleans())
def test_on_small_data_too(seed: int, n: int, delayed: bool, stratified: bool) -> None:
    rows = drawn(seed, n, delayed=delayed)
    rows["x"] = rows["x"][:, [0, 2]]
    by_rows, by_table = both(rows, stratified=stratified)
    assume(not by_rows.warnings and bool((np.abs(by_rows.coefficient) < 5).all()))
    assert by_table.warnings == ()
    assert_close(by_table.log_likelihood, by_rows.log_likelihood, 1e-9)
    assert np.allclose(by_table.coefficient, by_rows.coefficient, rtol=1e-8, atol=1e-9)
