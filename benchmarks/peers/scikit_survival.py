"""scikit-survival (GPL 3): survival models for scikit-learn; its Cox model gives no standard errors."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from _data import READ_AT
from _ways import Way, routes
from sksurv.compare import compare_survival
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

VERSION = version("scikit-survival")


def rows(time: Any, event: Any, x: Any) -> tuple[Any, Any]:
    """Put outcome and covariates (or group) into the form that its models take."""
    return x, Surv.from_arrays(event, time)


def cox(x: Any, outcome: Any) -> Any:
    """Give the coefficients."""
    return CoxPHSurvivalAnalysis(ties="efron").fit(x, outcome).coef_


def curve(time: Any, event: Any) -> Any:
    """Give the survival at some times."""
    at, survival, _ = kaplan_meier_estimator(event, time, conf_type="log-log")
    return survival[np.searchsorted(at, READ_AT, side="right") - 1]


def logrank(group: Any, outcome: Any) -> float:
    """Give the chi-square."""
    return float(compare_survival(outcome, group)[0])


ROUTES = routes(
    np.bool_,
    {"CoxPHSurvivalAnalysis": Way(cox, rows)},
    curve={"kaplan_meier_estimator": Way(curve)},
    test={"compare_survival": Way(logrank, rows)},
    bootstrap={"CoxPHSurvivalAnalysis": Way(cox, rows, replicates=200)},
    permutation={"compare_survival": Way(logrank, rows, replicates=1000)},
)
