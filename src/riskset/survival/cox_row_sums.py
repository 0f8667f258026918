"""Two ways to add up the rows of a Cox model by compiled kernels; see `kernels.cox` and `kernels.cox_sorted`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from riskset.survival._types import AnyArray, FloatArray, IntArray
from riskset.survival.cox_places import RiskPlaces, fixed, row_parts
from riskset.survival.kernels import load, on_all_cores

# Numbers in the tables of all parts together: more would not stay in the cache.
_MOST_IN_TABLES = 1 << 20


class RowSums(Protocol):
    """What an evaluation needs of the rows, with columns moved by their centre and multiplied by their factor."""

    @property
    def places(self) -> RiskPlaces:
        """Where the rows stand."""
        ...

    def risks(self, slope: FloatArray) -> tuple[FloatArray, float]:
        """Give the rows' risks r at the coefficients `slope` (p,), and the predictor taken off to keep them below w."""
        ...

    def risk_sums(self, risk: FloatArray) -> FloatArray:
        """Give S0 and E0, the sums of risks over each risk set and each tied set: shape (2, K)."""
        ...

    def gram(self, risk: FloatArray, terms: FloatArray) -> FloatArray:
        """Give the weighted Gram matrix of (x, 1) less that of the means, right on and above the diagonal.

        `terms` (5, K): Lambda until each event time, Phi, and the a, b, c of `kernels.cox.gram_of_means`.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class RowsByTime:
    """Rows in their own order, not copied, added up in tables of the K event times that fit the cache.

    Attributes
    ----------
    x : array of shape (n, p)
    centre, factor : arrays of shape (p,)
    weight, offset : arrays of shape (n,) or (0,)
    places : where the rows stand
    """

    x: FloatArray
    centre: FloatArray
    factor: FloatArray
    weight: FloatArray
    offset: FloatArray
    places: RiskPlaces

    def risks(self, slope: FloatArray) -> tuple[FloatArray, float]:
        """See `RowSums`."""
        return _risks(self.x, self.centre, slope * self.factor, self.offset, self.weight, self.places.exit_at)

    def risk_sums(self, risk: FloatArray) -> FloatArray:
        """See `RowSums`."""
        kernel, at, parts = load("cox"), self.places, self._parts()
        tables = np.empty((len(parts), 2, len(at)))
        on_all_cores(
            lambda i: kernel.add_risks(risk, at.exit_at, at.entry_at, at.event, *parts[i], tables[i]),
            range(len(parts)),
        )
        return np.asarray(tables.sum(axis=0))

    def gram(self, risk: FloatArray, terms: FloatArray) -> FloatArray:
        """See `RowSums`."""
        kernel, at, parts = load("cox"), self.places, self._parts()
        p, times = self.x.shape[1], len(self.places)
        tables = np.empty((len(parts), 2 * times, p))
        size = p + 1 + kernel._PAD
        grams, means = np.empty((len(parts), size, size)), np.zeros((size, size))

        def add(i: int) -> None:
            place = (at.exit_at, at.entry_at, at.event)
            out = (tables[i], grams[i])
            kernel.add_rows_by_time(self.x, self.centre, self.factor, risk, *place, terms[0], terms[1], *parts[i], *out)

        on_all_cores(add, range(len(parts)))
        kernel.gram_of_means(tables, terms, at.begins, means)
        return np.asarray(grams.sum(axis=0) - means)[: p + 1, : p + 1]

    def _parts(self) -> list[tuple[int, int]]:
        in_one = numbers_in_table(len(self.places), self.x.shape[1])
        return row_parts(self.x.shape[0], max(1, _MOST_IN_TABLES // in_one))


@dataclass(frozen=True, slots=True, eq=False)
class SortedRows:
    """The a rows that are ever at risk, sorted by where they leave, with copies of their centred and scaled columns.

    Attributes
    ----------
    x : array of shape (a, p)
    weight, offset : arrays of shape (a,) or (0,)
    places : where these rows stand
    order : array of shape (a,), their places among all rows
    late, late_at : rows with delayed entry, in the order of the last event time before it; and that event time
    parts : the rows in parts, none of which ends between events of one time
    """

    x: FloatArray
    weight: FloatArray
    offset: FloatArray
    places: RiskPlaces
    order: AnyArray
    late: IntArray
    late_at: AnyArray
    parts: list[tuple[int, int]]

    def risks(self, slope: FloatArray) -> tuple[FloatArray, float]:
        """See `RowSums`."""
        return _risks(self.x, np.zeros(slope.shape[0]), slope, self.offset, self.weight, self.places.exit_at)

    def risk_sums(self, risk: FloatArray) -> FloatArray:
        """See `RowSums`."""
        at, sums = self.places, np.empty((2, len(self.places)))
        load("cox").add_risks(risk, at.exit_at, at.entry_at, at.event, 0, self.x.shape[0], sums)
        return sums

    def gram(self, risk: FloatArray, terms: FloatArray) -> FloatArray:
        """See `RowSums`."""
        kernel, at, parts, p = load("cox_sorted"), self.places, self.parts, self.x.shape[1]
        size = p + 1 + kernel._PAD
        grams, sums = np.empty((2, len(parts), size, size)), np.empty((len(parts), 3, p + 1))

        def add(i: int) -> bool:
            place = (at.exit_at, at.entry_at, at.event, self.late, self.late_at)
            out = (grams[0, i], grams[1, i], sums[i])
            return bool(kernel.add_rows_in_order(self.x, risk, *place, terms, at.begins, *parts[i], *out))

        restarted = on_all_cores(add, range(len(parts)))
        total = (grams[0].sum(axis=0) - grams[1].sum(axis=0))[: p + 1, : p + 1]
        carry = np.zeros(p)
        for i in range(len(parts) - 1, -1, -1):
            tail, v, a = sums[i, 0, :p], sums[i, 1, :p], sums[i, 2, 0]
            cross = np.outer(carry, v)
            total[:p, :p] -= a * np.outer(carry, carry) + cross + cross.T
            carry = tail if restarted[i] else carry + tail
        return np.asarray(total)


def numbers_in_table(times: int, p: int) -> int:
    """Give how many numbers a part's tables of `times` event times have with p columns."""
    return max(1, 2 * times * p)


def sort_rows(
    x: FloatArray, centre: FloatArray, factor: FloatArray, weight: FloatArray, offset: FloatArray, places: RiskPlaces
) -> SortedRows:
    """Sort the rows by where they leave, and write their centred and scaled columns in that order."""
    kernel = load("cox_sorted")
    order = np.empty(x.shape[0], dtype=np.int32)
    order = order[: kernel.order_by_exit(places.exit_at, places.event, len(places), order)].copy()
    sorted_x = np.empty((order.shape[0], x.shape[1]))
    parts = row_parts(order.shape[0])
    on_all_cores(lambda part: kernel.standardise(x, centre, factor, order, *part, sorted_x), parts)
    exit_at, event = places.exit_at[order], places.event[order]
    entry_at = places.entry_at[order] if places.entry_at.shape[0] else places.entry_at
    late = np.flatnonzero(entry_at >= 0)
    late = late[np.argsort(entry_at[late], kind="stable")]
    return SortedRows(
        x=fixed(sorted_x),
        weight=fixed(weight[order] if weight.shape[0] else weight),
        offset=fixed(offset[order] if offset.shape[0] else offset),
        places=RiskPlaces(places.begins, fixed(exit_at), fixed(entry_at), fixed(event), places.count),
        order=order,
        late=fixed(late),
        late_at=fixed(entry_at[late]),
        parts=_apart(parts, exit_at, event),
    )


def _apart(parts: list[tuple[int, int]], exit_at: AnyArray, event: AnyArray) -> list[tuple[int, int]]:
    """Move the cuts between parts to where no events of one time are cut apart."""
    n = exit_at.shape[0]
    cuts = [0]
    for _, stop in parts[:-1]:
        cut = max(stop, cuts[-1])
        while cut < n and event[cut] and exit_at[cut] == exit_at[cut - 1]:
            cut += 1
        if cuts[-1] < cut < n:
            cuts.append(cut)
    return list(pairwise([*cuts, n]))


def _risks(
    x: FloatArray,
    centre: FloatArray,
    slope: FloatArray,
    offset: FloatArray,
    weight: FloatArray,
    exit_at: AnyArray,
) -> tuple[FloatArray, float]:
    kernel, parts = load("cox"), row_parts(x.shape[0])
    if not slope.any() and not offset.shape[0]:
        # The null model, with which every fit begins.
        return (weight.copy() if weight.shape[0] else np.ones(x.shape[0])), 0.0
    risk, centre, slope = np.empty(x.shape[0]), fixed(centre), fixed(slope)
    largest = on_all_cores(lambda part: kernel.predict(x, centre, slope, offset, exit_at, *part, risk), parts)
    shift = float(np.max(largest))
    on_all_cores(lambda part: kernel.hazards(risk, weight, shift, *part), parts)
    return risk, shift
