"""The distinct event times of each stratum, and which of them each row is at risk at.

Rows at risk at time t are those with `entry < t <= time`. In the order (stratum, time) the event times at which a row
is at risk are a contiguous range [first, last), so every risk-set sum is a cumulative sum and nothing loops over times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskset.survival._types import FloatArray, IntArray
from riskset.survival.surv import Surv

# Where (stratum, time) keys are no more than this, or than a few a row, a table over all of them replaces searching.
_SMALL_TABLE = 1 << 14
_KEYS_A_ROW = 4


@dataclass(frozen=True, slots=True, eq=False)
class EventGrid:
    """K distinct (stratum, event time) pairs, sorted, and the n rows' places among them.

    Attributes
    ----------
    stratum, time : arrays of shape (K,)
    first, last : arrays of shape (n,)
        A row is at risk at the pairs `first <= k < last`; an event row has its event at `last - 1`.
    segment : array of shape (number of strata that have an event,)
        Where each stratum starts among the K pairs.
    """

    stratum: IntArray
    time: FloatArray
    first: IntArray
    last: IntArray
    segment: IntArray

    def __len__(self) -> int:
        return int(self.time.shape[0])

    def count_at_risk(self, weight: FloatArray) -> FloatArray:
        """Sum whole-number `weight` (n,) over each risk set; exact, since sums of whole numbers do not round."""
        size = len(self) + 1
        change = np.bincount(self.first, weight, size) - np.bincount(self.last, weight, size)
        return np.cumsum(change)[:-1]


def event_grid(surv: Surv, strata: IntArray | None = None) -> EventGrid:
    """Build the grid of `surv` with stratum codes `strata` (shape (n,)), one stratum when None.

    Examples
    --------
    >>> from riskset.survival import Surv
    >>> grid = event_grid(Surv([2, 3, 5], [1, 0, 1], entry=[0, 0, 2]))
    >>> grid.time.tolist(), grid.first.tolist(), grid.last.tolist()
    ([2.0, 5.0], [0, 0, 1], [1, 1, 2])
    """
    step = surv.axis + 1
    size = step if strata is None or len(surv) == 0 else step * (int(strata.max()) + 1)
    offset = np.zeros(len(surv), dtype=np.int64) if strata is None else strata * step
    key = offset + surv.place
    start = offset if surv.entry_place is None else offset + surv.entry_place + 1
    keys = key[surv.is_event]
    event_key: IntArray
    first: IntArray
    last: IntArray
    if size <= max(_SMALL_TABLE, _KEYS_A_ROW * len(surv)):
        seen = np.zeros(size, dtype=np.bool_)
        seen[keys] = True
        event_key = np.flatnonzero(seen)
        before: IntArray = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(seen, dtype=np.int64)))
        first, last = before[start], before[1:][key]
    else:
        event_key = np.unique(keys)
        first = np.searchsorted(event_key, start, side="left").astype(np.int64)
        last = np.searchsorted(event_key, key, side="right").astype(np.int64)
    stratum = event_key // step
    # A row that leaves before its stratum's next event time is at risk at none: first = last.
    return EventGrid(stratum, surv.times_at(event_key % step), np.minimum(first, last), last, run_starts(stratum))


def run_starts(stratum: IntArray) -> IntArray:
    """Give where each run of equal numbers starts in the sorted `stratum` (K,)."""
    if stratum.size == 0:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate(([0], np.flatnonzero(np.diff(stratum)) + 1)).astype(np.int64)


def running_sums(values: FloatArray, starts: IntArray, *, backwards: bool = False) -> FloatArray:
    """Sum `values` (K, ...) up to each place, or from it on, anew in each of the runs that begin at `starts`.

    No run's sums pass through another's: where the hazards of one stratum are many times those of the next, a sum over
    both keeps no digit of the smaller.

    Examples
    --------
    >>> running_sums(np.array([1.0, 2.0, 1e20, 3.0, 4.0]), np.array([0, 2, 3]), backwards=True).tolist()
    [3.0, 2.0, 1e+20, 7.0, 4.0]
    """
    if backwards:
        ends = np.append(starts[1:], values.shape[0])
        return running_sums(values[::-1], values.shape[0] - ends[::-1])[::-1]
    if starts.size <= 1:
        return np.asarray(np.cumsum(values, axis=0))
    length = np.diff(np.append(starts, values.shape[0]))
    sums = np.array(values)
    if starts.size <= length.max():
        for begin, end in zip(starts.tolist(), (starts + length).tolist(), strict=True):
            np.cumsum(values[begin:end], axis=0, out=sums[begin:end])
    else:
        # Many short runs, as of matched sets: a step takes all of them one place further.
        for place in range(1, int(length.max())):
            here = starts[length > place] + place
            sums[here] += sums[here - 1]
    return sums
