"""Kernels of the Cox model where event times are many: rows are sorted once, and sums run along them.

Rows stand in the order of the event time at which they were last at risk, events first among equals, and are walked
from the last to the first. A part begins its running sum at 0, so parts run side by side; what the rows behind it add
(`carry`) enters afterwards: the means' Gram matrix is a square in the running sum, so with A the sum of the terms'
a, and v that of `a S1 - b E1`, it grows by `A carry carry' + carry v' + v carry'`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from riskset.survival._types import AnyArray, FloatArray
from riskset.survival.kernels.cox import _CHUNK, _FAST, _PAD, add_gram


@njit(cache=True, nogil=True)
def order_by_exit(exit_at: AnyArray, event: AnyArray, times: int, out: AnyArray) -> int:
    """Write the rows that are ever at risk into `out` by exit, events first among equals; give their number."""
    place = np.zeros(2 * times + 1, dtype=np.int64)
    for i in range(exit_at.shape[0]):
        if exit_at[i] >= 0:
            place[2 * exit_at[i] + 2 - (event[i] > 0)] += 1
    for k in range(2 * times):
        place[k + 1] += place[k]
    for i in range(exit_at.shape[0]):
        if exit_at[i] >= 0:
            key = 2 * exit_at[i] + 1 - (event[i] > 0)
            out[place[key]] = i
            place[key] += 1
    return int(place[2 * times])


@njit(cache=True, nogil=True)
def standardise(
    x: FloatArray, centre: FloatArray, factor: FloatArray, order: AnyArray, start: int, stop: int, out: FloatArray
) -> None:
    """Write the rows `order` of x, less `centre` and times `factor`, into `out`."""
    for i in range(start, stop):
        row = order[i]
        for j in range(x.shape[1]):
            out[i, j] = (x[row, j] - centre[j]) * factor[j]


@njit(cache=True, nogil=True, fastmath=_FAST)
def add_rows_in_order(
    x: FloatArray,
    risk: FloatArray,
    exit_at: AnyArray,
    entry_at: AnyArray,
    event: AnyArray,
    late: AnyArray,
    late_at: AnyArray,
    terms: FloatArray,
    begins: AnyArray,
    start: int,
    stop: int,
    gram: FloatArray,
    means: FloatArray,
    sums: FloatArray,
) -> bool:
    """Add the rows [start, stop) up: the weighted Gram matrix of (x, 1), that of the means, and what a carry needs.

    `late` are the rows with delayed entry in the order of `late_at`, the last event time before it. `sums` (3, p + 1)
    gets the running sum that the rows before take over, v and A; the answer tells whether a stratum began within, so
    that a carry ends here (v and A are those before it).
    """
    p = x.shape[1]
    delayed = entry_at.shape[0] > 0
    z, weighted = np.zeros((p + 1 + _PAD, _CHUNK)), np.zeros((p + 1 + _PAD, _CHUNK))
    mean, mean_weighted = np.zeros((p + _PAD, _CHUNK)), np.zeros((p + _PAD, _CHUNK))
    running, tied = np.zeros(p), np.zeros(p)
    gram[:] = 0.0
    means[:] = 0.0
    sums[:] = 0.0
    z[p] = 1.0
    restarted = False
    filled, filled_means = 0, 0
    pointer = np.searchsorted(late_at, exit_at[stop - 1], side="right") - 1
    for i in range(stop - 1, start - 1, -1):
        k = exit_at[i]
        hazard = terms[0, k]
        if delayed and entry_at[i] >= 0:
            hazard -= terms[0, entry_at[i]]
        for j in range(p):
            running[j] += risk[i] * x[i, j]
        split = terms[1, k] > 0.0
        if split and event[i] > 0:
            hazard -= terms[1, k]
            for j in range(p):
                tied[j] += risk[i] * x[i, j]
        for j in range(p):
            z[j, filled] = x[i, j]
        weighted[p, filled] = risk[i] * hazard
        filled += 1
        if filled == _CHUNK or i == start:
            weighted[p, filled:] = 0.0
            for j in range(p):
                for r in range(_CHUNK):
                    weighted[j, r] = z[j, r] * weighted[p, r]
            add_gram(z, weighted, p + 1, gram)
            filled = 0
        if i > 0 and exit_at[i - 1] == k:
            continue
        while pointer >= 0 and late_at[pointer] >= k:
            for j in range(p):
                running[j] -= risk[late[pointer]] * x[late[pointer], j]
            pointer -= 1
        a, b, c = terms[2, k], terms[3, k], terms[4, k]
        for j in range(p):
            mean[j, filled_means] = running[j]
            mean_weighted[j, filled_means] = a * running[j] - b * tied[j]
        if not restarted:
            sums[2, 0] += a
            for j in range(p):
                sums[1, j] += mean_weighted[j, filled_means]
        filled_means += 1
        if split:
            for j in range(p):
                mean[j, filled_means] = tied[j]
                mean_weighted[j, filled_means] = c * tied[j] - b * running[j]
            filled_means += 1
            tied[:] = 0.0
        if begins[k]:
            running[:] = 0.0
            restarted = True
        if filled_means >= _CHUNK - 1:
            mean[:, filled_means:] = 0.0
            mean_weighted[:, filled_means:] = 0.0
            add_gram(mean, mean_weighted, p, means)
            filled_means = 0
    mean[:, filled_means:] = 0.0
    mean_weighted[:, filled_means:] = 0.0
    add_gram(mean, mean_weighted, p, means)
    sums[0, :p] = running
    return restarted
