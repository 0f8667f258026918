"""Counting rows by whole numbers (days, causes, groups): the passes over all rows that curves and tests begin with.

Each loop stands here in NumPy and, for many rows, compiled in `kernels.counting`. Counts are sums of whole numbers, so
neither the way the rows are cut nor the choice of loop can be seen in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from riskset.survival import kernels
from riskset.survival._types import AnyArray, FloatArray, IntArray

# Reading, checking and adding up one row.
_STEPS_A_ROW = 4
# Rows in a part that is worth a thread, and the most parts.
_PART = 1 << 18
_MOST_PARTS = 8
# Steps of the table by which times are looked up.
_MOST_STEPS = 1 << 24
_READABLE = frozenset(np.dtype(t) for t in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "f4", "f8"))
_NOTHING = np.zeros(0, dtype=np.int32)


def whole_numbers(
    values: AnyArray, limit: int, *, dtype: type[np.signedinteger[Any]] = np.int32, rows: int | None = None
) -> tuple[AnyArray, int] | None:
    """Give a copy of `values` and the largest of them, or None where one is no whole number from 0 to `limit`.

    Parameters
    ----------
    values : one-dimensional array of numbers or flags; missing and infinite numbers are no whole numbers.
    limit : the largest number allowed, which `dtype` must hold
    dtype : type of the copy
    rows : rows of the whole work that this is a part of, which decides whether a kernel is worth loading
    """
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    elif values.dtype not in _READABLE:
        values = values.astype(np.float64)
    values = np.ascontiguousarray(values)
    n = values.shape[0]
    out = np.empty(n, dtype=dtype)
    compiled = _compiled(n if rows is None else rows)
    take = take_whole if compiled is None else compiled.take_whole
    parts = _parts(n, 1 if compiled is None else _MOST_PARTS)
    largest = kernels.on_all_cores(lambda part: int(take(values, out, part[0], part[1], limit)), parts)
    return None if min(largest) < 0 else (out, max(largest))


def cell_counts(
    place: AnyArray,
    axis: int,
    *,
    code: AnyArray | None = None,
    top: int = 0,
    group: AnyArray | None = None,
    groups: int = 1,
    weight: FloatArray | None = None,
    rows: int | None = None,
) -> AnyArray:
    """Count rows, or add up their weights, by group, place and kind: array of shape (groups, axis, top + 1).

    Parameters
    ----------
    place : array of shape (n,), whole numbers 0 <= place < axis
    code : array of shape (n,), whole numbers; the kind is min(code, top). Without it the kind is 0.
    group : array of shape (n,), whole numbers 0 <= group < groups. Without it the group is 0.
    weight : array of shape (n,)
    rows : rows of the whole work that this is a part of
    """
    size = groups * axis * (top + 1)
    n = place.shape[0]
    work = n if rows is None else rows
    cells: list[AnyArray] = [np.zeros(size, dtype=count_type(n) if weight is None else np.float64)]
    # Every part fills cells of its own, which must not cost more than its rows.
    cells = cells_for(n, work, cells, most=min(_MOST_PARTS, n // (8 * size + 1) + 1))
    add_to_cells(cells, place, axis, code=code, top=top, group=group, weight=weight, rows=work)
    total = cells[0]
    for more in cells[1:]:
        total += more
    return total.reshape(groups, axis, top + 1)


def count_type(n: int) -> type[np.signedinteger[Any]]:
    """Give the smaller of two types that holds a count of n rows: cells of half the size stay in faster memory."""
    return np.int32 if n < 2**31 else np.int64


def cells_for(n: int, rows: int, cells: list[AnyArray], *, most: int = 2) -> list[AnyArray]:
    """Give the flat arrays `cells` with empty ones beside them, up to `most`, where n rows are worth more threads."""
    count = len(_parts(n, most)) if _compiled(rows) is not None else 1
    return cells + [np.zeros_like(cells[0]) for _ in range(count - len(cells))]


def add_to_cells(
    cells: Sequence[AnyArray],
    place: AnyArray,
    axis: int,
    *,
    code: AnyArray | None = None,
    top: int = 0,
    group: AnyArray | None = None,
    weight: FloatArray | None = None,
    rows: int,
) -> None:
    """Add the rows to `cells`, flat arrays of one size that are filled side by side and to be added up by the caller.

    Arguments as `cell_counts`; `rows` counts the rows of the whole work that this is a part of.
    """
    compiled = _compiled(rows)
    codes, codings = (_NOTHING if a is None else a for a in (group, code))
    pairs = list(zip(_parts(place.shape[0], len(cells)), cells, strict=False))

    def add(pair: tuple[tuple[int, int], AnyArray]) -> None:
        (low, high), mine = pair
        if weight is None:
            count = add_counts if compiled is None else compiled.add_counts
            count(place, codings, top, codes, axis, mine, low, high)
        else:
            weigh = add_weights if compiled is None else compiled.add_weights
            weigh(place, codings, top, codes, axis, mine, low, high, weight)

    kernels.on_all_cores(add, pairs)


def places_among(levels: FloatArray, values: FloatArray) -> AnyArray:
    """Give for each of `values` the place of the last of the rising `levels` that is not above it; none is below all.

    Examples
    --------
    >>> places_among(np.array([1.0, 2.0, 5.0]), np.array([5.0, 1.0, 2.5])).tolist()
    [2, 0, 1]
    """
    n, size = values.shape[0], levels.shape[0]
    places = np.empty(n, dtype=np.int32 if size < 2**31 else np.int64)
    if not kernels.use_kernels(n * np.log2(size + 1.0)):
        find_places(levels, np.zeros(0), 0.0, values, places, 0, n)
        return places
    # Levels are looked up by equal steps of time first, then searched within a step.
    steps = min(2 * size, _MOST_STEPS)
    scale = steps / float(levels[-1]) if levels[-1] > 0 and np.isfinite(steps / float(levels[-1])) else 0.0
    starts = np.empty(steps + 1, dtype=places.dtype)
    compiled = kernels.load("counting")
    compiled.find_starts(levels, scale, starts)

    def find(part: tuple[int, int]) -> None:
        compiled.find_places(levels, starts, scale, values, places, part[0], part[1])

    kernels.on_all_cores(find, _parts(n, _MOST_PARTS))
    return places


def near_equal_as_one(ordered: FloatArray, tolerance: float) -> FloatArray:
    """Give the distinct values of the rising `ordered`, which is overwritten, near-equal neighbours as their first.

    Neighbours are one where they differ by no more than `tolerance`, absolutely or relative to the mean of the distinct
    values.

    Examples
    --------
    >>> near_equal_as_one(np.array([1.0, 2.0, 2.0 + 1e-12, 5.0]), 1e-8).tolist()
    [1.0, 2.0, 5.0]
    """
    compiled = _compiled(ordered.shape[0])
    total, count = (distinct_sum if compiled is None else compiled.distinct_sum)(ordered)
    mean = total / max(count, 1)
    keep = keep_apart if compiled is None else compiled.keep_apart
    # All values are non-negative: with a mean of 0 there is nothing that a difference could be relative to.
    kept = keep(ordered, tolerance, mean if mean > 0 else 1.0)
    levels = ordered[:kept]
    # A short view would hold on to the whole.
    return levels.copy() if 2 * kept < ordered.shape[0] else levels


def take_whole(values: AnyArray, out: AnyArray, low: int, high: int, limit: int) -> int:
    """Write the whole numbers `values[low:high]` to `out`; give the largest, or -1 where one is not allowed."""
    part = values[low:high]
    if part.shape[0] == 0:
        return 0
    # NaN fails both comparisons, and only what is inside may be converted.
    if not (part.min() >= 0 and part.max() <= limit):
        return -1
    whole = out[low:high]
    whole[...] = part
    if part.dtype.kind == "f" and (whole != part).any():
        return -1
    return int(whole.max())


def add_counts(
    place: AnyArray, code: AnyArray, top: int, group: AnyArray, axis: int, cells: AnyArray, low: int, high: int
) -> None:
    """Add 1 for each row `low <= i < high` to its cell; an empty `code` or `group` stands for 0 in every row."""
    cells += np.bincount(_keys(place, code, top, group, axis, low, high), minlength=cells.shape[0])


def add_weights(
    place: AnyArray,
    code: AnyArray,
    top: int,
    group: AnyArray,
    axis: int,
    cells: AnyArray,
    low: int,
    high: int,
    weight: FloatArray,
) -> None:
    """Add the weight of each row `low <= i < high` to its cell; see `add_counts`."""
    cells += np.bincount(_keys(place, code, top, group, axis, low, high), weight[low:high], cells.shape[0])


def distinct_sum(ordered: FloatArray) -> tuple[float, int]:
    """Give the sum and the number of the distinct values of the rising `ordered`."""
    first, later = ordered[:1], ordered[1:]
    apart = later > ordered[:-1]
    return float(first.sum()) + float(later[apart].sum()), first.shape[0] + int(np.count_nonzero(apart))


def keep_apart(ordered: FloatArray, tolerance: float, mean: float) -> int:
    """Move the values that lie apart from their predecessor to the front of the rising `ordered`; give their number."""
    gap = np.diff(ordered)
    kept = np.concatenate((ordered[:1], ordered[1:][(gap > tolerance) & (gap / mean > tolerance)]))
    ordered[: kept.shape[0]] = kept
    return int(kept.shape[0])


def find_starts(levels: FloatArray, scale: float, starts: AnyArray) -> None:
    """Write to `starts[k]` the place of the first of the rising `levels` whose step `floor(level * scale)` is >= k.

    The last step, `starts.shape[0] - 2`, holds all levels beyond; the last of `starts` is the number of levels.
    """
    steps = starts.shape[0] - 1
    step = np.minimum(levels * scale, steps - 1).astype(np.int64)
    starts[0] = 0
    starts[1:] = np.cumsum(np.bincount(step, minlength=steps))


def find_places(
    levels: FloatArray,
    starts: AnyArray,  # noqa: ARG001  for the compiled twin alone
    scale: float,  # noqa: ARG001
    values: FloatArray,
    places: AnyArray,
    low: int,
    high: int,
) -> None:
    """Write the place of `values[low:high]` among `levels`; see `places_among`.

    The compiled twin looks up `starts`, where the levels of each step `floor(level * scale)` start, and searches there.
    """
    places[low:high] = np.searchsorted(levels, values[low:high], side="right") - 1


def _keys(place: AnyArray, code: AnyArray, top: int, group: AnyArray, axis: int, low: int, high: int) -> IntArray:
    keys = place[low:high].astype(np.int64)
    if group.shape[0]:
        keys += group[low:high].astype(np.int64) * axis
    if top:
        keys *= top + 1
        if code.shape[0]:
            keys += np.minimum(code[low:high], top)
    return keys


def _compiled(rows: int) -> Any:
    return kernels.load("counting") if kernels.use_kernels(_STEPS_A_ROW * rows) else None


def _parts(n: int, most: int) -> list[tuple[int, int]]:
    """Cut n rows into at most `most` parts, by n alone."""
    count = min(most, max(1, n // _PART))
    cuts = [n * k // count for k in range(count + 1)]
    return list(pairwise(cuts))
