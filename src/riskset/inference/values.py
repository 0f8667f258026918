"""The values that the room hands out: an estimate with its interval, and a test."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the limits of its confidence interval.

    A limit that cannot be estimated is NaN, and `warning` says why. `level` is the two-sided confidence level.
    """

    value: float
    low: float
    high: float
    level: float = 0.95
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class HypothesisTest:
    """A test: which one (`test`, an id), its statistic, degrees of freedom and two-sided P value.

    `statistic` and `df` are NaN where the test has none (exact tests). A test that could not be computed has
    a `p_value` of NaN and a `warning`; a warning beside a number says how that number was reached.
    """

    test: str
    statistic: float
    df: float
    p_value: float
    warning: str | None = None


NAN = math.nan


def no_test(test: str, warning: str) -> HypothesisTest:
    """Give the outcome of a test that the data do not allow."""
    return HypothesisTest(test, NAN, NAN, NAN, warning)


def no_interval(level: float, warning: str, value: float = NAN) -> Interval:
    """Give an interval without limits (and, unless given, without a value)."""
    return Interval(value, NAN, NAN, level, warning)
