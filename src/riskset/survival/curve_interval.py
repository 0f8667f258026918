"""Pointwise confidence intervals of a survival curve, on the scale where they are symmetric."""

from __future__ import annotations

from typing import Literal

import numpy as np

from riskset.survival._types import FloatArray

ConfType = Literal["log-log", "log", "plain"]


def curve_interval(
    survival: FloatArray, error: FloatArray, conf_type: ConfType, z: float
) -> tuple[FloatArray, FloatArray]:
    """Give the pointwise limits of `survival` (m,) with standard errors `error` (m,), within [0, 1].

    NaN where S is 0, and for log-log also where S is 1, as in R.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if conf_type == "plain":
            return np.maximum(survival - z * error, 0.0), np.minimum(survival + z * error, 1.0)
        log = np.where(survival > 0, np.log(survival), np.nan)
        relative = error / survival
        if conf_type == "log":
            return np.exp(log - z * relative), np.minimum(np.exp(log + z * relative), 1.0)
        log[survival == 1] = np.nan
        reach = np.exp(z * relative / np.abs(log))
        return np.exp(log * reach), np.exp(log / reach)
