"""Who is at risk, who has the event and who is censored at each distinct time: what every curve is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskset.survival._types import FloatArray
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False)
class RiskCounts:
    """The m distinct times at which a row ends, sorted, with (weighted) numbers: arrays of shape (m,).

    `at_risk` counts just before each time those with `entry < t <= time`; `events` (of any cause) and `censored` count
    at it.
    """

    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray


def risk_counts(surv: Surv) -> RiskCounts:
    """Count the rows of `surv`, weights added up."""
    time, place = np.unique(surv.time, return_inverse=True)
    place = place.reshape(-1)
    weight, size = surv.weight_or_one, time.shape[0]
    events = np.asarray(np.bincount(place, weight * surv.is_event, size), dtype=np.float64)
    leaving = np.bincount(place, weight, size)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    if surv.entry is not None:
        # entry >= t_j means not yet at risk at t_j: that holds for the first `later` times.
        later = np.searchsorted(time, surv.entry, side="right")
        waiting = np.bincount(later, weight, size + 1)
        at_risk = at_risk - np.cumsum(waiting[::-1])[::-1][1:]
    censored = np.asarray(np.bincount(place, weight * ~surv.is_event, size), dtype=np.float64)
    return RiskCounts(time, np.asarray(np.maximum(at_risk, leaving), dtype=np.float64), events, censored)
