"""Those at risk and the events of each group at each event time: what every test between groups is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.survival._labels import encode
from riskset.survival._types import FloatArray, IntArray
from riskset.survival.event_grid import event_grid
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """Counts of G groups at the K distinct (stratum, event time) pairs, sorted by stratum and time.

    Attributes
    ----------
    stratum : array of shape (K,), the code 0, 1, ... of each pair's stratum, in the sorted order of their labels
    time : array of shape (K,)
    segment : array of shape (number of strata that have an event,), where each stratum starts among the K pairs
    at_risk, events : arrays of shape (G, K)
        (Weighted) numbers with `entry < t <= time`, and with the event (of any cause) at t.
    groups : labels of the G groups, sorted
    n : array of shape (G,), rows in each group (unweighted)
    """

    stratum: IntArray
    time: FloatArray
    segment: IntArray
    at_risk: FloatArray
    events: FloatArray
    groups: tuple[Any, ...]
    n: FloatArray


def group_counts(source: Surv, group: ArrayLike, strata: ArrayLike | None = None) -> GroupCounts:
    """Count those at risk and the events of each group at each event time, within strata where given.

    Parameters
    ----------
    source : the times; weights are added up (sums of whole numbers are exact), delayed entry is honoured.
    group : array of shape (n,), labels (text or numbers)
    strata : array of shape (n,), optional
        Labels; event times are then counted stratum by stratum.

    Raises
    ------
    EngineError
        Unequal lengths or a missing label.

    Examples
    --------
    >>> from riskset.survival import Surv
    >>> counts = group_counts(Surv([1, 2, 2, 4], [1, 1, 0, 1]), ["a", "b", "a", "b"])
    >>> counts.time.tolist(), counts.at_risk.tolist(), counts.events.tolist()
    ([1.0, 2.0, 4.0], [[2.0, 1.0, 0.0], [2.0, 2.0, 1.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    """
    codes, labels = encode(group, len(source), "group")
    grid = event_grid(source, None if strata is None else encode(strata, len(source), "strata")[0])
    size, k, is_event, weight = labels.shape[0], len(grid), source.is_event, source.weight_or_one
    at_risk, events = np.empty((size, k)), np.empty((size, k))
    for g in range(size):
        mine = np.where(codes == g, weight, 0.0)
        at_risk[g] = grid.count_at_risk(mine)
        events[g] = np.bincount(grid.last[is_event] - 1, mine[is_event], k)
    rows = np.bincount(codes, minlength=size).astype(np.float64)
    return GroupCounts(grid.stratum, grid.time, grid.segment, at_risk, events, tuple(labels.tolist()), rows)
