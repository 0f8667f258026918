"""survival (MIT): R's package rewritten in Rust; NumPy arrays in."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from _data import READ_AT, load, spread
from _ways import Way, outcome, routes
from survival.regression import coxph_fit, coxph_fit_raw
from survival.surv_analysis import survdiff, survfitkm
from survival.validation import bootstrap_cox_ci, logrank_test

VERSION = version("survival")


def cox(time: Any, event: Any, x: Any) -> Any:
    """Give the coefficients, with the log likelihoods and the tests that R prints."""
    return coxph_fit(time, event, x).coefficients


def bare_cox(time: Any, event: Any, x: Any) -> Any:
    """Give the coefficients of what R calls coxph.fit."""
    return coxph_fit_raw(time, event, x, resid=False).coefficients


def curve(time: Any, event: Any) -> Any:
    """Give the survival at some times."""
    fitted = survfitkm(time, event)
    return np.asarray(fitted.surv)[np.searchsorted(np.asarray(fitted.time), READ_AT, side="right") - 1]


def difference(time: Any, event: Any, group: Any) -> float:
    """Give the chi-square of survdiff."""
    return float(survdiff(time, event, group).chisq)


def logrank(time: Any, event: Any, group: Any) -> float:
    """Give the chi-square of logrank_test."""
    return float(logrank_test(time, event, group).statistic)


def bootstrap(folder: Path) -> Any:
    """Let it draw and fit by itself, on all cores."""
    people = load(folder, "small")
    time, event = outcome(people, "days", np.int32)

    def run() -> tuple[dict[str, Any], int]:
        drawn = bootstrap_cox_ci(time, event, people["x"], n_bootstrap=4000, seed=1)
        return {"spread": spread(np.array(drawn.bootstrap_samples))}, 4000

    return run


ROUTES = routes(
    np.float64,
    {"coxph_fit_raw": Way(bare_cox), "coxph_fit": Way(cox)},
    curve={"survfitkm": Way(curve)},
    test={"survdiff": Way(difference), "logrank_test": Way(logrank)},
    bootstrap={"coxph_fit_raw": Way(bare_cox, replicates=2000), "coxph_fit": Way(cox, replicates=1000)},
    permutation={"survdiff": Way(difference, replicates=10_000), "logrank_test": Way(logrank, replicates=10_000)},
)
ROUTES["bootstrap"]["bootstrap_cox_ci"] = bootstrap
