"""Counts by (stratum, covariate pattern, day): all that curves, log-rank tests and categorical Cox models need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError, did_you_mean
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.event_tally import Tally, Totals


class Days(NamedTuple):
    """Numbers over all strata and patterns, at each day on which somebody leaves or enters: `ending` (d, 2) holds the
    censored and those with an event, `entering` (d,) those with delayed entry on that day; weighted where weights are.
    """

    time: FloatArray
    ending: FloatArray
    entering: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class EventTable:
    """Counts of rows by (stratum, covariate pattern, day), m cells sorted in that order.

    Tables add up: chunks, centres and parts of a database, each counted by itself, give by `+` the table of all rows,
    the same for every way to cut them (fractional weights up to the rounding of their sums). `kaplan_meier`,
    `follow_up` and the log-rank tests take a table in the place of a `Surv` and give the result of the rows; what needs
    rows (robust variances, residuals) refuses it. A table of days and patterns is personal data: nearly every cell of
    a small study is one person.

    Attributes
    ----------
    stratum, pattern : int arrays of shape (m,)
        Positions in `strata` and in `patterns`.
    time : int array of shape (m,), whole days
    events : int array of shape (m, c)
        Rows with an event of cause 1, ..., c on that day.
    censored : int array of shape (m,), rows censored on that day
    entered : int array of shape (m,)
        Rows with delayed entry on that day: at risk from the next day on.
    event_weight, censored_weight, entered_weight : float arrays of the same shapes, None where no row had a weight
    strata : array of shape (number of strata,), the labels; one None where no strata were given
    patterns : array of shape (number of patterns,) of labels, or (number of patterns, p) of covariates
        Sorted; shape (1, 0) where no patterns were given.
    has_fractional_weights : whether a row had a weight that is no whole number
    """

    stratum: IntArray
    pattern: IntArray
    time: IntArray
    events: IntArray
    censored: IntArray
    entered: IntArray
    event_weight: FloatArray | None
    censored_weight: FloatArray | None
    entered_weight: FloatArray | None
    strata: AnyArray
    patterns: AnyArray
    has_fractional_weights: bool

    @classmethod
    def from_arrays(
        cls,
        time: ArrayLike,
        event: ArrayLike,
        *,
        pattern: ArrayLike | None = None,
        stratum: ArrayLike | None = None,
        entry: ArrayLike | None = None,
        weight: ArrayLike | None = None,
    ) -> EventTable:
        """Count rows.

        Parameters
        ----------
        time : array of shape (n,)
            Whole days from time zero, 0 included.
        event : array of shape (n,)
            0 (or False) = censored, k = 1, 2, ... (or True) = event of cause k.
        pattern : array of shape (n,) or (n, p), optional
            Labels (a group), or rows of covariates as numbers, of which few differ (categories, not measurements).
        stratum : array of shape (n,), optional
            Labels, such as the centre.
        entry : array of shape (n,), optional
            Days of delayed entry, less than `time`.
        weight : array of shape (n,), optional
            Case weights, greater than zero. Whole numbers count rows.

        Raises
        ------
        EngineError
            A part of a day, missing, infinite or negative numbers, days beyond 2 147 483 646, a code of event that is
            no whole number from 0 to 127, `entry >= time`, unequal lengths, a missing label.

        Examples
        --------
        >>> from riskset.survival import EventTable
        >>> table = EventTable.from_arrays([3, 3, 5, 8], [1, 0, 1, 0], pattern=["low", "low", "zero", "low"])
        >>> table
        EventTable(4 rows, 2 events, 1 stratum, 2 patterns, 3 cells)
        >>> table.patterns.tolist(), table.time.tolist(), table.events[:, 0].tolist(), table.censored.tolist()
        (['low', 'zero'], [3, 8, 5], [1, 0, 1], [1, 1, 0])
        """
        tally = Tally()
        tally.add_rows(time, event, pattern=pattern, stratum=stratum, entry=entry, weight=weight)
        return cls._of(tally)

    @classmethod
    def from_chunks(cls, chunks: Iterable[EventTable | Mapping[str, Any] | Sequence[Any]]) -> EventTable:
        """Count rows that come in chunks, such as the batches of a file, holding one chunk at a time.

        Parameters
        ----------
        chunks : iterable
            Each chunk is a mapping with the arguments of `from_arrays` by name, a tuple or list of them in the order
            `time, event, pattern, stratum, entry, weight` (the last ones may be left out), or an `EventTable`.

        Raises
        ------
        EngineError
            As `from_arrays`; besides, no chunk at all, an argument of another name, and chunks of which some have
            patterns or strata and others none.

        Examples
        --------
        >>> from riskset.survival import EventTable
        >>> chunks = ({"time": [3, 5], "event": [1, 0]}, {"time": [3, 9], "event": [0, 1]})
        >>> table = EventTable.from_chunks(chunks)
        >>> table.time.tolist(), table.events[:, 0].tolist(), table.censored.tolist()
        ([3, 5, 9], [1, 0, 1], [1, 1, 0])
        """
        tally = Tally()
        for chunk in chunks:
            if isinstance(chunk, EventTable):
                tally.add_totals(chunk._totals())
            else:
                tally.add_rows(**_named(chunk))
        return cls._of(tally)

    @classmethod
    def _of(cls, tally: Tally) -> EventTable:
        return cls._from_totals(tally.totals())

    @classmethod
    def _from_totals(cls, totals: Totals) -> EventTable:
        for array in totals:
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        return cls(*totals)

    def _totals(self) -> Totals:
        return Totals(*(getattr(self, name) for name in Totals._fields))

    def __add__(self, other: EventTable) -> EventTable:
        """Give the table of the rows of both."""
        if not isinstance(other, EventTable):
            return NotImplemented
        return EventTable.from_chunks((self, other))

    def __repr__(self) -> str:
        counts = (
            (self.n, "row", "rows"),
            (self.n_events, "event", "events"),
            (self.strata.shape[0], "stratum", "strata"),
            (self.patterns.shape[0], "pattern", "patterns"),
            (self.time.shape[0], "cell", "cells"),
        )
        return f"EventTable({', '.join(f'{n} {one if n == 1 else many}' for n, one, many in counts)})"

    @property
    def n(self) -> int:
        """Number of rows, unweighted."""
        return int(self.censored.sum()) + self.n_events

    @property
    def n_events(self) -> int:
        """Number of rows with an event of any cause, unweighted."""
        return int(self.events.sum())

    @property
    def n_at_time_zero(self) -> int:
        """Number of rows (unweighted) whose time is 0."""
        zero = self.time == 0
        return int(self.events[zero].sum() + self.censored[zero].sum())

    @property
    def rows_ending(self) -> IntArray:
        """Number of rows that end in each cell, unweighted: shape (m,)."""
        return np.asarray(self.events.sum(axis=1) + self.censored)

    @property
    def ending(self) -> FloatArray:
        """Those censored and those with an event of any cause in each cell, weighted where weights are: (m, 2)."""
        events = self.events if self.event_weight is None else self.event_weight
        censored = self.censored if self.censored_weight is None else self.censored_weight
        return np.column_stack((censored, events.sum(axis=1))).astype(np.float64)

    @property
    def entering(self) -> FloatArray:
        """Those with delayed entry in each cell, weighted where weights are: (m,)."""
        return np.asarray(self.entered if self.entered_weight is None else self.entered_weight, dtype=np.float64)

    def by_day(self) -> Days:
        """Add up strata and patterns."""
        day, place = np.unique(self.time, return_inverse=True)
        place, ending = place.reshape(-1), self.ending
        columns = [np.bincount(place, column, day.shape[0]) for column in (ending[:, 0], ending[:, 1], self.entering)]
        return Days(day.astype(np.float64), np.column_stack(columns[:2]), np.asarray(columns[2], dtype=np.float64))

    def subset(self, *, patterns: ArrayLike | None = None, strata: ArrayLike | None = None) -> EventTable:
        """Give the table of the patterns and strata that the flags select.

        Parameters
        ----------
        patterns : bool array of shape (number of patterns,), optional
        strata : bool array of shape (number of strata,), optional

        Raises
        ------
        EngineError
            Flags of another shape, or none of them set.

        Examples
        --------
        >>> from riskset.survival import EventTable, kaplan_meier
        >>> table = EventTable.from_arrays([3, 4, 5, 8], [1, 0, 1, 1], pattern=["low", "low", "zero", "zero"])
        >>> kaplan_meier(table.subset(patterns=table.patterns == "low")).median().value
        3.0
        """
        kept = _flags(patterns, self.patterns.shape[0], "patterns")[self.pattern]
        kept &= _flags(strata, self.strata.shape[0], "strata")[self.stratum]
        if not kept.any():
            raise EngineError("no cell of the event table is selected; select at least one pattern and stratum")
        tally = Tally()
        tally.add_totals(self._totals().of_cells(kept))
        return EventTable._of(tally)

    def causes_as(self, *, censored: bool) -> EventTable:
        """Give the table with every cause as one, or with censoring as the event and any event as censoring."""
        events, weights = self.events.sum(axis=1), self.event_weight
        sums = None if weights is None else weights.sum(axis=1)
        ends = (events, self.censored), (sums, self.censored_weight)
        (event, rest), (event_weight, rest_weight) = [pair[::-1] if censored else pair for pair in ends]
        return EventTable._from_totals(
            self._totals()._replace(
                events=np.array(event)[:, None],
                censored=np.array(rest),
                event_weight=None if event_weight is None else np.array(event_weight)[:, None],
                censored_weight=None if rest_weight is None else np.array(rest_weight),
            )
        )


_ARGUMENTS = ("time", "event", "pattern", "stratum", "entry", "weight")


def _named(chunk: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Give a chunk's arguments by name."""
    if isinstance(chunk, Mapping):
        for name in chunk:
            if name not in _ARGUMENTS:
                raise EngineError(f"a chunk has no '{name}'{did_you_mean(name, _ARGUMENTS)}; name {_LIST}")
        named = dict(chunk)
    elif isinstance(chunk, tuple | list) and len(chunk) <= len(_ARGUMENTS):
        named = dict(zip(_ARGUMENTS, chunk, strict=False))
    else:
        raise EngineError(f"a chunk is neither an event table nor a mapping nor a tuple of {_LIST}")
    if "time" not in named or "event" not in named:
        raise EngineError("a chunk lacks time or event; give both")
    return named


_LIST = ", ".join(_ARGUMENTS)


def _flags(flags: ArrayLike | None, size: int, name: str) -> BoolArray:
    if flags is None:
        return np.ones(size, dtype=np.bool_)
    array = np.asarray(flags)
    if array.dtype != np.bool_ or array.shape != (size,):
        raise EngineError(f"{name} must be {size} flags, one for each of the table's {name}")
    return array
