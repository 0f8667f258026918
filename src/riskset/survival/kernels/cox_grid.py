"""Kernels that place rows among the distinct event times of their strata."""

from __future__ import annotations

import numpy as np
from numba import njit

from riskset.survival._types import AnyArray


@njit(cache=True, nogil=True)
def count_events(place: AnyArray, event: AnyArray, strata: AnyArray, width: int, counts: AnyArray) -> None:
    """Count the events at each place into `counts` (strata * width,), stratum after stratum."""
    stratified = strata.shape[0] > 0
    for i in range(place.shape[0]):
        begin = strata[i] * width if stratified else 0
        counts[begin + place[i]] += event[i]


@njit(cache=True, nogil=True)
def look_up(
    place: AnyArray,
    entry: AnyArray,
    strata: AnyArray,
    width: int,
    latest: AnyArray,
    start: int,
    stop: int,
    exit_at: AnyArray,
    entry_at: AnyArray,
) -> None:
    """Look up each row's event times in `latest` (strata * width,): the last event time until each place, or -1."""
    stratified = strata.shape[0] > 0
    delayed = entry.shape[0] > 0
    for i in range(start, stop):
        begin = strata[i] * width if stratified else 0
        last = latest[begin + place[i]]
        if delayed:
            before = latest[begin + entry[i]]
            if before == last:
                before = -1
                last = -1
            entry_at[i] = before
        exit_at[i] = last


@njit(cache=True, nogil=True)
def sort_stably(key: AnyArray, buckets: int, order: AnyArray, out: AnyArray) -> None:
    """Write the rows `order` into `out`, sorted by `key[row]` (0 .. buckets - 1), equal ones in the order given."""
    place = np.zeros(buckets + 1, dtype=np.int64)
    for i in range(order.shape[0]):
        place[key[order[i]] + 1] += 1
    for k in range(buckets):
        place[k + 1] += place[k]
    for i in range(order.shape[0]):
        row = order[i]
        k = key[row]
        out[place[k]] = row
        place[k] += 1


@njit(cache=True, nogil=True)
def walk_times(
    place: AnyArray,
    event: AnyArray,
    strata: AnyArray,
    order: AnyArray,
    exit_at: AnyArray,
    event_place: AnyArray,
    event_stratum: AnyArray,
) -> int:
    """Go along the rows in `order` of (stratum, place): give the number of event times, and the rows' last one."""
    n = order.shape[0]
    found, before, stratum, i = 0, 0, -1, 0
    while i < n:
        if strata[order[i]] != stratum:
            stratum = strata[order[i]]
            before = found
        now = place[order[i]]
        stop = i
        has_event = False
        while stop < n and place[order[stop]] == now and strata[order[stop]] == stratum:
            has_event = has_event or event[order[stop]] > 0
            stop += 1
        if has_event:
            event_place[found] = now
            event_stratum[found] = stratum
            found += 1
        last = found - 1 if found > before else -1
        while i < stop:
            exit_at[order[i]] = last
            i += 1
    return found


@njit(cache=True, nogil=True)
def walk_entries(
    entry: AnyArray,
    strata: AnyArray,
    order: AnyArray,
    event_place: AnyArray,
    event_stratum: AnyArray,
    exit_at: AnyArray,
    entry_at: AnyArray,
) -> None:
    """Go along the rows in `order` of (stratum, entry): the last event time of the stratum until each entry, or -1."""
    times = event_place.shape[0]
    k = 0
    for i in range(order.shape[0]):
        row = order[i]
        stratum = strata[row]
        while k < times and (
            event_stratum[k] < stratum or (event_stratum[k] == stratum and event_place[k] <= entry[row])
        ):
            k += 1
        before = k - 1
        if before >= 0 and event_stratum[before] < stratum:
            before = -1
        if before == exit_at[row]:
            before = -1
            exit_at[row] = -1
        entry_at[row] = before
