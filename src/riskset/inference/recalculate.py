"""What can be worked out from published figures alone, and whether they can belong together.

Printed figures are rounded, so each stands for a set of unrounded values; every check here asks whether any member
of that set fits. What does not fit is *not reachable* or *not consistent*: a question to the authors, not a
verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from riskset.errors import EngineError
from riskset.inference._checks import check_events, check_level, check_positive, check_share
from riskset.inference._normal import normal_p, two_sided_z, z_from_p
from riskset.inference.contingency import barnard, boschloo, chi_square, fisher_exact, fisher_mid_p
from riskset.inference.power import implied_events
from riskset.inference.values import NAN, HypothesisTest, Interval

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class PercentageCheck:
    """The counts out of `n` that print as a given percentage, by each way of rounding."""

    percent: float
    n: int
    decimals: int
    half_up: tuple[int, ...]
    half_even: tuple[int, ...]
    truncated: tuple[int, ...]

    @property
    def reachable(self) -> bool:
        """Tell whether any count prints as this percentage by any of the three ways."""
        return bool(self.half_up or self.half_even or self.truncated)


@dataclass(frozen=True, slots=True)
class RecalculatedP:
    """The two-sided P that a printed hazard ratio and its interval imply.

    `value` comes from the figures as printed; `low` and `high` bound P over all unrounded triples that print so
    and are symmetric on the log scale. If there is none, `consistent` is false and both are NaN.
    """

    value: float
    low: float
    high: float
    consistent: bool
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class MedianHazardRatio:
    """A hazard ratio worked out from two medians and a P value, under exponential survival: an approximation."""

    hazard_ratio: Interval
    standard_error: float
    implied_events: float
    warning: str


@dataclass(frozen=True, slots=True)
class Interaction:
    """Ratio of two hazard ratios with its interval, z and two-sided P."""

    ratio: Interval
    z: float
    p_value: float


def percentage_reachable(percent: float, n: int, decimals: int) -> PercentageCheck:
    """Find the counts k with 100 k / n printed as `percent`, rounding half up, half to even, or cutting off.

    Exact arithmetic: no count is missed or gained through floating point.

    Parameters
    ----------
    percent : float
        As printed (24.6 for 24.6 %), between 0 and 100.
    n : int
        Denominator, at least 1.
    decimals : int
        Decimals printed.

    Raises
    ------
    EngineError
        If `percent` has more decimals than `decimals` says, or a number is out of range.
    """
    printed = _printed_percent(percent, decimals)
    if n < 1 or int(n) != n:
        raise EngineError(f"The denominator must be a whole number of at least 1, not {n}.")
    unit = Fraction(1, 10**decimals)
    # All three ways of rounding move a value by less than one unit of the last decimal.
    first = max(0, math.floor((printed - unit) * n / 100))
    last = min(n, math.ceil((printed + unit) * n / 100))
    exact = {k: Fraction(100 * k, n) / unit for k in range(first, last + 1)}
    wanted = printed / unit

    def found(rounded: Callable[[Fraction], int]) -> tuple[int, ...]:
        return tuple(k for k, value in exact.items() if rounded(value) == wanted)

    return PercentageCheck(
        percent, n, decimals, found(lambda v: math.floor(v + _HALF)), found(round), found(math.floor)
    )


def smaller_denominators(percent: float, n: int, decimals: int, *, at_least: int = 1) -> tuple[int, ...]:
    """Give the denominators below `n`, downwards to `at_least`, with which the percentage is reachable.

    An unreachable percentage often stands on the evaluable patients instead of all.
    """
    return tuple(
        m for m in range(n - 1, max(at_least, 1) - 1, -1) if percentage_reachable(percent, m, decimals).reachable
    )


def p_from_interval(
    hr: float, low: float, high: float, *, decimals: int | tuple[int, int, int] = 2, level: float = 0.95
) -> RecalculatedP:
    """Two-sided Wald P of a ratio from its printed confidence interval.

    z = ln HR / ((ln high - ln low) / (2 z_level)). Holds for Wald intervals; profile-likelihood, bootstrap and Firth
    intervals are not symmetric on the log scale and must not be judged by it.

    Parameters
    ----------
    hr, low, high : float
        As printed, each above 0, low < high.
    decimals : int or three of them
        Decimals printed, for all three figures or for each in turn; trailing zeros count.
    level : float
        Two-sided confidence level of the interval.

    References
    ----------
    Altman DG, Bland JM. BMJ 2011;343:d2304.
    """
    z_level = two_sided_z(check_level(level))
    corners = _unrounded_corners(hr, low, high, decimals)
    p_value = normal_p(2.0 * z_level * math.log(hr) / (math.log(high) - math.log(low)))
    if not corners:
        warning = "No unrounded hazard ratio and interval, symmetric on the log scale, print as these figures."
        return RecalculatedP(p_value, NAN, NAN, False, warning)
    # z is a ratio of linear functions of (ln low, ln high): over a polygon its extremes lie at corners.
    z = [z_level * (a + b) / (b - a) for a, b in corners]
    smallest = 0.0 if min(z) <= 0.0 <= max(z) else min(abs(v) for v in z)
    return RecalculatedP(p_value, normal_p(max(abs(v) for v in z)), normal_p(smallest), True)


def interval_consistent(hr: float, low: float, high: float, *, decimals: int | tuple[int, int, int] = 2) -> bool:
    """Tell whether some unrounded triple, symmetric on the log scale, prints as this ratio and interval."""
    return bool(_unrounded_corners(hr, low, high, decimals))


def standard_error_from_interval(low: float, high: float, *, level: float = 0.95) -> float:
    """Standard error of a log ratio from its confidence limits: (ln high - ln low) / (2 z_level)."""
    check_positive("low", low)
    if not check_positive("high", high) > low:
        raise EngineError(f"The upper limit must lie above the lower one: {low} to {high}.")
    return (math.log(high) - math.log(low)) / (2.0 * two_sided_z(check_level(level)))


def two_proportion_p_values(e1: float, n1: float, e0: float, n0: float) -> tuple[HypothesisTest, ...]:
    """All tests that a paper may have used to compare two proportions, in a fixed order.

    `chi_square`, `chi_square_yates`, `fisher_exact`, `fisher_mid_p`, `barnard`, `boschloo`, and the last two on the
    transposed table (`barnard_transposed`, `boschloo_transposed`): these treat responders and non-responders as
    the fixed samples. That is the wrong experiment, but what scipy gives when groups are entered as rows.

    Parameters
    ----------
    e1, n1, e0, n0 : whole numbers
        Events and patients of group 1 and of the reference group 0.
    """
    e1, n1 = check_events(e1, n1, "group 1")
    e0, n0 = check_events(e0, n0, "group 0")
    table = [[e1, n1 - e1], [e0, n0 - e0]]
    transposed = [[e1, e0], [n1 - e1, n0 - e0]]
    return (
        chi_square(table),
        chi_square(table, yates=True),
        fisher_exact(table),
        fisher_mid_p(table),
        barnard(table),
        boschloo(table),
        _renamed(barnard(transposed)),
        _renamed(boschloo(transposed)),
    )


def hr_from_medians(
    median1: float, median0: float, p_value: float, *, n: int, share: float = 0.5, level: float = 0.95
) -> MedianHazardRatio:
    """Hazard ratio of group 1 against group 0 from their medians and P, under exponential survival.

    HR = median0 / median1, SE = |ln HR| / z with z from the two-sided P, implied events
    D = 1 / (SE^2 q (1 - q)). Only a labelled approximation, and refused where D exceeds the number of patients:
    medians and P then do not imply one hazard ratio (sampling error of the medians, hazards that are not
    proportional, or a misprint).

    Parameters
    ----------
    median1, median0 : float
        Medians in the same unit.
    p_value : float
        Two-sided P of the comparison, strictly between 0 and 1.
    n : int
        Patients in both groups together.
    share : float
        Share q of the patients in group 1.
    level : float
        Two-sided confidence level.

    Raises
    ------
    EngineError
        If the implied events exceed `n`, or the medians are equal.

    References
    ----------
    Tierney JF et al. Trials 2007;8:16.
    """
    check_positive("median1", median1)
    hr = check_positive("median0", median0) / median1
    if hr == 1.0:
        raise EngineError("Equal medians imply no standard error: no hazard ratio is derived from them.")
    events = implied_events(hr, p_value, share)
    if events > n:
        raise EngineError(
            f"The medians and P imply {events:.0f} events in {n} patients: they do not imply one hazard ratio, "
            "and none is derived from them; use a reported hazard ratio with its interval."
        )
    if events < 1.0:
        raise EngineError("The medians and P imply less than one event: no hazard ratio is derived from them.")
    error = abs(math.log(hr)) / z_from_p(p_value)
    half = two_sided_z(check_level(level)) * error
    interval = Interval(hr, math.exp(math.log(hr) - half), math.exp(math.log(hr) + half), level)
    warning = "Approximation from medians and P under exponential survival."
    return MedianHazardRatio(interval, error, events, warning)


def implied_events_range(
    median1: float, median0: float, p_value: float, *, share: float = 0.5, decimals: int = 1
) -> tuple[float, float]:
    """Smallest and largest number of events that the medians imply within their rounding; P is taken as printed.

    The largest is infinite where the unrounded medians could be equal.
    """
    check_share("The P value", p_value)
    half = 0.5 * 10.0**-decimals
    if min(median1, median0) <= half:
        raise EngineError("A median that prints as 0 implies no number of events; give more decimals.")
    ratios = [math.log((median0 + a) / (median1 - a)) for a in (-half, half)]
    widest = max(abs(r) for r in ratios)
    nearest = 0.0 if ratios[0] <= 0.0 <= ratios[1] else min(abs(r) for r in ratios)
    smallest = implied_events(math.exp(widest), p_value, share)
    return smallest, (implied_events(math.exp(nearest), p_value, share) if nearest > 0.0 else math.inf)


def interaction_from_estimates(
    hr1: float, standard_error1: float, hr0: float, standard_error0: float, *, level: float = 0.95
) -> Interaction:
    """Compare two independent hazard ratios: ratio hr1 / hr0, z = (ln hr1 - ln hr0) / sqrt(se1^2 + se0^2).

    Parameters
    ----------
    hr1, hr0 : float
        Hazard ratios in two subgroups that share no patient.
    standard_error1, standard_error0 : float
        Standard errors of their logarithms (`standard_error_from_interval` gives them from limits).
    level : float
        Two-sided confidence level.

    References
    ----------
    Altman DG, Bland JM. BMJ 2003;326:219.
    """
    check_positive("standard_error1", standard_error1)
    check_positive("standard_error0", standard_error0)
    log_ratio = math.log(check_positive("hr1", hr1)) - math.log(check_positive("hr0", hr0))
    error = math.hypot(standard_error1, standard_error0)
    half = two_sided_z(check_level(level)) * error
    interval = Interval(hr1 / hr0, math.exp(log_ratio - half), math.exp(log_ratio + half), level)
    return Interaction(interval, log_ratio / error, normal_p(log_ratio / error))


def _printed_percent(percent: float, decimals: int) -> Fraction:
    if decimals < 0 or int(decimals) != decimals:
        raise EngineError(f"The number of decimals must be a whole number of 0 or more, not {decimals}.")
    if not 0.0 <= percent <= 100.0:
        raise EngineError(f"A percentage must lie between 0 and 100, not {percent}.")
    # The shortest decimal form of the float is what was printed; its binary value is not.
    printed = Fraction(Decimal(repr(float(percent))))
    if (printed * 10**decimals).denominator != 1:
        raise EngineError(f"The percentage {percent} has more than {decimals} decimals.")
    return printed


def _renamed(outcome: HypothesisTest) -> HypothesisTest:
    return HypothesisTest(f"{outcome.test}_transposed", outcome.statistic, outcome.df, outcome.p_value, outcome.warning)


def _unrounded_corners(
    hr: float, low: float, high: float, decimals: int | tuple[int, int, int]
) -> list[tuple[float, float]]:
    """Corners, in (ln low, ln high), of the unrounded intervals that print as given and centre on the printed ratio.

    The box of both limits' rounding is cut by 2 ln(hr - half) <= ln low + ln high <= 2 ln(hr + half), and by
    ln low < ln high, which matters for intervals narrower than their rounding.
    """
    for name, value in (("The hazard ratio", hr), ("low", low), ("high", high)):
        check_positive(name, value)
    if not low < high:
        raise EngineError(f"The upper limit must lie above the lower one: {low} to {high}.")
    each = decimals if isinstance(decimals, tuple) else (decimals, decimals, decimals)
    (h0, h1), (a0, a1), (b0, b1) = (
        _log_range(value, places) for value, places in zip((hr, low, high), each, strict=True)
    )
    corners = [(a0, b0), (a1, b0), (a1, b1), (a0, b1)]
    corners = _cut(corners, lambda a, b: a + b - 2.0 * h0)
    corners = _cut(corners, lambda a, b: 2.0 * h1 - a - b)
    return _cut(corners, lambda a, b: b - a - 1e-9)


def _log_range(value: float, decimals: int) -> tuple[float, float]:
    half = 0.5 * 10.0**-decimals
    if value <= half:
        raise EngineError(f"{value} does not print with {decimals} decimals; give the decimals as printed.")
    # A hair wider than the rounding, so that a limit exactly on its edge counts as inside.
    return math.log(value - half) - 1e-12, math.log(value + half) + 1e-12


def _cut(corners: list[tuple[float, float]], inside: Callable[[float, float], float]) -> list[tuple[float, float]]:
    """Keep the part of a convex polygon where a linear function is not negative (Sutherland-Hodgman)."""
    kept: list[tuple[float, float]] = []
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        at_start, at_end = inside(*start), inside(*end)
        if at_start >= 0.0:
            kept.append(start)
        if (at_start < 0.0) != (at_end < 0.0):
            t = at_start / (at_start - at_end)
            kept.append((start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])))
    return kept
