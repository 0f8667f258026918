"""Interval-censored times as arrays: the event is known to lie between two visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._types import BoolArray, FloatArray
from riskset.survival.surv import TIME_TOLERANCE, Surv, selected_rows


@dataclass(frozen=True, init=False, eq=False, slots=True)
class IntervalSurv:
    """Interval-censored times: the event of each row lies in (left, right], with case weights where given.

    `left == right` is an exact time. `right` infinite is right-censored at `left`: the event comes after `left`, as a
    censoring comes after the events of its time. `left` 0 is left-censored: the event came by `right`, after time zero.
    Both together, (0, inf], say nothing. Times that differ by rounding alone are merged as in `Surv`; a row whose ends
    merge is exact. The arrays are copies and cannot be written to.

    Parameters
    ----------
    left : array of shape (n,)
        Last time known without the event, from time zero, in any one unit (days in riskset). Not negative.
    right : array of shape (n,)
        First time known with the event; not less than `left`; inf = not seen.
    weight : array of shape (n,), optional
        Case weights, greater than zero.

    Raises
    ------
    EngineError
        Unequal lengths, arrays that are not one-dimensional, missing numbers, an infinite `left` or weight, a negative
        time, `right < left`, a weight that is not positive.

    Examples
    --------
    Progression between visits at days 56 and 112, an exact day, no progression by day 120, progression by day 60:

    >>> from riskset.survival import IntervalSurv
    >>> IntervalSurv([56, 80, 120, 0], [112, 80, float("inf"), 60])
    IntervalSurv(4 rows: 1 exact, 1 interval, 1 left-censored, 1 right-censored)
    """

    left: FloatArray
    right: FloatArray
    weight: FloatArray | None

    def __init__(self, left: ArrayLike, right: ArrayLike, *, weight: ArrayLike | None = None) -> None:
        lefts = _floats(left, "left")
        rights = _floats(right, "right", lefts.shape[0])
        weights = None if weight is None else _floats(weight, "weight", lefts.shape[0])
        if np.isinf(lefts).any():
            raise EngineError("left holds an infinite number; left is the last time known without the event")
        if (lefts < 0).any() or (rights < 0).any():
            raise EngineError("left or right holds a negative number; count both from the row's time zero")
        if weights is not None and not (np.isfinite(weights).all() and (weights > 0).all()):
            raise EngineError("weight holds a number that is not positive and finite; leave such rows out with subset")
        lefts, rights = _merge_near_equal(lefts, rights)
        if (rights < lefts).any():
            raise EngineError("a row's right is less than its left; the event lies in (left, right]")
        self._set(lefts, rights, weights)

    @classmethod
    def from_surv(cls, surv: Surv) -> IntervalSurv:
        """Give right-censored times as intervals: an event is exact, a censoring at t is (t, inf].

        Raises
        ------
        EngineError
            `surv` has delayed entry, which intervals cannot express.
        """
        if surv.entry is not None:
            raise EngineError(
                "rows with delayed entry cannot be written as intervals; leave entry out or use them as Surv"
            )
        new = object.__new__(cls)
        weight = None if surv.weight is None else surv.weight.copy()
        new._set(surv.time.copy(), np.where(surv.is_event, surv.time, np.inf), weight)
        return new

    def _set(self, left: FloatArray, right: FloatArray, weight: FloatArray | None) -> None:
        for name, array in (("left", left), ("right", right), ("weight", weight)):
            if array is not None:
                array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return int(self.left.shape[0])

    def __repr__(self) -> str:
        exact, seen = self.is_exact, np.isfinite(self.right)
        kinds = {
            "exact": exact,
            "interval": ~exact & seen & (self.left > 0),
            "left-censored": ~exact & seen & (self.left == 0),
            "right-censored": ~seen,
        }
        counts = ", ".join(f"{int(rows.sum())} {kind}" for kind, rows in kinds.items() if rows.any())
        return f"IntervalSurv({len(self)} rows{': ' if counts else ''}{counts})"

    @property
    def is_exact(self) -> BoolArray:
        """Whether each row's event time is known exactly."""
        return np.asarray(self.left == self.right)

    @property
    def weight_or_one(self) -> FloatArray:
        """The case weights, ones where none were given."""
        return np.ones(len(self)) if self.weight is None else self.weight

    @property
    def has_fractional_weights(self) -> bool:
        """Whether the weights are more than counts of identical rows, so that variances must be robust ones."""
        return self.weight is not None and bool((self.weight != np.floor(self.weight)).any())

    def subset(self, mask: ArrayLike) -> IntervalSurv:
        """Give the rows that `mask` selects, with weights and merged times kept.

        Parameters
        ----------
        mask : bool array of shape (n,), or array of row numbers

        Raises
        ------
        EngineError
            Flags of another shape, what is neither flags nor row numbers, a row number out of range.
        """
        rows = selected_rows(mask, len(self))
        new = object.__new__(IntervalSurv)
        new._set(self.left[rows], self.right[rows], None if self.weight is None else self.weight[rows])
        return new


def _floats(values: ArrayLike, name: str, n: int | None = None) -> FloatArray:
    """Give `values` as a fresh one-dimensional float array without NaN; infinity may stay."""
    try:
        array = np.asarray(values)
        if array.dtype.kind in "cmM":
            raise TypeError
        array = np.array(np.ma.filled(np.ma.array(values, dtype=np.float64), np.nan))
    except (TypeError, ValueError):
        raise EngineError(f"{name} holds something that is not a number; give an array of numbers") from None
    if array.ndim != 1:
        raise EngineError(f"{name} has {array.ndim} dimensions; give a one-dimensional array")
    if n is not None and array.shape[0] != n:
        raise EngineError(f"{name} has {array.shape[0]} rows and left has {n}; give them the same length")
    if np.isnan(array).any():
        raise EngineError(f"{name} holds a missing number; write 'not seen' as right = inf and leave other rows out")
    return array


def _merge_near_equal(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Replace each run of finite ends that differ by less than the tolerance by its first, as `Surv` does."""
    seen = np.isfinite(right)
    distinct = np.unique(np.concatenate((left, right[seen])))
    gap = np.diff(distinct)
    if gap.size == 0:
        return left, right
    tied = (gap <= TIME_TOLERANCE) | (gap / np.abs(distinct).mean() <= TIME_TOLERANCE)
    if not tied.any():
        return left, right
    cuts = distinct[np.concatenate(([True], ~tied))]
    merged = right.copy()
    merged[seen] = cuts[np.searchsorted(cuts, right[seen], side="right") - 1]
    return cuts[np.searchsorted(cuts, left, side="right") - 1], merged
