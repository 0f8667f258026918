"""lifelines (MIT): the most used survival package for Python; pandas and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _data import READ_AT, TIMES, load, permuted, resampled, share_beyond, spread
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test

VERSION = version("lifelines")


def frame(people: dict[str, Any], time: str) -> pd.DataFrame:
    columns = {f"x{j}": people["x"][:, j] for j in range(people["x"].shape[1])}
    return pd.DataFrame({**columns, "time": people[time].astype(np.float64), "event": people["event"]})


def cox(size: str, kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = frame(load(folder, size), TIMES[kind])

        def run() -> tuple[dict[str, Any], int]:
            fit = CoxPHFitter().fit(people, "time", "event")
            return {"coefficient": fit.params_.tolist(), "standard_error": fit.standard_errors_.tolist()}, 1

        return run

    return prepare


def kaplan_meier(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"]

        def run() -> tuple[dict[str, Any], int]:
            curve = KaplanMeierFitter().fit(time, event)
            return {"survival": curve.survival_function_at_times(READ_AT).tolist()}, 1

        return run

    return prepare


def two_samples(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, first = people[TIMES[kind]].astype(np.float64), people["group"] == 0
        a, b, event_a, event_b = time[first], time[~first], people["event"][first], people["event"][~first]

        def run() -> tuple[dict[str, Any], int]:
            return {"chi_square": [float(logrank_test(a, b, event_a, event_b).test_statistic)]}, 1

        return run

    return prepare


def many_samples(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time = people[TIMES[kind]].astype(np.float64)

        def run() -> tuple[dict[str, Any], int]:
            test = multivariate_logrank_test(time, people["group"], people["event"])
            return {"chi_square": [float(test.test_statistic)]}, 1

        return run

    return prepare


def bootstrap(folder: Path) -> Any:
    samples = [frame(people, "day") for people in resampled(load(folder, "small"), 30)]

    def run() -> tuple[dict[str, Any], int]:
        fits = [CoxPHFitter().fit(sample, "time", "event").params_.to_numpy() for sample in samples]
        return {"spread": spread(np.array(fits))}, len(fits)

    return run


def permutation(folder: Path) -> Any:
    people = load(folder, "small")
    time, event = people["day"].astype(np.float64), people["event"]
    groups = permuted(people["group"], 200)

    def statistic(group: Any) -> float:
        one = group == 0
        return float(logrank_test(time[one], time[~one], event[one], event[~one]).test_statistic)

    def run() -> tuple[dict[str, Any], int]:
        drawn = np.array([statistic(group) for group in groups])
        return {"p_value": [share_beyond(drawn, statistic(people["group"]))]}, len(groups)

    return run


ROUTES: dict[str, dict[str, Callable[[Path], Any]]] = {
    **{f"{size}_{kind}": {"CoxPHFitter": cox(size, kind)} for size in ("cox_20", "cox_5") for kind in TIMES},
    **{f"km_{kind}": {"KaplanMeierFitter": kaplan_meier(kind)} for kind in TIMES},
    **{
        f"logrank_{kind}": {"logrank_test": two_samples(kind), "multivariate_logrank_test": many_samples(kind)}
        for kind in TIMES
    },
    "bootstrap": {"CoxPHFitter in a loop": bootstrap},
    "permutation": {"logrank_test in a loop": permutation},
}
