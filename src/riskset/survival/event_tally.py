"""Adding up rows by (stratum, pattern, day) while they come in chunks: how an event table is made."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.counting import add_to_cells, cells_for, whole_numbers
from riskset.survival.label_codes import label_codes, present_codes, row_codes
from riskset.survival.surv import as_column, numbers

_LAST_DAY = 2**31 - 2
_MOST_CAUSES = 127
# A cell's key: the row of the table (a stratum's pattern), the day in 31 bits, the kind of cell in 7.
_KIND_BITS = 7
_DAY_BITS = 31
_ROW_BITS = _KIND_BITS + _DAY_BITS
_MOST_ROWS = 1 << 25
# Cells are counted in a dense block up to this size (64 MiB), and while they are no more than a few a row.
_MOST_CELLS = 1 << 24
_ALWAYS_DENSE = 1 << 14
_CELLS_A_ROW = 4
_MOST_IN_A_CELL = 2**31 - 1
# Keys that wait are added up when there are this many, or twice those of last time, so that memory stays flat.
_WAITING = 1 << 21

# Fields of `Totals` that have one entry a cell come first.
_CELL_FIELDS = 9


class Totals(NamedTuple):
    """The fields of an `EventTable`, described there."""

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

    def of_cells(self, kept: BoolArray) -> Totals:
        """Give the sums of the cells that the flags (m,) select."""
        fields: list[Any] = list(self)
        cells: list[Any] = [None if column is None else column[kept] for column in fields[:_CELL_FIELDS]]
        return Totals(*cells, *fields[_CELL_FIELDS:])


class Tally:
    """Rows added up so far. `add_rows` and `add_totals` take more, `totals` gives their sums, sorted."""

    def __init__(self) -> None:
        self._rows = 0
        self._begun = False
        self._patterns = _Labels("pattern")
        self._strata = _Labels("stratum")
        self._pairs: dict[tuple[int, int], int] = {}
        self._ending = _Ledger(np.int64)
        self._entering = _Ledger(np.int64)
        self._ending_weight: _Ledger | None = None
        self._entering_weight: _Ledger | None = None
        self._fractional = False

    def add_rows(
        self,
        time: ArrayLike,
        event: ArrayLike,
        *,
        pattern: ArrayLike | None = None,
        stratum: ArrayLike | None = None,
        entry: ArrayLike | None = None,
        weight: ArrayLike | None = None,
    ) -> None:
        """Add rows; arguments and errors as `EventTable.from_arrays`."""
        self._begun = True
        times = as_column(time, "time")
        n = times.shape[0]
        self._rows += n
        days, last = self._days(times, "time")
        codes, causes = self._causes(as_column(event, "event", n))
        late = None if entry is None else self._days(as_column(entry, "entry", n), "entry")
        if late is not None and (late[0] >= days).any():
            raise EngineError("a row enters at or after its own time; entry must be less than time in every row")
        weights = None if weight is None else numbers(weight, "weight", n)
        if weights is not None and (weights <= 0).any():
            raise EngineError("weight holds a number that is not positive; leave such rows out")
        row = self._table_rows(pattern, stratum, n)
        self._weigh(weights)
        ending = (days, last + 1, codes, max(1, causes), row, len(self._pairs))
        entering = None if late is None else (late[0], late[1] + 1, None, 0, row, len(self._pairs))
        self._ending.add(*ending, None, self._rows)
        if entering is not None:
            self._entering.add(*entering, None, self._rows)
        if self._ending_weight is not None and self._entering_weight is not None:
            number = np.ones(n) if weights is None else weights
            self._ending_weight.add(*ending, number, self._rows)
            if entering is not None:
                self._entering_weight.add(*entering, number, self._rows)

    def add_totals(self, more: Totals) -> None:
        """Add the sums of other rows."""
        self._begun = True
        if more.time.shape[0] == 0:
            return
        self._rows += int(more.events.sum() + more.censored.sum())
        labels = more.patterns if more.patterns.ndim == 1 else [tuple(row) for row in more.patterns.tolist()]
        form = "labels" if more.patterns.ndim == 1 else more.patterns.shape[1]
        pairs, place = np.unique(more.stratum * len(labels) + more.pattern, return_inverse=True)
        patterns = self._patterns.take([_plain(labels[k]) for k in pairs % len(labels)], form)
        strata = self._strata.take(
            [_plain(more.strata[k]) for k in pairs // len(labels)], "none" if more.strata[0] is None else "labels"
        )
        row = self._pair_rows(strata, patterns)[place.reshape(-1)]
        if more.event_weight is not None:
            self._weigh(np.full(1, 0.5 if more.has_fractional_weights else 1.0))
        key = (row << _ROW_BITS) | (more.time << _KIND_BITS)
        self._ending.take(*_kinds(key, more.censored, more.events))
        self._entering.take(*_kinds(key, more.entered))
        if self._ending_weight is not None and self._entering_weight is not None:
            given = more.event_weight, more.censored_weight, more.entered_weight
            events, censored, entered = (
                count if own is None else own
                for count, own in zip((more.events, more.censored, more.entered), given, strict=True)
            )
            self._ending_weight.take(*_kinds(key, censored, events))
            self._entering_weight.take(*_kinds(key, entered))

    def totals(self) -> Totals:
        """Give the sums so far, sorted by stratum, pattern and day."""
        if not self._begun:
            raise EngineError("there is no chunk to count; give at least one")
        ledgers = [self._ending, self._entering, self._ending_weight, self._entering_weight]
        sums = [None if ledger is None else ledger.sums() for ledger in ledgers]
        present = [keys >> _KIND_BITS for keys, _ in (s for s in sums if s is not None)]
        cells = np.unique(np.concatenate(present))
        row = cells >> _DAY_BITS
        pairs = np.array(list(self._pairs), dtype=np.int64).reshape(-1, 2)[row]
        strata, stratum_place = self._strata.ordered()
        patterns, pattern_place = self._patterns.ordered()
        stratum, pattern, day = stratum_place[pairs[:, 0]], pattern_place[pairs[:, 1]], cells & ((1 << _DAY_BITS) - 1)
        order = np.lexsort((day, pattern, stratum))
        causes = max(1, int((sums[0][0] & _MOST_CAUSES).max(initial=0)) if sums[0] is not None else 1)
        ending, entering, ending_weight, entering_weight = (
            None if s is None else _spread(s, cells, kinds)[order]
            for s, kinds in zip(sums, (causes + 1, 1, causes + 1, 1), strict=True)
        )
        assert ending is not None
        assert entering is not None
        return Totals(
            stratum=stratum[order],
            pattern=pattern[order],
            time=day[order],
            events=np.ascontiguousarray(ending[:, 1:]),
            censored=np.ascontiguousarray(ending[:, 0]),
            entered=np.ascontiguousarray(entering[:, 0]),
            event_weight=None if ending_weight is None else np.ascontiguousarray(ending_weight[:, 1:]),
            censored_weight=None if ending_weight is None else np.ascontiguousarray(ending_weight[:, 0]),
            entered_weight=None if entering_weight is None else np.ascontiguousarray(entering_weight[:, 0]),
            strata=strata,
            patterns=patterns,
            has_fractional_weights=self._fractional,
        )

    def _days(self, values: AnyArray, name: str) -> tuple[AnyArray, int]:
        found = whole_numbers(values, _LAST_DAY, rows=self._rows)
        if found is not None:
            return found
        given = numbers(values, name)
        if (given < 0).any():
            raise EngineError(f"{name} holds a negative number; start each row at its time zero, or leave the row out")
        if (given != np.rint(given)).any():
            raise EngineError(
                f"{name} holds a part of a day and an event table counts whole days; give days, or use Surv"
            )
        raise EngineError(f"{name} holds a day beyond {_LAST_DAY}; give days from time zero, not dates")

    def _causes(self, event: AnyArray) -> tuple[AnyArray, int]:
        found = whole_numbers(event, _MOST_CAUSES, dtype=np.int8, rows=self._rows)
        if found is None:
            numbers(event, "event")
            raise EngineError("event holds something else than 0, 1, ..., 127; code 0 = censored, k = event of cause k")
        return found

    def _weigh(self, weights: FloatArray | None) -> None:
        """Begin to add up weights when the first come: every row before counts one."""
        if weights is None:
            return
        self._fractional |= bool((weights != np.floor(weights)).any())
        if self._ending_weight is None:
            self._ending_weight, self._entering_weight = _Ledger(np.float64), _Ledger(np.float64)
            self._ending_weight.take(*self._ending.sums())
            self._entering_weight.take(*self._entering.sums())

    def _table_rows(self, pattern: ArrayLike | None, stratum: ArrayLike | None, n: int) -> AnyArray | None:
        """Give each row's (stratum, pattern) pair as the number of a row of the table; None where there is one."""
        if stratum is None:
            strata, stratum_labels, stratum_form = None, [None], "none"
        else:
            strata, levels = label_codes(stratum, n, "stratum", rows=self._rows)
            stratum_labels, stratum_form = levels.tolist(), "labels"
        form: str | int
        if pattern is None:
            patterns, labels, form = None, [()], 0
        elif np.ndim(pattern) == 1:
            patterns, levels = label_codes(pattern, n, "pattern", rows=self._rows)
            labels, form = levels.tolist(), "labels"
        else:
            patterns, levels = row_codes(pattern, n, "pattern", rows=self._rows)
            labels, form = [tuple(row) for row in levels.tolist()], levels.shape[1]
        if strata is None and patterns is None:
            self._pair_rows(self._strata.take([None], "none"), self._patterns.take([()], 0))
            return None
        both = patterns if strata is None else strata if patterns is None else strata * np.int64(len(labels)) + patterns
        assert both is not None
        size = len(labels) * len(stratum_labels)
        if size > max(_ALWAYS_DENSE, _CELLS_A_ROW * n):
            present, both = np.unique(both, return_inverse=True)
            place = np.zeros(present.shape[0], dtype=np.int32)
            used = np.arange(present.shape[0])
            both = both.reshape(-1)
        else:
            present, place = present_codes(both, size, rows=self._rows)
            used = present
        strata_of = self._strata.take([stratum_labels[k] for k in present // len(labels)], stratum_form)
        patterns_of = self._patterns.take([labels[k] for k in present % len(labels)], form)
        place[used] = self._pair_rows(strata_of, patterns_of)
        return place[both]

    def _pair_rows(self, strata: IntArray, patterns: IntArray) -> IntArray:
        pairs = self._pairs
        rows = [pairs.setdefault(pair, len(pairs)) for pair in zip(strata.tolist(), patterns.tolist(), strict=True)]
        if len(pairs) > _MOST_ROWS:
            raise EngineError("the event table has too many patterns; patterns are for categories, not measurements")
        return np.array(rows, dtype=np.int64)


class _Labels:
    """Labels in the order in which they came, or rows of p covariates; one form for all."""

    def __init__(self, name: str) -> None:
        self.form: str | int | None = None
        self._name = name
        self._codes: dict[Hashable, int] = {}

    def take(self, labels: Iterable[Hashable], form: str | int) -> IntArray:
        """Give the codes of `labels`, new ones for those that had none."""
        if self.form is None:
            self.form = form
        if self.form != form:
            raise EngineError(f"some rows have a {self._name} and some none or one of another shape; give all the same")
        codes = self._codes
        return np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.int64)

    def ordered(self) -> tuple[AnyArray, IntArray]:
        """Give the labels sorted, and the place of each code among them."""
        labels = list(self._codes)
        if self.form == "labels":
            if len({isinstance(label, str) for label in labels}) > 1:
                raise EngineError(f"{self._name} mixes kinds of label; give all of them as text or all as numbers")
            array = np.array(labels)
            order = np.argsort(array, kind="stable")
        elif self.form == "none":
            array, order = np.array([None], dtype=object), np.zeros(1, dtype=np.int64)
        else:
            array = np.array(labels, dtype=np.float64).reshape(len(labels), int(self.form or 0))
            order = np.lexsort(array.T[::-1]) if array.shape[1] else np.arange(len(labels))
        place = np.empty(order.shape[0], dtype=np.int64)
        place[order] = np.arange(order.shape[0])
        return array[order], place


class _Ledger:
    """Sums by key: in a dense block of (row, day, kind) while that is cheap, as sorted keys beside it where not."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._dtype = dtype
        # A block of counts has cells of half the size, and is emptied into the keys before one could overflow.
        self._cell_dtype: type[np.generic] = np.int32 if dtype is np.int64 else dtype
        self._counted = 0
        self._cells: list[AnyArray] = []
        self._shape = (0, 0, 0)
        self._waiting: list[tuple[IntArray, AnyArray]] = []
        self._length = self._length_summed = 0

    def add(
        self,
        place: AnyArray,
        axis: int,
        code: AnyArray | None,
        top: int,
        group: AnyArray | None,
        groups: int,
        weight: FloatArray | None,
        rows: int,
    ) -> None:
        """Add one for each row, or its weight, to its cell; arguments as `counting.add_to_cells`."""
        if place.shape[0] == 0:
            return
        if self._counted + place.shape[0] >= _MOST_IN_A_CELL:
            self._empty()
        if self._make_room((groups, axis, top + 1), rows):
            self._counted += place.shape[0]
            _, days, kinds = self._shape
            self._cells = cells_for(place.shape[0], rows, self._cells)
            add_to_cells(self._cells, place, days, code=code, top=kinds - 1, group=group, weight=weight, rows=rows)
            return
        key = place.astype(np.int64) << _KIND_BITS
        if code is not None:
            key |= code
        if group is not None:
            key |= group.astype(np.int64) << _ROW_BITS
        self.take(*(np.unique(key, return_counts=True) if weight is None else _summed(key, weight)))

    def take(self, keys: IntArray, values: AnyArray) -> None:
        """Add values to the cells of `keys`."""
        self._waiting.append((keys, values.astype(self._dtype)))
        self._length += keys.shape[0]
        if self._length > max(_WAITING, 2 * self._length_summed):
            self._add_up()
            self._length_summed = self._length

    def sums(self) -> tuple[IntArray, AnyArray]:
        """Give the keys of the cells that hold anything, sorted, and their sums."""
        self._empty()
        self._add_up()
        return self._waiting[0]

    def _empty(self) -> None:
        """Move what the dense block holds to the keys."""
        if self._cells:
            total = self._cells[0]
            for more in self._cells[1:]:
                total += more
                more[:] = 0
            cell = np.flatnonzero(total)
            _, days, kinds = self._shape
            row, rest = np.divmod(cell, days * kinds)
            self.take((row << _ROW_BITS) | (rest // kinds << _KIND_BITS) | (rest % kinds), total[cell])
            total[:] = 0
        self._counted = 0

    def _add_up(self) -> None:
        keys, values = _sum_of(self._waiting, self._dtype)
        self._waiting, self._length = [(keys, values)], keys.shape[0]

    def _make_room(self, needed: tuple[int, int, int], rows: int) -> bool:
        """Grow the dense block to `needed` (rows, days, kinds) where that costs little beside `rows`."""
        if all(a <= b for a, b in zip(needed, self._shape, strict=True)):
            return True
        exact = tuple(max(a, b) for a, b in zip(needed, self._shape, strict=True))
        # Room for more than is needed, so that growing by small steps does not copy each time.
        roomy = tuple(a if a == b else a + a // 4 for a, b in zip(exact, self._shape, strict=True))
        roomy = (roomy[0], roomy[1], exact[2])
        limit = min(_MOST_CELLS, max(_ALWAYS_DENSE, _CELLS_A_ROW * rows))
        shape = next((s for s in (roomy, exact) if s[0] * s[1] * s[2] <= limit), None)
        if shape is None:
            return False
        old = self._shape
        for k, cells in enumerate(self._cells):
            block = np.zeros(shape, dtype=self._cell_dtype)
            block[: old[0], : old[1], : old[2]] = cells.reshape(old)
            self._cells[k] = block.reshape(-1)
        if not self._cells:
            self._cells = [np.zeros(shape[0] * shape[1] * shape[2], dtype=self._cell_dtype)]
        self._shape = (shape[0], shape[1], shape[2])
        return True


def _plain(label: Any) -> Hashable:
    """Give a label as a plain Python value."""
    return label.item() if isinstance(label, np.generic) else label  # type: ignore[no-any-return]


def _kinds(key: IntArray, none: AnyArray, causes: AnyArray | None = None) -> tuple[IntArray, AnyArray]:
    """Give keys and values of the cells that are not zero: `none` (m,) of kind 0, `causes` (m, c) of kinds 1 to c."""
    values = none[:, None] if causes is None else np.column_stack((none, causes))
    cell, kind = np.nonzero(values)
    return key[cell] | kind, values[cell, kind]


def _sum_of(parts: list[tuple[IntArray, AnyArray]], dtype: type[np.generic]) -> tuple[IntArray, AnyArray]:
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=dtype)
    if len(parts) == 1:
        return parts[0] if _rises(parts[0][0]) else _summed(*parts[0])
    return _summed(np.concatenate([k for k, _ in parts]), np.concatenate([v for _, v in parts]))


def _rises(keys: IntArray) -> bool:
    return bool((keys[1:] > keys[:-1]).all())


def _summed(keys: IntArray, values: AnyArray) -> tuple[IntArray, AnyArray]:
    """Give the distinct keys, sorted, and the sum of the values of each."""
    if keys.shape[0] == 0:
        return keys, values
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.add.reduceat(values[order], starts)


def _spread(sums: tuple[IntArray, AnyArray], cells: IntArray, kinds: int) -> AnyArray:
    """Give sums by key as an array (m, kinds) over the m sorted `cells`."""
    keys, values = sums
    table = np.zeros((cells.shape[0], kinds), dtype=values.dtype)
    table[np.searchsorted(cells, keys >> _KIND_BITS), keys & _MOST_CAUSES] = values
    return table
