"""A table of counts gives what the rows give, however they were cut; and what cannot be counted is refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import EventTable, KaplanMeier, Surv, follow_up, kaplan_meier
from riskset.survival import event_tally as tally
from riskset.survival.event_tally import Totals
from riskset.survival.group_counts import GroupCounts, group_counts

from .helpers import assert_close

CURVE = ("time", "at_risk", "events", "censored", "survival", "standard_error", "low", "high")


class Rows(NamedTuple):
    """Arguments of `EventTable.from_arrays`, in the order of a chunk."""

    time: NDArray[Any]
    event: NDArray[Any]
    pattern: NDArray[Any]
    stratum: NDArray[Any]
    entry: NDArray[Any] | None
    weight: NDArray[Any] | None

    def part(self, rows: NDArray[Any] | slice) -> Rows:
        columns: list[Any] = [None if a is None else a[rows] for a in self]
        return Rows(*columns)

    @property
    def table(self) -> EventTable:
        return EventTable.from_chunks([self])

    @property
    def surv(self) -> Surv:
        return Surv(self.time, self.event, entry=self.entry, weight=self.weight)


@st.composite
def rows(draw: st.DrawFn, *, least: int = 1) -> Rows:
    """Draw tied days, time 0 too, with two causes, two binary covariates and up to three strata."""
    n = draw(st.integers(least, 40))

    def whole(low: int, high: int) -> NDArray[Any]:
        return np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))

    delayed, weighted = draw(st.booleans()), draw(st.booleans())
    time = whole(1, 12) if delayed else whole(0, 12)
    return Rows(
        time=time.astype(draw(st.sampled_from([np.int16, np.int32, np.int64, np.float64]))),
        event=whole(0, 2).astype(draw(st.sampled_from([np.int8, np.int64, np.float64]))),
        pattern=np.column_stack((whole(0, 1), whole(-1, 1) / 2.0)),
        stratum=np.array(["north", "south", "west"])[whole(0, 2)],
        entry=np.minimum(whole(0, 9), time - 1) if delayed else None,
        weight=whole(1, 3) if weighted else None,
    )


def same_table(a: EventTable, b: EventTable) -> None:
    for name in Totals._fields:
        ours, theirs = getattr(a, name), getattr(b, name)
        assert (ours is None) == (theirs is None), name
        assert ours is None or (np.array_equal(ours, theirs) and np.asarray(ours).dtype == np.asarray(theirs).dtype), (
            name
        )


def same_curve(a: KaplanMeier, b: KaplanMeier, tolerance: float = 1e-12) -> None:
    for name in CURVE:
        assert_close(getattr(a, name), getattr(b, name), tolerance, name)
    asked = np.array([0.0, 0.5, 1.0, 3.0, 7.0, 12.0, 13.0])
    for name in ("survival", "low", "high", "at_risk", "standard_error"):
        assert_close(getattr(a.at(asked), name), getattr(b.at(asked), name), tolerance, f"{name} at times")
    ours, theirs = a.rmst(float(a.time[-1]) or 1.0), b.rmst(float(a.time[-1]) or 1.0)
    assert_close([ours.value, ours.standard_error], [theirs.value, theirs.standard_error], tolerance, "rmst")
    assert_close(a.median().value, b.median().value, tolerance, "median")
    assert (a.n, a.n_events, a.n_at_time_zero) == (b.n, b.n_events, b.n_at_time_zero)


def same_counts(a: GroupCounts, b: GroupCounts) -> None:
    assert a.groups == b.groups
    for name in ("stratum", "time", "segment", "at_risk", "events", "n"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


@given(rows())
def test_curves_of_a_table_are_those_of_its_rows(sample: Rows) -> None:
    for estimate in (kaplan_meier, follow_up):
        same_curve(estimate(sample.table), estimate(sample.surv))


@given(rows())
def test_counts_of_groups_of_a_table_are_those_of_its_rows(sample: Rows) -> None:
    table = sample.table
    group = sample.pattern @ [10.0, 1.0]
    of_pattern = table.patterns @ [10.0, 1.0]
    same_counts(group_counts(table, of_pattern), group_counts(sample.surv, group))
    same_counts(group_counts(table, of_pattern, table.strata), group_counts(sample.surv, group, sample.stratum))
    merged = {"north": "a", "south": "b", "west": "a"}
    same_counts(
        group_counts(table, of_pattern, [merged[s] for s in table.strata]),
        group_counts(sample.surv, group, [merged[s] for s in sample.stratum]),
    )


@given(rows(), st.lists(st.integers(0, 40), max_size=4), st.randoms(use_true_random=False))
def test_a_table_does_not_depend_on_how_its_rows_are_cut_or_ordered(sample: Rows, cuts: list[int], chance: Any) -> None:
    n = sample.time.shape[0]
    order = list(range(n))
    chance.shuffle(order)
    edges = [0, *sorted(min(c, n) for c in cuts), n]
    chunks = [sample.part(np.array(order[a:b], dtype=int)) for a, b in pairwise(edges)]
    same_table(EventTable.from_chunks(chunks), sample.table)
    tables = [chunk.table for chunk in chunks if chunk.time.shape[0]]
    same_table(EventTable.from_chunks(tables), sample.table)
    total = tables[0]
    for table in tables[1:]:
        total = table + total
    same_table(total, sample.table)


@given(rows())
def test_a_counted_weight_is_that_many_rows(sample: Rows) -> None:
    weight = np.ones(sample.time.shape[0], dtype=int) if sample.weight is None else sample.weight
    copies = sample._replace(weight=None).part(np.repeat(np.arange(weight.shape[0]), weight)).table
    counted = sample.table
    assert np.array_equal(counted.ending, copies.ending)
    assert np.array_equal(counted.entering, copies.entering)
    for name in ("survival", "standard_error", "at_risk"):
        assert_close(getattr(kaplan_meier(counted), name), getattr(kaplan_meier(copies), name), 1e-12, name)


@given(rows(least=2))
def test_parts_by_pattern_and_stratum_add_up_to_the_whole(sample: Rows) -> None:
    table = sample.table
    parts = [table.subset(patterns=np.arange(len(table.patterns)) == k) for k in range(len(table.patterns))]
    same_table(EventTable.from_chunks(parts), table)
    parts = [table.subset(strata=table.strata == name) for name in table.strata]
    same_table(EventTable.from_chunks(parts), table)
    one = table.patterns[0]
    mine = (sample.pattern == one).all(axis=1)
    same_curve(
        kaplan_meier(table.subset(patterns=(table.patterns == one).all(axis=1))), kaplan_meier(sample.surv.subset(mine))
    )


@given(rows(), st.booleans())
def test_sorted_keys_and_dense_blocks_give_one_table(sample: Rows, small: bool) -> None:
    """With no room for a dense block every cell goes through the sorted keys, added up after each chunk."""
    whole, n = sample.table, sample.time.shape[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "_ALWAYS_DENSE", 40 if small else 0)
        patch.setattr(tally, "_CELLS_A_ROW", 0)
        patch.setattr(tally, "_WAITING", 3)
        same_table(EventTable.from_chunks(sample.part(slice(k, k + 5)) for k in range(0, n, 5)), whole)


def test_a_table_by_hand() -> None:
    table = EventTable.from_arrays(
        [2, 2, 5, 5, 5, 0], [1, 0, 2, 1, 1, 0], pattern=list("baabba"), stratum=[7, 7, 7, 3, 3, 7]
    )
    assert table.strata.tolist() == [3, 7]
    assert table.patterns.tolist() == ["a", "b"]
    cells = list(zip(table.stratum, table.pattern, table.time, strict=True))
    assert cells == [(0, 1, 5), (1, 0, 0), (1, 0, 2), (1, 0, 5), (1, 1, 2)]
    assert table.events.tolist() == [[2, 0], [0, 0], [0, 0], [0, 1], [1, 0]]
    assert table.censored.tolist() == [0, 1, 1, 0, 0]
    assert (table.n, table.n_events, table.n_at_time_zero) == (6, 4, 1)
    assert repr(table) == "EventTable(6 rows, 4 events, 2 strata, 2 patterns, 5 cells)"
    assert table.event_weight is None
    with pytest.raises(ValueError, match="read-only"):
        table.events[0, 0] = 9


def test_weights_may_begin_in_a_later_chunk() -> None:
    table = EventTable.from_chunks([([1, 2], [1, 0]), {"time": [1], "event": [1], "weight": [3]}])
    assert table.event_weight is not None
    assert (table.events.tolist(), table.event_weight.tolist()) == ([[2], [0]], [[4], [0]])
    assert kaplan_meier(table).at_risk.tolist() == [5, 1]
    assert kaplan_meier(table).n == 3


def test_some_may_enter_late_and_others_not() -> None:
    table = EventTable.from_chunks([([3, 5], [1, 0]), {"time": [5, 6], "event": [1, 0], "entry": [0, 4]}])
    curve = kaplan_meier(table)
    assert curve.at_risk.tolist() == [3, 3, 1]
    assert curve.at([0, 3, 4.5]).at_risk.tolist() == [3, 3, 3]


def test_fractional_weights_need_the_rows_of_a_curve_and_count_otherwise() -> None:
    table = EventTable.from_arrays([1, 2], [1, 1], weight=[0.5, 2])
    assert table.has_fractional_weights
    assert (table + EventTable.from_arrays([1], [0])).has_fractional_weights
    for estimate in (kaplan_meier, follow_up):
        with pytest.raises(EngineError, match="need the rows"):
            estimate(table)
    assert group_counts(table, ["all"]).at_risk.tolist() == [[2.5, 2.0]]


def test_degenerate_tables() -> None:
    nobody = EventTable.from_arrays([], [])
    assert (nobody.n, len(nobody.time), nobody.events.shape) == (0, 0, (0, 1))
    with pytest.raises(EngineError, match="there is no row"):
        kaplan_meier(nobody)
    one = EventTable.from_arrays([3], [1])
    same_table(nobody + one, one)
    assert kaplan_meier(one).survival.tolist() == [0]
    alive = EventTable.from_arrays([4, 4], [0, 0], pattern=["x", "y"])
    assert kaplan_meier(alive).survival.tolist() == [1]
    assert group_counts(alive).time.shape == (0,)
    far = EventTable.from_arrays([2_000_000_000, 5], [1, 0])
    assert far.time.tolist() == [5, 2_000_000_000]


def test_many_patterns_and_far_days_are_counted_like_few() -> None:
    rng = np.random.default_rng(3)
    n = 5000
    sample = Rows(rng.integers(1, 10**6, n), rng.integers(0, 2, n), rng.integers(0, 3000, n), np.full(n, 1), None, None)
    assert sample.table.n == n
    same_curve(kaplan_meier(sample.table), kaplan_meier(sample.surv))
    same_table(EventTable.from_chunks(sample.part(slice(k, k + 700)) for k in range(0, n, 700)), sample.table)
    same_counts(group_counts(sample.table, None, [1]), group_counts(sample.surv, sample.pattern, sample.stratum))


@pytest.mark.parametrize(
    ("chunk", "says"),
    [
        (([1.5, 2], [1, 0]), "time holds a part of a day"),
        (([1, 2], [1, 0], None, None, [0, 0.5]), "entry holds a part of a day"),
        (([1, np.nan], [1, 0]), "time holds a missing"),
        (([1, np.inf], [1, 0]), "time holds a missing or infinite"),
        (([-1, 2], [1, 0]), "time holds a negative"),
        (([1, 2], [1, 0], None, None, [-1, 0]), "entry holds a negative"),
        (([1, 2], [1, 0], None, None, [1, 0]), "entry must be less than time"),
        (([1, 2**31], [1, 0]), "beyond 2147483646"),
        (([1, 2], [1]), "event has 1 rows and time has 2"),
        (([1, 2], [1, 0.5]), "event holds something else"),
        (([1, 2], [1, None]), "event holds a missing"),
        (([1, 2], [1, 128]), "event holds something else than 0, 1, ..., 127"),
        (([1, 2], [1, 0], None, None, None, [1, 0]), "not positive"),
        (([1, 2], [1, 0], None, None, None, [1]), "weight has 1 rows"),
        ((["a", 2], [1, 0]), "time holds something that is not a number"),
        (([[1], [2]], [1, 0]), "time has 2 dimensions"),
        (([1, 2], [1, 0], ["a"]), "pattern has shape"),
        (([1, 2], [1, 0], ["a", None]), "pattern holds a missing label"),
        (([1, 2], [1, 0], [[1.0], [np.nan]]), "pattern holds a missing label"),
        (([1, 2], [1, 0], [["a"], ["b"]]), "turn factors into dummy columns"),
        (([1, 2], [1, 0], None, ["a"]), "stratum has shape"),
        ({"time": [1], "events": [1]}, "did you mean 'event'"),
        ({"time": [1]}, "lacks time or event"),
        (7, "neither an event table nor"),
    ],
)
def test_what_cannot_be_counted_is_refused(chunk: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        EventTable.from_chunks([chunk])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: EventTable.from_chunks([]), "there is no chunk"),
        (lambda t: t + EventTable.from_arrays([1], [1]), "a pattern and some none"),
        (lambda t: t + EventTable.from_arrays([1], [1], pattern=[[1.0]], stratum=[1]), "another shape"),
        (lambda t: t + EventTable.from_arrays([1], [1], pattern=[5], stratum=["s"]), "mixes kinds"),
        (lambda t: group_counts(t, ["x"]), "one label a pattern"),
        (lambda t: group_counts(t, None, ["x", "y"]), "one label a stratum"),
        (lambda t: group_counts(EventTable.from_arrays([1], [1])), "give group"),
        (lambda t: group_counts(Surv([1], [1])), "rows need a group"),
        (lambda t: t.subset(patterns=[True]), "patterns must be 2 flags"),
        (lambda t: t.subset(strata=[False]), "no cell"),
    ],
)
def test_impossible_questions_to_a_table_are_refused(call: Callable[[EventTable], Any], says: str) -> None:
    table = EventTable.from_arrays([1, 2], [1, 0], pattern=["a", "b"], stratum=["s", "s"])
    with pytest.raises(EngineError, match=says):
        call(table)


def test_a_surv_tells_how_many_rows_end_at_time_zero() -> None:
    assert Surv([0, 0, 1], [1, 0, 1]).n_at_time_zero == 2
    assert Surv([0.0, 0.25, 1.5], [1, 0, 1]).n_at_time_zero == 1
    assert Surv([1, 2], [1, 0]).n_at_time_zero == 0
    assert Surv([], []).n_at_time_zero == 0
    assert kaplan_meier(Surv([0, 0, 1], [1, 0, 1])).n_at_time_zero == 2


def test_covariates_of_many_values_are_patterns_too() -> None:
    rng = np.random.default_rng(4)
    n = 20_000
    x = np.column_stack((rng.integers(0, 300, n), rng.normal(size=n).round(3), rng.integers(0, 2, n)))
    table = EventTable.from_arrays(np.ones(n), np.ones(n), pattern=x, stratum=rng.integers(0, 500, n))
    assert np.array_equal(table.patterns, np.unique(x, axis=0))
    assert table.strata.tolist() == list(range(500))
    assert table.n == n
