"""How much a study of a given number of events can tell, and how many events a question needs.

All formulas stand on the variance 1 / (D q (1 - q)) of the log hazard ratio, with D events and a share q of the
patients in one group (Schoenfeld). They hold for proportional hazards near the null and for a covariate that
nothing else in the model explains. Significance levels are printed beside every number that they enter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from riskset.errors import EngineError
from riskset.inference._checks import check_positive, check_share
from riskset.inference._normal import normal_quantile, z_from_p


@dataclass(frozen=True, slots=True)
class DetectableHazardRatio:
    """The hazard ratios nearest to 1 that a study would detect: `above` 1 and its inverse `below` 1."""

    below: float
    above: float
    power: float
    alpha: float


def minimal_detectable_hr(
    events: float, share: float = 0.5, *, power: float = 0.8, alpha: float = 0.05
) -> DetectableHazardRatio:
    """Hazard ratio detected with the given power: exp(+-(z_(1 - alpha/2) + z_power) / sqrt(D q (1 - q))).

    Parameters
    ----------
    events : float
        Number of events D in both groups together.
    share : float
        Share q of the patients in one of the groups (which one does not matter).
    power, alpha : float
        Power, and the two-sided significance level.

    References
    ----------
    Schoenfeld D. Biometrika 1981;68:316-319.
    """
    check_positive("The number of events", events)
    z = _two_sided(alpha) + normal_quantile(check_share("power", power))
    if z <= 0.0:
        raise EngineError("The power asked for is below the significance level; ask for a higher one.")
    log_ratio = z / math.sqrt(events * _information_per_event(share))
    return DetectableHazardRatio(math.exp(-log_ratio), math.exp(log_ratio), power, alpha)


def events_for_superiority(hr: float, share: float = 0.5, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Events needed to detect a hazard ratio with a two-sided test, rounded up.

    D = (z_(1 - alpha/2) + z_power)^2 / (q (1 - q) ln^2 HR), q the share of the patients in one of the groups.

    References
    ----------
    Schoenfeld DA. Biometrics 1983;39:499-503.
    """
    z = _two_sided(alpha) + normal_quantile(check_share("power", power))
    return _events(z, "The hazard ratio", hr, share)


def events_for_noninferiority(margin: float, share: float = 0.5, *, power: float = 0.8, alpha: float = 0.025) -> int:
    """Events needed to exclude a hazard ratio beyond the margin if the true one is 1, rounded up.

    D = (z_(1 - alpha) + z_power)^2 / (q (1 - q) ln^2 M).

    Parameters
    ----------
    margin : float
        Non-inferiority margin M, fixed before the data are seen; above or below 1.
    share : float
        Share q of the patients in one of the groups.
    power, alpha : float
        Power, and the ONE-sided significance level.
    """
    z = normal_quantile(1.0 - check_share("alpha", alpha)) + normal_quantile(check_share("power", power))
    return _events(z, "The margin", margin, share)


def events_for_equivalence(margin: float, share: float = 0.5, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Events needed for two one-sided tests (TOST) to place the hazard ratio within (1/M, M), rounded up.

    D = (z_(1 - alpha) + z_((1 + power)/2))^2 / (q (1 - q) ln^2 M) if the true ratio is 1. Equivalence is shown when
    the 1 - 2 alpha interval (90 % for alpha 0.05) lies inside the margins.

    Parameters
    ----------
    margin : float
        Equivalence margin M, fixed before the data are seen; above or below 1.
    share : float
        Share q of the patients in one of the groups.
    power, alpha : float
        Power, and the level of EACH one-sided test.

    References
    ----------
    Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680.
    """
    z = normal_quantile(1.0 - check_share("alpha", alpha))
    z += normal_quantile((1.0 + check_share("power", power)) / 2.0)
    return _events(z, "The margin", margin, share)


def implied_events(hr: float, p_value: float, share: float = 0.5) -> float:
    """Events that a two-group log-rank test must have had to give this P at this hazard ratio.

    With z from the two-sided P: D = z^2 / (q (1 - q) ln^2 HR). Not rounded. A number above the number of patients
    says that hazard ratio and P do not belong to one and the same comparison.

    Raises
    ------
    EngineError
        If the hazard ratio is 1 or P is not strictly between 0 and 1: neither implies any number of events.
    """
    check_share("The P value", p_value)
    log_ratio = _log_not_one("The hazard ratio", hr)
    return z_from_p(p_value) ** 2 / (_information_per_event(share) * log_ratio**2)


def _two_sided(alpha: float) -> float:
    return z_from_p(check_share("alpha", alpha))


def _information_per_event(share: float) -> float:
    check_share("The share of patients in a group", share)
    return share * (1.0 - share)


def _log_not_one(name: str, ratio: float) -> float:
    if check_positive(name, ratio) == 1.0:
        raise EngineError(f"{name} must differ from 1.")
    return math.log(ratio)


def _events(z: float, name: str, ratio: float, share: float) -> int:
    if z <= 0.0:
        raise EngineError("The power asked for is below the significance level; ask for a higher one.")
    needed = z**2 / (_information_per_event(share) * _log_not_one(name, ratio) ** 2)
    return math.ceil(needed - 1e-9)
