"""The MaxCombo test: the largest of several weighted log-rank statistics, with the P value of a largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError, did_you_mean
from riskset.survival._kinds import need_surv
from riskset.survival._summary import shown, summary
from riskset.survival._types import FloatArray
from riskset.survival.event_table import EventTable
from riskset.survival.group_counts import GroupCounts
from riskset.survival.logrank import BLOCK, family_label, tested_counts
from riskset.survival.logrank_weights import fleming_harrington, pooled_counts
from riskset.survival.normal_maximum import maximum_reaches
from riskset.survival.surv import Surv

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaxComboTest:
    """Outcome of a MaxCombo test with J weights.

    Attributes
    ----------
    statistic : the largest |z|; for a one-sided test the largest z ("greater") or -z ("less")
    p_value : probability of so large a statistic under equal hazards; NaN where nothing can be tested
    p_error : size of the numerical error of `p_value`
    weights : the J pairs (rho, gamma)
    z : array of shape (J,)
        Weighted log-rank statistics, positive where the second group has more events than expected; NaN where the
        weight is 0 at every event time.
    covariance : array of shape (J, J)
        Covariance of the J weighted sums of observed - expected events of the second group.
    alternative : "two-sided", "greater" or "less"
    groups : labels of the two groups in sorted order
    n : array of shape (2,), rows in each group
    label : what was computed
    warnings : sentences on what could not be tested
    """

    statistic: float
    p_value: float
    p_error: float
    weights: tuple[tuple[float, float], ...]
    z: FloatArray
    covariance: FloatArray
    alternative: Alternative
    groups: tuple[Any, ...]
    n: FloatArray
    label: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return summary(
            self.label,
            ("rho, gamma", "z"),
            [(f"{rho:g}, {gamma:g}", z) for (rho, gamma), z in zip(self.weights, self.z.tolist(), strict=True)],
            notes=[f"statistic {shown(self.statistic)}, {self.alternative} P {shown(self.p_value)}"],
            warnings=self.warnings,
        )


def max_combo_test(
    surv: Surv | EventTable,
    group: ArrayLike,
    *,
    weights: Sequence[tuple[float, float]] = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)),
    strata: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
) -> MaxComboTest:
    """Test that two groups have equal hazards by the largest of several Fleming-Harrington statistics.

    It keeps power where the hazards are not proportional: late, early and middle differences each have a weight. The
    statistics are jointly normal with covariance sum of w_j w_l v over the event times, v the hypergeometric variance,
    and the P value is that of the maximum of such normal variables, by quadrature and without random numbers: to 1e-10
    relatively where the weights span three dimensions (as the four usual ones do, since S + (1 - S) = 1), to about 1e-5
    where they span four; `p_error` tells.

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts
        Delayed entry is honoured, weights only as counts of identical rows (whole numbers).
    group : array of labels (text or numbers) of two groups
        One a row; with a table one a pattern: `table.patterns` where they are the groups.
    weights : pairs (rho, gamma), at most four that are no sums of one another
        Exponents of the weights S(t-)^rho (1 - S(t-))^gamma as in `logrank_test`.
    strata : array of labels, optional
        One a row, with a table one for each of its strata; comparisons are made within them and added up.
    alternative : "two-sided", or "greater" or "less" for the hazard of the second group in sorted order

    Raises
    ------
    EngineError
        As `logrank_test`; more than two groups, no weight, an unknown alternative.

    References
    ----------
    Lee SH. Comput Stat Data Anal 2007; 51: 6557-6564. Lin RS, et al. Stat Biopharm Res 2020; 12: 187-198.

    Examples
    --------
    >>> from riskset.survival import Surv, max_combo_test
    >>> surv = Surv([1, 2, 3, 4, 5, 6, 7, 8, 9, 9], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    >>> test = max_combo_test(surv, list("abababaabb"))
    >>> test.z.round(3).tolist(), round(test.statistic, 3), round(test.p_value, 4)
    ([-0.997, -1.201, -0.722, -0.852], 1.201, 0.3869)
    """
    need_surv(surv, table=True)
    if alternative not in get_args(Alternative):
        near = did_you_mean(str(alternative), get_args(Alternative))
        raise EngineError(f"there is no alternative '{alternative}'{near}; choose two-sided, greater or less")
    pairs = tuple((float(rho), float(gamma)) for rho, gamma in weights)
    if not pairs:
        raise EngineError("there is no weight; give at least one pair (rho, gamma)")
    functions = [fleming_harrington(rho, gamma) for rho, gamma in pairs]
    counts = tested_counts(surv, group, strata)
    if len(counts.groups) > 2:
        raise EngineError(f"MaxCombo compares two groups and there are {len(counts.groups)}; choose two of them")
    pooled = pooled_counts(counts)
    excess, covariance = _joint(counts, [function.values(pooled) for function in functions])
    variance = np.diag(covariance)
    z = np.where(variance > 0, excess / np.sqrt(np.where(variance > 0, variance, 1.0)), np.nan)
    statistic, p_value, error = _largest(z, covariance, alternative)
    return MaxComboTest(
        statistic=statistic,
        p_value=p_value,
        p_error=error,
        weights=pairs,
        z=z,
        covariance=covariance,
        alternative=alternative,
        groups=counts.groups,
        n=counts.n,
        label=family_label("MaxCombo test", strata),
        warnings=_warnings(counts, z, pairs),
    )


def _joint(counts: GroupCounts, weights: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Give the weighted observed - expected events of the last group (J,), and their covariance (J, J)."""
    excess, covariance = np.zeros(len(weights)), np.zeros((len(weights), len(weights)))
    for start in range(0, counts.time.shape[0], BLOCK):
        part = slice(start, start + BLOCK)
        n, d = counts.at_risk[:, part].sum(axis=0), counts.events[:, part].sum(axis=0)
        share = counts.at_risk[-1, part] / n
        spread = d * (n - d) / np.maximum(n - 1.0, 1.0) * share * (1.0 - share)
        w = np.array([weight[part] for weight in weights])
        # einsum, not a matrix product: its order of adding up does not depend on the number of cores.
        excess += np.einsum("jk,k->j", w, counts.events[-1, part] - d * share)
        covariance += np.einsum("jk,lk->jl", w * spread, w)
    return excess, (covariance + covariance.T) / 2.0


def _largest(z: FloatArray, covariance: FloatArray, alternative: Alternative) -> tuple[float, float, float]:
    """Give the largest statistic, its P value and that one's numerical error."""
    known = np.flatnonzero(~np.isnan(z))
    if known.size == 0:
        return float("nan"), float("nan"), float("nan")
    scale = np.sqrt(np.diag(covariance)[known])
    correlation = covariance[np.ix_(known, known)] / np.outer(scale, scale)
    directed = {"two-sided": np.abs(z), "greater": z, "less": -z}[alternative]
    statistic = float(directed[known].max())
    p_value, error = maximum_reaches(correlation, statistic, two_sided=alternative == "two-sided")
    return statistic, p_value, error


def _warnings(counts: GroupCounts, z: FloatArray, pairs: tuple[tuple[float, float], ...]) -> tuple[str, ...]:
    """Say what could not be tested."""
    if not counts.events.any():
        return ("there is no event, so the groups cannot be compared",)
    if len(counts.groups) < 2:
        return ("there is one group alone, so nothing can be compared",)
    if np.isnan(z).all():
        return ("the groups never meet in a set at risk with an event to compare, so there is no test",)
    return tuple(
        f"the weight with rho = {rho:g} and gamma = {gamma:g} is 0 wherever the groups are compared and is left out"
        for (rho, gamma), value in zip(pairs, z, strict=True)
        if np.isnan(value)
    )
