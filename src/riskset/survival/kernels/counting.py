"""Compiled twins of the loops in `riskset.survival.counting`: same names, same arguments, same answers."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

# A block is read to its end before its flag is looked at, so that the loop has no exit and runs in vector registers.
_BLOCK = 4096


@numba.njit(cache=True, nogil=True)
def take_whole(values: Any, out: Any, low: int, high: int, limit: int) -> int:
    """Write whole numbers to `out` and give the largest, or -1."""
    largest: Any = 0
    for start in range(low, high, _BLOCK):
        refused = False
        block: Any = 0
        for i in range(start, min(start + _BLOCK, high)):
            value = values[i]
            inside = (value >= 0) & (value <= limit)
            # Only what fits may be converted: the rest has no defined integer.
            whole = np.int32(value if inside else 0)
            refused |= (not inside) | (whole != value)
            out[i] = whole
            block = max(block, whole)
        if refused:
            return -1
        largest = max(largest, block)
    return largest  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def add_counts(place: Any, code: Any, top: int, group: Any, axis: int, cells: Any, low: int, high: int) -> None:
    """Add 1 for each row to its cell."""
    grouped, coded = group.shape[0] > 0, code.shape[0] > 0
    for i in range(low, high):
        cell: Any = np.int64(place[i])
        if grouped:
            cell += np.int64(group[i]) * axis
        cell *= top + 1
        if coded:
            cell += min(np.int64(code[i]), top)
        # An unsigned index cannot stand for a place counted from the end, which would be asked in each row.
        cells[np.uint64(cell)] += 1


@numba.njit(cache=True, nogil=True)
def add_weights(
    place: Any, code: Any, top: int, group: Any, axis: int, cells: Any, low: int, high: int, weight: Any
) -> None:
    """Add each row's weight to its cell."""
    grouped, coded = group.shape[0] > 0, code.shape[0] > 0
    for i in range(low, high):
        cell: Any = np.int64(place[i])
        if grouped:
            cell += np.int64(group[i]) * axis
        cell *= top + 1
        if coded:
            cell += min(np.int64(code[i]), top)
        # An unsigned index cannot stand for a place counted from the end, which would be asked in each row.
        cells[np.uint64(cell)] += weight[i]
