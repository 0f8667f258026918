"""Those at risk and the events of each group at each event time: what every test between groups is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival import kernels
from riskset.survival._labels import encode, label_array
from riskset.survival._types import AnyArray, FloatArray, IntArray
from riskset.survival.counting import cell_counts
from riskset.survival.event_grid import run_starts
from riskset.survival.event_table import EventTable
from riskset.survival.label_codes import label_codes
from riskset.survival.surv import Surv

# Rows are counted by (stratum, group, time) first where there are no more such cells than this, or than a few a row.
_ALWAYS_COUNTED = 1 << 14
_CELLS_A_ROW = 4


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """Counts of G groups at the K distinct (stratum, event time) pairs, sorted by stratum and time.

    Attributes
    ----------
    stratum : array of shape (K,), the code 0, 1, ... of each pair's stratum, in the sorted order of their labels
    time : array of shape (K,)
    segment : array of shape (number of strata that have an event,), where each stratum starts among the K pairs
    at_risk, events : arrays of shape (G, K)
        (Weighted) numbers with `entry < t <= time`, and with the event (of any cause) at t.
    groups : labels of the G groups, sorted
    n : array of shape (G,), rows in each group (unweighted)
    """

    stratum: IntArray
    time: FloatArray
    segment: IntArray
    at_risk: FloatArray
    events: FloatArray
    groups: tuple[Any, ...]
    n: FloatArray


def group_counts(
    source: Surv | EventTable, group: ArrayLike | None = None, strata: ArrayLike | None = None
) -> GroupCounts:
    """Count those at risk and the events of each group at each event time, within strata where given.

    Parameters
    ----------
    source : the times, as rows or as a table of their counts
        Weights are added up (sums of whole numbers are exact), delayed entry is honoured.
    group : array of labels (text or numbers)
        With a `Surv` one a row; with a table one a pattern, and by default the table's patterns themselves.
    strata : array of labels, optional
        With a `Surv` one a row; with a table one for each of its strata. Event times are then counted stratum by
        stratum; without it all strata of a table are pooled.

    Raises
    ------
    EngineError
        Unequal lengths, a missing label, a `Surv` without group.

    Examples
    --------
    >>> from riskset.survival import EventTable, Surv
    >>> counts = group_counts(Surv([1, 2, 2, 4], [1, 1, 0, 1]), ["a", "b", "a", "b"])
    >>> counts.time.tolist(), counts.at_risk.tolist(), counts.events.tolist()
    ([1.0, 2.0, 4.0], [[2.0, 1.0, 0.0], [2.0, 2.0, 1.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    >>> table = EventTable.from_arrays([1, 2, 2, 4], [1, 1, 0, 1], pattern=["a", "b", "a", "b"])
    >>> group_counts(table).events.tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
    """
    if isinstance(source, EventTable):
        return _of_table(source, group, strata)
    if group is None:
        raise EngineError("rows need a group; give one label a row")
    return _of_rows(source, group, strata)


class _Cells(NamedTuple):
    """Numbers by (stratum, place in time, group), in any order and each perhaps more than once; places below `axis`."""

    stratum: AnyArray
    place: AnyArray
    group: AnyArray
    leaving: AnyArray
    events: AnyArray
    axis: int


class _Late(NamedTuple):
    """Numbers of those with delayed entry, likewise."""

    stratum: AnyArray
    place: AnyArray
    group: AnyArray
    number: AnyArray


def _of_rows(surv: Surv, group: ArrayLike, strata: ArrayLike | None) -> GroupCounts:
    n, axis = len(surv), surv.axis
    codes, labels = label_codes(group, n, "group")
    stratum, names = (None, np.zeros(1)) if strata is None else label_codes(strata, n, "strata")
    groups, size = labels.shape[0], labels.shape[0] * names.shape[0]
    both = codes if stratum is None else stratum * np.int64(groups) + codes
    if 2 * size * axis <= max(_ALWAYS_COUNTED, _CELLS_A_ROW * n):
        shape = names.shape[0], groups, axis
        ending = cell_counts(surv.place, axis, code=surv.event_code, top=1, group=both, groups=size, weight=surv.weight)
        rows = ending.reshape(size, -1).sum(axis=1) if surv.weight is None else cell_counts(both, size)
        entering = None
        if surv.entry_place is not None:
            entering = cell_counts(surv.entry_place, axis, group=both, groups=size, weight=surv.weight).reshape(shape)
        return _from_block(ending.reshape(*shape, 2), entering, surv, rows.reshape(-1, groups), labels)
    mine = np.zeros(n, dtype=np.int32) if stratum is None else stratum
    weight = surv.weight_or_one
    cells = _Cells(mine, surv.place, codes, weight, weight * surv.is_event, axis)
    late = None if surv.entry_place is None else _Late(mine, surv.entry_place, codes, weight)
    rows = np.bincount(both, minlength=size).reshape(-1, groups)
    return _from_cells(cells, late, surv.times_at, rows, labels)


def _from_block(
    ending: AnyArray, entering: AnyArray | None, surv: Surv, rows: AnyArray, labels: AnyArray
) -> GroupCounts:
    """Read counts off a block of (strata, groups, axis, 2) of those censored and with an event; `rows` as below."""
    # Columns are added one by one: a sum along an axis of two is slow.
    had_any = _sum_of_groups(ending[..., 1]) > 0
    places = [np.flatnonzero(flags) for flags in had_any]
    stratum = np.repeat(np.arange(len(places)), [p.shape[0] for p in places])
    ends = np.cumsum([0, *(p.shape[0] for p in places)])
    groups = np.flatnonzero(rows.any(axis=0))
    at_risk, had = (np.empty((groups.shape[0], stratum.shape[0])) for _ in range(2))
    read = kernels.load("counting").at_risk_at if kernels.use_kernels(4 * ending.size) else at_risk_at
    nobody = np.zeros(0)

    def fill(cell: tuple[int, int]) -> None:
        row, s = cell
        g, mine = groups[row], slice(ends[s], ends[s + 1])
        late = nobody if entering is None else entering[s, g]
        read(ending[s, g], late, places[s], at_risk[row, mine], had[row, mine])

    kernels.on_all_cores(fill, [(row, s) for s in range(len(places)) for row in range(groups.shape[0])])
    place = places[0] if len(places) == 1 else np.concatenate(places)
    return _named(stratum, surv.times_at(place), at_risk, had, rows, labels)


def at_risk_at(ending: AnyArray, entering: AnyArray, places: IntArray, at_risk: FloatArray, events: FloatArray) -> None:
    """Write the numbers at risk and with an event at the rising `places` of one group in one stratum.

    Parameters
    ----------
    ending : array of shape (axis, 2), those censored and with an event at each place
    entering : array of shape (axis,), those with delayed entry; empty where nobody has one
    places, at_risk, events : arrays of shape (k,)
    """
    still = np.cumsum((ending[:, 0] + ending[:, 1])[::-1])[::-1]
    if entering.shape[0]:
        # entry >= t means not yet at risk at t.
        still = still - np.cumsum(entering[::-1])[::-1]
    at_risk[:], events[:] = still[places], ending[places, 1]


def _sum_of_groups(counts: AnyArray) -> AnyArray:
    total = counts[:, 0].copy()
    for g in range(1, counts.shape[1]):
        total += counts[:, g]
    return total


def _of_table(table: EventTable, group: ArrayLike | None, strata: ArrayLike | None) -> GroupCounts:
    size = table.patterns.shape[0]
    codes, labels = _one_each(_default_groups(table) if group is None else group, size, "group", "pattern")
    if strata is None:
        mine = np.zeros(table.stratum.shape[0], dtype=np.int64)
    else:
        mine = _one_each(strata, table.strata.shape[0], "strata", "stratum")[0][table.stratum]
    ending, entering, own = table.ending, table.entering, codes[table.pattern]
    cells = _Cells(mine, table.time, own, ending.sum(axis=1), ending[:, 1], int(table.time.max(initial=0)) + 1)
    late = _Late(mine, table.time, own, entering) if entering.any() else None
    size = (int(mine.max(initial=0)) + 1) * labels.shape[0]
    rows = np.bincount(mine * labels.shape[0] + own, table.rows_ending, size).reshape(-1, labels.shape[0])
    return _from_cells(cells, late, lambda days: days.astype(np.float64), rows, labels)


def _one_each(values: ArrayLike, size: int, name: str, what: str) -> tuple[IntArray, AnyArray]:
    array = label_array(values, name)
    if array.shape != (size,):
        raise EngineError(f"{name} has shape {array.shape}; with an event table of {size} give one label a {what}")
    return encode(array, size, name)


def _default_groups(table: EventTable) -> AnyArray:
    patterns = table.patterns
    if patterns.ndim == 2 and patterns.shape[1] != 1:
        raise EngineError("the table's patterns are rows of covariates; give group, one label for each of its patterns")
    return patterns.reshape(-1)


def _from_cells(
    cells: _Cells,
    late: _Late | None,
    times_at: Callable[[AnyArray], FloatArray],
    rows: AnyArray,
    labels: AnyArray,
) -> GroupCounts:
    """Add up the cells at the event times: a cell is at risk at those of its stratum up to its own place.

    `rows` (strata, groups) counts rows: codes of strata and groups that have none are left out.
    """
    step, groups = cells.axis + 1, labels.shape[0]
    start = cells.stratum.astype(np.int64) * step
    key = start + cells.place
    event_key = np.unique(key[cells.events > 0])
    k = event_key.shape[0]
    last = np.searchsorted(event_key, key, side="right")
    row = cells.group.astype(np.int64) * (k + 1)
    change = np.bincount(row + np.searchsorted(event_key, start), cells.leaving, groups * (k + 1))
    change -= np.bincount(row + last, cells.leaving, groups * (k + 1))
    if late is not None:
        start = late.stratum.astype(np.int64) * step
        row_late = late.group.astype(np.int64) * (k + 1)
        change -= np.bincount(row_late + np.searchsorted(event_key, start), late.number, groups * (k + 1))
        enters = np.searchsorted(event_key, start + late.place, side="right")
        change += np.bincount(row_late + enters, late.number, groups * (k + 1))
    had = cells.events > 0
    events = np.bincount(row[had] + last[had] - 1, cells.events[had], groups * (k + 1))
    stratum, place = np.divmod(event_key, step)
    present = rows.any(axis=0)
    at_risk = np.cumsum(change.reshape(groups, k + 1), axis=1, dtype=np.float64)[present, :-1]
    events = events.reshape(groups, k + 1)[present, :-1]
    return _named(stratum, times_at(place), at_risk, np.ascontiguousarray(events), rows, labels)


def _named(
    stratum: IntArray, time: FloatArray, at_risk: FloatArray, events: FloatArray, rows: AnyArray, labels: AnyArray
) -> GroupCounts:
    present, known = rows.any(axis=0), rows.any(axis=1)
    return GroupCounts(
        stratum=(np.cumsum(known) - 1)[stratum],
        time=time,
        segment=run_starts(stratum),
        at_risk=at_risk,
        events=events,
        groups=tuple(labels[present].tolist()),
        n=rows[:, present].sum(axis=0).astype(np.float64),
    )
