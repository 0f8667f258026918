"""Cumulative incidence of competing causes: the Aalen-Johansen estimator.

With S the event-free curve, n_j at risk at t_j and d_kj events of cause k there, F_k adds up S(t_j-) d_kj / n_j.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode
from riskset.survival._special import interval_multiplier
from riskset.survival._summary import summary
from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.curve_interval import ConfType, curve_interval
from riskset.survival.kaplan_meier import kaplan_meier
from riskset.survival.risk_counts import risk_counts
from riskset.survival.surv import TIME_TOLERANCE, Surv

# What is left of a risk set after its events counts as nobody below this share: sums of fractional weights round.
_NOBODY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class IncidenceAt:
    """Cumulative incidences read at q given times, for K causes.

    `incidence`, `low`, `high`, `standard_error` have the shape (q, K), their columns in the order of `causes`; `time`,
    `event_free`, `at_risk` and `beyond` the shape (q,). `beyond` marks the times after the last observation, where the
    curves say nothing: there all numbers but `at_risk` are NaN.
    """

    time: FloatArray
    causes: tuple[int, ...]
    incidence: FloatArray
    low: FloatArray
    high: FloatArray
    standard_error: FloatArray
    event_free: FloatArray
    at_risk: FloatArray
    beyond: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class IncidenceCurve:
    """The cumulative incidence of one `cause`: columns of `AalenJohansen`, all of shape (m,)."""

    cause: int
    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    incidence: FloatArray
    standard_error: FloatArray
    aalen_standard_error: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AalenJohansen:
    """Cumulative incidences of K causes: one row for each of the m distinct times at which a row ends, sorted.

    Attributes
    ----------
    causes : the K causes that occur, as coded in `Surv.event`, sorted; the columns of the arrays (m, K)
    time : array of shape (m,), in the unit of the times given
    at_risk, censored : arrays of shape (m,)
        (Weighted) numbers just before, and at, each time.
    events : array of shape (m, K), (weighted) events of each cause
    incidence : array of shape (m, K)
        The probability of an event of the cause by that time, right-continuous. With `event_free` its rows add up to 1.
    standard_error : array of shape (m, K)
        By the infinitesimal jackknife, as R's `survfit`; the intervals use it. NaN where a cause has reached 1.
    aalen_standard_error : array of shape (m, K)
        By Aalen's estimator as R's `cmprsk::cuminc`, a little larger in small samples; NaN with fractional weights or
        clusters, which it cannot take into account.
    low, high : arrays of shape (m, K)
        Pointwise interval. NaN where the incidence is 0 or 1, as in R but for its plain interval, a point there.
    event_free : array of shape (m,)
        Kaplan-Meier's curve of the time to an event of any cause.
    event_free_standard_error : array of shape (m,)
        NaN where `event_free` is 0.
    n : number of rows
    n_events : array of shape (K,), rows with an event of each cause (unweighted)
    conf_type, conf_level : how the intervals were made
    """

    causes: tuple[int, ...]
    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray
    incidence: FloatArray
    standard_error: FloatArray
    aalen_standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    event_free: FloatArray
    event_free_standard_error: FloatArray
    n: int
    n_events: IntArray
    conf_type: ConfType
    conf_level: float
    source: Surv = field(repr=False)

    def __repr__(self) -> str:
        events = ", ".join(f"{k} of cause {c}" for c, k in zip(self.causes, self.n_events.tolist(), strict=True))
        return summary(
            f"cumulative incidence: {self.n} rows{', events: ' if events else ''}{events}",
            ("time", "at risk", *(f"cause {cause}" for cause in self.causes), "event-free"),
            np.column_stack((self.time, self.at_risk, self.incidence, self.event_free)).tolist(),
        )

    def curve(self, cause: int) -> IncidenceCurve:
        """Give the cumulative incidence of one cause.

        Raises
        ------
        EngineError
            No row has an event of this cause.
        """
        check_cause(self.source, cause)
        k = self.causes.index(cause)
        return IncidenceCurve(
            cause=cause,
            time=self.time,
            at_risk=self.at_risk,
            events=self.events[:, k],
            incidence=self.incidence[:, k],
            standard_error=self.standard_error[:, k],
            aalen_standard_error=self.aalen_standard_error[:, k],
            low=self.low[:, k],
            high=self.high[:, k],
        )

    def at(self, times: ArrayLike) -> IncidenceAt:
        """Read the incidences at `times` (a number or array of shape (q,), same unit as the times given).

        Raises
        ------
        EngineError
            A time that is negative or no number.
        """
        event_free = kaplan_meier(self.source).at(times)
        slack = TIME_TOLERANCE * max(1.0, float(self.time.mean()))
        place = np.searchsorted(self.time, event_free.time + slack, side="right")

        def read(values: FloatArray) -> FloatArray:
            started = np.concatenate((np.zeros((1, len(self.causes))), values))
            return np.where(event_free.beyond[:, None], np.nan, started[place])

        return IncidenceAt(
            time=event_free.time,
            causes=self.causes,
            incidence=read(self.incidence),
            low=read(self.low),
            high=read(self.high),
            standard_error=read(self.standard_error),
            event_free=event_free.survival,
            at_risk=event_free.at_risk,
            beyond=event_free.beyond,
        )


def aalen_johansen(
    surv: Surv,
    *,
    cluster: ArrayLike | None = None,
    conf_type: ConfType = "log-log",
    conf_level: float = 0.95,
) -> AalenJohansen:
    """Estimate the cumulative incidence of each cause in the presence of the others.

    Parameters
    ----------
    surv : the times, with codes k = 1, 2, ... of cause as events; delayed entry and weights are honoured.
    cluster : array of shape (n,), optional
        Labels of rows that belong together (a patient's start-stop rows, a centre): their influences are added up
        before they are squared, as R's `survfit(..., id =)` does for the rows of a person.
    conf_type : "log-log", "log", "plain" or another that `kaplan_meier` takes
        The scale on which the pointwise interval of the incidence itself is symmetric, as in R; so the log-log interval
        of a single cause is not one minus that of Kaplan-Meier.
    conf_level : level of the intervals, between 0 and 1

    Returns
    -------
    AalenJohansen

    Raises
    ------
    EngineError
        No rows, a missing label, an unknown `conf_type`, a level outside (0, 1).

    Notes
    -----
    At a tie of an event and a censoring the event comes first. Whole-number weights count rows, so weight 2 is the row
    twice; with fractional weights, or with clusters, each influence is multiplied by its weight as in R. With a single
    cause the incidence is one minus the Kaplan-Meier curve, and without delayed entry its error is Greenwood's. One
    minus Kaplan-Meier with the other causes censored is *not* a cumulative incidence: it is larger, and the more so the
    more other events there are.

    References
    ----------
    Aalen OO, Johansen S. Scand J Stat 1978; 5: 141-150. Aalen OO. Ann Stat 1978; 6: 534-545 (variance). Jaeckel L. The
    infinitesimal jackknife. Bell Laboratories 1972.

    Examples
    --------
    >>> from riskset.survival import Surv, aalen_johansen
    >>> surv = Surv([5, 8, 8, 11, 14, 20], [1, 2, 0, 1, 0, 2])
    >>> fit = aalen_johansen(surv)
    >>> fit.causes
    (1, 2)
    >>> fit.at([10, 15]).incidence.round(4)
    array([[0.1667, 0.1667],
           [0.3889, 0.1667]])
    >>> fit.curve(1).standard_error.round(4)
    array([0.1521, 0.1521, 0.2187, 0.2187, 0.2187])
    """
    need_surv(surv)
    # Kaplan-Meier is the event-free curve and refuses the arguments that cannot be.
    whole = kaplan_meier(surv, conf_type=conf_type, conf_level=conf_level)
    causes = causes_of(surv)
    steps = _steps(surv, whole.survival, causes)
    rows = _influence_rows(surv, steps, cluster)
    free_error = whole.survival * np.sqrt(_event_free_log_variance(rows, steps))
    free_error[whole.survival == 0] = np.nan
    error = np.sqrt(np.maximum(_incidence_variance(rows, steps), 0.0))
    exhausted = (whole.survival == 0)[:, None] & (steps.incidence.sum(axis=1, keepdims=True) == steps.incidence)
    error[exhausted] = np.nan
    countable = cluster is None and not surv.has_fractional_weights
    aalen = np.sqrt(_aalen_variance(steps)) if countable else np.full(error.shape, np.nan)
    aalen[exhausted] = np.nan
    low, high = curve_interval(steps.incidence, error, conf_type, interval_multiplier(conf_level))
    arrays = (steps.events, steps.incidence, error, aalen, low, high, free_error)
    for array in arrays:
        array.flags.writeable = False
    return AalenJohansen(
        causes=causes,
        time=steps.time,
        at_risk=steps.at_risk,
        events=steps.events,
        censored=whole.censored,
        incidence=steps.incidence,
        standard_error=error,
        aalen_standard_error=aalen,
        low=low,
        high=high,
        event_free=whole.survival,
        event_free_standard_error=free_error,
        n=len(surv),
        n_events=np.array([int((surv.event == cause).sum()) for cause in causes], dtype=np.int64),
        conf_type=conf_type,
        conf_level=conf_level,
        source=surv,
    )


def causes_of(surv: Surv) -> tuple[int, ...]:
    """Give the causes that occur among the events, sorted."""
    return tuple(int(cause) for cause in np.unique(surv.event[surv.is_event]))


def check_cause(surv: Surv, cause: int) -> None:
    """Refuse a `cause` that no row has as its event, naming those that occur."""
    present = causes_of(surv)
    if cause in present:
        return
    if not present:
        raise EngineError(f"there is no event of cause {cause}, nor of any other; check the codes of event")
    choice = ", ".join(str(code) for code in present)
    raise EngineError(f"there is no event of cause {cause}; the causes that occur are {choice}")


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """What happens at each of the m times, for K causes.

    `at_risk`, `left` (at risk minus events), `before` (event-free just before), `survival`: (m,); `events`,
    `incidence`: (m, K).
    """

    time: FloatArray
    at_risk: FloatArray
    left: FloatArray
    before: FloatArray
    survival: FloatArray
    events: FloatArray
    incidence: FloatArray


def _steps(surv: Surv, survival: FloatArray, causes: tuple[int, ...]) -> _Steps:
    counts = risk_counts(surv)
    place = np.searchsorted(counts.time, surv.time)
    size = counts.time.shape[0]
    events = np.zeros((size, len(causes)))
    for k, cause in enumerate(causes):
        mine = surv.event == cause
        events[:, k] = np.bincount(place[mine], surv.weight_or_one[mine], size)
    before = np.concatenate(([1.0], survival[:-1]))
    incidence = np.cumsum((before / counts.at_risk)[:, None] * events, axis=0)
    left = counts.at_risk - counts.events
    left = np.where(left < _NOBODY * counts.at_risk, 0.0, left)
    return _Steps(counts.time, counts.at_risk, left, before, survival, events, incidence)


@dataclass(frozen=True, slots=True, eq=False)
class _InfluenceRows:
    """Where each of n rows enters and leaves among the m times, and how its influence counts.

    `entered`, `place`: first time at risk, and time of leaving. `scale` multiplies the influence before, `count` after
    it is squared. `order` sorts the 2n changes (entries, then exits) by cluster and time, None where each row stands
    for itself; `starts` tells for each sorted change where its cluster starts among them.
    """

    event: IntArray
    entered: IntArray
    place: IntArray
    scale: FloatArray
    count: FloatArray
    order: IntArray | None
    starts: IntArray


def _influence_rows(surv: Surv, steps: _Steps, cluster: ArrayLike | None) -> _InfluenceRows:
    n = len(surv)
    place = np.searchsorted(steps.time, surv.time)
    entered = np.zeros(n, dtype=np.int64)
    if surv.entry is not None:
        entered = np.searchsorted(steps.time, surv.entry, side="right").astype(np.int64)
    weight, one = surv.weight_or_one, np.ones(n)
    if cluster is None:
        scale, count = (weight, one) if surv.has_fractional_weights else (one, weight)
        return _InfluenceRows(surv.event, entered, place, scale, count, None, np.zeros(0, dtype=np.int64))
    codes = np.tile(encode(cluster, n, "cluster")[0], 2)
    order = np.lexsort((np.concatenate((entered, place)), codes))
    starts = np.searchsorted(codes[order], codes[order], side="left").astype(np.int64)
    return _InfluenceRows(surv.event, entered, place, weight, one, order, starts)


def _squared_influence(rows: _InfluenceRows, inside: FloatArray, after: FloatArray, basis: FloatArray) -> FloatArray:
    """Sum the squared influences at each of the m times: shape (m,).

    An influence is the product of `basis` (q, m), functions of time that all rows share, with coefficients that change
    only where a row enters (to `inside` (q, n)) and leaves (to `after` (q, n)). So the sum is a quadratic form of the
    basis whose q x q matrix is a running sum over the changes.
    """
    q, m = basis.shape
    inside, after = inside * rows.scale, after * rows.scale
    changes = None if rows.order is None else _cluster_changes(rows, rows.order, inside, after)
    variance = np.zeros(m)
    for a in range(q):
        for b in range(a + 1):
            if changes is not None:
                when, now, then = changes
                moments = np.bincount(when, now[a] * now[b] - then[a] * then[b], m + 1)
            else:
                entering = rows.count * inside[a] * inside[b]
                moments = np.bincount(rows.entered, entering, m + 1)
                moments += np.bincount(rows.place, rows.count * after[a] * after[b] - entering, m + 1)
            variance += (2.0 if a > b else 1.0) * np.cumsum(moments)[:m] * basis[a] * basis[b]
    return np.asarray(np.maximum(variance, 0.0))


def _cluster_changes(
    rows: _InfluenceRows, order: IntArray, inside: FloatArray, after: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Give when the coefficients of a cluster change, and what they are from then on and were before: (q, 2n)."""
    when = np.concatenate((rows.entered, rows.place))[order]
    change = np.concatenate((inside, after - inside), axis=1)[:, order]
    total = np.cumsum(change, axis=1)
    now = total - (total - change)[:, rows.starts]
    return when, now, now - change


def _log_influence(rows: _InfluenceRows, steps: _Steps) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give G(t) (m,), G at entry (n,) and the influence on log S with which each row leaves (n,), per unit of weight.

    While at risk a row's influence on log S is G(t) - G(entry); its own event takes 1 / left off.
    """
    all_events = steps.at_risk - steps.left
    alive = steps.left > 0
    own = np.divide(1.0, steps.left, where=alive, out=np.zeros_like(steps.left))
    total = np.cumsum(own * all_events / steps.at_risk)
    at_entry = np.concatenate(([0.0], total))[rows.entered]
    return total, at_entry, total[rows.place] - at_entry - np.where(rows.event > 0, own[rows.place], 0.0)


def _event_free_log_variance(rows: _InfluenceRows, steps: _Steps) -> FloatArray:
    total, at_entry, final = _log_influence(rows, steps)
    inside, after = np.stack((-at_entry, np.ones_like(final))), np.stack((final, np.zeros_like(final)))
    return _squared_influence(rows, inside, after, np.stack((np.ones_like(total), total)))


def _incidence_variance(rows: _InfluenceRows, steps: _Steps) -> FloatArray:
    """Give the jackknife variance of each cause's incidence: shape (m, K).

    An increment S(t-) h, h = d_k / n, feels a row through log S just before it and, while the row is at risk, through h
    itself: by S(t-) (1 [own event] - h) / n.
    """
    total, at_entry, final = _log_influence(rows, steps)
    before_total = np.concatenate(([0.0], total[:-1]))
    own = steps.before / steps.at_risk
    variance = np.zeros_like(steps.incidence)
    for k, cause in enumerate(np.unique(rows.event[rows.event > 0])):
        incidence = steps.incidence[:, k]
        drift = np.cumsum(own * steps.events[:, k] * (before_total - 1.0 / steps.at_risk))
        started = [np.concatenate(([0.0], values))[rows.entered] for values in (incidence, drift)]
        inside = np.stack((at_entry * started[0] - started[1], -at_entry, np.ones_like(at_entry)))
        basis = np.stack((np.ones_like(drift), incidence, drift))
        there = basis[:, rows.place]
        leaving = (inside * there).sum(axis=0) + np.where(rows.event == cause, own[rows.place], 0.0)
        after = np.stack((leaving - final * there[1], final, np.zeros_like(final)))
        variance[:, k] = _squared_influence(rows, inside, after, basis)
    return variance


def _aalen_variance(steps: _Steps) -> FloatArray:
    """Give Aalen's variance of each cause's incidence, tied events counted as drawn without replacement: (m, K)."""
    variance = np.zeros_like(steps.incidence)
    n, alive = steps.at_risk, steps.survival > 0
    inverse = np.divide(1.0, steps.survival, where=alive, out=np.zeros_like(n))

    def spread(events: FloatArray) -> FloatArray:
        tied = 1.0 - np.maximum(events - 1.0, 0.0) / np.maximum(n - 1.0, 1.0)
        return np.asarray(steps.before**2 * tied * events / n**2)

    for k in range(variance.shape[1]):
        incidence, events = steps.incidence[:, k], steps.events[:, k]
        mine, others = spread(events), spread(steps.events.sum(axis=1) - events)
        # Each time moves F(t) by its own noise times 1 - (F(t) - F) / S for this cause, (F(t) - F) / S for the others.
        here = incidence * inverse
        constant = np.cumsum((1.0 + here) ** 2 * mine + here**2 * others)
        linear = np.cumsum(inverse * ((1.0 + here) * mine + here * others))
        square = np.cumsum(inverse**2 * (mine + others))
        variance[:, k] = constant - 2.0 * incidence * linear + incidence**2 * square
    return np.asarray(np.maximum(variance, 0.0))
