"""The distinct event times of each stratum, and which of them each row is at risk at.

Rows at risk at time t are those with `entry < t <= time`. In the order (stratum, time) the event times at which a row
is at risk are a contiguous range [first, last), so every risk-set sum is a cumulative sum and nothing loops over times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskset.survival._types import FloatArray, IntArray
from riskset.survival.surv import Surv


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
    """Build the grid of `surv` with stratum codes `strata` (shape (n,)), one stratum when None."""
    distinct, place = np.unique(surv.time, return_inverse=True)
    place = place.reshape(-1)
    step = distinct.shape[0] + 1
    offset = np.zeros(len(surv), dtype=np.int64) if strata is None else strata * step
    key = offset + place
    event_key = np.unique(key[surv.is_event])
    start = offset if surv.entry is None else offset + np.searchsorted(distinct, surv.entry, side="right")
    last = np.searchsorted(event_key, key, side="right")
    # A row that leaves before its stratum's next event time is at risk at none: first = last.
    first = np.minimum(np.searchsorted(event_key, start, side="left"), last)
    stratum = event_key // step
    new = np.flatnonzero(np.diff(stratum)) + 1
    segment = np.concatenate(([0], new)) if event_key.size else np.zeros(0, dtype=np.int64)
    time = distinct[event_key % step] if event_key.size else np.zeros(0)
    return EventGrid(stratum, time, first, last, segment)
