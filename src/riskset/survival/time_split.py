"""Rows cut along time: at fixed times, at a landmark, and where a covariate changes.

A cut row is a row at risk on `(start, stop]`; its event stands on the last piece alone. Weights, delayed entry and
causes stay with the pieces. Every result names the row of the input that each piece comes from, so that whatever
belongs to the rows is carried along by indexing: `x[split.row]`, `cluster[split.row]`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode, label_array
from riskset.survival._types import AnyArray, FloatArray, IntArray
from riskset.survival.surv import TIME_TOLERANCE, Surv, numbers


@dataclass(frozen=True, slots=True, eq=False)
class TimeSplit:
    """Rows cut at fixed times, in the order of the input rows and of time.

    Attributes
    ----------
    surv : m pieces, at risk on `(start, stop]`
    row : array of shape (m,), the number (0, 1, ...) of the input row that each piece comes from
    period : array of shape (m,)
        0 up to the first cut, 1 from there to the second, and so on.
    cuts : array of shape (c,), rising
    """

    surv: Surv
    row: IntArray
    period: IntArray
    cuts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Landmark:
    """The rows still at risk at a landmark.

    Attributes
    ----------
    surv : m rows
        With the clock restarted they start at the landmark as time 0; otherwise their entry is the landmark.
    row : array of shape (m,), the number (0, 1, ...) of the input row that each row is
    time : the landmark
    restarted : whether times count from the landmark
    n_events_before, n_censored_before : rows dropped since they ended at the landmark or before (unweighted)
    n_entered_later : rows dropped since they were not yet under observation at the landmark (unweighted)
    """

    surv: Surv
    row: IntArray
    time: float
    restarted: bool
    n_events_before: int
    n_censored_before: int
    n_entered_later: int


@dataclass(frozen=True, slots=True, eq=False)
class TimeDependent:
    """Rows cut where a covariate changes, in the order of the input rows and of time.

    Attributes
    ----------
    surv : m pieces, at risk on `(start, stop]`
    row : array of shape (m,), the number (0, 1, ...) of the input row that each piece comes from
    value : array of shape (m,), the covariate in force throughout each piece
    n_unused : changes at or after the end of their subject's last row, which change nothing
    """

    surv: Surv
    row: IntArray
    value: AnyArray
    n_unused: int


def split_at(surv: Surv, cuts: ArrayLike) -> TimeSplit:
    """Cut each row at the times that it contains, so that effects may differ between periods.

    Parameters
    ----------
    surv : the times; weights, delayed entry and causes are kept.
    cuts : array of shape (c,), times greater than 0 in the unit of the times; order and repetition do not matter
        A row that ends exactly at a cut is not cut there: its event belongs to the period that the cut closes.

    Returns
    -------
    TimeSplit

    Raises
    ------
    EngineError
        A missing, infinite or not positive cut; a row that ends at time 0, which no `(start, stop]` can hold.

    Notes
    -----
    As R's `survSplit`, whose `episode` is `period + 1`. Kaplan-Meier, log-rank and Cox give for the pieces what they
    give for the rows (pass `cluster=split.row` where a robust variance is wanted).

    References
    ----------
    Therneau TM, Grambsch PM. Modeling survival data: extending the Cox model. Springer, 2000.

    Examples
    --------
    >>> from riskset.survival import Surv, split_at
    >>> split = split_at(Surv([5, 20], [1, 1]), [10])
    >>> split.row.tolist(), split.period.tolist()
    ([0, 1, 1], [0, 0, 1])
    >>> split.surv.entry.tolist(), split.surv.time.tolist(), split.surv.event.tolist()
    ([0.0, 0.0, 10.0], [5.0, 10.0, 20.0], [1, 0, 1])
    """
    need_surv(surv)
    at = np.unique(numbers(np.atleast_1d(np.asarray(cuts)), "cuts"))
    if (at <= 0).any():
        raise EngineError("a cut must be greater than 0, where every row starts; leave out the others")
    start, stop = _spans(surv)
    at = np.unique(_onto(at, np.concatenate((start, stop))))
    first = np.searchsorted(at, start, side="right")
    row, place = _pieces(first, np.searchsorted(at, stop, side="left"))
    edges = np.concatenate((at, [np.inf]))
    period = first[row] + place
    begins = np.where(place == 0, start[row], edges[period - 1])
    return TimeSplit(_cut(surv, row, begins, np.minimum(edges[period], stop[row])), row, period, at)


def landmark(surv: Surv, time: float, *, restart: bool = False) -> Landmark:
    """Keep the rows still at risk at a landmark, so that groups known by then are compared without immortal time.

    Parameters
    ----------
    surv : the times, one row a patient; weights, delayed entry and causes are kept.
    time : the landmark, in the unit of the times; not negative
    restart : count times from the landmark; otherwise the clock stays and the landmark becomes the entry.

    Returns
    -------
    Landmark
        Rows with `entry <= landmark < time`. How many were dropped and why is told.

    Raises
    ------
    EngineError
        A landmark that is negative, missing or infinite, or after which nobody is at risk.

    Notes
    -----
    Both clocks give the same tests and the same Cox model; a curve starts at the landmark either way. A row that ends
    exactly at the landmark is dropped, since it is not at risk after it.

    References
    ----------
    Anderson JR, Cain KC, Gelber RD. J Clin Oncol 1983; 1: 710-719. Dafni U. Circ Cardiovasc Qual Outcomes 2011; 4:
    363-371.

    Examples
    --------
    >>> from riskset.survival import Surv, landmark
    >>> kept = landmark(Surv([2, 5, 8, 9], [1, 0, 1, 0]), 5, restart=True)
    >>> kept.row.tolist(), kept.surv.time.tolist(), kept.n_events_before, kept.n_censored_before
    ([2, 3], [3.0, 4.0], 1, 1)
    """
    need_surv(surv)
    if not (np.isfinite(time) and time >= 0):
        raise EngineError("the landmark must be a number that is not negative, in the unit of the times")
    start, stop = (np.zeros(len(surv)) if surv.entry is None else surv.entry), surv.time
    moment = float(_onto(np.array([time]), np.concatenate((start, stop)))[0])
    ended, late = stop <= moment, start > moment
    row = np.flatnonzero(~ended & ~late).astype(np.int64)
    if row.size == 0:
        raise EngineError("nobody is at risk after the landmark; choose an earlier one")
    weight = None if surv.weight is None else surv.weight[row]
    if restart:
        kept = Surv(stop[row] - moment, surv.event[row], weight=weight)
    else:
        kept = Surv(stop[row], surv.event[row], entry=np.full(row.size, moment), weight=weight)
    events = int((ended & surv.is_event).sum())
    return Landmark(kept, row, moment, restart, events, int(ended.sum()) - events, int(late.sum()))


def time_dependent(
    surv: Surv,
    initial: ArrayLike,
    *,
    changed: ArrayLike,
    when: ArrayLike,
    value: ArrayLike,
    subject: ArrayLike | None = None,
) -> TimeDependent:
    """Cut rows where a covariate changes, so that each piece carries the value that was in force throughout it.

    A response, a progression or a new drug belongs to a patient only after its day. Grouping patients by what happened
    later gives those who lived to see it immortal time; here the time before counts under the value before.

    Parameters
    ----------
    surv : the times; weights, delayed entry and causes are kept.
    initial : array of shape (n,), or one value for all: the covariate from the start on
    changed : array of shape (k,), the subject of each change: a label in `subject`, or a row number without it
    when : array of shape (k,), the time of each change, in the unit of the times
        The new value holds after it: on `(when, ...]`, so an event on that very day still falls under the old value.
        A change at or before a row's start (a negative time too) is in force from its start; one at its end or later
        changes nothing in it.
    value : array of shape (k,), the values from then on, of the kind of `initial`
    subject : array of shape (n,), optional
        Labels of the patients, where one has several rows (a second covariate after a first: `subject[first.row]`).

    Returns
    -------
    TimeDependent

    Raises
    ------
    EngineError
        Unequal lengths, a missing time, value or label, a change of a subject that has no row, two changes of one
        subject at one time, values that are text beside numbers, a row that ends at time 0.

    Notes
    -----
    As `tdc` of R's `tmerge`, which silently takes the last of two changes at one time where this refuses.

    References
    ----------
    Therneau T, Crowson C, Atkinson E. Using time dependent covariates and time dependent coefficients in the Cox model.
    Vignette of the R package survival. Suissa S. Am J Epidemiol 2008; 167: 492-499 (immortal time).

    Examples
    --------
    >>> from riskset.survival import Surv, time_dependent
    >>> parts = time_dependent(Surv([30, 50], [1, 0]), 0, changed=[1], when=[20], value=[1])
    >>> parts.row.tolist(), parts.value.tolist()
    ([0, 1, 1], [0.0, 0.0, 1.0])
    >>> parts.surv.entry.tolist(), parts.surv.time.tolist()
    ([0.0, 0.0, 20.0], [30.0, 20.0, 50.0])
    """
    need_surv(surv)
    start, stop = _spans(surv)
    moments = _onto(numbers(np.atleast_1d(np.asarray(when)), "when"), np.concatenate((start, stop)))
    before, after = _values(initial, value, len(surv), moments.shape[0])
    mine, theirs = _subjects(subject, changed, len(surv), moments.shape[0])
    levels = np.unique(np.concatenate((start, stop, moments)))

    def key(of: IntArray, time: FloatArray) -> IntArray:
        """Order (subject, time) pairs, so that one search finds the changes of each row."""
        return np.asarray(of * levels.shape[0] + np.searchsorted(levels, time), dtype=np.int64)

    order = np.argsort(key(theirs, moments), kind="stable")
    keys = key(theirs, moments)[order]
    if (np.diff(keys) == 0).any():
        raise EngineError("a subject has two changes at one time; keep the one that holds from then on")
    first = np.searchsorted(keys, key(mine, start), side="right")
    row, place = _pieces(first, np.searchsorted(keys, key(mine, stop), side="left"))
    # The change in force in a piece: the one that begins it, or for a row's first piece one before it, or none.
    latest = first[row] + place - 1
    known = latest >= np.searchsorted(keys, mine * levels.shape[0], side="left")[row]
    pieces = before[row].astype(np.result_type(before, after))
    pieces[known] = after[order][latest[known]]
    begins, ends = start[row], stop[row]
    begins[place > 0] = moments[order][latest[place > 0]]
    followed = np.flatnonzero(np.diff(row) == 0)
    ends[followed] = begins[followed + 1]
    final = np.zeros(int(mine.max(initial=-1)) + 1)
    np.maximum.at(final, mine, stop)
    return TimeDependent(_cut(surv, row, begins, ends), row, pieces, int((moments >= final[theirs]).sum()))


def _spans(surv: Surv) -> tuple[FloatArray, FloatArray]:
    """Give where each row starts and stops, refusing rows that no (start, stop] can hold."""
    if (surv.time <= 0).any():
        raise EngineError(
            f"{int((surv.time <= 0).sum())} rows end at time 0 and cannot be cut into (start, stop]; "
            "leave them out with subset(surv.time > 0) and report their number"
        )
    return (np.zeros(len(surv)) if surv.entry is None else surv.entry), surv.time


def _onto(at: FloatArray, times: FloatArray) -> FloatArray:
    """Replace each of `at` that differs from one of `times` by rounding alone by that time, as `Surv` merges them."""
    if times.size == 0 or at.size == 0:
        return at
    distinct = np.unique(times)
    slack = TIME_TOLERANCE * max(1.0, float(distinct.mean()))
    after = np.minimum(np.searchsorted(distinct, at), distinct.shape[0] - 1)
    before = np.maximum(after - 1, 0)
    near = np.where(np.abs(distinct[before] - at) < np.abs(distinct[after] - at), distinct[before], distinct[after])
    return np.where(np.abs(near - at) <= slack, near, at)


def _pieces(first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """Give the row, and the place within the row, of the pieces of rows cut at the moments `first <= k < last`."""
    number = np.maximum(last - first, 0) + 1
    row = np.repeat(np.arange(number.shape[0]), number)
    place = np.arange(row.shape[0]) - np.repeat(np.cumsum(number) - number, number)
    return row.astype(np.int64), place.astype(np.int64)


def _cut(surv: Surv, row: IntArray, begins: FloatArray, ends: FloatArray) -> Surv:
    """Build the pieces, with the event on each row's last piece alone."""
    event = np.where(np.append(np.diff(row) > 0, True)[: row.shape[0]], surv.event[row], 0)
    return Surv(ends, event, entry=begins, weight=None if surv.weight is None else surv.weight[row])


def _values(initial: ArrayLike, value: ArrayLike, n: int, k: int) -> tuple[AnyArray, AnyArray]:
    """Give the values at the start (n,) and after each change (k,), as numbers or as text alike."""
    before, after = label_array(initial, "initial"), np.atleast_1d(label_array(value, "value"))
    before = np.full(n, before) if before.ndim == 0 else before
    if before.shape != (n,):
        raise EngineError(f"initial has shape {before.shape} and time has {n} rows; give one value, or one a row")
    if after.shape != (k,):
        raise EngineError(f"value has shape {after.shape} and when has {k} times; give one value a change")
    kinds = {array.dtype.kind for array in (before, after) if array.size}
    if kinds <= set("biuf"):
        return numbers(before, "initial"), numbers(after, "value")
    if kinds == {"U"}:
        return before, after.astype(str)
    raise EngineError("initial and value must both be numbers or both be text, with none missing")


def _subjects(subject: ArrayLike | None, changed: ArrayLike, n: int, k: int) -> tuple[IntArray, IntArray]:
    """Give the subject's code of each row (n,) and of each change (k,)."""
    mine, levels = encode(np.arange(n) if subject is None else subject, n, "subject")
    asked = np.atleast_1d(label_array(changed, "changed"))
    if asked.shape != (k,):
        raise EngineError(f"changed has shape {asked.shape} and when has {k} times; give one subject a change")
    codes, names = encode(asked, k, "changed")
    if k and (names.dtype.kind == "U") != (levels.dtype.kind == "U"):
        raise EngineError("changed and the subjects of the rows must both be text or both be numbers")
    unknown = ~np.isin(names, levels)[codes] if k else np.zeros(0, dtype=np.bool_)
    if unknown.any():
        raise EngineError(
            f"{int(unknown.sum())} changes name a subject that has no row; leave them out, or check the labels"
        )
    return mine, np.searchsorted(levels, names).astype(np.int64)[codes]
