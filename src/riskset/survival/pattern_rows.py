"""An event table as rows of counts among the event times: what a model of categorical covariates is fitted to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._labels import encode
from riskset.survival._types import AnyArray, FloatArray, IntArray
from riskset.survival.event_grid import run_starts
from riskset.survival.event_table import EventTable


class PatternRows(NamedTuple):
    """People by pattern at the K distinct (stratum, event time) pairs, sorted by stratum and time.

    A sum over the risk set of pair k of stratum s, as of exp(x beta), is the sum over `leaving` with `at > k` less the
    sum over `entering` with `at > k`, both within s, of number times the pattern's value. People who are at risk at no
    event time are left out.

    Attributes
    ----------
    stratum, time : arrays of shape (K,)
        `stratum` counts the strata in the order of `EventTable.strata`, or of their labels where those were given.
    segment : array of shape (number of strata that have an event,), where each stratum starts among the K pairs
    events, leaving, entering : `PatternCounts`
        Those with an event (of any cause) at pair `at`; those at risk up to pair `at` - 1; those at risk from pair `at`
        on, who came late.
    """

    stratum: IntArray
    time: FloatArray
    segment: IntArray
    events: PatternCounts
    leaving: PatternCounts
    entering: PatternCounts


class PatternCounts(NamedTuple):
    """Numbers of people, one entry for each (place, pattern) that has any, sorted in that order; all of shape (c,).

    `at` is the place among the K pairs, `segment` that of the first pair of the same stratum, `pattern` the position in
    `EventTable.patterns`, `number` the number of people, by their weights where the table has weights.
    """

    at: IntArray
    segment: IntArray
    pattern: IntArray
    number: FloatArray


def pattern_rows(table: EventTable, strata: ArrayLike | None = None) -> PatternRows:
    """Give the counts of `table` at its event times.

    Parameters
    ----------
    table : the table; its size bounds the size of the answer, whatever the number of people.
    strata : array of labels, one for each stratum of the table, optional
        Strata with one label are one; by default all are.

    Raises
    ------
    EngineError
        A number of labels other than that of the strata, or a missing one.

    Examples
    --------
    >>> from riskset.survival import EventTable
    >>> table = EventTable.from_arrays([1, 2, 2, 4], [1, 1, 0, 0], pattern=[[0], [1], [0], [1]])
    >>> rows = pattern_rows(table)
    >>> rows.time.tolist()
    [1.0, 2.0]
    >>> rows.leaving.at.tolist(), rows.leaving.pattern.tolist(), rows.leaving.number.tolist()
    ([1, 2, 2], [0, 0, 1], [1.0, 1.0, 2.0])
    """
    stratum = _strata(table, strata)[table.stratum]
    step = int(table.time.max(initial=0)) + 2
    start = stratum * step
    key = start + table.time
    ending = table.ending
    leaving, events, entering = ending[:, 0] + ending[:, 1], ending[:, 1], table.entering
    event_key = np.unique(key[events > 0])
    first = np.searchsorted(event_key, start)
    last = np.searchsorted(event_key, key, side="right")
    patterns = table.patterns.shape[0]

    def counts(at: AnyArray, number: FloatArray) -> PatternCounts:
        kept = np.flatnonzero((number > 0) & (last > first))
        place, which = np.unique(at[kept] * patterns + table.pattern[kept], return_inverse=True)
        at_place, pattern = np.divmod(place, patterns)
        segment = np.empty(place.shape[0], dtype=np.int64)
        segment[which.reshape(-1)] = first[kept]
        total = np.bincount(which.reshape(-1), number[kept], place.shape[0]).astype(np.float64)
        return PatternCounts(at_place, segment, pattern, total)

    pair_stratum, time = np.divmod(event_key, step)
    return PatternRows(
        stratum=pair_stratum,
        time=time.astype(np.float64),
        segment=run_starts(pair_stratum),
        events=counts(last - 1, events),
        leaving=counts(last, leaving),
        entering=counts(last, entering),
    )


def _strata(table: EventTable, strata: ArrayLike | None) -> IntArray:
    size = table.strata.shape[0]
    if strata is None:
        return np.zeros(size, dtype=np.int64)
    labels = np.asarray(strata)
    if labels.shape != (size,):
        raise EngineError(f"strata has shape {labels.shape}; give one label for each of the table's {size} strata")
    return encode(labels, size, "strata")[0]
