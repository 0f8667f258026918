"""The exact permutation log-rank test of two groups: every arrangement of the labels, counted and not drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._summary import shown, summary
from riskset.survival._types import FloatArray, IntArray
from riskset.survival.permutation_scores import ROUNDING, PermutationScores, permutation_scores
from riskset.survival.surv import Surv

# Choices from one half of the people; as many take about two seconds and 100 MB.
MOST_CHOICES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExactLogRankTest:
    """Outcome of the exact permutation log-rank test of two groups.

    Attributes
    ----------
    p_value : two-sided; NaN where nothing can be compared
    p_fewer, p_more
        One-sided: of as few or fewer (as many or more) events in the second group, beside those expected.
    n_arrangements : number of ways to give the labels to the people
    groups : the groups' labels in sorted order
    n, observed, expected : arrays of shape (G,): people, events, and events expected under equal hazards
    label : what was computed
    warnings : sentences on what could not be compared
    """

    p_value: float
    p_fewer: float
    p_more: float
    n_arrangements: float
    groups: tuple[Any, ...]
    n: FloatArray
    observed: FloatArray
    expected: FloatArray
    label: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return summary(
            self.label,
            ("group", "n", "observed", "expected"),
            list(zip(self.groups, self.n, self.observed, self.expected, strict=True)),
            notes=[f"two-sided P {shown(self.p_value)}"],
            warnings=self.warnings,
        )


class _Choices(NamedTuple):
    """Ways to choose people out of one half: how many are chosen, the sum of their scores, and the number of ways.

    Ways are in units of 2^`unit`, so that no number of people is too large for a float.
    """

    chosen: IntArray
    total: IntArray
    ways: FloatArray
    unit: int


def exact_logrank_test(surv: Surv, group: ArrayLike) -> ExactLogRankTest:
    """Test that two groups have equal hazards over every arrangement of the labels.

    The statistic is that of `logrank_permutation`: observed minus expected events (a sum of log-rank scores), two-sided
    by its distance from 0. The people are split into two halves; the choices within each half are listed with the sum
    of their scores, sorted, and put together by bisection, so that 2^(n/2) numbers stand for 2^n arrangements. People
    with equal scores are interchangeable and counted together, so tied data go further.

    Parameters
    ----------
    surv : the times; delayed entry is honoured, a weight of k stands for k people (whole numbers only).
    group : array of shape (n,), labels (text or numbers) of two groups

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing label, fractional weights, more than two groups, or too many arrangements to
        list (beyond about 40 people with distinct scores).

    References
    ----------
    Neuhaus G. Ann Stat 1993; 21: 1760-1779. Horowitz E, Sahni S. J ACM 1974; 21: 277-292 (the two halves).

    Examples
    --------
    >>> from riskset.survival import Surv, exact_logrank_test
    >>> surv = Surv([9, 8, 7, 6, 5, 3, 2, 4], [0, 1, 1, 1, 1, 1, 1, 1])
    >>> test = exact_logrank_test(surv, list("aaaabbbb"))
    >>> test.n_arrangements, round(test.p_value, 4), round(test.p_more, 4)
    (70.0, 0.0286, 0.0143)
    """
    need_surv(surv)
    data = permutation_scores(surv, group, None)
    if len(data.groups) > 2:
        raise EngineError(
            f"the exact test compares two groups and there are {len(data.groups)}; use logrank_permutation"
        )
    people = data.size.sum(axis=0)
    p_value = p_fewer = p_more = float("nan")
    told: tuple[str, ...] = ()
    if not data.observed.any():
        told = ("there is no event, so the groups cannot be compared",)
    elif len(data.groups) < 2:
        told = ("there is one group alone, so nothing can be compared",)
    else:
        p_value, p_fewer, p_more = _p_values(data, people)
    return ExactLogRankTest(
        p_value=p_value,
        p_fewer=p_fewer,
        p_more=p_more,
        n_arrangements=_arrangements(people),
        groups=data.groups,
        n=people.astype(np.float64),
        observed=data.observed,
        expected=data.expected,
        label="log-rank test by exact permutation",
        warnings=told,
    )


def _arrangements(people: IntArray) -> float:
    """Give the number of ways to label the people, infinite where no float holds it."""
    try:
        return float(comb(int(people.sum()), int(people[-1])))
    except OverflowError:
        return float("inf")


def _p_values(data: PermutationScores, people: IntArray) -> tuple[float, float, float]:
    """Give the two-sided P and those of as small and as large a sum of scores in the second group."""
    value, count = np.unique(data.score, return_counts=True)
    halves = _halves(count, int(people[1]))
    first, second = (_choices(value[half], count[half], int(people[1])) for half in halves)
    observed, centre = int(data.total[1]), round(float(data.mean()[1]))
    distance = abs(observed - centre)
    # Sums of other people that are equal in theory differ by the rounding of their scores.
    slack = int(ROUNDING * float(np.abs(data.score).max()) * data.score.shape[0])
    lower, upper = centre - distance + slack, centre + distance - slack - 1
    # One of the two-sided limits is a limit of a one-sided P as well.
    limits = np.array([lower, upper, observed + slack if observed >= centre else observed - slack - 1])
    upto, beyond = _shares(first, second, people, limits)
    fewer, more = (upto[2], beyond[1]) if observed >= centre else (upto[0], beyond[2])
    return min(upto[0] + beyond[1], 1.0), min(fewer, 1.0), min(more, 1.0)


def _halves(count: IntArray, chosen: int) -> tuple[IntArray, IntArray]:
    """Split the distinct scores so that both halves have about as many choices, or refuse too many."""
    sides: tuple[list[int], list[int]] = ([], [])
    sizes = [1, 1]
    for place in np.argsort(-count, kind="stable").tolist():
        side = int(sizes[1] < sizes[0])
        sides[side].append(place)
        sizes[side] *= min(int(count[place]), chosen) + 1
    if max(sizes) > MOST_CHOICES:
        n = int(count.sum())
        raise EngineError(f"{n} people have too many arrangements to list them all; use logrank_permutation")
    return np.array(sides[0], dtype=np.int64), np.array(sides[1], dtype=np.int64)


def _choices(value: IntArray, count: IntArray, most: int) -> _Choices:
    """List the choices of at most `most` people from scores `value` that `count` people each have, sorted."""
    chosen, total, ways = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.ones(1)
    unit = 0
    for v, c in zip(value.tolist(), count.tolist(), strict=True):
        taken = np.arange(min(c, most) + 1)
        numbers = [comb(c, int(k)) for k in taken]
        shift = max(numbers).bit_length()
        unit += shift
        several = np.array([number / (1 << shift) for number in numbers])
        chosen = np.add.outer(taken, chosen).reshape(-1)
        kept = chosen <= most
        chosen = chosen[kept]
        total = np.add.outer(taken * v, total).reshape(-1)[kept]
        ways = np.multiply.outer(several, ways).reshape(-1)[kept]
    order = np.lexsort((total, chosen))
    return _Choices(chosen[order], total[order], ways[order], unit)


def _shares(first: _Choices, second: _Choices, people: IntArray, limits: IntArray) -> tuple[list[float], list[float]]:
    """Give which share of all choices of the second group has scores that add up to each limit or less, and to more.

    Either is added up by itself: one less the other would leave nothing of a small P value.
    """
    chosen = int(people[1])
    upto, beyond = np.zeros(limits.shape[0]), np.zeros(limits.shape[0])
    for k in range(chosen + 1):
        a = slice(*np.searchsorted(first.chosen, [k, k + 1]))
        b = slice(*np.searchsorted(second.chosen, [chosen - k, chosen - k + 1]))
        rising = np.concatenate(([0.0], np.cumsum(second.ways[b])))
        falling = np.concatenate((np.cumsum(second.ways[b][::-1])[::-1], [0.0]))
        for j, limit in enumerate(limits.tolist()):
            reached = np.searchsorted(second.total[b], limit - first.total[a], side="right")
            upto[j] += float((first.ways[a] * rising[reached]).sum())
            beyond[j] += float((first.ways[a] * falling[reached]).sum())
    whole = comb(int(people.sum()), chosen) / (1 << (first.unit + second.unit))
    return (upto / whole).tolist(), (beyond / whole).tolist()
