"""The log-rank test and its weighted relatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._labels import encode
from riskset.survival._special import chi_square_p
from riskset.survival._types import FloatArray
from riskset.survival.event_grid import EventGrid, event_grid
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False)
class LogRankTest:
    """Outcome of a log-rank test over G groups.

    Attributes
    ----------
    chi_square, df, p_value
        NaN, 0, NaN where fewer than two groups were ever at risk at an event.
    groups : the groups' labels in sorted order
    n : array of shape (G,), rows in each group
    observed, expected : arrays of shape (G,)
        (Weighted) events observed, and expected under equal hazards, summed over the strata.
    variance : array of shape (G, G), of observed - expected
    """

    chi_square: float
    df: int
    p_value: float
    groups: tuple[Any, ...]
    n: FloatArray
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray


def logrank_test(
    surv: Surv,
    group: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRankTest:
    """Test that groups have equal hazards, an event of any cause being the event.

    Parameters
    ----------
    surv : the times; delayed entry is honoured, weights only as counts of identical rows (whole numbers).
    group : array of shape (n,), labels (text or numbers)
    strata : array of shape (n,), optional
        Labels of strata (centres); comparisons are made within them and added up.
    rho, gamma : not negative
        Fleming-Harrington weights S(t-)^rho (1 - S(t-))^gamma, S the pooled Kaplan-Meier curve of the stratum: 0, 0 is
        the log-rank test, rho = 1 the Peto-Peto test, which stresses early differences; gamma > 0 stresses late ones.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing label, a negative rho or gamma, fractional weights (use `fit_cox` with
        `robust=True`, whose Wald test is valid then).

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966; 50: 163-170. Harrington DP, Fleming TR. Biometrika 1982; 69: 553-566.
    """
    if len(surv) == 0:
        raise EngineError("there is no row to test; check the population's condition")
    if rho < 0 or gamma < 0:
        raise EngineError("rho and gamma must not be negative; 0 and 0 give the log-rank test")
    if surv.has_fractional_weights:
        raise EngineError("a log-rank test takes weights only as whole counts; use fit_cox with robust=True instead")
    codes, labels = encode(group, len(surv), "group")
    grid = event_grid(surv, None if strata is None else encode(strata, len(surv), "strata")[0])
    observed, expected, variance = _sums(surv, codes, labels.shape[0], grid, rho, gamma)
    chi_square, df = _statistic(observed - expected, variance, expected > 0)
    return LogRankTest(
        chi_square=chi_square,
        df=df,
        p_value=chi_square_p(chi_square, df),
        groups=tuple(labels.tolist()),
        n=np.bincount(codes, minlength=labels.shape[0]).astype(np.float64),
        observed=observed,
        expected=expected,
        variance=variance,
    )


def _sums(
    surv: Surv, codes: FloatArray | Any, size: int, grid: EventGrid, rho: float, gamma: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give observed, expected (G,) and the hypergeometric variance (G, G)."""
    weight, k, is_event = surv.weight_or_one, len(grid), surv.is_event
    at_risk = np.empty((size, k))
    events = np.empty((size, k))
    for g in range(size):
        mine = np.where(codes == g, weight, 0.0)
        at_risk[g] = grid.count_at_risk(mine)
        events[g] = np.bincount(grid.last[is_event] - 1, mine[is_event], k)
    n, d = at_risk.sum(axis=0), events.sum(axis=0)
    stress = _stress(n, d, grid, rho, gamma)
    share = at_risk / n
    expected = share @ (stress * d)
    spread = stress**2 * d * (n - d) / np.maximum(n - 1.0, 1.0)
    variance = np.diag(share @ spread) - (share * spread) @ share.T
    return events @ stress, expected, variance


def _stress(n: FloatArray, d: FloatArray, grid: EventGrid, rho: float, gamma: float) -> FloatArray:
    """Give the Fleming-Harrington weight of each event time, from the stratum's pooled curve just before it."""
    if rho == 0 and gamma == 0:
        return np.ones(n.shape[0])
    before = np.ones(n.shape[0])
    ends = np.append(grid.segment[1:], n.shape[0])
    for start, end in zip(grid.segment, ends, strict=True):
        before[start + 1 : end] = np.cumprod(1.0 - d[start : end - 1] / n[start : end - 1])
    return np.asarray(before**rho * (1.0 - before) ** gamma)


def _statistic(excess: FloatArray, variance: FloatArray, compared: FloatArray | Any) -> tuple[float, int]:
    """Give chi-square and df over the groups that were ever at risk at an event; their excesses add up to 0."""
    kept = np.flatnonzero(compared)
    if kept.size < 2:
        return float("nan"), 0
    u, v = excess[kept][1:], variance[np.ix_(kept, kept)][1:, 1:]
    # Groups that never meet in one risk set leave a singular matrix: nothing compares them.
    if np.linalg.matrix_rank(v) < u.shape[0]:
        return float("nan"), 0
    return float(u @ np.linalg.solve(v, u)), int(kept.size - 1)
