"""The log-rank test and its weighted relatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._special import chi_square_p
from riskset.survival._summary import chi_square_line, summary
from riskset.survival._types import BoolArray, FloatArray
from riskset.survival.event_table import EventTable
from riskset.survival.group_counts import GroupCounts, group_counts
from riskset.survival.logrank_weights import WeightFunction, fleming_harrington, named_weight, pooled_counts
from riskset.survival.surv import Surv

# Event times that are summed at once: their counts stay in the processor's cache, and the order of the sums is fixed.
BLOCK = 1 << 14


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LogRankTest:
    """Outcome of a test of the log-rank family over G groups.

    Attributes
    ----------
    chi_square, df, p_value
        NaN, 0, NaN where fewer than two groups were ever at risk at an event.
    groups : the groups' labels in sorted order
    n : array of shape (G,), rows in each group
    observed, expected : arrays of shape (G,)
        (Weighted) events observed, and expected under equal hazards, summed over the strata.
    variance : array of shape (G, G), of observed - expected
    label : what was computed, such as "stratified log-rank test"
    warnings : sentences on what could not be compared
    """

    chi_square: float
    df: int
    p_value: float
    groups: tuple[Any, ...]
    n: FloatArray
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray
    label: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return summary(
            self.label,
            ("group", "n", "observed", "expected"),
            list(zip(self.groups, self.n, self.observed, self.expected, strict=True)),
            notes=[chi_square_line(self.chi_square, self.df, self.p_value)],
            warnings=self.warnings,
        )


def logrank_test(
    surv: Surv | EventTable,
    group: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRankTest:
    """Test that groups have equal hazards, an event of any cause being the event.

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts
        Delayed entry is honoured, weights only as counts of identical rows (whole numbers).
    group : array of labels (text or numbers)
        One a row; with a table one a pattern: `table.patterns` where they are the groups.
    strata : array of labels, optional
        One a row, with a table one for each of its strata (centres); comparisons are made within them and added up.
    rho, gamma : not negative
        Fleming-Harrington weights S(t-)^rho (1 - S(t-))^gamma, S the pooled Kaplan-Meier curve of the stratum: 0, 0 is
        the log-rank test; rho = 1 is what R's `survdiff` calls the Peto-Peto test, which stresses early differences;
        gamma > 0 stresses late ones. `weighted_logrank_test` has the weights by Gehan, Tarone and Ware, and Prentice.

    Returns
    -------
    LogRankTest, whose `label` says what was computed.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing label, a negative rho or gamma, fractional weights (use `fit_cox` with
        `robust=True`, whose Wald test is valid then).

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966; 50: 163-170. Harrington DP, Fleming TR. Biometrika 1982; 69: 553-566.

    Examples
    --------
    >>> from riskset.survival import Surv, logrank_test
    >>> surv = Surv([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1])
    >>> test = logrank_test(surv, ["a", "a", "b", "a", "b", "b"])
    >>> test.label, round(test.chi_square, 3), test.df, round(test.p_value, 3)
    ('log-rank test', 2.557, 1, 0.11)

    The same from a table of counts, which may come from chunks of rows:

    >>> from riskset.survival import EventTable
    >>> table = EventTable.from_arrays([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], pattern=["a", "a", "b", "a", "b", "b"])
    >>> round(logrank_test(table, table.patterns).chi_square, 3)
    2.557
    """
    need_surv(surv, table=True)
    return _weighted(surv, group, strata, fleming_harrington(rho, gamma))


def weighted_logrank_test(
    surv: Surv | EventTable,
    group: ArrayLike,
    *,
    weight: str = "gehan",
    strata: ArrayLike | None = None,
) -> LogRankTest:
    """Test that groups have equal hazards with one of the classical weights of event times.

    With n at risk and d events at an event time, over all groups of a stratum, the weight is

    - `"log-rank"`: 1, most powerful against proportional hazards;
    - `"gehan"`: n (Gehan-Breslow, the generalised Wilcoxon test; depends on the censoring), with the hypergeometric
      variance of the log-rank family and not Gehan's permutation variance;
    - `"tarone-ware"`: the square root of n;
    - `"peto"`: S~(t) = product over u <= t of 1 - d / (n + 1) (Prentice), the time t itself included; R's
      `survdiff(rho = 1)` uses S(t-) of the Kaplan-Meier curve instead, as `logrank_test(rho=1)` does;
    - `"modified-peto"`: S~(t) n / (n + 1) (Andersen and others).

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts
        Delayed entry is honoured, weights only as counts of identical rows (whole numbers).
    group : array of labels (text or numbers)
        One a row; with a table one a pattern: `table.patterns` where they are the groups.
    weight : name of the weight function
    strata : array of labels, optional
        One a row, with a table one for each of its strata; weights are taken from each stratum's own counts.

    Returns
    -------
    LogRankTest, whose `label` says what was computed.

    Raises
    ------
    EngineError
        As `logrank_test`, and an unknown name of a weight.

    References
    ----------
    Klein JP, Moeschberger ML. Survival Analysis, 2nd ed. Springer 2003, section 7.3. Tarone RE, Ware J. Biometrika
    1977; 64: 156-160. Prentice RL. Biometrika 1978; 65: 167-179.

    Examples
    --------
    >>> from riskset.survival import Surv, weighted_logrank_test
    >>> surv = Surv([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1])
    >>> test = weighted_logrank_test(surv, ["a", "a", "b", "a", "b", "b"], weight="tarone-ware")
    >>> test.label, round(test.chi_square, 3), round(test.p_value, 3)
    ('Tarone-Ware test', 2.52, 0.112)
    """
    need_surv(surv, table=True)
    return _weighted(surv, group, strata, named_weight(weight))


def _weighted(
    surv: Surv | EventTable, group: ArrayLike, strata: ArrayLike | None, function: WeightFunction
) -> LogRankTest:
    counts = tested_counts(surv, group, strata)
    return compare(counts, function, family_label(function.label, strata))


def tested_counts(surv: Surv | EventTable, group: ArrayLike, strata: ArrayLike | None) -> GroupCounts:
    """Count the groups for a test, or refuse what no test of the log-rank family can take."""
    if (surv.n if isinstance(surv, EventTable) else len(surv)) == 0:
        raise EngineError("there is no row to test; check the population's condition")
    if surv.has_fractional_weights:
        raise EngineError("a log-rank test takes weights only as whole counts; use fit_cox with robust=True instead")
    return group_counts(surv, group, strata)


def family_label(label: str, strata: ArrayLike | None) -> str:
    """Put `stratified` before the name of a test that more than one stratum entered."""
    labels = np.asarray(strata) if strata is not None else np.zeros(1)
    return f"stratified {label}" if bool((labels[1:] != labels[:-1]).any()) else label


def compare(counts: GroupCounts, function: WeightFunction, label: str) -> LogRankTest:
    """Test equal hazards from the counts of G groups."""
    pooled = pooled_counts(counts)
    observed, expected, variance = weighted_sums(counts, function.values(pooled))
    compared = expected > 0
    chi_square, df = quadratic_form(observed - expected, variance, compared)
    return LogRankTest(
        chi_square=chi_square,
        df=df,
        p_value=chi_square_p(chi_square, df),
        groups=counts.groups,
        n=counts.n,
        observed=observed,
        expected=expected,
        variance=variance,
        label=label,
        warnings=_warnings(counts, compared, df),
    )


def weighted_sums(counts: GroupCounts, weight: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give weighted observed and expected events (G,), and the hypergeometric variance (G, G) of their difference."""
    size, k = counts.at_risk.shape
    observed, expected, variance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for start in range(0, k, BLOCK):
        part = slice(start, start + BLOCK)
        at_risk, events, w = counts.at_risk[:, part], counts.events[:, part], weight[part]
        n, d = at_risk.sum(axis=0), events.sum(axis=0)
        share = at_risk / n
        # A last single person at risk has no variance: n - d is 0 there.
        spread = w * w * d * (n - d) / np.maximum(n - 1.0, 1.0)
        # einsum, not a matrix product: its order of adding up does not depend on the number of cores.
        observed += np.einsum("gk,k->g", events, w)
        expected += np.einsum("gk,k->g", share, w * d)
        weighted = share * spread
        variance -= np.einsum("gk,hk->gh", weighted, share)
        variance[np.diag_indices(size)] += weighted.sum(axis=1)
    return observed, expected, variance


def quadratic_form(excess: FloatArray, variance: FloatArray, compared: BoolArray) -> tuple[float, int]:
    """Give chi-square and df over the groups that were ever at risk at an event; their excesses add up to 0."""
    kept = np.flatnonzero(compared)
    if kept.size < 2:
        return float("nan"), 0
    u, v = excess[kept][1:], variance[np.ix_(kept, kept)][1:, 1:]
    # Groups that never meet in one risk set leave a singular matrix: nothing compares them.
    if not are_linked(variance[np.ix_(kept, kept)]) or np.linalg.matrix_rank(v) < u.shape[0]:
        return float("nan"), 0
    return float(u @ np.linalg.solve(v, u)), int(kept.size - 1)


def are_linked(covariance: FloatArray) -> bool:
    """Tell whether every group is compared with every other, if only by way of others, from their scores' (G, G).

    The rank would tell it too, but for rounding. The covariance of two groups that never meet is exactly 0.

    Examples
    --------
    >>> are_linked(np.array([[1.0, -1.0, 0.0], [-1.0, 3.0, -2.0], [0.0, -2.0, 2.0]]))
    True
    >>> are_linked(np.array([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 1e-16]]))
    False
    """
    link = covariance != 0
    reached = np.zeros(link.shape[0], dtype=np.bool_)
    reached[0] = True
    while not reached.all():
        more = reached | link[reached].any(axis=0)
        if more.sum() == reached.sum():
            return False
        reached = more
    return True


def _warnings(counts: GroupCounts, compared: BoolArray, df: int) -> tuple[str, ...]:
    """Say which groups could not be compared, and why."""
    if not counts.events.any():
        return ("there is no event, so the groups cannot be compared",)
    if len(counts.groups) < 2:
        return ("there is one group alone, so nothing can be compared",)
    if not compared.any():
        return ("the weight is 0 at every event time, so the groups cannot be compared",)
    told = [
        f"group '{name}' is never at risk at an event and is left out"
        for name, flag in zip(counts.groups, compared, strict=True)
        if not flag
    ]
    if df == 0:
        told.append("the groups never meet in a set at risk with an event to compare, so there is no test")
    return tuple(told)
