"""greenwood (MIT): a younger survival package for Python; NumPy and any data frame."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from _data import READ_AT
from _ways import Way, routes
from greenwood import CoxPH, KaplanMeier, Surv, logrank_test

VERSION = version("greenwood")


def cox(time: Any, event: Any, x: Any) -> Any:
    """Give the coefficients."""
    return CoxPH().fit(Surv(time=time, event=event), x).coef_


def curve(time: Any, event: Any) -> Any:
    """Give the survival at some times."""
    return KaplanMeier().fit(Surv(time=time, event=event)).predict(READ_AT)


def logrank(time: Any, event: Any, group: Any) -> float:
    """Give the chi-square."""
    return float(logrank_test(Surv(time=time, event=event), group).statistic)


ROUTES = routes(
    np.bool_,
    {"CoxPH": Way(cox)},
    curve={"KaplanMeier": Way(curve)},
    test={"logrank_test": Way(logrank)},
    bootstrap={"CoxPH": Way(cox, replicates=100)},
    permutation={"logrank_test": Way(logrank, replicates=1000)},
)
