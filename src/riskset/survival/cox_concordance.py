"""Concordance between a risk score and survival: Harrell's C, and Uno's with inverse probability of censoring weights.

A pair of rows counts when one of them has an event while the other is at risk: `entry < t < time`, or `time == t` and
censored. It is concordant when the row with the event has the higher score. Per event the rows at risk are counted by
their score, below, equal and above; all counts come from one descent through the bits of the scores' ranks, so that
n log n steps of whole arrays do it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._labels import encode
from riskset.survival._special import interval_multiplier
from riskset.survival._types import FloatArray, IntArray
from riskset.survival.estimate import Estimate
from riskset.survival.risk_counts import risk_counts
from riskset.survival.surv import Surv, numbers


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """A concordance with the (weighted) numbers of pairs that it is made of.

    Attributes
    ----------
    value : (concordant + tied_score / 2) / (concordant + discordant + tied_score); NaN where no pair counts
    standard_error : by the infinitesimal jackknife over the rows, or over the clusters
    concordant, discordant : pairs in which the row with the earlier event has the higher, or the lower, score
    tied_score : pairs with equal scores, which count half
    tied_time, tied_both : pairs of events at one time, with different and with equal scores; they do not count
    n, n_events : numbers of rows and of rows with an event (unweighted)
    """

    value: float
    standard_error: float
    concordant: float
    discordant: float
    tied_score: float
    tied_time: float
    tied_both: float
    n: int
    n_events: int

    def estimate(self, conf_level: float = 0.95) -> Estimate:
        """Give the concordance with its normal interval, within [0, 1]."""
        if not 0.0 < conf_level < 1.0:
            raise EngineError("conf_level must lie between 0 and 1, both excluded; write 95 % as 0.95")
        reach = interval_multiplier(conf_level) * self.standard_error
        low, high = np.clip([self.value - reach, self.value + reach], 0.0, 1.0)
        return Estimate(self.value, float(low), float(high), self.standard_error)


def concordance(
    surv: Surv, score: ArrayLike, *, strata: ArrayLike | None = None, cluster: ArrayLike | None = None
) -> Concordance:
    """Estimate Harrell's C: how often the row with the higher risk score has the event first.

    Parameters
    ----------
    surv : the times; an event of any cause is the event, delayed entry and weights are honoured
        A pair has the product of its rows' weights. Two events at one time are not compared; an event comes before a
        censoring at its time.
    score : array of shape (n,)
        Risk score, any unit: higher means earlier. For a marker that protects, give its negative. Equal scores count
        half.
    strata : array of shape (n,), optional
        Labels; pairs are formed within strata only and added up.
    cluster : array of shape (n,), optional
        Labels of rows that belong together, for the standard error.

    Returns
    -------
    Concordance
        NaN where no pair counts.

    Raises
    ------
    EngineError
        No rows, unequal lengths, a missing score or label.

    References
    ----------
    Harrell FE, Lee KL, Mark DB. Stat Med 1996; 15: 361-387. Therneau TM, Watson DA. The concordance statistic and the
    Cox model. Mayo Clinic technical report 85, 2017.

    Examples
    --------
    >>> from riskset.survival import Surv, concordance
    >>> surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> c = concordance(surv, [3, 4, 1, 2, 2, 0, 2, 1])
    >>> c.concordant, c.discordant, c.tied_score
    (17.0, 1.0, 3.0)
    >>> round(c.value, 3), round(c.standard_error, 3)
    (0.881, 0.048)
    """
    need_surv(surv)
    ranks, stratum, clusters = _arguments(surv, score, strata, cluster)
    return _summary(surv, ranks, stratum, clusters, np.ones(len(surv)))


def uno_concordance(
    surv: Surv,
    score: ArrayLike,
    *,
    tau: float | None = None,
    strata: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
) -> Concordance:
    """Estimate Uno's C: Harrell's pairs weighted so that censoring does not decide which of them are seen.

    Each event counts 1 / G(t-)^2, G being the Kaplan-Meier estimate of not yet being censored (per stratum), events
    after `tau` not at all. The estimate is free of the censoring only up to a time that some rows outlive under
    observation: give a `tau` within follow-up. The standard error takes G as known, as R does.

    Parameters
    ----------
    surv : the times, without delayed entry; weights are honoured
    score, strata, cluster : see `concordance`
    tau : last event time that counts, in the unit of the times given; default all

    Returns
    -------
    Concordance
        Its numbers of pairs are the weighted ones.

    Raises
    ------
    EngineError
        As `concordance`, and for delayed entry, or a `tau` that is not greater than 0.

    References
    ----------
    Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ. Stat Med 2011; 30: 1105-1117.

    Examples
    --------
    >>> from riskset.survival import Surv, uno_concordance
    >>> surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> c = uno_concordance(surv, [3, 4, 1, 2, 2, 0, 2, 1], tau=20)
    >>> round(c.value, 3), round(c.standard_error, 3)
    (0.863, 0.059)
    """
    need_surv(surv)
    ranks, stratum, clusters = _arguments(surv, score, strata, cluster)
    if surv.entry is not None:
        raise EngineError("Uno's concordance needs rows at risk from the start; use Harrell's under delayed entry")
    if tau is not None and not tau > 0:
        raise EngineError("the horizon tau of a concordance must be a number greater than 0")
    g = _uncensored_before(surv, stratum)
    with np.errstate(divide="ignore"):
        factor = np.where(surv.is_event, 1.0 / g**2, 0.0)
    if tau is not None:
        factor[surv.time > tau] = 0.0
    return _summary(surv, ranks, stratum, clusters, factor)


def _arguments(
    surv: Surv, score: ArrayLike, strata: ArrayLike | None, cluster: ArrayLike | None
) -> tuple[IntArray, IntArray, IntArray]:
    n = len(surv)
    if n == 0:
        raise EngineError("there is no row to compare; check the population's condition")
    ranks = np.unique(numbers(score, "score", n), return_inverse=True)[1].reshape(-1).astype(np.int64)
    stratum = np.zeros(n, dtype=np.int64) if strata is None else encode(strata, n, "strata")[0]
    clusters = np.arange(n) if cluster is None else encode(cluster, n, "cluster")[0]
    return ranks, stratum, clusters


def _summary(surv: Surv, ranks: IntArray, stratum: IntArray, cluster: IntArray, factor: FloatArray) -> Concordance:
    """Count the pairs, each event times its `factor` (n,), and give C with its jackknife error."""
    weight = surv.weight_or_one
    influence = _influence(surv, ranks, stratum, factor)
    concordant, discordant, tied_score, tied_time, tied_both = (weight @ influence / 2.0).tolist()
    pairs = concordant + discordant + tied_score
    value = error = float("nan")
    if pairs > 0:
        value = (concordant + tied_score / 2.0) / pairs
        own = influence[:, 0] + influence[:, 2] / 2.0 - value * influence[:, :3].sum(axis=1)
        error = float(np.linalg.norm(np.bincount(cluster, weight * own / pairs)))
    counts = (concordant, discordant, tied_score, tied_time, tied_both)
    return Concordance(value, error, *counts, len(surv), int(surv.is_event.sum()))


def _influence(surv: Surv, ranks: IntArray, stratum: IntArray, factor: FloatArray) -> FloatArray:
    """Give each row's pairs by kind, each with the other row's weight: concordant, discordant, tied x, y, xy (n, 5)."""
    instants = surv.time if surv.entry is None else np.concatenate((surv.time, surv.entry))
    place = np.unique(instants, return_inverse=True)[1].reshape(-1)
    n, size = len(surv), int(place.max()) + 1
    moment = stratum * size + place[:n]
    began = None if surv.entry is None else stratum * size + place[n:]
    end = (stratum + 1) * size
    event = np.flatnonzero(surv.is_event)
    weight = surv.weight_or_one

    # What an event finds at risk: whoever leaves later, the censored of its time, less those who are yet to enter.
    leaving = 2 * moment + ~surv.is_event
    order = np.argsort(leaving, kind="stable")
    first = np.searchsorted(leaving[order], 2 * moment[event], side="right")
    last = np.searchsorted(leaving[order], 2 * end[event], side="left")
    found = _by_rank(ranks[order], weight[order], first, last, ranks[event])
    if began is not None:
        order = np.argsort(began, kind="stable")
        first = np.searchsorted(began[order], moment[event], side="left")
        last = np.searchsorted(began[order], end[event], side="left")
        found -= _by_rank(ranks[order], weight[order], first, last, ranks[event])

    # What events a row is at risk at.
    order = event[np.argsort(moment[event], kind="stable")]
    times = moment[order]
    after = stratum * size - 1 if began is None else began
    first = np.searchsorted(times, after, side="right")
    last = np.searchsorted(2 * times, leaving, side="left")
    met = _by_rank(ranks[order], (weight * factor)[order], first, np.maximum(first, last), ranks)

    influence = np.zeros((n, 5))
    influence[:, [1, 2, 0]] = met
    influence[event[:, None], [0, 2, 1]] += factor[event, None] * found
    influence[event, 3:] = factor[event, None] * _tied_events(moment[event], ranks[event], weight[event])
    return influence


def _tied_events(moment: IntArray, ranks: IntArray, weight: FloatArray) -> FloatArray:
    """Give, for each event, the weight of the other events of its time with another score and with the same: (m, 2)."""
    same_time = np.unique(moment, return_inverse=True)[1].reshape(-1)
    both = np.unique(np.stack((same_time, ranks)), axis=1, return_inverse=True)[1].reshape(-1)
    at_time = np.bincount(same_time, weight)[same_time]
    at_both = np.bincount(both, weight)[both]
    return np.stack((at_time - at_both, at_both - weight), axis=1)


def _by_rank(ranks: IntArray, weight: FloatArray, first: IntArray, last: IntArray, pivot: IntArray) -> FloatArray:
    """Sum `weight[first:last]` by whether `ranks` lie below, at or above `pivot`, for each of q queries: (q, 3).

    The bits of the ranks are taken from the highest down: points are parted, stably, into those with 0 and those with
    1, a query's range goes to the part of its pivot's bit, and with bit 1 it has passed those with 0, which are lower.
    """
    below = np.zeros(pivot.shape[0])
    lo, hi = first, last
    running = np.concatenate(([0.0], np.cumsum(weight)))
    total = running[hi] - running[lo]
    highest = max(int(ranks.max(initial=0)), int(pivot.max(initial=0)))
    for bit in range(highest.bit_length() - 1, -1, -1):
        ones = (ranks >> bit) & 1 == 1
        zeros_before = np.concatenate(([0], np.cumsum(~ones)))
        zero_weight = np.concatenate(([0.0], np.cumsum(np.where(ones, 0.0, weight))))
        up = (pivot >> bit) & 1 == 1
        below += np.where(up, zero_weight[hi] - zero_weight[lo], 0.0)
        lo = np.where(up, zeros_before[-1] + lo - zeros_before[lo], zeros_before[lo])
        hi = np.where(up, zeros_before[-1] + hi - zeros_before[hi], zeros_before[hi])
        part = np.concatenate((np.flatnonzero(~ones), np.flatnonzero(ones)))
        ranks, weight = ranks[part], weight[part]
    running = np.concatenate(([0.0], np.cumsum(weight)))
    equal = running[hi] - running[lo]
    return np.stack((below, equal, total - below - equal), axis=1)


def _uncensored_before(surv: Surv, stratum: IntArray) -> FloatArray:
    """Give the Kaplan-Meier estimate, per stratum, of not being censored before each row's time: (n,)."""
    before = np.ones(len(surv))
    for code in range(int(stratum.max()) + 1):
        own = stratum == code
        part = surv.subset(own)
        counts = risk_counts(part)
        # Events come first at their time: they are no longer there to be censored.
        left = counts.at_risk - counts.events
        kept = np.where(counts.censored > 0, 1.0 - counts.censored / np.where(left > 0, left, 1.0), 1.0)
        curve = np.concatenate(([1.0], np.cumprod(np.maximum(kept, 0.0))))
        before[own] = curve[np.searchsorted(counts.time, part.time)]
    return before
