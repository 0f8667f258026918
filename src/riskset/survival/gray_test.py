"""Gray's test that groups have equal cumulative incidences of one cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode
from riskset.survival._special import chi_square_p
from riskset.survival._summary import chi_square_line, summary
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.aalen_johansen import check_cause
from riskset.survival.event_grid import EventGrid, event_grid
from riskset.survival.logrank import are_linked
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GrayTest:
    """Outcome of Gray's test over G groups.

    Attributes
    ----------
    chi_square, df, p_value
        NaN, 0, NaN where fewer than two groups were at risk at an event of the cause; NaN statistic and P where the
        variance is singular. A sentence in `warnings` tells it.
    groups : the groups' labels in sorted order
    cause : the cause whose cumulative incidences are compared
    rho : the weight's exponent
    n : array of shape (G,), rows in each group
    observed, expected : arrays of shape (G,)
        Weighted events of the cause observed, and expected under equal subdistribution hazards, summed over the strata.
    variance : array of shape (G, G), of observed - expected
    warnings : sentences, each naming its group where there is one
    """

    chi_square: float
    df: int
    p_value: float
    groups: tuple[Any, ...]
    cause: int
    rho: float
    n: FloatArray
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return summary(
            f"Gray's test of cause {self.cause}",
            ("group", "n", "observed", "expected"),
            list(zip(self.groups, self.n, self.observed, self.expected, strict=True)),
            notes=[chi_square_line(self.chi_square, self.df, self.p_value)],
            warnings=self.warnings,
        )


def gray_test(
    surv: Surv,
    group: ArrayLike,
    *,
    cause: int = 1,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> GrayTest:
    """Test that groups have equal cumulative incidences of `cause`, the other causes competing.

    Parameters
    ----------
    surv : the times, with codes k = 1, 2, ... of cause as events; weights only as counts of identical rows.
    group : array of shape (n,), labels (text or numbers)
    cause : the cause to compare
    strata : array of shape (n,), optional
        Labels of strata (centres); comparisons are made within them and added up.
    rho : weight (1 - F(t-))^rho with F the pooled incidence of the cause; 0 weighs all times alike, a positive rho
        stresses early differences.

    Returns
    -------
    GrayTest

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing label, a cause that does not occur, rho no finite number, fractional
        weights or delayed entry, for which the test is not defined.

    Notes
    -----
    The statistic and its variance are those of R's `cmprsk::cuminc`, whose `Tests` stand at -1 where we give NaN, and
    also where a group never meets an event of the cause, which we leave out as a log-rank test does. At a tie of an
    event and a censoring the event comes first. With a single cause and rho = 0 observed and expected are those of the
    log-rank test; only the variance is another estimate of the same, so the statistics agree closely, not exactly.

    References
    ----------
    Gray RJ. Ann Stat 1988; 16: 1141-1154.

    Examples
    --------
    >>> from riskset.survival import Surv, gray_test
    >>> surv = Surv([3, 5, 6, 8, 9, 11, 12, 15, 16, 20], [1, 1, 2, 1, 0, 2, 1, 2, 0, 1])
    >>> test = gray_test(surv, ["low", "low", "low", "low", "low", "zero", "zero", "zero", "zero", "zero"], cause=1)
    >>> round(test.chi_square, 4), test.df, round(test.p_value, 4)
    (3.7139, 1, 0.054)
    """
    need_surv(surv)
    if len(surv) == 0:
        raise EngineError("there is no row to test; check the population's condition")
    if not np.isfinite(rho):
        raise EngineError("rho must be a finite number; 0 weighs all times alike")
    if surv.has_fractional_weights:
        raise EngineError("Gray's test takes weights only as whole counts; use fit_fine_gray with weights instead")
    if surv.entry is not None:
        raise EngineError("Gray's test has no delayed entry; compare the hazards of the cause with fit_cause_specific")
    check_cause(surv, cause)
    codes, labels = encode(group, len(surv), "group")
    groups = labels.shape[0]
    stratum = None if strata is None else encode(strata, len(surv), "strata")[0]
    grid = event_grid(surv, stratum)
    at_risk, mine, others = _counts(surv, codes, groups, grid, cause)
    observed, expected, variance = np.zeros(groups), np.zeros(groups), np.zeros((groups, groups))
    ends = np.append(grid.segment[1:], len(grid))
    for start, end in zip(grid.segment, ends, strict=True):
        course = _course(at_risk[:, start:end], mine[:, start:end], others[:, start:end], rho)
        observed += (course.mine * course.stress).sum(axis=1)
        expected += _expected(course)
        variance += _variance(course)
    # Whoever is at risk at an event of the cause expects a share of it.
    met = np.array([at_risk[g, mine.sum(axis=0) > 0].any() for g in range(groups)])
    chi_square, df, warnings = _statistic(observed - expected, variance, met, labels)
    return GrayTest(
        chi_square=chi_square,
        df=df,
        p_value=chi_square_p(chi_square, df),
        groups=tuple(labels.tolist()),
        cause=cause,
        rho=rho,
        n=np.bincount(codes, minlength=groups).astype(np.float64),
        observed=observed,
        expected=expected,
        variance=variance,
        warnings=warnings,
    )


def _counts(
    surv: Surv, codes: IntArray, groups: int, grid: EventGrid, cause: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give numbers at risk, events of the cause and events of the others: each (G, K)."""
    k, weight = len(grid), surv.weight_or_one
    at_risk, mine, others = (np.zeros((groups, k)) for _ in range(3))
    for g in range(groups):
        of_group = codes == g
        at_risk[g] = grid.count_at_risk(np.where(of_group, weight, 0.0))
        for table, which in ((mine, surv.event == cause), (others, surv.is_event & (surv.event != cause))):
            rows = of_group & which
            table[g] = np.bincount(grid.last[rows] - 1, weight[rows], k)
    return at_risk, mine, others


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """What happens in one stratum at its K event times.

    Attributes
    ----------
    n, mine, others : arrays of shape (G, K)
        Numbers at risk (1 where `present` is false), events of the cause, events of other causes.
    present : bool array of shape (G, K), whether anybody of the group is at risk
    before, survival : arrays of shape (G, K), each group's event-free curve just before, and at, each time
    incidence_before : array of shape (G, K), each group's incidence of the cause just before each time
    freed : array of shape (G, K)
        n / S(t-), the risk set as if no other cause and no censoring had thinned it; `total` (K,) adds the groups up.
    pooled_before, pooled : arrays of shape (K,), the common incidence of the cause under the hypothesis
    stress : array of shape (K,), the weight (1 - pooled(t-))^rho
    """

    n: FloatArray
    mine: FloatArray
    others: FloatArray
    present: BoolArray
    before: FloatArray
    survival: FloatArray
    incidence_before: FloatArray
    freed: FloatArray
    total: FloatArray
    pooled_before: FloatArray
    pooled: FloatArray
    stress: FloatArray


def _course(at_risk: FloatArray, mine: FloatArray, others: FloatArray, rho: float) -> _Course:
    present = at_risk > 0
    n = np.where(present, at_risk, 1.0)
    survival = np.asarray(np.cumprod(1.0 - (mine + others) / n, axis=1), dtype=np.float64)
    before = _just_before(survival, 1.0)
    incidence = np.cumsum(before * mine / n, axis=1)
    freed = np.divide(at_risk, before, where=present, out=np.zeros_like(n))
    total = freed.sum(axis=0)
    pooled = np.cumsum(mine.sum(axis=0) / total)
    pooled_before = _just_before(pooled, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        stress = (1.0 - pooled_before) ** rho
    return _Course(
        n=n,
        mine=mine,
        others=others,
        present=present,
        before=before,
        survival=survival,
        incidence_before=_just_before(incidence, 0.0),
        freed=freed,
        total=total,
        pooled_before=pooled_before,
        pooled=pooled,
        stress=stress,
    )


def _just_before(values: FloatArray, start: float) -> FloatArray:
    """Shift curves (..., K) by one time: what they were just before each."""
    first = np.full((*values.shape[:-1], 1), start)
    return np.concatenate((first, values[..., :-1]), axis=-1)


def _expected(course: _Course) -> FloatArray:
    """Share out the events of the cause by n (1 - F(t-)) / S(t-), each group's subdistribution risk set: (G,)."""
    share = course.freed * (1.0 - course.incidence_before)
    return np.asarray((share * (course.stress * course.mine.sum(axis=0) / share.sum(axis=0))).sum(axis=1))


def _variance(course: _Course) -> FloatArray:
    """Give the variance (G, G) of observed - expected.

    An event of group k moves the score of group i now, by `direct`, and through the group's curves at all later times:
    by the rest of `later` times 1 - (1 - F) / S for an event of the cause and -(1 - F) / S for one of another. Events
    of the cause are spread over the groups as the hypothesis has it, the others as each group's own.
    """
    groups = course.n.shape[0]
    events, total = course.mine.sum(axis=0), course.total
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(events > 0, events / (total * (1.0 - course.pooled_before)), 0.0)
        inverse = np.where(course.survival > 0, (1.0 - course.pooled) / course.survival, 0.0)
        tied = 1.0 - np.maximum(events - 1.0, 0.0) / np.where(events > 1, total * course.before - 1.0, 1.0)
        spread = np.where(course.present, tied * course.before * events / (total * course.n), 0.0)
    tied_others = 1.0 - np.maximum(course.others - 1.0, 0.0) / np.maximum(course.n - 1.0, 1.0)
    spread_others = course.before**2 * tied_others * course.others / course.n**2
    lift = np.where(course.survival > 0, 1.0 - inverse, 1.0)
    scaled = course.stress * course.freed
    variance = np.zeros((groups, groups))
    for k in range(groups):
        direct = -scaled * (course.freed[k] / total)
        direct[k] += scaled[k]
        running = np.cumsum(direct * hazard, axis=1)
        later = running[:, -1:] - running
        own, others = direct + lift[k] * later, inverse[k] * later
        variance += (own * spread[k]) @ own.T + (others * spread_others[k]) @ others.T
    return variance


def _statistic(
    excess: FloatArray, variance: FloatArray, met: BoolArray, labels: AnyArray
) -> tuple[float, int, tuple[str, ...]]:
    """Give chi-square, df and warnings over the groups that `met` an event of the cause; their excesses add up to 0."""
    told = [
        f"group '{labels[g]}' was never at risk at an event of the cause; it is left out" for g in np.flatnonzero(~met)
    ]
    kept = np.flatnonzero(met)
    if kept.size < 2:
        return float("nan"), 0, (*told, "fewer than two groups can be compared; the test has no statistic")
    u, v = excess[kept][:-1], variance[np.ix_(kept, kept)][:-1, :-1]
    if np.isfinite(v).all() and (np.diag(v) > 0).all() and are_linked(variance[np.ix_(kept, kept)]):
        spread = np.sqrt(np.diag(v))
        if np.linalg.matrix_rank(v / np.outer(spread, spread), hermitian=True) == u.shape[0]:
            return float(u @ np.linalg.solve(v, u)), int(kept.size - 1), tuple(told)
    return (
        float("nan"),
        int(kept.size - 1),
        (*told, "the variance of the scores is singular or undefined; the test has no statistic"),
    )
