"""statsmodels (BSD): general statistics; `duration` has Cox models, survival curves and tests."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from _data import READ_AT, TIMES, load, permuted, resampled, share_beyond, spread
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

VERSION = version("statsmodels")


def fit(people: dict[str, Any], time: str) -> Any:
    return PHReg(people[time].astype(np.float64), people["x"], people["event"].astype(np.int64), ties="efron").fit()


def cox(size: str, kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, size)

        def run() -> tuple[dict[str, Any], int]:
            done = fit(people, TIMES[kind])
            return {"coefficient": done.params.tolist(), "standard_error": done.bse.tolist()}, 1

        return run

    return prepare


def kaplan_meier(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"].astype(np.int64)

        def run() -> tuple[dict[str, Any], int]:
            curve = SurvfuncRight(time, event)
            place = np.searchsorted(curve.surv_times, READ_AT, side="right") - 1
            return {"survival": curve.surv_prob[place].tolist()}, 1

        return run

    return prepare


def logrank(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"].astype(np.int64)

        def run() -> tuple[dict[str, Any], int]:
            return {"chi_square": [float(survdiff(time, event, people["group"])[0])]}, 1

        return run

    return prepare


def bootstrap(folder: Path) -> Any:
    samples = resampled(load(folder, "small"), 100)

    def run() -> tuple[dict[str, Any], int]:
        return {"spread": spread(np.array([fit(sample, "day").params for sample in samples]))}, len(samples)

    return run


def permutation(folder: Path) -> Any:
    people = load(folder, "small")
    time, event = people["day"].astype(np.float64), people["event"].astype(np.int64)
    groups = permuted(people["group"], 1000)

    def run() -> tuple[dict[str, Any], int]:
        drawn = np.array([survdiff(time, event, group)[0] for group in groups])
        return {"p_value": [share_beyond(drawn, survdiff(time, event, people["group"])[0])]}, len(groups)

    return run


ROUTES: dict[str, dict[str, Callable[[Path], Any]]] = {
    **{f"{size}_{kind}": {"PHReg": cox(size, kind)} for size in ("cox_20", "cox_5") for kind in TIMES},
    **{f"km_{kind}": {"SurvfuncRight": kaplan_meier(kind)} for kind in TIMES},
    **{f"logrank_{kind}": {"survdiff": logrank(kind)} for kind in TIMES},
    "bootstrap": {"PHReg in a loop": bootstrap},
    "permutation": {"survdiff in a loop": permutation},
}
