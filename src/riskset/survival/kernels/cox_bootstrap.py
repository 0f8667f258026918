"""Kernels of the bootstrap of a Cox model: rows are sorted once, a resample is a count of copies of each.

Copies of an event row are tied events, so Efron's d counts copies; risks and the weights of tied sets are multiplied by
them. Each replicate starts at the estimate of all rows and takes Newton steps; one that does not come to rest quickly
(an aliased column, a coefficient on its way to infinity, no event) is left to `fit_cox`, which says what is the matter.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from riskset.survival._types import AnyArray, FloatArray
from riskset.survival.kernels.cox import _FAST, _PAD

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / 9007199254740992.0

# Buffers are filled up with zeros to a multiple of this, so that loops over them run in vector registers to their end.
_LANES = 8

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


@njit(cache=True, nogil=True, fastmath=_FAST)
def gram_of(z: FloatArray, weighted: FloatArray, rows: int, columns: int, length: int, out: FloatArray) -> None:
    """Write the first `length` places' `z weighted'`, `rows` by `columns`, on and above the diagonal, into `out`."""
    for i in range(0, rows, 2):
        for j in range(i, columns, 4):
            a0, a1, a2, a3 = 0.0, 0.0, 0.0, 0.0
            b0, b1, b2, b3 = 0.0, 0.0, 0.0, 0.0
            for r in range(length):
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
            out[i, j] = a0
            out[i, j + 1] = a1
            out[i, j + 2] = a2
            out[i, j + 3] = a3
            out[i + 1, j] = b0
            out[i + 1, j + 1] = b1
            out[i + 1, j + 2] = b2
            out[i + 1, j + 3] = b3


@njit(cache=True, nogil=True)
def lay_out_sets(
    copies: AnyArray,
    origin: AnyArray,
    at: AnyArray,
    event: AnyArray,
    signed: FloatArray,
    begins: AnyArray,
    efron: bool,
    drawn: AnyArray,
    times_copied: FloatArray,
    slot: AnyArray,
    keep: FloatArray,
    place: AnyArray,
    stratum: AnyArray,
    second: AnyArray,
    count: AnyArray,
    total: FloatArray,
) -> tuple[int, int, int]:
    """Find the drawn rows and the tied sets; give the number of rows, of sets and of sets that Efron's f splits.

    Row `drawn[i]`, in the risk set of the tied sets up to `slot[i]`, gets the weight `times_copied[i]`. Set s has
    `count[s]` events of the weight `total[s]`, and `second[s]` is its number among the split ones or -1. `keep` tells
    where sums go on from the set or row before (sets) or after (rows): they do not at the border of a stratum.
    """
    times = begins.shape[0]
    count[:] = 0
    total[:] = 0.0
    rows = 0
    for e in range(origin.shape[0]):
        c = copies[origin[e]]
        # A row that is not drawn is overwritten by the next: cheaper than a branch guessed wrong.
        drawn[rows] = e
        times_copied[rows] = c * signed[e]
        rows += c > 0
        count[at[e]] += c * event[e]
        total[at[e]] += c * event[e] * signed[e]
    sets, splits, begun = 0, 0, 0
    first = 0
    for k in range(times):
        if begins[k]:
            begun += 1
            first = sets
        d = count[k]
        if d > 0:
            count[sets] = d
            total[sets] = total[k]
            stratum[sets] = begun
            second[sets] = -1
            if efron and d > 1:
                second[sets] = splits
                splits += 1
            sets += 1
        place[k] = sets - 1 if sets > first else -1
    # Rows that leave before the first event of their stratum are in no risk set.
    kept = 0
    for i in range(rows):
        s = place[at[drawn[i]]]
        drawn[kept] = drawn[i]
        times_copied[kept] = times_copied[i]
        slot[kept] = s
        kept += s >= 0
    for i in range(kept):
        keep[i] = i + 1 < kept and stratum[slot[i]] == stratum[slot[i + 1]]
    return kept, sets, splits


@njit(cache=True, nogil=True, fastmath=_FAST)
def predict_columns(z: FloatArray, beta: FloatArray, offset: FloatArray, rows: int, out: FloatArray) -> None:
    """Write the linear predictor of the first `rows` rows, which lie column by column in `z`, into `out`."""
    for i in range(rows):
        out[i] = offset[i] if offset.shape[0] > 0 else 0.0
    for j in range(beta.shape[0]):
        slope = beta[j]
        for i in range(rows):
            out[i] += slope * z[j, i]


@njit(cache=True, nogil=True, fastmath=_FAST)
def sum_risk_sets(
    z: FloatArray, risk: FloatArray, slot: AnyArray, keep: FloatArray, rows: int, columns: int, out: FloatArray
) -> None:
    """Write the sums of risk times each of `columns` of `z` over the risk set of each tied set into `out`."""
    for j in range(0, columns, 4):
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for i in range(rows - 1, -1, -1):
            r, go_on, s = risk[i], keep[i], slot[i]
            s0 = s0 * go_on + r * z[j, i]
            s1 = s1 * go_on + r * z[j + 1, i]
            s2 = s2 * go_on + r * z[j + 2, i]
            s3 = s3 * go_on + r * z[j + 3, i]
            # The last row written is the first of those in the risk set.
            out[j, s] = s0
            out[j + 1, s] = s1
            out[j + 2, s] = s2
            out[j + 3, s] = s3


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def hazards_of_sets(
    means: FloatArray,
    p: int,
    sets: int,
    count: AnyArray,
    total: FloatArray,
    second: AnyArray,
    stratum: AnyArray,
    terms: FloatArray,
) -> None:
    """Write Lambda up to each set, Phi, and the sums of 1, f, f^2 over the squared denominators into `terms` (5, K).

    Row p of `means` has the risk sums, those of the split sets' events behind those of all sets; see `add_terms`.
    """
    for s in range(sets):
        inverse = 1.0 / means[p, s]
        terms[0, s] = total[s] * inverse
        terms[1, s] = 0.0
        terms[2, s] = total[s] * inverse * inverse
    running = 0.0
    for s in range(sets):
        if second[s] >= 0:
            d = count[s]
            share, step = total[s] / d, 1.0 / d
            all_risk, own = means[p, s], means[p, sets + second[s]]
            one, part, square, mixed_up, last = 0.0, 0.0, 0.0, 0.0, 0.0
            for nth in range(d):
                f = nth * step
                inverse = 1.0 / (all_risk - f * own)
                one += inverse
                part += f * inverse
                inverse *= inverse
                square += inverse
                mixed_up += f * inverse
                last += f * f * inverse
            terms[0, s] = share * one
            terms[1, s] = share * part
            terms[2, s] = share * square
            terms[3, s] = share * mixed_up
            terms[4, s] = share * last
        if s > 0 and stratum[s] != stratum[s - 1]:
            running = 0.0
        running += terms[0, s]
        terms[0, s] = running


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def evaluate(
    z: FloatArray,
    risk: FloatArray,
    slot: AnyArray,
    keep: FloatArray,
    happens: FloatArray,
    tied: AnyArray,
    rows: int,
    sets: int,
    splits: int,
    tied_rows: int,
    count: AnyArray,
    total: FloatArray,
    second: AnyArray,
    stratum: AnyArray,
    p: int,
    means: FloatArray,
    weighted: FloatArray,
    terms: FloatArray,
    gram: FloatArray,
    information: FloatArray,
) -> None:
    """Write the rows' Gram matrix, its column p what the gradient lacks, and the means' from the rows' `risk`.

    Row p of `z` is 1, so that the sums of the risks stand beside those of the covariates.
    """
    sum_risk_sets(z, risk, slot, keep, rows, p + 1, means)
    means[: p + 1, sets : sets + splits] = 0.0
    for t in range(tied_rows):
        i = tied[t]
        own, s = risk[i], sets + second[slot[i]]
        for j in range(p + 1):
            means[j, s] += own * z[j, i]
    hazards_of_sets(means, p, sets, count, total, second, stratum, terms)
    for i in range(rows):
        s = slot[i]
        risk[i] *= terms[0, s] - happens[i] * terms[1, s]
    length = (rows + _LANES - 1) // _LANES * _LANES
    risk[rows:length] = 0.0
    for j in range(p + 1):
        for i in range(length):
            weighted[j, i] = z[j, i] * risk[i]
    gram_of(z, weighted, p, p + 1, length, gram)
    length = (sets + splits + _LANES - 1) // _LANES * _LANES
    for j in range(p):
        for s in range(sets):
            weighted[j, s] = terms[2, s] * means[j, s]
        weighted[j, sets + splits : length] = 0.0
        means[j, sets + splits : length] = 0.0
    for s in range(sets):
        if second[s] >= 0:
            e, b, c = sets + second[s], terms[3, s], terms[4, s]
            for j in range(p):
                weighted[j, s] -= b * means[j, e]
                weighted[j, e] = c * means[j, e] - b * means[j, s]
    gram_of(means, weighted, p, p, length, information)


@njit(cache=True, nogil=True, fastmath=_FAST)
def fit_replicates(
    x: FloatArray,
    signed: FloatArray,
    offset: FloatArray,
    origin: AnyArray,
    at: AnyArray,
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

    `x` (p, a) are the sorted, centred and scaled rows, column by column. A row with delayed entry is there twice: with
    its weight `signed` where it leaves, and as a censored row with a weight below 0 where it enters. `origin` (a,) is
    the row as `members` calls it, `at` its last event time.
    """
    p, a = x.shape
    times = begins.shape[0]
    room, size = max(a, 2 * times) + _LANES, p + 1 + _PAD
    copies = np.zeros(a, dtype=np.int64)
    places, sets_of = np.zeros((3, a + 1), dtype=np.int64), np.zeros((4, times), dtype=np.int64)
    drawn, slot, tied = places[0], places[1], places[2]
    place, stratum, second, count = sets_of[0], sets_of[1], sets_of[2], sets_of[3]
    total, terms = np.empty(times), np.empty((5, times))
    values = np.zeros((6, room))
    times_copied, keep, happens, risk, known, begun = values[0], values[1], values[2], values[3], values[4], values[5]
    z, means, weighted = np.zeros((size, room)), np.zeros((size, 2 * times + _LANES)), np.zeros((size, room))
    gram, information = np.empty((size, size)), np.empty((size, size))
    beta, step, gradient, squares, event_sum = np.empty(p), np.empty(p), np.empty(p), np.empty(p), np.empty(p)
    predict_columns(x, start_beta, offset, a, begun)
    shift = begun[:a].max()
    for e in range(a):
        begun[e] = np.exp(begun[e] - shift)
    for replicate in range(start, stop):
        settled[replicate] = 0
        draw_copies(key, replicate, strata, first, members, copies)
        rows, sets, splits = lay_out_sets(
            *(copies, origin, at, event, signed, begins, efron),
            *(drawn, times_copied, slot, keep, place, stratum, second, count, total),
        )
        if sets == 0:
            continue
        tied_rows = 0
        for i in range(rows):
            e = drawn[i]
            happens[i] = event[e]
            known[i] = (offset[e] if offset.shape[0] > 0 else 0.0) - shift
            risk[i] = times_copied[i] * begun[e]
            tied[tied_rows] = i
            tied_rows += event[e] > 0 and second[slot[i]] >= 0
        length = (rows + _LANES - 1) // _LANES * _LANES
        for j in range(p):
            events = 0.0
            for i in range(rows):
                value = x[j, drawn[i]]
                z[j, i] = value
                events += times_copied[i] * happens[i] * value
            z[j, rows:length] = 0.0
            event_sum[j] = events
        z[p] = 1.0
        beta[:] = start_beta
        last_gain = np.inf
        for nth in range(_MOST_STEPS):
            if nth > 0:
                predict_columns(z, beta, known, rows, risk)
                for i in range(rows):
                    risk[i] = times_copied[i] * np.exp(risk[i])
            evaluate(
                *(z, risk, slot, keep, happens, tied, rows, sets, splits, tied_rows, count, total, second, stratum),
                *(p, means, weighted, terms, gram, information),
            )
            for j in range(p):
                gradient[j] = event_sum[j] - gram[j, p]
                squares[j] = gram[j, j]
                for k in range(j, p):
                    information[j, k] = gram[j, k] - information[j, k]
            if not solve_newton(information, gradient, squares, step):
                break
            gain, longest = 0.0, 0.0
            for j in range(p):
                gain += gradient[j] * step[j]
                longest = max(longest, abs(step[j]))
                beta[j] += step[j]
            # The likelihood is concave: where its gradient vanishes is its maximum, however the steps came there.
            if not gain <= last_gain:
                break
            last_gain = gain
            if gain < _LAST_STEP and longest < _LONG_STEP:
                settled[replicate] = 1
                coefficient[replicate] = beta
                break
