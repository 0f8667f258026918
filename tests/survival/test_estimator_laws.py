"""What must hold for every estimator and test of the engine, found by discovery so that a new one cannot be forgotten.

An estimator is a public function whose first parameter is a `Surv` (or a table of events, or interval-censored times).
Its other required parameters are filled in by their names; a name that ARGUMENTS does not know fails with that advice.
Where a law does not hold for an estimator by its nature, the exemption stands here with its reason.
"""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset import survival
from riskset.errors import EngineError
from riskset.survival import Surv

Array = NDArray[Any]


@dataclasses.dataclass
class Sample:
    """Rows with all that any estimator may ask for; every array has one entry a row."""

    time: Array
    event: Array
    group: Array
    x: Array
    batch: Array
    entry: Array | None = None
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.time)

    def rows(self, places: Array) -> Sample:
        picked = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return Sample(**{name: None if array is None else array[places] for name, array in picked.items()})

    def replace(self, **changes: Any) -> Sample:
        return dataclasses.replace(self, **changes)


# How a required parameter is filled in, by its name.
ARGUMENTS: dict[str, Callable[[Sample], Any]] = {
    "group": lambda s: s.group,
    "x": lambda s: s.x,
    "marker": lambda s: s.x[:, -1],
    "score": lambda s: s.x[:, -1],
    "cause": lambda s: 1,
    "replicates": lambda s: 10,
    "seed": lambda s: 11,
    "time": lambda s: 3,
    "cuts": lambda s: [3, 6],
    "bandwidth": lambda s: 2.5,
    "initial": lambda s: s.x[:, -1],
    "changed": lambda s: [0, 1],
    "when": lambda s: [1.5, 0.5],
    "value": lambda s: [2.0, -1.0],
}
# Where an estimator needs something else than others under the same name.
OWN_ARGUMENTS: dict[str, dict[str, Callable[[Sample], Any]]] = {
    # Frailties of the two groups that are a covariate too could not be told from it; and small samples show none.
    "fit_cox_frailty": {"group": lambda s: s.batch, "variance": lambda s: 0.4},
}


def _first_annotation(function: Callable[..., Any]) -> str:
    parameters = list(inspect.signature(function).parameters.values())
    return str(parameters[0].annotation) if parameters else ""


def _estimators() -> dict[str, Callable[..., Any]]:
    public = {name: getattr(survival, name) for name in survival.__all__}
    functions = {name: f for name, f in public.items() if inspect.isfunction(f)}
    return {name: f for name, f in sorted(functions.items()) if "Surv" in _first_annotation(f).split("[")[0]}


ESTIMATORS = _estimators()
EVERY = sorted(ESTIMATORS)
# Helpers that hand rows back have tests of their own; here they are only tried with impossible input.
GIVES_ROWS: set[str] = {name for name in ("split_at", "landmark", "time_dependent") if name in ESTIMATORS}
# Draws from a seed follow the order of the rows.
DRAWS_ROWS: set[str] = {name for name in ESTIMATORS if "seed" in inspect.signature(ESTIMATORS[name]).parameters}
# Efron's tied events each count once whatever their weight, so a weight of 2 is not the row twice (nor in R).
EFRON_BY_DEFAULT: set[str] = {
    name
    for name, f in ESTIMATORS.items()
    if getattr(inspect.signature(f).parameters.get("ties"), "default", "") == "efron"
}


def outcome(name: str, sample: Sample) -> Any:
    """Build what the estimator takes."""
    if "IntervalSurv" in _first_annotation(ESTIMATORS[name]) and "Surv |" not in _first_annotation(ESTIMATORS[name]):
        right = np.where(sample.event > 0, sample.time, np.inf)
        left = np.where(sample.event > 0, sample.time - 1, sample.time)
        return survival.IntervalSurv(left, right, weight=sample.weight)  # type: ignore[attr-defined]
    return Surv(sample.time, sample.event, entry=sample.entry, weight=sample.weight)


def call(name: str, sample: Sample, **options: Any) -> Any:
    """Call an estimator with its required arguments, and `options` where it has such parameters."""
    function = ESTIMATORS[name]
    parameters = list(inspect.signature(function).parameters.values())[1:]
    arguments: dict[str, Any] = {}
    for parameter in parameters:
        own = OWN_ARGUMENTS.get(name, {})
        if parameter.name in options:
            arguments[parameter.name] = options[parameter.name]
        elif parameter.name in own:
            arguments[parameter.name] = own[parameter.name](sample)
        elif parameter.default is inspect.Parameter.empty:
            assert parameter.name in ARGUMENTS, f"{name} needs '{parameter.name}': say in ARGUMENTS how it is filled in"
            arguments[parameter.name] = ARGUMENTS[parameter.name](sample)
    return function(outcome(name, sample), **arguments)


def has(name: str, parameter: str) -> bool:
    return parameter in inspect.signature(ESTIMATORS[name]).parameters


def numbers_of(result: Any, path: str = "") -> dict[str, Array]:
    """Lay a result out flat: the path of each public field that holds numbers, and the numbers."""
    if isinstance(result, (Surv, str)) or result is None or type(result).__name__ in ("EventTable", "IntervalSurv"):
        return {}
    if dataclasses.is_dataclass(result):
        flat = {}
        for field in dataclasses.fields(result):
            # Steps taken may differ by rounding; the rows that a result keeps are no result.
            if not field.name.startswith("_") and field.name not in ("iterations", "source"):
                flat |= numbers_of(getattr(result, field.name), f"{path}.{field.name}")
        return flat
    if isinstance(result, dict):
        return {k: v for key, value in result.items() for k, v in numbers_of(value, f"{path}[{key}]").items()}
    if isinstance(result, (tuple, list)):
        return {k: v for i, value in enumerate(result) for k, v in numbers_of(value, f"{path}[{i}]").items()}
    array = np.asarray(result)
    return {path: array.astype(np.float64)} if array.dtype.kind in "fiub" else {}


def assert_same(a: Any, b: Any, what: str) -> None:
    ours, theirs = numbers_of(a), numbers_of(b)
    assert ours.keys() == theirs.keys(), what
    for path, values in ours.items():
        other = theirs[path]
        assert values.shape == other.shape, f"{what}{path}: shape {values.shape} and {other.shape}"
        size = np.abs(values[np.isfinite(values)]).max(initial=1e-12)
        assert np.allclose(values, other, rtol=1e-6, atol=1e-6 * min(1.0, size) + 1e-9, equal_nan=True), f"{what}{path}"


def settled(result: Any) -> bool:
    """Tell whether a result is free of warnings and of coefficients that run away, so that it can be compared."""
    told = getattr(result, "warnings", ())
    coefficient = np.asarray(getattr(result, "coefficient", 0.0), dtype=np.float64)
    return not told and bool((np.abs(coefficient) < 6).all())


@st.composite
def samples(draw: st.DrawFn, *, delayed: bool = False, counted: bool = False) -> Sample:
    n = draw(st.integers(8, 24))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))  # noqa: E731
    time, event, group = numbers(1, 10), numbers(0, 2), numbers(0, 1)
    assume((event == 1).any() and group.any() and not group.all())
    x = np.column_stack((group, numbers(-4, 4) / 2.0))
    return Sample(
        time=time,
        event=event,
        group=group,
        x=x,
        batch=numbers(0, 3),
        entry=np.minimum(numbers(0, 5), time - 1) if delayed else None,
        weight=numbers(1, 3) if counted else None,
    )


def attempt(name: str, sample: Sample, **options: Any) -> Any:
    """Call an estimator; an example that it refuses (with a sentence) is no example of the law."""
    try:
        result = call(name, sample, **options)
    except EngineError:
        assume(False)
    assume(settled(result))
    return result


def test_the_estimators_are_found() -> None:
    of_tables = {name for name in EVERY if "EventTable" in _first_annotation(ESTIMATORS[name])}
    assert {"kaplan_meier", "follow_up", "logrank_test", "fit_cox"} <= of_tables


@pytest.mark.parametrize("name", EVERY)
@given(data=st.data())
@settings(max_examples=25)
def test_numbers_keep_their_bounds(name: str, data: st.DataObject) -> None:
    flat = numbers_of(attempt(name, data.draw(samples())))
    assert flat or name in GIVES_ROWS
    for path, values in flat.items():
        known = values[~np.isnan(values)]
        if path.endswith(("p_value", "survival", "incidence", "event_free")):
            assert ((known >= -1e-12) & (known <= 1 + 1e-12)).all(), path
        if path.endswith(("standard_error", "chi_square", "at_risk", "n_events", "cumulative_hazard")):
            assert (known >= 0).all(), path


@pytest.mark.parametrize("name", sorted(set(EVERY) - GIVES_ROWS - DRAWS_ROWS))
@given(data=st.data())
@settings(max_examples=25)
def test_the_order_of_the_rows_means_nothing(name: str, data: st.DataObject) -> None:
    sample = data.draw(samples())
    order = np.random.default_rng(data.draw(st.integers(0, 999))).permutation(len(sample))
    assert_same(attempt(name, sample), call(name, sample.rows(order)), name)


@pytest.mark.parametrize("name", sorted(n for n in EVERY if has(n, "strata") and n not in GIVES_ROWS))
@given(data=st.data())
@settings(max_examples=25)
def test_one_constant_stratum_is_no_stratum(name: str, data: st.DataObject) -> None:
    sample = data.draw(samples())
    one = np.array(["only"] * len(sample))
    assert_same(attempt(name, sample), call(name, sample, strata=one), name)


@pytest.mark.parametrize("name", sorted(set(EVERY) - GIVES_ROWS - DRAWS_ROWS))
@given(data=st.data())
@settings(max_examples=25)
def test_a_counted_weight_is_that_many_rows(name: str, data: st.DataObject) -> None:
    sample = data.draw(samples(counted=True))
    assert sample.weight is not None
    options = {"ties": "breslow"} if name in EFRON_BY_DEFAULT else {}
    copies = sample.replace(weight=None).rows(np.repeat(np.arange(len(sample)), sample.weight))
    a, b = numbers_of(attempt(name, sample, **options)), numbers_of(call(name, copies, **options))
    # Rows and events are counted as they lie there, a weight being no row; copies of a row are a pair tied in all.
    counts = (".n", ".n_events", ".n_rows", ".n_competing", ".n_censored", ".n_at_time_zero", ".tied_both")
    # Its error is the jackknife's whatever the weights (as in R): the weighted row, not each copy, is left out.
    jackknife = (".standard_error", ".low", ".high") if name in ("concordance", "uno_concordance") else ()
    for path in a.keys() & b.keys():
        if not path.endswith((*counts, *jackknife)):
            assert a[path].shape == b[path].shape, path
            assert np.allclose(a[path], b[path], rtol=1e-6, atol=1e-8, equal_nan=True), f"{name}{path}"


@pytest.mark.parametrize("name", sorted(n for n in EVERY if "EventTable" in _first_annotation(ESTIMATORS[n])))
@given(data=st.data())
@settings(max_examples=25)
def test_a_table_gives_what_its_rows_give(name: str, data: st.DataObject) -> None:
    sample = data.draw(samples(delayed=data.draw(st.booleans()), counted=data.draw(st.booleans())))
    pattern = sample.x if has(name, "x") else sample.group if has(name, "group") else None
    table = survival.EventTable.from_arrays(
        sample.time, sample.event, pattern=pattern, stratum=sample.batch, entry=sample.entry, weight=sample.weight
    )
    one_a_pattern = {p: table.patterns for p in ("x", "group") if has(name, p)}
    for one_a_row, one_a_stratum in ((None, None), (sample.batch, table.strata)):
        if one_a_row is not None and not has(name, "strata"):
            continue
        rows = attempt(name, sample, strata=one_a_row)
        given_by_name = {"strata": one_a_stratum} if has(name, "strata") else {}
        required = [p.name for p in inspect.signature(ESTIMATORS[name]).parameters.values() if p.default is p.empty][1:]
        more = {p: ARGUMENTS[p](sample) for p in required if p not in one_a_pattern}
        assert_same(rows, ESTIMATORS[name](table, **one_a_pattern, **more, **given_by_name), name)


@pytest.mark.parametrize("name", sorted(n for n in EVERY if has(n, "group") and n not in DRAWS_ROWS))
@given(data=st.data())
@settings(max_examples=25)
def test_relabelled_groups_keep_the_test(name: str, data: st.DataObject) -> None:
    sample = data.draw(samples())
    named = sample.replace(group=np.array(["zero", "low"])[sample.group])
    a, b = attempt(name, sample), call(name, named)
    for path in ("chi_square", "p_value", "df"):
        if hasattr(a, path):
            assert np.allclose(getattr(a, path), getattr(b, path), rtol=1e-6, atol=1e-9, equal_nan=True), path


BATCH = np.arange(8) // 2
BAD_LABELS = {"group", "strata", "cluster"}


@pytest.mark.parametrize("name", EVERY)
def test_arguments_of_another_length_are_refused(name: str) -> None:
    sample = Sample(np.arange(1, 9), np.array([1, 0, 1, 2, 1, 0, 1, 1]), np.arange(8) % 2, np.eye(8)[:, :2], BATCH)
    for parameter in inspect.signature(ESTIMATORS[name]).parameters:
        short = {"group": sample.group[:-1], "strata": sample.group[:-1], "cluster": sample.group[:-1]}
        short |= {"x": sample.x[:-1], "marker": sample.x[:-1, 0], "score": sample.x[:-1, 0], "offset": np.ones(7)}
        if parameter in short:
            with pytest.raises(EngineError):
                call(name, sample, **{parameter: short[parameter]})
        if parameter in BAD_LABELS:
            for missing in (np.array([*"abcdefg", None], dtype=object), np.array([*range(7), np.nan])):
                with pytest.raises(EngineError):
                    call(name, sample, **{parameter: missing})
        if parameter in ("x", "marker", "score", "offset"):
            for missing in (np.nan, np.inf):
                broken = np.array(ARGUMENTS.get(parameter, lambda s: np.ones(8))(sample), dtype=np.float64)
                broken[3] = missing
                with pytest.raises(EngineError):
                    call(name, sample, **{parameter: broken})


N = 8
ONES = np.ones(N, dtype=np.int64)
USUAL = Sample(
    np.array([5, 6, 6, 2, 4, 4, 7, 9]),
    np.array([1, 0, 1, 2, 1, 0, 1, 1]),
    np.arange(N) % 2,
    np.column_stack((np.arange(N) % 2, np.array([3.0, 1, 4, 1, 5, 9, 2, 6]))),
    BATCH,
)
DEGENERATE = {
    "no row": USUAL.rows(np.arange(0)),
    "one patient": USUAL.rows(np.arange(1)),
    "one patient, censored": USUAL.replace(event=0 * ONES).rows(np.arange(1)),
    "two patients": USUAL.rows(np.arange(2)),
    "all censored": USUAL.replace(event=0 * ONES),
    "only another cause": USUAL.replace(event=2 * ONES),
    "all events": USUAL.replace(event=ONES),
    "all events at one time": USUAL.replace(time=3 * ONES, event=ONES),
    "events at time 0": USUAL.replace(time=np.array([0, 0, 6, 2, 4, 4, 7, 9])),
    "all at time 0": USUAL.replace(time=0 * ONES),
    "one group": USUAL.replace(group=0 * ONES),
    "a group for each": USUAL.replace(group=np.arange(N)),
    "constant columns": USUAL.replace(x=np.ones((N, 2))),
    "aliased columns": USUAL.replace(x=np.column_stack((USUAL.x[:, 1], 2 * USUAL.x[:, 1]))),
    "no columns": USUAL.replace(x=np.empty((N, 0))),
    "separated": USUAL.replace(x=np.column_stack((USUAL.time, USUAL.group)).astype(float)),
    "offset by 1e7": USUAL.replace(x=USUAL.x + 1e7),
    "one value far out": USUAL.replace(x=USUAL.x * np.where(np.arange(N)[:, None] == 2, 1e12, 1.0)),
    "fractional weights": USUAL.replace(weight=np.linspace(0.3, 2.2, N)),
    "huge weights": USUAL.replace(weight=np.linspace(1e9, 2e9, N)),
    "late entry": USUAL.replace(entry=USUAL.time - 1),
    "fractional times": USUAL.replace(time=USUAL.time / 7.0),
    "huge times": USUAL.replace(time=USUAL.time * 1e12),
    "tiny times": USUAL.replace(time=USUAL.time * 1e-12),
}


def _tried(name: str, sample: Sample) -> tuple[Any, str]:
    try:
        return call(name, sample), ""
    except EngineError as refusal:
        return None, str(refusal)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("kind", DEGENERATE)
def test_degenerate_data_give_a_sentence_or_numbers_within_bounds(name: str, kind: str) -> None:
    sample = DEGENERATE[kind]
    if kind == "no columns" and not has(name, "x"):
        pytest.skip("takes no columns")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result, refusal = _tried(name, sample)
    if refusal:
        assert len(refusal) > 20
        assert "\n" not in refusal
        return
    for path, values in numbers_of(result).items():
        known = values[~np.isnan(values)]
        if path.endswith(("p_value", "survival", "incidence")):
            assert ((known >= -1e-12) & (known <= 1 + 1e-12)).all(), path
        if path.endswith(("standard_error", "chi_square")):
            assert (known >= 0).all(), path
    coefficient = getattr(result, "coefficient", None)
    if coefficient is not None and np.isnan(np.asarray(coefficient, dtype=np.float64)).any():
        assert result.warnings, "a coefficient is missing and no warning says why"


@pytest.mark.parametrize("name", EVERY)
def test_arrays_are_not_written_to(name: str) -> None:
    sample = USUAL.replace(time=USUAL.time.astype(float), x=USUAL.x.copy(), group=USUAL.group.copy())
    before = {
        f.name: np.copy(getattr(sample, f.name)) for f in dataclasses.fields(sample) if f.name in ("time", "x", "group")
    }
    call(name, sample)
    for field, values in before.items():
        assert np.array_equal(getattr(sample, field), values), field


@pytest.mark.parametrize("name", sorted(DRAWS_ROWS))
def test_a_seed_gives_the_same_numbers_again(name: str) -> None:
    first, second, other = call(name, USUAL), call(name, USUAL), call(name, USUAL, seed=12)
    for path, values in numbers_of(first).items():
        assert np.array_equal(values, numbers_of(second)[path], equal_nan=True), path
    assert other is not None
