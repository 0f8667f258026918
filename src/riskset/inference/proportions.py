"""Proportions, their difference and their odds ratio, with confidence intervals.

Group 1 is the group described, group 0 the reference: differences are p1 - p0, odds ratios odds1 / odds0.
Proportions are fractions of 1, never percentages.
"""

from __future__ import annotations

import math

from riskset.inference._checks import check_events, check_level
from riskset.inference._normal import two_sided_z
from riskset.inference._scipy import special
from riskset.inference.values import NAN, Interval, no_interval

_NOBODY = "No patient in the denominator."


def wilson(events: float, n: float, level: float = 0.95) -> Interval:
    """Proportion with Wilson's score interval (without continuity correction).

    Limits solve |p - pi| = z sqrt(pi (1 - pi) / n). They stay within [0, 1] and keep their coverage for small
    n and for proportions near 0 or 1, where the Wald interval does not.

    Parameters
    ----------
    events, n : whole numbers
        Events out of `n`; `n = 0` gives NaN and a warning.
    level : float
        Two-sided confidence level.

    Returns
    -------
    Interval
        Fractions of 1.

    Raises
    ------
    EngineError
        If the counts are not whole, or events exceed n.

    References
    ----------
    Wilson EB. J Am Stat Assoc 1927;22:209-212. R: `prop.test(events, n, correct = FALSE)`.
    """
    events, n = check_events(events, n)
    level = check_level(level)
    if n == 0:
        return no_interval(level, _NOBODY)
    p = events / n
    z2 = two_sided_z(level) ** 2
    centre = (events + z2 / 2.0) / (n + z2)
    half = math.sqrt(z2 * (events * (n - events) / n + z2 / 4.0)) / (n + z2)
    # At the ends the limit equals 0 or 1 in exact arithmetic; rounding must not push it past the estimate.
    low = 0.0 if events == 0 else centre - half
    high = 1.0 if events == n else centre + half
    return Interval(p, low, high, level)


def clopper_pearson(events: float, n: float, level: float = 0.95) -> Interval:
    """Proportion with the exact (Clopper-Pearson) interval: quantiles of two beta distributions.

    Coverage is never below `level` and often above it; Wilson's interval is nearer to the nominal level.

    Parameters
    ----------
    events, n : whole numbers
        Events out of `n`; `n = 0` gives NaN and a warning.
    level : float
        Two-sided confidence level.

    Returns
    -------
    Interval
        Fractions of 1.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. R: `binom.test(events, n)`.
    """
    events, n = check_events(events, n)
    level = check_level(level)
    if n == 0:
        return no_interval(level, _NOBODY)
    tail = (1.0 - level) / 2.0
    low = 0.0 if events == 0 else float(special().betaincinv(events, n - events + 1, tail))
    high = 1.0 if events == n else float(special().betainccinv(events + 1, n - events, tail))
    return Interval(events / n, low, high, level)


def newcombe_difference(e1: float, n1: float, e0: float, n0: float, level: float = 0.95) -> Interval:
    """Difference of two independent proportions, p1 - p0, with Newcombe's hybrid score interval (method 10).

    With Wilson limits (l, u) of each proportion: low = d - sqrt((p1 - l1)^2 + (u0 - p0)^2),
    high = d + sqrt((u1 - p1)^2 + (p0 - l0)^2). No continuity correction.

    Parameters
    ----------
    e1, n1, e0, n0 : whole numbers
        Events and patients of group 1 and of the reference group 0. An empty group gives NaN and a warning.
    level : float
        Two-sided confidence level.

    Returns
    -------
    Interval
        Fractions of 1 (0.094 is 9.4 percentage points), within [-1, 1].

    References
    ----------
    Newcombe RG. Stat Med 1998;17:873-890.
    """
    e1, n1 = check_events(e1, n1, "group 1")
    e0, n0 = check_events(e0, n0, "group 0")
    level = check_level(level)
    if n1 == 0 or n0 == 0:
        return no_interval(level, "A group holds no patient.")
    one, zero = wilson(e1, n1, level), wilson(e0, n0, level)
    difference = one.value - zero.value
    low = difference - math.hypot(one.value - one.low, zero.high - zero.value)
    high = difference + math.hypot(one.high - one.value, zero.value - zero.low)
    return Interval(difference, low, high, level)


def odds_ratio(e1: float, n1: float, e0: float, n0: float, level: float = 0.95) -> Interval:
    """Sample odds ratio with Woolf's logit interval: ln OR +- z sqrt(1/a + 1/b + 1/c + 1/d).

    With an empty cell the logit interval does not exist: the value is then 0, infinite or NaN, as the counts
    say, the limits are NaN and a warning is given. Nothing is added to the cells; `odds_ratio_haldane` does
    that, as a decision of the caller.

    Parameters
    ----------
    e1, n1, e0, n0 : whole numbers
        Events and patients of group 1 and of the reference group 0.
    level : float
        Two-sided confidence level.

    References
    ----------
    Woolf B. Ann Hum Genet 1955;19:251-253.
    """
    e1, n1 = check_events(e1, n1, "group 1")
    e0, n0 = check_events(e0, n0, "group 0")
    level = check_level(level)
    cells = (e1, n1 - e1, e0, n0 - e0)
    if min(cells) > 0:
        return _woolf(*cells, level)
    a, b, c, d = cells
    numerator, denominator = a * d, b * c
    if denominator > 0:
        value = 0.0
    else:
        value = math.inf if numerator > 0 else NAN
    return no_interval(level, "An empty cell: the odds ratio has no logit interval.", value)


def odds_ratio_haldane(e1: float, n1: float, e0: float, n0: float, level: float = 0.95) -> Interval:
    """Odds ratio and logit interval after adding 1/2 to every cell (Haldane-Anscombe correction).

    For tables with an empty cell. The correction pulls the odds ratio towards 1 and is always told in
    `warning`.

    References
    ----------
    Haldane JBS. Ann Hum Genet 1956;20:309-311. Anscombe FJ. Biometrika 1956;43:461-464.
    """
    e1, n1 = check_events(e1, n1, "group 1")
    e0, n0 = check_events(e0, n0, "group 0")
    level = check_level(level)
    if n1 == 0 or n0 == 0:
        return no_interval(level, "A group holds no patient.")
    plain = _woolf(e1 + 0.5, n1 - e1 + 0.5, e0 + 0.5, n0 - e0 + 0.5, level)
    return Interval(plain.value, plain.low, plain.high, level, "One half was added to every cell (Haldane-Anscombe).")


def _woolf(a: float, b: float, c: float, d: float, level: float) -> Interval:
    log_ratio = math.log(a) - math.log(b) - math.log(c) + math.log(d)
    half = two_sided_z(level) * math.sqrt(1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d)
    value = (a * d) / (b * c)
    return Interval(value, math.exp(log_ratio - half), math.exp(log_ratio + half), level)
