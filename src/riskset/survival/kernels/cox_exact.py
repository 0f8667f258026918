"""Kernel of the exact partial likelihood: the recursion of `survival/cox_exact.py`, row by row."""

from __future__ import annotations

import numpy as np
from numba import njit

from riskset.survival._types import FloatArray, IntArray


@njit(cache=True, nogil=True)
def subset_sums(
    row: IntArray,
    start: IntArray,
    read_step: IntArray,
    read_pass: IntArray,
    read_size: IntArray,
    x: FloatArray,
    log_risk: FloatArray,
) -> tuple[float, FloatArray, FloatArray]:
    """Add up log e_d, the mean and the covariance of the subsets' sums of x over all tied sets."""
    p = x.shape[1]
    number = start[1] if start.shape[0] > 1 else 0
    most = 0
    for d in read_size:
        most = max(most, d)
    log_sum = np.full((number, most + 1), -np.inf)
    log_sum[:, 0] = 0.0
    mean = np.zeros((number, most + 1, p))
    spread = np.zeros((number, most + 1, p, p))
    delta = np.zeros(p)
    value = 0.0
    gradient = np.zeros(p)
    information = np.zeros((p, p))
    read = 0
    for j in range(start.shape[0] - 1):
        for c in range(start[j + 1] - start[j]):
            i = row[start[j] + c]
            # From the largest size down, so that the smaller one is still that of the rows before.
            for d in range(min(j + 1, most), 0, -1):
                taken = log_risk[i] + log_sum[c, d - 1]
                old = log_sum[c, d]
                larger = max(old, taken)
                new = larger + np.log1p(np.exp(-abs(old - taken)))
                q = np.exp(taken - new)
                for k in range(p):
                    delta[k] = x[i, k] + mean[c, d - 1, k] - mean[c, d, k]
                for k in range(p):
                    weighted = q * (1.0 - q) * delta[k]
                    for m in range(k + 1):
                        here = spread[c, d, k, m]
                        spread[c, d, k, m] = here + q * (spread[c, d - 1, k, m] - here) + weighted * delta[m]
                    mean[c, d, k] += q * delta[k]
                log_sum[c, d] = new
        while read < read_step.shape[0] and read_step[read] == j:
            c, d = read_pass[read], read_size[read]
            value += log_sum[c, d]
            for k in range(p):
                gradient[k] += mean[c, d, k]
                for m in range(k + 1):
                    information[k, m] += spread[c, d, k, m]
            read += 1
    for k in range(p):
        for m in range(k):
            information[m, k] = information[k, m]
    return value, gradient, information
