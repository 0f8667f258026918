"""Normal, t and chi-square tails under the names that the rest of the room uses."""

from __future__ import annotations

import math
from statistics import NormalDist

from riskset.inference._scipy import special

_STANDARD = NormalDist()


def normal_quantile(p: float) -> float:
    """Give z with P(Z <= z) = p, for 0 < p < 1."""
    return _STANDARD.inv_cdf(p)


def two_sided_z(level: float) -> float:
    """Give the half-width multiplier of a two-sided interval (1.96 for level 0.95)."""
    # The lower tail is used because (1 - level) / 2 keeps its digits where (1 + level) / 2 loses them.
    return -_STANDARD.inv_cdf((1.0 - level) / 2.0)


def normal_p(z: float) -> float:
    """Give the two-sided P of a standard normal statistic, precise far into the tail; NaN gives NaN."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def z_from_p(p: float) -> float:
    """Give |z| whose two-sided P is p, for 0 < p <= 1."""
    return -_STANDARD.inv_cdf(p / 2.0)


def t_quantile(p: float, df: float) -> float:
    """Give t with P(T <= t) = p on `df` degrees of freedom."""
    return float(special().stdtrit(df, p))


def t_p(t: float, df: float) -> float:
    """Give the two-sided P of Student's t."""
    return float(2.0 * special().stdtr(df, -abs(t)))


def chi_square_p(chi_square: float, df: float) -> float:
    """Give the upper tail of the chi-square distribution."""
    return float(special().chdtrc(df, chi_square))
