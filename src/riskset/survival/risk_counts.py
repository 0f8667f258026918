"""Who is at risk, who has the event and who is censored at each distinct time: what every curve is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskset.survival._types import FloatArray
from riskset.survival.counting import cell_counts
from riskset.survival.event_table import EventTable
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False)
class RiskCounts:
    """The m distinct times at which a row ends, sorted, with (weighted) numbers: arrays of shape (m,).

    `at_risk` counts just before each time those with `entry < t <= time`; `events` (of any cause) and `censored` count
    at it. `from_start` counts those without a time of entry; `entered` (e,) those who enter at the distinct
    `entry_time` (e,), both empty where nobody has one. `n`, `n_events` and `n_at_time_zero` count rows, unweighted.
    """

    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray
    from_start: float
    entry_time: FloatArray
    entered: FloatArray
    n: int
    n_events: int
    n_at_time_zero: int

    def at_risk_at(self, times: FloatArray, slack: float) -> FloatArray:
        """Count those with `entry < t <= time` at any `times`, equal within `slack`; entry 0 counts at t = 0."""

        def before(moments: FloatArray, number: FloatArray, at: FloatArray) -> FloatArray:
            return np.concatenate(([0.0], np.cumsum(number)))[np.searchsorted(moments, at, side="left")]

        gone = before(self.time, self.events + self.censored, times - slack)
        entered = before(self.entry_time, self.entered, np.where(times <= slack, slack, times - slack))
        return np.asarray(self.from_start + entered - gone)


def risk_counts(source: Surv | EventTable) -> RiskCounts:
    """Count the rows of `source`, weights added up.

    Examples
    --------
    >>> from riskset.survival import Surv
    >>> counts = risk_counts(Surv([2, 3, 3, 5], [1, 1, 0, 0], entry=[0, 0, 2, 2]))
    >>> counts.time.tolist(), counts.at_risk.tolist(), counts.events.tolist()
    ([2.0, 3.0, 5.0], [2.0, 3.0, 1.0], [1.0, 1.0, 0.0])
    """
    if isinstance(source, EventTable):
        return _of_table(source)
    axis, weight = source.axis, source.weight
    ending = cell_counts(source.place, axis, code=source.event_code, top=1, weight=weight)[0]
    leaving = ending[:, 0] + ending[:, 1]
    places = np.flatnonzero(leaving > 0)
    everywhere = places.shape[0] == axis
    if not everywhere:
        ending, leaving = ending[places], leaving[places]
    censored, events, leaving = (a.astype(np.float64) for a in (ending[:, 0], ending[:, 1], leaving))
    entering = np.zeros(0) if source.entry_place is None else cell_counts(source.entry_place, axis, weight=weight)
    waiting = entering.reshape(-1)
    late = np.flatnonzero(waiting)
    n = len(source)
    return _counts(
        source.times_at(places),
        (censored, events, leaving),
        source.times_at(late),
        np.asarray(waiting[late], dtype=np.float64),
        n if weight is None else float(weight.sum()),
        source.entry_place is not None,
        (n, int(np.count_nonzero(source.event_code)), source.n_at_time_zero),
    )


def _of_table(table: EventTable) -> RiskCounts:
    days = table.by_day()
    leaving = days.ending[:, 0] + days.ending[:, 1]
    ends, enters = np.flatnonzero(leaving), np.flatnonzero(days.entering)
    return _counts(
        days.time[ends],
        (days.ending[ends, 0], days.ending[ends, 1], leaving[ends]),
        days.time[enters],
        days.entering[enters],
        float(days.ending.sum()),
        bool(days.ending.sum() == days.entering.sum()),
        (table.n, table.n_events, table.n_at_time_zero),
    )


def _counts(
    time: FloatArray,
    ending: tuple[FloatArray, FloatArray, FloatArray],
    entry_time: FloatArray,
    entered: FloatArray,
    total: float,
    all_enter: bool,
    rows: tuple[int, int, int],
) -> RiskCounts:
    """Build the counts from those censored, with an event, and both at `time`, and those who enter at `entry_time`."""
    censored, events, leaving = ending
    at_risk = np.cumsum(leaving[::-1])[::-1]
    if entered.size:
        # entry >= t means not yet at risk at t.
        still_out = np.concatenate((np.cumsum(entered[::-1])[::-1], [0.0]))
        at_risk = at_risk - still_out[np.searchsorted(entry_time, time, side="left")]
    # Nobody who leaves at t can be missing from those at risk: sums of fractional weights round.
    at_risk = np.maximum(at_risk, leaving)
    from_start = 0.0 if all_enter else total - float(entered.sum())
    return RiskCounts(time, at_risk, events, censored, from_start, entry_time, entered, *rows)
