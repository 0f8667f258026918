"""Where rows stand among the distinct event times, for many rows: nothing is sorted but rows of very many strata."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from riskset.survival._types import AnyArray, BoolArray, IntArray
from riskset.survival.kernels import load, on_all_cores
from riskset.survival.surv import Surv

# Rows that one call of a kernel takes, so that parts keep several cores busy.
_ROWS_IN_PART = 1 << 16
# A table over all (stratum, time) pairs is built where it has at most this many places, or this many a row.
_SMALL_TABLE = 1 << 20
_PLACES_A_ROW = 4


@dataclass(frozen=True, slots=True, eq=False)
class RiskPlaces:
    """The K distinct (stratum, event time) pairs, and between which of them each of the n rows is at risk.

    Attributes
    ----------
    begins : array of shape (K,), whether an event time is the first of its stratum
    exit_at : int32 array of shape (n,), the last event time at which a row is at risk; -1 where it never is
    entry_at : int32 array of shape (n,), or (0,) without delayed entry
        The last event time of the stratum until the row's entry, -1 where there is none.
    event : array of shape (n,), 1 where the row ends in an event, else 0
    count : array of shape (K,), rows with an event at each event time
    """

    begins: BoolArray
    exit_at: AnyArray
    entry_at: AnyArray
    event: AnyArray
    count: AnyArray

    def __len__(self) -> int:
        return int(self.begins.shape[0])


def risk_places(surv: Surv, strata: IntArray | None, n_strata: int) -> RiskPlaces:
    """Place the rows of `surv` with stratum codes `strata` (n,), one stratum when None; needs at least one event."""
    n = len(surv)
    place = fixed(surv.place)
    entry = fixed(np.zeros(0, dtype=place.dtype) if surv.entry_place is None else surv.entry_place)
    codes = fixed(np.zeros(0, dtype=np.int64) if strata is None else strata)
    event = fixed(surv.is_event.view(np.uint8))
    exit_at, entry_at = np.empty(n, dtype=np.int32), np.empty(entry.shape[0], dtype=np.int32)
    if n_strata * surv.axis <= max(_SMALL_TABLE, _PLACES_A_ROW * n):
        begins, count = _look_up(place, entry, codes, event, (n_strata, surv.axis), exit_at, entry_at)
    else:
        begins, count = _sort(place, entry, codes, event, (n_strata, surv.axis), exit_at, entry_at)
    return RiskPlaces(fixed(begins), fixed(exit_at), fixed(entry_at), event, count)


def _look_up(
    place: IntArray,
    entry: IntArray,
    strata: IntArray,
    event: AnyArray,
    shape: tuple[int, int],
    exit_at: AnyArray,
    entry_at: AnyArray,
) -> tuple[BoolArray, AnyArray]:
    kernel, width = load("cox_grid"), shape[1]
    counts = np.zeros(shape, dtype=np.int32)
    kernel.count_events(place, event, strata, width, counts.reshape(-1))
    seen = np.cumsum(counts > 0, axis=1, dtype=np.int32)
    before = np.concatenate(([0], np.cumsum(seen[:, -1])[:-1]))
    latest = np.where(seen > 0, seen + before[:, None] - 1, -1).astype(np.int32).reshape(-1)
    on_all_cores(
        lambda part: kernel.look_up(place, entry, strata, width, latest, *part, exit_at, entry_at),
        row_parts(place.shape[0]),
    )
    return (seen == 1)[counts > 0], counts[counts > 0].astype(np.int64)


def _sort(
    place: IntArray,
    entry: IntArray,
    strata: IntArray,
    event: AnyArray,
    shape: tuple[int, int],
    exit_at: AnyArray,
    entry_at: AnyArray,
) -> tuple[BoolArray, AnyArray]:
    kernel, n = load("cox_grid"), place.shape[0]
    event_place, event_stratum = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    order = _order(place, strata, shape)
    found = kernel.walk_times(place, event, strata, order, exit_at, event_place, event_stratum)
    event_place, event_stratum = event_place[:found].copy(), event_stratum[:found].copy()
    if entry.shape[0]:
        order = _order(entry, strata, shape)
        kernel.walk_entries(entry, strata, order, event_place, event_stratum, exit_at, entry_at)
    begins = np.concatenate(([True], np.diff(event_stratum) > 0))
    return begins, np.bincount(exit_at[event > 0], minlength=found)


def _order(place: IntArray, strata: IntArray, shape: tuple[int, int]) -> IntArray:
    kernel = load("cox_grid")
    by_place, by_stratum = np.empty(place.shape[0], dtype=np.int64), np.empty(place.shape[0], dtype=np.int64)
    kernel.sort_stably(place, shape[1], np.arange(place.shape[0]), by_place)
    kernel.sort_stably(strata, shape[0], by_place, by_stratum)
    return by_stratum


def row_parts(n: int, most: int = 1 << 10) -> list[tuple[int, int]]:
    """Cut n rows into equal parts, their number depending on n alone and at most `most`."""
    number = max(1, min(most, n // _ROWS_IN_PART))
    bounds = [n * k // number for k in range(number + 1)]
    return list(pairwise(bounds))


def fixed(array: AnyArray) -> AnyArray:
    """Give a read-only view: kernels are compiled once for read-only inputs, whoever owns them."""
    view = array.view()
    view.flags.writeable = False
    return view
