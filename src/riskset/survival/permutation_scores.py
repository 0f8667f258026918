"""The log-rank test as sums of scores over rows, which is what a permutation of the labels needs.

Observed minus expected events of a group is the sum of its rows' log-rank scores, a row's score being its event minus
the sum of d/n over the event times at which it was at risk. When labels change places among the rows of a stratum the
scores stay, so the n rows are sorted and counted once; and the covariance of the group sums over all permutations is
one fixed matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._labels import encode
from riskset.survival._types import FloatArray, IntArray
from riskset.survival.event_grid import event_grid
from riskset.survival.surv import Surv

# Scores that differ by less, beside the largest, differ by rounding alone.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class PermutationScores:
    """What n people bring to a permutation test over G groups and S strata.

    Attributes
    ----------
    score : int array of shape (n,)
        Log-rank scores divided by `unit`: sums of whole numbers are exact in any order. Sorted within strata.
    unit : the size of one step of the whole numbers
    start : int array of shape (S + 1,), where each stratum's people start and end
    size : int array of shape (S, G), people by stratum and group
    groups : labels of the G groups, sorted
    observed, expected : arrays of shape (G,), events observed and expected under equal hazards
    total : int array of shape (G,), sum of the scores of each group as whole numbers
    """

    score: IntArray
    unit: float
    start: IntArray
    size: IntArray
    groups: tuple[Any, ...]
    observed: FloatArray
    expected: FloatArray
    total: IntArray

    def mean(self) -> FloatArray:
        """Give the mean of the group sums (G,) over all permutations, in steps of `unit`."""
        sums = np.add.reduceat(self.score, self.start[:-1]).astype(np.float64)
        return np.asarray((sums / self.size.sum(axis=1)) @ self.size)

    def covariance(self) -> FloatArray:
        """Give the covariance (G, G) of the group sums over all permutations."""
        people = self.size.sum(axis=1)
        score = self.score * self.unit
        mean = np.add.reduceat(score, self.start[:-1]) / people
        squares = np.add.reduceat((score - np.repeat(mean, people)) ** 2, self.start[:-1])
        spread = np.where(people > 1, squares * people / np.maximum(people - 1, 1), 0.0)
        share = self.size / people[:, None]
        return np.asarray(np.diag(spread @ share) - (share * spread[:, None]).T @ share)


def permutation_scores(surv: Surv, group: ArrayLike, strata: ArrayLike | None) -> PermutationScores:
    """Score the rows of `surv`; a row that counts k times is k people whose labels change places on their own."""
    if len(surv) == 0:
        raise EngineError("there is no row to test; check the population's condition")
    if surv.has_fractional_weights:
        raise EngineError("a permutation test takes weights only as whole counts; use fit_cox with robust=True instead")
    codes, labels = encode(group, len(surv), "group")
    stratum = np.zeros(len(surv), dtype=np.int64) if strata is None else encode(strata, len(surv), "strata")[0]
    hazard = _hazard(surv, stratum)
    score = surv.is_event - hazard
    size = labels.shape[0]
    weight = surv.weight_or_one
    observed = np.bincount(codes, weight * surv.is_event, size)
    expected = np.bincount(codes, weight * hazard, size)
    if surv.weight is not None:
        rows = np.repeat(np.arange(len(surv)), surv.weight.astype(np.int64))
        codes, stratum, score = codes[rows], stratum[rows], score[rows]
    whole, unit = _whole(score, stratum)
    order = np.lexsort((whole, stratum))
    by_stratum = np.bincount(stratum * size + codes).astype(np.int64)
    count = np.zeros((int(stratum.max()) + 1) * size, dtype=np.int64)
    count[: by_stratum.shape[0]] = by_stratum
    table = count.reshape(-1, size)
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, codes, whole)
    return PermutationScores(
        score=whole[order],
        unit=unit,
        start=np.concatenate(([0], np.cumsum(table.sum(axis=1)))),
        size=table,
        groups=tuple(labels.tolist()),
        observed=np.asarray(observed, dtype=np.float64),
        expected=np.asarray(expected, dtype=np.float64),
        total=total,
    )


def _hazard(surv: Surv, stratum: IntArray) -> FloatArray:
    """Give each row's expected events: the sum of d/n over the event times of its stratum at which it is at risk."""
    grid = event_grid(surv, stratum)
    weight, dead = surv.weight_or_one, surv.is_event
    events = np.bincount(grid.last[dead] - 1, weight[dead], len(grid))
    steps = events / grid.count_at_risk(weight)
    running = np.concatenate(([0.0], np.cumsum(steps)))
    return np.asarray(running[grid.last] - running[grid.first])


def _whole(score: FloatArray, stratum: IntArray) -> tuple[IntArray, float]:
    """Turn scores into whole numbers of one step so small that n of them still add up exactly in 64 bits."""
    largest = float(np.abs(score).max())
    if largest == 0.0:
        return np.zeros(score.shape[0], dtype=np.int64), 1.0
    # A power of two: the division does not round.
    unit = 2.0 ** (frexp(largest * score.shape[0])[1] - 61)
    whole = np.rint(score / unit).astype(np.int64)
    # Scores of a stratum that are equal but for rounding are made equal, so that a permutation of them changes nothing.
    order = np.lexsort((whole, stratum))
    tied = np.diff(whole[order]) <= ROUNDING * largest / unit
    new = np.concatenate(([True], ~tied | (np.diff(stratum[order]) != 0)))
    whole[order] = whole[order][np.flatnonzero(new)][np.cumsum(new) - 1]
    return whole, unit
