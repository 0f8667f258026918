"""The compiled Cox kernels give what plain NumPy gives: numbers to 1e-10, warnings to the letter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import CoxFit, Surv, fit_cox, kernels
from riskset.survival import cox_large as large
from riskset.survival import cox_places as places
from riskset.survival.cox_fit import CoxRows, Ties
from riskset.survival.cox_row_sums import RowsByTime, SortedRows
from riskset.survival.kernels import kernel_mode
from riskset.survival.regression_columns import finite_columns

from .helpers import assert_close, reference, surv_of

pytest.importorskip("numba")

PARITY = 1e-10
NUMBERS = ("coefficient", "standard_error", "covariance", "naive_covariance", "z", "log_likelihood")
WAYS = ("by time", "sorted")
TIES: tuple[Ties, ...] = ("efron", "breslow")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take each way through the rows, and cut even small data into parts."""
    go(request.param, monkeypatch)
    return str(request.param)


def go(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_MOST_IN_TABLE", 1 << 19 if way == "by time" else 0)
    monkeypatch.setattr(places, "_ROWS_IN_PART", 29)
    monkeypatch.setattr(large, "_TIMES_IN_PART", 7)


def both(*args: Any, **options: Any) -> tuple[CoxFit, CoxFit]:
    with kernel_mode("never"):
        plain = fit_cox(*args, **options)
    with kernel_mode("always"):
        return plain, fit_cox(*args, **options)


def assert_same(plain: CoxFit, compiled: CoxFit) -> None:
    assert compiled.warnings == plain.warnings
    assert compiled.aliased.tolist() == plain.aliased.tolist()
    assert compiled.infinite.tolist() == plain.infinite.tolist()
    assert compiled.converged == plain.converged
    for name in NUMBERS:
        assert_close(getattr(compiled, name), getattr(plain, name), PARITY, name)
    for name in ("likelihood_ratio_test", "wald_test", "score_test"):
        ours, theirs = getattr(compiled, name), getattr(plain, name)
        assert ours.df == theirs.df
        assert_close(ours.chi_square, theirs.chi_square, PARITY, name)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", sorted(reference("cases")))
def test_cases_of_the_reference(name: str, ties: Ties, way: str) -> None:
    case = reference("cases")[name]
    surv = surv_of(case)
    offset = np.linspace(-1.0, 1.0, len(surv))
    for strata in (None, case["strata"]):
        for known in (None, offset):
            assert_same(*both(surv, case["x"], strata=strata, ties=ties, offset=known))


def simulated(n: int = 400, *, seed: int = 7) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    time = np.ceil(rng.exponential(40.0, n) / np.exp(x @ [0.5, -0.3, 0.0]))
    return {
        "time": time,
        "event": (rng.random(n) < 0.6).astype(float),
        "entry": np.floor(time * rng.random(n) * 0.8),
        "weight": rng.integers(1, 9, n) / 4.0,
        "x": x,
        "strata": rng.integers(0, 5, n).astype(float),
    }


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("day", [1.0, 0.001], ids=["tied days", "untied"])
def test_everything_at_once(ties: Ties, day: float, way: str) -> None:
    d = simulated()
    # A shift below half a day that differs from row to row unties the times without changing their order much.
    untie = np.arange(400) / 1000.0 if day < 1 else np.zeros(400)
    surv = Surv(d["time"] + untie, d["event"], entry=d["entry"], weight=d["weight"])
    assert_same(*both(surv, d["x"], strata=d["strata"], ties=ties, robust=True))


def test_columns_far_from_zero(way: str) -> None:
    d = simulated()
    assert_same(*both(Surv(d["time"], d["event"]), d["x"] * [1.0, 1e-6, 1e5] + [1e7, 3.0, -1e7]))


def test_aliased_and_constant_columns(way: str) -> None:
    d = simulated()
    x = np.column_stack((d["x"][:, 0], np.full(400, 3e7), d["x"][:, 1], d["x"][:, 0] - d["x"][:, 1]))
    plain, compiled = both(Surv(d["time"], d["event"]), x, names=["a", "flat", "b", "a-b"])
    assert plain.aliased.tolist() == [False, True, False, True]
    assert_same(plain, compiled)
    # What is asked for later is built anew from the columns that are left.
    assert_close(compiled.residuals("dfbeta"), plain.residuals("dfbeta"), PARITY)


def test_a_column_that_separates_the_events(way: str) -> None:
    d = simulated()
    x = np.column_stack((d["x"][:, 0], d["event"]))
    plain, compiled = both(Surv(d["time"], d["event"]), x, names=["a", "never"])
    assert plain.infinite.tolist() == [False, True]
    assert compiled.warnings == plain.warnings
    assert_close(compiled.coefficient[0], plain.coefficient[0], PARITY)
    assert_close(compiled.log_likelihood, plain.log_likelihood, PARITY)


@pytest.mark.parametrize(
    ("time", "event"),
    [
        ([4.0], [1]),
        ([3.0, 3.0, 3.0, 3.0], [1, 1, 1, 1]),
        ([0.0, 0.0, 2.0, 5.0], [1, 0, 1, 0]),
        ([1.0, 2.0, 3.0, 4.0], [0, 0, 0, 0]),
        ([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 0]),
    ],
    ids=["one patient", "one time", "time 0", "all censored", "one event"],
)
def test_degenerate_data(time: list[float], event: list[int], way: str) -> None:
    x = np.array([[1.0, 2.0], [0.0, 5.0], [3.0, 1.0], [2.0, 2.0]])[: len(time)]
    plain, compiled = both(Surv(time, event), x)
    assert compiled.warnings == plain.warnings
    assert_close(compiled.log_likelihood, plain.log_likelihood, PARITY)
    assert compiled.aliased.tolist() == plain.aliased.tolist()


def test_no_column_gives_the_null_model(way: str) -> None:
    d = simulated()
    assert_same(*both(Surv(d["time"], d["event"]), np.zeros((400, 0))))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_small_sample(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 40), label="n")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    days = data.draw(st.sampled_from([3, 12, 10_000]), label="days")
    time = rng.integers(1, days + 1, n).astype(float)
    entry = np.floor(time * rng.random(n)) if data.draw(st.booleans(), label="entry") else None
    weight = rng.integers(1, 6, n) / 2.0 if data.draw(st.booleans(), label="weight") else None
    strata = rng.integers(0, 3, n) if data.draw(st.booleans(), label="strata") else None
    offset = rng.normal(size=n) if data.draw(st.booleans(), label="offset") else None
    rows = CoxRows(
        Surv(time, rng.integers(0, 2, n), entry=entry, weight=weight),
        rng.normal(size=(n, 2)) + np.array([0.0, 1e7]),
        np.zeros(n, dtype=np.int64) if strata is None else strata,
        np.arange(1 if strata is None else 3),
        offset,
        data.draw(st.sampled_from(TIES), label="ties"),
    )
    if not rows.surv.is_event.any():
        return
    plain = rows.design()
    slope = rng.normal(size=2) / plain.scale
    theirs = plain.evaluate(slope * plain.scale)
    for in_order in (False, True):
        compiled = large.large_cox(rows, in_order=in_order)
        assert_close(compiled.centre, plain.centre, PARITY)
        ours = compiled.evaluate(slope * compiled.scale)
        # The last digit of a centre of 1e7 is one of the scale's tenth: compare in the columns' own units, and a sum
        # that cancels beside the sizes of its terms.
        size = float(rows.surv.weight_or_one.sum()) * (1.0 + float(np.abs(plain.x).max()) ** 2)
        assert abs(ours.log_likelihood - theirs.log_likelihood) <= PARITY * size
        factor = compiled.scale / plain.scale
        assert (np.abs(ours.gradient * factor - theirs.gradient) <= PARITY * size).all()
        assert (np.abs(ours.information * np.outer(factor, factor) - theirs.information) <= PARITY * size).all()


def test_the_way_is_chosen_by_the_number_of_event_times(monkeypatch: pytest.MonkeyPatch) -> None:
    d = simulated()
    rows = CoxRows(
        Surv(d["time"], d["event"]), d["x"], np.zeros(400, np.int64), np.array([None], dtype=object), None, "efron"
    )
    assert isinstance(large.large_cox(rows).rows, RowsByTime)
    monkeypatch.setattr(large, "_MOST_IN_TABLE", 10)
    assert isinstance(large.large_cox(rows).rows, SortedRows)
    with kernel_mode("never"):
        assert not isinstance(large.likelihood_of(rows), large.LargeCox)
    with kernel_mode("always"):
        assert isinstance(large.likelihood_of(rows), large.LargeCox)


def test_many_strata_are_placed_by_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    d = simulated()
    monkeypatch.setattr(places, "_SMALL_TABLE", 0)
    monkeypatch.setattr(places, "_PLACES_A_ROW", 0)
    surv = Surv(d["time"], d["event"], entry=d["entry"])
    assert_same(*both(surv, d["x"], strata=d["strata"]))


@pytest.mark.parametrize("days", [True, False])
def test_numbers_do_not_depend_on_the_number_of_cores(days: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    d = simulated()
    go("by time" if days else "sorted", monkeypatch)
    surv = Surv(d["time"] if days else d["time"] + np.arange(400) / 1000.0, d["event"])
    found = []
    for cores in (1, 2, 7):
        monkeypatch.setattr(kernels.os, "cpu_count", lambda cores=cores: cores)
        with kernel_mode("always"):
            fit = fit_cox(surv, d["x"])
        found.append((fit.coefficient.tobytes(), fit.covariance.tobytes(), fit.log_likelihood))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("kind", ["C", "F", "float32", "int", "sliced"])
def test_x_may_lie_in_memory_in_any_way(kind: str) -> None:
    d = simulated()
    whole = np.rint(d["x"] * 10)
    x: NDArray[Any] = {
        "C": whole,
        "F": np.asfortranarray(whole),
        "float32": whole.astype(np.float32),
        "int": whole.astype(np.int16),
        "sliced": np.repeat(whole, 2, axis=0)[::2],
    }[kind]
    surv = Surv(d["time"], d["event"])
    with kernel_mode("always"):
        assert_close(fit_cox(surv, x).coefficient, fit_cox(surv, whole).coefficient, 0.0)


def test_a_large_x_is_not_copied_and_a_bad_number_in_it_is_found() -> None:
    n = 1 << 19
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2))
    surv = Surv(rng.integers(1, 100, n), rng.integers(0, 2, n))
    assert np.shares_memory(fit_cox(surv, x)._rows.x, x)
    x[n - 5, 1] = np.inf
    with pytest.raises(EngineError, match="'b' holds a missing or infinite number"):
        fit_cox(surv, x, names=["a", "b"])


def test_sums_that_overflow_are_not_taken_for_missing_numbers() -> None:
    x = np.array([[1e308, 1.0], [1e308, 2.0], [1e308, np.nan]])
    assert finite_columns(x).tolist() == [True, False]
