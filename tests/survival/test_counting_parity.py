"""The compiled counting loops give what NumPy gives: numbers, results built on them, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import EventTable, Surv, counting, follow_up, kaplan_meier, kernels
from riskset.survival.counting import cell_counts, near_equal_as_one, places_among, whole_numbers
from riskset.survival.event_tally import Totals
from riskset.survival.group_counts import group_counts

from .helpers import assert_close

pytest.importorskip("numba")

# More than one part, so that cutting and adding up is seen.
N = 600_000
DTYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?", ">i4", ">f8"]


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    answers = []
    for mode in ("never", "always"):
        with kernels.kernel_mode(mode):
            answers.append(call())
    return answers[0], answers[1]


def same(plain: Any, compiled: Any, names: tuple[str, ...]) -> None:
    for name in names:
        a, b = getattr(plain, name), getattr(compiled, name)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            assert_close(a, b, 1e-10, name)
        else:
            assert np.array_equal(a, b), name


def sample(n: int = N) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(5)
    time = rng.integers(1, 900, n)
    return {
        "time": time,
        "event": rng.integers(0, 3, n),
        "entry": np.minimum(rng.integers(0, 300, n), time - 1),
        "count": rng.integers(1, 4, n),
        "group": rng.integers(0, 3, n),
        "stratum": rng.integers(0, 2, n),
        "shares": rng.random(n) + 0.1,
        "moments": rng.exponential(300, n),
    }


@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_numbers_of_any_type(dtype: str) -> None:
    values = (sample()["group"] % 2).astype(dtype)
    plain, compiled = both(lambda: whole_numbers(values, 100))
    assert plain is not None
    assert np.array_equal(plain[0], values.astype(int))
    assert np.array_equal(plain[0], compiled[0])
    assert plain[1] == compiled[1] == 1
    strided = values[::2]
    plain, compiled = both(lambda: whole_numbers(strided, 100, dtype=np.int8))
    assert np.array_equal(plain[0], compiled[0])


@pytest.mark.parametrize("bad", [0.5, -1.0, np.nan, np.inf, -np.inf, 101.0, 1e300, 2.0**31, -(2.0**40)])
@pytest.mark.parametrize("at", [0, 4095, 4096, N - 1])
def test_one_bad_number_among_many_is_seen(bad: float, at: int) -> None:
    values = np.ones(N)
    values[at] = bad
    assert both(lambda: whole_numbers(values, 100)) == (None, None)


@pytest.mark.parametrize("bad", [-1, 101, 2**31, 2**32, -(2**63), 2**63 - 1])
def test_one_bad_integer_among_many_is_seen(bad: int) -> None:
    values = np.ones(N, dtype=np.int64)
    values[N // 2] = bad
    assert both(lambda: whole_numbers(values, 100)) == (None, None)


def test_no_number_at_all() -> None:
    for found in both(lambda: whole_numbers(np.zeros(0), 5)):
        assert (found[0].shape, found[1]) == ((0,), 0)


@pytest.mark.parametrize("weighted", [None, "count", "shares"])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("top", [0, 1, 2])
def test_cells(weighted: str | None, grouped: bool, top: int) -> None:
    rows = sample()
    weight = None if weighted is None else rows[weighted].astype(float)
    options: dict[str, Any] = {"group": rows["group"].astype(np.int32), "groups": 3} if grouped else {}
    plain, compiled = both(
        lambda: cell_counts(
            rows["time"].astype(np.int32), 900, code=rows["event"].astype(np.int8), top=top, weight=weight, **options
        )
    )
    assert plain.shape == (3 if grouped else 1, 900, top + 1)
    if weighted == "shares":
        assert_close(plain, compiled, 1e-10)
    else:
        assert np.array_equal(plain, compiled)
    total = float(N) if weight is None else float(weight.sum())
    assert plain.sum() == pytest.approx(total)


@pytest.mark.parametrize("skew", ["even", "one far", "one value", "zero", "tiny"])
def test_places_among_levels(skew: str) -> None:
    values = sample(50_000)["moments"]
    if skew == "one far":
        values[7] = 1e300
    elif skew in ("one value", "zero"):
        values[:] = 0.0 if skew == "zero" else 4.25
    elif skew == "tiny":
        values *= 1e-320
    levels = np.unique(values)
    plain, compiled = both(lambda: places_among(levels, values))
    assert np.array_equal(levels[plain], values)
    assert np.array_equal(plain, compiled)


def test_places_where_the_steps_are_dealt_to_buckets() -> None:
    values = np.random.default_rng(8).exponential(300, N)
    values[::7] = values[3]
    levels = np.unique(values)[::3]
    # Values between the levels belong to the one before; none lies below all.
    values = np.maximum(values, levels[0])
    plain, compiled = both(lambda: places_among(levels, values))
    assert np.array_equal(plain, compiled)
    assert (levels[plain] <= values).all()


@pytest.mark.parametrize("spread", [0.0, 1.0, 300.0, 1e6])
def test_near_equal_values_are_one(spread: float) -> None:
    values = np.sort(np.random.default_rng(9).random(50_000) * spread)
    values[1::5] = values[::5] * (1 + 1e-12)
    values.sort()
    plain, compiled = both(lambda: near_equal_as_one(values.copy(), 1e-8))
    assert np.array_equal(plain, compiled)
    assert (np.diff(plain) > 0).all()
    assert plain.shape[0] <= 40_000
    exact, compiled = both(lambda: near_equal_as_one(values.copy(), 0.0))
    assert np.array_equal(exact, np.unique(values))
    assert np.array_equal(exact, compiled)


def test_no_value_is_no_level() -> None:
    for found in both(lambda: near_equal_as_one(np.zeros(0), 1e-8)):
        assert found.shape == (0,)


@pytest.mark.parametrize("scale", [0.0, 0.1, 3.0])
def test_starts_of_steps(scale: float) -> None:
    levels = np.unique(sample(5_000)["moments"])
    loops = counting, kernels.load("counting")
    found = [np.empty(1001, dtype=np.int32) for _ in loops]
    for loop, starts in zip(loops, found, strict=True):
        loop.find_starts(levels, scale, starts)
    assert np.array_equal(found[0], found[1])
    assert found[0][-1] == levels.shape[0]


@pytest.mark.parametrize("kind", ["days", "moments"])
@pytest.mark.parametrize("weight", [None, "count", "shares"])
@pytest.mark.parametrize("delayed", [False, True])
def test_curves_and_counts(kind: str, weight: str | None, delayed: bool) -> None:
    rows = sample(20_000)
    time = rows["time"] if kind == "days" else rows["time"] + rows["moments"]
    options = {"entry": rows["entry"] if delayed else None, "weight": None if weight is None else rows[weight]}
    curve = ("time", "at_risk", "events", "censored", "survival", "standard_error", "low", "high", "n", "n_events")
    for estimate in (kaplan_meier, follow_up):
        same(*both(lambda f=estimate: f(Surv(time, rows["event"], **options))), curve)  # type: ignore[misc]
    for strata in (None, rows["stratum"]):
        plain, compiled = both(
            lambda s=strata: group_counts(Surv(time, rows["event"], **options), rows["group"], s)  # type: ignore[misc]
        )
        same(plain, compiled, ("stratum", "time", "segment", "at_risk", "events", "groups", "n"))


@pytest.mark.parametrize("weight", [None, "count"])
def test_tables_in_chunks(weight: str | None) -> None:
    rows = sample()
    arguments = {name: rows[name] for name in ("time", "event", "entry", "stratum")}
    arguments["pattern"] = np.column_stack((rows["group"], rows["count"]))
    if weight:
        arguments["weight"] = rows[weight]
    chunks = [{name: a[k : k + 250_000] for name, a in arguments.items()} for k in range(0, N, 250_000)]
    plain, compiled = both(lambda: EventTable.from_chunks(chunks))
    for name in Totals._fields:
        assert np.array_equal(getattr(plain, name), getattr(compiled, name)), name


def test_refusals_are_the_same() -> None:
    times = np.ones(1000)
    for bad in (np.nan, -1.0, np.inf):
        times[500] = bad
        said = []
        for mode in ("never", "always"):
            with kernels.kernel_mode(mode), pytest.raises(EngineError) as refusal:
                Surv(times, np.ones(1000))
            said.append(str(refusal.value))
        assert said[0] == said[1]
