"""Log-rank tests of every pair of groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.survival._kinds import need_surv
from riskset.survival._summary import summary
from riskset.survival._types import FloatArray
from riskset.survival.event_table import EventTable
from riskset.survival.group_counts import GroupCounts
from riskset.survival.logrank import LogRankTest, compare, family_label, tested_counts
from riskset.survival.logrank_weights import fleming_harrington
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PairwiseTests:
    """Tests of the M = G (G - 1) / 2 pairs of G groups, the first group's pairs first, in sorted order.

    Attributes
    ----------
    pairs : the M pairs of labels
    tests : the M tests, each over the rows of its two groups alone
    chi_square, p_value : arrays of shape (M,); P is raw, not adjusted for the number of pairs
    label : what was computed
    """

    pairs: tuple[tuple[Any, Any], ...]
    tests: tuple[LogRankTest, ...]
    chi_square: FloatArray
    p_value: FloatArray
    label: str

    def __repr__(self) -> str:
        three = zip(self.pairs, self.chi_square.tolist(), self.p_value.tolist(), strict=True)
        return summary(
            f"{self.label}, by pairs",
            ("pair", "chi-square", "P"),
            [(f"{a} / {b}", chi_square, p) for (a, b), chi_square, p in three],
        )


def pairwise_logrank(
    surv: Surv | EventTable,
    group: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> PairwiseTests:
    """Test each pair of groups for equal hazards, each on the rows of the two groups alone.

    The P values are raw: how they are adjusted for the number of pairs is a choice of the analysis.

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts
        Delayed entry is honoured, weights only as counts of identical rows (whole numbers).
    group : array of labels (text or numbers)
        One a row; with a table one a pattern: `table.patterns` where they are the groups.
    strata : array of labels, optional
        One a row, with a table one for each of its strata; comparisons are made within them and added up.
    rho, gamma : not negative
        Fleming-Harrington weights as in `logrank_test`, from the Kaplan-Meier curve of the two groups.

    Raises
    ------
    EngineError
        As `logrank_test`.

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966; 50: 163-170.

    Examples
    --------
    >>> from riskset.survival import Surv, pairwise_logrank
    >>> surv = Surv([9, 8, 7, 5, 6, 3, 2, 4], [0, 1, 1, 1, 1, 1, 1, 1])
    >>> result = pairwise_logrank(surv, ["a", "a", "a", "b", "b", "c", "c", "c"])
    >>> result.pairs, result.p_value.round(3).tolist()
    ((('a', 'b'), ('a', 'c'), ('b', 'c')), [0.039, 0.025, 0.063])
    """
    need_surv(surv, table=True)
    counts = tested_counts(surv, group, strata)
    function = fleming_harrington(rho, gamma)
    label = family_label(function.label, strata)
    places = list(combinations(range(len(counts.groups)), 2))
    tests = tuple(compare(_of_pair(counts, pair), function, label) for pair in places)
    return PairwiseTests(
        pairs=tuple((counts.groups[a], counts.groups[b]) for a, b in places),
        tests=tests,
        chi_square=np.array([test.chi_square for test in tests]),
        p_value=np.array([test.p_value for test in tests]),
        label=label,
    )


def _of_pair(counts: GroupCounts, pair: tuple[int, int]) -> GroupCounts:
    """Keep two groups, and the event times at which one of them has an event."""
    mine = list(pair)
    kept = counts.events[mine].any(axis=0)
    stratum = counts.stratum[kept]
    starts = np.ones(stratum.shape[0], dtype=np.bool_)
    starts[1:] = stratum[1:] != stratum[:-1]
    return replace(
        counts,
        stratum=stratum,
        time=counts.time[kept],
        segment=np.flatnonzero(starts),
        at_risk=counts.at_risk[mine][:, kept],
        events=counts.events[mine][:, kept],
        groups=tuple(counts.groups[g] for g in mine),
        n=counts.n[mine],
    )
