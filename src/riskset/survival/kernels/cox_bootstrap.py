"""Kernels of the bootstrap of a Cox model: rows are sorted once, a resample is a count of copies of each.

Copies of an event row are tied events, so Efron's d counts copies; risks and the weights of tied sets are multiplied by
them. Each replicate starts at the estimate of all rows and takes Newton steps; one that does not come to rest quickly
(an aliased column, a coefficient on its way to infinity, no event) is left to `fit_cox`, which says what is the matter.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from riskset.survival._types import AnyArray, FloatArray
from riskset.survival.kernels.cox import (
    _PAD,
    add_risks,
    add_rows_by_time,
    add_terms,
    gram_of_means,
    predict,
    run_back,
    run_forward,
)

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / 9007199254740992.0

_MOST_STEPS = 14
# A step as small as this (squared, beside the standard errors) doubles its digits and is the last.
_LAST_STEP = 1e-12
# No column may have so little left of its weighted squares, beside the others and its means, nor a step be this long,
# for the kernel to answer: what rounding leaves of a constant column, or of one that separates, is no information.
_PIVOT = 1e-9
_LONG_STEP = 1e-3


@njit(cache=True, nogil=True)
def mixed(value: np.uint64) -> np.uint64:
    """Give the output of splitmix64 (Steele, Lea, Flood 2014) for the state `value`."""
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def draw_copies(
    key: np.uint64, replicate: int, strata: AnyArray, first: AnyArray, members: AnyArray, copies: AnyArray
) -> None:
    """Draw units with replacement within each of `strata` (bounds, G + 1) and count the `copies` of their rows.

    Unit u has the rows `members[first[u]:first[u + 1]]`. The i-th draw of a replicate depends on key, replicate and i.
    """
    copies[:] = 0
    state = mixed(key + np.uint64(replicate + 1) * _GAMMA)
    for g in range(strata.shape[0] - 1):
        low, size = strata[g], strata[g + 1] - strata[g]
        for _ in range(size):
            state += _GAMMA
            # A product just below `size` may be rounded up to it.
            unit = low + min(size - 1, int(float(mixed(state) >> np.uint64(11)) * _TO_UNIT * size))
            for m in range(first[unit], first[unit + 1]):
                copies[members[m]] += 1


@njit(cache=True, nogil=True)
def solve_newton(information: FloatArray, gradient: FloatArray, squares: FloatArray, step: FloatArray) -> bool:
    """Solve for the Newton `step` by Cholesky within `information`; false where a pivot is too small.

    `squares` (p,) are the columns' weighted squares, of which the information is what the means leave.
    """
    p = gradient.shape[0]
    for j in range(p):
        own = information[j, j]
        for k in range(j):
            own -= information[k, j] * information[k, j]
        if not own > _PIVOT * squares[j]:
            return False
        root = np.sqrt(own)
        information[j, j] = root
        for i in range(j + 1, p):
            value = information[j, i]
            for k in range(j):
                value -= information[k, j] * information[k, i]
            information[j, i] = value / root
    for j in range(p):
        value = gradient[j]
        for k in range(j):
            value -= information[k, j] * step[k]
        step[j] = value / information[j, j]
    for j in range(p - 1, -1, -1):
        value = step[j]
        for k in range(j + 1, p):
            value -= information[j, k] * step[k]
        step[j] = value / information[j, j]
    return True


@njit(cache=True, nogil=True)
def fit_replicates(
    x: FloatArray,
    weight: FloatArray,
    offset: FloatArray,
    exit_at: AnyArray,
    entry_at: AnyArray,
    event: AnyArray,
    begins: AnyArray,
    efron: bool,
    start_beta: FloatArray,
    key: np.uint64,
    strata: AnyArray,
    first: AnyArray,
    members: AnyArray,
    start: int,
    stop: int,
    coefficient: FloatArray,
    settled: AnyArray,
) -> None:
    """Fit the replicates [start, stop): coefficients of the scaled columns (R, p), and whether each settled (R,).

    `x` (a, p) are sorted, centred and scaled rows; see `SortedRows`.
    """
    a, p = x.shape
    times = begins.shape[0]
    weighted, delayed, moved = weight.shape[0] > 0, entry_at.shape[0] > 0, offset.shape[0] > 0
    copies = np.zeros(a, dtype=np.int64)
    rows, times_copied = np.empty((a, p)), np.empty(a)
    leaves, enters = np.empty(a, dtype=np.int32), np.empty(a if delayed else 0, dtype=np.int32)
    happens, known = np.empty(a, dtype=np.uint8), np.empty(a if moved else 0)
    risk = np.empty(a)
    count, total = np.empty(times, dtype=np.int64), np.empty(times)
    sums, terms = np.empty((2, times)), np.empty((5, times))
    tables = np.empty((1, 2 * times, p))
    gram, means = np.empty((p + 1 + _PAD, p + 1 + _PAD)), np.empty((p + 1 + _PAD, p + 1 + _PAD))
    zero, one = np.zeros(p), np.ones(p)
    beta, step, gradient, event_sum, squares = np.empty(p), np.empty(p), np.empty(p), np.empty(p), np.empty(p)
    for replicate in range(start, stop):
        settled[replicate] = 0
        draw_copies(key, replicate, strata, first, members, copies)
        event_sum[:] = 0.0
        count[:] = 0
        total[:] = 0.0
        drawn, events = 0, 0
        for i in range(a):
            if copies[i] == 0:
                continue
            for j in range(p):
                rows[drawn, j] = x[i, j]
            times_copied[drawn] = copies[i] * (weight[i] if weighted else 1.0)
            leaves[drawn] = exit_at[i]
            happens[drawn] = event[i]
            if delayed:
                enters[drawn] = entry_at[i]
            if moved:
                known[drawn] = offset[i]
            if event[i] > 0:
                events += copies[i]
                count[exit_at[i]] += copies[i]
                total[exit_at[i]] += times_copied[drawn]
                for j in range(p):
                    event_sum[j] += times_copied[drawn] * x[i, j]
            drawn += 1
        if events == 0:
            continue
        beta[:] = start_beta
        best = -np.inf
        for _ in range(_MOST_STEPS):
            shift = predict(rows, zero, beta, known, leaves, 0, drawn, risk)
            for i in range(drawn):
                risk[i] = times_copied[i] * np.exp(risk[i] - shift)
            add_risks(risk, leaves, enters, happens, 0, drawn, sums)
            run_back(sums[0], begins)
            log_likelihood = -add_terms(sums, count, total, efron, 0, times, terms)
            run_forward(terms[0], begins)
            add_rows_by_time(
                rows, zero, one, risk, leaves, enters, happens, terms[0], terms[1], 0, drawn, tables[0], gram
            )
            means[:] = 0.0
            gram_of_means(tables, terms, begins, means)
            for j in range(p):
                gradient[j] = event_sum[j] - gram[j, p]
                squares[j] = gram[j, j]
                log_likelihood += event_sum[j] * beta[j]
                for k in range(j, p):
                    gram[j, k] -= means[j, k]
            for k in range(times):
                log_likelihood -= shift * total[k]
            # Offsets add the same to every evaluation of a replicate, so they may be left out of the comparison.
            if not log_likelihood >= best - 1e-9 * max(1.0, abs(best)) or not solve_newton(
                gram, gradient, squares, step
            ):
                break
            best = log_likelihood
            gain, longest = 0.0, 0.0
            for j in range(p):
                gain += gradient[j] * step[j]
                longest = max(longest, abs(step[j]))
                beta[j] += step[j]
            if gain < _LAST_STEP and longest < _LONG_STEP:
                settled[replicate] = 1
                coefficient[replicate] = beta
                break
