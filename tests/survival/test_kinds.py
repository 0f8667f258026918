"""Every estimator refuses an object of the wrong kind in one sentence, whatever else it was given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import riskset.survival as engine
from riskset.errors import EngineError
from riskset.survival import EventTable, IntervalSurv, Surv, fit_cox, kaplan_meier, largest_tau


def _first_parameter(function: Callable[..., Any]) -> inspect.Parameter:
    return next(iter(inspect.signature(function).parameters.values()))


def _estimators(annotation: str) -> list[str]:
    """Give the public functions whose first argument is said to take `annotation`."""
    functions = {name: getattr(engine, name) for name in engine.__all__}
    functions = {name: f for name, f in functions.items() if inspect.isfunction(f)}
    return sorted(n for n, f in functions.items() if annotation in str(_first_parameter(f).annotation).split(" | "))


def _call(name: str, *first: object) -> Any:
    """Call an estimator with `first`, and None for whatever else it must have."""
    function = getattr(engine, name)
    others = list(inspect.signature(function).parameters.values())[len(first) :]
    needed = [p for p in others if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    by_name = {p.name: None for p in needed if p.kind is p.KEYWORD_ONLY}
    return function(*first, *[None for p in needed if p.name not in by_name], **by_name)


SURV = Surv([5, 8, 12, 14, 20], [1, 1, 0, 1, 0])
ROWS = _estimators("Surv")
CURVES = _estimators("KaplanMeier")
WRONG: dict[str, object] = {
    "a tuple": ([5, 8], [1, 0]),
    "a list": [[5, 1], [8, 0]],
    "None": None,
    "an array": np.array([[5.0, 1.0], [8.0, 0.0]]),
    "a CoxFit": fit_cox(SURV, [62, 70, 55, 66, 58]),
    "a KaplanMeier": kaplan_meier(SURV),
}


def test_the_estimators_are_found() -> None:
    assert {"nelson_aalen", "logrank_test", "fit_fine_gray", "turnbull", "split_at"} < set(ROWS)
    assert {"rmst_difference", "rmst_ratio", "rmtl", "rmtl_ratio", "survival_difference", "survival_ratio"} < set(
        CURVES
    )
    assert "largest_tau" in CURVES


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", ROWS)
def test_what_is_no_surv_is_refused(name: str, kind: str) -> None:
    with pytest.raises(EngineError, match=rf"^surv is {kind}; build it with Surv\(time, event\)"):
        _call(name, WRONG[kind])


@pytest.mark.parametrize("name", sorted(set(ROWS) - set(_estimators("EventTable"))))
def test_a_table_is_refused_where_rows_are_needed(name: str) -> None:
    table = EventTable.from_arrays([5, 8, 12], [1, 1, 0])
    with pytest.raises(EngineError, match=r"^surv is an EventTable; this function needs rows, give a Surv"):
        _call(name, table)


@pytest.mark.parametrize("name", sorted(set(ROWS) - set(_estimators("IntervalSurv"))))
def test_intervals_are_refused_where_times_are_needed(name: str) -> None:
    with pytest.raises(EngineError, match=r"^surv is an IntervalSurv; .* give a Surv$"):
        _call(name, IntervalSurv([5, 8], [8, 12]))


def test_the_kinds_that_an_annotation_names_pass() -> None:
    table = EventTable.from_arrays([5, 8, 12], [1, 1, 0])
    assert engine.nelson_aalen(table).n == 3
    assert engine.turnbull(IntervalSurv([5, 8], [8, 12])).n == 2
    assert engine.turnbull(SURV).n == 5
    assert engine.fit_aft(IntervalSurv([5, 8, 3], [8, 12, 9]), np.empty((3, 0))).n == 3


@pytest.mark.parametrize("kind", [kind for kind in WRONG if kind != "a KaplanMeier"])
@pytest.mark.parametrize("name", CURVES)
def test_what_is_no_curve_is_refused(name: str, kind: str) -> None:
    curve = kaplan_meier(SURV)
    with pytest.raises(EngineError, match=f"is {kind}; give a curve of kaplan_meier$"):
        _call(name, WRONG[kind])
    if name != "rmtl":
        with pytest.raises(EngineError, match=f"is {kind}; give a curve of kaplan_meier$"):
            _call(name, curve, WRONG[kind])


def test_a_curve_passes() -> None:
    assert largest_tau(kaplan_meier(SURV)) == 20.0


def test_nested_fits_are_fits_and_the_smaller_comes_first() -> None:
    x = np.array([[62, 0], [70, 1], [55, 0], [66, 1], [58, 0]])
    smaller, larger = fit_cox(SURV, x[:, :1]), fit_cox(SURV, x)
    for pair in ((smaller, None), (SURV, larger)):
        with pytest.raises(EngineError, match="give a fit of fit_cox"):
            engine.compare_nested(*pair)
    with pytest.raises(EngineError, match="smaller model first"):
        engine.compare_nested(larger, smaller)
    assert np.isnan(engine.compare_nested(smaller, smaller).p_value)
