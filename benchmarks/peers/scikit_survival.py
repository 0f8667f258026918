"""scikit-survival (GPL 3): survival models for scikit-learn; its Cox model gives no standard errors."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from _data import READ_AT, TIMES, load, permuted, resampled, share_beyond, spread
from sksurv.compare import compare_survival
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

VERSION = version("scikit-survival")


def fit(people: dict[str, Any], time: str) -> Any:
    outcome = Surv.from_arrays(people["event"], people[time].astype(np.float64))
    return CoxPHSurvivalAnalysis(ties="efron").fit(people["x"], outcome).coef_


def cox(size: str, kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, size)

        def run() -> tuple[dict[str, Any], int]:
            return {"coefficient": fit(people, TIMES[kind]).tolist()}, 1

        return run

    return prepare


def kaplan_meier(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"]

        def run() -> tuple[dict[str, Any], int]:
            at, survival, _ = kaplan_meier_estimator(event, time, conf_type="log-log")
            return {"survival": survival[np.searchsorted(at, READ_AT, side="right") - 1].tolist()}, 1

        return run

    return prepare


def logrank(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        outcome = Surv.from_arrays(people["event"], people[TIMES[kind]].astype(np.float64))

        def run() -> tuple[dict[str, Any], int]:
            return {"chi_square": [float(compare_survival(outcome, people["group"])[0])]}, 1

        return run

    return prepare


def bootstrap(folder: Path) -> Any:
    samples = resampled(load(folder, "small"), 300)

    def run() -> tuple[dict[str, Any], int]:
        return {"spread": spread(np.array([fit(sample, "day") for sample in samples]))}, len(samples)

    return run


def permutation(folder: Path) -> Any:
    people = load(folder, "small")
    outcome = Surv.from_arrays(people["event"], people["day"].astype(np.float64))
    groups = permuted(people["group"], 1000)

    def run() -> tuple[dict[str, Any], int]:
        drawn = np.array([compare_survival(outcome, group)[0] for group in groups])
        return {"p_value": [share_beyond(drawn, compare_survival(outcome, people["group"])[0])]}, len(groups)

    return run


ROUTES: dict[str, dict[str, Callable[[Path], Any]]] = {
    **{f"{size}_{kind}": {"CoxPHSurvivalAnalysis": cox(size, kind)} for size in ("cox_20", "cox_5") for kind in TIMES},
    **{f"km_{kind}": {"kaplan_meier_estimator": kaplan_meier(kind)} for kind in TIMES},
    **{f"logrank_{kind}": {"compare_survival": logrank(kind)} for kind in TIMES},
    "bootstrap": {"CoxPHSurvivalAnalysis in a loop": bootstrap},
    "permutation": {"compare_survival in a loop": permutation},
}
