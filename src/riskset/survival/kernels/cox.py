"""Kernels of the Cox model for many rows: the sums of `cox_likelihood.py` without sorted or scaled copies of the rows.

Two ways through the rows. Where distinct event times are few (days), rows stay in their order and are added to a table
of the event times that fits the cache. Where they are many, rows are sorted once and sums run along them. Both take two
passes for an evaluation: one for the linear predictor, from which follow the risk sums S0 and the hazard Lambda, and
one for all that has covariates. The gradient is `sum of events' x - X' (r (Lambda - Phi))`, so it falls out of the
second pass with the information: a Gram matrix whose last column is a constant.

Rows come in parts [start, stop). A part's sums do not depend on the other parts, and are added up in their order.
Covariates are moved by `centre` and multiplied by `factor` as they are read: a column far from 0 keeps its digits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from riskset.survival._types import AnyArray, FloatArray

# Sums may be reordered and multiplications fused, which lets them run in vector registers; infinities and NaN stay.
_FAST = {"reassoc", "contract", "nsz"}

# Rows whose covariates lie side by side, column by column, in the first-level cache while their Gram matrix is formed.
_CHUNK = 64
# The Gram kernel works on 2 by 4 columns at a time, so its buffers have room for this many columns more.
_PAD = 8


@njit(cache=True, nogil=True, fastmath=_FAST)
def weighted_sums(
    x: FloatArray, weight: FloatArray, exit_at: AnyArray, start: int, stop: int, out: FloatArray
) -> float:
    """Write the weighted sum of each column over the rows that are ever at risk into `out` (p,); give their weight."""
    p = x.shape[1]
    weighted = weight.shape[0] > 0
    total = 0.0
    out[:] = 0.0
    for i in range(start, stop):
        if exit_at[i] < 0:
            continue
        w = weight[i] if weighted else 1.0
        total += w
        covariates = x[i]
        for j in range(p):
            out[j] += w * covariates[j]
    return total


@njit(cache=True, nogil=True, fastmath=_FAST)
def spreads_and_events(
    x: FloatArray,
    weight: FloatArray,
    exit_at: AnyArray,
    event: AnyArray,
    centre: FloatArray,
    start: int,
    stop: int,
    out: FloatArray,
) -> None:
    """Write the weighted sums of |x - centre| over the rows and of x - centre over the events into `out` (2, p)."""
    p = x.shape[1]
    weighted = weight.shape[0] > 0
    out[:] = 0.0
    for i in range(start, stop):
        if exit_at[i] < 0:
            continue
        w = weight[i] if weighted else 1.0
        for j in range(p):
            out[0, j] += w * abs(x[i, j] - centre[j])
        if event[i] > 0:
            for j in range(p):
                out[1, j] += w * (x[i, j] - centre[j])


@njit(cache=True, nogil=True)
def add_event_weights(weight: FloatArray, exit_at: AnyArray, event: AnyArray, total: FloatArray) -> None:
    """Add up the weights of the events of each event time in `total` (K,)."""
    for i in range(exit_at.shape[0]):
        if event[i] > 0:
            total[exit_at[i]] += weight[i]


@njit(cache=True, nogil=True, fastmath=_FAST)
def predict(
    x: FloatArray,
    centre: FloatArray,
    slope: FloatArray,
    offset: FloatArray,
    exit_at: AnyArray,
    start: int,
    stop: int,
    out: FloatArray,
) -> float:
    """Write the linear predictor (x - centre) slope + offset of each row into `out`; give the largest.

    A row that is never at risk gets minus infinity, whose risk is 0.
    """
    p = x.shape[1]
    has_offset = offset.shape[0] > 0
    largest = -np.inf
    for i in range(start, stop):
        if exit_at[i] < 0:
            out[i] = -np.inf
            continue
        value = 0.0
        for j in range(p):
            value += (x[i, j] - centre[j]) * slope[j]
        if has_offset:
            value += offset[i]
        out[i] = value
        if not value <= largest:
            largest = value
    return largest


@njit(cache=True, nogil=True)
def hazards(predictor: FloatArray, weight: FloatArray, shift: float, start: int, stop: int) -> None:
    """Turn each linear predictor into the risk r = w exp(predictor - shift), in its place."""
    weighted = weight.shape[0] > 0
    for i in range(start, stop):
        risk = np.exp(predictor[i] - shift)
        predictor[i] = weight[i] * risk if weighted else risk


@njit(cache=True, nogil=True)
def add_risks(
    risk: FloatArray,
    exit_at: AnyArray,
    entry_at: AnyArray,
    event: AnyArray,
    start: int,
    stop: int,
    out: FloatArray,
) -> None:
    """Add each row's risk to `out` (2, K): to row 0 where it leaves, less where it enters, to row 1 at its event."""
    delayed = entry_at.shape[0] > 0
    out[:] = 0.0
    for i in range(start, stop):
        k = exit_at[i]
        if k < 0:
            continue
        out[0, k] += risk[i]
        out[1, k] += risk[i] * event[i]
        if delayed and entry_at[i] >= 0:
            out[0, entry_at[i]] -= risk[i]


@njit(cache=True, nogil=True)
def run_back(change: FloatArray, begins: AnyArray) -> None:
    """Turn changes at each event time into the sums from there to the end of its stratum, in their place."""
    running = 0.0
    for k in range(change.shape[0] - 1, -1, -1):
        running += change[k]
        change[k] = running
        if begins[k]:
            running = 0.0


@njit(cache=True, nogil=True)
def run_forward(jump: FloatArray, begins: AnyArray) -> None:
    """Turn the hazard of each event time into the hazard until then in its stratum, in its place."""
    running = 0.0
    for k in range(jump.shape[0]):
        running = jump[k] if begins[k] else running + jump[k]
        jump[k] = running


@njit(cache=True, nogil=True, error_model="numpy")
def add_terms(
    sums: FloatArray, count: AnyArray, total: FloatArray, efron: bool, start: int, stop: int, out: FloatArray
) -> float:
    """Add up the terms of each tied set [start, stop): weight times 1, f, and 1, f, f^2 over the denominator(s).

    `out` (5, K) gets the sums of W/d times 1/D, f/D, 1/D^2, f/D^2, f^2/D^2 with D = S0 - f E0; the answer is the sum of
    W/d log D.
    """
    log_sum = 0.0
    for k in range(start, stop):
        d = count[k]
        if d == 0:
            # A resample may lack all events of a time.
            out[:, k] = 0.0
            continue
        share = total[k] / d
        split = efron and d > 1
        if not split:
            inverse = 1.0 / sums[0, k]
            log_sum += total[k] * np.log(sums[0, k])
            out[0, k] = total[k] * inverse
            out[1, k] = 0.0
            out[2, k] = total[k] * inverse * inverse
            out[3, k] = 0.0
            out[4, k] = 0.0
            continue
        logs, one, first, square, mixed, last = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        product = 1.0
        for nth in range(d):
            f = nth / d
            denominator = sums[0, k] - f * sums[1, k]
            inverse = 1.0 / denominator
            # A logarithm costs as much as all the rest: take one for several denominators.
            if 1e-100 < denominator < 1e100 and 1e-100 < product < 1e100:
                product *= denominator
            else:
                logs += np.log(product)
                product = denominator
            one += inverse
            first += f * inverse
            square += inverse * inverse
            mixed += f * inverse * inverse
            last += f * f * inverse * inverse
        log_sum += share * (logs + np.log(product))
        out[0, k] = share * one
        out[1, k] = share * first
        out[2, k] = share * square
        out[3, k] = share * mixed
        out[4, k] = share * last
    return log_sum


@njit(cache=True, nogil=True, fastmath=_FAST)
def add_gram(z: FloatArray, weighted: FloatArray, q: int, out: FloatArray) -> None:
    """Add `z weighted'` of two buffers (q + pad, chunk) to `out`, at least its part on and above the diagonal."""
    for i in range(0, q, 2):
        for j in range(i, q, 4):
            a0, a1, a2, a3 = 0.0, 0.0, 0.0, 0.0
            b0, b1, b2, b3 = 0.0, 0.0, 0.0, 0.0
            for r in range(z.shape[1]):
                u = z[i, r]
                v = z[i + 1, r]
                w0 = weighted[j, r]
                w1 = weighted[j + 1, r]
                w2 = weighted[j + 2, r]
                w3 = weighted[j + 3, r]
                a0 += u * w0
                a1 += u * w1
                a2 += u * w2
                a3 += u * w3
                b0 += v * w0
                b1 += v * w1
                b2 += v * w2
                b3 += v * w3
            out[i, j] += a0
            out[i, j + 1] += a1
            out[i, j + 2] += a2
            out[i, j + 3] += a3
            out[i + 1, j] += b0
            out[i + 1, j + 1] += b1
            out[i + 1, j + 2] += b2
            out[i + 1, j + 3] += b3


@njit(cache=True, nogil=True, fastmath=_FAST)
def add_rows_by_time(
    x: FloatArray,
    centre: FloatArray,
    factor: FloatArray,
    risk: FloatArray,
    exit_at: AnyArray,
    entry_at: AnyArray,
    event: AnyArray,
    until: FloatArray,
    taken_back: FloatArray,
    start: int,
    stop: int,
    table: FloatArray,
    gram: FloatArray,
) -> None:
    """Add the rows [start, stop) up: risk times covariates by event time, and their weighted Gram matrix.

    `table` (2 K, p) gets r x where a row leaves, censored rows in its first half and events in its second, less where
    it enters; `gram` (q + pad, q + pad) gets the Gram matrix of (x, 1) with the weights r (Lambda - Phi), `until` being
    Lambda up to each event time and `taken_back` Phi.
    """
    p = x.shape[1]
    times = until.shape[0]
    delayed = entry_at.shape[0] > 0
    z = np.zeros((p + 1 + _PAD, _CHUNK))
    weighted = np.zeros((p + 1 + _PAD, _CHUNK))
    row = np.empty(p)
    table[:] = 0.0
    gram[:] = 0.0
    z[p] = 1.0
    for begin in range(start, stop, _CHUNK):
        rows = min(_CHUNK, stop - begin)
        for r in range(rows, _CHUNK):
            z[:p, r] = 0.0
            weighted[p, r] = 0.0
        for r in range(rows):
            i = begin + r
            k = exit_at[i]
            if k < 0:
                z[:p, r] = 0.0
                weighted[p, r] = 0.0
                continue
            # Events and censorings alternate at random: multiplying by 0 or 1 is faster than a branch guessed wrong.
            happens = np.int64(event[i])
            own = risk[i]
            hazard = until[k] - happens * taken_back[k]
            covariates = x[i]
            leaves = table[happens * times + k]
            for j in range(p):
                row[j] = (covariates[j] - centre[j]) * factor[j]
                leaves[j] += own * row[j]
            if delayed and entry_at[i] >= 0:
                hazard -= until[entry_at[i]]
                enters = table[entry_at[i]]
                for j in range(p):
                    enters[j] -= own * row[j]
            weighted[p, r] = own * hazard
            for j in range(p):
                z[j, r] = row[j]
        for j in range(p):
            for r in range(_CHUNK):
                weighted[j, r] = z[j, r] * weighted[p, r]
        add_gram(z, weighted, p + 1, gram)


@njit(cache=True, nogil=True, fastmath=_FAST)
def gram_of_means(tables: FloatArray, terms: FloatArray, begins: AnyArray, gram: FloatArray) -> None:
    """Add the Gram matrix of the terms' means to `gram`, from the `tables` (parts, 2 K, p) of the parts.

    With a, b, c the rows 2 to 4 of `terms` it is `a S1 S1' - b (S1 E1' + E1 S1') + c E1 E1'` over the event times.
    """
    parts, p = tables.shape[0], tables.shape[2]
    times = begins.shape[0]
    z = np.zeros((p + _PAD, _CHUNK))
    weighted = np.zeros((p + _PAD, _CHUNK))
    running = np.zeros(p)
    events = np.zeros(p)
    filled = 0
    for k in range(times - 1, -1, -1):
        events[:] = 0.0
        for part in range(parts):
            for j in range(p):
                running[j] += tables[part, k, j]
                events[j] += tables[part, times + k, j]
        a, b, c = terms[2, k], terms[3, k], terms[4, k]
        for j in range(p):
            running[j] += events[j]
            z[j, filled] = running[j]
            weighted[j, filled] = a * running[j] - b * events[j]
        filled += 1
        if b > 0.0:
            for j in range(p):
                z[j, filled] = events[j]
                weighted[j, filled] = c * events[j] - b * running[j]
            filled += 1
        if filled >= _CHUNK - 1 or k == 0:
            z[:, filled:] = 0.0
            weighted[:, filled:] = 0.0
            add_gram(z, weighted, p, gram)
            filled = 0
        if begins[k]:
            running[:] = 0.0
