"""The small frozen values that estimators and tests hand back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its interval.

    Attributes
    ----------
    value
        The estimate, in the unit of what is estimated; NaN when not reached or not estimable.
    low, high
        Ends of the confidence interval; NaN when that end is not reached.
    standard_error
        Standard error, NaN where none is defined (quantiles). For a hazard ratio it is that of the *logarithm*, the
        scale on which its interval is symmetric.
    """

    value: float
    low: float
    high: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two independent curves with its normal test: `z = value / standard_error`, two-sided P."""

    estimate: Estimate
    z: float
    p_value: float


@dataclass(frozen=True, slots=True)
class ChiSquareTest:
    """A chi-square statistic, its degrees of freedom, its P value; NaN statistic and P where nothing can be tested."""

    chi_square: float
    df: int
    p_value: float
