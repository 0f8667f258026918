"""The weight functions of the log-rank family: one table, and the Fleming-Harrington weights for any rho and gamma.

A weight is a function of the pooled counts of a stratum before or at each event time, never of the group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskset.errors import EngineError, did_you_mean
from riskset.survival._types import FloatArray, IntArray
from riskset.survival.group_counts import GroupCounts


@dataclass(frozen=True, slots=True, eq=False)
class PooledCounts:
    """Counts over all groups at the K (stratum, event time) pairs, arrays (K,); `segment` tells where strata start."""

    at_risk: FloatArray
    events: FloatArray
    segment: IntArray

    def curve(self, factor: FloatArray) -> FloatArray:
        """Multiply `factor` (K,) up within each stratum, the factor of each time included."""
        product = np.empty(factor.shape[0])
        for start, end in zip(self.segment, np.append(self.segment, factor.shape[0])[1:], strict=True):
            np.cumprod(factor[start:end], out=product[start:end])
        return product

    def survival_before(self) -> FloatArray:
        """Give the Kaplan-Meier curve S(t-) of each stratum just before each event time."""
        after = self.curve(1.0 - self.events / self.at_risk)
        before = np.ones(after.shape[0])
        before[1:] = after[:-1]
        before[self.segment] = 1.0
        return before


@dataclass(frozen=True, slots=True)
class WeightFunction:
    """A weight of the log-rank family: the name of the test that it makes, and its values (K,) from the counts."""

    label: str
    values: Callable[[PooledCounts], FloatArray]


def pooled_counts(counts: GroupCounts) -> PooledCounts:
    """Add the groups up."""
    return PooledCounts(counts.at_risk.sum(axis=0), counts.events.sum(axis=0), counts.segment)


def _constant(pooled: PooledCounts) -> FloatArray:
    return np.ones(pooled.events.shape[0])


def _peto(pooled: PooledCounts) -> FloatArray:
    return pooled.curve(1.0 - pooled.events / (pooled.at_risk + 1.0))


WEIGHTS = {
    "log-rank": WeightFunction("log-rank test", _constant),
    "gehan": WeightFunction("Gehan-Breslow test", lambda pooled: pooled.at_risk),
    "tarone-ware": WeightFunction("Tarone-Ware test", lambda pooled: np.sqrt(pooled.at_risk)),
    "peto": WeightFunction("Peto-Prentice test", _peto),
    "modified-peto": WeightFunction(
        "modified Peto-Prentice test", lambda pooled: _peto(pooled) * pooled.at_risk / (pooled.at_risk + 1.0)
    ),
}


def named_weight(name: str) -> WeightFunction:
    """Look a weight function up by its name in WEIGHTS."""
    if name not in WEIGHTS:
        near = did_you_mean(name, WEIGHTS)
        raise EngineError(f"there is no weight '{name}'{near}; choose one of {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


def fleming_harrington(rho: float, gamma: float) -> WeightFunction:
    """Make the weight S(t-)^rho (1 - S(t-))^gamma, S the stratum's pooled Kaplan-Meier curve; rho, gamma >= 0."""
    if not (np.isfinite(rho) and np.isfinite(gamma) and rho >= 0 and gamma >= 0):
        raise EngineError("rho and gamma must be finite and not negative; 0 and 0 give the log-rank test")
    if rho == 0 and gamma == 0:
        return WEIGHTS["log-rank"]

    def values(pooled: PooledCounts) -> FloatArray:
        before = pooled.survival_before()
        return np.asarray(before**rho * (1.0 - before) ** gamma)

    # R's survdiff calls rho = 1 a Peto-Peto test; the Peto-Prentice weight uses another curve, and its value at t.
    named = "Peto-Peto test" if (rho, gamma) == (1, 0) else None
    return WeightFunction(named or f"Fleming-Harrington test (rho = {rho:g}, gamma = {gamma:g})", values)
