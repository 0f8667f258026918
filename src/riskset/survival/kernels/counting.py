"""Compiled twins of the loops in `riskset.survival.counting`: same names, same arguments, same answers.

Loops run over slices from 0 on: only then does the compiler know that an index is not counted from the end, which it
would ask in every row, and use vector registers.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

# A block is read to its end before its flag is looked at, so that the loop has no exit.
_BLOCK = 4096
# Buckets of values whose look-ups share fast memory.
_BUCKETS = 512


@numba.njit(cache=True, nogil=True)
def take_whole(values: Any, out: Any, low: int, high: int, limit: int) -> int:
    """Write whole numbers to `out` and give the largest, or -1."""
    largest: Any = np.int32(0)
    for start in range(low, high, _BLOCK):
        stop = min(start + _BLOCK, high)
        part, whole = values[start:stop], out[start:stop]
        refused = False
        block: Any = np.int32(0)
        for i in range(part.shape[0]):
            value = part[i]
            inside = (value >= 0) & (value <= limit)
            # Only what fits may be converted: the rest has no defined integer.
            number = np.int32(value if inside else 0)
            refused |= (not inside) | (number != value)
            whole[i] = number
            block = max(block, number)
        if refused:
            return -1
        largest = max(largest, block)
    return largest  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def add_counts(place: Any, code: Any, top: int, group: Any, axis: int, cells: Any, low: int, high: int) -> None:
    """Add 1 for each row to its cell."""
    grouped, coded = group.shape[0] > 0, code.shape[0] > 0
    places, codes, groups = place[low:high], code[low:high], group[low:high]
    for i in range(places.shape[0]):
        cell: Any = np.int64(places[i])
        if grouped:
            cell += np.int64(groups[i]) * axis
        cell *= top + 1
        if coded:
            cell += min(np.int64(codes[i]), top)
        cells[np.uint64(cell)] += 1


@numba.njit(cache=True, nogil=True)
def add_weights(
    place: Any, code: Any, top: int, group: Any, axis: int, cells: Any, low: int, high: int, weight: Any
) -> None:
    """Add each row's weight to its cell."""
    grouped, coded = group.shape[0] > 0, code.shape[0] > 0
    places, codes, groups, weights = place[low:high], code[low:high], group[low:high], weight[low:high]
    for i in range(places.shape[0]):
        cell: Any = np.int64(places[i])
        if grouped:
            cell += np.int64(groups[i]) * axis
        cell *= top + 1
        if coded:
            cell += min(np.int64(codes[i]), top)
        cells[np.uint64(cell)] += weights[i]


@numba.njit(cache=True, nogil=True)
def distinct_sum(ordered: Any) -> Any:
    """Give the sum and the number of the distinct values."""
    total, count = 0.0, 0
    n = ordered.shape[0]
    for start in range(0, n, _BLOCK):
        # Sums by block round as little as NumPy's sums by pairs.
        part = 0.0
        for i in range(start, min(start + _BLOCK, n)):
            if i == 0 or ordered[i] > ordered[i - 1]:
                part += ordered[i]
                count += 1
        total += part
    return total, count


@numba.njit(cache=True, nogil=True, error_model="numpy")
def keep_apart(ordered: Any, tolerance: float, mean: float) -> int:
    """Move what lies apart from its predecessor to the front."""
    if ordered.shape[0] == 0:
        return 0
    before = ordered[0]
    count: Any = 1
    for i in range(1, ordered.shape[0]):
        value = ordered[i]
        gap = value - before
        before = value
        ordered[count] = value
        count += np.int64((gap > tolerance) & (gap / mean > tolerance))
    return count  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def find_starts(levels: Any, scale: float, starts: Any) -> None:
    """Write where the levels of each step start."""
    last = starts.shape[0] - 2
    filled = 0
    for i in range(levels.shape[0]):
        step = np.int64(min(levels[i] * scale, float(last)))
        while filled <= step:
            starts[filled] = i
            filled += 1
    while filled <= last + 1:
        starts[filled] = levels.shape[0]
        filled += 1


@numba.njit(cache=True, nogil=True)
def find_places(levels: Any, starts: Any, scale: float, values: Any, places: Any, low: int, high: int) -> None:
    """Write the place of the last level that is not above each value.

    The values are first dealt to some hundred buckets of neighbouring steps, so that what is looked up for a bucket
    stays in fast memory, and the answers are collected in the order of the rows.
    """
    last = starts.shape[0] - 2
    part, found = values[low:high], places[low:high]
    shift = 0
    while (last >> shift) >= _BUCKETS:
        shift += 1
    bucket = np.empty(part.shape[0], dtype=np.uint16)
    ends = np.zeros(_BUCKETS + 1, dtype=np.int64)
    for i in range(part.shape[0]):
        bucket[i] = np.int64(min(part[i] * scale, float(last))) >> shift
        ends[bucket[i] + 1] += 1
    for k in range(_BUCKETS):
        ends[k + 1] += ends[k]
    upto = ends[:-1].copy()
    dealt = np.empty(part.shape[0], dtype=np.float64)
    for i in range(part.shape[0]):
        dealt[upto[bucket[i]]] = part[i]
        upto[bucket[i]] += 1
    answer = np.empty(part.shape[0], dtype=places.dtype)
    for i in range(part.shape[0]):
        value = dealt[i]
        step = np.int64(min(value * scale, float(last)))
        below, above = starts[step], starts[step + 1]
        while below < above:
            middle = (below + above) // 2
            if levels[middle] <= value:
                below = middle + 1
            else:
                above = middle
        answer[i] = below - 1
    upto[:] = ends[:-1]
    for i in range(part.shape[0]):
        found[i] = answer[upto[bucket[i]]]
        upto[bucket[i]] += 1


@numba.njit(cache=True, nogil=True)
def at_risk_at(ending: Any, entering: Any, places: Any, at_risk: Any, events: Any) -> None:
    """Write the numbers at risk and of events at the rising places, from the last one down."""
    still, out = 0.0, 0.0
    late = entering.shape[0] > 0
    k = places.shape[0] - 1
    for j in range(ending.shape[0] - 1, -1, -1):
        if k < 0:
            break
        still += ending[j, 0] + ending[j, 1]
        if late:
            out += entering[j]
        if j == places[k]:
            at_risk[k] = still - out
            events[k] = ending[j, 1]
            k -= 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def product_limit(at_risk: Any, events: Any, nobody: float, survival: Any, error: Any) -> None:
    """Write the product of the shares left, and its standard error by Greenwood's formula."""
    product, variance = 1.0, 0.0
    for i in range(at_risk.shape[0]):
        left = at_risk[i] - events[i]
        if left < nobody * at_risk[i]:
            left = 0.0
        product *= left / at_risk[i]
        if events[i] > 0:
            variance += events[i] / (at_risk[i] * left)
        survival[i] = product
        error[i] = product * np.sqrt(variance) if product > 0 else np.nan
