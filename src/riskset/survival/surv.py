"""Censored times as arrays: what every estimator of the engine takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.counting import near_equal_as_one, places_among, whole_numbers

# Times closer than this, absolutely or relative to the mean time, are one time, as R's `timefix` has it.
TIME_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))
# Whole days up to this, or to twice the number of rows, are counted on an axis of days; others are sorted.
_SHORT_AXIS = 4096
# From 7e7 on, neighbouring whole numbers can be near-equal to `timefix`; far below it they never are.
_LONGEST_AXIS = 10_000_000
_MOST_CAUSES = 127
_LARGEST_CODE = 2**31 - 1
_MISSING = "{} holds a missing or infinite number; leave such rows out before"


class Surv:
    """Right-censored times, with delayed entry and case weights where given.

    A row is at risk at time t when `entry < t <= time`; without `entry` it is at risk from the start, time 0 included.
    Where an event and a censoring share a time the event comes first. Float times that differ by rounding alone are
    merged as R's `timefix` does. Nothing that was given is kept or changed: a `Surv` holds its own copies, whole days
    as 32-bit numbers, and hands out arrays that cannot be written to.

    Parameters
    ----------
    time : array of shape (n,)
        Time of event or censoring, from time zero, in any one unit (days in riskset). Zero is legal: such a row counts
        and is at risk at 0; `n_at_time_zero` tells how many there are.
    event : array of shape (n,)
        0 (or False) = censored, k = 1, 2, ... (or True) = event of cause k. Kaplan-Meier, log-rank and Cox count every
        cause as the event; pass `event == k` for one cause.
    entry : array of shape (n,), optional
        Delayed entry (left truncation) or the start of a start-stop row: not negative, and less than `time`.
    weight : array of shape (n,), optional
        Case weights, greater than zero.

    Attributes
    ----------
    time, entry, weight : float arrays of shape (n,), `entry` and `weight` None where not given
    event : int array of shape (n,)

    Raises
    ------
    EngineError
        Unequal lengths, arrays that are not one-dimensional, missing (masked, too) or infinite numbers, dates, a
        negative time, a code of event that is no whole number or beyond 2 147 483 647, `entry >= time`, a weight that
        is not positive.

    Examples
    --------
    >>> from riskset.survival import Surv
    >>> surv = Surv([5, 8, 8, 12], [1, 0, 1, 0], entry=[0, 0, 3, 3])
    >>> surv
    Surv(4 rows, 2 events, entry)
    >>> surv.subset(surv.time > 5).time.tolist()
    [8.0, 8.0, 12.0]
    """

    # Times are held as places on an axis of distinct times in rising order: `_levels`, or 0, 1, 2, ... where that is
    # None (whole days). So nothing that follows has to sort again: it counts by place.
    __slots__ = ("_codes", "_entry", "_entry_place", "_event", "_levels", "_place", "_size", "_time", "_weight")

    _place: AnyArray
    _entry_place: AnyArray | None
    _levels: FloatArray | None
    _size: int
    _codes: AnyArray
    _weight: FloatArray | None
    _time: FloatArray | None
    _entry: FloatArray | None
    _event: IntArray | None

    def __init__(
        self,
        time: ArrayLike,
        event: ArrayLike,
        *,
        entry: ArrayLike | None = None,
        weight: ArrayLike | None = None,
    ) -> None:
        times = as_column(time, "time")
        n = times.shape[0]
        codes = _event_codes(as_column(event, "event", n))
        starts = None if entry is None else as_column(entry, "entry", n)
        weights = None if weight is None else numbers(weight, "weight", n)
        place, entry_place, levels, size = _axis(times, starts)
        if weights is not None and (weights <= 0).any():
            raise EngineError("weight holds a number that is not positive; leave such rows out with subset")
        self._set(place, codes, entry_place, weights, levels, size)

    def _set(
        self,
        place: AnyArray,
        codes: AnyArray,
        entry_place: AnyArray | None,
        weight: FloatArray | None,
        levels: FloatArray | None,
        size: int,
    ) -> None:
        for array in (place, codes, entry_place, weight, levels):
            if array is not None:
                array.flags.writeable = False
        self._place, self._codes, self._entry_place, self._weight = place, codes, entry_place, weight
        self._levels, self._size = levels, size
        self._time = self._entry = self._event = None

    def __len__(self) -> int:
        return int(self._place.shape[0])

    def __repr__(self) -> str:
        more = [name for name in ("entry", "weight") if getattr(self, name) is not None]
        return f"Surv({len(self)} rows, {int(self.is_event.sum())} events{''.join(f', {m}' for m in more)})"

    @property
    def time(self) -> FloatArray:
        """The times, shape (n,)."""
        if self._time is None:
            self._time = _frozen(self.times_at(self._place))
        return self._time

    @property
    def event(self) -> IntArray:
        """The codes, shape (n,): 0 = censored, k = event of cause k."""
        if self._event is None:
            self._event = _frozen(self._codes.astype(np.int64))
        return self._event

    @property
    def entry(self) -> FloatArray | None:
        """The times of entry, shape (n,); None where none were given."""
        if self._entry is None and self._entry_place is not None:
            self._entry = _frozen(self.times_at(self._entry_place))
        return self._entry

    @property
    def weight(self) -> FloatArray | None:
        """The case weights, shape (n,); None where none were given."""
        return self._weight

    @property
    def is_event(self) -> BoolArray:
        """Whether each row ends in an event, of any cause."""
        return np.asarray(self._codes > 0)

    @property
    def weight_or_one(self) -> FloatArray:
        """The case weights, ones where none were given."""
        return np.ones(len(self)) if self._weight is None else self._weight

    @property
    def has_fractional_weights(self) -> bool:
        """Whether the weights are more than counts of identical rows, so that variances must be robust ones."""
        return self._weight is not None and bool((self._weight != np.floor(self._weight)).any())

    @property
    def n_at_time_zero(self) -> int:
        """Number of rows (unweighted) whose time is 0: legal, but often a mistake in the dates."""
        if self._size == 0 or self.times_at(np.zeros(1, dtype=np.int64))[0] != 0:
            return 0
        return len(self) - int(np.count_nonzero(self._place))

    @property
    def axis(self) -> int:
        """Number of places on the axis of times: `place` and `entry_place` lie from 0 to this less 1."""
        return self._size

    @property
    def place(self) -> AnyArray:
        """Each row's time as a place on the axis of distinct times in rising order: whole numbers, shape (n,)."""
        return self._place

    @property
    def entry_place(self) -> AnyArray | None:
        """Each row's entry as a place on the same axis; at risk are the places `entry_place < k <= place`."""
        return self._entry_place

    @property
    def event_code(self) -> AnyArray:
        """The codes of `event` in the small type in which they are kept."""
        return self._codes

    def times_at(self, places: AnyArray) -> FloatArray:
        """Give the times at `places` of the axis."""
        return places.astype(np.float64) if self._levels is None else self._levels[places]

    def subset(self, mask: ArrayLike) -> Surv:
        """Give the rows that `mask` selects, with entry, weights and merged times kept.

        Parameters
        ----------
        mask : bool array of shape (n,), or array of row numbers

        Raises
        ------
        EngineError
            Flags of another shape, what is neither flags nor row numbers, a row number out of range.
        """
        rows = selected_rows(mask, len(self))
        pick = [None if a is None else a[rows] for a in (self._entry_place, self._weight)]
        place, entry_place, levels, size = self._place[rows], pick[0], self._levels, self._size
        if size > max(_SHORT_AXIS, 4 * place.shape[0]):
            # A few of many rows: their axis must not cost more than they do.
            place, entry_place, used = _compact(place, entry_place)
            levels, size = self.times_at(used), used.shape[0]
        new = object.__new__(Surv)
        new._set(place, self._codes[rows], entry_place, pick[1], levels, size)
        return new

    def as_event(self, flags: BoolArray) -> Surv:
        """Give the same rows with `flags` (shape (n,)) as their events: one cause, or reverse Kaplan-Meier."""
        new = object.__new__(Surv)
        codes = np.asarray(flags).astype(np.int8)
        new._set(self._place, codes, self._entry_place, self._weight, self._levels, self._size)
        return new


def selected_rows(mask: ArrayLike, n: int) -> AnyArray:
    """Give `mask` as an array that selects among n rows: flags of shape (n,), or row numbers; refuse anything else."""
    rows = np.asarray(mask)
    if rows.dtype == np.bool_ and rows.shape != (n,):
        raise EngineError(f"the mask has shape {rows.shape} and there are {n} rows; give one flag a row")
    if rows.size == 0:
        rows = rows.astype(np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "biu":
        raise EngineError("a subset is neither flags nor row numbers; give one flag a row, or numbers of rows")
    if rows.size and rows.dtype != np.bool_ and not (-n <= rows.min() and rows.max() < n):
        raise EngineError(f"a subset names a row that is not among the {n} rows; they count from 0")
    return rows


def numbers(values: ArrayLike, name: str, n: int | None = None, *, copy: bool = True) -> FloatArray:
    """Give `values` as a one-dimensional float array of length `n`, fresh with `copy`, or refuse them by `name`."""
    _refuse_masked(values, name)
    try:
        array = np.asarray(values)
        # Digits written as text, dates and complex numbers would become numbers in silence.
        if array.dtype.kind in "cmMSU" or (array.dtype.kind == "O" and any(isinstance(v, str) for v in array.flat)):
            raise TypeError
        array = np.array(array, dtype=np.float64) if copy else np.ascontiguousarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise EngineError(f"{name} holds something that is not a number; give an array of numbers") from None
    _check_shape(array, name, n)
    if not np.isfinite(array).all():
        raise EngineError(_MISSING.format(name))
    return array


def as_column(values: ArrayLike, name: str, n: int | None = None) -> AnyArray:
    """Give `values` as a one-dimensional array of numbers, uncopied where it is one, not yet looked at."""
    _refuse_masked(values, name)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        return numbers(values, name, n)
    _check_shape(array, name, n)
    return array


def _refuse_masked(values: ArrayLike, name: str) -> None:
    """Refuse masked entries, which an array of the data alone would take for numbers."""
    if np.ma.is_masked(values):
        raise EngineError(_MISSING.format(name))


def _check_shape(array: AnyArray, name: str, n: int | None) -> None:
    if array.ndim != 1:
        raise EngineError(f"{name} has {array.ndim} dimensions; give a one-dimensional array")
    if n is not None and array.shape[0] != n:
        raise EngineError(f"{name} has {array.shape[0]} rows and time has {n}; give them the same length")


def _frozen(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array


def _event_codes(event: AnyArray) -> AnyArray:
    """Give the codes of causes, checked, in the smallest type that holds them."""
    found = whole_numbers(event, _MOST_CAUSES, dtype=np.int8)
    if found is not None:
        return found[0]
    codes = numbers(event, "event")
    if (codes < 0).any() or (codes != np.rint(codes)).any():
        raise EngineError("event holds something else than 0, 1, 2, ...; code 0 = censored and k = event of cause k")
    if (codes > _LARGEST_CODE).any():
        raise EngineError(f"event holds a code beyond {_LARGEST_CODE}; number the causes 1, 2, ...")
    return codes.astype(np.int64)


def _axis(time: AnyArray, entry: AnyArray | None) -> tuple[AnyArray, AnyArray | None, FloatArray | None, int]:
    """Give the places of the times and entries on an axis of distinct times, its levels (None: whole days), its size.

    Raises
    ------
    EngineError
        Missing, infinite or negative numbers, or `entry >= time`.
    """
    limit = min(max(_SHORT_AXIS, 2 * time.shape[0]), _LONGEST_AXIS)
    days = whole_numbers(time, limit)
    if days is not None and entry is None:
        return days[0], None, None, days[1] + 1
    late = None if days is None or entry is None else whole_numbers(entry, limit)
    if days is not None and late is not None:
        _check_entry(late[0], days[0])
        return days[0], late[0], None, max(days[1], late[1]) + 1
    times = numbers(time, "time", copy=False)
    if (times < 0).any():
        raise EngineError("time holds a negative number; start each row at its time zero, or leave the row out")
    if entry is None:
        place, levels = _near_equal_as_one(times)
        return place, None, levels, levels.shape[0]
    starts = numbers(entry, "entry")
    if (starts < 0).any():
        raise EngineError("entry holds a negative number; entry is counted from time zero like time")
    _check_entry(starts, times)
    both, levels = _near_equal_as_one(np.concatenate((times, starts)))
    place, entry_place = both[: times.shape[0]].copy(), both[times.shape[0] :].copy()
    if (entry_place >= place).any():
        raise EngineError("a row's entry and time differ by rounding alone; leave such rows out or round the times")
    return place, entry_place, levels, levels.shape[0]


def _check_entry(entry: AnyArray, time: AnyArray) -> None:
    if (entry >= time).any():
        raise EngineError("a row enters at or after its own time; entry must be less than time in every row")


def _near_equal_as_one(time: FloatArray) -> tuple[AnyArray, FloatArray]:
    """Give each time's place among the distinct times, runs of near-equal ones being their first, as R's `aeqSurv`."""
    ordered = np.sort(time)
    # Whole days lie at least 1 apart, so they can never be merged.
    whole = ordered.size > 0 and ordered[-1] < 1e7 and _all_whole(ordered)
    levels = near_equal_as_one(ordered, 0.0 if whole else TIME_TOLERANCE)
    return places_among(levels, time), levels


def _all_whole(values: FloatArray) -> bool:
    few = values[:1000]
    return np.array_equal(few, np.rint(few)) and np.array_equal(values, np.rint(values))


def _compact(place: AnyArray, entry_place: AnyArray | None) -> tuple[AnyArray, AnyArray | None, AnyArray]:
    """Give the places among those that are used, and the used ones."""
    both = place if entry_place is None else np.concatenate((place, entry_place))
    used, again = np.unique(both, return_inverse=True)
    again = again.reshape(-1).astype(np.int32)
    if entry_place is None:
        return again, None, used
    return again[: place.shape[0]].copy(), again[place.shape[0] :].copy(), used
