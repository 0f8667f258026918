"""lifelines (MIT): the most used survival package for Python; pandas and NumPy."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from _data import READ_AT
from _ways import Way, routes
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test

VERSION = version("lifelines")


def frame(time: Any, event: Any, x: Any) -> tuple[pd.DataFrame]:
    """Put the columns into the data frame that its regression models take."""
    return (pd.DataFrame({**{f"x{j}": x[:, j] for j in range(x.shape[1])}, "time": time, "event": event}),)


def cox(people: pd.DataFrame) -> Any:
    """Give the coefficients."""
    return CoxPHFitter().fit(people, "time", "event").params_


def curve(time: Any, event: Any) -> Any:
    """Give the survival at some times."""
    return KaplanMeierFitter().fit(time, event).survival_function_at_times(READ_AT)


def halves(time: Any, event: Any, group: Any) -> tuple[Any, ...]:
    """Take the two groups apart, as its test of two samples wants them."""
    first = group == 0
    return time[first], time[~first], event[first], event[~first]


def two_samples(*arrays: Any) -> float:
    """Give the chi-square of two samples."""
    return float(logrank_test(*arrays).test_statistic)


def many_samples(time: Any, event: Any, group: Any) -> float:
    """Give the chi-square of any number of groups."""
    return float(multivariate_logrank_test(time, group, event).test_statistic)


ROUTES = routes(
    np.bool_,
    {"CoxPHFitter": Way(cox, frame)},
    curve={"KaplanMeierFitter": Way(curve)},
    test={"logrank_test": Way(two_samples, halves), "multivariate_logrank_test": Way(many_samples)},
    bootstrap={"CoxPHFitter": Way(cox, frame, replicates=60)},
    permutation={"logrank_test": Way(two_samples, halves, replicates=300)},
)
