"""The infinitesimal jackknife: variances that stay right where weights are no counts of rows."""

from __future__ import annotations

import numpy as np

from riskset.survival._types import FloatArray, IntArray
from riskset.survival.surv import Surv


def jackknife_log_variance(surv: Surv, time: FloatArray, own: FloatArray, shared: FloatArray) -> FloatArray:
    """Sum the squared influences of the rows on -log S(t), for all t at once.

    A row's influence is w (own at its event - what `shared` has added up while it was at risk). It is constant once the
    row has left; while at risk it is w (G(entry) - G(t)), whose square is expanded so that three running sums do.
    """
    place = np.searchsorted(time, surv.time, side="left")
    total = np.cumsum(np.where(shared > 0, shared, 0.0))
    entered = first_at_risk(surv, time)
    before = np.concatenate(([0.0], total))[entered]
    square = surv.weight_or_one**2
    size = time.shape[0] + 1
    final = square * (np.where(surv.is_event, own[place], 0.0) - total[place] + before) ** 2
    gone = np.cumsum(np.bincount(place, final, size))[:-1]
    inside = [
        np.cumsum(np.bincount(entered, moment, size) - np.bincount(place, moment, size))[:-1]
        for moment in (square, square * before, square * before**2)
    ]
    present = inside[0] * total**2 - 2.0 * inside[1] * total + inside[2]
    return np.asarray(gone + np.maximum(present, 0.0))


def first_at_risk(surv: Surv, time: FloatArray) -> IntArray:
    """Give the index of the first curve time at which each row is at risk."""
    if surv.entry is None:
        return np.zeros(len(surv), dtype=np.int64)
    return np.searchsorted(time, surv.entry, side="right").astype(np.int64)
