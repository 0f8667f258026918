"""Turnbull's curve: the nonparametric maximum likelihood estimate for interval-censored times."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._summary import summary
from riskset.survival._types import BoolArray, FloatArray
from riskset.survival.interval_censored import IntervalSurv
from riskset.survival.surv import TIME_TOLERANCE, Surv, numbers
from riskset.survival.turnbull_masses import Masses, coverage, maximise


@dataclass(frozen=True, slots=True)
class TimeSet:
    """All times from `low` to `high` that are a quantile of some curve of maximum likelihood; NaN = not reached."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class TurnbullAt:
    """A Turnbull curve read at given times; all arrays have the shape of those times.

    The curve lies between `low` and `high`; they are equal where the likelihood determines it (`determined`), and
    differ strictly inside an interval that holds mass. `beyond` marks the times after the last finite end of a row,
    where the data say nothing: `low` and `high` are NaN there.
    """

    time: FloatArray
    low: FloatArray
    high: FloatArray
    determined: BoolArray
    beyond: BoolArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TurnbullCurve:
    """A Turnbull curve: one entry for each of the k intervals that hold mass, in order.

    The curve is flat between the intervals and falls by `mass` within each; where in (left, right) it falls is
    *indeterminate*: every way to fall has the same likelihood. At `right`, and up to the next `left`, it is determined.

    Attributes
    ----------
    left, right : arrays of shape (k,), in the unit of the times given
        Ends of the intervals (left, right]; the last right is inf where the curve is not seen to reach 0.
    exact : bool array of shape (k,)
        Where left equals right: the mass lies on that time, nothing is indeterminate.
    mass : array of shape (k,), above 0, adding up to 1
    survival : array of shape (k,)
        S(t) from `right` to the next `left`.
    n, n_events : numbers of rows, and of rows that are not right-censored (unweighted)
    n_innermost : number of innermost intervals, on which alone mass could lie
    log_likelihood : at the maximum
    gap : by how much the conditions of the maximum are missed, relative to the total weight W
        The log-likelihood lies at most W times this below its maximum.
    iterations, converged : rounds of the search; whether `gap` came to 1e-10
    warnings : sentences
    """

    left: FloatArray
    right: FloatArray
    exact: BoolArray
    mass: FloatArray
    survival: FloatArray
    n: int
    n_events: int
    n_innermost: int
    log_likelihood: float
    gap: float
    iterations: int
    converged: bool
    warnings: tuple[str, ...]
    _last_end: float = field(repr=False)

    def __repr__(self) -> str:
        return summary(
            f"Turnbull curve: {self.n} rows, {self.n_events} events",
            ("left", "right", "mass", "survival"),
            np.column_stack((self.left, self.right, self.mass, self.survival)).tolist(),
            warnings=self.warnings,
        )

    def at(self, times: ArrayLike) -> TurnbullAt:
        """Read the curve at `times` (a number or array, same unit as the times given, none negative).

        Examples
        --------
        >>> from riskset.survival import IntervalSurv, turnbull
        >>> read = turnbull(IntervalSurv([0, 2, 4, 3], [2, 4, 6, float("inf")])).at([2, 3, 5, 7])
        >>> read.low.round(4).tolist(), read.high.round(4).tolist()
        ([0.75, 0.75, 0.0, nan], [0.75, 0.75, 0.375, nan])
        """
        asked = numbers(np.atleast_1d(np.asarray(times)), "times")
        if (asked < 0).any():
            raise EngineError("the curve was asked at a negative time; it starts at 0")
        # A time given as 365.25 * 2 must find the end that came to the same number by another sum.
        slack = TIME_TOLERANCE * max(1.0, self._last_end)
        beyond = asked > self._last_end + slack
        passed = np.searchsorted(self.right, asked + slack, side="right")
        begun = np.maximum(np.searchsorted(self.left, asked - slack, side="left"), passed)
        levels = np.concatenate(([1.0], self.survival))
        low = np.where(beyond, np.nan, levels[begun])
        high = np.where(beyond, np.nan, levels[passed])
        return TurnbullAt(time=asked, low=low, high=high, determined=(begun == passed) & ~beyond, beyond=beyond)

    def median(self) -> TimeSet:
        """Give the set of medians; see `quantile`."""
        return self.quantile(0.5)

    def quantile(self, q: float) -> TimeSet:
        """Give all times t with S(t) <= 1 - q <= S(t-) for some curve of maximum likelihood.

        The interval in which the curve passes 1 - q; where it lies on 1 - q over a flat part, from the left end of the
        interval before it to the right end of the interval after it. With exact times only, the midpoint of the set is
        the Kaplan-Meier quantile. `high` is NaN where the curve is not seen to pass the level; then every such time
        lies after `low`.

        Raises
        ------
        EngineError
            `q` does not lie strictly between 0 and 1.
        """
        if not 0.0 < q < 1.0:
            raise EngineError("a quantile must lie between 0 and 1, both excluded; the median is 0.5")
        first = last = int(np.flatnonzero(self.survival < 1.0 - q + TIME_TOLERANCE)[0])
        if abs(self.survival[first] - (1.0 - q)) < TIME_TOLERANCE and first + 1 < self.survival.shape[0]:
            last = first + 1
        high = float(self.right[last])
        return TimeSet(float(self.left[first]), high if np.isfinite(high) else float("nan"))


def turnbull(surv: IntervalSurv | Surv) -> TurnbullCurve:
    """Estimate the survival curve of interval-censored times by nonparametric maximum likelihood.

    With exact and right-censored rows alone it is the Kaplan-Meier curve.

    Parameters
    ----------
    surv : the intervals, with weights where given; a `Surv` without delayed entry is taken as exact and right-censored
        An event of any cause is the event. Weights count rows, or weigh them if they are fractional.

    Returns
    -------
    TurnbullCurve
        Without confidence limits: the estimate converges more slowly than the root of n where times are not exact, so
        that neither Greenwood's formula nor the plain bootstrap is valid for it in general. Non-convergence and data
        without any event are told in `warnings`.

    Raises
    ------
    EngineError
        No rows, or delayed entry.

    Notes
    -----
    The masses are unique, and so is the curve outside the intervals that hold mass. Thousands of rows take
    milliseconds, 100,000 distinct intervals seconds; time grows a little faster than linearly.

    References
    ----------
    Turnbull BW. J R Stat Soc B 1976; 38: 290-295. Peto R. Appl Stat 1973; 22: 86-91. The algorithm: Wellner JA, Zhan Y.
    J Am Stat Assoc 1997; 92: 945-959, finished by Newton steps.

    Examples
    --------
    >>> from riskset.survival import IntervalSurv, turnbull
    >>> curve = turnbull(IntervalSurv([0, 2, 4, 3], [2, 4, 6, float("inf")]))
    >>> list(zip(curve.left.tolist(), curve.right.tolist(), curve.mass.round(4).tolist()))
    [(0.0, 2.0, 0.25), (3.0, 4.0, 0.375), (4.0, 6.0, 0.375)]
    >>> curve.median()
    TimeSet(low=3.0, high=4.0)
    """
    need_surv(surv, intervals=True)
    rows = IntervalSurv.from_surv(surv) if isinstance(surv, Surv) else surv
    if len(rows) == 0:
        raise EngineError("there is no row to estimate a curve from; check the population's condition")
    ranges = coverage(rows.left, rows.right, rows.weight_or_one)
    found = maximise(ranges)
    held = found.mass > 0
    mass = found.mass[held]
    # Summed from the end, so that the curve ends at exactly 0.
    survival = np.append(np.cumsum(mass[:0:-1])[::-1], 0.0)
    curve = (ranges.left[held], ranges.right[held], ranges.closed[held], mass, survival)
    for array in curve:
        array.flags.writeable = False
    return TurnbullCurve(
        *curve,
        n=len(rows),
        n_events=int(np.isfinite(rows.right).sum()),
        n_innermost=ranges.size,
        log_likelihood=found.log_likelihood,
        gap=found.gap,
        iterations=found.rounds,
        converged=found.converged,
        warnings=_warnings(rows, found),
        _last_end=float(max(rows.left.max(), rows.right[np.isfinite(rows.right)].max(initial=0.0))),
    )


def _warnings(rows: IntervalSurv, found: Masses) -> tuple[str, ...]:
    told = []
    if not np.isfinite(rows.right).any():
        told.append("every row is right-censored, so the curve stays at 1 as far as the data go")
    if not found.converged:
        told.append(
            f"the likelihood did not settle within {found.rounds} rounds; the log-likelihood may lie "
            f"{found.gap * float(rows.weight_or_one.sum()):.2g} below its maximum"
        )
    return tuple(told)
