"""The E-value: how strong an unmeasured confounder would have to be to explain an association away."""

from __future__ import annotations

import math
from dataclasses import dataclass

from riskset.errors import EngineError
from riskset.inference._checks import check_positive


@dataclass(frozen=True, slots=True)
class EValue:
    """E-values on the risk-ratio scale, of the estimate and of the interval's limit nearer to 1 (NaN if not given).

    `risk_ratio` is what the hazard ratio was converted to.
    """

    value: float
    limit: float
    risk_ratio: float


def e_value(hr: float, low: float | None = None, high: float | None = None, *, rare: bool = False) -> EValue:
    """E-value of a hazard ratio, RR + sqrt(RR (RR - 1)), with RR = HR for rare events.

    For common events RR = (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1/HR)). Ratios below 1 are inverted first; a limit on
    the other side of 1 than the estimate gives 1. For causal questions: a marker's prognostic association is not
    explained away by a confounder.

    Parameters
    ----------
    hr : float
        Hazard ratio, above 0.
    low, high : float, optional
        Limits of its confidence interval, both or neither.
    rare : bool
        Fewer than 15 % events by the end of follow-up.

    References
    ----------
    VanderWeele TJ, Ding P. Ann Intern Med 2017;167:268-274.
    """
    ratio = _risk_ratio("The hazard ratio", hr, rare)
    if low is None and high is None:
        return EValue(_from_risk_ratio(ratio), math.nan, ratio)
    if low is None or high is None:
        raise EngineError("An E-value of the interval needs both limits, low and high.")
    if not low <= hr <= high:
        raise EngineError(f"The hazard ratio must lie within its interval: {hr} ({low} to {high}).")
    low_ratio, high_ratio = _risk_ratio("low", low, rare), _risk_ratio("high", high, rare)
    if low_ratio <= 1.0 <= high_ratio:
        limit = 1.0
    else:
        limit = _from_risk_ratio(low_ratio if low_ratio > 1.0 else high_ratio)
    return EValue(_from_risk_ratio(ratio), limit, ratio)


def _risk_ratio(name: str, hr: float, rare: bool) -> float:
    check_positive(name, hr)
    if rare:
        return hr
    # expm1 keeps digits for ratios far below 1.
    return math.expm1(-math.log(2.0) * math.sqrt(hr)) / math.expm1(-math.log(2.0) * math.sqrt(1.0 / hr))


def _from_risk_ratio(ratio: float) -> float:
    above = ratio if ratio >= 1.0 else 1.0 / ratio
    return above + math.sqrt(above * (above - 1.0))
