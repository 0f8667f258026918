"""Censored times as arrays: what every estimator of the engine takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._types import BoolArray, FloatArray, IntArray

# Times closer than this, absolutely or relative to the mean time, are one time, as R's `timefix` has it.
TIME_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, init=False, eq=False, slots=True)
class Surv:
    """Right-censored times, with delayed entry and case weights where given.

    A row is at risk at time t when `entry < t <= time`; without `entry` it is at risk from the start, time 0 included.
    Where an event and a censoring share a time the event comes first. Float times that differ by rounding alone are
    merged as R's `timefix` does. The arrays are copies and cannot be written to.

    Parameters
    ----------
    time : array of shape (n,)
        Time of event or censoring, from time zero, in any one unit (days in riskset). Zero is legal.
    event : array of shape (n,)
        0 (or False) = censored, k = 1, 2, ... (or True) = event of cause k. Kaplan-Meier, log-rank and Cox count every
        cause as the event; pass `event == k` for one cause.
    entry : array of shape (n,), optional
        Delayed entry (left truncation) or the start of a start-stop row: not negative, and less than `time`.
    weight : array of shape (n,), optional
        Case weights, greater than zero.

    Raises
    ------
    EngineError
        Unequal lengths, arrays that are not one-dimensional, missing or infinite numbers, a negative time, a code of
        event that is no whole number, `entry >= time`, a weight that is not positive.
    """

    time: FloatArray
    event: IntArray
    entry: FloatArray | None
    weight: FloatArray | None

    def __init__(
        self,
        time: ArrayLike,
        event: ArrayLike,
        *,
        entry: ArrayLike | None = None,
        weight: ArrayLike | None = None,
    ) -> None:
        times = numbers(time, "time")
        n = times.shape[0]
        codes = _event_codes(event, n)
        starts = None if entry is None else numbers(entry, "entry", n)
        weights = None if weight is None else numbers(weight, "weight", n)
        if (times < 0).any():
            raise EngineError("time holds a negative number; start each row at its time zero, or leave the row out")
        if starts is not None:
            if (starts < 0).any():
                raise EngineError("entry holds a negative number; entry is counted from time zero like time")
            if (starts >= times).any():
                raise EngineError("a row enters at or after its own time; entry must be less than time in every row")
        if weights is not None and (weights <= 0).any():
            raise EngineError("weight holds a number that is not positive; leave such rows out with subset")
        times, starts = _merge_near_equal(times, starts)
        self._set(times, codes, starts, weights)

    def _set(self, time: FloatArray, event: IntArray, entry: FloatArray | None, weight: FloatArray | None) -> None:
        for name, array in (("time", time), ("event", event), ("entry", entry), ("weight", weight)):
            if array is not None:
                array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return int(self.time.shape[0])

    def __repr__(self) -> str:
        more = [name for name in ("entry", "weight") if getattr(self, name) is not None]
        return f"Surv({len(self)} rows, {int(self.is_event.sum())} events{''.join(f', {m}' for m in more)})"

    @property
    def is_event(self) -> BoolArray:
        """Whether each row ends in an event, of any cause."""
        return np.asarray(self.event > 0)

    @property
    def weight_or_one(self) -> FloatArray:
        """The case weights, ones where none were given."""
        return np.ones(len(self)) if self.weight is None else self.weight

    @property
    def has_fractional_weights(self) -> bool:
        """Whether the weights are more than counts of identical rows, so that variances must be robust ones."""
        return self.weight is not None and bool((self.weight != np.floor(self.weight)).any())

    def subset(self, mask: ArrayLike) -> Surv:
        """Give the rows that `mask` selects, with entry, weights and merged times kept.

        Parameters
        ----------
        mask : bool array of shape (n,), or array of row numbers
        """
        rows = np.asarray(mask)
        if rows.dtype == np.bool_ and rows.shape != self.time.shape:
            raise EngineError(f"the mask has shape {rows.shape} and the times {self.time.shape}; give one flag a row")
        return self._with(rows, self.event[rows])

    def as_event(self, flags: BoolArray) -> Surv:
        """Give the same rows with `flags` (shape (n,)) as their events: one cause, or reverse Kaplan-Meier."""
        return self._with(np.arange(len(self)), flags.astype(np.int64))

    def _with(self, rows: IntArray | BoolArray, event: IntArray) -> Surv:
        new = object.__new__(Surv)
        pick = [None if a is None else a[rows] for a in (self.entry, self.weight)]
        new._set(self.time[rows], event.copy(), pick[0], pick[1])
        return new


def numbers(values: ArrayLike, name: str, n: int | None = None) -> FloatArray:
    """Give `values` as a fresh one-dimensional float array of length `n`, or refuse them by `name`."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise EngineError(f"{name} holds something that is not a number; give an array of numbers") from None
    if array.ndim != 1:
        raise EngineError(f"{name} has {array.ndim} dimensions; give a one-dimensional array")
    if n is not None and array.shape[0] != n:
        raise EngineError(f"{name} has {array.shape[0]} rows and time has {n}; give them the same length")
    if not np.isfinite(array).all():
        raise EngineError(f"{name} holds a missing or infinite number; leave such rows out before")
    return array


def _event_codes(event: ArrayLike, n: int) -> IntArray:
    codes = numbers(event, "event", n)
    if (codes < 0).any() or (codes != np.rint(codes)).any():
        raise EngineError("event holds something else than 0, 1, 2, ...; code 0 = censored and k = event of cause k")
    return codes.astype(np.int64)


def _merge_near_equal(time: FloatArray, entry: FloatArray | None) -> tuple[FloatArray, FloatArray | None]:
    """Replace each run of times that differ by less than the tolerance by its first, as R's `aeqSurv`."""
    every = time if entry is None else np.concatenate((time, entry))
    # Whole days lie at least 1 apart, so they can never be merged: spare the sort.
    if every.size == 0 or (np.abs(every).max() < 1e7 and np.array_equal(every, np.rint(every))):
        return time, entry
    distinct = np.unique(every)
    gap = np.diff(distinct)
    tied = (gap <= TIME_TOLERANCE) | (gap / np.abs(distinct).mean() <= TIME_TOLERANCE)
    if not tied.any():
        return time, entry
    cuts = distinct[np.concatenate(([True], ~tied))]
    merged = cuts[np.searchsorted(cuts, time, side="right") - 1]
    if entry is None:
        return merged, None
    starts = cuts[np.searchsorted(cuts, entry, side="right") - 1]
    if (starts >= merged).any():
        raise EngineError("a row's entry and time differ by rounding alone; leave such rows out or round the times")
    return merged, starts
