"""survival (MIT): R's package rewritten in Rust, several threads, NumPy arrays in."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from _data import READ_AT, TIMES, load, permuted, resampled, share_beyond, spread
from survival.regression import coxph_fit, coxph_fit_raw
from survival.surv_analysis import survdiff, survfitkm
from survival.validation import bootstrap_cox_ci, logrank_test

VERSION = version("survival")


def cox(size: str, kind: str, function: Any) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, size)
        time, event = people[TIMES[kind]].astype(np.float64), people["event"].astype(np.float64)

        def run() -> tuple[dict[str, Any], int]:
            fit = function(time, event, people["x"])
            return {"coefficient": np.ravel(fit.coefficients).tolist()}, 1

        return run

    return prepare


def kaplan_meier(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"].astype(np.float64)

        def run() -> tuple[dict[str, Any], int]:
            curve = survfitkm(time, event)
            place = np.searchsorted(np.asarray(curve.time), READ_AT, side="right") - 1
            return {"survival": np.asarray(curve.surv)[place].tolist()}, 1

        return run

    return prepare


def logrank(kind: str, function: Any) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"].astype(np.float64)

        def run() -> tuple[dict[str, Any], int]:
            return {"chi_square": [chi_square(function(time, event, people["group"]))]}, 1

        return run

    return prepare


def chi_square(test: Any) -> float:
    return float(test.chisq if hasattr(test, "chisq") else test.statistic)


def bootstrap(folder: Path) -> Any:
    people = load(folder, "small")
    time, event = people["day"].astype(np.float64), people["event"].astype(np.int32)

    def run() -> tuple[dict[str, Any], int]:
        drawn = bootstrap_cox_ci(time, event, people["x"], n_bootstrap=2000, seed=1)
        return {"spread": spread(np.array(drawn.bootstrap_samples))}, 2000

    return run


def fits(folder: Path, function: Any) -> Any:
    samples = resampled(load(folder, "small"), 1000)
    ready = [(s["day"].astype(np.float64), s["event"].astype(np.float64), s["x"]) for s in samples]

    def run() -> tuple[dict[str, Any], int]:
        coefficients = [np.ravel(function(*sample).coefficients) for sample in ready]
        return {"spread": spread(np.array(coefficients))}, len(ready)

    return run


def permutation(folder: Path, function: Any) -> Any:
    people = load(folder, "small")
    time, event = people["day"].astype(np.float64), people["event"].astype(np.float64)
    groups = permuted(people["group"], 10_000)

    def run() -> tuple[dict[str, Any], int]:
        drawn = np.array([chi_square(function(time, event, group)) for group in groups])
        return {"p_value": [share_beyond(drawn, chi_square(function(time, event, people["group"])))]}, len(groups)

    return run


COX = {"coxph_fit": coxph_fit, "coxph_fit_raw": coxph_fit_raw}
TESTS = {"survdiff": survdiff, "logrank_test": logrank_test}

ROUTES: dict[str, dict[str, Callable[[Path], Any]]] = {
    **{
        f"{size}_{kind}": {name: cox(size, kind, function) for name, function in COX.items()}
        for size in ("cox_20", "cox_5")
        for kind in TIMES
    },
    **{f"km_{kind}": {"survfitkm": kaplan_meier(kind)} for kind in TIMES},
    **{f"logrank_{kind}": {name: logrank(kind, function) for name, function in TESTS.items()} for kind in TIMES},
    "bootstrap": {
        "bootstrap_cox_ci": bootstrap,
        "coxph_fit_raw in a loop": lambda folder: fits(folder, coxph_fit_raw),
        "coxph_fit in a loop": lambda folder: fits(folder, coxph_fit),
    },
    "permutation": {
        "survdiff in a loop": lambda folder: permutation(folder, survdiff),
        "logrank_test in a loop": lambda folder: permutation(folder, logrank_test),
    },
}
