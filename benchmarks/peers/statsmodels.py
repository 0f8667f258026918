"""statsmodels (BSD): general statistics; its part `duration` has Cox models, survival curves and tests."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from _data import READ_AT
from _ways import Way, routes
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

VERSION = version("statsmodels")


def cox(time: Any, event: Any, x: Any) -> Any:
    """Give the coefficients."""
    return PHReg(time, x, event, ties="efron").fit().params


def curve(time: Any, event: Any) -> Any:
    """Give the survival at some times."""
    fitted = SurvfuncRight(time, event)
    return fitted.surv_prob[np.searchsorted(fitted.surv_times, READ_AT, side="right") - 1]


def logrank(time: Any, event: Any, group: Any) -> float:
    """Give the chi-square."""
    return float(survdiff(time, event, group)[0])


ROUTES = routes(
    np.int64,
    {"PHReg": Way(cox)},
    curve={"SurvfuncRight": Way(curve)},
    test={"survdiff": Way(logrank)},
    bootstrap={"PHReg": Way(cox, replicates=100)},
    permutation={"survdiff": Way(logrank, replicates=2000)},
)
