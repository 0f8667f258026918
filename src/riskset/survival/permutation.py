"""The log-rank test by random permutation of the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival import kernels, permutation_draws
from riskset.survival._kinds import need_surv
from riskset.survival._special import proportion_interval
from riskset.survival._summary import shown, summary
from riskset.survival._types import FloatArray, IntArray
from riskset.survival.logrank import are_linked, family_label
from riskset.survival.permutation_scores import PermutationScores, permutation_scores
from riskset.survival.surv import Surv

# Replicates that NumPy draws at once: their state stays in the processor's cache.
BLOCK = 4096
# A kernel's part of the work: draws that take some milliseconds. Replicates run in lanes of 64.
DRAWS_A_PART, LANES = 1 << 22, 64
# A draw is a few of NumPy's vector operations at a nanosecond each: so many make up one step of a scattered loop.
DRAWS_A_STEP = 8
# Statistics that differ by less are equal but for rounding, and a permutation that equals the data counts.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PermutationTest:
    """Outcome of a log-rank test by Monte-Carlo permutation over G groups.

    Attributes
    ----------
    chi_square : quadratic form of observed - expected with its covariance over all permutations
    p_value : (1 + permutations at least as extreme) / (1 + replicates); NaN where nothing can be compared
    low, high : exact (Clopper-Pearson) interval of the P value that all permutations would give
    n_extreme, replicates : permutations with a statistic at least as large, of how many
    groups : the groups' labels in sorted order
    n, observed, expected : arrays of shape (G,): people, events, and events expected under equal hazards
    label : what was computed
    warnings : sentences on what could not be compared
    """

    chi_square: float
    p_value: float
    low: float
    high: float
    n_extreme: int
    replicates: int
    groups: tuple[Any, ...]
    n: FloatArray
    observed: FloatArray
    expected: FloatArray
    label: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        interval = f"{shown(self.low)} to {shown(self.high)}"
        test = f"chi-square {shown(self.chi_square)}, P {shown(self.p_value)} ({interval})"
        return summary(
            self.label,
            ("group", "n", "observed", "expected"),
            list(zip(self.groups, self.n, self.observed, self.expected, strict=True)),
            notes=[f"{test}, {self.n_extreme} of {self.replicates} replicates as extreme"],
            warnings=self.warnings,
        )


def logrank_permutation(
    surv: Surv,
    group: ArrayLike,
    *,
    replicates: int,
    seed: int,
    strata: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> PermutationTest:
    """Test for equal hazards by giving the labels to the rows at random, many times.

    The statistic is the classical permutation log-rank statistic: the group sums of the log-rank scores (observed minus
    expected events) in the metric of their covariance over all permutations. That covariance is the same for every
    permutation, so for two groups the order is that of |observed - expected|; `logrank_test` divides by a
    hypergeometric variance that depends on who is at risk when. The test is valid in any sample size where labels could
    have changed places: survival, censoring and (if any) delayed entry alike in the groups of a stratum.

    Rows are scored and sorted once. The same seed gives the same numbers on any number of cores and in any order of the
    rows.

    Parameters
    ----------
    surv : the times; delayed entry is honoured, a weight of k stands for k people (whole numbers only).
    group : array of shape (n,), labels (text or numbers)
    replicates : number of random permutations, at least 1; 10,000 or more for a P value to report.
    seed : whole number, not negative
    strata : array of shape (n,), optional
        Labels of strata; labels change places within them only.
    conf_level : level of the interval for the Monte-Carlo error

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing label, fractional weights, no replicate, a negative seed.

    References
    ----------
    Neuhaus G. Ann Stat 1993; 21: 1760-1779. Phipson B, Smyth GK. Stat Appl Genet Mol Biol 2010; 9: 39 (the 1 added).
    Steele GL, Lea D, Flood CH. OOPSLA 2014: 453-472 (SplitMix64).

    Examples
    --------
    >>> from riskset.survival import Surv, logrank_permutation
    >>> surv = Surv([9, 8, 7, 6, 5, 3, 2, 4], [0, 1, 1, 1, 1, 1, 1, 1])
    >>> test = logrank_permutation(surv, list("aaaabbbb"), replicates=9999, seed=1)
    >>> round(test.p_value, 3), round(test.low, 3) <= 2 / 70 <= round(test.high, 3)
    (0.031, True)
    """
    need_surv(surv)
    if replicates < 1 or replicates != int(replicates):
        raise EngineError("replicates must be a whole number of at least 1; 10000 is usual")
    if seed < 0 or seed != int(seed):
        raise EngineError("seed must be a whole number that is not negative")
    if not 0 < conf_level < 1:
        raise EngineError("conf_level must lie between 0 and 1, such as 0.95")
    data = permutation_scores(surv, group, strata)
    inverse, told = inverse_covariance(data)
    statistic, extreme = float("nan"), 0
    p_value = low = high = float("nan")
    if inverse is not None:
        observed = _statistic(data.total[:-1, None], data, inverse)[0]
        extreme = _count(data, inverse, observed, int(replicates), int(seed))
        p_value = (1 + extreme) / (1 + replicates)
        low, high = proportion_interval(extreme, int(replicates), conf_level)
        statistic = float(observed)
    return PermutationTest(
        chi_square=statistic,
        p_value=p_value,
        low=low,
        high=high,
        n_extreme=extreme,
        replicates=int(replicates),
        groups=data.groups,
        n=data.size.sum(axis=0).astype(np.float64),
        observed=data.observed,
        expected=data.expected,
        label=family_label("log-rank test", strata) + " by Monte-Carlo permutation",
        warnings=told,
    )


def inverse_covariance(data: PermutationScores) -> tuple[FloatArray | None, tuple[str, ...]]:
    """Invert the permutation covariance without the last group, or say why permutations cannot compare the groups."""
    if not data.observed.any():
        return None, ("there is no event, so the groups cannot be compared",)
    if len(data.groups) < 2:
        return None, ("there is one group alone, so nothing can be compared",)
    whole = data.covariance()
    covariance = whole[:-1, :-1]
    if not covariance.any():
        return None, ("every permutation of the labels gives the same sums, so there is no test",)
    if not are_linked(whole) or np.linalg.matrix_rank(covariance) < covariance.shape[0]:
        return None, ("some groups share no stratum with the others, so labels cannot change places among all",)
    return np.asarray(np.linalg.inv(covariance)), ()


def _statistic(sums: IntArray, data: PermutationScores, inverse: FloatArray) -> FloatArray:
    """Give the quadratic form (B,) of group sums (G - 1, B)."""
    excess = (sums - data.mean()[:-1, None]) * data.unit
    return np.asarray(np.einsum("ib,ij,jb->b", excess, inverse, excess))


def _count(data: PermutationScores, inverse: FloatArray, observed: float, replicates: int, seed: int) -> int:
    """Count the permutations whose statistic is at least `observed`."""
    people = data.score.shape[0]
    compiled = kernels.use_kernels(people * replicates / DRAWS_A_STEP)
    draw = kernels.load("permutation").group_sums if compiled else permutation_draws.group_sums
    width = min(BLOCK, max(DRAWS_A_PART // people // LANES, 1) * LANES) if compiled else BLOCK
    key = permutation_draws.key_of(seed)
    least = observed - ROUNDING * max(observed, 1.0)

    def count(low: int) -> int:
        sums = draw(data.score, data.start, data.size, key, low, min(low + width, replicates))
        return int((_statistic(sums, data, inverse) >= least).sum())

    return sum(kernels.on_all_cores(count, range(0, replicates, width)))
